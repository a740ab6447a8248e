"""The controller alone: what it waits for, what it says meanwhile, and what ends the waiting."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest

from simulator.cloud.local import LocalCloud
from simulator.controller import watching
from simulator.controller.hand import Hand, Refused, SeenExecution
from simulator.controller.triggers import Observation, Trigger
from simulator.controller.waiting import NEWS_SECONDS, NO_NEWS_SECONDS, Waiting, awaited, outline
from simulator.controller.watching import InstantMissed, Order, delete_when_due
from simulator.scenario import Instant

DOCUMENT = {"operation": "update", "version": "2.0"}
LONG_SECONDS = 30


class Devices:
    """Devices that take and report the job, over the data plane."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def report(self, thing: str, status: str, details: Mapping[str, str] | None = None) -> None:
        body: dict[str, Any] = {"status": status, "statusDetails": dict(details or {})}
        async with self._session.post(f"{self._url}/things/{thing}/jobs/fw", json=body) as response:
            assert response.status == 200, await response.text()


@pytest.fixture
async def devices(cloud: LocalCloud) -> AsyncIterator[Devices]:
    async with aiohttp.ClientSession() as session:
        yield Devices(session, cloud.endpoints["api"] or "")


class Watched:
    """A hand, with an event for each thing that the controller has looked at through it."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self.asked: list[str] = []
        self._looked = asyncio.Condition()

    def __getattr__(self, name: str) -> Any:
        call: Callable[..., Awaitable[Any]] = getattr(self._hand, name)

        async def watched(*arguments: Any, **more: Any) -> Any:
            try:
                return await call(*arguments, **more)
            finally:
                async with self._looked:
                    self.asked.append(name)
                    self._looked.notify_all()

        return watched

    async def has_asked(self, name: str, times: int = 1) -> None:
        """Wait until the controller has asked that so often more."""
        async with self._looked:
            before = self.asked.count(name)
            await self._looked.wait_for(lambda: self.asked.count(name) >= before + times)


async def create(hand: Hand, *things: str) -> None:
    for thing in things:
        await hand.create_thing(thing)
    await hand.create_job("fw", things, DOCUMENT, None)


def order(when: Instant, timeout: float | None = LONG_SECONDS, *job_ids: str) -> Order:
    return Order(job_ids or ("fw",), when, True, None, is_local=True, timeout_seconds=timeout)


STEP = Instant(step="flash it", progress=50)


async def status_of(hand: Hand) -> str:
    return str((await hand.describe_job("fw"))["status"])


async def test_it_looks_until_every_device_is_there(hand: Hand, devices: Devices):
    await create(hand, "a", "b")
    watched = Watched(hand)
    running = asyncio.create_task(delete_when_due(watched, order(STEP)))
    await devices.report("a", "IN_PROGRESS", {"step": "flash it", "progress": "50.5%"})
    await watched.has_asked("executions", 2)
    assert await status_of(hand) == "IN_PROGRESS"
    await devices.report("b", "IN_PROGRESS", {"step": "flash it", "progress": "70"})
    await running
    assert await status_of(hand) == "DELETION_IN_PROGRESS"


async def test_the_job_may_be_created_after_it_began(hand: Hand):
    watched = Watched(hand)
    running = asyncio.create_task(delete_when_due(watched, order(Instant(status="QUEUED"))))
    await watched.has_asked("describe_job", 2)
    await create(hand, "a")
    await running
    assert await status_of(hand) == "DELETION_IN_PROGRESS"


async def test_a_step_without_a_progress_counts_as_begun(hand: Hand, devices: Devices):
    await create(hand, "a")
    await devices.report("a", "IN_PROGRESS", {"step": "flash it"})
    await delete_when_due(hand, order(Instant(step="flash it")))
    assert await status_of(hand) == "DELETION_IN_PROGRESS"


async def ended(hand: Hand, devices: Devices) -> None:
    await devices.report("a", "SUCCEEDED")


async def cancelled(hand: Hand, devices: Devices) -> None:
    await hand.cancel_job("fw", force=True)


async def deleted(hand: Hand, devices: Devices) -> None:
    await hand.delete_job("fw", force=True, namespace_id=None)


async def lost(hand: Hand, devices: Devices) -> None:
    await hand.delete_execution("a", "fw", number=1, force=True, namespace_id=None)


@pytest.mark.parametrize(
    ("meanwhile", "says"),
    [
        pytest.param(ended, r"the job ended COMPLETED|a ended SUCCEEDED and was not seen there", id="it ends"),
        pytest.param(cancelled, r"the job ended CANCELED|a ended CANCELED", id="it is cancelled"),
        pytest.param(deleted, r"somebody else is deleting the job", id="it is being deleted"),
        pytest.param(lost, r"a lost its execution|the job ended", id="a device's execution is deleted"),
    ],
)
@pytest.mark.parametrize("hand", ["local"], indirect=True)
async def test_a_job_that_cannot_get_there_any_more_ends_the_waiting(
    hand: Hand,
    devices: Devices,
    meanwhile: Callable[[Hand, Devices], Awaitable[None]],
    says: str,
):
    await create(hand, "a")
    watched = Watched(hand)
    running = asyncio.create_task(delete_when_due(watched, order(STEP)))
    await watched.has_asked("executions")
    await meanwhile(hand, devices)
    with pytest.raises(InstantMissed, match=says) as missed:
        await running
    assert str(missed.value).startswith("job fw: not deleted: ")
    assert "waited until all devices reported step flash it at 50% or more; seen: " in str(missed.value)
    assert "delete_job" not in watched.asked


@pytest.mark.parametrize("hand", ["local"], indirect=True)
async def test_a_job_of_that_id_that_is_another_one_is_left_alone(hand: Hand, devices: Devices):
    await create(hand, "a")
    watched = Watched(hand)
    watched.describe_job = recreated(hand)
    with pytest.raises(InstantMissed, match="created another of that id"):
        await delete_when_due(watched, order(Instant(after_seconds=LONG_SECONDS)))


@pytest.mark.parametrize("hand", ["local"], indirect=True)
async def test_a_job_that_was_there_and_is_not_any_more_was_deleted_by_somebody_else(hand: Hand):
    await create(hand, "a")
    watched, once = Watched(hand), [await hand.describe_job("fw")]

    async def describe(job_id: str) -> dict[str, Any]:
        if once:
            return once.pop()
        raise Refused("ResourceNotFoundException", "")

    watched.describe_job = describe
    with pytest.raises(InstantMissed, match="fw: not deleted: somebody else deleted the job; waited until"):
        await delete_when_due(watched, order(STEP))


def recreated(hand: Hand) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """DescribeJob of a job that has another time of creation each time."""
    count = 0

    async def describe(job_id: str) -> dict[str, Any]:
        nonlocal count
        count += 1
        return await hand.describe_job(job_id) | {"createdAt": count}

    return describe


@pytest.mark.parametrize("hand", ["local"], indirect=True)
async def test_when_its_time_is_over_it_says_what_it_waited_for_and_deletes_nothing(hand: Hand, devices: Devices):
    await create(hand, "a")
    await devices.report("a", "IN_PROGRESS", {"phase": "flash it", "percent": "10"})
    with pytest.raises(InstantMissed) as missed:
        await delete_when_due(hand, order(STEP, 2))
    assert str(missed.value) == (
        "job fw: not deleted: --timeout 2 is over; waited until all devices reported step flash it at 50% or more; "
        "seen: of 1 device 1 IN_PROGRESS without `step` in statusDetails (there is percent, phase)"
    )
    assert await status_of(hand) == "IN_PROGRESS"


@pytest.mark.parametrize("hand", ["local"], indirect=True)
async def test_of_several_jobs_each_goes_its_own_way(hand: Hand):
    await create(hand, "a")
    watched = Watched(hand)
    with pytest.raises(InstantMissed, match=r"^job nope: not deleted: .*; seen: no such job yet$"):
        await delete_when_due(watched, order(Instant(status="QUEUED"), 2, "nope", "fw"))
    assert watched.asked.count("delete_job") == 1


@pytest.mark.parametrize("hand", ["local"], indirect=True)
async def test_a_service_that_is_busy_for_a_moment_is_asked_again(hand: Hand):
    await create(hand, "a")
    watched, busy = Watched(hand), [Refused(code, "") for code in sorted(watching.PASSING)]

    async def describe(job_id: str) -> dict[str, Any]:
        if busy:
            raise busy.pop()
        return await hand.describe_job(job_id)

    watched.describe_job = describe
    await delete_when_due(watched, order(Instant(status="QUEUED")))
    assert await status_of(hand) == "DELETION_IN_PROGRESS"


def test_a_line_comes_at_once_then_with_news_but_not_too_often_then_now_and_then():
    waiting = Waiting("something")
    said = []
    news = {0.0: "one", 0.5: "two", 1.0: "three", 4.0: "three", NO_NEWS_SECONDS + NEWS_SECONDS: "three"}
    for tick in range(200):
        now = tick / 10
        if now in news:
            waiting.see(news[now])
        if (line := waiting.line(now)) is not None:
            said.append((now, line["seen"]))
    assert said == [(0.0, "one"), (NEWS_SECONDS, "three"), (NEWS_SECONDS + NO_NEWS_SECONDS, "three")]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (Instant(after_seconds=2.5), "2.5 s had passed after the job was found"),
        (Instant(status="QUEUED"), "all devices got to QUEUED"),
        (Instant(step="x", devices="any"), "a device reported step x"),
        (Instant(step="x", progress=1), "all devices reported step x at 1% or more"),
    ],
)
def test_what_is_waited_for_is_a_sentence(when: Instant, words: str):
    assert awaited(when) == words


def test_what_was_seen_is_counted_by_what_matters():
    def seen(thing: str, status: str, **details: str) -> SeenExecution:
        return SeenExecution(thing, status, 1, 1, details)

    executions = [
        *(seen(f"q{n}", "QUEUED") for n in range(3)),
        seen("w1", "IN_PROGRESS", step="flash it", progress="20%"),
        seen("w2", "IN_PROGRESS", step="flash it", progress="20%"),
        seen("there", "IN_PROGRESS", step="flash it", progress="60"),
        seen("d", "IN_PROGRESS", step="download", progress="3"),
    ]
    trigger = Trigger(STEP, frozenset({*(each.thing for each in executions), "new"}))
    for each in executions:
        trigger.observe(Observation(each.thing, each.status, each.details, (1, 1)))
    told = outline(executions, trigger)
    assert re.sub(r"of 8 devices ", "", told).split(", ") == [
        "3 QUEUED",
        "2 IN_PROGRESS in step flash it 20%",
        "1 there",
        "1 IN_PROGRESS in step download",
        "1 without an execution",
    ]
