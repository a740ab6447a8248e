"""What an undisturbed job shows of a device that is not ours: how it speaks, what it says when, how long it takes.

All of it is the cloud's account. Times are seconds on its clock; a device that was seen once only may well be slower
the next time, so the bounds that are made of this are generous.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final, Literal, TypeAlias

from agent.device_events import RequestKind
from simulator.certify.first_job import Account, account_of
from simulator.certify.not_learned import NotLearned, why_not
from simulator.trace import Entry
from simulator.verdict.bounds import LONGEST_SECONDS, Bounds

__all__ = ["Carrier", "Learned", "NotLearned", "Report", "TakesBy", "learn", "step_key", "versions_in"]

Carrier: TypeAlias = Literal["mqtt", "http", "both"]
TakesBy: TypeAlias = Literal["start-next", "describe-update", "update"]
SeenBy: TypeAlias = Literal["wire", "control-plane"]
USUAL_KEY: Final = "step"
TELLS_A_STEP: Final = ("step", "stage", "phase", "state", "status", "operation", "action", "progress", "message")
"""Keys of statusDetails that are looked at before others for the names of steps."""
LONGEST_STEP: Final = 64
"""Characters of what is taken for the name of a step."""
VERSION_KEYS: Final = ("version", "firmware", "fw")
"""What the key contains under which a device announces what it runs."""
MOST_STEPS: Final = 32

SPARE_SECONDS: Final = 15.0
"""What a correct device may take besides, on a busy machine, for connecting and for asking once more."""
SILENCE_SECONDS: Final = 60.0
LATER_SECONDS: Final = 10.0
"""So much later than that it is not ready it is held against a device that it is silent."""
DETECTION_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was accepted, start-next among them; `seconds` since the execution was queued."""

    status: str
    details: tuple[tuple[str, str], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Learned:
    """A device, as one undisturbed job shows it.

    `clients` are the MQTT clients that asked for it, the thing's own among them if that is one; `asks_on_connect` what
    it asked before there was a job, each kind once; `listens` the notifications that it subscribed to. `polls_seconds`
    is how often it asks of its own accord; None: no such thing was seen. `take_seconds` passed from the queueing until
    it was IN_PROGRESS, `work_seconds` from then to the end, `longest_gap_seconds` at most between two of its reports.
    `step_key` is the key of statusDetails under which it names its steps, None if it names none; `versions` are those
    that it announced, in order. `refusals_unheard` are topic filters that it lacks: see `Account`.
    """

    carrier: Carrier
    takes_by: TakesBy
    namespace_id: str | None
    clients: tuple[str, ...]
    asks_on_connect: tuple[RequestKind, ...]
    listens: tuple[str, ...]
    polls_seconds: float | None
    take_seconds: float
    work_seconds: float
    longest_gap_seconds: float
    reports: tuple[Report, ...]
    step_key: str | None
    sends_tokens: bool
    sends_expected_version: bool
    versions: tuple[str, ...] = ()
    refusals_unheard: tuple[str, ...] = ()
    required: tuple[tuple[str, float], ...] = ()
    """Bounds that its owner wants it to keep, by name, instead of those that are made of the above."""
    seen_by: SeenBy = "wire"
    """`control-plane`: its requests were not seen, so what is said of them stands for nothing."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that it named, in their order."""
        key = self.step_key
        named = (dict(report.details).get(key) for report in self.progress) if key is not None else ()
        return tuple(dict.fromkeys(step for step in named if step))[:MOST_STEPS]

    @property
    def progress(self) -> tuple[Report, ...]:
        """Its reports between the beginning and the end, by updates to IN_PROGRESS: an update that takes is not one."""
        updates = tuple(report for report in self.reports if report.status == "IN_PROGRESS")
        return updates[1:]

    def bounds(self, patience_seconds: float = 0.0) -> Bounds:
        """What a correct device of this kind never misses, however slow the day; what its owner wants goes before.

        It may be anywhere within its work as the job goes, cannot leave a step that takes as long as the longest gap
        between two reports, has to take back what it did, and may have to wait for its next turn to ask. Before all of
        that it may wait `patience_seconds` for what will not come. Who waits so long is silent for as long, and not for
        that and the longest silence besides: what it does next, it says. Yet that bound is the longer one, since the
        others say more of a device that lets a job wait.
        """
        gap, turn = self.longest_gap_seconds, self.polls_seconds or 0.0
        ready = patience_seconds + SPARE_SECONDS + 2 * self.work_seconds + 3 * self.take_seconds + 2 * turn
        silence = max(SILENCE_SECONDS, patience_seconds + SPARE_SECONDS + LATER_SECONDS)
        deaf = 0.0 if self.listens else turn
        bounds = Bounds(
            detection_seconds=_within_a_day(DETECTION_SECONDS + gap + deaf),
            ready_seconds=_within_a_day(ready),
            uninterruptible_seconds=_within_a_day(gap),
            lost_job_seconds=_within_a_day(ready + gap),
            silence_seconds=_within_a_day(silence + 3 * (gap + turn) + self.work_seconds),
            # Full jitter, which is what AWS recommends, has no least wait: only what was refused for good is judged.
            retry_gap_seconds=0,
            retry_growth=1,
        )
        return bounds.model_copy(update=dict(self.required))

    @property
    def usual_seconds(self) -> float:
        """What it needs at most, whatever its owner wants, for anything that it does when nothing is lost."""
        bounds = replace(self, required=()).bounds()
        return bounds.ready_seconds + bounds.uninterruptible_seconds

    def slower(self, other: "Learned") -> "Learned":
        """The same with the longer of two times each, after another job."""
        polls = [seconds for seconds in (self.polls_seconds, other.polls_seconds) if seconds is not None]
        return replace(
            self,
            polls_seconds=max(polls, default=None),
            take_seconds=max(self.take_seconds, other.take_seconds),
            work_seconds=max(self.work_seconds, other.work_seconds),
            longest_gap_seconds=max(self.longest_gap_seconds, other.longest_gap_seconds),
            versions=tuple(dict.fromkeys((*self.versions, *other.versions))),
        )


def _within_a_day(seconds: float) -> float:
    return round(min(seconds, LONGEST_SECONDS), 3)


def learn(entries: Iterable[Entry], thing: str, job_id: str) -> Learned:
    """What the job of that id shows, of which nobody disturbed the device; `entries` may begin when the device came.

    Raises NotLearned if the job did not end SUCCEEDED.
    """
    account = account_of(entries, thing, job_id)
    if (why := why_not(account)) is not None:
        raise why
    queued, began, ended = account.queued_at, account.began_at, account.ended_at
    assert queued is not None, "it was taken"
    assert began is not None, "it was taken"
    assert ended is not None, "it succeeded"
    reports = tuple(Report(said.status, said.details, round(said.at - queued, 3)) for said in account.reports)
    times = [queued if not account.reports else account.reports[0].at, *(said.at for said in account.reports[1:])]
    return Learned(
        carrier=_carrier(account),
        takes_by=_takes_by(account),
        namespace_id=account.namespace_id,
        clients=tuple(dict.fromkeys(asked.client for asked in account.requests)),
        asks_on_connect=tuple(dict.fromkeys(asked.kind for asked in account.requests if asked.at < queued)),
        listens=account.listens,
        polls_seconds=_polls(account),
        take_seconds=round(began - queued, 3),
        work_seconds=round(ended - began, 3),
        longest_gap_seconds=round(max((late - early for early, late in pairwise(times)), default=0.0), 3),
        reports=reports,
        step_key=step_key(reports),
        sends_tokens=any(asked.token is not None for asked in account.requests),
        sends_expected_version=any(asked.expected_version is not None for asked in account.requests),
        versions=versions_in(reports),
        refusals_unheard=account.refusals_unheard,
    )


def _carrier(account: Account) -> Carrier:
    """Whoever asks while not connected does so over HTTP."""
    if not account.has_connected:
        return "http"
    return "both" if any(asked.is_unconnected for asked in account.requests) else "mqtt"


def _takes_by(account: Account) -> TakesBy:
    """By which request it was IN_PROGRESS, and whether it had read about the job before."""
    if account.taken_by == "start-next":
        return "start-next"
    began = account.began_at or 0.0
    read = any(asked.kind == "describe" and asked.found_it and asked.at <= began for asked in account.requests)
    return "describe-update" if read else "update"


def _polls(account: Account) -> float | None:
    """How often it asks for work of its own accord.

    Who listens and asks twice after connecting does not poll yet; who hears nothing found its job by asking again.
    """
    began = account.began_at or 0.0
    idle = [asked.at for asked in account.requests if asked.is_for_work and asked.at <= began]
    gaps = [late - early for early, late in pairwise(idle) if late - early > 0.05]
    if not account.listens:
        return round(max([*gaps, began - (account.queued_at or began)]), 3)
    return round(median(gaps), 3) if len(gaps) >= 3 else None


def step_key(reports: tuple[Report, ...]) -> str | None:
    """The key whose values name steps: more than one of them, none a number."""
    said: dict[str, dict[str, None]] = {}
    for report in reports:
        for key, text in report.details:
            said.setdefault(key, {})[text] = None
    order = (*(key for key in TELLS_A_STEP if key in said), *(key for key in sorted(said) if key not in TELLS_A_STEP))
    names = (key for key in order if not _tells_a_version(key) and _are_steps(said[key]))
    return USUAL_KEY if USUAL_KEY in said else next(names, None)


def _are_steps(values: Iterable[str]) -> bool:
    found = list(values)
    return 1 < len(found) <= MOST_STEPS and all(_is_step(text) for text in found)


def _is_step(text: str) -> bool:
    return 0 < len(text) <= LONGEST_STEP and text[0].isalpha() and text.isprintable() and not text[-1].isdigit()


def _tells_a_version(key: str) -> bool:
    return any(word in key.lower() for word in VERSION_KEYS)


def versions_in(reports: tuple[Report, ...]) -> tuple[str, ...]:
    """Those that were announced, in order."""
    found = (text for report in reports for key, text in report.details if _tells_a_version(key))
    return tuple(dict.fromkeys(found))
