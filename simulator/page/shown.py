"""What is drawn of those that are shown: their lanes, their flash, and the entries that anything names.

A lane is drawn anew only if something came to it, or the clocks turned out to lie otherwise.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from simulator.page.data import EntryShown, Flash, Lane, Span
from simulator.page.device import Device
from simulator.page.entries import shown
from simulator.page.happenings import Happenings
from simulator.page.judgement import Judgement
from simulator.page.roster import Roster
from simulator.trace import Entry


class Shown:
    """Of what is in `roster`, `happenings` and `judgement`."""

    def __init__(self, roster: Roster, happenings: Happenings, judgement: Judgement) -> None:
        self._roster, self._happenings, self._judgement = roster, happenings, judgement
        self._lanes: dict[str, tuple[object, Lane]] = {}
        self._flash: dict[str, tuple[object, tuple[Flash, ...]]] = {}

    def all(self) -> tuple[dict[str, Lane], dict[str, tuple[Flash, ...]]]:
        """The lanes of those that are shown, drawn anew if something came to them."""
        lanes, flash = {}, {}
        for name in self._roster.shown:
            device = self._roster.devices[name]
            lanes[name] = self._lane(device)
            if instants := self._flash_of(device):
                flash[name] = instants
        return lanes, flash

    def draw(self, name: str) -> None:
        """Draw one of them, if it is yet."""
        if name in self._roster.shown:
            self._lane(self._roster.devices[name])
            self._flash_of(self._roster.devices[name])

    def _lane(self, device: Device) -> Lane:
        key = (device.revision, self._roster.shift_of(device), self._roster.zero)
        known = self._lanes.get(device.name)
        if known is None or known[0] != key:
            assert device.lane is not None, "it is shown"
            lane = device.lane.lane(partial(self._roster.lay, device), self._ghosts(device))
            known = self._lanes[device.name] = key, _remembered(lane, device)
        return known[1]

    def _ghosts(self, device: Device) -> tuple[Span, ...]:
        def drawn() -> Iterator[Span]:
            for loss in device.losses.ghosts:
                start = self._roster.lay(device, loss.removed)
                job, told = loss.execution.job_id, loss.told
                yield Span(
                    track="ghost",
                    start=start,
                    end=None if told is None else max(start, self._roster.lay(device, told.when)),
                    kind="ghost",
                    text=f"does not know yet that {job} is gone",
                    job=job,
                    namespace=loss.execution.namespace_id,
                    events=(loss.shown_by, told.shown_by) if told else (loss.shown_by,),
                )

        return tuple(drawn())

    def _flash_of(self, device: Device) -> tuple[Flash, ...]:
        assert device.flash is not None, "it is shown"
        # Of what is remembered the first goes, and nothing else: with the first, the names change.
        first = next(iter(device.entries), "")
        key = (device.flash, device.flash.revision, first, self._roster.shift_of(device), self._roster.zero)
        known = self._flash.get(device.name)
        if known is None or known[0] != key:
            instants = device.flash.shown(partial(self._roster.lay, device))
            kept = tuple(
                each.model_copy(update={"events": tuple(e for e in each.events if e in device.entries)})
                for each in instants
            )
            known = self._flash[device.name] = key, kept
        return known[1]

    # ── entries ───────────────────────────────────────────────────────────────────────────────────────────────

    def named(self, lanes: dict[str, Lane]) -> set[str]:
        """The ids of all that is named."""
        named = {
            event for lane in lanes.values() for part in (lane.spans, lane.marks) for p in part for event in p.events
        }
        named.update(event for name in lanes for each in self._flash.get(name, (None, ()))[1] for event in each.events)
        named.update(self._happenings.entries, self._judgement.named)
        return named

    def entries(self, named: Iterable[str]) -> Iterator[tuple[str, EntryShown]]:
        """Those of these ids, which are named somewhere."""
        for event in sorted(named):
            device, entry = self._entry(event)
            lay = self._roster.lay_run if device is None else partial(self._roster.lay, device)
            yield event, shown(entry, lay)

    def _entry(self, event: str) -> tuple[Device | None, Entry]:
        if event in self._judgement.named:
            return self._judgement.named[event]
        if event in self._happenings.entries:
            return None, self._happenings.entries[event]
        for name in self._roster.shown:
            device = self._roster.devices[name]
            if event in device.entries:
                return device, device.entries[event]
        raise AssertionError(f"{event} is named, and not remembered")


def _remembered(lane: Lane, device: Device) -> Lane:
    """Without what names entries that are not remembered."""

    def kept(part: Any) -> Any:
        events = tuple(event for event in part.events if event in device.entries)
        return part if events == part.events else part.model_copy(update={"events": events})

    return Lane(spans=tuple(map(kept, lane.spans)), marks=tuple(map(kept, lane.marks)), dropped=lane.dropped)
