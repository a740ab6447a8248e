"""The picture of a run: a fold of its trace, and of what is judged of it, into all that the page shows.

    picture = Picture("main", "force delete in mid-write", "run")
    for entry in trace.read(lines):
        picture.feed(entry)
    picture.judged(verdict, final=True)
    page = picture.whole()

It can be asked at any time. `whole` is everything; `news` what changed since it was asked last, for who has the rest.
An entry costs a few microseconds; what is drawn is made when it is asked for. Of a hundred devices and more those have
lanes that broke something, then the slowest, then the first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from agent.device_events import DeviceDisconnected
from simulator.certify.certificate import Certificate
from simulator.page.axis import When
from simulator.page.crowd import Rate, crowd, distribution
from simulator.page.data import Crowd, EntryShown, Flash, Kind, Lane, PageData, Span, State, Thing, Times
from simulator.page.device import Device
from simulator.page.english import seconds
from simulator.page.entries import shown
from simulator.page.happenings import ABOUT_THE_RUN, Happenings
from simulator.page.judgement import Judgement
from simulator.page.orders import Offered
from simulator.page.roster import Roster, bounds_of
from simulator.page.story import Material, detection, going_on, story
from simulator.report.device_row import STATES
from simulator.trace import ClientDisconnected, DeviceJoined, Entry, RequestReceived, RunStarted
from simulator.verdict import Verdict

EXTRA: Final = 1_000
"""So many entries who follows the news may have more than there are; then they come anew, in whole."""
LISTED: Final = 100
"""So many devices are listed; of more, those that have lanes."""


class Picture:
    """Of what `title` and `about` say."""

    def __init__(self, title: str, about: str, kind: Kind) -> None:
        self._title, self._about, self._kind = title, about, kind
        self._roster = Roster()
        self._happenings = Happenings()
        self._judgement = Judgement()
        self._rate = Rate()
        self._offered: Offered | None = None
        self._lanes: dict[str, tuple[object, Lane]] = {}
        self._flash: dict[str, tuple[object, tuple[Flash, ...]]] = {}
        self._crowd: tuple[object, Crowd | None] = (None, None)
        self._sent: dict[str, object] = {}
        self._sent_entries: set[str] = set()

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────

    def feed(self, entry: Entry) -> None:
        """Take in the next entry, in the order in which they come."""
        event = entry.event
        kind = type(event)
        if kind is RequestReceived:
            self._rate.count(entry.at)
        elif kind in ABOUT_THE_RUN:
            self._about_the_run(entry)
            return
        elif kind in GOING and self._happenings.ended is not None:
            return
        self._roster.feed(entry)

    def _about_the_run(self, entry: Entry) -> None:
        if isinstance(entry.event, RunStarted):
            self._roster.begin(entry.event, When(entry.at, not entry.event.are_foreign))
        elif isinstance(entry.event, DeviceJoined):
            self._roster.join(entry.event)
        self._happenings.feed(entry)
        self._roster.passes(entry)

    def judged(self, verdict: Verdict, final: bool) -> None:
        """The verdict so far, or in the end."""
        self._roster.settle()
        self._judgement.judged(verdict, final, self._roster, self._happenings)
        self._roster.choose(tuple(self._judgement.broken))

    def certified(self, certificate: Certificate, final: bool = True) -> None:
        """The cells so far, or in the end."""
        self._judgement.certified(certificate, final)

    def offered(self, offered: Offered | None) -> None:
        """What may be pressed now."""
        self._offered = offered

    # ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────

    def whole(self) -> PageData:
        """All of it."""
        self._roster.settle()
        if not self._roster.shown:
            self._roster.choose(())
        lanes, flash = self._drawn()
        return PageData.model_construct(
            **self._sections(), lanes=lanes, flash=flash, entries=dict(self._entries(self._named(lanes)))
        )

    def news(self) -> dict[str, JsonValue]:
        """What changed since the last call, in whole, by its path: a member's name, `lanes.THING`, `flash.THING`; and
        in `entries+` the entries that came to it. Empty if nothing did.

        Who follows may keep entries that are named no longer, up to a thousand of them; then `entries` come in whole.
        """
        self._roster.settle()
        if not self._roster.shown:
            self._roster.choose(())
        changed = {name: value for name, value in self._sections().items() if self._is_new(name, value)}
        lanes, flash = self._drawn()
        for name, parts in (("lanes", lanes), ("flash", flash)):
            if self._is_new(f"{name} of", tuple(parts)):
                self._sent.update({f"{name}.{thing}": part for thing, part in parts.items()})
                changed[name] = parts
            else:
                changed |= {f"{name}.{n}": part for n, part in parts.items() if self._is_new(f"{name}.{n}", part)}
        changed |= self._new_entries(self._named(lanes))
        told: dict[str, JsonValue] = to_jsonable_python(changed, by_alias=True)
        return told

    def _is_new(self, path: str, value: object) -> bool:
        if path in self._sent and self._sent[path] == value:
            return False
        self._sent[path] = value
        return True

    def _new_entries(self, named: set[str]) -> dict[str, object]:
        new = [event for event in sorted(named) if event not in self._sent_entries]
        if len(self._sent_entries) + len(new) > len(named) + EXTRA:
            self._sent_entries = set(named)
            return {"entries": dict(self._entries(named))}
        self._sent_entries.update(new)
        return {"entries+": dict(self._entries(new))} if new else {}

    # ── its parts ─────────────────────────────────────────────────────────────────────────────────────────────

    def _sections(self) -> dict[str, Any]:
        """All but lanes, flash and entries."""
        roster, judgement, ended = self._roster, self._judgement, self._happenings.ended
        devices = tuple(roster.devices.values())
        material = Material(devices, self._happenings.deletions, roster.lay, roster.lay_run, judgement.verdict, ended)
        now = roster.now
        broken = judgement.broken
        return {
            "kind": self._kind,
            "title": self._title,
            "about": self._about,
            "state": self._state(),
            "sentence": judgement.sentence or self._sentence(material),
            "story": story(material) if devices else (),
            "now": now,
            "is_over": judgement.is_final or ended is not None,
            "axis_note": roster.note,
            "facts": tuple(self._facts(now)),
            "things": tuple(_thing(each, broken.get(each.name, ())) for each in self._listed(devices)),
            "counts": _counts(devices),
            "lines": self._happenings.lines(roster.lay_run),
            "invariants": judgement.invariants,
            "reached": judgement.reached,
            "matrix": judgement.matrix,
            "times": self._times(material),
            "crowd": self._crowd_now(devices, now),
            "controls": self._offered,
        }

    def _state(self) -> State:
        if (state := self._judgement.state) is not None:
            return state
        if self._happenings.ended is not None:
            return "ended"
        return "running" if self._roster.devices else "waiting"

    def _sentence(self, material: Material) -> str:
        if self._offered is not None and self._offered.paused_at:
            return f"Paused: {self._offered.paused_at}."
        if material.ended is not None:
            return f"The run is over ({material.ended.why}), and is being judged."
        return going_on(material)

    def _listed(self, devices: tuple[Device, ...]) -> Iterable[Device]:
        if len(devices) <= LISTED:
            return devices
        return (self._roster.devices[name] for name in self._roster.shown)

    def _facts(self, now: float) -> Iterator[tuple[str, str]]:
        started, certificate = self._happenings.started, self._judgement.certificate
        yield "devices", str(len(self._roster.devices))
        if started is not None:
            yield "engine", started.engine
            if started.seed is not None:
                yield "seed", str(started.seed)
        if certificate is not None:
            yield "device", certificate.thing
            yield "cells", str(len(certificate.cells))
        for origin in (certificate, started):
            if origin is not None and origin.version is not None:
                yield "ghostjob", origin.version
                if origin.started_at is not None:
                    yield "started", origin.started_at
                break
        yield "took" if self._judgement.is_final else "for", seconds(now)
        if (verdict := self._judgement.verdict) is not None:
            yield "recovered", f"{verdict.recovered} of {verdict.devices}"
            yield "requests per second at most", str(verdict.requests_per_second_peak)

    def _times(self, material: Material) -> Times:
        took = (detection(device, loss, material.lay) for device in material.devices for loss in device.losses.ghosts)
        started = self._happenings.started
        return Times(
            detection=distribution(number for number in took if number is not None),
            recovery=distribution(number for device in material.devices for number in device.recoveries.seconds),
            bound=None if started is None else bounds_of(started).detection_seconds,
        )

    def _crowd_now(self, devices: tuple[Device, ...], now: float) -> Crowd | None:
        """Made anew when there is a bin more, and in the end."""
        if not self._roster.is_crowd:
            return None
        key = (int(now / self._rate.width), self._rate.width, self._judgement.is_final, len(devices))
        if key != self._crowd[0]:
            self._crowd = key, crowd(devices, self._roster.lay, self._rate, now, self._roster.zero)
        return self._crowd[1]

    def _drawn(self) -> tuple[dict[str, Lane], dict[str, tuple[Flash, ...]]]:
        """The lanes of those that are shown, drawn anew if something came to them."""
        lanes, flash = {}, {}
        for name in self._roster.shown:
            device = self._roster.devices[name]
            lanes[name] = self._lane(device)
            if instants := self._flash_of(device):
                flash[name] = instants
        return lanes, flash

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
        key = (device.flash.revision, self._roster.shift_of(device), self._roster.zero)
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

    def _named(self, lanes: dict[str, Lane]) -> set[str]:
        """The ids of all that is named."""
        named = {
            event for lane in lanes.values() for part in (lane.spans, lane.marks) for p in part for event in p.events
        }
        named.update(event for name in lanes for each in self._flash.get(name, (None, ()))[1] for event in each.events)
        named.update(self._happenings.entries, self._judgement.named)
        return named

    def _entries(self, named: Iterable[str]) -> Iterator[tuple[str, EntryShown]]:
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


GOING: Final = frozenset({ClientDisconnected, DeviceDisconnected})
"""What happens to every device when a run is over, and tells nothing of it."""


def _remembered(lane: Lane, device: Device) -> Lane:
    """Without what names entries that are not remembered."""

    def kept(part: Any) -> Any:
        events = tuple(event for event in part.events if event in device.entries)
        return part if events == part.events else part.model_copy(update={"events": events})

    return Lane(spans=tuple(map(kept, lane.spans)), marks=tuple(map(kept, lane.marks)), dropped=lane.dropped)


def _thing(device: Device, broken: tuple[str, ...]) -> Thing:
    row = device.row
    return Thing(
        thing=device.name,
        namespace=row.namespace_id,
        state=row.state,
        job=row.job,
        step=row.step,
        knows=row.knows,
        done=row.done,
        bootable=row.bootable,
        bricked=row.bootable is False,
        version=row.version,
        online=row.online,
        group=device.group,
        violated=broken,
    )


def _counts(devices: Iterable[Device]) -> dict[str, int]:
    """The most urgent state first."""
    counted = Counter(device.row.state for device in devices)
    return {state: counted[state] for state in STATES if counted[state]}
