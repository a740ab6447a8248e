"""One life of a store's file: clouds die on it, and after each death everything that anybody was told must be true."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from tests.store_kills.cloud import Cloud
from tests.store_kills.device import Device, Lost
from tests.store_kills.ledger import Execution, Job, Ledger
from tests.store_kills.load import THINGS, Operator, finish, read_mail, retain, serve, until_lost, watch, write_mail
from tests.store_kills.plan import Death, Life

LIMIT_SECONDS = 600
GONE_SECONDS = 20
MAIL_SECONDS = 20
SIGKILLED = -9


@dataclass(slots=True)
class Report:
    """What became of one life. `died` counts the deaths by where they met the cloud."""

    life: Life
    problems: list[str] = field(default_factory=list)
    died: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    refusals: int = 0


async def play(life: Life, directory: Path) -> Report:
    """Live it to its end."""
    report = Report(life)
    story = Story(life, directory / f"life-{life.number:03}.db", report)
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await story.play()
    except TimeoutError:
        report.problems.append(f"not over after {LIMIT_SECONDS} s")
    report.answers = story.ledger.answers
    return report


class Story:
    """Everything that happens to one file."""

    def __init__(self, life: Life, state: Path, report: Report) -> None:
        self._life = life
        self._state = state
        self._report = report
        self._rng = Random(life.seed)
        self._when = "at first"
        self.ledger = Ledger()

    async def play(self) -> None:
        """Each cloud looks at what the one before it left, does its part, and dies; the last two end in order."""
        for death in self._life.deaths:
            await self._live(death)
            self._when = f"after {death}"
        async with self._cloud() as (cloud, operator):
            await self._check(operator)
            if await cloud.stop() != 0:
                self._problem("did not end well")
        self._when = "after an orderly end"
        async with self._cloud() as (cloud, operator):
            await self._check(operator)
            await self._go_on(cloud, operator)
            await cloud.stop()

    def _problem(self, text: str) -> None:
        self._report.problems.append(f"{self._when}: {text}")

    @asynccontextmanager
    async def _cloud(
        self, death: Death | None = None, said: Path | None = None
    ) -> AsyncIterator[tuple[Cloud, Operator]]:
        cloud = await Cloud.start(self._state, death, said)
        try:
            assert cloud.endpoints or death is not None, "the next cloud did not begin"
            async with aiohttp.ClientSession(cloud.endpoints.get("api")) as session:
                yield cloud, Operator(session, self.ledger, self._rng)
        finally:
            cloud.kill()
            await cloud.ended()

    # ── death ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _live(self, death: Death) -> None:
        """Look and work until the cloud is dead."""
        async with self._cloud(death) as (cloud, operator):
            if cloud.endpoints:
                await self._work(cloud, operator, self._kill(cloud, death))
            if await cloud.ended() != SIGKILLED:
                self._problem(f"was not killed ({death}), but ended by itself")
            self._report.died[death.at] += 1

    async def _work(self, cloud: Cloud, operator: Operator, killing: Coroutine[None, None, None]) -> None:
        """Look at what is there, and have everybody work until the cloud is lost."""
        await until_lost(lambda: self._check(operator))
        await until_lost(operator.create_things)
        killer = asyncio.create_task(killing)
        devices = [lambda thing=thing: self._serve(cloud, thing) for thing in THINGS]
        others = (self._watch, self._write_mail, self._read_mail, self._retain)
        operators = (operator.work, operator.work, operator.change_facts)
        await until_lost(*operators, *devices, *(lambda work=work: work(cloud) for work in others))
        killer.cancel()

    async def _kill(self, cloud: Cloud, death: Death) -> None:
        if death.at == "under load":
            enough = self.ledger.answers + death.nth
            while self.ledger.answers < enough:  # noqa: ASYNC110 - a count, which anybody may raise
                await asyncio.sleep(0.001)
            cloud.kill()

    async def _serve(self, cloud: Cloud, thing: str) -> None:
        qos = THINGS.index(thing) % 2
        async with Device.connected(thing, qos, self.ledger, cloud.endpoints["mqtt"]) as device:
            await serve(device, Random(f"{self._life.seed}/{thing}/{self.ledger.answers}"))

    async def _watch(self, cloud: Cloud) -> None:
        thing, address = self._rng.choice(THINGS), cloud.endpoints["mqtt"]
        async with Device.connected(thing, 0, self.ledger, address, name="watcher") as watcher:
            await watch(watcher, Random(f"{self._life.seed}/{thing}/{self.ledger.answers}"))

    async def _write_mail(self, cloud: Cloud) -> None:
        async with Device.connected("none", 1, self.ledger, cloud.endpoints["mqtt"], name="postman") as device:
            await write_mail(device)

    async def _retain(self, cloud: Cloud) -> None:
        async with Device.connected("none", 1, self.ledger, cloud.endpoints["mqtt"], name="herald") as device:
            await retain(device, Random(f"{self._life.seed}/herald/{self.ledger.answers}"))

    async def _read_mail(self, cloud: Cloud) -> None:
        await read_mail(lambda: self._mailbox(cloud), self.ledger, Random(f"{self._life.seed}/{self.ledger.answers}"))

    def _mailbox(self, cloud: Cloud) -> AbstractAsyncContextManager[Device]:
        return Device.connected("none", 1, self.ledger, cloud.endpoints["mqtt"], name="mailbox", mail=True)

    # ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────

    async def _check(self, operator: Operator) -> None:
        """Compare everything that was told with what is there."""
        for thing in sorted(self.ledger.things):
            if (await operator.call("GET", f"/things/{thing}"))[0] != 200:
                self._problem(f"{thing} is forgotten")
        for problem in await operator.fact_problems():
            self._problem(problem)
        for job_id, job in tuple(self.ledger.jobs.items()):
            for problem in await self._job_problems(operator, job_id, job):
                self._problem(f"{job_id}: {problem}")
        self.ledger.starts.clear()
        gone = [job_id for job_id, job in self.ledger.jobs.items() if job.is_gone]
        if gone and not self._report.problems:
            again = self._rng.choice(gone)
            await operator.create_job(again)  # and it begins anew
            for problem in await self._job_problems(operator, again, self.ledger.jobs[again]):
                self._problem(f"{again}, created again: {problem}")

    async def _job_problems(self, operator: Operator, job_id: str, job: Job) -> list[str]:
        status, answer = await operator.call("GET", f"/jobs/{job_id}")
        found = answer["job"]["status"] if status == 200 else None
        if job.is_gone:
            return [] if found is None else [f"was gone, and is {found}"]
        if job.is_deleted or (job.delete_asked and found in (None, "DELETION_IN_PROGRESS")):
            job.is_deleted = True
            return await self._deletion_problems(operator, job_id, job, found)
        job.delete_asked = False
        if found is None:
            if job.is_there:
                return ["is forgotten"]
            del self.ledger.jobs[job_id]  # it was never answered
            return []
        job.is_there = True
        problems = [] if found != "DELETION_IN_PROGRESS" else ["is being deleted, and nobody asked for it"]
        if job.is_cancelled and found != "CANCELED":
            problems.append(f"was cancelled, and is {found}")
        if not job.is_cancelled and found == "CANCELED":
            job.is_cancelled = True
            problems += [] if job.cancel_asked else ["is cancelled, and nobody asked for it"]
        _, answer = await operator.call("GET", f"/jobs/{job_id}/job-document")
        if answer.get("document") != job.document:
            problems.append("has another document")
        if (status := (await self._create_again(operator, job_id))) != 409:
            problems.append(f"its id is in use, and taken again with {status}")
        for thing in job.things:
            problems += await self._execution_problems(operator, job_id, job, thing)
        return problems

    async def _create_again(self, operator: Operator, job_id: str) -> int:
        body = {"targets": ["arn:aws:iot:us-east-1:000000000000:thing/thing-0"], "document": "{}"}
        return (await operator.call("PUT", f"/jobs/{job_id}", body))[0]

    async def _deletion_problems(self, operator: Operator, job_id: str, job: Job, found: str | None) -> list[str]:
        if found not in (None, "DELETION_IN_PROGRESS"):
            return [f"was deleted, and is {found} again"]
        for thing in job.things:
            status, _ = await operator.call("GET", f"/things/{thing}/jobs/{job_id}")
            if status == 200 and found is None:
                return [f"is gone, but not from {thing}"]
        for _ in range(int(GONE_SECONDS / 0.02)):
            if (await operator.call("GET", f"/jobs/{job_id}"))[0] == 404:
                job.is_gone = True
                return []
            await asyncio.sleep(0.02)
        return ["its deletion does not go on"]

    async def _execution_problems(self, operator: Operator, job_id: str, job: Job, thing: str) -> list[str]:
        told = job.executions.setdefault(thing, Execution())
        status, answer = await operator.call("GET", f"/things/{thing}/jobs/{job_id}")
        if status == 404:
            told.is_deleted = True
            return [] if told.delete_asked else [f"is forgotten on {thing}"]
        if told.is_deleted:
            return [f"was deleted from {thing}, and is there again"]
        told.delete_asked = False
        found = answer["execution"]
        version, shown = found["versionNumber"], found.get("statusDetails", {}).get("detailsMap", {})
        asked = told.asked + self.ledger.starts[thing] + job.cancel_asked
        problems = _differences(told, version, found["status"], shown, asked)
        told.version, told.status, told.details, told.asked = version, found["status"], shown, 0
        return [f"{problem} on {thing}" for problem in problems]

    # ── going on ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _go_on(self, cloud: Cloud, operator: Operator) -> None:
        """Every device comes back and does what is left, oldest first; then every job is over."""
        for number, thing in enumerate(THINGS):
            try:
                async with Device.connected(thing, number % 2, self.ledger, cloud.endpoints["mqtt"]) as device:
                    await self._check_order(device)
                    await finish(device, self._rng)
            except Lost:
                self._problem(f"{thing} cannot go on")
        await self._read_the_rest(cloud)
        for job_id, job in self.ledger.jobs.items():
            if job.is_untouched:
                status, answer = await operator.call("GET", f"/jobs/{job_id}")
                over = status == 200 and answer["job"]["status"] in ("COMPLETED", "CANCELED")
                if not over:
                    self._problem(f"{job_id} is not over although nothing is left to do: {status} {answer}")

    async def _read_the_rest(self, cloud: Cloud) -> None:
        """Every message whose writer was promised that it will come comes."""
        async with self._mailbox(cloud) as mailbox:
            if self.ledger.has_mailbox and not mailbox.was_present:
                self._problem("the session that was to last has not lasted")
            with suppress(TimeoutError):
                async with asyncio.timeout(MAIL_SECONDS):
                    while not self.ledger.mail_read >= self.ledger.mail_acknowledged:
                        mailbox.news.clear()
                        await mailbox.news.wait()
        lost = sorted(self.ledger.mail_acknowledged - self.ledger.mail_read)
        if lost and self.ledger.has_mailbox:
            self._problem(f"messages are lost: {lost}")

    async def _check_order(self, device: Device) -> None:
        _, listed = await device.ask("get")
        numbers = [self.ledger.jobs[summary["jobId"]].number for summary in listed["queuedJobs"]]
        if numbers != sorted(numbers):
            self._problem(f"{device.thing} is to do its jobs in another order: {numbers}")


def _differences(told: Execution, version: int, status: str, details: dict[str, Any], asked: int) -> list[str]:
    if version < told.version:
        return [f"is back at version {version} from {told.version}"]
    if version > told.version + asked and told.version:
        return [f"is at version {version}, and {told.version} was the last that anybody asked for"]
    if version > told.version:
        return []
    problems = []
    if told.status not in (None, status):
        problems.append(f"is {status} at version {version}, and was {told.status}")
    if told.details not in (None, details):
        problems.append(f"has {details} at version {version}, and had {told.details}")
    return problems
