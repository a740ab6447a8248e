"""Job executions as the control plane sees them: in every state, and with every earlier attempt."""

from collections.abc import Iterator
from typing import Final

from agent.values import Status
from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Backing, Operation, Parameters, Paused
from simulator.cloud.api.names_in_order import NamesInOrder
from simulator.cloud.api.paging import Key, page_in_turns
from simulator.cloud.jobs import JobExecution
from simulator.cloud.jobs.commands import CancelExecution, DeleteExecution
from simulator.cloud.jobs.thing_order import ExecutionAge

LOOKS: Final = 64
"""So many things are looked at in one go: a tenth of a millisecond."""
KEPT: Final = 16
"""Jobs whose things are kept by name at once: eight bytes for each."""


class ExecutionOperations:
    """What concerns one job on one thing."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._jobs = backing.jobs
        self._kept: dict[str, NamesInOrder] = {}

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CancelJobExecution": self._cancel,
            "DeleteJobExecution": self._delete,
            "DescribeJobExecution": self._describe,
            "ListJobExecutionsForJob": self._list_for_job,
            "ListJobExecutionsForThing": self._list_for_thing,
        }

    def _cancel(self, given: Parameters) -> Parameters:
        details = given.get("statusDetails")
        self._check_details(details or {})
        command = CancelExecution(
            given["thingName"],
            given["jobId"],
            force=given.get("force", False),
            expected_version=given.get("expectedVersion"),
            status_details=None if details is None else tuple(details.items()),
        )
        self._backing.publish(self._jobs.do(command, self._backing.clock()))
        return {}

    def _check_details(self, details: Parameters) -> None:
        """The bounds of prose, which the model does not state (API Reference, CancelJobExecution). Raises ApiError."""
        settings = self._jobs.settings
        if len(details) > settings.details or any(len(value) > settings.detail_length for value in details.values()):
            raise invalid(
                f"statusDetails: at most {settings.details} pairs, of at most {settings.detail_length} characters each."
            )

    def _delete(self, given: Parameters) -> Parameters:
        command = DeleteExecution(
            given["thingName"],
            given["jobId"],
            number=given["executionNumber"],
            force=given.get("force", False),
            namespace_id=given.get("namespaceId"),
            by_aws=self._backing.by_aws,
        )
        self._backing.publish(self._jobs.do(command, self._backing.clock()))
        return {}

    def _describe(self, given: Parameters) -> Parameters:
        execution = self._jobs.execution(given["thingName"], given["jobId"], given.get("executionNumber"))
        shown = {
            "jobId": execution.key.job_id,
            "thingArn": self._backing.arn("thing", execution.thing),
            "forceCanceled": execution.force_canceled or None,
            "statusDetails": {"detailsMap": dict(execution.status_details)},
            "versionNumber": execution.version_number,
            "approximateSecondsBeforeTimedOut": execution.seconds_left(self._backing.clock()),
        }
        return {"execution": _summary(execution) | shown}

    def _list_for_job(self, given: Parameters) -> Paused:
        job_id, status = given["jobId"], _status(given)
        names = self._names_of(job_id)
        yield from names.caught_up()

        def walk(after: Key | None) -> Iterator[JobExecution | None]:
            last = None if after is None else str(after[0])
            some = names.some(last, LOOKS, inclusive=True)
            while some:
                for thing in some:
                    for execution in self._jobs.executions_on(job_id, thing):
                        if status in (None, execution.status) and (after is None or _place(execution) > after):
                            yield execution
                yield None
                some = names.some(some[-1], LOOKS)

        shown, token = yield from page_in_turns("ListJobExecutionsForJob", given, walk, _place)
        arn = self._backing.arn
        summaries = [
            {"thingArn": arn("thing", execution.thing), "jobExecutionSummary": _summary(execution)}
            for execution in shown
        ]
        return {"executionSummaries": summaries, "nextToken": token}

    def _names_of(self, job_id: str) -> NamesInOrder:
        """Those of a job's things; kept for who asks for the next page. Raises JobsError."""
        things = self._jobs.things_of(job_id)
        names = self._kept.pop(job_id, None)
        if names is None or names.things is not things:
            names = NamesInOrder(things)
        while len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[job_id] = names
        return names

    def _list_for_thing(self, given: Parameters) -> Paused:
        thing, job_id = given["thingName"], given.get("jobId")
        status, namespace_id = _status(given), given.get("namespaceId")

        def walk(after: Key | None) -> Iterator[JobExecution | None]:
            before = None if after is None else _age(after)
            while True:
                some, before = self._some_on(thing, job_id, before)
                for execution in some:
                    if status in (None, execution.status) and namespace_id in (None, execution.key.namespace_id):
                        yield execution
                if before is None:
                    break
                yield None

        shown, token = yield from page_in_turns(
            "ListJobExecutionsForThing", given, walk, lambda each: (each.queued_at, each.serial)
        )
        summaries = [{"jobId": execution.key.job_id, "jobExecutionSummary": _summary(execution)} for execution in shown]
        return {"executionSummaries": summaries, "nextToken": token}

    def _some_on(
        self, thing: str, job_id: str | None, before: ExecutionAge | None
    ) -> tuple[list[JobExecution], ExecutionAge | None]:
        """The next older ones on a thing, or of these those of one job; and what to go on with."""
        if job_id is None:
            return self._jobs.older_on_thing(thing, before, LOOKS)
        of_job = sorted(((each.queued_at, each.serial), each) for each in self._jobs.executions_on(job_id, thing))
        return [each for age, each in reversed(of_job) if before is None or age < before], None


def _age(after: Key) -> ExecutionAge:
    try:
        return float(after[0]), int(after[1])
    except (ValueError, IndexError):
        raise invalid("Invalid nextToken.") from None


def _place(execution: JobExecution) -> Key:
    return execution.thing, execution.key.execution_number


def _status(given: Parameters) -> Status | None:
    return Status(given["status"]) if "status" in given else None


def _summary(execution: JobExecution) -> Parameters:
    return {
        "status": execution.status.value,
        "queuedAt": execution.queued_at,
        "startedAt": execution.started_at,
        "lastUpdatedAt": execution.last_updated_at,
        "executionNumber": execution.key.execution_number,
        "retryAttempt": execution.retry_attempt or None,
    }
