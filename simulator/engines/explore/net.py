"""The messages in flight: requests on their way up, answers and hints on their way down, each in their order.

While the connection lasts, all arrive, one after the other. When it is lost, what was to come down is gone; what was
sent up may have got through or not, and nobody needs to pay for that.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

from agent.values import Answer, Hint, Request
from simulator.engines.explore.choice import Actor, Choice, Kind, place_of
from simulator.engines.explore.pieces import Piece, piece
from simulator.engines.explore.searchable import TooManyPartsError
from simulator.engines.explore.tokens import AWAITED, FRESH, Names, Tokens, token_of, with_nonce, with_token

Link: TypeAlias = Literal["", "lost", "back"]


class Message(NamedTuple):
    """`name` is what people call it, `side` whose device's it is. `is_cut_off`: its connection has ended; `is_copy`: it
    arrived before. What it says is a piece, since there are far more nets than words in them.
    """

    name: str
    says: Piece[Request | Answer | Hint]
    side: int = 0
    is_cut_off: bool = False
    is_copy: bool = False

    @property
    def body(self) -> Request | Answer | Hint:
        """What it says."""
        return self.says.value

    @property
    def again(self) -> "Message":
        """A copy of it."""
        return Message(self.name, self.says, self.side, self.is_cut_off, is_copy=True)


class Net(NamedTuple):
    """The first of each arrives next. `link`: whether the device is connected."""

    up: tuple[Message, ...] = ()
    down: tuple[Message, ...] = ()
    link: bool = False


class NetMove(NamedTuple):
    """`message` arrives at whom it is `to`; with nobody, it was moved or lost."""

    choice: Choice
    cost: Kind | None
    actor: Actor
    net: Net
    to: Literal["", "device", "service"] = ""
    message: Message | None = None


def net_moves(net: Net, possible: Collection[Kind]) -> tuple[NetMove, ...]:
    """Whatever can become of the messages in flight, with these kinds of trouble."""
    return (*_upwards(net, possible), *_downwards(net, possible))


def _upwards(net: Net, possible: Collection[Kind]) -> Iterator[NetMove]:
    if not net.up:
        return
    first, others = net.up[0], net.up[1:]
    rest, name, at = Net(others, net.down, net.link), first.name, place_of(first.side)
    yield NetMove(Choice("arrive", name, at=at), None, "up", rest, "service", first)
    if "duplicate" in possible:
        again = Net((first.again, *others), net.down, net.link)
        yield NetMove(Choice("arrive twice", name, at=at), "duplicate", "fault", again, "service", first)
    if first.is_cut_off:
        yield NetMove(Choice("lose", name, at=at), None, "up", rest)
    elif "lose-request" in possible:
        yield NetMove(Choice("lose", name, at=at), "lose-request", "fault", rest)
    if "delay" in possible and others and others[0] != first:
        late = Net((others[0], first, *others[1:]), net.down, net.link)
        yield NetMove(Choice("delay", name, at=at), "delay", "fault", late)


def _downwards(net: Net, possible: Collection[Kind]) -> Iterator[NetMove]:
    if not net.down:
        return
    first, others = net.down[0], net.down[1:]
    rest, name, at = Net(net.up, others, net.link), first.name, place_of(first.side)
    lost: Kind = "lose-answer" if isinstance(first.body, Answer) else "lose-hint"
    yield NetMove(Choice("deliver", name, at=at), None, "down", rest, "device", first)
    if "duplicate" in possible:
        again = Net(net.up, (first.again, *others), net.link)
        yield NetMove(Choice("deliver twice", name, at=at), "duplicate", "fault", again, "device", first)
    if lost in possible:
        yield NetMove(Choice("lose", name, at=at), lost, "fault", rest)
    if "delay" in possible and others and others[0] != first:
        late = Net(net.up, (others[0], first, *others[1:]), net.link)
        yield NetMove(Choice("delay", name, at=at), "delay", "fault", late)


def net_after(net: Net, out_up: tuple[Message, ...], out_down: tuple[Message, ...], link: Link) -> Net:
    """With what was sent; then the connection is lost, or before that it is back."""
    if link == "lost":
        cut_off = tuple(each if each.is_cut_off else each._replace(is_cut_off=True) for each in (*net.up, *out_up))
        return Net(cut_off, (), link=False)
    is_up = net.link or link == "back"
    return Net((*net.up, *out_up), (*net.down, *out_down) if is_up else (), is_up)


ANSWERED, ASTRAY, BUSY, STILL = 3, 2, 1, 0
"""Whether the answer to a token may yet come; whether the token is in flight, and no answer comes of it; whether
anything else is in flight; or nothing is.
"""


def waits(net: Net, awaited: str) -> int:
    """What may yet come, for a device that awaits the answer to that token (empty: to none)."""
    if awaited and any(token_of(each.body) == awaited for each in (*net.up, *net.down)):
        return ANSWERED if net.link else ASTRAY
    return BUSY if net.up or net.down else STILL


def named(net: Net, names: Names, namespace: str | None) -> tuple[Net, Tokens]:
    """The same with all in it called as from now on, for the device in that namespace; and how tokens are called."""
    called = {names.awaited: str(AWAITED)} if names.awaited else {}
    messages, ups = (*net.up, *net.down), len(net.up)
    tokens = [token_of(each.says.value) for each in messages]
    for token in tokens:
        if token and token not in called:
            called[token] = str(AWAITED + len(called) + (not names.awaited))
    if len(called) >= FRESH - AWAITED:
        raise TooManyPartsError(f"more than {FRESH - AWAITED - 1} requests in flight at once")
    after = [
        _saying(each, _said(each.says, called.get(token, ""), names, namespace))
        for each, token in zip(messages, tokens, strict=True)
    ]
    return Net(tuple(after[:ups]), tuple(after[ups:]), net.link), tuple(called.items())


@lru_cache(maxsize=16_384)
def _said(says: Piece[Any], token: str, names: Names, namespace: str | None) -> Piece[Any]:
    """The same with all in it called as from now on, and its token, if it has one, so: of these there are far fewer
    than nets.
    """
    body = with_nonce(says.value, names, namespace)
    return piece(with_token(body, token) if token else body)


def _saying(message: Message, says: Piece[Any]) -> Message:
    if says is message.says:
        return message
    return Message(message.name, says, message.side, message.is_cut_off, message.is_copy)
