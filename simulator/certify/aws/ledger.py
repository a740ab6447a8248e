"""What a session made in an account, and the one way by which it asks: nothing that it did not make is deleted.

Everything that can have tags has them: `ghostjob` is `certify`, and `ghostjob-session` the session's own word. A thing
can have none, and has them as attributes; a certificate can have neither, and hangs on a policy that has.
"""

import asyncio
import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.errors import InputError
from simulator.controller.hand import Carrier, Refused, Unanswered
from simulator.controller.watching import PASSING
from simulator.scenario import Owner

TAG: Final = "ghostjob"
SESSION_TAG: Final = "ghostjob-session"
NOT_FOUND: Final = "ResourceNotFoundException"
IS_THERE: Final = "ResourceAlreadyExistsException"
PATIENCE_SECONDS: Final = 60.0
"""For so long an operation is asked for again that the service is too busy for, or that nobody answers."""
FIRST_WAIT_SECONDS: Final = 0.25
LONGEST_WAIT_SECONDS: Final = 8.0
ENDS_A_JOB: Final = frozenset({"DeleteJob", "CancelJob", "DeleteJobExecution", "CancelJobExecution"})


@dataclass(slots=True)
class Ledger:
    """What stands in the account because of this session; `session` is its word in tags and job ids.

    `jobs` have the ARN that CreateJob told, None if nobody knows whether it came to that; those of them that the
    service is deleting by now are `going`. `calls` counts what was asked for, by operation.
    """

    session: str
    jobs: dict[str, str | None] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)
    """Of the jobs that are in one."""
    going: set[str] = field(default_factory=set)
    thing: str | None = None
    principal: str | None = None
    """The ARN of the certificate."""
    stray_key: bytes | None = None
    """The public key (DER) of a certificate that was asked for, while nobody knows how many came of that."""
    attached: list[str] = field(default_factory=list)
    """Things that it is attached to."""
    policy: str | None = None
    files: list[Path] = field(default_factory=list)
    """Here, of the certificate."""
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def tags(self) -> list[dict[str, str]]:
        """As TagResource has them."""
        return [{"Key": name, "Value": value} for name, value in self.attributes.items()]

    @property
    def attributes(self) -> dict[str, str]:
        """By name."""
        return {TAG: "certify", SESSION_TAG: self.session}

    def gone(self, job_id: str) -> None:
        """A job is no more."""
        self.jobs.pop(job_id, None)
        self.going.discard(job_id)

    def left(self, more: str = "") -> tuple[str, ...]:
        """The commands that remove what is still there and stays there, in order; `more` ends each of the AWS CLI's.

        Some may find nothing any more, such as a certificate that is detached already.
        """
        lines = [
            f"delete-job --job-id {job_id} --force{self._in_namespace(job_id)}"
            for job_id in self.jobs
            if job_id not in self.going
        ]
        if self.principal is not None:
            lines += self._certificate_left(self.principal)
        if self.stray_key is not None:
            lines.append("list-certificates  # one may be this session's, whose answer was lost")
        if self.policy is not None:
            lines.append(f"delete-policy --policy-name {self.policy}")
        if self.thing is not None:
            lines.append(f"delete-thing --thing-name {self.thing}")
        return (*(_command(line, more) for line in lines), *(f"rm -f {shlex.quote(str(path))}" for path in self.files))

    def _in_namespace(self, job_id: str) -> str:
        return f" --namespace-id {self.namespaces[job_id]}" if job_id in self.namespaces else ""

    def _certificate_left(self, principal: str) -> list[str]:
        """AWS deletes none that is active, or attached to something, and no policy that is attached."""
        certificate = f"--certificate-id {principal.rpartition('/')[2]}"
        policy = [] if self.policy is None else [f"detach-policy --policy-name {self.policy} --target {principal}"]
        return [
            *(f"detach-thing-principal --thing-name {thing} --principal {principal}" for thing in self.attached),
            *policy,
            f"update-certificate {certificate} --new-status INACTIVE",
            f"delete-certificate {certificate}",
        ]


def _command(line: str, more: str) -> str:
    what, comment, why = line.partition("  #")
    return f"aws iot {what}{more}{comment}{why}"


class Ledgered:
    """Asks through `carrier`, and enters into `ledger` what that made (see `simulator.controller.hand.Carrier`).

    `told` gets each operation that was carried out, with what was given and what came of it. There are `seconds`
    between two requests at least. What is refused for a reason that passes, or not answered, is asked for again for
    `patience_seconds`, but nobody is waited for who never answered. The carrier itself should not ask again: it would
    hide that something may have been made twice.
    """

    def __init__(
        self,
        carrier: Carrier,
        ledger: Ledger,
        told: Callable[[str, Mapping[str, Any], Mapping[str, Any]], None],
        seconds: float,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._carrier = carrier
        self._ledger = ledger
        self._told = told
        self._seconds = seconds
        self._patience_seconds = patience_seconds
        self._next = 0.0
        self._was_answered = False
        self._is_ending = False
        self._making: set[asyncio.Task[dict[str, Any]]] = set()

    async def close(self) -> None:
        """See Carrier."""
        await self.settled()
        await self._carrier.close()

    async def settled(self) -> None:
        """Once every job that is being made has been, or not; none is asked for again."""
        self._is_ending = True
        await asyncio.gather(*self._making, return_exceptions=True)

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """See Carrier. Raises InputError for a job that is not this session's."""
        if operation in ENDS_A_JOB and self._ledger.jobs.get(parameters["jobId"]) is None:
            raise InputError(f"job {parameters['jobId']}: not made by this session, so it is left alone")
        if operation == "CreateJob":
            return await self._create(parameters, by)
        if operation == "CreateThing":  # of every play; here it is there by now, or the session would not be
            return await self._ask("DescribeThing", {"thingName": parameters["thingName"]}, by)
        if operation == "DeleteJob":
            told = await self._delete(parameters, by)
        else:
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
        ledger, job_id = self._ledger, parameters["jobId"]
        is_new = job_id not in ledger.jobs or job_id in ledger.going
        if job_id not in ledger.jobs:
            ledger.jobs[job_id] = None
        if parameters.get("namespaceId") is not None:
            ledger.namespaces[job_id] = parameters["namespaceId"]
        try:
            told = await self._ask("CreateJob", parameters, by)
        except Refused as refused:
            # A request that was sent again, because its answer was lost, meets the job that it made.
            if refused.code == IS_THERE and is_new and (arn := await self._made_before(job_id)) is not None:
                told = {"jobArn": arn}
            else:
                if refused.code != IS_THERE and ledger.jobs[job_id] is None:
                    del ledger.jobs[job_id]
                raise
        ledger.jobs[job_id] = told["jobArn"]
        ledger.going.discard(job_id)
        self._told("CreateJob", parameters, told)
        return told

    async def _made_before(self, job_id: str) -> str | None:
        """The ARN of a job of ours that nobody is deleting; None if there is none, or nobody knows."""
        try:
            job = (await self.make("DescribeJob", jobId=job_id))["job"]
            is_ours = await self._has_our_tags(job["jobArn"])
        except (Refused, InputError):
            return None
        return str(job["jobArn"]) if is_ours and job.get("status") != "DELETION_IN_PROGRESS" else None

    async def _delete(self, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """Likewise: one that was sent again meets the deletion that it began."""
        job_id, going = parameters["jobId"], self._ledger.going
        try:
            told = await self._ask("DeleteJob", parameters, by)
        except Refused as refused:
            if refused.code != "InvalidStateTransitionException" or job_id in going:
                raise
            if (await self.make("DescribeJob", jobId=job_id))["job"].get("status") != "DELETION_IN_PROGRESS":
                raise refused from None
            told = {}
        going.add(job_id)
        return told

    async def is_ours(self, job_id: str) -> bool:
        """Whether a job bears this session's tags, where nobody knows whether it came to be. Raises Refused."""
        if self._ledger.jobs.get(job_id) is not None:
            return True
        arn = str((await self.make("DescribeJob", jobId=job_id))["job"]["jobArn"])
        if not await self._has_our_tags(arn):
            return False
        self._ledger.jobs[job_id] = arn
        return True

    async def _has_our_tags(self, arn: str) -> bool:
        tags = (await self.make("ListTagsForResource", resourceArn=arn)).get("tags", [])
        return {"Key": SESSION_TAG, "Value": self._ledger.session} in tags

    async def _ask(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        clock, wait = asyncio.get_running_loop().time, FIRST_WAIT_SECONDS
        until = clock() + self._patience_seconds
        while True:
            try:
                told = await self._ask_once(operation, parameters, by)
            except (Refused, Unanswered) as error:
                self._was_answered |= isinstance(error, Refused)
                is_late = clock() + wait > until or (self._is_ending and operation == "CreateJob")
                if is_late or not self._passes(operation, error):
                    self._was_answered &= isinstance(error, Refused)  # who is gone for so long is not waited for again
                    raise
            else:
                self._was_answered = True
                return told
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)

    def _passes(self, operation: str, error: Refused | Unanswered) -> bool:
        """Whether it may go better the next time. How many jobs are being deleted is the controller's affair."""
        if isinstance(error, Unanswered):
            return self._was_answered
        is_busy = error.code in PASSING or error.code.startswith("5")  # the HTTP status, of an answer with nothing else
        return is_busy and (operation, error.code) != ("DeleteJob", "LimitExceededException")

    async def _ask_once(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        now = asyncio.get_running_loop().time()
        at, self._next = max(now, self._next), max(now, self._next) + self._seconds
        await asyncio.sleep(at - now)
        self._ledger.calls[operation] += 1
        return await self._carrier.call(operation, parameters, by)
