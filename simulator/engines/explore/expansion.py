"""All moves of many states at once, by table: what `plain.py` does for one state, for whole arrays of them.

Three sorts of move begin here: the service's own, a device's own, and the net's, which may go on to be heard by the
service or a device. Each is a look-up of what the part does, then of what that makes of the nets and of what is
watched.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore import packing
from simulator.engines.explore.index import Numbers, Words
from simulator.engines.explore.local_moves import (
    AFTER,
    COST,
    DEVICE,
    HEARD,
    LABEL,
    LINK,
    MESSAGE,
    NAMES,
    NO_SIDE,
    NOBODY,
    OUT,
    RECIPIENT,
    SERVICE,
    LocalMoves,
)
from simulator.engines.explore.packing import SideNumbers
from simulator.engines.explore.searchable import TAKEN, Searchable, Side, State
from simulator.engines.explore.standing import Flags, Standing, all_home, none_home, note
from simulator.engines.explore.tables import Table


class Moves(NamedTuple):
    """Transitions: where each begins (a position), where it leads, its label, and what it breaks (0: nothing)."""

    source: Numbers
    words: tuple[Words, ...]
    label: Numbers
    broken: Numbers

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> "Moves":
        """Some of them, in that order."""
        words = tuple(word[which] for word in self.words)
        return Moves(self.source[which], words, self.label[which], self.broken[which])

    @staticmethod
    def all_of(found: "list[Moves]") -> "Moves":
        """One after the other."""
        source, label, broken = (
            np.concatenate([getattr(moves, field) for moves in found]) for field in ("source", "label", "broken")
        )
        words = zip(*(moves.words for moves in found), strict=True)
        return Moves(source, tuple(map(np.concatenate, words)), label, broken)


class _States(NamedTuple):
    """States as the numbers of their parts."""

    sides: tuple[SideNumbers, ...]
    service: Numbers
    budgets: Numbers


class _Begun(NamedTuple):
    """Moves that are begun: from which states, how the nets and the budgets now are, and the label so far (if any)."""

    source: Numbers
    nets: tuple[Numbers, ...]
    budgets: Numbers
    label: Numbers | None

    def take(self, which: Numbers) -> "_Begun":
        nets = tuple(net[which] for net in self.nets)
        label = None if self.label is None else self.label[which]
        return _Begun(self.source[which], nets, self.budgets[which], label)


class _SideAfter(NamedTuple):
    """A side after a move: its device, what that called its own, its net and what is watched of it."""

    device: Numbers
    names: Numbers
    net: Numbers
    watched: Numbers


class Expansion:
    """States become words, and words the words of all states that may come next."""

    def __init__(self, system: Searchable) -> None:
        self.known = LocalMoves(system)

    # ── states ────────────────────────────────────────────────────────────────────────────────────────────────────

    def words(self, state: State) -> tuple[Words, ...]:
        """One state, as arrays of length 1."""
        known = self.known
        sides = [
            (known.devices.number(side.device), known.nets.number(side.net), known.watched.number(side.watched))
            for side in state.sides
        ]
        shared = known.services.number(state.service), known.budgets.number(state.budgets)
        packed = [packing.side_word(*(np.array([number]) for number in side)) for side in sides]
        return (*packed, packing.shared_word(*(np.array([number]) for number in shared)))

    def state(self, words: Iterable[int]) -> State:
        """The state of one row of words."""
        known, unpacked = self.known, _unpacked(tuple(np.array([word], np.uint64) for word in words))
        sides = tuple(
            Side(known.devices[int(side.device[0])], known.nets[int(side.net[0])], known.watched[int(side.watched[0])])
            for side in unpacked.sides
        )
        return State(sides, known.services[int(unpacked.service[0])], known.budgets[int(unpacked.budgets[0])])

    def all_home(self, words: tuple[Words, ...]) -> Flags:
        """In which states all devices are home."""
        return all_home(self.standing(words), self.known.side_count)

    def standing(self, words: tuple[Words, ...]) -> Standing:
        """How the devices of each state stand."""
        states = _unpacked(words)
        standing = none_home(len(states.service))
        for number, side in enumerate(states.sides):
            asked = np.flatnonzero(self.known.homely.values[side.device])
            here = self.known.home.answer(side.device[asked], side.net[asked], states.service[asked])
            note(standing, number, asked, here)
        return standing

    def phases(self, words: tuple[Words, ...]) -> Numbers:
        """The phase of the first device, a number of `known.phases`."""
        phases: Numbers = self.known.phase.values[packing.side_numbers(words[0]).device]
        return phases

    # ── moves ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def moves(self, words: tuple[Words, ...]) -> Moves:
        """Every move of every state, in no order that means anything."""
        states = _unpacked(words)
        found = [self._by_service(states)]
        for number in range(len(states.sides)):
            found.append(self._by_device(states, number))
            found += self._by_net(states, number)
        return self._at_rest(Moves.all_of(found))

    def _at_rest(self, moves: Moves) -> Moves:
        """With what breaks because a move leads home, where nothing more may ever happen."""
        home = np.flatnonzero(self.all_home(moves.words))
        for word in moves.words[:-1]:
            broke = self.known.at_rest.answer(packing.side_numbers(word[home]).watched)
            moves.broken[home] = self._both(moves.broken[home], broke)
        return moves

    def _by_service(self, states: _States) -> Moves:
        source, entry = self.known.service_moves.expand(states.service)
        begun = _Begun(source, tuple(side.net[source] for side in states.sides), states.budgets[source], None)
        return self._of_service(states, begun, self.known.service_moves, entry, NO_SIDE)

    def _by_device(self, states: _States, number: int) -> Moves:
        known, side = self.known, states.sides[number]
        waits = known.waits.answer(side.net, known.awaited.values[side.device])
        source, entry = known.device_moves.expand(side.device, waits)
        begun = _Begun(source, tuple(each.net[source] for each in states.sides), states.budgets[source], None)
        return self._of_device(states, begun, known.device_moves, entry, number)

    def _by_net(self, states: _States, number: int) -> Iterator[Moves]:
        known, table = self.known, self.known.net_moves
        source, entry = table.expand(states.sides[number].net, known.affordable(states.budgets))
        nets = tuple(table[AFTER][entry] if at == number else side.net[source] for at, side in enumerate(states.sides))
        begun = _Begun(source, nets, self._paid(states.budgets[source], table[COST][entry]), table[LABEL][entry])
        affordable = begun.budgets >= 0
        to, message = table[RECIPIENT][entry], table[MESSAGE][entry]
        yield self._of_net(states, begun.take(np.flatnonzero(affordable & (to == NOBODY))), number)
        served = np.flatnonzero(affordable & (to == SERVICE))
        entry = known.served.entry(states.service[source[served]], message[served])
        yield self._of_service(states, begun.take(served), known.served, entry, number)
        heard = np.flatnonzero(affordable & (to == DEVICE))
        device = states.sides[number].device[source[heard]]
        waits = known.waits.answer(begun.nets[number][heard], known.awaited.values[device])
        which, entry = known.heard.expand(device, message[heard], (waits >= TAKEN).astype(np.int64))
        yield self._of_device(states, begun.take(heard[which]), known.heard, entry, number)

    # ── what comes of them ────────────────────────────────────────────────────────────────────────────────────────

    def _of_net(self, states: _States, begun: _Begun, number: int) -> Moves:
        assert begun.label is not None
        source = begun.source
        sides = [
            self._still(side.device[source], net, side.watched[source])
            for side, net in zip(states.sides, begun.nets, strict=True)
        ]
        words = self._named(sides, states.service[source], begun.budgets)
        label = self._full(begun.label, states, source, number)
        return Moves(source, words, label, np.zeros(len(label), np.int64))

    def _of_device(self, states: _States, begun: _Begun, table: Table, entry: Numbers, number: int) -> Moves:
        """What it sends goes up, and its watchers are told."""
        begun, entry = self._pay(begun, table, entry)
        source, nothing = begun.source, np.zeros(len(entry), np.int64)
        sides, broken = list[_SideAfter](), nothing
        for at, (side, net) in enumerate(zip(states.sides, begun.nets, strict=True)):
            watched = side.watched[source]
            if at == number:
                net = self._net_after(net, table[OUT][entry], nothing, table[LINK][entry])
                watched, broken = self._watched_after(watched, table[HEARD][entry])
                sides.append(_SideAfter(table[AFTER][entry], table[NAMES][entry], net, watched))
            else:
                sides.append(self._still(side.device[source], net, watched))
        words = self._named(sides, states.service[source], begun.budgets)
        return Moves(source, words, self._label(states, begun, table, entry, number), broken)

    def _of_service(self, states: _States, begun: _Begun, table: Table, entry: Numbers, number: int) -> Moves:
        """What it sends goes down to each side, and each side's watchers are told."""
        begun, entry = self._pay(begun, table, entry)
        source, nothing = begun.source, np.zeros(len(entry), np.int64)
        sides, broken = list[_SideAfter](), nothing
        for at, (side, net) in enumerate(zip(states.sides, begun.nets, strict=True)):
            net = self._net_after(net, nothing, table[OUT + at][entry], nothing)
            watched, broke = self._watched_after(side.watched[source], table[HEARD][entry])
            broken = self._both(broken, broke)
            sides.append(self._still(side.device[source], net, watched))
        words = self._named(sides, table[AFTER][entry], begun.budgets)
        return Moves(source, words, self._label(states, begun, table, entry, number), broken)

    def _still(self, device: Numbers, net: Numbers, watched: Numbers) -> "_SideAfter":
        """A side whose device has not moved."""
        return _SideAfter(device, self.known.names_of.values[device], net, watched)

    def _pay(self, begun: _Begun, table: Table, entry: Numbers) -> tuple[_Begun, Numbers]:
        """Those that can be paid for."""
        begun = begun._replace(budgets=self._paid(begun.budgets, table[COST][entry]))
        affordable = np.flatnonzero(begun.budgets >= 0)
        return (begun, entry) if len(affordable) == len(entry) else (begun.take(affordable), entry[affordable])

    def _paid(self, budgets: Numbers, cost: Numbers) -> Numbers:
        """What is left; -1 if nothing of the kind was."""
        paid, costly = budgets.copy(), np.flatnonzero(cost)
        paid[costly] = self.known.paid.answer(budgets[costly], cost[costly])
        return paid

    def _net_after(self, net: Numbers, up: Numbers, down: Numbers, link: Numbers) -> Numbers:
        changed = np.flatnonzero(up | down | link)
        after = net.copy()
        after[changed] = self.known.nets_after.answer(net[changed], up[changed], down[changed], link[changed])
        return after

    def _named(self, sides: "list[_SideAfter]", service: Numbers, budgets: Numbers) -> tuple[Words, ...]:
        """The words, with what was minted called as from now on."""
        known, words = self.known, list[Words]()
        for at, (device, names, net, watched) in enumerate(sides):
            which = np.full(len(device), at)
            entry = known.named_nets.entry(net, which, names)
            net, tokens = known.named_nets[0][entry], known.named_nets[1][entry]
            service = known.named_services.answer(service, which, names)
            changed = np.flatnonzero(known.tokens_of.values[watched] & ~known.unchanged.values[tokens])
            if len(changed):
                watched = watched.copy()
                watched[changed] = known.named_watched.answer(watched[changed], tokens[changed])
            words.append(packing.side_word(device, net, watched))
        return *words, packing.shared_word(service, budgets)

    def _watched_after(self, watched: Numbers, heard: Numbers) -> tuple[Numbers, Numbers]:
        told = np.flatnonzero(heard)
        after, broken = watched.copy(), np.zeros(len(watched), np.int64)
        table = self.known.watched_after
        entry = table.entry(watched[told], heard[told])
        after[told], broken[told] = table[0][entry], table[1][entry]
        return after, broken

    def _both(self, one: Numbers, other: Numbers) -> Numbers:
        """What breaks at one side, and at another."""
        both = np.maximum(one, other)
        several = np.flatnonzero((one > 0) & (other > 0))
        if len(several):
            both[several] = self.known.both_broken.answer(one[several], other[several])
        return both

    def _label(self, states: _States, begun: _Begun, table: Table, entry: Numbers, number: int) -> Numbers:
        label = table[LABEL][entry]
        if begun.label is not None:
            label = self.known.joined.answer(begun.label, label)
        return self._full(label, states, begun.source, number)

    def _full(self, label: Numbers, states: _States, source: Numbers, number: int) -> Numbers:
        """With the phase in which it was paid for; what nobody's side does is told of the first device's."""
        known = self.known
        which = np.flatnonzero(known.costly.values[label]) if known.side_count == 1 else np.arange(len(label))
        phase = known.phase.values[states.sides[0 if number == NO_SIDE else number].device[source[which]]]
        phase = np.where(known.costly.values[label[which]], phase, 0)
        full = label.copy()
        full[which] = known.full_labels.answer(label[which], phase, np.full(len(which), number))
        return full


def _unpacked(words: tuple[Words, ...]) -> _States:
    service, budgets = packing.shared_numbers(words[-1])
    return _States(tuple(packing.side_numbers(word) for word in words[:-1]), service, budgets)
