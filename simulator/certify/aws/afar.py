"""What an undisturbed job shows of a device through the control plane alone, and how much room its bounds then need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from agent.values import ExecutionKey
from simulator.certify.learning import Learned, NotLearned, Report, step_key, versions_in
from simulator.trace import TERMINAL, ClientConnected, ClientDisconnected, Entry, ExecutionChanged, ExecutionQueued
from simulator.verdict.bounds import Bounds

LOOKS: Final = 4
"""So many looks lie at most between what happened, at either end of a wait, and what was told of it."""
SURE_LOOKS: Final = 2.5
"""What stands for so long is seen by two."""
UNNOTICED_SECONDS: Final = 120.0
"""How long the broker may take to notice that a connection is gone: 1.5 keep-alives, of about a minute."""
LONGEST_SECONDS: Final = 86_400.0
IS_CONNECTED: Final = "It is connected, so see whether it asks for jobs, and whether its policy lets it"
IS_UNSEEN: Final = "Its connection was not seen; see that it is on, and that its policy lets it connect"


@dataclass(frozen=True, slots=True)
class LearnedFromAfar(Learned):
    """As Learned; by which requests it takes a job, and what it listens to, is not known, and stands for nothing.

    `look_seconds` is how often the control plane was looked at.
    """

    look_seconds: float = 1.0

    def bounds(self, patience_seconds: float = 0.0) -> Bounds:
        """With room for what lies between two looks; and, unless its owner says how fast it has to be, for a connection
        whose end nobody has noticed yet."""
        usual, looks = Learned.bounds(self, patience_seconds), LOOKS * self.look_seconds
        required = dict(self.required)
        more = {
            name: looks + (0.0 if name in required else UNNOTICED_SECONDS)
            for name in ("ready_seconds", "lost_job_seconds")
        }
        more |= {"detection_seconds": looks, "silence_seconds": looks}
        changed = {name: min(getattr(usual, name) + seconds, LONGEST_SECONDS) for name, seconds in more.items()}
        return usual.model_copy(update=changed)


def learn_from_afar(entries: Iterable[Entry], thing: str, job_id: str, look_seconds: float) -> LearnedFromAfar:
    """Raises NotLearned if the job did not end SUCCEEDED."""
    account = _Account()
    for entry in entries:
        account.feed(entry, job_id)
    queued, queued_at, changes = account.queued, account.queued_at, account.changes
    if queued is None or not changes or changes[-1][1].status != "SUCCEEDED":
        raise account.why_not(thing, job_id)
    times = [at for at, _ in changes]
    seen = [_report(event, at - queued_at) for at, event in changes]
    reports = tuple(_sure(seen, look_seconds))
    return LearnedFromAfar(
        carrier="mqtt",
        takes_by="start-next",
        namespace_id=queued.namespace_id,
        clients=(thing,) if account.is_connected else (),
        asks_on_connect=(),
        listens=(),
        polls_seconds=None,
        take_seconds=round(times[0] - max(queued_at, min(account.connected_at, times[0])), 3),
        work_seconds=round(times[-1] - times[0], 3),
        longest_gap_seconds=round(max((late - early for early, late in pairwise(times)), default=0.0), 3),
        reports=reports,
        step_key=step_key(reports),
        sends_tokens=False,
        sends_expected_version=False,
        versions=versions_in(reports),
        seen_by="control-plane",
        look_seconds=look_seconds,
    )


def _sure(seen: list[Report], look_seconds: float) -> Iterator[Report]:
    """The reports that looks are sure to find: the first, the last, and those whose step lasted for some looks."""
    key, last = step_key(tuple(seen)), len(seen) - 1
    named = [dict(report.details).get(key or "") for report in seen]
    for index, report in enumerate(seen):
        over = next((n for n in range(index + 1, last) if named[n] is None or named[n] != named[index]), last)
        if index in (0, last) or seen[over].seconds - report.seconds > SURE_LOOKS * look_seconds:
            yield report


def _report(event: ExecutionChanged, seconds: float) -> Report:
    return Report(event.status, tuple((event.details or {}).items()), round(seconds, 3))


@dataclass(slots=True)
class _Account:
    """What was seen of a job, and whether the device was."""

    queued: ExecutionKey | None = None
    queued_at: float = 0.0
    changes: list[tuple[float, ExecutionChanged]] = field(default_factory=list)
    is_connected: bool = False
    connected_at: float = 0.0

    def feed(self, entry: Entry, job_id: str) -> None:
        match entry.event:
            case ExecutionQueued(execution=key) if key.job_id == job_id:
                self.queued, self.queued_at = key, entry.at
            case ExecutionChanged(execution=key) as changed if key.job_id == job_id:
                self.changes.append((entry.at, changed))
            case ClientConnected():
                self.is_connected, self.connected_at = True, entry.at
            case ClientDisconnected():
                self.is_connected = False
            case _:
                pass

    def why_not(self, thing: str, job_id: str) -> NotLearned:
        """Why there is nothing to learn, in words that lead to the fix."""
        if self.queued is None:
            see = f"see `aws iot describe-job --job-id {job_id}`"
            return NotLearned(f"job {job_id} was never queued for {thing}; {see}")
        if not self.changes:
            connection = IS_CONNECTED if self.is_connected else IS_UNSEEN
            return NotLearned(f"the device did not take job {job_id}: it is still QUEUED. {connection}")
        last = self.changes[-1][1]
        if last.status not in TERMINAL:
            return NotLearned(f"the device took job {job_id}, and was not done with it in time; see --first-job")
        details = ", ".join(f"{key}={text[:40]}" for key, text in (last.details or {}).items())
        said = f" ({details[:200]})" if details else ""
        why = f"job {job_id} ended {last.status}{said}, undisturbed as it was; see --document"
        return NotLearned(why, failed=last.by == "device")
