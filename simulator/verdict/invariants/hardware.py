"""What became of the machine itself: whether it boots, and whether what it runs is known."""

from collections.abc import Iterator

from agent.account import (
    DeviceBooted,
    ExecutionTaken,
    HardwareChanged,
    PhaseChanged,
    PowerLost,
    RequestSent,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey, Status
from simulator.verdict.findings import HELD, Finding, Run, undecided, violated
from simulator.verdict.history import Exchange, Seen, micros
from simulator.verdict.invariants.trial import committed_on_trial
from simulator.verdict.story import Says, Story

VERSION = "version"
"""The key under which our own agents, and whoever follows them, say what they have installed."""

CHANGES = (HardwareChanged, StepStarted, StepFinished, StepUndone, DeviceBooted)
"""What shows that the hardware is at work."""

OVER: frozenset[Says] = frozenset({"gone", "terminal"})
KEPT = "kept"
"""The key of statusDetails under which a device owns up to a version that it runs although its execution is gone."""


def bootable(story: Story, run: Run) -> Iterator[Finding]:
    """Nothing whole to boot from at some instant, or something half done at rest.

    At rest is a device that by its own words has become idle or safe with no step running, or is so at the end of
    the run. One that says nothing rests if, at the end, neither its hardware nor any execution of it has been at work
    for so long that it must be ready. Opportunities are all changes of the hardware, and each rest after some.

    The wire does not show it; a device that does not boot is one that never comes back, and so not alive.
    """
    last: Seen[HardwareChanged] | None = None
    rested = True
    resting: Seen[PhaseChanged] | None = None
    running: set[tuple[ExecutionKey, str]] = set()
    job: str | None = None  # the one that it has or had last, by whose work it came to this
    for seen in story.device.seen:
        match seen.event:
            case ExecutionTaken(execution=key):
                job = key.job_id
            case HardwareChanged() as hardware:
                last, rested = Seen(seen.source, seen.n, seen.at, hardware), False
                message = f"had nothing whole to boot from, at version {hardware.version}"
                yield HELD if hardware.bootable else violated(job, message, last)
            case StepStarted(execution=key, step=step):
                running.add((key, step))
            case DeviceBooted():
                running.clear()  # nothing of what ran before goes on
            case StepFinished(execution=key, step=step):
                running.discard((key, step))
            case PhaseChanged() as phase:
                resting = Seen(seen.source, seen.n, seen.at, phase) if phase.phase in ("idle", "safe") else None
                if resting is not None and last is not None and not rested and not running:
                    yield _at_rest(last, resting, job)
                    rested = True
            case _:
                pass
    if not run.ended or last is None or rested or running:
        return
    if resting is not None:
        yield _at_rest(last, resting, job)
    elif last.event.pending and (long_over := _must_rest(story, run)) is not None:
        if long_over:
            yield violated(job, f"has {', '.join(last.event.pending)} half done, and nothing to do with it", last)
        else:
            why = f"has {', '.join(last.event.pending)} half done, but the run ended before that had to be over"
            yield undecided(job, why, last)


def _must_rest(story: Story, run: Run) -> bool | None:
    """Whether all work has been over for long at the end, while connected; None if some is not over."""
    power = [seen for kind in (PowerLost, DeviceBooted) for seen in story.device.of(kind)]
    is_off = bool(power) and isinstance(max(power, key=lambda seen: seen.n).event, PowerLost)
    if is_off or not story.lives or any(life.ended is None for life in story.lives):
        return None
    bound = micros(run.ready_seconds)
    ends = [life.ended.at for life in story.lives if life.ended is not None]
    connected = any(start <= run.cloud_end - bound and end >= run.cloud_end for start, end in story.connected_spans)
    last_change = max(seen.at for kind in CHANGES for seen in story.device.of(kind))
    last_word = story.device.seen[-1].at
    quiet = last_word - last_change - run.lag.seen_by_device(story, last_change, last_word).whole
    over = run.cloud_end - max(ends) - run.lag.between(story, max(ends), run.cloud_end).whole
    return connected and quiet > bound and over > bound


def _at_rest(last: Seen[HardwareChanged], resting: Seen[PhaseChanged], job: str | None) -> Finding:
    if not last.event.pending:
        return HELD
    message = f"is {resting.event.phase} with {', '.join(last.event.pending)} half done"
    return violated(job, message, *sorted((last, resting), key=lambda seen: seen.n))


def no_double_apply(story: Story, _run: Run) -> Iterator[Finding]:
    """One execution committed twice, with no revert between.

    Two executions that were queued within the same second share an identity; if the cloud told of two, or, where its
    account does not tell, the device took two documents under it, this is undecided. Another version is certainly
    another execution. Opportunities are commits.

    The wire does not show it; a device that does a finished execution once more sends updates for it that are refused.
    """
    standing: dict[tuple[ExecutionKey, str], Seen[VersionCommitted]] = {}
    for seen in story.device.seen:
        match seen.event:
            case VersionReverted(execution=key, version=version):
                standing.pop((key, version), None)
            case VersionCommitted(execution=key, version=version) as committed:
                this = Seen(seen.source, seen.n, seen.at, committed)
                earlier = standing.setdefault((key, version), this)
                if earlier is this:
                    yield HELD
                elif story.shared(key):
                    yield undecided(key.job_id, "two executions share this identity", earlier, this)
                elif _redone(story, earlier, this):
                    yield HELD
                else:
                    yield violated(key.job_id, f"committed version {version} twice", earlier, this)
            case _:
                pass


def _redone(story: Story, earlier: Seen[VersionCommitted], again: Seen[VersionCommitted]) -> bool:
    """Whether a restart came between, after which the device did the interrupted step again and no other before it.

    What was done and not yet on record when the power went is done once more: that is no second application.
    """
    boots = [seen.n for seen in story.device.of(DeviceBooted) if earlier.n < seen.n < again.n]
    if not boots:
        return False
    steps = [step for step in story.device.of(StepStarted) if step.event.execution == again.event.execution]
    before = [step.event.step for step in steps if step.n < earlier.n]
    since = {step.event.step for step in steps if boots[-1] < step.n < again.n}
    return bool(before) and since <= {before[-1]}


def accounted_for(story: Story, run: Run) -> Iterator[Finding]:
    """A version that runs at the end and that no accepted report and no later note explains, or a success that is none.

    A report is an accepted SUCCEEDED of the execution that brought the version; a note is its FAILED, or an accepted
    update or start-next of a later one, whose details say `kept`: VERSION. Its own FAILED explains nothing if the
    version was on trial and had not passed its self-test: then nobody had to keep it. Undecided while the run goes on,
    while a report is under way or yet to come, and if the execution is gone and there was no later one to tell with.
    A success is none if its own execution had begun to write an image, and what ran before still runs: never committed,
    or taken back. The opportunities are a device that does not run what it started with, and each such success.

    From the wire, what runs is what the last report of success names as `version` in its details. If that report was
    refused, and no later note explains the version, this is undecided: the device may have taken it back.
    """
    if story.wire is not None:
        yield from _accounted_for_by_the_wire(story)
        return
    yield from _successes(story)
    first, change = _running_version(story)
    if change is None or change.event.version == first:
        return
    version = change.event.version
    key = change.event.execution if isinstance(change.event, VersionCommitted) else _brought_by(story, change.n)
    updates = [each for each in story.exchanges.values() if each.sent.event.request in ("update", "start-next")]
    had_to_stay = all(made.is_tested for made in committed_on_trial(story) if made.committed.n == change.n)
    explaining = [each for each in updates if _explains(each.sent.event, key, version, had_to_stay=had_to_stay)]
    if any(_accepted(exchange) for exchange in explaining):
        yield HELD
    elif not run.ended or _may_yet_explain(story, run, key, explaining, updates):
        job = key.job_id if key else None
        yield undecided(job, f"runs version {version}, which a report or a note may yet explain", change)
    else:
        message = f"runs version {version}, which no accepted report and no later note explains"
        yield violated(key.job_id if key else None, message, change)


def _successes(story: Story) -> Iterator[Finding]:
    """Every accepted report of success by an execution that had begun to write an image."""
    version: str | None = None
    found: dict[ExecutionKey, str | None] = {}
    committed: set[ExecutionKey] = set()
    for seen in story.device.seen:
        match seen.event:
            case HardwareChanged(version=running) | DeviceBooted(version=running):
                version = running or version
            case StepStarted(execution=key, step="write"):
                found.setdefault(key, version)
            case VersionCommitted(execution=key):
                committed.add(key)
            case VersionReverted(execution=key):
                committed.discard(key)
            case RequestSent(client_token=token, execution=key, status=Status.SUCCEEDED) if key in found:
                exchange = story.exchanges[token]
                if not _accepted(exchange):
                    continue
                if key in committed or version is None or version != found[key]:
                    yield HELD
                else:
                    message = f"reported success, but still runs version {version}, which ran before"
                    yield violated(key.job_id, message, exchange.sent)
            case _:
                pass


def _accounted_for_by_the_wire(story: Story) -> Iterator[Finding]:
    updates = [each for each in story.exchanges.values() if each.sent.event.request in ("update", "start-next")]
    claims = [
        (exchange, version)
        for exchange in updates
        if exchange.sent.event.status == Status.SUCCEEDED
        and (version := dict(exchange.sent.event.details or ()).get(VERSION)) is not None
    ]
    if claims:
        claim, version = claims[-1]
        key = claim.sent.event.execution
        explained = any(_explains(each.sent.event, key, version) and _accepted(each) for each in updates)
        why = f"said that it runs version {version}, which was refused; it may have taken it back since"
        yield HELD if explained else undecided(key.job_id if key else None, why, claim.sent)


def _running_version(
    story: Story,
) -> tuple[str | None, Seen[VersionCommitted] | Seen[HardwareChanged] | None]:
    """The version at first, None if it was never told, and what brought the one that runs now."""
    first: str | None = None
    brought: list[Seen[VersionCommitted] | Seen[HardwareChanged]] = []
    for seen in story.device.seen:
        match seen.event:
            case HardwareChanged(version=version) as changed if version:  # without one, nothing runs at all
                if not brought:
                    first = first or version
                if _ends_trial(brought, version):
                    brought.pop()
                if not brought or brought[-1].event.version != version:
                    brought.append(Seen(seen.source, seen.n, seen.at, changed))
            case VersionCommitted() as committed:
                brought.append(Seen(seen.source, seen.n, seen.at, committed))
            case VersionReverted(version=version):
                while brought and brought[-1].event.version == version:
                    brought.pop()
            case _:
                pass
    return first, brought[-1] if brought else None


def _ends_trial(brought: list[Seen[VersionCommitted] | Seen[HardwareChanged]], version: str) -> bool:
    """Whether `version` ran before the one that runs now, which was never committed."""
    if len(brought) < 2 or isinstance(brought[-1].event, VersionCommitted):
        return False
    return brought[-1].event.version != version == brought[-2].event.version


def _brought_by(story: Story, before: int) -> ExecutionKey | None:
    """The execution whose step last began before a change of version that no commit announced."""
    steps = [step.event.execution for step in story.device.of(StepStarted) if step.n < before]
    return steps[-1] if steps else None


def _explains(sent: RequestSent, key: ExecutionKey | None, version: str, *, had_to_stay: bool = True) -> bool:
    noted = (KEPT, version) in (sent.details or ())
    if key is not None and sent.execution == key:
        return sent.status == Status.SUCCEEDED or (sent.status == Status.FAILED and noted and had_to_stay)
    return noted


def _accepted(exchange: Exchange) -> bool:
    """Whether the service took the details, known from its own account or from what the device read.

    A start-next that found nothing to start left none.
    """
    answered = exchange.answered.event if exchange.answered is not None else None
    answer = exchange.answer.event if exchange.answer is not None else None
    if exchange.sent.event.request == "start-next":
        return any(told is not None and told.accepted and told.execution is not None for told in (answered, answer))
    if answered is not None and answered.accepted:
        return True
    return answer is not None and (answer.accepted or answer.status == Status.SUCCEEDED)


def _may_yet_explain(
    story: Story, run: Run, key: ExecutionKey | None, explaining: list[Exchange], updates: list[Exchange]
) -> bool:
    end = story.device.seen[-1]
    if any(
        exchange.answered is None
        and exchange.answer is None
        and _is_fresh(story, run, exchange.sent.at, end.at)
        and not _is_lost(story, exchange)
        for exchange in explaining
    ):
        return True
    told = story.told(key, end.n + 1, enough=OVER) if key is not None else None
    if told is None:
        return key is not None and _may_yet_learn(story, run, key)
    later = (
        exchange for exchange in updates if exchange.sent.n > told.answer.n and exchange.sent.event.execution != key
    )
    return not any(_accepted(exchange) for exchange in later)


def _is_fresh(story: Story, run: Run, since: int, until: int) -> bool:
    """Whether so little of the device's time has passed that it need not be ready."""
    lost = run.lag.seen_by_device(story, since, until).whole
    return until - since - lost <= micros(run.ready_seconds)


def _is_lost(story: Story, exchange: Exchange) -> bool:
    """Whether the service never received it, and has received what the device sent later."""
    later = (other for other in story.exchanges.values() if other.sent.n > exchange.sent.n)
    return exchange.received is None and any(other.received is not None for other in later)


def _may_yet_learn(story: Story, run: Run, key: ExecutionKey) -> bool:
    """Whether the execution goes on, or its end is too fresh for a device that is connected to know of it."""
    lives = [life for life in story.lives if life.key == key]
    if not lives:
        return story.phase in ("starting", "executing", "trial", "reporting", "suspect", "recovering")
    if story.phase in ("idle", "safe"):
        return False
    if lives[-1].ended is None:
        return True
    ended = lives[-1].ended.at
    due = ended + micros(run.ready_seconds) + run.lag.between(story, ended, run.cloud_end).whole
    return not any(
        max(start + micros(run.ready_seconds), due) < run.cloud_end <= end for start, end in story.connected_spans
    )
