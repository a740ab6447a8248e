"""A second AWS IoT Jobs service, small and slow, written from AWS's documentation and not from our service.

It keeps every execution in one list, and works out anew from that list who is pending, who is first, and what changed.
Where the documentation leaves open which of several errors comes first, it names all of them.

Answers and notifications are tuples that begin with a word; times in them are whole seconds, as on the wire.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Told = tuple[Any, ...]
NOT_FOUND: Told = ("rejected", "ResourceNotFound", None)
PENDING = ("QUEUED", "IN_PROGRESS")
DEVICES_SET = ("IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED")
FAILURES = {"FAILED": ("FAILED",), "TIMED_OUT": ("TIMED_OUT",), "ALL": ("FAILED", "REJECTED", "TIMED_OUT")}


class Refused(Exception):  # noqa: N818 - what the service does
    """The control plane refuses, with any one of these errors."""

    def __init__(self, problems: set[str]) -> None:
        super().__init__(", ".join(sorted(problems)))
        self.problems = problems


@dataclass
class Rules:
    """What AWS leaves open, by the names of our settings."""

    deletion_seconds: float = 3
    removal_delay_seconds: float = 0
    while_deleting: str = "gone"
    deletions_at_once: int = 10
    pending_listed: int = 10
    head_across_namespaces: bool = True
    documented_notify: str = "added-and-removed"
    forbidden_status: str = "InvalidStateTransition"
    queued_deletion_needs_force: bool = False
    wrong_namespace: str = "ResourceNotFound"


@dataclass(eq=False)
class Job:
    """A job; `gone_at` and `removal_at` while it is being deleted."""

    id: str
    namespace: str | None
    group: bool
    timeout: int | None
    retries: dict[str, int]
    abort: tuple[str, float, int] | None
    status: str = "IN_PROGRESS"
    removal_at: float | None = None
    gone_at: float | None = None
    things: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Run:
    """An execution."""

    thing: str
    job: Job
    number: int
    serial: int
    queued_at: float
    updated_at: float
    status: str = "QUEUED"
    version: int = 1
    details: Told = ()
    started_at: float | None = None
    ends_at: float | None = None
    step_ends_at: float | None = None
    forced: bool = False
    attempts: dict[str, int] = field(default_factory=dict)

    @property
    def is_pending(self) -> bool:
        return self.status in PENDING

    @property
    def order(self) -> tuple[bool, float, int]:
        """IN_PROGRESS before QUEUED, then by queue time; those of the same moment as they came."""
        return self.status == "QUEUED", self.queued_at, self.serial

    @property
    def times_out_at(self) -> float | None:
        return min((at for at in (self.ends_at, self.step_ends_at) if at is not None), default=None)

    def told(self, now: float, *, document: bool) -> Told:
        at = self.times_out_at
        left = None if at is None else max(0, int(at - now))
        started = None if self.started_at is None else int(self.started_at)
        times = int(self.queued_at), started, int(self.updated_at)
        return (self.job.id, self.number, self.status, self.version, *times, self.details, left, document)

    @property
    def state(self) -> Told:
        return self.status, self.version, self.details


class Model:
    """The service. What it publishes is in `hints`, by thing, and `events`, until they are taken."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.now = 0.0
        self.jobs: dict[str, Job] = {}
        self.runs: list[Run] = []
        """In the order in which they were queued."""
        self.hints: dict[str, list[Told]] = {}
        self.events: list[Told] = []
        self._serial = 0

    # ── who is pending, and who is first ──────────────────────────────────────────────────────────────────────

    def _is_hidden(self, run: Run) -> bool:
        """While its job is being deleted an execution is in no list."""
        return run.job.gone_at is not None and self.rules.while_deleting != "answers-and-lists"

    def _shown(self, thing: str) -> list[Run]:
        pending = [run for run in self.runs if run.thing == thing and run.is_pending and not self._is_hidden(run)]
        return sorted(pending, key=lambda run: run.order)

    def _in(self, thing: str, namespace: str | None) -> list[Run]:
        return [run for run in self._shown(thing) if run.job.namespace == namespace]

    def _lists(self, thing: str, namespace: str | None) -> tuple[list[Told], list[Told]]:
        first = self._in(thing, namespace)[: self.rules.pending_listed]
        names = [(run.status, (run.job.id, run.number)) for run in first]
        return (
            [name for status, name in names if status == "IN_PROGRESS"],
            [name for status, name in names if status == "QUEUED"],
        )

    def _heads(self, thing: str, touched: Run) -> dict[str | None, Run]:
        """Whom notify-next tells of in each namespace; what is being removed counts until it is gone."""
        runs = [run for run in self._shown(thing) if run is not touched]
        if touched in self.runs and touched.is_pending:
            runs = sorted([*runs, touched], key=lambda run: run.order)
        if self.rules.head_across_namespaces:
            runs = runs[:1]
        return {run.job.namespace: run for run in reversed(runs)}

    @contextmanager
    def _telling(self, run: Run) -> Iterator[None]:
        """Publish what a change of one execution brings about."""
        thing, namespace = run.thing, run.job.namespace
        was, heads = run in self.runs and run.is_pending, self._heads(thing, run)
        yield
        is_now, after = run in self.runs and run.is_pending, self._heads(thing, run)
        if is_now and self._is_hidden(run):
            return  # how it goes on is nobody's news
        hints = self.hints.setdefault(thing, [])
        if was != is_now:
            hints.append(("notify", namespace, *self._lists(thing, namespace)))
        for each in dict.fromkeys((namespace, *heads, *after)):
            if heads.get(each) is not after.get(each):
                first = after.get(each)
                hints.append(("next", each, None if first is None else first.told(self.now, document=True)))
        when = self.rules.documented_notify
        if was != is_now and namespace is not None and (when == "added-and-removed" or (when == "added" and is_now)):
            hints.append(("mentioned", namespace, run.job.id))

    # ── what may happen to an execution ───────────────────────────────────────────────────────────────────────

    def latest(self, thing: str, job_id: str) -> Run | None:
        found = [run for run in self.runs if run.thing == thing and run.job.id == job_id]
        return max(found, key=lambda run: run.number, default=None)

    def _queue(self, job: Job, thing: str, number: int, attempts: dict[str, int] | None = None) -> None:
        self._serial += 1
        run = Run(thing, job, number, self._serial, self.now, self.now, attempts=attempts or {})
        if thing not in job.things:
            job.things.append(thing)
        with self._telling(run):
            self.runs.append(run)

    def _set(self, run: Run, status: str, details: Told | None = None, step: int | None = None) -> None:
        with self._telling(run):
            run.version += 1
            run.updated_at = self.now
            run.details = run.details if details is None else details
            if status == "IN_PROGRESS" and run.started_at is None:
                run.started_at = self.now
                run.ends_at = None if run.job.timeout is None else self.now + 60 * run.job.timeout
            if status == "IN_PROGRESS" and step is not None:
                run.step_ends_at = None if step < 0 else self.now + 60 * step
            run.status = status
        if not run.is_pending:
            run.ends_at = run.step_ends_at = None
            self.events.append(("execution", status.lower(), run.job.id, run.thing, run.number))
            self._after_end(run)

    def _after_end(self, run: Run) -> None:
        job = run.job
        if job.status != "IN_PROGRESS":
            return
        if run.status in ("FAILED", "TIMED_OUT"):
            kind = run.status if run.status in job.retries else "ALL"
            used = run.attempts.get(run.status, 0) if kind != "ALL" else sum(run.attempts.values())
            if used < job.retries.get(kind, 0):
                attempts = run.attempts | {run.status: run.attempts.get(run.status, 0) + 1}
                self._queue(job, run.thing, run.number + 1, attempts)
        if job.abort is not None and self._must_abort(job, *job.abort):
            self._cancel(job, force=False)
        self._maybe_complete(job)

    def _must_abort(self, job: Job, failure: str, threshold: float, at_least: int) -> bool:
        over = [run for run in self.runs if run.job is job and not run.is_pending]
        failed = [run for run in over if run.status in FAILURES[failure]]
        return len(over) >= at_least and bool(failed) and 100 * len(failed) >= threshold * len(over)

    def _maybe_complete(self, job: Job) -> None:
        if job.status == "IN_PROGRESS" and not job.group and not any(r.job is job and r.is_pending for r in self.runs):
            job.status = "COMPLETED"
            self.events.append(("job", "completed", job.id))

    def _remove(self, run: Run) -> None:
        with self._telling(run):
            self.runs.remove(run)
        self.events.append(("execution", "deleted", run.job.id, run.thing, run.number))

    # ── devices ───────────────────────────────────────────────────────────────────────────────────────────────

    def get_pending(self, thing: str, namespace: str | None) -> Told:
        return ("listed", *self._lists(thing, namespace))

    def start_next(self, thing: str, namespace: str | None, details: Told | None, step: int | None) -> Told:
        waiting = self._in(thing, namespace)
        if not waiting:
            return ("told", None)
        run = waiting[0]
        if run.status == "QUEUED":
            self._set(run, "IN_PROGRESS", details, step)
        elif step is not None:
            run.step_ends_at = self.now + 60 * step
        return ("told", run.told(self.now, document=True))

    def describe_next(self, thing: str, namespace: str | None) -> Told:
        waiting = self._in(thing, namespace)
        return ("told", waiting[0].told(self.now, document=True) if waiting else None)

    def describe(
        self, thing: str, job_id: str, namespace: str | None, number: int | None, document: bool
    ) -> list[Told]:
        """All answers that would do."""
        run = self._meant(thing, job_id, namespace, number)
        if run is None:
            earlier = [run for run in self.runs if (run.thing, run.job.id, run.number) == (thing, job_id, number)]
            also = [("rejected", "TerminalStateReached", None)] if earlier else []
            return [NOT_FOUND, *also]
        if run.job.gone_at is not None and self.rules.while_deleting in ("gone", "terminal"):
            code = "ResourceNotFound" if self.rules.while_deleting == "gone" else "TerminalStateReached"
            return [("rejected", code, None)]
        if not run.is_pending:
            return [("rejected", "TerminalStateReached", None)]
        return [("told", run.told(self.now, document=document))]

    def update(self, thing: str, job_id: str, namespace: str | None, status: str, more: dict[str, Any]) -> list[Told]:
        """All answers that would do; an update that is accepted has one."""
        run = self._meant(thing, job_id, namespace, more["number"])
        if run is None:
            return [NOT_FOUND, *self._refusals_of_earlier(thing, job_id, namespace, more)]
        if run.job.gone_at is not None and self.rules.while_deleting in ("gone", "reads-answer"):
            return [NOT_FOUND]
        no_transition = ("rejected", "InvalidStateTransition", run.state)
        if run.job.gone_at is not None and self.rules.while_deleting == "terminal":
            status = "REMOVED" if run.is_pending else run.status
            return [("rejected", "InvalidStateTransition", (status, run.version, run.details))]
        problems = []
        if more["expected"] not in (None, run.version):
            problems.append(("rejected", "VersionMismatch", run.state))
        if not run.is_pending:
            problems.append(no_transition)
        elif status not in DEVICES_SET:
            code = self.rules.forbidden_status
            problems.append(no_transition if code == "InvalidStateTransition" else ("rejected", code, None))
        if not problems:
            self._set(run, status, more["details"], more["step"])
            return [("accepted", run.state if more["include_state"] else None, bool(more["include_document"]))]
        return problems

    def _refusals_of_earlier(self, thing: str, job_id: str, namespace: str | None, more: dict[str, Any]) -> list[Told]:
        """What would do too for one of which a later one took the place: it is there, and it has ended."""
        return [
            ("rejected", code, run.state)
            for run in self.runs
            if (run.thing, run.job.id, run.number) == (thing, job_id, more["number"]) and run.job.namespace == namespace
            for code in ("InvalidStateTransition", "VersionMismatch")
        ]

    def _meant(self, thing: str, job_id: str, namespace: str | None, number: int | None) -> Run | None:
        run = self.latest(thing, job_id)
        fits = run is not None and run.job.namespace == namespace and number in (None, run.number)
        return run if fits else None

    # ── the control plane ─────────────────────────────────────────────────────────────────────────────────────

    def create(self, job: Job, things: list[str], by_aws: bool) -> None:
        problems = self._reserved(job.namespace, by_aws)
        if job.id in self.jobs:
            problems.add("ResourceAlreadyExists")
        _refuse_for(problems)
        self.jobs[job.id] = job
        for thing in things:
            self._queue(job, thing, 1)
        self._maybe_complete(job)

    def cancel_job(self, job_id: str, force: bool) -> None:
        job = self._known(job_id)
        if job.status != "IN_PROGRESS":
            raise Refused({"InvalidRequest"})
        self._cancel(job, force)

    def _cancel(self, job: Job, force: bool) -> None:
        job.status = "CANCELED"
        self.events.append(("job", "cancellation_in_progress", job.id))
        for run in [run for run in self.runs if run.job is job]:
            if run.status == "QUEUED" or (force and run.status == "IN_PROGRESS"):
                run.forced = force
                self._set(run, "CANCELED")
        self.events.append(("job", "canceled", job.id))

    def cancel_execution(self, thing: str, job_id: str, force: bool, expected: int | None) -> None:
        run = self._existing(thing, job_id)
        if run.job.gone_at is not None:
            raise Refused({"ResourceNotFound"})
        problems = set()
        if expected not in (None, run.version):
            problems.add("VersionConflict")
        if not run.is_pending or (run.status == "IN_PROGRESS" and not force):
            problems.add("InvalidStateTransition")
        _refuse_for(problems)
        run.forced = force
        self._set(run, "CANCELED")

    def delete_job(self, job_id: str, force: bool, namespace: str | None, by_aws: bool) -> None:
        problems = self._reserved(namespace, by_aws)
        if job_id not in self.jobs:
            raise Refused(problems | {"ResourceNotFound"})
        job = self.jobs[job_id]
        if job.namespace != namespace:
            problems.add(self.rules.wrong_namespace)
        if job.gone_at is not None or (job.status == "IN_PROGRESS" and not force):
            problems.add("InvalidStateTransition")
        if sum(job.gone_at is not None for job in self.jobs.values()) >= self.rules.deletions_at_once:
            problems.add("LimitExceeded")
        _refuse_for(problems)
        job.status = "DELETION_IN_PROGRESS"
        job.removal_at = self.now + self.rules.removal_delay_seconds
        job.gone_at = max(job.removal_at, self.now + self.rules.deletion_seconds)
        self.events.append(("job", "deletion_in_progress", job_id))
        self._do_due()

    def delete_execution(
        self, thing: str, job_id: str, number: int, force: bool, namespace: str | None, by_aws: bool
    ) -> None:
        problems = self._reserved(namespace, by_aws)
        found = [run for run in self.runs if (run.thing, run.job.id, run.number) == (thing, job_id, number)]
        if not found:
            raise Refused(problems | {"ResourceNotFound"})
        run = found[0]
        if run.job.namespace != namespace:
            problems.add(self.rules.wrong_namespace)
        if run.job.gone_at is not None:
            problems.add("ResourceNotFound")
        needs_force = run.status == "IN_PROGRESS" or (run.status == "QUEUED" and self.rules.queued_deletion_needs_force)
        if needs_force and not force:
            problems.add("InvalidStateTransition")
        _refuse_for(problems)
        self._remove(run)
        self._maybe_complete(run.job)

    def change_timeout(self, job_id: str, namespace: str | None, minutes: int, by_aws: bool) -> None:
        problems = self._reserved(namespace, by_aws)
        if job_id not in self.jobs:
            raise Refused(problems | {"ResourceNotFound"})
        job = self.jobs[job_id]
        if job.namespace != namespace:
            problems.add(self.rules.wrong_namespace)
        if job.status != "IN_PROGRESS":
            problems.add("InvalidRequest")
        _refuse_for(problems)
        job.timeout = minutes

    # ── groups and things ─────────────────────────────────────────────────────────────────────────────────────

    def joins(self, thing: str) -> None:
        """A thing joins the group of all continuous jobs."""
        for job in self._continuous():
            latest = self.latest(thing, job.id)
            if latest is None or not latest.is_pending:
                self._queue(job, thing, 1 if latest is None else latest.number + 1)

    def leaves(self, thing: str) -> None:
        for job in self._continuous():
            self._take_away(thing, job)

    def is_deleted(self, thing: str) -> None:
        for run in [run for run in self.runs if run.thing == thing and run.is_pending and run.job.gone_at is None]:
            self._take_away(thing, run.job)

    def _take_away(self, thing: str, job: Job) -> None:
        latest = self.latest(thing, job.id)
        if latest is not None and latest.is_pending:
            self._set(latest, "REMOVED")

    def _continuous(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.group and job.status == "IN_PROGRESS"]

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def until(self, end: float) -> None:
        """Do what falls due, each at its time."""
        while (due := min(self._due(), default=None)) is not None and due <= end:
            self.now = max(self.now, due)
            self._do_due()
        self.now = end

    def _due(self) -> list[float]:
        timers = [run.times_out_at for run in self.runs if run.job.gone_at is None]
        jobs = [job.removal_at if job.removal_at is not None else job.gone_at for job in self.jobs.values()]
        return [at for at in (*timers, *jobs) if at is not None]

    def _do_due(self) -> None:
        for run in list(self.runs):
            at = run.times_out_at
            if at is not None and at <= self.now and run.job.gone_at is None:
                self._set(run, "TIMED_OUT")
        for job in list(self.jobs.values()):
            if job.removal_at is not None and job.removal_at <= self.now:
                job.removal_at = None
                for run in [run for run in reversed(self.runs) if run.job is job]:
                    self._remove(run)
            if job.removal_at is None and job.gone_at is not None and job.gone_at <= self.now:
                del self.jobs[job.id]
                self.events.append(("job", "deleted", job.id))

    # ── refusals ──────────────────────────────────────────────────────────────────────────────────────────────

    def _reserved(self, namespace: str | None, by_aws: bool) -> set[str]:
        return {"InvalidRequest"} if (namespace or "").startswith("aws-") and not by_aws else set()

    def _known(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise Refused({"ResourceNotFound"})
        return self.jobs[job_id]

    def _existing(self, thing: str, job_id: str) -> Run:
        run = self.latest(thing, job_id)
        if run is None:
            raise Refused({"ResourceNotFound"})
        return run


def _refuse_for(problems: set[str]) -> None:
    if problems:
        raise Refused(problems)


def told_by(do: Callable[[], None]) -> set[str]:
    """The errors that would do; none if it is done."""
    try:
        do()
    except Refused as refusal:
        return refusal.problems
    return set()
