"""The flash of a device over time, as its own account tells: what stands in each slot, what is done to it, what boots.

Simulated devices tell of every sector (`flash.changed`), and of what they are about to do to how many of them, so that
the page can draw every sector of a write of which only the beginning and the end are told. Devices that are not
simulated tell whether they would boot, and what is half done.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from typing import Any, Final

from agent.device_events import DeviceBooted, HardwareChanged, PowerLost, StepFinished, StepStarted, StepUndone
from simulator.page.axis import When
from simulator.page.data import Flash, Slot, Work
from simulator.page.drawing import is_as_drawn, named
from simulator.trace import Entry, FlashArea, FlashChanged, FlashWork, PowerCutOff, PowerRestored

TOGETHER: Final = 0.001
"""What is told within so many seconds is one instant: of several entries about one change nobody sees the first."""
FACTORY_CONFIG: Final = "1"
"""The configuration of a device that was never given one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known at an instant. `step` is what is being done; `flash` has been so since `since`."""

    running: str = ""
    bootable: bool | None = None
    pending: tuple[str, ...] = ()
    step: str = ""
    power: bool = True
    flash: FlashChanged | None = None
    since: When | None = None


# ── what a device tells of its sectors ────────────────────────────────────────────────────────────────────────────


def slots_of(flash: FlashChanged) -> tuple[Slot, ...]:
    """The two slots, and what arrives, also if nothing of it is there yet."""
    areas = (*flash.slots, *flash.incoming)
    coming = flash.work.area if flash.work is not None else ""
    slots = tuple(_slot(area, flash) for area in areas)
    if not coming or any(area.name == coming for area in areas):
        return slots
    return (*slots, Slot(name=coming, state="empty", cells="." * len(areas[0].cells)))


def _slot(area: FlashArea, flash: FlashChanged) -> Slot:
    runs, boots = area.name == flash.running, area.name == flash.boots
    trial = (runs and flash.trial == "running") or (boots and flash.trial == "requested")
    return Slot(
        name=area.name, holds=area.holds, state=area.state, cells=area.cells, runs=runs, boots=boots, trial=trial
    )


def stores_of(flash: FlashChanged) -> tuple[tuple[str, str], ...]:
    """Configurations and files; nothing of a device that has only what it left the factory with."""
    is_new = flash.config != FACTORY_CONFIG or flash.staged or flash.previous
    told = (
        ("configuration", flash.config if is_new else ""),
        ("configuration to come", flash.staged),
        ("configuration to go back to", flash.previous),
        ("files", ", ".join(flash.files)),
    )
    return tuple((name, value) for name, value in told if value)


def doing(step: str, work: FlashWork | None) -> str:
    """In words; `step` is empty if the agent asked for none."""
    if work is None:
        return step
    what = "exchanges the slots" if work.exchanges else step or f"takes back {work.area}"
    return what if work.seconds else f"{what}, and is held there"


# ── over time ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Instant:
    """From `when` on it is `now`. `drawn` is what it was drawn as last."""

    when: When
    now: Standing
    events: tuple[str, ...]
    drawn: Flash | None = None


class FlashFold:
    """`most` is how many instants are remembered; the oldest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._at: list[_Instant] = []
        self._drawn_by: object = None
        self._now = Standing()
        self.revision = 0

    def feed(self, entry: Entry) -> None:
        """Take in the next entry about this device."""
        if (read := READS.get(type(entry.event))) is None:
            return
        when = When(entry.at, entry.source.startswith("device/"))
        last = self._at[-1].when if self._at else None
        if last is not None and last.is_own == when.is_own and when.at - last.at < TOGETHER:
            when = last
        now = read(self._now, entry.event)
        if now.flash is not self._now.flash:
            now = replace(now, since=when)
        if now != self._now:
            self._now = now
            self._remember(when, now, entry)

    def _remember(self, when: When, now: Standing, entry: Entry) -> None:
        self.revision += 1
        # Of what the flash says nothing more is to be seen in the entry: naming it would have each kept.
        events = () if isinstance(entry.event, FlashChanged) else (entry.id,)
        if self._at and self._at[-1].when is when:
            self._at[-1] = _Instant(when, now, self._at[-1].events or events)
            return
        self._at.append(_Instant(when, now, events))
        if len(self._at) > self._most:
            del self._at[: max(self._most // 8, 1)]

    def shown(
        self, lay: Callable[[When], float], kept: Container[str] | None = None, drawn_by: object = None
    ) -> tuple[Flash, ...]:
        """Its history; nothing of a device whose hardware tells nothing. `kept` are the ids that may be
        named; None: any.

        As long as `drawn_by`, which stands for `lay`, is the same, each instant is drawn once.
        """
        if all(each.now.bootable is None and each.now.flash is None for each in self._at):
            return ()
        if drawn_by is None or drawn_by != self._drawn_by:
            for each in self._at:
                each.drawn = None
        self._drawn_by = drawn_by
        return tuple([_shown(each, lay, kept) for each in self._at])


def _shown(instant: _Instant, lay: Callable[[When], float], kept: Container[str] | None) -> Flash:
    if instant.drawn is not None and is_as_drawn(instant.drawn, kept):
        return instant.drawn
    now = instant.now
    flash, work = now.flash, now.flash.work if now.flash is not None else None
    instant.drawn = Flash(
        at=lay(instant.when),
        slots=slots_of(flash) if flash is not None else (),
        work=_work(work, lay(now.since)) if work is not None and now.since is not None else None,
        stores=stores_of(flash) if flash is not None else (),
        running=now.running if now.power else "",
        bootable=now.bootable,
        pending=now.pending,
        does=doing(now.step, work),
        power=now.power,
        events=named(instant.events, kept),
    )
    return instant.drawn


def _work(work: FlashWork, since: float) -> Work:
    return Work(
        slot=work.area,
        erases=work.erases,
        writes=work.writes,
        exchanges=work.exchanges,
        done=work.done,
        seconds=work.seconds,
        since=since,
    )


def _but(**changes: Any) -> "Callable[[Standing, Any], Standing]":
    def read(now: Standing, _event: Any) -> Standing:
        return replace(now, **changes)

    return read


def _flash(now: Standing, event: FlashChanged) -> Standing:
    running = next((area.holds for area in event.slots if area.name == event.running), "")
    return replace(now, flash=event, running=running, bootable=bool(event.boots))


READS: Final[dict[type, Callable[[Standing, Any], Standing]]] = {
    FlashChanged: _flash,
    HardwareChanged: lambda now, event: replace(
        now, bootable=event.bootable, running=event.version or now.running, pending=event.pending
    ),
    DeviceBooted: lambda now, event: replace(now, running=event.version, power=True, step=""),
    StepStarted: lambda now, event: replace(now, step=event.step),
    StepFinished: _but(step=""),
    StepUndone: _but(step=""),
    PowerLost: _but(power=False, step=""),
    PowerCutOff: _but(power=False, step=""),
    PowerRestored: _but(power=True),
}
