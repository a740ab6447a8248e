"""A session: meet the device, learn how it does an undisturbed job, play the cells, and say what came of it.

    meet          it has come by, and has done one job: from here on it is known how it works
    play          one cell of the matrix; afterwards the device is back at a baseline, or found bricked
    certificate   what is known, at any time: also after an interruption

All that the wire and the probes show passes the wiretap. A cell is a scenario, played by the engine that plays all
others and judged by the same monitors (see `simulator.certify.matrix` for what the cells are).
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.errors import GhostjobError
from simulator.certify.arrival import Arrival
from simulator.certify.baseline import Baseline
from simulator.certify.certificate import Bricked, CellResult, Certificate, certificate_of
from simulator.certify.desk import Desk
from simulator.certify.device import Device
from simulator.certify.learning import Learned, NotLearned, learn
from simulator.certify.matrix import Cell, Names, Need, undisturbed
from simulator.certify.one_play import Plays
from simulator.certify.probes import Sampling
from simulator.certify.result import cell_result, not_applicable, not_played
from simulator.certify.telling import Telling
from simulator.certify.wiretap import Wiretap
from simulator.heartbeat import Heartbeat
from simulator.trace import Entry

SAY_SECONDS: Final = 0.5
"""How often it is looked whether there is something new to say of a device that is waited for."""
MOST_ARRIVING: Final = 10_000
"""Entries before the first job that are remembered, for what the device does when it comes."""


class NotMet(GhostjobError):  # noqa: N818 - an outcome, no fault
    """The device did not come, or did not do its first job: nothing can be said of how it bears a deletion."""


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
        heartbeat: Heartbeat,
        names: Names,
        telling: Telling,
        *,
        sampling: Sampling | None,
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
        self._seed = seed
        self._patience = patience
        self._began = time.monotonic()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._out = out
        self._plays = Plays(desk, device, wiretap, heartbeat, seed, out and out / "cells")
        self._learned: Learned | None = None
        self._why_not: NotMet | None = None
        self._results: dict[str, CellResult] = {}
        self._bricked: Bricked | None = None

    # ── before the cells ──────────────────────────────────────────────────────────────────────────────────────

    async def meet(self) -> Learned:
        """Wait for the device, and have it do one job. Raises NotMet, InputError."""
        arriving: list[Entry] = []
        leave = self._wiretap.join(lambda entry: len(arriving) < MOST_ARRIVING and arriving.append(entry))
        try:
            await self._device.start()
            await self._arrived()
            learned = await self._first_job(arriving)
        except NotMet as why:
            self._why_not = why
            raise
        finally:
            leave()
        self._learned = learned
        self._telling.learned(learned)
        return learned

    async def _arrived(self) -> None:
        """Wait until the device has come by; meanwhile it is said what was seen of it."""
        arrival = Arrival(self._desk.offer)
        came = asyncio.Event()

        def feed(entry: Entry) -> None:
            arrival.feed(entry)
            if arrival.is_there:
                came.set()

        leave = self._wiretap.join(feed)
        try:
            async with asyncio.timeout(self._patience.coming):
                while not came.is_set():
                    self._telling.waits(arrival.trouble() or arrival.says())
                    if (died := self._device.died()) is not None:
                        raise NotMet(f"the device's process ended before it came by: {died}")
                    await _set_within(came, SAY_SECONDS)
        except TimeoutError:
            seen = arrival.trouble() or arrival.says()
            raise NotMet(f"the device did not come by within {self._patience.coming:g} s: {seen}") from None
        finally:
            leave()
        self._telling.waits(arrival.says())

    async def _first_job(self, arriving: list[Entry]) -> Learned:
        scenario = undisturbed(self._names, self._desk.offer.namespace_id, self._patience.first_job)
        played = await self._plays.play(scenario, "first-job")
        try:
            return learn((*arriving, *played.entries), self._desk.offer.thing, scenario.jobs[0].id)
        except NotLearned as error:
            raise NotMet(str(error)) from None

    # ── the cells ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def abilities(self) -> frozenset[Need]:
        """What can be done to this device beside what the gateway does."""
        can: set[Need] = set()
        if self._device.can_cut_power:
            can.add("power")
        if self._device.can_restart:
            can.add("restart")
        return frozenset(can)

    def why_not(self, cell: Cell) -> str | None:
        """Why a cell cannot be played with this device; None if it can."""
        assert self._learned is not None, "met before"
        return not_applicable(cell, self._learned, self.abilities)

    async def play(self, cell: Cell) -> CellResult:
        """Play one cell, and bring the device back. Raises InputError."""
        result = await self._played(cell)
        self._results[cell.id] = result
        self._telling.ended(result)
        return result

    async def _played(self, cell: Cell) -> CellResult:
        assert self._learned is not None, "met before"
        if self._bricked is not None:
            return not_played(cell, f"the device is bricked since {self._bricked.cell}")
        if (why := self.why_not(cell)) is not None:
            return not_played(cell, why, applies=False)
        self._telling.began(cell)
        played = await self._plays.play(cell.scenario(self._learned, self._names), cell.id)
        brought = await self._baseline(self._learned).bring_back(played)
        result = cell_result(cell, played, brought)
        if brought.left == "bricked":
            self._bricked = Bricked(cell=cell.id, why=brought.why)
            self._telling.bricked(self._bricked)
        return result

    def _baseline(self, learned: Learned) -> Baseline:
        namespace_id, limit = self._desk.offer.namespace_id, learned.bounds().ready_seconds + 10 * learned.work_seconds
        return Baseline(
            self._desk,
            self._device,
            self._plays,
            self._sampling,
            lambda: undisturbed(self._names, namespace_id, limit, learned.bounds()),
            self._names.version_of,
        )

    # ── what is known ─────────────────────────────────────────────────────────────────────────────────────────

    def certificate(self, wanted: Sequence[Cell], *, interrupted: bool = False) -> Certificate:
        """Of the cells that were to be played: those that were, and why not of the others."""
        why = "interrupted before it was played" if interrupted else "not played: the device was not met"
        cells = tuple(self._results.get(cell.id) or not_played(cell, why) for cell in wanted)
        return certificate_of(
            thing=self._desk.offer.thing,
            namespace_id=self._desk.offer.namespace_id,
            seed=self._seed,
            started_at=self._started_at,
            seconds=time.monotonic() - self._began,
            learned=self._learned,
            probes=() if self._sampling is None else self._sampling.texts,
            cells=cells,
            bricked=self._bricked,
            not_met=None if self._why_not is None else (str(self._why_not), self._why_not.failed),
        )


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, so long at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
