"""What a device must ask before it goes on, or gives up."""

from collections.abc import Iterator
from typing import Any

from agent.account import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    DeviceEvent,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    PhaseChanged,
    RequestSent,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
)
from agent.values import ExecutionKey, Status
from simulator.trace import Event
from simulator.verdict.findings import HELD, Finding, Run, undecided, violated
from simulator.verdict.history import TIMER_SLACK, Seen, micros
from simulator.verdict.story import News, Story, omits


def asks_before_leap(story: Story, run: Run) -> Iterator[Finding]:
    """The point of no return, crossed without an answer that found this very execution pending.

    The question must have been put after the last hint in the execution's namespace and the last (re)connection that
    the device processed before the leap; what it had been asked before says nothing about what they hint at. Describe
    and start-next name what they found; an accepted update does not. A recovery past the leap has no choice. Whose
    policy it is to leap unanswered may do so once no answer has come for as long as the policy says.

    From the wire this cannot be judged: it does not show which step cannot be taken back, nor when one begins.
    """
    if story.wire is not None:
        return
    for leap in story.device.of(StepStarted):
        if leap.event.reversible or story.finishes_forward(leap):
            continue
        key = leap.event.execution
        cause = _last_cause(story, key, leap.n)
        asked_after = 0 if cause is None else cause.n
        if any(news.sent.n > asked_after for news in story.signs_of_life(key, leap.n)) or _may_leap(story, leap, run):
            yield HELD
        else:
            since = f"since '{cause.event.type}'" if cause is not None else "at all"
            message = f"began the irreversible step '{leap.event.step}' without an answer about this execution {since}"
            yield violated(key.job_id, message, cause, leap)


def _may_leap(story: Story, leap: Seen[StepStarted], run: Run) -> bool:
    """Whether the device had waited in vain, since its last step or answer, for as long as its policy says."""
    if story.leap_unanswered is None:
        return False
    before: tuple[Seen[Any], ...] = (*story.device.of(StepFinished), *story.device.of(AnswerReceived))
    since = max((seen.at for seen in before if seen.n < leap.n), default=leap.at)
    waited: int = leap.at - since
    return waited + TIMER_SLACK + run.lag.devices.before(since) >= micros(story.leap_unanswered)


def _last_cause(story: Story, key: ExecutionKey, before: int) -> Seen[HintReceived | DeviceConnected] | None:
    """What last gave the device a reason to ask about `key` again."""
    hints = (hint for hint in story.device.of(HintReceived) if hint.event.namespace_id == key.namespace_id)
    all_causes: tuple[Seen[HintReceived | DeviceConnected], ...] = (*hints, *story.device.of(DeviceConnected))
    causes = [seen for seen in all_causes if seen.n < before]
    return max(causes, key=lambda seen: seen.n, default=None)


def no_false_abort(story: Story, run: Run) -> Iterator[Finding]:
    """An execution abandoned without any answer that it ended: a hint is no proof.

    Abandoned is an execution of which the hardware stops or undoes a step, or, by its own words, one that the device
    recovers from, or leaves as recovered or kept. One that failed, or whose firmware fell back before it was committed,
    or that the device reports FAILED or REJECTED with details that can give the reason, is not abandoned; if the
    account ends before that report could be due, this is undecided. Nor is one whose device loses its memory before it
    has done anything about that, and goes on with it. But one that the device, by its own words, believes
    to be over is abandoned, however it reports that. After a report of success a terminal state may be the device's
    own: then a code that hides which one it is, or that names SUCCEEDED, is no such answer.

    Opportunities are abandonments, and hints that did not name the execution in hand.

    From the wire this cannot be judged: a device that has given up looks like one that works in silence. If it leaves
    the execution IN_PROGRESS for good, the next one waits.
    """
    if story.wire is not None:
        return
    yield from (HELD for _ in _hints_to_resist(story))
    excused = _ended_by_device(story)
    abandoned: set[tuple[ExecutionKey, int]] = set()
    takings: dict[ExecutionKey, int] = {}
    for seen in story.device.seen:
        if isinstance(seen.event, ExecutionTaken):
            takings[seen.event.execution] = takings.get(seen.event.execution, 0) + 1
        key = _abandons(seen.event)
        if key is None or (key, takings.get(key, 0)) in abandoned:
            continue
        if (key in excused and not isinstance(seen.event, ExecutionGone)) or _forgot(story, key, seen):
            continue
        abandoned.add((key, takings.get(key, 0)))
        if _may_abandon(story, key, seen.n) or _fell_back(story, key, seen.n):
            yield HELD
        elif story.shared(key) or _fails_just_now(story, seen, key, run):
            why = "two executions share this identity" if story.shared(key) else "a report with the reason may yet come"
            yield undecided(key.job_id, f"gave up the execution ('{seen.event.type}'); {why}", seen)
        else:
            hints = [hint for hint in story.device.of(HintReceived) if hint.n < seen.n and omits(hint.event, key)]
            message = f"abandoned the execution ('{seen.event.type}') without an answer that it ended"
            yield violated(key.job_id, message, hints[-1] if hints else None, seen)


def _may_abandon(story: Story, key: ExecutionKey, before: int) -> bool:
    """Whether an answer had said that the execution ended, and not by the device's own success."""
    succeeded = any(
        sent.event.execution == key and sent.event.status == Status.SUCCEEDED and sent.n < before
        for sent in story.device.of(RequestSent)
    )

    def counts(news: News) -> bool:
        if not succeeded or news.says in ("gone", "superseded"):
            return True
        return news.says == "reported" and news.answer.event.status != Status.SUCCEEDED

    return story.may_think_it_over(key, before, counts)


def _fell_back(story: Story, key: ExecutionKey, before: int) -> bool:
    """Whether the bootloader had gone back from this execution's firmware, which was never committed."""
    since = max((seen.n for seen in story.device.of(ExecutionTaken) if seen.event.execution == key), default=before)
    boots = [seen for seen in story.device.of(DeviceBooted) if since < seen.n < before]
    if not boots or boots[-1].event.on_trial:
        return False
    commits = [seen.n for seen in story.device.of(VersionCommitted) if seen.event.execution == key]
    reboots = [
        step.n
        for step in story.device.of(StepStarted)
        if step.event.execution == key and step.event.step == "reboot" and step.event.reversible
    ]
    was_tried = any(boot.event.on_trial for boot in boots) or any(since < n < boots[-1].n for n in reboots)
    return was_tried and not any(since < n < before for n in commits)


def _forgot(story: Story, key: ExecutionKey, seen: Seen[Event]) -> bool:
    """Whether the device only began to recover, restarted before it took anything back, and went on with its work."""
    if not isinstance(seen.event, PhaseChanged):
        return False
    restarted = False
    for later in story.device.seen:
        match later.event:
            case _ if later.n <= seen.n:
                pass
            case DeviceBooted():
                restarted = True
            case PhaseChanged(execution=about, phase=phase) if restarted and about == key:
                return phase in ("suspect", "executing", "trial")
            case event if _abandons(event) == key:
                return False
            case _:
                pass
    return False


def _fails_just_now(story: Story, abandoned: Seen[Event], key: ExecutionKey, run: Run) -> bool:
    """Whether the account ends in the middle of this, so that a report with the reason may still come."""
    left = any(seen.n > abandoned.n and seen.event.execution == key for seen in story.device.of(ExecutionLeft))
    end = story.device.seen[-1].at
    since = end - abandoned.at - run.lag.seen_by_device(story, abandoned.at, end).whole
    return not left and since <= micros(run.ready_seconds)


def _abandons(event: Event) -> ExecutionKey | None:
    """The execution that this gives up, if it does."""
    match event:
        case StepUndone(execution=key) | PhaseChanged(execution=key, phase="recovering"):
            return key
        case StepFinished(execution=key, outcome="stopped"):
            return key
        case ExecutionLeft(execution=key, outcome="recovered" | "kept") | ExecutionGone(execution=key):
            return key
        case _:
            return None


def _ended_by_device(story: Story) -> set[ExecutionKey]:
    """The executions that failed on the device, or that it gave up by telling the service why.

    Or was about to, once it had recovered: it may ask first, and hear that there is nobody left to be told.
    """
    failed = {step.event.execution for step in story.device.of(StepFinished) if step.event.outcome == "failed"}
    reported = {
        sent.event.execution
        for sent in story.device.of(RequestSent)
        if sent.event.execution and sent.event.status in (Status.FAILED, Status.REJECTED) and sent.event.details
    }
    turned_to_report = {
        changed.event.execution
        for changed in story.device.of(PhaseChanged)
        if changed.event.execution and (changed.event.was, changed.event.phase) == ("recovering", "reporting")
    }
    return failed | reported | turned_to_report


def _hints_to_resist(story: Story) -> Iterator[Seen[DeviceEvent]]:
    in_hand: set[ExecutionKey] = set()
    for seen in story.device.seen:
        match seen.event:
            case ExecutionTaken(execution=key):
                in_hand.add(key)
            case ExecutionLeft(execution=key):
                in_hand.discard(key)
            case HintReceived() as hint:
                for key in in_hand:
                    if omits(hint, key):
                        yield Seen(seen.source, seen.n, seen.at, hint)
            case _:
                pass
