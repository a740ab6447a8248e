"""The judge: the monitors of all devices, fed entry by entry in any order that keeps each source's own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Final, TypeAlias, TypeVar, cast

from pydantic import ValidationError

from agent.errors import InputError
from agent.wording import first_wrong
from simulator.trace import (
    CLOUD,
    ENGINE,
    PROBE,
    ClientSubscribed,
    DeletionRefused,
    DeviceJoined,
    Entry,
    FaultStruck,
    JobDeletionBegan,
    PowerCutOff,
    ProcessEnded,
    ProcessStalled,
    RequestReceived,
    RunEnded,
    RunStarted,
    device_source,
)
from simulator.verdict.bounds import Bounds
from simulator.verdict.case import Case, Watching
from simulator.verdict.clients import Clients
from simulator.verdict.clocks import SAME_CLOCK, Offset, common
from simulator.verdict.findings import Course, Finding, Invariant, Subject
from simulator.verdict.invariants import INVARIANTS
from simulator.verdict.judged import Judged, Kept
from simulator.verdict.limits import Limits
from simulator.verdict.model import (
    Doubt,
    InvariantVerdict,
    PlaceToReach,
    Reached,
    Verdict,
    Violation,
)
from simulator.verdict.outcome import Arrivals, Recovered
from simulator.verdict.peak import Peak, TimedPeak
from simulator.verdict.places import last_seen_of, lost_power, refused
from simulator.verdict.samples import POWER
from simulator.verdict.seen import UNJUDGED, Seen, seen_in
from simulator.verdict.sharing import CONNECTIONS, Rest, Share
from simulator.verdict.stalls import Lag
from simulator.verdict.tally import Tally
from simulator.verdict.whereabouts import reads_for

Found = TypeVar("Found", Violation, Doubt)
Devices: TypeAlias = Mapping[str, Sequence[Judged | Kept]]
"""The clients of each device, first the one that it is itself."""

EARLY: Final = 100_000
"""So many entries may come before the run's beginning, without which none can be judged; then no more are kept."""
CUTS: Final = 64
"""So many power cuts of a thing are remembered."""


ABOUT_THE_RUN: Final = frozenset(
    {RunEnded, DeletionRefused, DeviceJoined, JobDeletionBegan, ProcessStalled, PowerCutOff}
)
NOBODYS_PLACES: Final = frozenset({"deletion-refused", "fault-struck"})
"""Which are reached by what befalls a device, and not by what it does."""
DEVICE: Final = device_source("")


class Judge:
    """Takes in a trace and says, at any time, what held so far; it holds no entry.

    `skip` leaves out the invariants of these ids. `of_many`: what others see of the same fleet will be added to it, for
    which it remembers when requests came. Raises InputError for an id that does not exist.
    """

    def __init__(self, skip: frozenset[str] = frozenset(), *, of_many: bool = False) -> None:
        if unknown := sorted(skip - {invariant.id for invariant in INVARIANTS}):
            known = ", ".join(invariant.id for invariant in INVARIANTS)
            raise InputError(f"skip: no invariant '{unknown[0]}'; there are {known}")
        self._invariants = tuple(invariant for invariant in INVARIANTS if invariant.id not in skip)
        self._watching = Watching.by(self._invariants)
        self._started: Seen[RunStarted] | None = None
        self._ended: Seen[RunEnded] | None = None
        self._fault: InputError | None = None
        self._bounds = Bounds()
        self._places: tuple[PlaceToReach, ...] = ()
        self._placed: tuple[tuple[PlaceToReach, frozenset[str]], ...] = ()
        """The same, each with its things to look one up in: of ten thousand, each is asked for in each place."""
        self._early: list[Entry] = []
        self._devices: dict[str, Case] = {}
        self._shares: dict[str, dict[str, Share]] = {}
        self._stands_for: Mapping[str, int] = {}
        self._agents: frozenset[str] = frozenset()
        self._jobs: frozenset[str] = frozenset()
        self._rests: dict[str, Rest] = {}
        self._clients: Clients | None = None
        self._refusals: dict[tuple[str, bool], DeletionRefused] = {}
        self._strikes: dict[tuple[str, str], str] = {}
        self._cuts: dict[str, tuple[PowerCutOff, ...]] = {}
        self._cloud_end = 0
        self._lag = Lag()
        self._rate = TimedPeak() if of_many else Peak()

    def fork(self) -> "Judge":
        """A judge that has seen the same; what either is fed from now on is nothing to the other."""
        twin = copy(self)
        twin._early = list(self._early)
        twin._devices = {thing: device.twin() for thing, device in self._devices.items()}
        twin._shares = {thing: dict(shares) for thing, shares in self._shares.items()}
        twin._rests = dict(self._rests)
        twin._clients = None if self._clients is None else self._clients.fork()
        twin._refusals = dict(self._refusals)
        twin._strikes, twin._cuts = dict(self._strikes), dict(self._cuts)
        twin._rate = self._rate.fork()
        return twin

    def feed(self, entry: Entry) -> None:
        """Take in the next entry."""
        kind = type(entry.event)
        if isinstance(entry.event, FaultStruck):
            self._struck(entry.id, entry.event)
        if kind in UNJUDGED and kind is not ClientSubscribed:
            return
        if self._started is not None:
            self._take_in(entry)
        elif kind is RunStarted:
            self._begin(seen_in(entry))
        elif len(self._early) < EARLY:
            self._early.append(entry)

    def _struck(self, entry_id: str, strike: FaultStruck) -> None:
        self._strikes[strike.thing, strike.fault] = entry_id
        device = self._devices.get(strike.thing)
        if device is not None and device.limits.is_foreign:
            device.record.occasions.strikes(strike)

    def _begin(self, started: Seen[RunStarted]) -> None:
        event = started.event
        self._started = started
        try:
            self._bounds, self._places = _expected(event)
        except InputError as error:
            self._fault = error
            return
        self._placed = tuple((place, frozenset(place.things)) for place in self._places)
        for thing in event.things:
            self._devices[thing] = self._new(thing, event)
        self._stands_for = event.stands_for
        self._agents, self._jobs = frozenset(event.shared), frozenset(event.jobs)
        self._clients = Clients(event.things) if event.are_foreign else None
        for agent, (thing, namespace_id) in event.shared.items():
            self._shares.setdefault(thing, {})[agent] = Share(namespace_id)
        early, self._early = self._early, []
        for entry in early:
            self._take_in(entry)

    def _new(self, thing: str, started: RunStarted, like: str = "") -> Case:
        places = [place for place, things in self._placed if thing in things]
        limits = Limits.of(like or thing, started, self._bounds)._replace(
            jobs=frozenset(place.job for place in places), reads=reads_for(place.place for place in places)
        )
        case = Case.new(thing, limits, self._watching)
        if started.tells_presence:
            case.record.untold = None
        return case

    def _take_in(self, entry: Entry) -> None:
        seen = seen_in(entry)
        source, event = entry.source, entry.event
        kind = type(event)
        if kind in ABOUT_THE_RUN:
            self._note(seen)
        if source == CLOUD:
            self._cloud_end = at = seen.mark.at
            if kind is RequestReceived:
                self._rate.count(at, self._stands_for.get(getattr(event, "thing", ""), 1))
            if self._clients is not None:
                for about, told in self._clients.told(seen):
                    self._take_in_cloud(about, told)
            elif (thing := getattr(event, "thing", None)) is not None and kind is not ClientSubscribed:
                self._take_in_cloud(thing, seen)
        elif source.startswith(DEVICE) and (device := self._devices.get(source[len(DEVICE) :])) is not None:
            device.told(seen, self._watching)
        elif (device := self._devices.get(getattr(event, "thing", ""))) is not None:
            if source == PROBE:
                device.samples.sampled(seen)
            elif source == ENGINE and kind is ProcessEnded:
                device.samples.ended(seen)
            elif source == ENGINE and kind in POWER:
                device.samples.powered(seen)

    def _note(
        self, seen: Seen[RunEnded | DeletionRefused | DeviceJoined | JobDeletionBegan | ProcessStalled | PowerCutOff]
    ) -> None:
        match seen.event:
            case DeviceJoined(thing=thing, like=like):
                if thing not in self._devices and self._started is not None:
                    self._devices[thing] = self._new(thing, self._started.event, like)
            case RunEnded():
                self._ended = self._ended or cast("Seen[RunEnded]", seen)
            case DeletionRefused() as refusal:
                self._refusals[refusal.job_id, refusal.retry] = refusal
            case JobDeletionBegan(job_id=job_id):
                for device in self._devices.values():
                    if device.limits.is_foreign:
                        device.record.deletes(job_id)
            case PowerCutOff(thing=thing) as cut:
                self._cuts[thing] = (*self._cuts.get(thing, ()), cut)[-CUTS:]
            case ProcessStalled():
                self._lag = self._lag.after(cast("Seen[ProcessStalled]", seen))

    def _take_in_cloud(self, thing: str, seen: Seen[Any]) -> None:
        if self._jobs:
            self._rests[thing], rest = self._rests.get(thing, Rest()).of(seen, self._jobs)
            if rest is None:
                return
            seen = rest
        shares = self._shares.get(thing, {}) if self._shares else {}
        for agent, share in shares.items():
            shares[agent], shared = share.of(seen)
            if shared is not None and (device := self._devices.get(agent)) is not None:
                device.at_cloud(shared, self._watching, self._lag.cloud)
        if (device := self._devices.get(thing)) is None:
            return
        if thing not in self._agents or isinstance(seen.event, CONNECTIONS):
            device.at_cloud(seen, self._watching, self._lag.cloud)

    @property
    def has_begun(self) -> bool:
        """Whether it was fed the beginning of a run, without which there is nothing to judge."""
        return self._started is not None

    def verdict(self, found: Mapping[str, Sequence[Kept]] | None = None) -> Verdict:
        """What held so far, or by what was `found` of each device.

        Raises InputError for a trace without a run, or with bounds that are none.
        """
        return self.tally(found).verdict

    def tally(self, found: Mapping[str, Sequence[Kept]] | None = None) -> Tally:
        """What that verdict is made of. Raises InputError."""
        if self._started is None:
            raise InputError("trace: no run.started entry, so what was expected is not known; is the file complete?")
        if self._fault is not None:
            raise self._fault
        judged: Devices = self._judged(self._started.event) if found is None else found
        recovered, took = self._recovered(judged)
        return Tally(
            self._started,
            self._ended,
            self._lag,
            devices=self._count(judged),
            invariants=tuple(self._judge(invariant, judged) for invariant in self._invariants),
            arrivals=tuple(self._arrivals(place, judged) for place in self._places),
            recovered=recovered,
            took=took,
            rate=self._rate,
        )

    def _judged(self, started: RunStarted) -> dict[str, list[Judged]]:
        """The clients of each thing, first the one that the thing itself is."""
        course = Course(self._bounds, self._ended is not None, self._cloud_end, self._lag)
        devices = {thing: case.at_last(self._watching, self._lag.cloud) for thing, case in self._devices.items()}
        told = (device.own.testimony.offset for device in devices.values() if device.has_told)
        clock = common(told) if started.one_clock else None
        return {thing: list(self._watched(thing, device, clock, course)) for thing, device in devices.items()}

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that are judged; none before the run has begun."""
        return tuple(self._devices)

    def places_of(self, device: str) -> tuple[PlaceToReach, ...]:
        """The places that it is to reach by itself."""
        return tuple(each for each in self._places if each.place not in NOBODYS_PLACES and device in each.things)

    def clock(self) -> Offset | None:
        """How far the one clock of all devices is off, by what is known now; None if each has its own."""
        if self._started is None or not self._started.event.one_clock:
            return None
        return common(each.own.testimony.offset for each in self._devices.values() if each.has_told)

    def look_at(self, device: str, clock: Offset | None) -> Iterator[Judged]:
        """The clients of one device as they stand now, first the one that it is itself."""
        course = Course(self._bounds, self._ended is not None, self._cloud_end, self._lag)
        case = self._devices[device].at_last(self._watching, self._lag.cloud)
        return self._watched(device, case, clock, course)

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """By which it judges."""
        return self._invariants

    def _watched(self, thing: str, device: Case, clock: Offset | None, course: Course) -> Iterator[Judged]:
        for watch, monitors in device.watched(self._watching):
            testimony = watch.testimony
            offset = SAME_CLOCK if testimony.is_wire else testimony.offset.agreed if clock is None else clock
            subject = Subject(thing, testimony, device.record, device.limits, offset, course)
            is_probed = watch is device.followers[0].watch if device.followers and not device.has_told else False
            samples = device.samples if is_probed and (device.samples.stretches or device.samples.crashes) else None
            yield Judged(watch, monitors, subject, samples)

    def _arrivals(self, place: PlaceToReach, judged: Devices) -> Arrivals:
        if place.place == "deletion-refused":
            missing = () if refused(place, self._refusals.values()) else place.things
        elif place.place == "fault-struck":
            missing = tuple(name for name in place.things if (_thing(name), place.fault) not in self._strikes)
        elif place.place == "power-lost-in" and self._cuts:
            missing = tuple(name for name in place.things if not lost_power(place, self._cuts.get(name, ())))
        else:
            missing = tuple(name for name in place.things if name not in judged or not judged[name][0].is_at(place))
        of = self._count(place.things)
        there = Reached(id=place.id, devices=of - self._count(missing), of=of)
        first = next(iter(missing), None)
        shown_by = last_seen_of(place.job, judged[first][0].subject) if first is not None and first in judged else None
        return Arrivals(place, there, first, shown_by)

    def _judge(self, invariant: Invariant, judged: Devices) -> InvariantVerdict:
        """One invariant over all devices; what is shown besides a device counts where that shows no violation."""
        opportunities = 0
        violations: list[Violation] = []
        doubts: list[Doubt] = []
        for thing, (device, *others) in judged.items():
            count = self._count((thing,))
            held, findings = device.ruling(invariant)
            opportunities += count * (held + len(findings))
            shown = [_of(Violation, thing, count, finding) for finding in findings if finding.outcome == "violated"]
            doubts += (_of(Doubt, thing, count, finding) for finding in findings if finding.outcome == "undecided")
            if invariant.of_requests and not shown:
                found = (finding for other in others for finding in other.ruling(invariant).findings)
                shown = [_of(Violation, thing, count, finding) for finding in found if finding.outcome == "violated"]
                opportunities += count * len(shown)
            violations += shown
        return InvariantVerdict.of(invariant.id, opportunities, tuple(violations), tuple(doubts))

    def _recovered(self, judged: Devices) -> tuple[Recovered, dict[float, int]]:
        """How many devices took the next job each time that one was removed under them, of those of which one was
        while there was a next; and how often it took how many seconds.
        """
        had_to, did, seconds = 0, 0, dict[float, int]()
        for thing, (device, *_) in judged.items():
            count = self._count((thing,))
            present = device.subject.record.present
            for each in present.seconds:
                seconds[each] = seconds.get(each, 0) + count
            exercised = [each for each in present.recoveries if each.is_exercised]
            had_to += count * bool(present.seconds or exercised)
            did += count * (bool(present.seconds) and all(each.resumed is not None for each in exercised))
        return Recovered(had_to, did), seconds

    def _count(self, names: Iterable[str]) -> int:
        """How many devices these are, with those that they stand for."""
        return sum(self._stands_for.get(_thing(name), 1) for name in names)


def _thing(name: str) -> str:
    """The thing that an agent of that name lives on."""
    return name.partition("@")[0]


def _expected(started: RunStarted) -> tuple[Bounds, tuple[PlaceToReach, ...]]:
    """Bounds and places of a run; what a newer version may have added to them is ignored."""
    known: dict[str, Any] = {name: value for name, value in started.bounds.items() if name in Bounds.model_fields}
    try:
        return (
            Bounds.model_validate(known),
            tuple(PlaceToReach.model_validate(place) for place in started.must_reach),
        )
    except ValidationError as error:
        raise InputError(f"trace: run.started: {first_wrong(error)}") from None


def _of(kind: type[Found], thing: str, stands_for: int, finding: Finding) -> Found:
    return kind(thing=thing, job=finding.job, message=finding.message, events=finding.events, stands_for=stands_for)
