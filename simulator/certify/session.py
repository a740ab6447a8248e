"""A session: meet the device, learn how it does an undisturbed job, play the cells, and say what came of it.

    meet          it has come by, and has done one job: from here on it is known how it works
    play          one cell of the matrix; afterwards the device is back at a baseline, or found bricked
    certificate   what is known, at any time: also after an interruption

All that the wire and the probes show passes the wiretap. A cell is a scenario, played by the engine that plays all
others and judged by the same monitors (see `simulator.certify.matrix` for what the cells are).
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agent.errors import GhostjobError, InputError
from simulator.certify.absence import Absence
from simulator.certify.arrival import Arrival
from simulator.certify.at_first_job import AtFirstJob
from simulator.certify.baseline import Baseline
from simulator.certify.certificate import Afterwards, Bricked, CellResult, Certificate, NotMet, certificate_of
from simulator.certify.device import Device
from simulator.certify.evidence import last_seen
from simulator.certify.learning import Learned, NotLearned
from simulator.certify.lost_probes import LostProbes
from simulator.certify.matrix import Cell, Names, Need, undisturbed
from simulator.certify.means import Means
from simulator.certify.moments import Moments
from simulator.certify.one_play import DevicePlays, Played, in_words, nobody
from simulator.certify.output import PLAYS
from simulator.certify.probes import Sample
from simulator.certify.relearning import learned_anew
from simulator.certify.result import cell_result, not_played
from simulator.certify.result import not_applicable as not_for
from simulator.certify.telling import Telling
from simulator.trace import Entry, PowerCutOff, Sink
from simulator.verdict import SEEN_FROM_THE_WIRE, SEEN_WITH_A_PROBE

SAY_SECONDS: Final = 0.5
"""How often it is looked whether there is something new to say of a device that is waited for."""
ONCE_MORE: Final = "-once-more"
"""What follows the id of a cell that is played anew, since the device had changed how it works."""
MOST_ARRIVING: Final = 10_000
"""Entries before the first job that are remembered, for what the device does when it comes."""


class DeviceUnmet(GhostjobError):  # noqa: N818 - an outcome, no fault
    """The device did not come, or did not do its first job: nothing can be said of how it bears a deletion."""

    def __init__(self, unmet: NotMet) -> None:
        super().__init__(unmet.why)
        self.unmet = unmet


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a session waits, in seconds: for the device to come by, and for its first job to be done."""

    coming: float = 120.0
    first_job: float = 600.0


@dataclass(frozen=True, slots=True)
class Given:
    """What a session was given, as its certificate has it, for whoever plays a cell again."""

    probes: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    seed: int = 0


PATIENCE: Final = Patience()
NOTHING_REQUIRED: Final[Mapping[str, float]] = MappingProxyType({})


class Session:
    """With the device at the desk of `means`, by what they allow. `out` is where plays are kept; None: nowhere.

    `also` gets every entry of each play.
    """

    def __init__(
        self,
        means: Means,
        device: Device,
        names: Names,
        telling: Telling,
        *,
        moments: Moments,
        given: Given = Given(),
        required: Mapping[str, float] = NOTHING_REQUIRED,
        out: Path | None = None,
        patience: Patience = PATIENCE,
        also: Sink = nobody,
    ) -> None:
        self._means = means
        self._desk, self._wiretap, self._sampling = means.desk, means.wiretap, means.sampling
        self._device = device
        self._names = names
        self._telling = telling
        self._lost_probes = LostProbes(means.sampling, telling.waits)
        self._moments = moments
        self._given = given
        self._required = tuple(sorted(required.items()))
        self._patience = patience
        self._began = time.monotonic()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._out = out
        self._plays = DevicePlays(means, device, names, given.seed, out and out / PLAYS, telling.waits, also)
        self._learned: Learned | None = None
        self._unmet: NotMet | None = None
        self._results: dict[str, list[CellResult]] = {}
        """By cell, which may be played more than once: what failed is not unsaid by another try."""
        self._bricked: Bricked | None = None
        self._out_of_sight: str | None = None
        """Why nothing more can be found out about it, though nothing is known to be wrong with it."""

    # ── before the cells ──────────────────────────────────────────────────────────────────────────────────────

    async def meet(self) -> Learned:
        """Wait for the device, and have it do one job. Raises DeviceUnmet, InputError."""
        arriving: list[Entry] = []

        def keep(entry: Entry) -> None:
            if len(arriving) < MOST_ARRIVING:
                arriving.append(entry)

        leave = self._wiretap.join(keep)
        try:
            await self._device.start()
            if self._means.sees_requests:
                await self._arrived()
                learned = await self._first_job(arriving)
            else:
                learned = await self._unless_it_died(self._first_job(arriving))
        except DeviceUnmet as why:
            self._unmet = why.unmet
            raise
        finally:
            leave()
        learned = self._learned = replace(learned, required=self._required)
        self._telling.learned(learned)
        if self._sampling is not None:
            self._telling.waits(f"after its first job the probes were asked: {self._by_probes(self._sampling.last)}")
        self._lost_probes.look()
        return learned

    def _by_probes(self, sample: Sample) -> str:
        """What they show, and what is not judged if that is too little."""
        shown = in_words(sample)
        if self._plays.runs is not None:
            return shown
        if sample.version is not None:
            shown += ", which is not what a job brought"
        return f"{shown}: {'which version runs is' if sample.alive else 'what is inside of it is'} not judged"

    @property
    def is_met(self) -> bool:
        """Whether it is known how the device works."""
        return self._learned is not None

    @property
    def telling(self) -> Telling:
        """Who is told."""
        return self._telling

    async def _arrived(self) -> None:
        """Wait until the device has come by; meanwhile it is said what was seen of it."""
        arrival, came = Arrival(self._desk.offer), asyncio.Event()

        def feed(entry: Entry) -> None:
            arrival.feed(entry)
            if arrival.is_there:
                came.set()

        for entry in self._desk.standing():
            feed(entry)
        if not came.is_set():
            self._telling.waits(f"is waited for up to {self._patience.coming:g} s")
        leave = self._wiretap.join(feed)
        try:
            async with asyncio.timeout(self._patience.coming):
                while not came.is_set():
                    self._telling.waits(arrival.wrong() or arrival.says())
                    if (died := self._device.died()) is not None:
                        raise _unmet(f"the device's process ended before it came by: {died}")
                    await _set_within(came, SAY_SECONDS)
        except TimeoutError:
            seen = arrival.trouble() or arrival.says()
            raise _unmet(f"the device did not come by within {self._patience.coming:g} s: {seen}") from None
        finally:
            leave()
        self._telling.waits(arrival.says())

    async def _unless_it_died(self, learning: Coroutine[Any, Any, Learned]) -> Learned:
        """Where nothing is seen of a device before it takes a job, a process that has ended is not waited for."""
        self._telling.waits("has a job to take; nothing shows that it is there before it does")
        task = asyncio.ensure_future(learning)
        try:
            while not (await asyncio.wait({task}, timeout=SAY_SECONDS))[0]:
                if (died := self._device.died()) is not None:
                    raise _unmet(f"the device's process ended before it was done with its first job: {died}")
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _first_job(self, arriving: list[Entry]) -> Learned:
        limit = self._patience.first_job
        scenario = undisturbed(self._names, self._desk.offer.namespace_id, limit)
        self._telling.waits(f"is given its first job, which nobody disturbs; it is waited for up to {limit:g} s")
        watched = AtFirstJob(self._desk.offer, self._telling.waits)
        played = await watched.unless_hopeless(self._plays.play(scenario, "first-job", watched.feed))
        if played is None:
            raise DeviceUnmet(watched.unmet())
        shown = last_seen(played.entries)
        try:
            seen = (*_before(arriving, played.entries), *played.entries)
            learned = self._means.learn(seen, self._desk.offer.thing, scenario.jobs[0].id)
        except NotLearned as error:
            raise DeviceUnmet(NotMet(why=str(error), failed=error.failed and bool(shown), evidence=shown)) from None
        if self._sampling is not None and (sample := self._sampling.last).alive is False:
            why = f"it has done its first job, and the probes find it dead: {sample.why}; is it asked the right way?"
            raise DeviceUnmet(NotMet(why=why, evidence=shown))
        return learned

    # ── the cells ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def abilities(self) -> frozenset[Need]:
        """What can be done to this device beside what the gateway does."""
        can: dict[Need, bool] = {"power": self._device.can_cut_power, "restart": self._device.can_restart}
        return frozenset(need for need, is_there in can.items() if is_there)

    def why_not(self, cell: Cell) -> str | None:
        """Why a cell cannot be played with this device; None if it can. Only after `meet`."""
        assert self._learned is not None, "met before"
        return self._moments.why_not(cell.point) or self._means.why_not(cell, self._learned, self.abilities)

    def seconds(self, cell: Cell) -> float:
        """About how long a cell takes. Only after `meet`."""
        assert self._learned is not None, "met before"
        return self._means.seconds(cell, self._learned)

    async def play(self, cell: Cell) -> CellResult:
        """Play one cell, and bring the device back. Raises InputError."""
        results = self._results.setdefault(cell.id, [])
        absence = Absence(self._desk.offer.thing, self._telling.waits, asyncio.get_running_loop().call_later)
        leave = self._wiretap.join(absence.feed)
        try:
            result = await self._played(cell, f"-{len(results) + 1}" if results else "")
        finally:
            leave()
            absence.close()
        results.append(result)
        self._telling.ended(result)
        if self._bricked is not None and self._bricked.cell == cell.id:
            self._telling.bricked(self._bricked)
        return result

    async def _played(self, cell: Cell, again: str, *, is_again: bool = False) -> CellResult:
        learned = self._learned
        assert learned is not None, "met before"
        if (why := self.why_not(cell)) is not None:
            return not_for(cell, why)
        if self._bricked is not None:
            return not_played(cell, f"the device is bricked since {self._bricked.cell}")
        if self._out_of_sight is not None:
            return not_played(cell, self._out_of_sight)
        self._telling.began(cell)
        self._plays.usual_seconds = learned.usual_seconds
        scenario = self._means.scenario(cell, learned, self._names)
        played = await self._plays.play(scenario, cell.id + again, turns=cell.turns)
        baseline = self._baseline(learned)
        left = await baseline.bring_back(played)
        self._lost_probes.look(cell.id)
        afterwards: Afterwards | None = left
        if left.left == "bricked" and not (self._means.sees_requests or baseline.is_charged):
            # Where its connection is not seen, who is off line looks the same.
            self._out_of_sight = f"after {cell.id} the device did not come back, but may be off line: {left.why}"
            afterwards = None
        elif left.left == "bricked":
            shown = last_seen(played.entries, learned.carrier)
            self._bricked = Bricked(cell=cell.id, why=left.why, evidence=shown)
        elif not is_again and self._means.sees_requests and (anew := self._anew(learned, played)) is not None:
            self._learned = anew
            return await self._played(cell, f"{again}{ONCE_MORE}", is_again=True)
        return self._result(cell, played, learned, afterwards)

    def _anew(self, learned: Learned, played: Played) -> Learned | None:
        return learned_anew(learned, played, self._desk.offer.thing)

    def _result(self, cell: Cell, played: Played, learned: Learned, afterwards: Afterwards | None) -> CellResult:
        kept = played.directory
        return cell_result(
            cell,
            played.verdict,
            played.entries,
            seconds=played.seconds,
            device_seconds=played.device_seconds,
            carrier=learned.carrier,
            trouble=played.trouble or no_cut(played.entries, self._device.survived()),
            afterwards=afterwards,
            directory=None if kept is None or self._out is None else kept.relative_to(self._out).as_posix(),
            unseen=self._means.not_seen(
                learned, SEEN_FROM_THE_WIRE if self._lost_probes.are_all_lost else self._seen()
            ),
        )

    def _baseline(self, learned: Learned) -> Baseline:
        bounds = learned.bounds()
        limit = bounds.ready_seconds + bounds.silence_seconds + learned.work_seconds
        make = partial(undisturbed, self._names, self._desk.offer.namespace_id, limit, bounds)
        return Baseline(self._means, self._device, self._names, self._plays, make, self._telling.waits)

    @property
    def unkept(self) -> InputError | None:
        """Why not everything was kept."""
        return self._plays.unkept

    # ── what is known ─────────────────────────────────────────────────────────────────────────────────────────

    def certificate(self, wanted: Sequence[Cell], cut_short: str | None = None) -> Certificate:
        """Of the cells that were to be played: those that were, and why not of the others.

        `cut_short` says why not all were played, if that is not the device's doing.
        """
        why = cut_short or (self._unmet and self._unmet.why) or "nobody asked for it"
        results = {name: iter(each) for name, each in self._results.items()}
        cells = [next(results.get(cell.id, iter(())), None) or not_played(cell, why) for cell in wanted]
        offer, learned = self._desk.offer, self._learned
        return certificate_of(
            thing=offer.thing,
            namespace_id=offer.namespace_id,
            started_at=self._started_at,
            seconds=time.monotonic() - self._began,
            cells=cells,
            learned=learned,
            probes=self._given.probes,
            not_seen=self._means.not_seen(learned, self._seen()),
            warnings=self._lost_probes.warnings,
            not_met=self._unmet,
            bricked=self._bricked,
            seed=self._given.seed,
            command=self._given.command,
            options=self._given.options,
            cut_short=cut_short,
        )

    def _seen(self) -> Mapping[str, str]:
        """How far each invariant could be seen: by probes as far as they showed something."""
        if self._plays.runs is not None:
            return SEEN_WITH_A_PROBE
        alive = {"bootable": SEEN_WITH_A_PROBE["bootable"]} if self._plays.life_is_shown else {}
        return SEEN_FROM_THE_WIRE | alive


def no_cut(entries: Iterable[Entry], survived: str | None) -> str | None:
    """`survived` says how the last power cut was none: a cell that had one was not what it says."""
    return survived if any(isinstance(entry.event, PowerCutOff) for entry in entries) else None


def _before(arriving: Iterable[Entry], played: Iterable[Entry]) -> Iterator[Entry]:
    """What was seen until the play began; after its end its job is removed by us, which is nothing to learn from."""
    known = {entry.id for entry in played}
    return takewhile(lambda entry: entry.id not in known, arriving)


def _unmet(why: str) -> DeviceUnmet:
    """Nothing is known of the device."""
    return DeviceUnmet(NotMet(why=why))


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
