"""Whether the device takes what waits for it, judged on the cloud's clock alone, and whether it is alive."""

from collections.abc import Iterator
from typing import Any, Final, cast

from agent.account import (
    DeviceBooted,
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    PhaseChanged,
    RequestSent,
    StepFinished,
    StepStarted,
)
from agent.values import ExecutionKey, Status
from simulator.trace import (
    ClientConnected,
    ClientDisconnected,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestReceived,
)
from simulator.verdict.charging import Charge, Charged, charged
from simulator.verdict.findings import HELD, Finding, Run, undecided, violated
from simulator.verdict.history import Seen, micros
from simulator.verdict.queueing import KEEP_ALIVE_TIMEOUT, Queue, Recovery, walk
from simulator.verdict.stalls import Lost
from simulator.verdict.story import Story

DELIBERATE = ("CLIENT_INITIATED_DISCONNECT", "SERVER_INITIATED_DISCONNECT")
"""Reasons for which a client that vanishes need not come back."""


def ready_in_time(story: Story, run: Run) -> Iterator[Finding]:
    """Not IN_PROGRESS on a next execution within the bound, after the record of one in progress was removed.

    Counted from the latest of: the removal, the connection, the moment when a next execution is queued (a device
    cannot be ready for a job that is not there), and the end of any other that is in progress. If no next one ever
    waited for the device, there was no opportunity; if the run ended before the bound, it is undecided. One that
    reports FAILED what it has not begun is not ready for it, either; REJECTED speaks of the document.

    The wire shows all of this.
    """
    allowed = run.ready_seconds
    for recovery in story.recoveries:
        if recovery.spurned is not None and _meant(story, recovery.spurned.event):
            message = "reported FAILED the next execution, on which it never was IN_PROGRESS"
            yield violated(recovery.removed.event.execution.job_id, message, recovery.removed, recovery.spurned)
            continue
        waits = list(recovery.waits)
        if recovery.waiting_since is not None:
            waits.append((recovery.waiting_since, run.cloud_end))
        since, until, (charge, lost) = _worst(story, run, waits, micros(allowed))
        job, waited = recovery.removed.event.execution.job_id, until - since
        if charge == "too-long":
            yield _not_ready(recovery, waited, allowed)
        elif charge == "undecided":
            why = f"was not ready for {waited / 1_000_000:.3f} s, allowed are {allowed:g} s, but {lost}"
            yield undecided(job, why, recovery.removed, recovery.next, recovery.resumed)
        elif recovery.waiting_since is not None:
            why = f"the run ended {waited / 1_000_000:.3f} s after it could begin the next, allowed are {allowed:g} s"
            yield undecided(job, why, recovery.removed, recovery.next)
        elif recovery.resumed is not None:
            yield HELD


CHARGES: Final[tuple[Charge, ...]] = ("within", "undecided", "too-long")
"""From what is no fault to what is one."""


def _worst(story: Story, run: Run, waits: list[tuple[float, float]], allowed: int) -> tuple[float, float, Charged]:
    """The wait that speaks most against the device: the worst charge, and of those the longest."""
    judged = [(since, until, charged(story, run.lag, since, until, allowed)) for since, until in waits]
    nothing = (0.0, 0.0, Charged("within"))
    return max(judged, key=lambda wait: (CHARGES.index(wait[2].charge), wait[1] - wait[0]), default=nothing)


def _meant(story: Story, failed: ExecutionChanged) -> bool:
    """Whether the device's report was surely for this execution, and not for an earlier one of the same job."""
    reports = (each.sent.event for each in story.exchanges.values() if each.sent.event.status == Status.FAILED)
    if story.wire is not None and sum(_job(life.key) == _job(failed.execution) for life in story.lives) > 1:
        return False
    return not story.shared(failed.execution) and any(sent.execution == failed.execution for sent in reports)


def _job(key: ExecutionKey) -> tuple[str | None, str]:
    return key.namespace_id, key.job_id


def _not_ready(recovery: Recovery, waited: float, allowed: float) -> Finding:
    fate = "was IN_PROGRESS" if recovery.resumed is not None else "was not IN_PROGRESS"
    when = f"only after {waited / 1_000_000:.3f} s" if recovery.resumed is not None else f"after {allowed:g} s"
    message = f"{fate} on the next execution {when}, allowed are {allowed:g} s from when it could be"
    job = recovery.removed.event.execution.job_id
    return violated(job, message, recovery.removed, recovery.next, recovery.resumed)


def no_lost_job(story: Story, run: Run) -> Iterator[Finding]:
    """An execution left pending beyond the bound by a device that is connected and free.

    Free is a device none of whose executions, in any namespace, is in progress, and whose time to recover from a
    removal under it, or from a cancellation, is over. One in SAFE is not free. And an execution that is in progress is
    left pending if the device, at the end, has long been idle, by its own words or because all that it still does,
    hardware and requests, has nothing to do with that execution. Bounds that the run's end cut short are undecided.

    From the wire, executions that are left QUEUED are seen; one in progress may be worked on in silence. A device that
    takes nothing more since it lost an execution may be SAFE, and is not ready, but it has not lost a job for certain.
    """
    safe = _is_safe(story)
    waits = {} if safe else _waits(story, run)
    allowed = micros(run.bounds.lost_job_seconds)
    for life in story.lives:
        wait = waits.pop(life.key, None)
        since, until, (charge, lost) = _worst(story, run, [] if wait is None else wait.spans, allowed)
        waited = (until - since) / 1_000_000
        if charge == "too-long" and story.wire is not None and _may_be_safe(story):
            yield undecided(
                life.key.job_id, "takes nothing more, but may be SAFE, which the wire does not show", life.queued
            )
        elif charge == "too-long":
            yield violated(
                life.key.job_id,
                f"left the execution QUEUED for {waited:.3f} s while "
                f"connected and free; the bound is {run.bounds.lost_job_seconds:g} s",
                life.queued,
            )
        elif charge == "undecided":
            why = f"left the execution QUEUED for {waited:.3f} s, longer than the bound, but {lost}"
            yield undecided(life.key.job_id, why, life.queued)
        elif life.ended is None and life.began is not None:
            yield _left_in_progress(story, life.began, run)
        elif wait is not None and wait.open and not safe:
            why = f"was QUEUED for {waited:.3f} s when the run ended, within the bound"
            yield undecided(life.key.job_id, why, life.queued)
        elif life.began is not None:
            yield HELD


def _is_safe(story: Story) -> bool:
    """Whether it says that it is SAFE, and there is a sign of it: a refused report, or hardware that is not whole."""
    if story.phase != "safe":
        return False
    hardware = story.device.of(HardwareChanged)
    refused = any(
        exchange.sent.event.request == "update" and exchange.answer is not None and not exchange.answer.event.accepted
        for exchange in story.exchanges.values()
    )
    return refused or not hardware or bool(hardware[-1].event.pending) or not hardware[-1].event.bootable


def _may_be_safe(story: Story) -> bool:
    """Whether the last execution that the device began was taken from it."""
    begun = [(life.began.n, life) for life in story.lives if life.began is not None]
    ended = max(begun, key=lambda pair: pair[0])[1].ended if begun else None
    if ended is None:
        return False
    return isinstance(ended.event, ExecutionRemoved) or ended.event.by == "service"


def _left_in_progress(story: Story, began: Seen[ExecutionChanged], run: Run) -> Finding:
    """What to think of an execution whose last known status is IN_PROGRESS."""
    bound = micros(run.bounds.lost_job_seconds)
    idle = _idle_since(story, began.event.execution, bound, run)
    if idle is None or _is_safe(story):
        return HELD
    connected = [seen.at for seen in story.cloud.of(ClientConnected)]
    since = max(story.offset.latest(idle.at), began.at, *connected[-1:])
    asking = any(exchange.answer is None for exchange in list(story.exchanges.values())[-1:])
    if not run.ended or asking or charged(story, run.lag, since, run.cloud_end, bound).charge != "too-long":
        if story.phase != "idle":
            return HELD
        why = "idles with the execution IN_PROGRESS, but the run ended before that had to be over"
        return undecided(began.event.execution.job_id, why, began, idle)
    return violated(began.event.execution.job_id, "left the execution IN_PROGRESS, and idles", began, idle)


def _idle_since(story: Story, key: ExecutionKey, bound: int, run: Run) -> Seen[Any] | None:
    """When the device last had to do with an execution; None if it still has, is not connected, or never had."""
    if story.wire is not None:
        return None
    connected = story.device.of(DeviceConnected)
    end = story.device.seen[-1:]  # whoever is stopped at the end of the run takes leave as the last thing it does
    gone = [seen for seen in story.device.of(DeviceDisconnected) if not (seen.event.planned and seen in end)]
    if not story.concerns(key) or (gone and (not connected or gone[-1].n > connected[-1].n)):
        return None
    if story.phase == "idle":
        return story.device.of(PhaseChanged)[-1]
    if not story.device.of(StepStarted):
        return None  # no account of the hardware: it may be at work
    running: set[tuple[ExecutionKey, str]] = set()
    last: Seen[Any] | None = None
    for seen in story.device.seen:
        match seen.event:
            case StepStarted(execution=about, step=step):
                running.add((about, step))
            case StepFinished(execution=about, step=step):
                running.discard((about, step))
            case DeviceBooted():
                running.clear()
            case _:
                pass
        if isinstance(seen.event, DeviceBooted) or getattr(seen.event, "execution", None) == key:
            last = seen
    if running or last is None:
        return None
    # Who does nothing at all may be dead: see `alive`.
    does_other_things = any(
        sent.at - last.at - run.lag.seen_by_device(story, last.at, sent.at).whole > bound
        for sent in story.device.of(RequestSent)
    )
    return last if does_other_things else None


class _Wait:
    """From when to when one execution waited for a device that was free, and whether it still does."""

    __slots__ = ("open", "since", "spans")

    def __init__(self) -> None:
        self.since: float | None = None
        self.spans: list[tuple[float, float]] = []
        self.open = False

    def until(self, at: float) -> None:
        """Stop waiting."""
        if self.since is not None:
            self.spans.append((self.since, at))
            self.since = None


def _waits(story: Story, run: Run) -> dict[ExecutionKey, _Wait]:
    """The waits of every execution; of two that share an identity, as one."""
    waits: dict[ExecutionKey, _Wait] = {}
    recovers_until = float("-inf")
    grace = micros(run.ready_seconds)
    for seen, queue in walk(story.cloud):
        if _ended_by_service(seen.event):
            recovers_until = seen.at + grace
        for key, wait in waits.items():
            if key not in queue.queued or not queue.awaits_device:
                wait.until(seen.at)
        if queue.awaits_device:
            for key in queue.queued:
                wait = waits.setdefault(key, _Wait())
                if wait.since is None:
                    wait.since = max(seen.at, recovers_until)
    for wait in waits.values():
        wait.open = wait.since is not None
        wait.until(run.cloud_end)
    return waits


def _ended_by_service(event: Event) -> bool:
    match event:
        case ExecutionRemoved():
            return True
        case ExecutionChanged(status=status, by="service"):
            return Status(status).is_terminal
        case _:
            return False


def alive(story: Story, run: Run) -> Iterator[Finding]:
    """A crash, restarts without end, a lapsed keep-alive, or no request for too long while connected with work pending.

    Restarts without end are more of a device's own, by reboot or watchdog, than the bound allows, between which it has
    neither taken an execution nor been done with one.

    A keep-alive may lapse once for each disconnection that the device had planned: a power cut that was meant says
    nothing to the broker. The opportunity is a device that connected.

    From the wire, a keep-alive that lapses may have been a reboot: then it counts only if the device does not come
    back although there is work for it, and does not show itself for as long as it may be silent.
    """
    if not story.device.of(DeviceConnected) and not story.cloud.of(ClientConnected):
        return
    planned = sum(seen.event.planned for seen in story.device.of(DeviceDisconnected))
    lapses = [seen for seen in story.cloud.of(ClientDisconnected) if seen.event.reason == KEEP_ALIVE_TIMEOUT]
    excused = [seen for seen in lapses if _may_have_pinged(story, seen, run)]
    crashes = story.device.of(DeviceCrashed)
    silence, lost = _silence(story, run)
    if crashes:
        yield violated(None, f"the agent crashed: {crashes[0].event.reason}", *crashes)
    elif len(restarts := _restarts_in_vain(story)) > run.bounds.restarts:
        message = f"restarted {len(restarts)} times, and neither took an execution nor was done with one"
        yield violated(None, message, restarts[0], restarts[-1])
    elif story.wire is not None and (gone := _never_came_back(story, run)) is not None:
        yield violated(None, "vanished, and did not come back although there was work for it", gone)
    elif story.wire is not None and lapses:
        yield undecided(None, "its keep-alive lapsed, which from the wire may have been a reboot", *lapses)
    elif len(lapses) - len(excused) > planned:
        charged_with = [seen for seen in lapses if seen not in excused]
        yield violated(None, "sent nothing for longer than its keep-alive", *charged_with[planned:])
    elif len(lapses) > planned:
        yield undecided(None, "its keep-alive lapsed while the processes of the run hardly ran", *excused)
    elif silence is not None and lost is not None:
        why = f"sent nothing for more than {run.bounds.silence_seconds:g} s with work pending, but {lost}"
        yield undecided(None, why, silence)
    elif silence is not None:
        message = f"sent nothing for more than {run.bounds.silence_seconds:g} s, connected and with work pending"
        yield violated(None, message, silence)
    else:
        yield HELD


def _restarts_in_vain(story: Story) -> list[Seen[DeviceBooted]]:
    """The longest row of restarts of the device's own between which it got nowhere with any execution."""
    longest: list[Seen[DeviceBooted]] = []
    row: list[Seen[DeviceBooted]] = []
    for seen in story.device.seen:
        match seen.event:
            case DeviceBooted(why="reboot" | "watchdog") as booted:
                row.append(Seen(seen.source, seen.n, seen.at, booted))
                longest = row if len(row) > len(longest) else longest
            case ExecutionTaken() | ExecutionLeft():
                row = []
            case _:
                pass
    return longest


def _never_came_back(story: Story, run: Run) -> Seen[ClientDisconnected] | None:
    """The loss of the last connection, if work was pending, at the end, for longer than a device may be silent."""
    lost: Seen[ClientDisconnected] | None = None
    has_work = False
    for seen, queue in walk(story.cloud):
        has_work = bool(queue.queued or queue.running)
        if isinstance(seen.event, ClientDisconnected):
            lost = cast("Seen[ClientDisconnected]", seen)
        elif isinstance(seen.event, ClientConnected):
            lost = None
    if lost is None or lost.event.reason in DELIBERATE or not has_work:
        return None
    pending = [life.queued.at for life in story.lives if life.ended is None and life.queued is not None]
    since = max(lost.at, *pending) if pending else lost.at
    too_long = charged(story, run.lag, since, run.cloud_end, micros(run.bounds.silence_seconds)).charge == "too-long"
    return lost if too_long else None


SPARE_MICROS: Final = 15_000_000
"""The broker waits half as long again as a keep-alive, and for the shortest that AWS knows that is so much more."""


def _may_have_pinged(story: Story, lapse: Seen[ClientDisconnected], run: Run) -> bool:
    """Whether a keep-alive lapsed only because the processes had no time for it."""
    heard = [seen.at for seen in story.cloud.seen if seen.n < lapse.n and isinstance(seen.event, SIGNS)]
    return bool(heard) and run.lag.between(story, heard[-1], lapse.at).whole >= SPARE_MICROS


SIGNS = (RequestReceived, ClientConnected)


def _silence(story: Story, run: Run) -> tuple[Seen[Event] | None, Lost | None]:
    """The last entry before the device was silent for too long, if it was; and what may excuse it."""
    doubtful: tuple[Seen[Event] | None, Lost | None] = (None, None)
    for quiet, until in _silences(story, run):
        charge, lost = charged(story, run.lag, quiet.at, until, micros(run.bounds.silence_seconds))
        if charge == "too-long":
            return quiet, None
        if charge == "undecided":
            doubtful = quiet, lost
    return doubtful


def _silences(story: Story, run: Run) -> Iterator[tuple[Seen[Event], int]]:
    """Every entry after which the device was silent for too long, with until when."""
    allowed = micros(run.bounds.silence_seconds)
    quiet_since: Seen[Event] | None = None
    for seen, queue in walk(story.cloud, with_requests=True):
        if quiet_since is not None and seen.at - quiet_since.at > allowed:
            yield quiet_since, seen.at
        if not _has_work(queue):
            quiet_since = None
        elif quiet_since is None or isinstance(seen.event, (RequestReceived, ClientConnected, ExecutionQueued)):
            quiet_since = seen
    if quiet_since is not None and run.cloud_end - quiet_since.at > allowed:
        yield quiet_since, run.cloud_end


def _has_work(queue: Queue) -> bool:
    return queue.awaits_device or (queue.connected_since is not None and bool(queue.running))
