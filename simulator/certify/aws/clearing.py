"""Jobs of a session, removed from its account: ten at once at most, and each until it is gone."""

import asyncio
from contextlib import suppress
from typing import Final

from agent.log import get_logger
from simulator.certify.aws.ledger import NOT_FOUND, Ledger, Ledgered
from simulator.controller.controller import DELETIONS_AT_ONCE
from simulator.controller.hand import Refused
from simulator.controller.watching import PASSING

LONGEST_SECONDS: Final = 900.0
"""How long the service may take over all of them: a deletion lasts about a minute there."""
AGAIN_SECONDS: Final = 5.0


async def clear(asked: Ledgered, ledger: Ledger, again_seconds: float) -> None:
    """Delete the jobs that the ledger has, and wait until each is gone; those that are stay in it no more.

    What the service will not do stays in the ledger, and stands in the log.
    """
    await asked.settled()
    places = asyncio.Semaphore(DELETIONS_AT_ONCE)

    async def one(job_id: str) -> None:
        async with places:
            try:
                await _delete(asked, ledger, job_id, again_seconds)
            except Exception as error:  # whatever it is, the others go all the same
                get_logger("ghostjob.certify").error("job.left", job_id=job_id, why=str(error))
            else:
                ledger.gone(job_id)

    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SECONDS), asyncio.TaskGroup() as group:
            for job_id in tuple(ledger.jobs):
                group.create_task(one(job_id))


async def _delete(asked: Ledgered, ledger: Ledger, job_id: str, again_seconds: float) -> None:
    """Until it is gone: what is being deleted already, though a look may lag behind, is only waited for."""
    namespace_id = ledger.namespaces.get(job_id)
    more = {} if namespace_id is None else {"namespaceId": namespace_id}
    while True:
        try:
            if not await asked.is_ours(job_id):
                return
            job = (await asked.make("DescribeJob", jobId=job_id))["job"]
            if job["status"] != "DELETION_IN_PROGRESS" and job_id not in ledger.going:
                await asked.call("DeleteJob", {"jobId": job_id, "force": True, **more}, "customer")
        except Refused as refused:
            if refused.code == NOT_FOUND:
                return
            if refused.code not in PASSING:
                raise
        await asyncio.sleep(again_seconds)
