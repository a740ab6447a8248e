"""What new firmware was put through before it was made to stay.

Where the bootloader tries an image and falls back, nothing is lost before the commit: that is what the trial is for.
Where the image is written over the running one, the write commits it before it can run. There the device vouches for
it with its report, and that is what must wait for the test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    ExecutionTaken,
    RequestSent,
    StepFinished,
    StepStarted,
    VersionCommitted,
)
from agent.values import ExecutionKey, Status
from simulator.trace import RequestAnswered
from simulator.verdict.findings import (
    FOUND,
    NOTHING_YET,
    Finding,
    Moment,
    Reads,
    Ruling,
    Subject,
    undecided,
    violated,
)
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.past import BLANK, Past, Sight, by_execution, in_order
from simulator.verdict.seen import Mark
from simulator.verdict.state import State

VOUCHES: Final = 32
"""So many reports of success, and images that a write has committed, are remembered."""


class SelfTest(NamedTuple):
    """A self-test that came to an end."""

    mark: Mark
    passed: bool


class Vouched(NamedTuple):
    """A report of success for what a write had committed, with the last test that could tell something of it by then.

    It counts once it is accepted, and then no later one does for the same image. `unless_shared`: an execution that was
    taken with another document since, which may be another one, of the very same identity.
    """

    token: str
    committed: Mark
    finding: Finding | None
    is_accepted: bool = False
    unless_shared: ExecutionKey | None = None


class WrittenImage(NamedTuple):
    """What a write has committed; `is_asked_other`: its execution was taken with another document since."""

    mark: Mark
    version: str
    is_asked_other: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Tested(State):
    """The last self-test since the machine booted, and since an image was written over the running one."""

    running: str = ""
    on_trial: bool = False
    test: SelfTest | None = None
    step: str = ""
    test_since_write: SelfTest | None = None
    digests: Map[ExecutionKey, str] = EMPTY
    """With which document an execution was taken last."""
    written: Map[ExecutionKey, WrittenImage] = EMPTY
    committed: Ruling = NOTHING_YET
    vouched: tuple[Vouched, ...] = ()
    vouched_before: Ruling = NOTHING_YET


def _booted(state: Tested, now: Moment) -> None:
    # What an agent that was only restarted has tested before still runs.
    state.running = now.event.version
    state.on_trial, state.test = now.event.on_trial, state.test if now.event.why == "restarted" else None


def _began(state: Tested, now: Moment) -> None:
    state.step = now.event.step


def _ended(state: Tested, now: Moment) -> None:
    if now.event.step == "self-test" and now.event.outcome in ("done", "failed"):
        state.test = state.test_since_write = SelfTest(now.mark, now.event.outcome == "done")


def _took(state: Tested, now: Moment) -> None:
    key, digest = now.event.execution, now.event.digest
    image = state.written.get(key)
    if image is not None and state.digests.get(key, digest) != digest:
        state.written = state.written.put(key, image._replace(is_asked_other=True))
    state.digests = state.digests.put(key, digest, VOUCHES)


def _committed(state: Tested, now: Moment) -> None:
    version, key = now.event.version, now.event.execution
    if state.on_trial:
        finding = _untested(key, f"committed version {version}", state.test, now.mark)
        state.committed, state.on_trial = state.committed.but(finding), False
    elif state.step != "write" and state.running not in ("", version):
        why = f"committed version {version} before it was booted; version {state.running} runs"
        state.committed = state.committed.but(violated(key.job_id, why, now.mark))
    if state.step == "write":
        state.written = state.written.put(key, WrittenImage(now.mark, version), VOUCHES)
        state.test_since_write = None


def _untested(key: ExecutionKey, deed: str, test: SelfTest | None, *shown: Mark) -> Finding | None:
    if test is not None and test.passed:
        return None
    result = "before its self-test had passed" if test is None else "although its self-test had failed"
    marks = (*shown, test.mark) if test is not None else shown
    return violated(key.job_id, f"{deed} {result}", *sorted(marks, key=lambda mark: mark.n))


def _asked(state: Tested, now: Moment) -> None:
    key = now.event.execution
    if now.event.status != Status.SUCCEEDED or key not in state.written:
        return
    image = state.written[key]
    deed = f"reported the success of version {image.version}"
    finding = _untested(key, deed, state.test_since_write, image.mark, now.mark)
    accepted = now.exchange is not None and now.exchange.stands
    unless_shared = key if finding and image.is_asked_other else None
    vouched = (*state.vouched, Vouched(now.event.client_token, image.mark, finding, accepted, unless_shared))
    if len(vouched) > VOUCHES and vouched[0].is_accepted and vouched[0].unless_shared is None:
        state.vouched_before = state.vouched_before.but(vouched[0].finding)
    state.vouched = vouched[-VOUCHES:]


def _answered(state: Tested, now: Moment) -> None:
    token = now.event.client_token
    if state.vouched and now.exchange is not None and now.exchange.stands:
        state.vouched = tuple(
            each._replace(is_accepted=True) if each.token == token else each for each in state.vouched
        )


def essence(state: Tested, past: Past) -> Tested:
    """Whether the last tests passed, which images a write has committed, and who may yet vouch for one, or did."""
    images = sorted({image.mark for image in state.written.values()} | {each.committed for each in state.vouched})
    names = {mark: Mark("", index - len(images), 0) for index, mark in enumerate(images)}
    there = {image.mark for image in state.written.values()}
    vouched = [
        Vouched("", names[each.committed], None, True)
        if each.is_accepted
        else each._replace(committed=names[each.committed], finding=each.finding and replace(each.finding, events=()))
        for each in state.vouched
        if each.token in past.open or (each.is_accepted and each.committed in there)
    ]
    return Tested(
        state.running,
        state.on_trial,
        state.test and SelfTest(BLANK, state.test.passed),
        "write" if state.step == "write" else "",
        SelfTest(BLANK, state.test_since_write.passed) if state.test_since_write and state.written else None,
        by_execution(state.digests),
        Map((key, _named(state.written[key], names)) for key in in_order(state.written)),
        vouched=tuple(dict.fromkeys(vouched)),
    )


def renamed(state: Tested, names: Mapping[str, str]) -> Tested:
    """An essence with other names for tokens."""
    vouched = tuple(each._replace(token=names.get(each.token, each.token)) for each in state.vouched)
    return state.twin().becomes(vouched=vouched)


def _named(image: WrittenImage, names: dict[Mark, Mark]) -> WrittenImage:
    return image._replace(mark=names[image.mark])


def _that_count(vouched: tuple[Vouched, ...]) -> list[Vouched]:
    found: dict[Mark, Vouched] = {}
    for each in vouched:
        if each.is_accepted:
            found.setdefault(each.committed, each)
    return list(found.values())


def _may_be_of_another(each: Vouched, subject: Subject) -> Finding | None:
    """What is found; undecided, where another execution has the identity of the one that wrote the image."""
    key, found = each.unless_shared, each.finding
    if key is None or found is None or not subject.is_shared(key):
        return found
    return replace(undecided(key.job_id, f"{found.message}; two executions share this identity"), events=found.events)


def rule(state: Tested, subject: Subject) -> Ruling:
    """Firmware on trial committed, or vouched for where its write committed it, with no self-test passed.

    Opportunities are the commits of what is on trial or does not run yet, and of what a write committed the report of
    success that the service accepted. The wire shows neither.

    On trial, the test is one since the machine booted, of whatever execution: until the next boot the same image runs,
    and one that came down after its test has not passed it. What does not run yet cannot have passed any. A commit of
    what runs, and is not on trial, changes nothing; a device that lost its power before the last one was on record does
    it again. What a write committed is tested since then, on whatever boot: also by a device that has forgotten that it
    wrote it, and finds that what is asked for runs. Of two executions of the very same identity that ask for different
    things it is undecided which the success is of.
    """
    findings = (*state.committed.findings, *state.vouched_before.findings)
    vouched = (_may_be_of_another(each, subject) for each in _that_count(state.vouched))
    return Ruling(state.committed.held + state.vouched_before.held, findings[:FOUND]).but(*vouched)


READS: Final[Reads] = {
    DeviceBooted: _booted,
    StepStarted: _began,
    StepFinished: _ended,
    VersionCommitted: _committed,
    ExecutionTaken: _took,
    RequestSent: _asked,
    RequestAnswered: _answered,
    AnswerReceived: _answered,
}
SEES: Final = Sight(exchange=("said", "read"))
