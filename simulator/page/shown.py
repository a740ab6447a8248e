"""What is drawn of those that are shown: their lanes, their flash, and the entries that anything names.

A lane is drawn anew only if something came to it, or the clocks turned out to lie otherwise.
"""

from collections.abc import Iterable, Iterator
from functools import partial

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
        self._lanes: dict[str, tuple[object, Lane, frozenset[str]]] = {}
        self._flash: dict[str, tuple[object, tuple[Flash, ...], frozenset[str]]] = {}

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
        key = (device.lane, device.revision, self._laid(device))
        known = self._lanes.get(device.name)
        if known is None or known[0] != key:
            assert device.lane is not None, "it is shown"
            lay = partial(self._roster.lay, device)
            lane = device.lane.lane(lay, self._ghosts(device), device.entries, self._laid(device))
            named = frozenset(event for part in (lane.spans, lane.marks) for each in part for event in each.events)
            known = self._lanes[device.name] = key, lane, named
        return known[1]

    def _laid(self, device: Device) -> object:
        """As long as that stays as it is, what is over stays where it is drawn."""
        return self._roster.shift_of(device), self._roster.zero

    def _ghosts(self, device: Device) -> tuple[Span, ...]:
        def drawn() -> Iterator[Span]:
            for loss in device.losses.ghosts:
                start = self._roster.lay(device, loss.removed)
                job, told = loss.execution.job_id, loss.told
                shown_by = (loss.shown_by, told.shown_by) if told else (loss.shown_by,)
                yield Span(
                    track="ghost",
                    start=start,
                    end=None if told is None else max(start, self._roster.lay(device, told.when)),
                    kind="ghost",
                    text=f"does not know yet that {job} is gone",
                    job=job,
                    namespace=loss.execution.namespace_id,
                    events=tuple(event for event in shown_by if event in device.entries),
                )

        return tuple(drawn())

    def _flash_of(self, device: Device) -> tuple[Flash, ...]:
        assert device.flash is not None, "it is shown"
        key = (device.flash, device.flash.revision, device.forgotten, self._laid(device))
        known = self._flash.get(device.name)
        if known is None or known[0] != key:
            lay = partial(self._roster.lay, device)
            instants = device.flash.shown(lay, device.entries, self._laid(device))
            named = frozenset(event for each in instants for event in each.events)
            known = self._flash[device.name] = key, instants, named
        return known[1]

    # ── entries ───────────────────────────────────────────────────────────────────────────────────────────────

    def named(self, lanes: Iterable[str]) -> set[str]:
        """The ids of all that is named, in these lanes and elsewhere."""
        drawn = [self._lanes[name][2] for name in lanes]
        drawn += [self._flash[name][2] for name in lanes if name in self._flash]
        return set().union(*drawn, self._happenings.entries, self._judgement.named)

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
