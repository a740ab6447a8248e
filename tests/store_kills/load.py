"""Everybody at once: devices that do their jobs, and operators who create, cancel and delete them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from random import Random
from typing import Any, Final

import aiohttp

from tests.store_kills import facts
from tests.store_kills.device import Device, Lost
from tests.store_kills.facts import RETAINED
from tests.store_kills.ledger import Execution, Job, Ledger

THINGS: Final = tuple(f"thing-{number}" for number in range(5))
JOBS_AT_ONCE: Final = 8
UNAVAILABLE: Final = 503
"""The cloud can keep nothing any more."""
TOO_MANY_DELETIONS: Final = 410
"""Ten jobs are DELETION_IN_PROGRESS: on a fast machine they come quicker than they go."""
Connect = Callable[[], AbstractAsyncContextManager[Device]]
ARN: Final = "arn:aws:iot:us-east-1:000000000000:thing/"
STEPS: Final = ("download", "write", "switch")


class Operator:
    """The control plane, and what it was asked and answered."""

    def __init__(self, session: aiohttp.ClientSession, ledger: Ledger, rng: Random) -> None:
        self._session = session
        self._ledger = ledger
        self._rng = rng

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and answer. Raises Lost."""
        try:
            async with self._session.request(method, path, json=body) as response:
                text = await response.text()
                if response.status == UNAVAILABLE:
                    self._ledger.refusals.append(text)
                    raise Lost
                self._ledger.answers += 1
                return response.status, await response.json() if text else {}
        except (aiohttp.ClientError, OSError):
            raise Lost from None

    async def create_things(self) -> None:
        """Those that are not there yet."""
        for thing in THINGS:
            if thing not in self._ledger.things:
                status, _ = await self.call("POST", f"/things/{thing}")
                assert status == 200
                self._ledger.things.add(thing)

    async def change_facts(self) -> None:
        """Until the connection is lost: the registry, little by little."""
        await facts.work(self.call, self._ledger.facts, self._rng)

    async def fact_problems(self) -> list[str]:
        """What is not as it was told."""
        return await facts.problems(self.call, self._ledger.facts)

    async def create_job(self, job_id: str) -> None:
        """A job for some things; one that has been there and is gone may be created again."""
        things = tuple(self._rng.sample(THINGS, self._rng.randint(1, len(THINGS))))
        document = f'{{"operation":"{self._rng.randbytes(8).hex()}"}}'
        job = self._ledger.jobs[job_id] = Job(document, things, self._ledger.next_number())
        status, answer = await self.call(
            "PUT", f"/jobs/{job_id}", {"targets": [ARN + thing for thing in things], "document": document}
        )
        assert status == 200, answer
        job.is_there = True

    async def cancel_job(self, job_id: str) -> None:
        job = self._ledger.jobs[job_id]
        job.cancel_asked = True
        status, answer = await self.call("PUT", f"/jobs/{job_id}/cancel")
        job.is_cancelled = status == 200
        assert status in (200, 400), answer  # it may be completed by now

    async def delete_job(self, job_id: str) -> None:
        job = self._ledger.jobs[job_id]
        job.delete_asked = True
        status, answer = await self.call("DELETE", f"/jobs/{job_id}?force=true")
        assert status in (200, TOO_MANY_DELETIONS), answer
        job.is_deleted = status == 200
        job.delete_asked = job.is_deleted

    async def delete_execution(self, job_id: str, thing: str) -> None:
        execution = self._ledger.jobs[job_id].executions.setdefault(thing, Execution())
        execution.delete_asked = True
        status, _ = await self.call("DELETE", f"/things/{thing}/jobs/{job_id}/executionNumber/1?force=true")
        execution.is_deleted = status == 200

    async def look(self, job_id: str) -> None:
        """What is seen must stay so."""
        job = self._ledger.jobs[job_id]
        status, _ = await self.call("GET", f"/jobs/{job_id}")
        if status == 200:
            job.is_there = True
        elif job.is_deleted:
            job.is_gone = True

    async def work(self) -> None:
        """Until the connection is lost: now this, now that."""
        while True:
            at_hand = [job_id for job_id, job in self._ledger.jobs.items() if job.is_untouched]
            if len(at_hand) < JOBS_AT_ONCE:
                await self.create_job(f"job-{self._ledger.next_number()}")
                continue
            job_id = self._rng.choice(at_hand)
            match self._rng.randint(0, 9):
                case 0 | 1 | 2:
                    await self.delete_job(job_id)
                case 3:
                    await self.cancel_job(job_id)
                case 4:
                    await self.delete_execution(job_id, self._rng.choice(self._ledger.jobs[job_id].things))
                case _:
                    await self.look(self._rng.choice(list(self._ledger.jobs)))


async def update(device: Device, job_id: str, status: str, details: dict[str, str]) -> bool:
    """Report; whether it was accepted."""
    execution = device.ledger.jobs[job_id].executions.setdefault(device.thing, Execution())
    execution.asked += 1
    accepted, answer = await device.ask(
        f"{job_id}/update", status=status, statusDetails=details, includeJobExecutionState=True
    )
    execution.asked -= 1
    if "executionState" in answer:
        state = answer["executionState"]
        told = (state["versionNumber"], state["status"], state.get("statusDetails", {}))
        device.ledger.told(device.thing, job_id, *told)
    elif answer.get("code") == "ResourceNotFound":
        execution.delete_asked = True  # somebody else asked for it, or for its job's deletion
    return accepted


async def start_next(device: Device, rng: Random) -> str | None:
    """The job that is to be done now; None if there is none."""
    device.ledger.starts[device.thing] += 1
    _, answer = await device.ask("start-next", statusDetails={"nonce": rng.randbytes(4).hex()})
    device.ledger.starts[device.thing] -= 1
    device.ledger.told_execution(device.thing, answer.get("execution"))
    return answer["execution"]["jobId"] if "execution" in answer else None


async def finish(device: Device, rng: Random) -> None:
    """Do every job that is pending."""
    while (job_id := await start_next(device, rng)) is not None:
        if not await update(device, job_id, "SUCCEEDED", {"nonce": rng.randbytes(4).hex()}):
            _, listed = await device.ask("get")
            device.ledger.told_list(device.thing, {"IN_PROGRESS": listed["inProgressJobs"]})


async def serve(device: Device, rng: Random) -> None:
    """Until the connection is lost: take jobs, report every step, end well or badly."""
    while True:
        device.news.clear()
        job_id = await start_next(device, rng)
        if job_id is None:
            await device.news.wait()
            continue
        for step in rng.sample(STEPS, rng.randint(0, len(STEPS))):
            if not await update(device, job_id, "IN_PROGRESS", {"step": step, "nonce": rng.randbytes(4).hex()}):
                break
        else:
            status = rng.choice(("SUCCEEDED", "SUCCEEDED", "FAILED", "IN_PROGRESS"))
            await update(device, job_id, status, {"nonce": rng.randbytes(4).hex()})
        if rng.random() < 0.3:
            _, listed = await device.ask("get")
            lists = {"IN_PROGRESS": listed["inProgressJobs"], "QUEUED": listed["queuedJobs"]}
            device.ledger.told_list(device.thing, lists)


async def watch(device: Device, rng: Random) -> None:
    """Until the connection is lost: look at what another one does."""
    while True:
        job_id = rng.choice(list(device.ledger.jobs) or ["none"])
        accepted, answer = await device.ask(f"{job_id}/get", includeJobDocument=False)
        if accepted:
            device.ledger.told_execution(device.thing, answer["execution"])


async def write_mail(device: Device) -> None:
    """Until the connection is lost: messages to a client that may not be there, one after the other."""
    while True:
        await device.send_mail(device.ledger.next_number())
        await asyncio.sleep(0.005)


async def retain(device: Device, rng: Random) -> None:
    """Until the connection is lost: messages that are kept for whoever comes later, and some of them forgotten."""
    while True:
        await device.retain(rng.choice(RETAINED), rng.choice((rng.randbytes(4).hex(), rng.randbytes(4).hex(), None)))
        await asyncio.sleep(0.005)


async def read_mail(connect: Connect, ledger: Ledger, rng: Random) -> None:
    """Until nobody answers: come, read some, go."""
    while True:
        async with connect() as device:
            assert device.was_present or not ledger.has_mailbox, "a session that was to last has not lasted"
            ledger.has_mailbox = True
            enough = len(ledger.mail_read) + rng.randint(0, 8)
            while len(ledger.mail_read) < enough:
                device.news.clear()
                await device.news.wait()
                device.check()
        await asyncio.sleep(rng.uniform(0, 0.05))


async def until_lost(*working: Callable[[], Awaitable[None]]) -> None:
    """Everybody works, until nobody can any more."""

    async def one(work: Callable[[], Awaitable[None]]) -> None:
        with suppress(Lost):
            await work()

    await asyncio.gather(*map(one, working))
