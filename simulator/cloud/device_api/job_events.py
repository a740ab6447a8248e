"""Job and job-execution events as topics and payloads (Developer Guide, "Jobs events").

    $aws/events/job/JOB/{completed,canceled,deleted,cancellation_in_progress,deletion_in_progress}
    $aws/events/jobExecution/JOB/{succeeded,failed,rejected,canceled,timed_out,removed,deleted}

Of `jobExecution/JOB/deleted` only the topic is documented; its payload here is that of the others, with the status that
the execution had. As in the guide's examples, `timestamp` counts seconds and the job's own times milliseconds.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pydantic_core import to_json

from simulator.cloud.jobs import Event, ExecutionEvent, JobEvent

Arn: TypeAlias = Callable[[str, str], str]
STATUS: Final = {
    "completed": "COMPLETED",
    "canceled": "CANCELED",
    "deleted": "DELETED",
    "cancellation_in_progress": "CANCELLATION_IN_PROGRESS",
    "deletion_in_progress": "DELETION_IN_PROGRESS",
}
"""Two of these are the status of no job: they stand in events only."""


def event_publication(event: Event, event_id: str, arn: Arn) -> tuple[str, bytes]:
    """Topic and payload; `arn` makes the ARN of a kind and a name."""
    match event:
        case JobEvent(operation=operation, job=job):
            return f"$aws/events/job/{job.job_id}/{operation}", to_json(_job_body(event, event_id))
        case ExecutionEvent(operation=operation, execution=execution):
            topic = f"$aws/events/jobExecution/{execution.key.job_id}/{operation}"
            return topic, to_json(_execution_body(event, event_id, arn))


def _job_body(event: JobEvent, event_id: str) -> dict[str, Any]:
    job = event.job
    body: dict[str, Any] = {
        "eventType": "JOB",
        "eventId": event_id,
        "timestamp": int(event.at),
        "operation": event.operation,
        "jobId": job.job_id,
        "status": STATUS[event.operation],
        "targetSelection": job.new.target_selection,
        "targets": job.targets,
        "description": job.new.description,
        "createdAt": int(job.created_at * 1000),
        "lastUpdatedAt": int(job.last_updated_at * 1000),
        "completedAt": None if job.completed_at is None else int(job.completed_at * 1000),
        "comment": job.comment,
    }
    if event.operation == "completed":
        body["jobProcessDetails"] = {
            f"numberOf{_words(status.value)}Things": count for status, count in event.counts if status.is_terminal
        }
    return {name: value for name, value in body.items() if value is not None}


def _execution_body(event: ExecutionEvent, event_id: str, arn: Arn) -> dict[str, Any]:
    execution = event.execution
    return {
        "eventType": "JOB_EXECUTION",
        "eventId": event_id,
        "timestamp": int(event.at),
        "operation": event.operation,
        "jobId": execution.key.job_id,
        "thingArn": arn("thing", execution.thing),
        "status": execution.status.value,
        "statusDetails": dict(execution.status_details),
    }


def _words(status: str) -> str:
    return "".join(word.capitalize() for word in status.split("_"))
