"""The operations of the control plane that the local cloud serves, as functions from input to output.

Names and shapes are those of the AWS IoT API Reference. A refusal is an ApiError with the name of AWS's exception.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from agent.values import JobDocument, Status
from simulator.cloud.jobs import Job, JobExecution, Jobs, JobsError, JobStatus, NewJob, Outcome
from simulator.cloud.registry import Registry, RegistryError, Thing

T = TypeVar("T")
Parameters = dict[str, Any]

PAGE: Final = 250
KEPT_FOR_SHOW: Final = (
    "presignedUrlConfig",
    "jobExecutionsRolloutConfig",
    "abortConfig",
    "timeoutConfig",
    "jobExecutionsRetryConfig",
    "schedulingConfig",
    "documentParameters",
    "destinationPackageVersions",
)
"""Members of CreateJob that DescribeJob shows again, though nothing acts on them yet."""


class ApiError(Exception):
    """The service refuses, under the name of one of AWS's exceptions; `more` are further members of its body."""

    def __init__(self, name: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.more = more


@dataclass(frozen=True, slots=True)
class Account:
    """Whose cloud it is; `data_endpoint` is HOST:PORT, what DescribeEndpoint tells."""

    region: str = "us-east-1"
    account_id: str = "000000000000"
    data_endpoint: str = ""

    def arn(self, kind: str, name: str) -> str:
        """An ARN as AWS IoT has them, such as `arn:aws:iot:us-east-1:000000000000:thing/NAME`."""
        return f"arn:aws:iot:{self.region}:{self.account_id}:{kind}/{name}"


class ControlPlane:
    """Every operation that is served. `publish` gets the outcome of each command, to carry its changes and hints on."""

    def __init__(
        self,
        jobs: Jobs,
        registry: Registry,
        account: Account,
        clock: Callable[[], float],
        publish: Callable[[Outcome], None],
        *,
        by_aws: bool = False,
    ) -> None:
        self._jobs = jobs
        self._registry = registry
        self._account = account
        self._clock = clock
        self._publish = publish
        self._by_aws = by_aws
        self.operations: dict[str, Callable[[Parameters], Parameters]] = {
            "CancelJob": self._cancel_job,
            "CancelJobExecution": self._cancel_job_execution,
            "CreateJob": self._create_job,
            "CreateThing": self._create_thing,
            "DeleteJob": self._delete_job,
            "DeleteJobExecution": self._delete_job_execution,
            "DeleteThing": self._delete_thing,
            "DescribeEndpoint": self._describe_endpoint,
            "DescribeJob": self._describe_job,
            "DescribeJobExecution": self._describe_job_execution,
            "DescribeThing": self._describe_thing,
            "GetJobDocument": self._get_job_document,
            "ListJobExecutionsForJob": self._list_job_executions_for_job,
            "ListJobExecutionsForThing": self._list_job_executions_for_thing,
            "ListJobs": self._list_jobs,
            "ListThings": self._list_things,
        }

    def in_the_hand_of_aws(self) -> "ControlPlane":
        """The same account, as AWS's own services use it, such as Greengrass: theirs are the namespaces `aws-…`."""
        return ControlPlane(self._jobs, self._registry, self._account, self._clock, self._publish, by_aws=True)

    def call(self, operation: str, parameters: Parameters) -> Parameters:
        """Carry out one operation. Raises ApiError."""
        serve = self.operations.get(operation)
        if serve is None:
            raise ApiError("InvalidRequestException", f"The local cloud does not serve {operation} yet.")
        try:
            return serve(parameters)
        except JobsError as error:
            more = {}
            if error.kind == "ResourceAlreadyExists":
                job_id = str(parameters["jobId"])
                more = {"resourceId": job_id, "resourceArn": self._account.arn("job", job_id)}
            raise ApiError(f"{error.kind}Exception", error.message, **more) from None
        except RegistryError as error:
            more = {}
            if error.resource is not None:
                kind, _, name = error.resource.partition("/")
                more = {"resourceId": name, "resourceArn": self._account.arn(kind, name)}
            raise ApiError(f"{error.kind}Exception", error.message, **more) from None

    # ── things ────────────────────────────────────────────────────────────────────────────────────────────────

    def _create_thing(self, given: Parameters) -> Parameters:
        name = given["thingName"]
        thing = self._registry.things.create(
            name,
            thing_type=given.get("thingTypeName"),
            billing_group=given.get("billingGroupName"),
            attributes=tuple(sorted(given.get("attributePayload", {}).get("attributes", {}).items())),
        )
        return {"thingName": name, "thingArn": self._account.arn("thing", name), "thingId": thing.thing_id}

    def _describe_thing(self, given: Parameters) -> Parameters:
        name = given["thingName"]
        thing = self._registry.things.needed(name)
        return self._thing(thing) | {
            "defaultClientId": name,
            "thingId": thing.thing_id,
            "billingGroupName": thing.billing_group,
        }

    def _list_things(self, given: Parameters) -> Parameters:
        page, token = _page(self._registry.things.all(), lambda thing: thing.name, given)
        return {"things": [self._thing(thing) for thing in page], "nextToken": token}

    def _delete_thing(self, given: Parameters) -> Parameters:
        self._registry.things.delete(given["thingName"])
        return {}

    def _thing(self, thing: Thing) -> Parameters:
        return {
            "thingName": thing.name,
            "thingTypeName": thing.thing_type,
            "thingArn": self._account.arn("thing", thing.name),
            "attributes": dict(thing.attributes),
            "version": thing.version,
        }

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _create_job(self, given: Parameters) -> Parameters:
        job_id = given["jobId"]
        new = NewJob(
            job_id,
            self._things_of(given["targets"]),
            _document(given),
            tuple(given["targets"]),
            description=given.get("description"),
            namespace_id=given.get("namespaceId"),
            target_selection=given.get("targetSelection", "SNAPSHOT"),
            config=tuple((name, json.dumps(given[name])) for name in KEPT_FOR_SHOW if name in given),
        )
        self._publish(self._jobs.create_job(new, self._clock(), by_aws=self._by_aws))
        return self._named(self._jobs.job(job_id))

    def _things_of(self, targets: Sequence[str]) -> tuple[str, ...]:
        prefix, group = self._account.arn("thing", ""), self._account.arn("thinggroup", "")
        things: dict[str, None] = {}
        for target in targets:
            if target.startswith(group):
                raise ApiError("InvalidRequestException", f"The local cloud has no thing groups yet: {target}")
            if not target.startswith(prefix):
                raise ApiError("InvalidRequestException", f"Invalid target {target}: expected {prefix}NAME")
            name = target.removeprefix(prefix)
            things[self._registry.things.needed(name).name] = None
        return tuple(things)

    def _describe_job(self, given: Parameters) -> Parameters:
        job = self._jobs.job(given["jobId"])
        counts = self._jobs.counts(job.job_id)
        shown = {name: json.loads(text) for name, text in job.new.config}
        details = {f"numberOf{_words(status)}Things": count for status, count in counts.items()}
        return {
            "job": shown
            | self._summary(job)
            | {
                "targets": list(job.new.targets),
                "description": job.new.description,
                "namespaceId": job.namespace_id,
                "forceCanceled": job.force_canceled or None,
                "reasonCode": job.reason_code,
                "comment": job.comment,
                "jobProcessDetails": details,
            }
        }

    def _get_job_document(self, given: Parameters) -> Parameters:
        return {"document": self._jobs.job(given["jobId"]).new.document.text}

    def _list_jobs(self, given: Parameters) -> Parameters:
        status = JobStatus(given["status"]) if "status" in given else None
        jobs = self._jobs.jobs(status=status, namespace_id=given.get("namespaceId"))
        wanted = given.get("targetSelection")
        selected = [job for job in jobs if wanted in (None, job.new.target_selection)]
        if "thingGroupName" in given or "thingGroupId" in given:
            selected = []
        page, token = _page(selected, lambda job: job.job_id, given)
        return {"jobs": [self._summary(job) for job in page], "nextToken": token}

    def _cancel_job(self, given: Parameters) -> Parameters:
        outcome = self._jobs.cancel_job(
            given["jobId"],
            force=given.get("force", False),
            reason_code=given.get("reasonCode"),
            comment=given.get("comment"),
            now=self._clock(),
        )
        self._publish(outcome)
        return self._named(self._jobs.job(given["jobId"]))

    def _delete_job(self, given: Parameters) -> Parameters:
        outcome = self._jobs.delete_job(
            given["jobId"],
            force=given.get("force", False),
            namespace_id=given.get("namespaceId"),
            now=self._clock(),
            by_aws=self._by_aws,
        )
        self._publish(outcome)
        return {}

    def _cancel_job_execution(self, given: Parameters) -> Parameters:
        execution = self._jobs.execution(given["thingName"], given["jobId"])
        if given.get("expectedVersion", execution.version_number) != execution.version_number:
            message = f"The execution is at version {execution.version_number}."
            raise ApiError("VersionConflictException", message)
        force = given.get("force", False)
        self._publish(self._jobs.cancel_execution(given["thingName"], given["jobId"], force=force, now=self._clock()))
        return {}

    def _delete_job_execution(self, given: Parameters) -> Parameters:
        outcome = self._jobs.delete_execution(
            given["thingName"],
            given["jobId"],
            number=given["executionNumber"],
            force=given.get("force", False),
            namespace_id=given.get("namespaceId"),
            now=self._clock(),
            by_aws=self._by_aws,
        )
        self._publish(outcome)
        return {}

    def _named(self, job: Job) -> Parameters:
        arn = self._account.arn("job", job.job_id)
        return {"jobArn": arn, "jobId": job.job_id, "description": job.new.description}

    def _summary(self, job: Job) -> Parameters:
        return {
            "jobArn": self._account.arn("job", job.job_id),
            "jobId": job.job_id,
            "targetSelection": job.new.target_selection,
            "status": job.status.value,
            "createdAt": job.created_at,
            "lastUpdatedAt": job.last_updated_at,
            "completedAt": job.completed_at,
        }

    # ── executions ────────────────────────────────────────────────────────────────────────────────────────────

    def _list_job_executions_for_job(self, given: Parameters) -> Parameters:
        found = self._jobs.executions_of_job(given["jobId"], status=_status(given))
        page, token = _page(found, lambda execution: execution.thing, given)
        summaries = [
            {"thingArn": self._account.arn("thing", execution.thing), "jobExecutionSummary": _execution(execution)}
            for execution in page
        ]
        return {"executionSummaries": summaries, "nextToken": token}

    def _list_job_executions_for_thing(self, given: Parameters) -> Parameters:
        status, namespace_id, job_id = _status(given), given.get("namespaceId"), given.get("jobId")
        found = [
            execution
            for execution in self._jobs.executions_of_thing(given["thingName"])
            if status in (None, execution.status)
            and namespace_id in (None, execution.key.namespace_id)
            and job_id in (None, execution.key.job_id)
        ]
        page, token = _page(found, lambda execution: execution.key.job_id, given)
        summaries = [
            {"jobId": execution.key.job_id, "jobExecutionSummary": _execution(execution)} for execution in page
        ]
        return {"executionSummaries": summaries, "nextToken": token}

    def _describe_job_execution(self, given: Parameters) -> Parameters:
        execution = self._jobs.execution(given["thingName"], given["jobId"], given.get("executionNumber"))
        return {
            "execution": _execution(execution)
            | {
                "jobId": execution.key.job_id,
                "thingArn": self._account.arn("thing", execution.thing),
                "forceCanceled": execution.force_canceled or None,
                "statusDetails": {"detailsMap": dict(execution.status_details)},
                "versionNumber": execution.version_number,
            }
        }

    # ── the endpoint ──────────────────────────────────────────────────────────────────────────────────────────

    def _describe_endpoint(self, given: Parameters) -> Parameters:
        kind = given.get("endpointType", "iot:Data")
        if kind not in ("iot:Data", "iot:Data-ATS"):
            raise ApiError("InvalidRequestException", f"Endpoint type {kind} is not served; use iot:Data-ATS.")
        return {"endpointAddress": self._account.data_endpoint}


def _document(given: Parameters) -> JobDocument:
    if "documentSource" in given:
        raise ApiError("InvalidRequestException", "documentSource: the local cloud reads no S3; pass the document.")
    if "document" not in given:
        raise ApiError("InvalidRequestException", "Exactly one of document and documentSource is needed.")
    try:
        return JobDocument.of(json.loads(given["document"]))
    except ValueError:
        raise ApiError("InvalidRequestException", "The job document is not JSON.") from None


def _status(given: Parameters) -> Status | None:
    return Status(given["status"]) if "status" in given else None


def _execution(execution: JobExecution) -> Parameters:
    return {
        "status": execution.status.value,
        "queuedAt": execution.queued_at,
        "startedAt": execution.started_at,
        "lastUpdatedAt": execution.last_updated_at,
        "executionNumber": execution.key.execution_number,
    }


def _words(status: Status) -> str:
    """`IN_PROGRESS` as it stands in `numberOfInProgressThings`."""
    return "".join(word.capitalize() for word in status.value.split("_"))


def _page(items: Sequence[T], name: Callable[[T], str], given: Parameters) -> tuple[Sequence[T], str | None]:
    """One page, and the token of the next: it names the last item shown, so that it holds while others come and go."""
    start, size = 0, given.get("maxResults", PAGE)
    if (token := given.get("nextToken")) is not None:
        try:
            last = urlsafe_b64decode(token.encode()).decode()
            start = next(index for index, item in enumerate(items) if name(item) == last) + 1
        except (ValueError, StopIteration):
            raise ApiError("InvalidRequestException", "Invalid nextToken.") from None
    page = items[start : start + size]
    more = start + size < len(items)
    return page, urlsafe_b64encode(name(page[-1]).encode()).decode() if more else None
