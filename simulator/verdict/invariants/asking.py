"""What a device must have asked before it passes the point of no return."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.device_events import DeviceBooted, ExecutionTaken, StepStarted, VersionCommitted
from agent.values import ExecutionKey
from simulator.verdict.findings import FOUND, Finding, Moment, Reads, Ruling, Subject, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.past import Past, Sight, by_execution
from simulator.verdict.seen import TIMER_SLACK, Mark
from simulator.verdict.state import State
from simulator.verdict.testimony import Testimony

AFTER_THE_LEAP: Final = frozenset({"write", "reboot", "self-test", "commit"})
"""Steps of firmware that may follow its leap."""
EXECUTIONS: Final = 64
"""So many executions are remembered whose firmware is past the leap."""


class Passed(NamedTuple):
    """Firmware that has begun to pass the leap: by a commit, or by a write of the only slot, while `over` ran.

    Until it `is_done` a boot may show that it had not: one that is still on trial or has fallen back, or after a write
    one into what ran before.
    """

    by: str
    over: str
    is_done: bool = False

    def is_refuted(self, booted: DeviceBooted) -> bool:
        """Whether a boot comes up as if it had not begun."""
        is_same = booted.version == self.over
        as_before = booted.on_trial or not is_same if self.by == "commit" else is_same
        return as_before and not self.is_done


class Leap(NamedTuple):
    """A leap without an answer: a violation unless the process had not run for so long when it began to wait.

    `unless_shared`: nor is it one if another execution had this identity. `finding` is None if it was answered.
    """

    finding: Finding | None
    key: ExecutionKey
    since: int = 0
    waited: int = 0
    unless_shared: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Leaps(State):
    """Those that were allowed, and the others; and what runs, and whose firmware is past the leap.

    `brought` is what runs if it was written over the only slot, whosever it was.
    """

    held: int = 0
    others: tuple[Leap, ...] = ()
    running: str = ""
    brought: str = ""
    passed: Map[ExecutionKey, Passed] = EMPTY


def _booted(state: Leaps, now: Moment) -> None:
    version = state.running = now.event.version
    is_brought = any(passed.by == "write" and passed.over != version for passed in state.passed.values())
    state.brought = version if is_brought or state.brought == version else ""
    state.passed = state.passed.only(lambda _key, passed: not passed.is_refuted(now.event))


def _took(state: Leaps, now: Moment) -> None:
    """Whoever takes it once more begins anew."""
    state.passed = state.passed.without(now.event.execution)


def _committed(state: Leaps, now: Moment) -> None:
    passed = state.passed.get(now.event.execution)
    if passed is not None:
        state.passed = state.passed.put(now.event.execution, passed._replace(is_done=True))


def _is_behind(state: Leaps, key: ExecutionKey, step: str) -> bool:
    """Whether a step of firmware comes after the leap: its own execution's, or that of whoever wrote what it tests."""
    if step not in AFTER_THE_LEAP:
        return False
    return key in state.passed or (step == "self-test" and state.brought != "")


def _began(state: Leaps, now: Moment) -> None:
    testimony, key, at = now.testimony, now.event.execution, now.mark.at
    by = now.event.step.split()[0]
    if now.event.reversible or _is_behind(state, key, by):
        return
    if by in ("write", "commit"):
        state.passed = state.passed.put(key, Passed(by, state.running), EXECUTIONS)
    forward = testimony.forward(key, now.record)
    if forward == "yes":
        return
    cause = _last_cause(testimony, key)
    asked_after = 0 if cause is None else cause.n
    since = at if testimony.done_at is None else testimony.done_at
    policy = now.limits.leap_unanswered
    is_held = testimony.heard(key).alive_asked > asked_after
    is_held = is_held or (policy is not None and at - since + TIMER_SLACK >= policy)
    if is_held and forward == "no":
        state.held += 1
        return
    since_when = "since it last had a reason to ask" if cause is not None else "at all"
    message = f"began the irreversible step '{now.event.step}' without an answer about this execution {since_when}"
    finding = None if is_held else violated(key.job_id, message, cause, now.mark)
    leap = Leap(finding, key, since, at - since, forward == "if-shared")
    state.others = (*state.others, leap)[:FOUND]


READS: Final[Reads] = {
    DeviceBooted: _booted,
    ExecutionTaken: _took,
    StepStarted: _began,
    VersionCommitted: _committed,
}
SEES: Final = Sight(
    testimony=("hints", "connected", "done_at"),
    heard=("alive_asked", "leapt", "over", "queued_again", "digests"),
    record=("uses",),
)


def essence(state: Leaps, past: Past) -> Leaps:
    """Whose firmware is past it; a leap is allowed or not when it is made."""
    passed = by_execution(state.passed.only(lambda key, _passed: not past.is_left(key)))
    return Leaps(running=state.running, brought=state.brought, passed=passed)


def _last_cause(testimony: Testimony, key: ExecutionKey) -> Mark | None:
    """What last gave the device a reason to ask about `key` again: a hint, or its connection."""
    causes = [mark for mark in (testimony.hints.get(key.namespace_id), testimony.connected) if mark is not None]
    return max(causes, key=lambda mark: mark.n, default=None)


def rule(state: Leaps, subject: Subject) -> Ruling:
    """The point of no return, crossed without an answer that found this very execution pending.

    The question must have been put after the last hint in the execution's namespace and the last (re)connection that
    the device processed before the leap; what it had been asked before says nothing about what they hint at. Describe
    and start-next name what they found; an accepted update does not. A recovery past the leap has no choice, nor has
    firmware that is past it: whatever the answer, it would go on. So is the self-test of what runs and was written
    over the only slot, for whichever execution: it changes nothing. Of programs each is a leap of its own. Whose
    policy it is to leap unanswered may do so once no answer has come for as long as the policy says.

    From the wire this cannot be judged: it does not show which step cannot be taken back, nor when one begins.
    """
    policy, devices = subject.limits.leap_unanswered, subject.course.lag.devices
    found: list[Finding | None] = []
    for leap in state.others:
        if leap.unless_shared and subject.is_shared(leap.key):
            continue
        waited = leap.waited + TIMER_SLACK
        has_waited = policy is not None and waited + devices.before(leap.since) >= policy
        found.append(None if has_waited else leap.finding)
    return Ruling(state.held).but(*found)
