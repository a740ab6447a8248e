"""All moves of one state, put together of the moves of its parts, without any table: what to read first.

`expansion.py` does the same for thousands of states at once, and a test holds the two together; `world.py` says besides
what was told.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from simulator.engines.explore.searchable import (
    TAKEN,
    Broken,
    Choice,
    DeviceMove,
    Kind,
    NetMove,
    Searchable,
    ServiceMove,
    Side,
    State,
)

Hear: TypeAlias = Callable[[Any], Hashable | None]
"""Of a device's or a service's move, what watchers are told, None if nothing; of a search it is `heard_of`."""


class Step(NamedTuple):
    """One transition: what it is called, who makes it, what it costs, where it leads, and what it breaks.

    `side` is that of the device or the net that moved; None if it was the service. `move` is the last move in it of a
    device or the service, if there is any; `tokens` are, side by side, what tokens are called from then on.
    """

    choice: Choice
    actor: str
    kinds: tuple[Kind, ...]
    state: State
    broken: Sequence[Broken]
    side: int | None
    move: DeviceMove | ServiceMove | None
    tokens: tuple[Any, ...]

    @property
    def treated_fairly(self) -> str:
        """Who makes it, of several devices with the number of that."""
        return self.actor if self.side is None or len(self.state.sides) == 1 else f"{self.actor} {self.side}"


class _Begun(NamedTuple):
    """A move that is begun: by whom, at which side (None: at none), and at what cost so far."""

    choice: Choice
    actor: str
    kinds: tuple[Kind, ...]
    side: int | None


def steps(system: Searchable, state: State, hear: Hear | None = None) -> list[Step]:
    """Every transition of a state, in the order of their choices."""
    return sorted(unsorted_steps(system, state, hear), key=lambda step: step.choice)


def unsorted_steps(system: Searchable, state: State, hear: Hear | None = None) -> Iterator[Step]:
    """The same: of each device, of its messages, and of the service."""
    return (step for step in _Stepping(system, hear or system.heard_of).of(state) if step is not None)


def is_home(system: Searchable, state: State) -> bool:
    """Whether all devices are home."""
    return all(system.is_home(side.device, side.net, state.service) for side in state.sides)


class _Stepping:
    """From state to state of a system."""

    def __init__(self, system: Searchable, hear: Hear) -> None:
        self._system, self._hear = system, hear

    def of(self, state: State) -> Iterator[Step | None]:
        """Every transition; None for one that cannot be paid for."""
        for number in range(len(state.sides)):
            yield from self._by_device(state, number)
            yield from self._by_net(state, number)
        for move in self._system.service_moves(state.service):
            yield self._of_service(state, _Begun(move.choice, move.actor, _costs(move), None), move)

    def _by_device(self, state: State, number: int) -> Iterator[Step | None]:
        device, net, _ = state.sides[number]
        waits = self._system.waits(net, self._system.awaited(device))
        for move in self._system.device_moves(device, waits):
            yield self._of_device(state, _Begun(move.choice, move.actor, _costs(move), number), move)

    def _by_net(self, state: State, number: int) -> Iterator[Step | None]:
        system, side = self._system, state.sides[number]
        for carried in system.net_moves(side.net):
            after = _with_side(state, number, side._replace(net=carried.net))
            begun = _Begun(carried.choice, carried.actor, _costs(carried), number)
            if not carried.to:
                yield self._finished(after, begun, (), None)
            elif carried.to == "service":
                served = system.service_hears(state.service, carried.message)
                yield self._of_service(after, self._joined(begun, served), served)
            else:
                is_taken = system.waits(carried.net, system.awaited(side.device)) >= TAKEN
                for heard in system.device_hears(side.device, carried.message, is_taken):
                    yield self._of_device(after, self._joined(begun, heard), heard)

    def _of_device(self, state: State, begun: _Begun, move: DeviceMove) -> Step | None:
        assert begun.side is not None
        side = state.sides[begun.side]
        net = side.net
        if move.out or move.link:
            net = self._system.net_after(net, move.out, (), move.link)
        watched, broken = self._watched(side.watched, move)
        after = side._replace(device=move.device, net=net, watched=watched)
        return self._finished(_with_side(state, begun.side, after), begun, broken, move)

    def _of_service(self, state: State, begun: _Begun, move: ServiceMove) -> Step | None:
        broken: Sequence[Broken] = ()
        for number, side in enumerate(state.sides):
            down = tuple(message for message in move.out if self._system.side_of(message) == number)
            net = self._system.net_after(side.net, (), down, "") if down else side.net
            watched, broke = self._watched(side.watched, move)
            state = _with_side(state, number, side._replace(net=net, watched=watched))
            broken = (*broken, *broke)
        return self._finished(state._replace(service=move.service), begun, broken, move)

    def _watched(self, watched: Hashable, move: DeviceMove | ServiceMove) -> tuple[Hashable, Sequence[Broken]]:
        heard = self._hear(move)
        return (watched, ()) if heard is None else self._system.watch(watched, heard)

    def _joined(self, begun: _Begun, heard: DeviceMove | ServiceMove) -> _Begun:
        kinds = (*begun.kinds, *_costs(heard))
        actor = heard.actor if heard.cost else begun.actor
        return begun._replace(choice=self._system.joined(begun.choice, heard.choice), actor=actor, kinds=kinds)

    def _finished(
        self, state: State, begun: _Begun, broken: Sequence[Broken], move: DeviceMove | ServiceMove | None
    ) -> Step | None:
        """Paid for; None if it cannot be."""
        budgets = self._system.paid(state.budgets, begun.kinds)
        if budgets is None:
            return None
        state, tokens = self._named(state._replace(budgets=budgets))
        if is_home(self._system, state):
            broken = (*broken, *(each for side in state.sides for each in self._system.at_rest(side.watched)))
        return Step(begun.choice, begun.actor, begun.kinds, state, broken, begun.side, move, tokens)

    def _named(self, state: State) -> tuple[State, tuple[Any, ...]]:
        """With what was minted called as from now on; and how each side's tokens are."""
        system, sides, service, called = self._system, list[Side](), state.service, list[Any]()
        for number, side in enumerate(state.sides):
            device, names = system.named_device(side.device)
            net, tokens = system.named_net(side.net, number, names)
            service = system.named_service(service, number, names)
            watched = system.named_watched(side.watched, tokens)
            sides.append(side._replace(device=device, net=net, watched=watched))
            called.append(tokens)
        return state._replace(sides=tuple(sides), service=service), tuple(called)


def _costs(move: DeviceMove | NetMove | ServiceMove) -> tuple[Kind, ...]:
    """Of a move alone, as `local_moves.py` has it."""
    kinds = (move.cost, getattr(move, "also", None))
    return tuple(kind for kind in kinds if kind is not None)


def _with_side(state: State, number: int, side: Side) -> State:
    return state._replace(sides=(*state.sides[:number], side, *state.sides[number + 1 :]))
