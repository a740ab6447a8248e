"""What is judged of what is shown: the outcome with why, the invariants with what shows each violation, the places."""

from collections.abc import Callable, Iterator, Sequence

from simulator.certify.certificate import Certificate
from simulator.page.axis import When
from simulator.page.brief import outcome_of_run, outcome_of_session
from simulator.page.data import Arrow, Found, Invariant, Matrix, Place, Shown, State
from simulator.page.device import Device
from simulator.page.diagrams import CLOUD, OPERATOR, diagram
from simulator.page.english import begun
from simulator.page.findings import FOUND
from simulator.page.happenings import Happenings
from simulator.page.matrix import invariants_of, matrix_of
from simulator.page.roster import Roster
from simulator.page.texts import about_invariant, about_place
from simulator.report.plain import plain
from simulator.report.words import who, words
from simulator.trace import Entry
from simulator.verdict import Doubt, Explored, InvariantVerdict, Verdict, Violation

KNOWN = 1_000
"""So many diagrams are kept until something else is found."""
LONGEST_WHY = 2_000
"""Characters of the verdict's own sentence."""
BEFORE, AFTER = 80, 40
"""So many entries of a device before and after what is pointed at may stand in a diagram."""


class Judgement:
    """What was judged last. `named` are the entries that it names, by id."""

    def __init__(self) -> None:
        self.verdict: Verdict | None = None
        self.certificate: Certificate | None = None
        self.is_final = False
        self.invariants: tuple[Invariant, ...] = ()
        self.reached: tuple[Place, ...] = ()
        self.matrix: Matrix | None = None
        self.named: dict[str, tuple[Device | None, Entry]] = {}
        self._known: dict[tuple[str, Violation | Doubt], Found] = {}

    @property
    def state(self) -> State | None:
        """The outcome, if that is the last word."""
        if not self.is_final:
            return None
        return self.certificate.outcome if self.certificate else self.verdict.outcome if self.verdict else None

    @property
    def explored(self) -> Explored | None:
        """How far a search went and what it found, if that is what was judged."""
        return None if self.verdict is None else self.verdict.explored

    @property
    def sentence(self) -> str | None:
        """The outcome with why, in the end; before that, what was violated by now."""
        judged = self.certificate or self.verdict
        if judged is None or not (self.is_final or judged.outcome == "failed"):
            return None
        said = outcome_of_session(judged) if isinstance(judged, Certificate) else outcome_of_run(judged)
        return said if self.is_final else begun(said.removeprefix("Failed: "))

    @property
    def why(self) -> str:
        """All of what the sentence has the gist of."""
        judged = self.certificate or self.verdict
        return "" if judged is None or self.sentence is None else plain(judged.why, LONGEST_WHY)

    @property
    def broken(self) -> dict[str, tuple[str, ...]]:
        """Which invariants each thing broke."""
        found: dict[str, list[str]] = {}
        for invariant in self.verdict.invariants if self.verdict else ():
            for each in invariant.violations:
                names = found.setdefault(each.thing, [])
                if invariant.id not in names:
                    names.append(invariant.id)
        return {thing: tuple(names) for thing, names in found.items()}

    def judged(self, verdict: Verdict, final: bool, roster: Roster, happenings: Happenings) -> None:
        """The verdict so far, or in the end."""
        self.verdict, self.is_final = verdict, final
        if final or len(self._known) > KNOWN:
            self._known.clear()
        self.named.clear()
        self.invariants = tuple(self._invariant(each, roster, happenings) for each in verdict.invariants)
        self.reached = tuple(
            Place(id=place.id, devices=place.devices, of=place.of, about=about_place(place.id))
            for place in verdict.reached
        )

    def certified(self, certificate: Certificate, final: bool) -> None:
        """The cells so far, or in the end."""
        self.certificate, self.is_final = certificate, final
        self.invariants = invariants_of(certificate)
        self.matrix = matrix_of(certificate, final)

    # ── what was found ────────────────────────────────────────────────────────────────────────────────────────

    def _invariant(self, verdict: InvariantVerdict, roster: Roster, happenings: Happenings) -> Invariant:
        def told(found: Sequence[Violation | Doubt]) -> tuple[Found, ...]:
            return tuple(self._found(verdict.id, each, roster, happenings) for each in found[:FOUND])

        more = max(len(verdict.violations) - FOUND, 0) + max(len(verdict.doubts) - FOUND, 0)
        return Invariant(
            id=verdict.id,
            outcome=verdict.outcome,
            opportunities=verdict.opportunities,
            about=about_invariant(verdict.id),
            violations=told(verdict.violations),
            doubts=told(verdict.doubts),
            more=more,
        )

    def _found(self, name: str, each: Violation | Doubt, roster: Roster, happenings: Happenings) -> Found:
        known = self._known.get((name, each))
        device = roster.devices.get(each.thing)
        if known is None:
            known = self._known[name, each] = _found(each, device, roster, happenings)
        entries = {} if device is None else {entry.id: entry for entry in device.kept}
        named = [*(event.id for event in known.events), *(arrow.id for arrow in known.diagram.arrows)]
        for event in named:
            if event in entries:
                self.named[event] = device, entries[event]
            elif event in happenings.entries:
                self.named[event] = None, happenings.entries[event]
        return known


def _found(each: Violation | Doubt, device: Device | None, roster: Roster, happenings: Happenings) -> Found:
    if device is None:
        return Found(thing=each.thing, job=each.job, message=each.message)
    entries = _around(list(device.kept), each.events)

    def lay(when: When) -> float:
        return roster.lay(device, when)

    by_id = {entry.id: entry for entry in entries}
    shown = [by_id[event] for event in each.events if event in by_id]
    return Found(
        thing=each.thing,
        job=each.job,
        message=each.message,
        events=tuple(_shown(entry, lay) for entry in shown),
        diagram=diagram(entries, each.thing, each.events, lay, _operator(each, entries, lay, roster, happenings)),
    )


def _around(entries: list[Entry], pointed: Sequence[str]) -> list[Entry]:
    """The last ones, if what is pointed at is not remembered."""
    at = [number for number, entry in enumerate(entries) if entry.id in pointed] or [len(entries) - 1]
    if at[-1] - at[0] > BEFORE + AFTER:
        return [*entries[max(at[0] - AFTER, 0) : at[0] + AFTER], *entries[at[-1] - AFTER : at[-1] + AFTER]]
    return entries[max(at[0] - BEFORE, 0) : at[-1] + AFTER]


def _shown(entry: Entry, lay: Callable[[When], float]) -> Shown:
    at = lay(When(entry.at, entry.source.startswith("device/")))
    return Shown(id=entry.id, at=at, text=f"{who(entry)} {words(entry.event)}")


def _operator(
    each: Violation | Doubt,
    entries: Sequence[Entry],
    lay: Callable[[When], float],
    roster: Roster,
    happenings: Happenings,
) -> Iterator[Arrow]:
    """What was done to the job meanwhile."""
    if not entries:
        return
    times = [lay(When(entry.at, entry.source.startswith("device/"))) for entry in entries]
    for line in happenings.lines(roster.lay_run):
        is_meant = line.job and (each.job is None or line.job == each.job)
        if is_meant and line.kind != "fault" and min(times) <= line.at <= max(times):
            yield Arrow(at=line.at, from_=OPERATOR, to=CLOUD, text=line.text, id=line.events[0])
