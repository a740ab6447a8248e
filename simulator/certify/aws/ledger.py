"""What a session made in an account, and the one way by which it asks: nothing that it did not make is deleted.

Everything that can have tags has them: `ghostjob` is `certify`, and `ghostjob-session` the session's own word. A thing
can have none, and has them as attributes; a certificate can have neither, and hangs on a policy that has.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agent.errors import InputError
from simulator.controller.hand import Carrier, Refused
from simulator.scenario import Owner

TAG: Final = "ghostjob"
SESSION_TAG: Final = "ghostjob-session"
NOT_FOUND: Final = "ResourceNotFoundException"
ENDS_A_JOB: Final = frozenset({"DeleteJob", "CancelJob", "DeleteJobExecution", "CancelJobExecution"})


@dataclass(slots=True)
class Ledger:
    """What stands in the account because of this session; `session` is its word in tags and job ids.

    `jobs` have the ARN that CreateJob told, None if nobody knows whether it came to that. `calls` counts what was
    asked for, by operation.
    """

    session: str
    jobs: dict[str, str | None] = field(default_factory=dict)
    thing: str | None = None
    principal: str | None = None
    """The ARN of the certificate."""
    policy: str | None = None
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def tags(self) -> list[dict[str, str]]:
        """As TagResource has them."""
        return [{"Key": name, "Value": value} for name, value in self.attributes.items()]

    @property
    def attributes(self) -> dict[str, str]:
        """By name."""
        return {TAG: "certify", SESSION_TAG: self.session}

    def left(self, more: str = "") -> tuple[str, ...]:
        """The commands of the AWS CLI that remove what is still there, in order; `more` ends each."""
        thing = f"--thing-name {self.thing}"
        lines = [f"delete-job --job-id {job_id} --force" for job_id in self.jobs]
        if self.principal is not None:
            certificate = f"--certificate-id {self.principal.rpartition('/')[2]}"
            lines += [
                f"update-certificate {certificate} --new-status INACTIVE",
                f"delete-certificate {certificate} --force-delete",
            ]
        if self.policy is not None:
            lines.append(f"delete-policy --policy-name {self.policy}")
        if self.thing is not None:
            lines.append(f"delete-thing {thing}")
        return tuple(f"aws iot {line}{more}" for line in lines)


class Ledgered:
    """Asks through `carrier`, and enters into `ledger` what that made (see `simulator.controller.hand.Carrier`).

    `told` gets each operation that was carried out, with what was given and what came of it. There are `seconds`
    between two requests at least.
    """

    def __init__(
        self,
        carrier: Carrier,
        ledger: Ledger,
        told: Callable[[str, Mapping[str, Any], Mapping[str, Any]], None],
        seconds: float,
    ) -> None:
        self._carrier = carrier
        self._ledger = ledger
        self._told = told
        self._seconds = seconds
        self._next = 0.0
        self._making: set[asyncio.Task[dict[str, Any]]] = set()

    async def close(self) -> None:
        """See Carrier."""
        await self.settled()
        await self._carrier.close()

    async def settled(self) -> None:
        """Once every job that is being made has been, or not."""
        await asyncio.gather(*self._making, return_exceptions=True)

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """See Carrier. Raises InputError for a job that is not this session's."""
        if operation in ENDS_A_JOB and parameters["jobId"] not in self._ledger.jobs:
            raise InputError(f"job {parameters['jobId']}: not made by this session, so it is left alone")
        if operation == "CreateJob":
            return await self._create(parameters, by)
        if operation == "CreateThing":  # of every play; here it is there by now, or the session would not be
            return await self._ask("DescribeThing", {"thingName": parameters["thingName"]}, by)
        told = await self._ask(operation, parameters, by)
        self._told(operation, parameters, told)
        return told

    async def make(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """An operation as it stands. Raises Refused, InputError."""
        return await self._ask(operation, parameters, "customer")

    async def _create(self, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """Once it has begun it is waited for, whoever is interrupted: what was made must stand in the ledger."""
        making = asyncio.ensure_future(self._made({**parameters, "tags": self._ledger.tags}, by))
        self._making.add(making)
        making.add_done_callback(self._making.discard)
        return await asyncio.shield(making)

    async def _made(self, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        job_id, jobs = parameters["jobId"], self._ledger.jobs
        before = job_id in jobs
        jobs.setdefault(job_id, None)
        try:
            told = await self._ask("CreateJob", parameters, by)
        except Refused as refused:
            # A request that was sent again, because its answer was lost, meets the job that it made.
            if refused.code != "ResourceAlreadyExistsException" and not before:
                del jobs[job_id]
            raise
        jobs[job_id] = told["jobArn"]
        self._told("CreateJob", parameters, told)
        return told

    async def is_ours(self, job_id: str) -> bool:
        """Whether a job bears this session's tags, where nobody knows whether it came to be. Raises Refused."""
        if self._ledger.jobs.get(job_id) is not None:
            return True
        arn = (await self.make("DescribeJob", jobId=job_id))["job"]["jobArn"]
        tags = (await self.make("ListTagsForResource", resourceArn=arn)).get("tags", [])
        return {"Key": SESSION_TAG, "Value": self._ledger.session} in tags

    async def _ask(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        now = asyncio.get_running_loop().time()
        at, self._next = max(now, self._next), max(now, self._next) + self._seconds
        await asyncio.sleep(at - now)
        self._ledger.calls[operation] += 1
        return await self._carrier.call(operation, parameters, by)
