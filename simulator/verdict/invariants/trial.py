"""What new firmware was put through before it was made to stay.

Where the bootloader tries an image and falls back, nothing is lost before the commit: that is what the trial is for.
Where the image is written over the running one, the write commits it before it can run. There the device vouches for
it with its report, and that is what must wait for the test.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from agent.account import DeviceBooted, ExecutionTaken, RequestSent, StepFinished, StepStarted, VersionCommitted
from agent.values import ExecutionKey, Status
from simulator.verdict.findings import HELD, Finding, Run, violated
from simulator.verdict.history import Seen
from simulator.verdict.story import Story

Test: TypeAlias = Seen[StepFinished] | None
"""A self-test that came to an end, passed or not; None if there was none."""


class Made(NamedTuple):
    """Firmware that was made to stay; `report` is the one that vouched for it, where the write had committed it.

    `test` is the last one that could tell something of it by then.
    """

    committed: Seen[VersionCommitted]
    test: Test
    report: Seen[RequestSent] | None = None

    @property
    def is_tested(self) -> bool:
        """Whether its self-test has passed."""
        return self.test is not None and self.test.event.outcome == "done"


def tests_before_commit(story: Story, _run: Run) -> Iterator[Finding]:
    """Firmware on trial committed, or vouched for where its write committed it, with no self-test passed.

    Opportunities are the commits of what is on trial, and of what a write committed the report of success that the
    service accepted. The wire shows neither.
    """
    for made in (*committed_on_trial(story), *_vouched_for(story)):
        if made.is_tested:
            yield HELD
            continue
        version, key = made.committed.event.version, made.committed.event.execution
        deed = "committed" if made.report is None else "reported the success of"
        test = "before its self-test had passed" if made.test is None else "although its self-test had failed"
        shown = (seen for seen in (made.committed, made.test, made.report) if seen is not None)
        yield violated(key.job_id, f"{deed} version {version} {test}", *sorted(shown, key=lambda seen: seen.n))


def committed_on_trial(story: Story) -> Iterator[Made]:
    """Every commit of what the bootloader would otherwise not have booted again.

    The test is one since the machine booted, of whatever execution: until the next boot the same image runs, and one
    that came down after its test has not passed it. A commit of what is not on trial changes nothing; a device that
    lost its power before the last one was on record does it again.
    """
    test: Test = None
    on_trial = False
    for seen in story.device.seen:
        match seen.event:
            case DeviceBooted() as booted:
                on_trial = booted.on_trial
                test = test if booted.why == "restarted" else None  # what the agent before it tested still runs
            case StepFinished() as ended if _tells(ended):
                test = Seen(seen.source, seen.n, seen.at, ended)
            case VersionCommitted() as committed if on_trial:
                yield Made(Seen(seen.source, seen.n, seen.at, committed), test)
                on_trial = False
            case _:
                pass


def _vouched_for(story: Story) -> Iterator[Made]:
    """Every success that stands of an execution whose write committed its image.

    The test is one since then, on whatever boot. A device that takes an execution up which it does not know to have
    worked on finds only that what is asked for runs already, and may say so.
    """
    test: Test = None
    step = ""
    written: dict[ExecutionKey, Seen[VersionCommitted]] = {}
    for seen in story.device.seen:
        match seen.event:
            case StepStarted() as began:
                step = began.step
            case StepFinished() as ended if _tells(ended):
                test = Seen(seen.source, seen.n, seen.at, ended)
            case VersionCommitted(execution=key) as committed if step == "write":
                written[key], test = Seen(seen.source, seen.n, seen.at, committed), None
            case ExecutionTaken(execution=key):
                written.pop(key, None)
            case RequestSent(execution=key, status=Status.SUCCEEDED) as sent if key in written and _stands(story, sent):
                yield Made(written.pop(key), test, Seen(seen.source, seen.n, seen.at, sent))
            case _:
                pass


def _stands(story: Story, sent: RequestSent) -> bool:
    exchange = story.exchanges[sent.client_token]
    return any(told is not None and told.event.accepted for told in (exchange.answered, exchange.answer))


def _tells(ended: StepFinished) -> bool:
    return ended.step == "self-test" and ended.outcome in ("done", "failed")
