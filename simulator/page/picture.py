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

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from agent.device_events import DeviceDisconnected
from simulator.certify.certificate import Certificate
from simulator.page.axis import When
from simulator.page.cell_story import story_of_cells
from simulator.page.crowd import Rate, crowd, distribution
from simulator.page.data import Crowd, Kind, PageData, State, Thing, Times
from simulator.page.device import Device
from simulator.page.edits import edit_of_flash, edit_of_lane, edit_of_lines
from simulator.page.english import seconds
from simulator.page.going_on import going_on
from simulator.page.happenings import ABOUT_THE_RUN, Happenings
from simulator.page.judgement import Judgement
from simulator.page.orders import Offered
from simulator.page.roster import Roster, bounds_of
from simulator.page.search import AXIS_NOTE, facts_of_search, story_of_search
from simulator.page.shown import Shown
from simulator.page.story import Material, story
from simulator.report.device_row import STATES
from simulator.trace import AccountEnded, ClientDisconnected, DeviceJoined, Entry, RequestReceived, RunEnded, RunStarted
from simulator.verdict import Verdict

EXTRA: Final = 1_000
"""So many entries who follows the news may have more than there are; then it is told which of them may go."""
EDITS: Final[dict[str, Callable[[Any, Any], object]]] = {
    "lanes": edit_of_lane,
    "flash": edit_of_flash,
    "lines": edit_of_lines,
}
"""What is told of these is what came to them."""
LONGER: Final = 1 + 1 / 30
AT_ONCE: Final = 1_000
"""So many entries are folded at once: some milliseconds."""
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
        self._came: list[Entry] = []
        """What is not folded yet."""
        self._offered: Offered | None = None
        self._is_over = False
        self._shown = Shown(self._roster, self._happenings, self._judgement)
        self._crowd: tuple[float, bool, Crowd | None] = (0.0, False, None)
        self._sent: dict[str, object] = {}
        self._sent_entries: set[str] = set()

    def named(self, title: str, about: str, kind: Kind) -> None:
        """It is known by now what it is of."""
        self._fold()
        self._title, self._about, self._kind = title, about, kind

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────

    def feed(self, entry: Entry) -> None:
        """Take in the next entry, in the order in which they come."""
        came = self._came
        came.append(entry)
        if len(came) >= AT_ONCE:
            self._fold()

    def _fold(self) -> None:
        """Many at once: in the midst of a run each would find the caches full of the run's own."""
        came, self._came = self._came, []
        for entry in came:
            kind = type(entry.event)
            if kind in ABOUT_THE_RUN:
                self._about_the_run(entry)
            elif kind not in GOING or self._happenings.ended is None:
                if kind is RequestReceived:
                    self._rate.count(entry.at)
                self._roster.feed(entry)

    def _settle(self) -> None:
        """All that came is folded, and laid on the axis."""
        self._fold()
        self._roster.settle()

    def _about_the_run(self, entry: Entry) -> None:
        if isinstance(entry.event, RunStarted):
            self._roster.begin(entry.event, When(entry.at, not entry.event.are_foreign))
        if self._kind == "certify" and isinstance(entry.event, RunStarted | RunEnded):
            return  # a cell's, of which there are many
        if isinstance(entry.event, DeviceJoined):
            self._roster.join(entry.event)
        self._happenings.feed(entry)
        self._roster.passes(entry)

    def judged(self, verdict: Verdict, final: bool) -> None:
        """The verdict so far, or in the end."""
        self._settle()
        self._judgement.judged(verdict, final, self._roster, self._happenings)
        self._roster.choose(tuple(self._judgement.broken))

    def certified(self, certificate: Certificate, final: bool = True) -> None:
        """The cells so far, or in the end."""
        self._judgement.certified(certificate, final)

    def over(self) -> None:
        """Nothing more comes, and nobody judges it."""
        self._is_over = True

    def offered(self, offered: Offered | None) -> None:
        """What may be pressed now."""
        self._offered = offered

    # ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────

    def whole(self) -> PageData:
        """All of it."""
        self._settle()
        if not self._roster.shown:
            self._roster.choose(())
        lanes, flash = self._shown.all()
        return PageData.model_construct(
            **self._sections(), lanes=lanes, flash=flash, entries=dict(self._shown.entries(self._shown.named(lanes)))
        )

    @property
    def is_crowd(self) -> bool:
        """Whether there are so many devices that not every one has a lane."""
        return self._roster.is_crowd

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be said of it."""
        return self._judgement.is_final or self._is_over

    def drawing(self) -> Iterator[None]:
        """Draw what `news` tells, part by part: between two of them anything may be fed. What comes to a part after it
        was drawn, `news` draws itself.
        """
        self._settle()
        yield
        self._crowd_now(tuple(self._roster.devices.values()), self._roster.now)
        yield
        for name in self._roster.shown:
            self._shown.draw(name)
            yield

    def news(self) -> dict[str, object]:
        """What changed since the last call, by its path; pydantic makes JSON of it. Empty if nothing did.

        In whole: a member by its name, `lanes.THING`, `flash.THING`. What came to it: `lines+`, `lanes+.THING`,
        `flash+.THING`, as `simulator.page.edits` has it; `entries+`, further entries. Who follows may keep entries that
        are named no longer, up to a thousand of them; then `entries-` are the ids of those that may go.
        """
        self._settle()
        if not self._roster.shown:
            self._roster.choose(())
        changed: dict[str, object] = {}
        for name, value in self._sections().items():
            changed |= self._what_came(name, "", value)
        lanes, flash = self._shown.all()
        for name, parts in (("lanes", lanes), ("flash", flash)):
            if self._is_new(f"{name} of", tuple(parts)):
                self._sent.update({f"{name}.{thing}": part for thing, part in parts.items()})
                changed[name] = parts
            else:
                for thing, part in parts.items():
                    changed |= self._what_came(name, thing, part)
        return changed | self._new_entries(self._shown.named(lanes))

    def _what_came(self, name: str, thing: str, part: Any) -> dict[str, object]:
        """To a member, or to what is in it of one thing."""
        of = f".{thing}" if thing else ""
        before = self._sent.get(name + of)
        if not self._is_new(name + of, part):
            return {}
        edited = None if before is None or name not in EDITS else EDITS[name](before, part)
        return {name + of: part} if edited is None else {f"{name}+{of}": edited}

    def _is_new(self, path: str, value: object) -> bool:
        if path in self._sent and self._sent[path] == value:
            return False
        self._sent[path] = value
        return True

    def _new_entries(self, named: set[str]) -> dict[str, object]:
        new = named - self._sent_entries
        changed: dict[str, object] = {"entries+": dict(self._shown.entries(new))} if new else {}
        self._sent_entries |= new
        if len(self._sent_entries) > len(named) + EXTRA:
            changed["entries-"] = sorted(self._sent_entries - named)
            self._sent_entries = set(named)
        return changed

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
            "sentence": self._sentence(material),
            "why": judgement.why,
            "story": self._story(material),
            "now": now,
            "is_over": judgement.is_final or ended is not None or self._is_over,
            "axis_note": roster.note if judgement.explored is None else AXIS_NOTE,
            "facts": tuple(self._facts(now)),
            "things": tuple(_thing(each, broken.get(each.name, ())) for each in self._listed(devices)),
            "counts": {state: len(material.by_state[state]) for state in STATES if state in material.by_state},
            "lines": self._happenings.lines(roster.lay_run),
            "invariants": judgement.invariants,
            "reached": judgement.reached,
            "matrix": judgement.matrix,
            "explored": judgement.explored,
            "times": self._times(material),
            "crowd": self._crowd_now(devices, now),
            "controls": self._offered,
        }

    def _state(self) -> State:
        if (state := self._judgement.state) is not None:
            return state
        if self._happenings.ended is not None or self._is_over:
            return "ended"
        return "running" if self._roster.devices else "waiting"

    def _sentence(self, material: Material) -> str:
        paused_at = "" if self._offered is None or self._judgement.is_final else self._offered.paused_at
        if paused_at:
            return f"Paused: {paused_at}."
        if (judged := self._judgement.sentence) is not None:
            return judged
        if self._is_over:
            return "It is over, and nobody has judged it."
        if material.ended is not None:
            return f"The run is over ({material.ended.why}), and is being judged."
        return going_on(material)

    def _story(self, material: Material) -> tuple[str, ...]:
        if (certificate := self._judgement.certificate) is not None:
            return story_of_cells(certificate, material, is_over=self._judgement.is_final)
        if (explored := self._judgement.explored) is not None:
            return story_of_search(explored)
        return story(material) if material.devices else ()

    def _listed(self, devices: tuple[Device, ...]) -> Iterable[Device]:
        if len(devices) <= LISTED:
            return devices
        return (self._roster.devices[name] for name in self._roster.shown)

    def _facts(self, now: float) -> Iterator[tuple[str, str]]:
        started, certificate = self._happenings.started, self._judgement.certificate
        if (verdict := self._judgement.verdict) is not None and (explored := self._judgement.explored) is not None:
            yield from facts_of_search(verdict, explored)
            return
        if certificate is None:
            playing = len(self._roster.devices)
            if started is not None and started.shards > 1:
                yield "devices", f"{started.devices}, for which {playing} play, in one of {started.shards} shards"
            elif started is not None and started.stands_for:
                yield "devices", f"{started.devices}, {playing} of which play for all"
            else:
                yield "devices", str(playing)
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
        if verdict is not None:
            had_to = sum(device.recoveries.had_to for device in self._roster.devices.values())
            yield "recovered", f"{verdict.recovered} of {max(had_to, verdict.recovered)} that had to"
            yield "requests per second at most", str(verdict.requests_per_second_peak)

    def _times(self, material: Material) -> Times:
        started = self._happenings.started
        if self._judgement.explored is not None:
            return Times()
        return Times(
            detection=distribution(took for _, _, took in material.ghosts if took is not None),
            recovery=distribution(number for device in material.devices for number in device.recoveries.seconds),
            bound=None if started is None else bounds_of(started).detection_seconds,
        )

    def _crowd_now(self, devices: tuple[Device, ...], now: float) -> Crowd | None:
        """Made anew when the axis has become a thirtieth longer, and in the end."""
        if not self._roster.is_crowd:
            return None
        is_final, (made_at, was_final, made) = self._judgement.is_final, self._crowd
        if made is None or now > made_at * LONGER or is_final != was_final:
            made = crowd(devices, self._roster.shift_of, self._rate, now, self._roster.zero)
            self._crowd = now, is_final, made
        return made


GOING: Final = frozenset({AccountEnded, ClientDisconnected, DeviceDisconnected})
"""What happens to every device when a run is over, however long after, and tells nothing of it."""


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
