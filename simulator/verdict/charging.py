"""Whether a device is to be charged with a span that is longer than its bound allows.

    the span, less what the devices' process lost   within the bound: so long it cannot have taken the device, whose
                                                    agent's timers stand still while that process does not run
    less what the cloud's process lost, too         still too long: its own fault, however busy the machine was
    otherwise                                       its own account decides: had it used up its bound by itself?

By itself a device spends what is neither waiting for an answer nor for the first word of what has happened. If that is
within the bound, it has done its part, and whatever took so long was not its doing. If not, or if it gives no account,
then nobody knows how it would have done if the cloud had run: undecided.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

from agent.account import AnswerReceived, HintReceived
from simulator.verdict.history import Seen
from simulator.verdict.stalls import Lag, Lost
from simulator.verdict.story import Story

HEARS = (HintReceived, AnswerReceived)

Charge: TypeAlias = Literal["within", "too-long", "undecided"]


class Charged(NamedTuple):
    """What to think of a span, and what the processes lost of it."""

    charge: Charge
    lost: Lost | None = None


def charged(story: Story, lag: Lag, since: float, until: float, allowed: int) -> Charged:
    """What to think of a span on the cloud's clock, in microseconds, that may be as long as `allowed`."""
    span = until - since
    if span <= allowed:
        return Charged("within")
    lost = lag.between(story, since, until)
    if story.wire is None and span - lost.devices <= allowed:
        return Charged("within", lost)
    if span - lost.whole > allowed:
        return Charged("too-long", lost)
    own = _own_time(story, lag, since, until)
    return Charged("within" if own is not None and own <= allowed else "undecided", lost)


def _own_time(story: Story, lag: Lag, since: float, until: float) -> float | None:
    """What a device spent by itself of a span on the cloud's clock; None if its account does not tell."""
    if story.wire is not None:
        return None
    start, end = since - story.offset.highest, until - story.offset.lowest
    heard = first_heard(story, start)
    if heard is None or heard.at > end:
        return None
    own, at = 0.0, float(heard.at)
    for sent, to in (*_waits_for_answers(story), (end, end)):
        until = min(sent, end)
        own += max(until - at - lag.devices.lost(at, until), 0)
        at = max(at, min(to, end))
    return own


def _waits_for_answers(story: Story) -> Iterator[tuple[float, float]]:
    """From when to when the device waited for answers that came, one span after the other."""
    since = until = float("-inf")
    for exchange in story.exchanges.values():
        if exchange.answer is None:
            continue
        if exchange.sent.at > until:
            yield since, until
            since = exchange.sent.at
        until = max(until, exchange.answer.at)
    yield since, until


def first_heard(story: Story, after: float) -> Seen[Any] | None:
    """The first notification or answer that the device processed after an instant on its own clock."""
    return next((seen for seen in story.device.seen if seen.at >= after and isinstance(seen.event, HEARS)), None)
