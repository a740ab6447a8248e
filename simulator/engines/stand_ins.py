"""A fleet of any size: devices that are alike are played once, and counted as often as there are of them.

What becomes of a device follows from its group, from its lot, which is all that is drawn for it (how long its steps
take, when its network and its power go, the jitter of its agent), and from what the service tells it when. Two devices
of one group with one lot have one fate, to the last digit. So of a fleet that is larger than `most`, each group has so
many lots only; the devices of a lot are neighbours in the group; the first of them plays, and stands for all.

    1,000,000 devices, 4 groups ──► 10,000 lots, 2,500 a group ──► 10,000 devices that play, each for 100

Everything is as it is in a smaller fleet from there on: the same engine plays, the trace has who played, its beginning
says for how many each stands, and the verdict counts by that. A run of all devices with those lots comes to the same
verdict, which a test holds it to. What the seed does not decide is decided by nothing else, so that it is the same on
every machine.

Lots are no samples: each number has as many values as its group has lots, the middles of equal parts of its
distribution, put together by chance. What one device in `most` has, some device has; what one in a hundred times
`most` has, nobody.

More than `IN_A_SHARD` that play are dealt to shards, those of each group in turn:

    10,000 devices that play, each for 100 ──► 10 shards of 1,000, each of which is a sample of the whole fleet

A shard has a loop, a service and a judge of its own, so that several play at a time; when the operator does something
is one instant for all (see `simulator.engines.meeting`). How many there are follows from who plays, and from nothing
else.

What devices share, the service counts by whom they stand for: the turns of a rollout, the records that a deletion
removes a second, the requests of a quota. There a device that plays stands about where the first of its lot would, and
the rest of the lot with it, who in truth come one after the other until the next one's turn: that is how fine such a
play is, and more of them make it finer. A shard's service counts each as if those of the other shards were there, too:
as many times as the shard would have to be there to make the fleet. So a rollout that reaches 600 devices of the fleet
a minute reaches 60 of a tenth of it, and a quota is shared out alike.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, NamedTuple, Self

from agent.jitter import Jitter
from simulator.scenario import Differences, Group, Scenario, Spread, Timings
from simulator.scenario.whole import thing_name

LEAST: Final = 1_000
MOST: Final = 10_000
ONE_IN: Final = 100
"""Of a large fleet one device in so many plays, LEAST at least and MOST at most, unless somebody wants it otherwise."""
IN_A_SHARD: Final = 1_000
"""So many play in one shard at most."""


def who_play(devices: int) -> int:
    """How many of a fleet of that size play at most, unless somebody wants it otherwise."""
    return max(LEAST, min(devices // ONE_IN, MOST))


@dataclass(frozen=True, slots=True)
class Lot:
    """What is drawn for a device. `chance` names the sequence of whatever it draws by itself, of jitter for one."""

    chance: str
    timings: Timings
    cycle: "Cycle | None" = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """Awake for so long at the beginning of each interval; `begins` is where in it the device is at the start."""

    every_seconds: float
    awake_seconds: float
    begins: float


@dataclass(frozen=True, slots=True)
class Crew:
    """Who plays, in order, with group and lot; `stands_for` has how many devices one stands for, if that is not one."""

    things: tuple[tuple[str, Group], ...]
    lots: Mapping[str, Lot]
    stands_for: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, scenario: Scenario, devices: int, seed: int, most: int | None = None) -> Self:
        """For so many devices, of whom at most so many play; None: all of them."""
        seats = sorted(_seats(scenario, devices, seed, most), key=lambda seat: seat.number)
        return cls(
            tuple((seat.lot.chance, seat.group) for seat in seats),
            {seat.lot.chance: seat.lot for seat in seats},
            {seat.lot.chance: seat.devices for seat in seats if seat.devices > 1},
        )

    @property
    def devices(self) -> int:
        """How many there are, with those that are stood for."""
        return sum(self.stands_for.get(thing, 1) for thing, _ in self.things)

    @property
    def undivided(self) -> "Shard":
        """All of it in one."""
        return Shard(0, self, self.stands_for)

    def shards(self, most: int = IN_A_SHARD) -> "tuple[Shard, ...]":
        """The fleet in parts, of which each has so many that play, or a few more; a small one in one."""
        sizes = Counter(group.group for _, group in self.things)
        count = min(-(-len(self.things) // most), *sizes.values())
        if count < 2:
            return (self.undivided,)
        turns = dict(zip(sizes, accumulate(sizes.values(), initial=0), strict=False))
        dealt: tuple[list[tuple[str, Group]], ...] = tuple([] for _ in range(count))
        for thing, group in self.things:
            dealt[turns[group.group] % count].append((thing, group))
            turns[group.group] += 1
        return tuple(self._shard(number, tuple(things)) for number, things in enumerate(dealt))

    def _shard(self, number: int, things: tuple[tuple[str, Group], ...]) -> "Shard":
        names = [thing for thing, _ in things]
        crew = Crew(
            things,
            {name: self.lots[name] for name in names},
            {name: self.stands_for[name] for name in names if name in self.stands_for},
        )
        upto = accumulate(crew.stands_for.get(name, 1) for name in names)
        bounds = [0, *(each * self.devices // crew.devices for each in upto)]
        return Shard(number, crew, {name: to - of for name, of, to in zip(names, bounds, bounds[1:], strict=False)})


class Shard(NamedTuple):
    """A part of a fleet, and for how many of the whole fleet its service counts each that plays in it."""

    number: int
    crew: Crew
    counts_for: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Seat:
    """A device that plays: which one it is of the whole fleet, and for how many."""

    number: int
    group: Group
    lot: Lot
    devices: int


def _seats(scenario: Scenario, devices: int, seed: int, most: int | None) -> Iterator[_Seat]:
    groups = scenario.devices
    for index, group in enumerate(groups):
        members = range(index, devices, len(groups))
        count = len(members) if most is None else min(len(members), max(1, most // len(groups)))
        if not count:
            continue
        bounds = [-(-each * len(members) // count) for each in range(count + 1)]
        names = [thing_name(members[first], devices) for first in bounds[:-1]]
        for lot, first, last in zip(_lots(scenario, group, names, seed), bounds, bounds[1:], strict=False):
            yield _Seat(members[first], group, lot, last - first)


def _lots(scenario: Scenario, group: Group, names: Sequence[str], seed: int) -> Iterator[Lot]:
    """A lot for each of the devices of that group that are told apart."""
    wanted, count = scenario.differences, len(names)
    drawn = {name: _dealt(spread, count, f"{seed}/{group.group}/{name}") for name, spread in _spreads(wanted)}
    phases = Jitter(f"{seed}/{group.group}/duty_cycle")
    for number, chance in enumerate(names):
        mine = {name: values[number] for name, values in drawn.items()}
        cycle = None
        if wanted.duty_cycle is not None:
            every, awake = mine.pop("duty_cycle.every_seconds"), mine.pop("duty_cycle.awake_seconds")
            cycle = Cycle(every, awake, phases.random() * every)
        if wanted.image_megabytes is not None:
            mine["download"] = 8 * wanted.image_megabytes / mine.pop("megabits_per_second")
        yield Lot(chance, scenario.hardware.model_copy(update=mine) if mine else scenario.hardware, cycle)


def _spreads(differences: Differences) -> Iterator[tuple[str, Spread]]:
    """What is drawn once for each device."""
    yield from differences.hardware.items()
    if differences.megabits_per_second is not None:
        yield "megabits_per_second", differences.megabits_per_second
    if differences.duty_cycle is not None:
        yield "duty_cycle.every_seconds", differences.duty_cycle.every_seconds
        yield "duty_cycle.awake_seconds", differences.duty_cycle.awake_seconds


def _dealt(spread: Spread, count: int, seed: str) -> list[float]:
    """The middles of so many equal parts of it, shuffled."""
    values = [spread.at((number + 0.5) / count) for number in range(count)]
    chance = Jitter(seed)
    for last in range(count - 1, 0, -1):
        other = int(chance.random() * (last + 1))
        values[last], values[other] = values[other], values[last]
    return values
