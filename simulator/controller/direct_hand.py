"""The hand for a cloud in the same process: the control plane's operations, called as functions."""

import json
from collections.abc import Sequence
from typing import Any

from simulator.cloud.api import ApiError, ControlPlane
from simulator.controller.hands import LONGEST_PAGE, Refused, SeenExecution, seen
from simulator.scenario import Owner


class DirectHand:
    """Calls `control_plane`; `thing_arn` is what every thing's ARN begins with."""

    def __init__(self, control_plane: ControlPlane, thing_arn: str) -> None:
        self._control_plane = control_plane
        self._greengrass = control_plane.in_the_hand_of_aws()
        self._thing_arn = thing_arn

    async def close(self) -> None:
        """Nothing to let go of."""

    async def create_thing(self, name: str) -> None:
        """CreateThing."""
        self._call("CreateThing", thingName=name)

    async def create_job(
        self,
        job_id: str,
        things: Sequence[str],
        document: dict[str, Any],
        namespace_id: str | None,
        by: Owner = "customer",
    ) -> None:
        """CreateJob."""
        targets, text = [f"{self._thing_arn}{thing}" for thing in things], json.dumps(document)
        self._call("CreateJob", by, jobId=job_id, targets=targets, document=text, namespaceId=namespace_id)

    async def delete_job(self, job_id: str, *, force: bool, namespace_id: str | None, by: Owner = "customer") -> None:
        """DeleteJob."""
        self._call("DeleteJob", by, jobId=job_id, force=force, namespaceId=namespace_id)

    async def cancel_job(self, job_id: str, *, force: bool) -> None:
        """CancelJob."""
        self._call("CancelJob", jobId=job_id, force=force)

    async def delete_execution(
        self, thing: str, job_id: str, *, number: int, force: bool, namespace_id: str | None
    ) -> None:
        """DeleteJobExecution."""
        self._call(
            "DeleteJobExecution",
            thingName=thing,
            jobId=job_id,
            executionNumber=number,
            force=force,
            namespaceId=namespace_id,
        )

    async def cancel_execution(self, thing: str, job_id: str, *, force: bool) -> None:
        """CancelJobExecution."""
        self._call("CancelJobExecution", thingName=thing, jobId=job_id, force=force)

    async def describe_job(self, job_id: str) -> dict[str, Any]:
        """DescribeJob."""
        return dict(self._call("DescribeJob", jobId=job_id)["job"])

    async def job_document(self, job_id: str) -> str:
        """GetJobDocument."""
        return str(self._call("GetJobDocument", jobId=job_id)["document"])

    async def executions(self, job_id: str) -> list[SeenExecution]:
        """ListJobExecutionsForJob, all pages."""
        found: list[SeenExecution] = []
        token: str | None = None
        while True:
            page = self._call("ListJobExecutionsForJob", jobId=job_id, maxResults=LONGEST_PAGE, nextToken=token)
            found += [seen(each["thingArn"], each["jobExecutionSummary"]) for each in page["executionSummaries"]]
            token = page.get("nextToken")
            if not token:
                return found

    async def execution(self, thing: str, job_id: str) -> SeenExecution:
        """DescribeJobExecution."""
        told = self._call("DescribeJobExecution", thingName=thing, jobId=job_id)
        return seen(told["execution"]["thingArn"], told["execution"])

    def _call(self, operation: str, by: Owner = "customer", **parameters: Any) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value is not None}
        try:
            plane = self._control_plane if by == "customer" else self._greengrass
            return dict(plane.call(operation, given))
        except ApiError as error:
            raise Refused(error.name, error.message) from None
