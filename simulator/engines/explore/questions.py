"""What a step asks of one monitor, as a value: what is the same question is asked once of each state of the monitor.

Most of what is told, and most of the past, is nothing to most monitors. `ByOrder` says of each what it looks at; a
question has that, and no more. So that a monitor looks at something else cannot go unnoticed: it is not there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final, NamedTuple

from simulator.engines.explore.pieces import Piece, piece
from simulator.verdict.clocks import UNKNOWN
from simulator.verdict.findings import Course, Finding, Invariant, Moment, Subject
from simulator.verdict.frozen import Map
from simulator.verdict.heard import Heard
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import NO_NUMBERS, ByOrder, Compared, Past
from simulator.verdict.remembered import Glimpse, with_only
from simulator.verdict.state import values_in
from simulator.verdict.testimony import Testimony
from simulator.verdict.watch import Monitors

Glimpses = tuple[tuple[Callable[[Any, Moment], None], Glimpse], ...]
"""What one monitor sees of a step: each entry that it is fed by, with what it makes of that."""
RULED: Final = ("phase", "connected", "last", "is_wire", "ends_forgotten", "planned")
RULED_OF_EACH: Final = ("updated", "digests", "ends")
PAST: Final = tuple(field.name for field in fields(Past))
"""What rules look at while a run goes on: of the testimony, and of what was heard of each execution."""


class Asked(NamedTuple):
    """A question: of which monitor, with what it sees, and what it looks at of the past, and its rule of the rest."""

    number: int
    glimpses: Piece[Glimpses]
    past: tuple[Any, ...]
    ruled: Piece[tuple[Any, ...]]


class Question:
    """One that is `asked`, with its `answers` by the state that the monitor is in."""

    __slots__ = ("answers", "asked")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answers: dict[Piece[Any], Any] = {}


NOTHING: Final[Piece[tuple[Any, ...]]] = piece(())


class Questions:
    """Those of all monitors of one device."""

    def __init__(self, thing: str, judged: Iterable[tuple[Invariant, ByOrder]], limits: Limits, course: Course) -> None:
        self._thing, self._judged, self._limits, self._course = thing, tuple(judged), limits, course
        self._known: dict[tuple[Any, ...], Question] = {}
        self.noting = Monitors([_noting(invariant, way) for invariant, way in self._judged])
        """Instead of them: those whose states are lists of what each sees, and no more."""
        ways = list(enumerate(way for _, way in self._judged))
        self._needs = [(number, way.needs) for number, way in ways]
        self._of_pasts: dict[tuple[Any, ...], tuple[Question, ...]] = {}
        self._comparing = [(number, way) for number, way in ways if way.told is not None or way.cloud is not None]

    def _question(self, number: int, glimpses: Piece[Glimpses], past: Any, ruled: Piece[Any]) -> Question:
        asked = number, glimpses, past, ruled
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = Question(Asked(*asked))
        return known

    def comparisons(
        self, glimpses: Sequence[Piece[Glimpses]], testimony: Testimony, record: ThingRecord
    ) -> tuple[Question, ...]:
        """What states that come of that compare, besides the testimony: of the monitors that do."""
        questions = []
        for number, way in self._comparing:
            told = (testimony.ended,) if way.told is not None else ()
            cloud = (record.over, testimony.updated) if way.cloud is not None else ()
            questions.append(self._question(number, glimpses[number], (told, cloud), NOTHING))
        return tuple(questions)

    def compared(self, question: Question, state: Piece[Any]) -> tuple[Compared, Compared]:
        """The numbers of the client's own entries, and of the cloud's."""
        number, glimpses, (told, cloud), _ = question.asked
        way, raw = self._judged[number][1], self._fed(state, glimpses.value, number)
        by_client = way.told(raw, *told) if way.told is not None else NO_NUMBERS
        by_cloud = way.cloud(raw, *cloud) if way.cloud is not None else NO_NUMBERS
        answer = question.answers[state] = by_client, by_cloud
        return answer

    def of_past(
        self, glimpses: Sequence[Piece[Glimpses]], past: Past, testimony: Testimony, record: Piece[ThingRecord]
    ) -> tuple[Question, ...]:
        """What is asked of each monitor; `testimony` and `record` are what is kept of them."""
        unseen = self._of_past_alone(past)
        seeing = [number for number, seen in enumerate(glimpses) if seen is not NOTHING]
        if not seeing:
            return unseen
        questions, ruled = list(unseen), piece((*values_in(testimony, RULED), _of_each(testimony), record))
        for number in seeing:
            questions[number] = self._question(number, glimpses[number], unseen[number].asked.past, ruled)
        return tuple(questions)

    def _of_past_alone(self, past: Past) -> tuple[Question, ...]:
        """What is asked of each monitor if it sees nothing of the step: there are far fewer pasts than steps."""
        values = values_in(past, PAST)
        known = self._of_pasts.get(values)
        if known is None:
            asked = [self._question(number, NOTHING, values_in(past, needs), NOTHING) for number, needs in self._needs]
            known = self._of_pasts[values] = tuple(asked)
        return known

    def answer(self, question: Question, state: Piece[Any]) -> tuple[Piece[Any], tuple[Finding, ...]]:
        """The state that is kept of the one that comes of it, and what is found by that."""
        number, glimpses, past, ruled = question.asked
        way, raw = self._judged[number][1], self._fed(state, glimpses.value, number)
        kept = way.essence(raw, with_only(Past, way.needs, past))
        found = self._found(number, raw, kept, ruled.value) if glimpses.value else ()
        answer = question.answers[state] = piece(kept), found
        return answer

    def _fed(self, state: Piece[Any], glimpses: Glimpses, number: int) -> Any:
        """Another, that has seen that."""
        if not glimpses:
            return state.value
        fed, sight = state.value.twin(), self._judged[number][1].sees
        for step, glimpse in glimpses:
            step(fed, glimpse.moment(sight, self._limits))
        return fed

    def _found(self, number: int, raw: Any, kept: Any, ruled: tuple[Any, ...]) -> tuple[Finding, ...]:
        """What is said once, of what is not kept: what is kept is still open."""
        rule = self._judged[number][0].rule
        *values, of_each, record = ruled
        testimony = with_only(Testimony, RULED, values)
        testimony.executions = Map((key, with_only(Heard, RULED_OF_EACH, values)) for key, *values in of_each)
        subject = Subject(self._thing, testimony, record.value, self._limits, UNKNOWN, self._course)
        found = rule(raw, subject).findings
        open_ = {_words(each) for each in rule(kept, subject).findings} if found else set()
        return tuple(each for each in found if _words(each) not in open_)


def _noting(invariant: Invariant, way: ByOrder) -> Invariant:
    """One that notes what it sees instead of making something of it."""

    def noting(step: Callable[[Any, Moment], None]) -> Callable[[Any, Moment], None]:
        return lambda notes, now: notes.append((step, Glimpse.of(now, way.sees)))

    reads = {kind: noting(step) for kind, step in invariant.reads.items()}
    return replace(invariant, reads=reads)


def _of_each(testimony: Testimony) -> tuple[tuple[Any, ...], ...]:
    return tuple((key, *values_in(heard, RULED_OF_EACH)) for key, heard in testimony.executions.items())


def _words(finding: Finding) -> tuple[str, str | None, str]:
    return finding.outcome, finding.job, finding.message
