"""Job executions as the control plane sees them: in every state, and with every earlier attempt."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agent.values import Status
from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Backing, Operation, Parameters, Paused
from simulator.cloud.api.paging import Key, page, page_in_turns
from simulator.cloud.jobs import JobExecution
from simulator.cloud.jobs.commands import CancelExecution, DeleteExecution

LOOKS: Final = 64
"""So many things are looked at in one go: a tenth of a millisecond."""


class ExecutionOperations:
    """What concerns one job on one thing."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._jobs = backing.jobs
        self._sorted: tuple[Sequence[str], int, list[str]] = ((), 0, [])

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
        things = self._sorted_things(job_id)

        def walk(after: Key | None) -> Iterator[JobExecution | None]:
            first = 0 if after is None else bisect_left(things, str(after[0]))
            for start in range(first, len(things), LOOKS):
                for thing in things[start : start + LOOKS]:
                    for execution in self._jobs.executions_on(job_id, thing):
                        if status in (None, execution.status) and (after is None or _place(execution) > after):
                            yield execution
                yield None

        shown, token = yield from page_in_turns("ListJobExecutionsForJob", given, walk, _place)
        arn = self._backing.arn
        summaries = [
            {"thingArn": arn("thing", execution.thing), "jobExecutionSummary": _summary(execution)}
            for execution in shown
        ]
        return {"executionSummaries": summaries, "nextToken": token}

    def _sorted_things(self, job_id: str) -> list[str]:
        """By name, so that a page need not look at what was shown already; kept for who asks for the next page."""
        things = self._jobs.things_of(job_id)
        of, number, kept = self._sorted
        if of is not things or number != len(things):
            kept = sorted(set(things))
            self._sorted = (things, len(things), kept)
        return kept

    def _list_for_thing(self, given: Parameters) -> Parameters:
        status, namespace_id, job_id = _status(given), given.get("namespaceId"), given.get("jobId")
        found: Iterable[JobExecution] = (
            execution
            for execution in self._jobs.executions_of_thing(given["thingName"])
            if status in (None, execution.status)
            and namespace_id in (None, execution.key.namespace_id)
            and job_id in (None, execution.key.job_id)
        )
        shown, token = page(
            "ListJobExecutionsForThing", given, found, lambda each: (each.queued_at, each.serial), newest_first=True
        )
        summaries = [{"jobId": execution.key.job_id, "jobExecutionSummary": _summary(execution)} for execution in shown]
        return {"executionSummaries": summaries, "nextToken": token}


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
