"""A fleet of any size: devices that are alike are played once, and counted as often as there are of them.

What becomes of a device follows from its group, from its lot, which is all that is drawn for it (how long its steps
take, when its network and its power go, the jitter of its agent), and from what the service tells it when. Two devices
of one group with one lot have one fate, to the last digit. So of a fleet that is larger than `most`, each group has so
many lots only; the devices of a lot are neighbours in the group; the first of them plays, and stands for all.

    1,000,000 devices, 4 groups ──► 1,000 lots, 250 a group ──► 1,000 devices that play, each for 1,000

Everything is as it is in a smaller fleet from there on: the same engine plays, the trace has who played, its beginning
says for how many each stands, and the verdict counts by that. A run of all devices with those lots comes to the same
verdict, which a test holds it to. What the seed does not decide is decided by nothing else, so that it is the same on
every machine.

Lots are no samples: each number has as many values as its group has lots, the middles of equal parts of its
distribution, put together by chance. What one device in `most` has, some device has; what one in a hundred times
`most` has, nobody.

What devices share, the service counts by whom they stand for: the turns of a rollout, the records that a deletion
removes a second, the requests of a quota. There a device that plays stands about where the first of its lot would, and
the rest of the lot with it, who in truth come one after the other until the next one's turn: that is how fine such a
play is, and more of them make it finer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from agent.jitter import Jitter
from simulator.scenario import Differences, Group, Scenario, Spread, Timings
from simulator.scenario.whole import thing_name

MOST: Final = 1_000
"""So many devices play at most, unless somebody wants more."""


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
