"""Flash in time: sector operations that take their time one after the other, and the power that may go before any.

A run is a number of sectors in a row. It needs no timer for each: which of them are done at an instant follows from
the clock. So there is one timer for the next sector at which anything happens: one that somebody waits for, one at
which the power goes or the network, or the last. All sectors are applied and counted as instants all the same, and
whoever looks, stops or cuts in between finds done what is done by then.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from simulator.devices.hardware import Hardware, Image
from simulator.devices.sectors import Sector, worked
from simulator.pace import LOOP_TIME, Alarm, Pace
from simulator.scenario import Outage, PowerCut

ROUNDING: Final = 1e-6
"""Of a sector: so much of it may be missing, for want of digits, when it is done."""


class Supply(Protocol):
    """What the flash is in, and gets its power from."""

    def lose_power(self, instant: str, off_seconds: float) -> None:
        """The power goes, and comes back."""

    def lose_network(self, seconds: float) -> None:
        """The network goes, and comes back."""

    def found_brick(self, hardware: Hardware) -> None:
        """A sector left nothing to boot from."""


class Worker(Protocol):
    """Whose work a run is."""

    def next_pause(self, run: "Run") -> int:
        """With how many sectors done the run is to pause next; with all of them at the latest."""

    def reached(self, run: "Run") -> None:
        """The run pauses there, or is at its end."""


@dataclass(slots=True)
class Run:
    """`sectors` operations called `name`, each of `seconds`.

    `step` is the plan's step that it belongs to, empty if to none. At the end, and before that where `worker` wants it,
    the run pauses; it goes on when it is told to.
    """

    name: str
    step: str
    sector: Sector
    image: Image
    sectors: int
    seconds: float
    worker: "Worker"
    done: int = 0

    def percent(self, done: int) -> int:
        """How far it is with so many sectors done."""
        return 100 * done // self.sectors

    def instant(self, done: int) -> str:
        """What the sector is called after which so many are done."""
        return f"{self.name} {done}/{self.sectors}"


class Flash:
    """One device's hardware, as it is by now. `instants` counts sectors and writes since the device was made."""

    __slots__ = (
        "_cuts",
        "_hardware",
        "_instants",
        "_last_step",
        "_next",
        "_outages",
        "_pace",
        "_pause",
        "_run",
        "_since",
        "_supply",
        "_timer",
        "is_on",
    )

    def __init__(
        self,
        hardware: Hardware,
        supply: Supply,
        cuts: tuple[PowerCut, ...],
        outages: tuple[Outage, ...],
        pace: Pace = LOOP_TIME,
    ) -> None:
        self.is_on = False
        self._hardware = hardware
        self._instants = 0
        self._last_step = ""
        self._supply = supply
        self._cuts = cuts
        self._outages = outages
        self._pace = pace
        self._run: Run | None = None
        self._since: float | None = None
        """When the run had no sector done, or would have; None while it pauses."""
        self._next = 0
        """So many are done when the timer fires."""
        self._pause = 0
        """So many are done when the run pauses."""
        self._timer: Alarm | None = None

    @property
    def hardware(self) -> Hardware:
        """With every sector that is done by now."""
        self._settle()
        return self._hardware

    @hardware.setter
    def hardware(self, hardware: Hardware) -> None:
        self._settle()
        self._hardware = hardware

    @property
    def instants(self) -> int:
        """How many there have been by now."""
        self._settle()
        return self._instants

    def instant(self, name: str, step: str = "", percent: int = 0) -> bool:
        """Whether there is power for one more sector or write; a cut that the scenario wants here happens here.

        `percent` is how far `step` will be after it.
        """
        if not self.is_on:
            return False
        self._settle()
        if not self._has_power(name, step, percent):
            return False
        if self._run is not None and self._since is not None and self._cuts:
            self._plan(self._run)  # a cut at the nth instant is a sector nearer than it was
        return True

    # ── runs ──────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, run: Run) -> None:
        """Do a run's first sectors, up to where it pauses."""
        self.hold(run)
        self.go_on(run)

    def hold(self, run: Run) -> None:
        """Begin a run with a pause."""
        self._run = run

    def go_on(self, run: Run) -> None:
        """Do the next sectors of a run that pauses; one that was stopped meanwhile stays so."""
        if self._run is run:
            self._since = self._pace.now() - run.done * run.seconds
            self._pause = run.worker.next_pause(run)
            self._plan(run)

    def stop(self) -> None:
        """The run ends here: the sector that is under way is not done."""
        self._settle()
        self._run = self._since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _plan(self, run: Run) -> None:
        """Set the timer for the next sector at which anything happens."""
        assert self._since is not None, "planned while it goes on"
        self._next = self._pause
        if self._cuts or self._outages:
            sectors = range(run.done + 1, self._pause)
            self._next = next((done for done in sectors if self._is_perilous(run, done)), self._pause)
        if self._timer is not None:
            self._timer.cancel()
        at = self._since + self._next * run.seconds
        self._timer = self._pace.call_at(at, self._arrive, run)

    def _is_perilous(self, run: Run, done: int) -> bool:
        """Whether the power, or the network, goes at the sector after which so many are done."""
        name, number, percent = run.instant(done), self._instants + done - run.done, run.percent(done)
        last_step = run.step or self._last_step
        cut = any(cut.applies(name, number, run.step, percent, last_step) for cut in self._cuts)
        return cut or any(_applies(outage, run.step, percent) for outage in self._outages)

    def _arrive(self, run: Run) -> None:
        self._timer = None
        if (self._cuts or self._outages) and run.sectors:
            self._apply(run, self._next - 1)
            if not self._has_power(run.instant(self._next), run.step, run.percent(self._next)):
                return
            self._instants -= 1  # counted once more with its sector
        self._apply(run, self._next)
        if run.done < self._pause:
            self._plan(run)
        else:
            self._since = None
            self._run = run if run.done < run.sectors else None
            run.worker.reached(run)

    def _settle(self) -> None:
        """Do what is due of the run, up to the sector that the timer does."""
        run = self._run
        if run is not None and self._since is not None and run.seconds:
            due = int((self._pace.now() - self._since) / run.seconds + ROUNDING)
            self._apply(run, min(due, self._next - 1))

    def _apply(self, run: Run, done: int) -> None:
        """Do the sectors until so many are done."""
        if done > run.done:
            self._instants += done - run.done
            self._hardware, brick = worked(run.sector, self._hardware, run.image, run.done, done)
            run.done = done
            if brick is not None:
                self._supply.found_brick(brick)

    def _has_power(self, name: str, step: str, percent: int) -> bool:
        """Count an instant, and let happen what the scenario wants at it."""
        self._instants += 1
        self._last_step = step or self._last_step
        for cut in self._cuts:
            if cut.applies(name, self._instants, step, percent, self._last_step):
                others = tuple(other for other in self._cuts if other is not cut)
                if cut.occurrence > 1:
                    self._cuts = (*others, cut.model_copy(update={"occurrence": cut.occurrence - 1}))
                    continue
                self._cuts = others
                self._supply.lose_power(name, cut.off_seconds)
                return False
        for outage in self._outages:
            if _applies(outage, step, percent):
                self._outages = tuple(other for other in self._outages if other is not outage)
                self._supply.lose_network(outage.seconds)
        return True


def _applies(outage: Outage, step: str, percent: int) -> bool:
    return step == outage.step and percent >= outage.progress
