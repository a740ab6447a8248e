"""The dangerous places that a run says it reaches, and whether one device got there.

Where clocks leave it open whether the device was there, it was not.
"""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any, Final

from agent.account import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    HintReceived,
    PowerLost,
    RequestSent,
    StepFinished,
    StepStarted,
)
from agent.values import ErrorCode, ExecutionKey, Status
from simulator.scenario import PlaceName
from simulator.trace import DeletionRefused, RequestReceived
from simulator.verdict.history import Exchange, Life, Seen
from simulator.verdict.model import PlaceToReach
from simulator.verdict.story import Story, omits

AFTER_JOURNAL: Final = "journal synced"
"""The instant at which a record is durable, and nothing that follows from it has been done."""


def reached(place: PlaceToReach, story: Story) -> bool:
    """Whether the device certainly was there. The places are those of `simulator.scenario.Place`."""
    lives = [life for life in story.lives if life.key.job_id == place.job]
    return any(PLACES[place.place](place, story, life) for life in lives)


def last_seen_of(job: str, story: Story) -> str | None:
    """The id of the entry by which the cloud last told of a job on this thing: where it was instead of a place."""
    lives = [life for life in story.lives if life.key.job_id == job]
    last = next(iter(lives[-1:]), None)
    seen = last and (last.removed or last.ended or last.began or last.queued)
    return seen.id if seen else None


def refused(place: PlaceToReach, refusals: list[DeletionRefused]) -> bool:
    """Whether the service refused to delete the place's job for the time being: it says nothing of any device."""
    return any(refusal.job_id == place.job and refusal.retry for refusal in refusals)


# ── when the record was removed ───────────────────────────────────────────────────────────────────────────────


def _deleted_before_start(place: PlaceToReach, story: Story, life: Life) -> bool:
    return life.removed is not None and life.removed.event.status == Status.QUEUED


def _deleted_in_step(place: PlaceToReach, story: Story, life: Life) -> bool:
    return life.removed is not None and any(_in_step(place, story, life, at) for at in _gone_at(story, life))


def _gone_at(story: Story, life: Life) -> Iterator[int]:
    """When the device lost its execution, on the cloud's clock: by the removal of its record, or by hearing of it.

    Of a job that is being deleted the service may say that it is gone before this record's turn to be removed.
    """
    removed, since = life.removed, life.queued.n if life.queued is not None else 0
    if removed is None:
        return
    yield removed.at
    for exchange in story.exchanges.values():
        answered = exchange.answered
        if answered is None or not since < answered.n < removed.n or exchange.sent.event.execution != life.key:
            continue
        if answered.event.code == ErrorCode.RESOURCE_NOT_FOUND:
            yield answered.at


def _cancelled_in_step(place: PlaceToReach, story: Story, life: Life) -> bool:
    ended = life.ended
    cancelled = ended is not None and ended.event.status == Status.CANCELED
    return ended is not None and cancelled and _in_step(place, story, life, ended.at)


def _in_step(place: PlaceToReach, story: Story, life: Life, at: int) -> bool:
    return any(
        _surely_between(story, step, at, _end_of(story, step))
        for step in story.device.of(StepStarted)
        if step.event.execution == life.key and place.step in (None, step.event.step)
    )


def _end_of(story: Story, step: Seen[StepStarted]) -> Seen[Any] | None:
    """What ended a step: its end, or that of all that runs."""
    same = (
        end
        for end in story.device.of(StepFinished)
        if (end.event.execution, end.event.step) == (step.event.execution, step.event.step)
    )
    return _first_after(step, *same, *story.device.of(PowerLost), *story.device.of(DeviceBooted))


def _first_after(start: Seen[Any], *ends: Seen[Any]) -> Seen[Any] | None:
    return min((end for end in ends if end.n > start.n), key=lambda end: end.n, default=None)


def _surely_between(story: Story, start: Seen[Any], at: int, end: Seen[Any] | None) -> bool:
    """Whether an instant of the cloud lies between two of the device, at whatever instants those can mean."""
    begun = story.offset.latest(start.at) <= at
    return begun and (end is None or at <= story.offset.earliest(end.at))


def _deleted_before_leap(place: PlaceToReach, story: Story, life: Life) -> bool:
    if life.removed is None or not life.lost_in_progress:
        return False
    steps = [step for step in story.device.of(StepStarted) if step.event.execution == life.key]
    leap = next((step.n for step in steps if not step.event.reversible), inf)
    return any(
        bool(steps)
        and steps[0].n < exchange.sent.n < leap
        and _surely_between(story, exchange.sent, life.removed.at, exchange.answer)
        for exchange in story.exchanges.values()
        if (exchange.sent.event.request, exchange.sent.event.execution) == ("describe", life.key)
    )


def _deleted_after_leap(place: PlaceToReach, story: Story, life: Life) -> bool:
    if life.removed is None or not life.lost_in_progress:
        return False
    return any(
        story.offset.latest(step.at) <= life.removed.at
        for step in story.device.of(StepStarted)
        if step.event.execution == life.key and not step.event.reversible
    )


def _deleted_after_report_left(place: PlaceToReach, story: Story, life: Life) -> bool:
    return life.removed is not None and any(
        story.offset.latest(exchange.sent.at) <= life.removed.at for exchange in _reports(story, life.key)
    )


def _reports(story: Story, key: ExecutionKey) -> Iterator[Exchange]:
    """The updates to a terminal status."""
    for exchange in story.exchanges.values():
        sent = exchange.sent.event
        if sent.execution == key and sent.status is not None and Status(sent.status).is_terminal:
            yield exchange


def _deleted_while_offline(place: PlaceToReach, story: Story, life: Life) -> bool:
    removed, spans = life.removed, story.connected_spans
    if removed is None or not spans or removed.at <= spans[0][0]:
        return False
    return not any(start <= removed.at <= end for start, end in spans)


def _deleted_while_rebooting(place: PlaceToReach, story: Story, life: Life) -> bool:
    removed, boots = life.removed, story.device.of(DeviceBooted)
    return removed is not None and any(
        _surely_between(story, step, removed.at, _first_after(step, *boots))
        for step in story.device.of(StepStarted)
        if (step.event.execution, step.event.step) == (life.key, "reboot")
    )


def _deleted_while_powerless(place: PlaceToReach, story: Story, life: Life) -> bool:
    removed, boots = life.removed, story.device.of(DeviceBooted)
    return removed is not None and any(
        _surely_between(story, lost, removed.at, _first_after(lost, *boots)) for lost in story.device.of(PowerLost)
    )


def _deleted_beside_another(place: PlaceToReach, story: Story, life: Life) -> bool:
    if life.removed is None or not life.lost_in_progress:
        return False
    n = life.removed.n
    return any(
        other.began is not None and other.began.n < n and (other.ended is None or other.ended.n > n)
        for other in story.lives
        if other is not life
    )


# ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────────


def _recovered(place: PlaceToReach, story: Story, life: Life) -> bool:
    removed = life.removed
    if removed is None:
        return False
    return any(other.began is not None and other.began.n > removed.n for other in story.lives if other is not life)


def _reused_id(place: PlaceToReach, story: Story, life: Life) -> bool:
    return life.began is not None and bool(_earlier_uses(story, life))


def _earlier_uses(story: Story, life: Life) -> list[Life]:
    """The incarnations of the same job before this one."""
    same = [other for other in story.lives if _job(other.key) == _job(life.key)]
    return same[: next(index for index, other in enumerate(same) if other is life)]


def _job(key: ExecutionKey) -> tuple[str | None, str]:
    return key.namespace_id, key.job_id


def _stale_update(place: PlaceToReach, story: Story, life: Life) -> bool:
    queued = life.queued
    earlier = {other.key for other in _earlier_uses(story, life)} - {life.key}
    return queued is not None and any(
        exchange.received is not None and exchange.received.n > queued.n
        for exchange in story.exchanges.values()
        if exchange.sent.event.request == "update" and exchange.sent.event.execution in earlier
    )


def _told_stale(place: PlaceToReach, story: Story, life: Life) -> bool:
    removed = life.removed
    return removed is not None and any(
        exchange.answered is not None
        and exchange.answered.n > removed.n
        and exchange.answered.event.accepted
        and exchange.answered.event.execution == life.key
        and exchange.answer is not None
        for exchange in story.exchanges.values()
    )


def _told_too_early(place: PlaceToReach, story: Story, life: Life) -> bool:
    """Of GetPending the trace does not say what it found."""
    queued, began = life.queued, life.began or life.ended
    return queued is not None and any(
        exchange.answered is not None
        and exchange.answered.event.accepted
        and exchange.answered.event.execution is None
        and exchange.answered.n > queued.n
        and (began is None or exchange.answered.n < began.n)
        for exchange in story.exchanges.values()
        if exchange.sent.event.request == "describe"
        and exchange.sent.event.namespace_id == life.key.namespace_id
        and exchange.sent.event.execution is None
    )


def _announced_after_deletion(place: PlaceToReach, story: Story, life: Life) -> bool:
    return any(
        life.key in hint.event.listed and story.told(life.key, hint.n) is not None
        for hint in story.device.of(HintReceived)
    )


# ── power, network, service ───────────────────────────────────────────────────────────────────────────────────


def _power_lost_in(place: PlaceToReach, story: Story, life: Life) -> bool:
    for lost in story.device.of(PowerLost):
        last = next((step for step in reversed(story.device.of(StepStarted)) if step.n < lost.n), None)
        runs = last is not None and last.event.execution == life.key and _end_of(story, last) is lost
        in_step = place.step is None or (runs and last is not None and last.event.step == place.step)
        has_it = _in_hand(story, life.key, lost.n) or _just_left(story, life.key, lost.n)
        if in_step and place.instant in (None, lost.event.instant) and has_it:
            return True
    return False


def _in_hand(story: Story, key: ExecutionKey, at_n: int) -> bool:
    """Whether the device had taken the execution, and not left it, at its entry number `at_n`."""
    taken = [seen.n for seen in story.device.of(ExecutionTaken) if seen.event.execution == key and seen.n < at_n]
    left = [seen.n for seen in story.device.of(ExecutionLeft) if seen.event.execution == key and seen.n < at_n]
    return bool(taken) and (not left or left[-1] < taken[-1])


def _just_left(story: Story, key: ExecutionKey, at_n: int) -> bool:
    """Whether it had left the execution and asked for nothing since: its journal need not know of it yet."""
    left = [seen.n for seen in story.device.of(ExecutionLeft) if seen.event.execution == key and seen.n < at_n]
    return bool(left) and not any(left[-1] < sent.n < at_n for sent in story.device.of(RequestSent))


def _power_lost_before_publishing(place: PlaceToReach, story: Story, life: Life) -> bool:
    first = next((exchange.sent.n for exchange in _reports(story, life.key)), None)
    for lost in story.device.of(PowerLost):
        if lost.event.instant != AFTER_JOURNAL or not _in_hand(story, life.key, lost.n):
            continue
        steps = [step for step in story.device.of(StepStarted) if step.n < lost.n]
        idle = not steps or any(steps[-1].n < end.n < lost.n for end in story.device.of(StepFinished))
        if idle and (first is None or lost.n < first):
            return True
    return False


def _throttled_while_suspect(place: PlaceToReach, story: Story, life: Life) -> bool:
    left_out = next((hint.n for hint in story.device.of(HintReceived) if omits(hint.event, life.key)), None)
    return left_out is not None and any(
        exchange.answer is not None
        and exchange.answer.n > left_out
        and exchange.answer.event.code == ErrorCode.REQUEST_THROTTLED
        and _in_hand(story, life.key, exchange.answer.n)
        for exchange in story.exchanges.values()
        if exchange.sent.event.execution == life.key
    )


def _answer_lost(place: PlaceToReach, story: Story, life: Life) -> bool:
    last = story.device.of(AnswerReceived)[-1:]
    return any(
        exchange.answered is not None and exchange.answer is None and any(exchange.sent.n < seen.n for seen in last)
        for exchange in story.exchanges.values()
        if exchange.sent.event.execution == life.key
    )


def _delivered_twice(place: PlaceToReach, story: Story, life: Life) -> bool:
    tokens = {
        token
        for token, exchange in story.exchanges.items()
        if (exchange.sent.event.request, exchange.sent.event.execution) == ("update", life.key)
    }
    arrived = [seen.event.client_token for seen in story.cloud.of(RequestReceived)]
    return any(arrived.count(token) > 1 for token in tokens)


# ── what failed by itself ─────────────────────────────────────────────────────────────────────────────────────


def _failed_in_step(place: PlaceToReach, story: Story, life: Life) -> bool:
    return any(
        step.event.execution == life.key and step.event.outcome == "failed" and place.step in (None, step.event.step)
        for step in story.device.of(StepFinished)
    )


def _rolled_back(place: PlaceToReach, story: Story, life: Life) -> bool:
    before, reboots = _version_when_taken(story, life.key), story.device.of(StepStarted)
    began = [step.n for step in reboots if (step.event.execution, step.event.step) == (life.key, "reboot")]
    return any(
        boot.event.version == before and not boot.event.on_trial and _in_hand(story, life.key, boot.n)
        for boot in story.device.of(DeviceBooted)
        if began and boot.n > began[0]
    )


def _failed_unchanged(place: PlaceToReach, story: Story, life: Life) -> bool:
    if life.ended is None or life.ended.event.status != Status.FAILED:
        return False
    before = _version_when_taken(story, life.key)
    return before is not None and any(
        exchange.sent.event.status == Status.FAILED and _version(story, exchange.sent.n) == before
        for exchange in _reports(story, life.key)
    )


def _version_when_taken(story: Story, key: ExecutionKey) -> str | None:
    """What ran when the device took the execution, for the first time."""
    taken = next((seen.n for seen in story.device.of(ExecutionTaken) if seen.event.execution == key), None)
    return None if taken is None else _version(story, taken)


def _version(story: Story, at_n: int) -> str | None:
    """What ran at the device's entry number `at_n`, as its hardware last said before."""
    told = [(seen.n, seen.event.version) for seen in story.device.of(DeviceBooted)]
    told += [(seen.n, seen.event.version) for seen in story.device.of(HardwareChanged)]
    return max(((n, version) for n, version in told if n < at_n), default=(0, None))[1]


# ── what was heard ────────────────────────────────────────────────────────────────────────────────────────────


def _heard(place: PlaceToReach, story: Story, life: Life) -> bool:
    return any(life.key in hint.event.listed for hint in _hints(place, story))


def _never_heard(place: PlaceToReach, story: Story, life: Life) -> bool:
    return bool(story.device.of(DeviceConnected)) and not _heard(place, story, life)


def _heard_absence(place: PlaceToReach, story: Story, life: Life) -> bool:
    known = [hint.n for hint in story.device.of(HintReceived) if life.key in hint.event.listed]
    known += [taken.n for taken in story.device.of(ExecutionTaken) if taken.event.execution == life.key]
    return bool(known) and any(hint.n > min(known) and omits(hint.event, life.key) for hint in _hints(place, story))


def _hints(place: PlaceToReach, story: Story) -> Iterator[Seen[HintReceived]]:
    return (hint for hint in story.device.of(HintReceived) if hint.event.hint == place.hint)


PLACES: Final[dict[PlaceName, Callable[[PlaceToReach, Story, Life], bool]]] = {
    "deleted-before-start": _deleted_before_start,
    "deleted-in-step": _deleted_in_step,
    "deleted-before-leap": _deleted_before_leap,
    "deleted-after-leap": _deleted_after_leap,
    "deleted-after-report-left": _deleted_after_report_left,
    "deleted-while-offline": _deleted_while_offline,
    "deleted-while-rebooting": _deleted_while_rebooting,
    "deleted-while-powerless": _deleted_while_powerless,
    "deleted-beside-another": _deleted_beside_another,
    "cancelled-in-step": _cancelled_in_step,
    "recovered": _recovered,
    "reused-id": _reused_id,
    "stale-update-after-recreation": _stale_update,
    "power-lost-in": _power_lost_in,
    "power-lost-before-publishing": _power_lost_before_publishing,
    "throttled-while-suspect": _throttled_while_suspect,
    "failed-in-step": _failed_in_step,
    "rolled-back": _rolled_back,
    "failed-unchanged": _failed_unchanged,
    "told-stale": _told_stale,
    "told-too-early": _told_too_early,
    "answer-lost": _answer_lost,
    "delivered-twice": _delivered_twice,
    "announced-after-deletion": _announced_after_deletion,
    "heard": _heard,
    "heard-absence": _heard_absence,
    "never-heard": _never_heard,
}
"""Whether a device was there with one incarnation of the place's job. One place is no device's: see `refused`."""
