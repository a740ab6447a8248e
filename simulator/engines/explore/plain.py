"""All moves of one state, put together of the moves of its parts, without any table: what to read first.

`expansion.py` does the same for thousands of states at once, and a test holds the two together.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

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


class Step(NamedTuple):
    """One transition: what it is called, who makes it, what it costs, where it leads, and what it breaks.

    `side` is that of the device or the net that moved; None if it was the service.
    """

    choice: Choice
    actor: str
    kinds: tuple[Kind, ...]
    state: State
    broken: Sequence[Broken]
    side: int | None


class _Begun(NamedTuple):
    """A move that is begun: by whom, at which side (None: at none), and at what cost so far."""

    choice: Choice
    actor: str
    kinds: tuple[Kind, ...]
    side: int | None


def steps(system: Searchable, state: State) -> list[Step]:
    """Every transition of a state, in the order of their choices."""
    found = [*_by_service(system, state)]
    for number in range(len(state.sides)):
        found += _by_device(system, state, number)
        found += _by_net(system, state, number)
    return sorted((step for step in found if step is not None), key=lambda step: step.choice)


def is_home(system: Searchable, state: State) -> bool:
    """Whether all devices are home."""
    return all(system.is_home(side.device, side.net, state.service) for side in state.sides)


def _by_service(system: Searchable, state: State) -> Iterator[Step | None]:
    for move in system.service_moves(state.service):
        begun = _Begun(move.choice, move.actor, _costs(move), None)
        yield _of_service(system, state, begun, move)


def _by_device(system: Searchable, state: State, number: int) -> Iterator[Step | None]:
    device, net, _ = state.sides[number]
    waits = system.waits(net, system.awaited(device))
    for move in system.device_moves(device, waits):
        begun = _Begun(move.choice, move.actor, _costs(move), number)
        yield _of_device(system, state, begun, move)


def _by_net(system: Searchable, state: State, number: int) -> Iterator[Step | None]:
    side = state.sides[number]
    for carried in system.net_moves(side.net):
        after = _with_side(state, number, side._replace(net=carried.net))
        begun = _Begun(carried.choice, carried.actor, _costs(carried), number)
        if not carried.to:
            yield _finished(system, after, begun, ())
        elif carried.to == "service":
            served = system.service_hears(state.service, carried.message)
            yield _of_service(system, after, _joined(system, begun, served), served)
        else:
            is_taken = system.waits(carried.net, system.awaited(side.device)) >= TAKEN
            for heard in system.device_hears(side.device, carried.message, is_taken):
                yield _of_device(system, after, _joined(system, begun, heard), heard)


def _of_device(system: Searchable, state: State, begun: _Begun, move: DeviceMove) -> Step | None:
    assert begun.side is not None
    _, net, watched = state.sides[begun.side]
    if move.out or move.link:
        net = system.net_after(net, move.out, (), move.link)
    watched, broken = _watched(system, watched, move)
    return _finished(system, _with_side(state, begun.side, Side(move.device, net, watched)), begun, broken)


def _of_service(system: Searchable, state: State, begun: _Begun, move: ServiceMove) -> Step | None:
    broken: Sequence[Broken] = ()
    for number, side in enumerate(state.sides):
        down = tuple(message for message in move.out if system.side_of(message) == number)
        net = system.net_after(side.net, (), down, "") if down else side.net
        watched, broke = _watched(system, side.watched, move)
        state = _with_side(state, number, side._replace(net=net, watched=watched))
        broken = (*broken, *broke)
    return _finished(system, state._replace(service=move.service), begun, broken)


def _watched(
    system: Searchable, watched: Hashable, move: DeviceMove | ServiceMove
) -> tuple[Hashable, Sequence[Broken]]:
    heard = system.heard_of(move)
    return (watched, ()) if heard is None else system.watch(watched, heard)


def _joined(system: Searchable, begun: _Begun, heard: DeviceMove | ServiceMove) -> _Begun:
    kinds = (*begun.kinds, *_costs(heard))
    actor = heard.actor if heard.cost else begun.actor
    return begun._replace(choice=system.joined(begun.choice, heard.choice), actor=actor, kinds=kinds)


def _costs(move: DeviceMove | NetMove | ServiceMove) -> tuple[Kind, ...]:
    """Of a move alone, as `local_moves.py` has it."""
    kinds = (move.cost, getattr(move, "also", None))
    return tuple(kind for kind in kinds if kind is not None)


def _with_side(state: State, number: int, side: Side) -> State:
    return state._replace(sides=(*state.sides[:number], side, *state.sides[number + 1 :]))


def _finished(system: Searchable, state: State, begun: _Begun, broken: Sequence[Broken]) -> Step | None:
    """Paid for; None if it cannot be."""
    budgets = system.paid(state.budgets, begun.kinds)
    if budgets is None:
        return None
    state = _named(system, state._replace(budgets=budgets))
    if is_home(system, state):
        broken = (*broken, *(each for side in state.sides for each in system.at_rest(side.watched)))
    actor = begun.actor if begun.side is None or len(state.sides) == 1 else f"{begun.actor} {begun.side}"
    return Step(begun.choice, actor, begun.kinds, state, broken, begun.side)


def _named(system: Searchable, state: State) -> State:
    """With what was minted called as from now on."""
    sides, service = list[Side](), state.service
    for number, side in enumerate(state.sides):
        device, names = system.named_device(side.device)
        net, tokens = system.named_net(side.net, number, names)
        service = system.named_service(service, number, names)
        sides.append(Side(device, net, system.named_watched(side.watched, tokens)))
    return state._replace(sides=tuple(sides), service=service)
