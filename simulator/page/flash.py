"""The flash of a device over time, as far as its account tells: what runs, what is half done, what would boot.

One function, `slots_of`, makes slots of that. The trace names neither slots nor sectors, only what is pending in words
(see `simulator.devices.hardware.Hardware.pending`) and how far the step has come that works on one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from agent.device_events import (
    DeviceBooted,
    HardwareChanged,
    PowerLost,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
)
from simulator.page.axis import When
from simulator.page.data import Flash, Slot
from simulator.trace import Entry, PowerCutOff, PowerRestored

SECTORS: Final = 16
"""Sectors of a slot as it is drawn."""
WRITES: Final = frozenset({"write"})
"""Steps that write the spare slot."""
SPARE: Final = "spare slot"
MAIN: Final = "main slot"
"""What is half done, in the words of the hardware."""
UNKNOWN: Final = "?" * SECTORS
WHOLE: Final = "#" * SECTORS
ERASED: Final = "." * SECTORS


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known at an instant. `step` is what is being done, `percent` how far that has come."""

    running: str = ""
    bootable: bool | None = None
    pending: tuple[str, ...] = ()
    step: str = ""
    percent: int = 0
    power: bool = True


def slots_of(now: Standing) -> tuple[Slot, ...]:
    """The slots, as far as `now` tells: what runs, and what an update is written to."""
    if now.bootable is None:
        return ()
    is_single = MAIN in now.pending
    written = int(SECTORS * now.percent / 100) if now.step in WRITES else 0
    cells = "#" * written + ">" * (now.step in WRITES and written < SECTORS)
    partly = cells.ljust(SECTORS, ".") if now.step in WRITES else UNKNOWN
    if is_single:
        return (Slot(name="main", cells=partly), Slot(name="recovery", holds="recovery", cells=WHOLE, boots=True))
    is_trial = "trial running" in now.pending
    runs = Slot(
        name="active", holds=now.running, cells=WHOLE if now.bootable else UNKNOWN, boots=now.bootable, trial=is_trial
    )
    is_staged = SPARE in now.pending or now.step in WRITES
    spare = Slot(name="spare", cells=partly if is_staged else ERASED, trial="trial requested" in now.pending)
    return (runs, spare)


class FlashFold:
    """`most` is how many instants are remembered; the oldest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._at: list[tuple[When, Standing, tuple[str, ...]]] = []
        self._now = Standing()
        self.revision = 0

    def feed(self, entry: Entry) -> None:
        """Take in the next entry about this device."""
        if (read := READS.get(type(entry.event))) is None:
            return
        now = read(self._now, entry.event)
        if now == self._now:
            return
        self._now = now
        is_own = entry.source.startswith("device/")
        self._at.append((When(entry.at, is_own), now, (entry.id,)))
        self.revision += 1
        if len(self._at) > self._most:
            del self._at[: max(self._most // 8, 1)]

    def shown(self, lay: Callable[[When], float]) -> tuple[Flash, ...]:
        """Its history; nothing of a device whose hardware tells nothing."""
        if all(now.bootable is None for _, now, _ in self._at):
            return ()
        return tuple(
            Flash(
                at=lay(when),
                slots=slots_of(now),
                running=now.running if now.power else "",
                bootable=now.bootable,
                pending=now.pending,
                does=now.step,
                power=now.power,
                events=events,
            )
            for when, now, events in self._at
        )


def _but(**changes: Any) -> "Callable[[Standing, Any], Standing]":
    def read(now: Standing, _event: Any) -> Standing:
        return _with(now, **changes)

    return read


def _with(now: Standing, **changes: Any) -> Standing:
    return replace(now, **changes)


READS: Final[dict[type, Callable[[Standing, Any], Standing]]] = {
    HardwareChanged: lambda now, event: _with(
        now, bootable=event.bootable, running=event.version or now.running, pending=event.pending
    ),
    DeviceBooted: lambda now, event: _with(now, running=event.version, power=True, step="", percent=0),
    StepStarted: lambda now, event: _with(now, step=event.step, percent=0),
    StepProgressed: lambda now, event: _with(now, step=event.step, percent=event.percent),
    StepFinished: _but(step="", percent=0),
    StepUndone: _but(step="", percent=0),
    PowerLost: _but(power=False, step="", percent=0),
    PowerCutOff: _but(power=False, step="", percent=0),
    PowerRestored: _but(power=True),
}
