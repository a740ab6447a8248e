"""A session: meet the device, learn how it does an undisturbed job, play the cells, and say what came of it.

    meet          it has come by, and has done one job: from here on it is known how it works
    play          one cell of the matrix; afterwards the device is back at a baseline, or found bricked
    certificate   what is known, at any time: also after an interruption

All that the wire and the probes show passes the wiretap. A cell is a scenario, played by the engine that plays all
others and judged by the same monitors (see `simulator.certify.matrix` for what the cells are).
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from agent.errors import GhostjobError
from simulator.certify.arrival import Arrival
from simulator.certify.baseline import Baseline
from simulator.certify.certificate import Afterwards, Bricked, CellResult, Certificate, NotMet, certificate_of
from simulator.certify.desk import Desk
from simulator.certify.device import Device
from simulator.certify.evidence import last_seen
from simulator.certify.learning import Learned, NotLearned, learn
from simulator.certify.matrix import Cell, Names, Need, not_applicable, undisturbed
from simulator.certify.moments import Moments
from simulator.certify.one_play import Played, Plays, in_words
from simulator.certify.probes import Sample, Sampling
from simulator.certify.result import cell_result, not_played
from simulator.certify.result import not_applicable as not_for
from simulator.certify.telling import Telling
from simulator.certify.unseen import not_seen
from simulator.certify.wiretap import Wiretap
from simulator.trace import Entry, FaultOver
from simulator.verdict import SEEN_FROM_THE_WIRE, SEEN_WITH_A_PROBE

SAY_SECONDS: Final = 0.5
"""How often it is looked whether there is something new to say of a device that is waited for."""
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


class Session:
    """With the device on `desk`. `out` is where plays are kept; None: nowhere."""

    def __init__(
        self,
        desk: Desk,
        device: Device,
        wiretap: Wiretap,
        names: Names,
        telling: Telling,
        *,
        sampling: Sampling | None,
        moments: Moments,
        probes: Sequence[str],
        command: Sequence[str],
        options: Sequence[str],
        required: Mapping[str, float],
        seed: int,
        out: Path | None,
        patience: Patience,
    ) -> None:
        self._desk = desk
        self._device = device
        self._wiretap = wiretap
        self._names = names
        self._telling = telling
        self._sampling = sampling
        self._moments = moments
        self._probes = tuple(probes)
        self._command = tuple(command)
        self._options = tuple(options)
        self._required = tuple(sorted(required.items()))
        self._seed = seed
        self._patience = patience
        self._began = time.monotonic()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._out = out
        self._plays = Plays(desk, device, wiretap, sampling, names, seed, out and out / "cells", telling.waits)
        self._learned: Learned | None = None
        self._unmet: NotMet | None = None
        self._results: dict[str, CellResult] = {}
        self._bricked: Bricked | None = None

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
            await self._arrived()
            learned = await self._first_job(arriving)
        except DeviceUnmet as why:
            self._unmet = why.unmet
            raise
        finally:
            leave()
        learned = self._learned = replace(learned, required=self._required)
        self._telling.learned(learned)
        if self._sampling is not None:
            self._telling.waits(f"after its first job the probes were asked: {self._by_probes(self._sampling.last)}")
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

    async def _first_job(self, arriving: list[Entry]) -> Learned:
        scenario = undisturbed(self._names, self._desk.offer.namespace_id, self._patience.first_job)
        played = await self._plays.play(scenario, "first-job")
        shown = last_seen(played.entries)
        try:
            seen = {entry.id: entry for entry in (*arriving, *played.entries)}.values()
            learned = learn(seen, self._desk.offer.thing, scenario.jobs[0].id)
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
        return self._moments.why_not(cell.point) or not_applicable(cell, self._learned, self.abilities)

    async def play(self, cell: Cell) -> CellResult:
        """Play one cell, and bring the device back. Raises InputError."""
        result = self._results[cell.id] = await self._played(cell)
        self._telling.ended(result)
        if self._bricked is not None and self._bricked.cell == cell.id:
            self._telling.bricked(self._bricked)
        return result

    async def _played(self, cell: Cell) -> CellResult:
        learned = self._learned
        assert learned is not None, "met before"
        if (why := self.why_not(cell)) is not None:
            return not_for(cell, why)
        if self._bricked is not None:
            return not_played(cell, f"the device is bricked since {self._bricked.cell}")
        self._telling.began(cell)
        played = await self._plays.play(cell.scenario(learned, self._names), cell.id)
        afterwards = await self._baseline(learned).bring_back(played)
        if afterwards.left == "bricked":
            shown = last_seen(played.entries, learned.carrier)
            self._bricked = Bricked(cell=cell.id, why=afterwards.why, evidence=shown)
        return self._result(cell, played, learned, afterwards)

    def _result(self, cell: Cell, played: Played, learned: Learned, afterwards: Afterwards) -> CellResult:
        kept = played.directory
        return cell_result(
            cell,
            played.verdict,
            played.entries,
            seconds=played.seconds,
            device_seconds=played.device_seconds,
            carrier=learned.carrier,
            trouble=_trouble(played),
            afterwards=afterwards,
            directory=None if kept is None or self._out is None else kept.relative_to(self._out).as_posix(),
        )

    def _baseline(self, learned: Learned) -> Baseline:
        bounds = learned.bounds()
        limit = bounds.ready_seconds + bounds.silence_seconds + learned.work_seconds
        make = partial(undisturbed, self._names, self._desk.offer.namespace_id, limit, bounds)
        version_of, waits = self._names.version_of, self._telling.waits
        return Baseline(self._desk, self._device, self._plays, self._sampling, make, version_of, waits)

    # ── what is known ─────────────────────────────────────────────────────────────────────────────────────────

    def certificate(self, wanted: Sequence[Cell], cut_short: str | None = None) -> Certificate:
        """Of the cells that were to be played: those that were, and why not of the others.

        `cut_short` says why not all were played, if that is not the device's doing.
        """
        why = cut_short or (self._unmet and self._unmet.why) or "nobody asked for it"
        cells = [self._results.get(cell.id) or not_played(cell, why) for cell in wanted]
        offer, learned = self._desk.offer, self._learned
        return certificate_of(
            thing=offer.thing,
            namespace_id=offer.namespace_id,
            started_at=self._started_at,
            seconds=time.monotonic() - self._began,
            cells=cells,
            learned=learned,
            probes=self._probes,
            not_seen=not_seen(self._seen(), reports_steps=learned is not None and bool(learned.steps)),
            not_met=self._unmet,
            bricked=self._bricked,
            seed=self._seed,
            command=self._command,
            options=self._options,
            cut_short=cut_short,
        )

    def _seen(self) -> Mapping[str, str]:
        """How far each invariant could be seen: by probes as far as they showed something."""
        if self._plays.runs is not None:
            return SEEN_WITH_A_PROBE
        alive = {"bootable": SEEN_WITH_A_PROBE["bootable"]} if self._plays.life_is_shown else {}
        return SEEN_FROM_THE_WIRE | alive


def _trouble(played: Played) -> str | None:
    """What the tool itself could not do, so that the cell was not what it says."""
    for entry in played.entries:
        if isinstance(entry.event, FaultOver) and entry.event.why in ("limit", "full"):
            return f"a packet was let go before what it was held for had come [{entry.id}]: is the machine too busy?"
    return None


def _unmet(why: str) -> DeviceUnmet:
    """Nothing is known of the device."""
    return DeviceUnmet(NotMet(why=why))


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
