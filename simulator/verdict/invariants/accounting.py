"""Whether what a device runs is known to whoever asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    ExecutionTaken,
    HardwareChanged,
    JournalSpoiled,
    JournalUnwritable,
    RequestSent,
    StepFinished,
    StepStarted,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey, Status
from simulator.trace import RequestAnswered
from simulator.verdict.exchanges import Exchange
from simulator.verdict.findings import NOTHING_YET, Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import ENDED
from simulator.verdict.invariants.claims import STEP, Claim, TakenWork, announces, may_be_of_another
from simulator.verdict.past import BLANK, Compared, Past, Sight, by_execution, in_any_order, in_order
from simulator.verdict.seen import Mark
from simulator.verdict.state import State
from simulator.verdict.testimony import NO_EXCHANGE, is_after_the_end_of_another

VERSION: Final = "version"
"""The key under which our own agents, and whoever follows them, say what they have installed."""
KEPT: Final = "kept"
"""The key of statusDetails under which a device owns up to a version that it runs although its execution is gone."""

REPORTS: Final = 32
VERSIONS: Final = 8
WRITTEN: Final = 64
"""So many reports, versions that ran before this one, and executions are remembered."""


class VersionReport(NamedTuple):
    """An update or a start-next that may explain a version."""

    token: str
    sent: Mark
    key: ExecutionKey | None
    status: str | None
    kept: tuple[str, ...]
    is_taken: bool = False
    is_over: bool = False
    """It was answered, on either side."""

    def explains(self, key: ExecutionKey | None, version: str, *, had_to_stay: bool = True) -> bool:
        """Whether it is the success of the execution that brought the version, or a note that it is there."""
        if key is not None and self.key == key:
            noted = self.status == Status.FAILED and version in self.kept and had_to_stay
            return self.status == Status.SUCCEEDED or noted
        return version in self.kept

    def seen(self, exchange: Exchange) -> "VersionReport":
        """With what has become of it."""
        over = exchange.answered is not None or exchange.answer is not None
        return self._replace(is_taken=exchange.is_taken, is_over=over)


class Running(NamedTuple):
    """A version that runs, or ran before the one that runs, with the execution that brought it.

    `had_to_stay`: it had passed its self-test when it was committed on trial, or was not on trial.
    """

    version: str
    mark: Mark
    key: ExecutionKey | None
    was_committed: bool
    had_to_stay: bool = True
    explained: bool = False
    forgotten: bool = False
    """The journal was lost since, and with it whether there is anything to tell."""

    def by(self, reports: tuple[VersionReport, ...]) -> "Running":
        """With what these explain."""
        if self.explained:
            return self
        took = any(
            report.is_taken and report.explains(self.key, self.version, had_to_stay=self.had_to_stay)
            for report in reports
        )
        return self._replace(explained=True) if took else self


@dataclass(slots=True, unsafe_hash=True)
class Books(State):
    """What runs, what ran, and what was said of it.

    `taken` are the last two updates that the service took, of different executions. `claim` is, from the wire, the
    version that was last reported to have been installed.
    """

    first: str | None = None
    brought: tuple[Running, ...] = ()
    running: str | None = None
    """What runs, by the hardware's or the bootloader's last word."""
    on_trial: bool = False
    tested: bool = False
    before_write: Map[ExecutionKey, str | None] = EMPTY
    committed: tuple[ExecutionKey, ...] = ()
    reports: tuple[VersionReport, ...] = ()
    works: Map[ExecutionKey, TakenWork] = EMPTY
    may_forget: int = 0
    """In so many lives, this one among them, it may not know what it did: it said that it could not write that down."""
    has_forgotten: bool = False
    """Its journal was lost, and it has taken nothing since."""
    claims: tuple[Claim, ...] = ()
    so_far: Ruling = NOTHING_YET
    taken: tuple[tuple[int, ExecutionKey | None], ...] = ()
    claim: Running | None = None


def _changed(state: Books, now: Moment) -> None:
    """The hardware says what it runs."""
    version, brought = now.event.version, state.brought
    if not version:
        return
    state.running = version
    if not brought:
        state.first = state.first or version
    if _ends_trial(brought, version):
        brought = brought[:-1]
    if not brought or brought[-1].version != version:
        # No commit announced it: it is of the execution whose step last began.
        key = now.testimony.step[0] if now.testimony.step is not None else None
        running = Running(version, now.mark, key, False, forgotten=state.has_forgotten).by(state.reports)
        brought = (*brought, running)[-VERSIONS:]
    state.brought = brought


def _ends_trial(brought: tuple[Running, ...], version: str) -> bool:
    """Whether `version` ran before the one that runs now, which was never committed."""
    if len(brought) < 2 or brought[-1].was_committed:
        return False
    return brought[-1].version != version == brought[-2].version


def _booted(state: Books, now: Moment) -> None:
    state.running, state.on_trial = now.event.version or state.running, now.event.on_trial
    state.tested = state.tested and now.event.why == "restarted"
    state.may_forget = max(state.may_forget - 1, 0)
    if any(work.told for work in state.works.values()):
        state.works = state.works.each(lambda work: work._replace(told=()))


def _took(state: Books, now: Moment) -> None:
    key, digest = now.event.execution, now.event.digest
    state.has_forgotten = False
    work = state.works.get(key)
    if work is None:
        work = TakenWork(state.running, digest, restarts=now.event.restarts)
    else:
        is_other = work.is_other or work.digest != digest
        work = work._replace(ran=state.running, restarts=now.event.restarts, is_again=True, is_other=is_other)
    state.works = state.works.put(key, work, WRITTEN)


def _began(state: Books, now: Moment) -> None:
    key, step = now.event.execution, now.event.step
    if (work := state.works.get(key)) is not None:
        state.works = state.works.put(key, work.begins(step))
    if now.event.step == "write" and now.event.execution not in state.before_write:
        state.before_write = state.before_write.put(now.event.execution, state.running, WRITTEN)


def _ended(state: Books, now: Moment) -> None:
    if now.event.step == "self-test" and now.event.outcome in ("done", "failed"):
        state.tested = now.event.outcome == "done"


def _committed(state: Books, now: Moment) -> None:
    key, had_to_stay = now.event.execution, state.tested or not state.on_trial
    running = Running(now.event.version, now.mark, key, True, had_to_stay).by(state.reports)
    state.brought, state.on_trial = (*state.brought, running)[-VERSIONS:], False
    if key not in state.committed:
        state.committed = (*state.committed, key)[-WRITTEN:]


def _reverted(state: Books, now: Moment) -> None:
    while state.brought and state.brought[-1].version == now.event.version:
        state.brought = state.brought[:-1]
    state.committed = tuple(each for each in state.committed if each != now.event.execution)


def _unwritable(state: Books, _now: Moment) -> None:
    state.may_forget = 2


def _spoiled(state: Books, now: Moment) -> None:
    state.has_forgotten = now.event.holds == "nothing"
    if state.has_forgotten:
        state.brought = tuple(each._replace(forgotten=True) for each in state.brought)


def _asked(state: Books, now: Moment) -> None:
    event = now.event
    if event.request not in ("update", "start-next") or now.exchange is None:
        return
    details, key = event.details or (), event.execution
    kept = tuple(value for name, value in details if name == KEPT)
    if (
        event.status == Status.SUCCEEDED
        and now.testimony.is_wire
        and (version := dict(details).get(VERSION)) is not None
    ):
        state.claim = Running(version, now.mark, key, True).by(state.reports)
    if not now.testimony.is_wire:
        _claims(state, now, kept)
    if kept or event.status in (Status.SUCCEEDED, Status.FAILED):
        report = VersionReport(event.client_token, now.mark, key, event.status, kept)
        state.reports = (*state.reports, report)[-REPORTS:]
    _told(state, now.exchange)


def _claims(state: Books, now: Moment, kept: tuple[str, ...]) -> None:
    """Hold what it says against what was done."""
    event, key = now.event, now.event.execution
    details = dict(event.details or ())
    for version in kept:
        _claim(state, now, _is_no_note(state, key, version))
    if key is None:
        return
    if event.status == Status.SUCCEEDED:
        message = _is_no_success(state, key, details.get(VERSION))
        if message or key in state.before_write:
            work = state.works.get(key)
            _claim(state, now, message, key if message and work is not None and work.is_other else None)
    elif announces(details) and key in state.works:
        step = details[STEP]
        work = state.works[key].announces(step, runs=(key, step) in now.testimony.running)
        state.works = state.works.put(key, work)


def _claim(state: Books, now: Moment, message: str, unless_shared: ExecutionKey | None = None) -> None:
    """It says so; `message`: why that is not true, if it is not."""
    job_id = now.event.execution.job_id if now.event.execution is not None else None
    finding = violated(job_id, message, now.mark) if message else None
    claims = (*state.claims, Claim(now.event.client_token, finding, unless_shared=unless_shared))
    if len(claims) > REPORTS and claims[0].is_taken:
        first = claims[0]
        state.so_far = state.so_far.but(may_be_of_another(first) if first.unless_shared else first.finding)
    state.claims = claims[-REPORTS:]


def _is_no_note(state: Books, key: ExecutionKey | None, version: str) -> str:
    """Why it cannot keep that version: something else runs, and did when it took what it tells this with."""
    work = state.works.get(key) if key is not None else None
    if state.running is None or state.may_forget or version in (state.running, work and work.ran):
        return ""
    return f"said that it keeps version {version}, but runs version {state.running}"


def _is_no_success(state: Books, key: ExecutionKey, claimed: str | None) -> str:
    """Why it is none: the image that it had begun to write does not run, what it names has never run, or none began."""
    version, work = state.running, state.works.get(key)
    finds_it = work is not None and work.is_again and claimed == version
    if key not in state.committed and version is not None and version == state.before_write.get(key) and not finds_it:
        return f"reported success, but still runs version {version}, which ran before"
    ran = (version, state.first, *(each.version for each in state.brought))
    if claimed and version and claimed not in ran:
        return f"reported the success of version {claimed}, which has never run; it runs version {version}"
    if work is not None and work.announced:
        return f"reported success, but step '{work.announced[-1]}', which it had announced, has never begun"
    if work is not None and not work.has_begun and not claimed:
        return "reported success, but has begun no step of it"
    return ""


def _answered(state: Books, now: Moment) -> None:
    if now.exchange is not None:
        _told(state, now.exchange)


def _told(state: Books, exchange: Exchange) -> None:
    """With what has become of a report."""
    asked, sent = exchange.request, exchange.sent
    if asked is None or sent is None or asked.request not in ("update", "start-next"):
        return
    token, is_taken = asked.client_token, exchange.is_taken
    if is_taken and (sent.n, asked.execution) not in state.taken:
        state.taken = _latest(state.taken, sent.n, asked.execution)
    if state.claims:
        state.claims = tuple(each._replace(is_taken=is_taken) if each.token == token else each for each in state.claims)
    if not any(report.token == token for report in state.reports):
        return
    reports = tuple(report.seen(exchange) if report.token == token else report for report in state.reports)
    if reports != state.reports:
        state.reports = reports
        state.brought = tuple(running.by(reports) for running in state.brought)
        state.claim = state.claim and state.claim.by(reports)


def _latest(
    taken: tuple[tuple[int, ExecutionKey | None], ...], n: int, key: ExecutionKey | None
) -> tuple[tuple[int, ExecutionKey | None], ...]:
    """The two executions of which the service took something last, with when that was sent."""
    if taken and taken[0][1] == key and n > taken[0][0]:
        return ((n, key), *taken[1:])
    by_key = {old: number for number, old in taken}
    by_key[key] = max(n, by_key.get(key, 0))
    return tuple(sorted(((number, old) for old, number in by_key.items()), key=lambda pair: -pair[0]))[:2]


def rule(state: Books, subject: Subject) -> Ruling:
    """A version that runs at the end and that no accepted report and no later note explains, or a success that is none.

    A report is an accepted SUCCEEDED of the execution that brought the version; a note is its FAILED, or an accepted
    update or start-next of a later one, whose details say `kept`: VERSION. Its own FAILED explains nothing if the
    version was on trial and had not passed its self-test: then nobody had to keep it. But a device that is safe may run
    what its own FAILED could not name, such as a recovery image. Undecided while the run goes on, while a report is
    under way or yet to come, if the execution is gone and there was no later one to tell with, and if the journal was
    lost that knew of it; one of the very same identity, still QUEUED, tells whoever is safe as much as that it is gone.

    A success is none if its own execution had begun to write an image, and what ran before still runs: never committed,
    or taken back; if it names, as `version` in its details, one that has never run; if a step that the device had
    announced, as `step` at `progress` 0, never began; or if none did, and it names no version that runs already.
    Whoever takes up once more what he has forgotten, and names what runs, may have found it there; of two executions of
    the very same identity that ask for different things it is undecided which the success is of. A note is none if
    another version runs, and did when the device took the execution that it tells this with, unless it has said in this
    life, or the one before, that it cannot write its journal: then it may not know. The opportunities are a device that
    does not run what it started with, each such success, and each note.

    From the wire, what runs is what the last report of success names as `version` in its details. If that report was
    refused, and no later note explains the version, this is undecided: the device may have taken it back.
    """
    if subject.is_wire:
        return state.so_far.but(_claimed(state.claim)) if state.claim is not None else state.so_far
    ruling = state.so_far
    for each in state.claims:
        if each.is_taken:
            is_shared = each.unless_shared is not None and subject.is_shared(each.unless_shared)
            ruling = ruling.but(may_be_of_another(each) if is_shared else each.finding)
    if not state.brought or state.brought[-1].version == state.first:
        return ruling
    running = state.brought[-1]
    if running.explained or _is_given_up(state, running, subject):
        return ruling.but(None)
    job, version = running.key.job_id if running.key else None, running.version
    if not subject.course.ended or _may_yet_explain(state, running, subject):
        why = f"runs version {version}, which a report or a note may yet explain"
        return ruling.but(undecided(job, why, running.mark))
    if running.forgotten:
        return ruling.but(
            undecided(job, f"runs version {version}, and has lost the journal that knew of it", running.mark)
        )
    message = f"runs version {version}, which no accepted report and no later note explains"
    return ruling.but(violated(job, message, running.mark))


def compared(state: Books, ended: Map[ExecutionKey, int]) -> Compared:
    """When it was told that an execution is over is compared with what the service took of others since."""
    return Compared(tuple(n for n, key in state.taken if is_after_the_end_of_another(ended, n, key)))


def essence(state: Books, past: Past) -> Books:
    """What runs and ran, and what explains it or may yet explain it."""
    reports = (
        VersionReport("", BLANK, each.key, each.status, each.kept, is_taken=True)
        if each.is_taken
        else VersionReport(each.token, BLANK, each.key, each.status, each.kept)
        for each in state.reports
        if each.is_taken or each.token in past.open
    )
    return Books(
        first=state.first,
        brought=tuple(each._replace(mark=BLANK) for each in state.brought),
        running=state.running,
        on_trial=state.on_trial,
        tested=state.tested,
        before_write=by_execution(state.before_write),
        committed=in_order(state.committed),
        reports=in_any_order(reports),
        works=by_execution(state.works),
        may_forget=state.may_forget,
        has_forgotten=state.has_forgotten,
        claims=tuple(
            each._replace(finding=replace(each.finding, events=()))
            for each in state.claims
            if each.finding is not None and not each.is_taken and each.token in past.open
        ),
        taken=tuple((past.told(n), key) for n, key in state.taken if past.told(n)),
    )


def renamed(state: Books, names: Mapping[str, str]) -> Books:
    """An essence with other names for tokens."""
    return state.twin().becomes(
        reports=in_any_order(each._replace(token=names.get(each.token, each.token)) for each in state.reports),
        claims=tuple(each._replace(token=names.get(each.token, each.token)) for each in state.claims),
    )


def _claimed(claim: Running) -> Finding | None:
    if claim.explained:
        return None
    why = f"said that it runs version {claim.version}, which was refused; it may have taken it back since"
    return undecided(claim.key.job_id if claim.key else None, why, claim.mark)


def _is_given_up(state: Books, running: Running, subject: Subject) -> bool:
    """Whether it was told by whom it was brought that this failed, and by the device that it is safe with it.

    Nobody wanted it to run: it was never committed, be it a recovery image or one whose commit failed. Or it does not
    run: the only slot holds it whole, and the device is in its recovery image still.
    """
    runs_committed = running.was_committed and state.running == running.version
    if runs_committed or running.key is None or subject.testimony.phase != "safe":
        return False
    taken = (report for report in state.reports if report.is_taken and report.key == running.key)
    return any(report.status == Status.FAILED for report in taken)


def _may_yet_explain(state: Books, running: Running, subject: Subject) -> bool:
    key, testimony = running.key, subject.testimony
    assert testimony.last is not None, "it has told of what it runs"
    end = testimony.last.at
    for report in state.reports:
        if report.is_over or not report.explains(key, running.version, had_to_stay=running.had_to_stay):
            continue
        has_arrived = testimony.exchanges.get(report.token, NO_EXCHANGE).received is not None
        is_lost = not has_arrived and testimony.arrived_n > report.sent.n
        lost = subject.course.lag.seen_by_device(subject.offset, report.sent.at, end).whole
        if end - report.sent.at - lost <= subject.limits.ready and not is_lost:
            return True
    if key is None:
        return False
    heard = testimony.heard(key)
    told = heard.standing[ENDED] or heard.ended
    if told is None:
        return _may_yet_learn(key, subject)
    return not any(n > told.answer.n and other != key for n, other in state.taken)


def _may_yet_learn(key: ExecutionKey, subject: Subject) -> bool:
    """Whether the execution goes on, or its end is too fresh for a device that is connected to know of it."""
    lives, phase, course = subject.lives_of(key), subject.testimony.phase, subject.course
    if not lives:
        return phase in ("starting", "executing", "trial", "reporting", "suspect", "recovering")
    if phase in ("idle", "safe"):
        # Whoever finds one of the very same identity that nobody has begun has learned that his own is over.
        return phase == "safe" and subject.is_shared(key) and lives[-1].began is None
    if lives[-1].ended is None:
        return True
    ended, ready, span = lives[-1].ended.at, subject.limits.ready, subject.span
    due = ended + ready + course.lag.between(subject.offset, ended, course.cloud_end).whole
    return span is None or not max(span[0] + ready, due) < course.cloud_end <= span[1]


READS: Final[Reads] = {
    HardwareChanged: _changed,
    JournalSpoiled: _spoiled,
    JournalUnwritable: _unwritable,
    DeviceBooted: _booted,
    ExecutionTaken: _took,
    StepStarted: _began,
    StepFinished: _ended,
    VersionCommitted: _committed,
    VersionReverted: _reverted,
    RequestSent: _asked,
    AnswerReceived: _answered,
    RequestAnswered: _answered,
}
SEES: Final = Sight(testimony=("running", "step"), exchange=("request", "sent", "said", "answer", "read"))
