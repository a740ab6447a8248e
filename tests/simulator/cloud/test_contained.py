"""Faults of ours in whatever the cloud does in the background: thrown once at every function that each callback calls.

The loop under test hands out all callbacks, so that one that is new is covered without being named here. Time is fast:
an hour of the service passes in a few seconds.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any, Final

import pytest

import simulator
from agent.values import Describe, ExecutionTold, GetPending, StartNext
from simulator.cloud import core as core_module
from simulator.cloud import local as local_module
from simulator.cloud import tenant as tenant_module
from simulator.cloud.arns import AccountRegion
from simulator.cloud.background import Every, listen_for_faults
from simulator.cloud.contained import contained
from simulator.cloud.jobs import JobsError, JobsSettings
from simulator.cloud.jobs.commands import DeleteJob
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.commit_barrier import CommitBarrier
from simulator.cloud.mqtt.shells import gateway as gateway_module
from simulator.cloud.serving import TraceWriter
from simulator.cloud.settings.cloud import CloudSettings
from simulator.heartbeat import Heartbeat
from simulator.trace import CLOUD, Recorder
from tests.simulator.cloud.jobs.account import Account as JobsAccount
from tests.simulator.cloud.mqtt.direct import broker_without_loop
from tests.simulator.cloud.mqtt.peers import V3, Peer
from tests.thrown import Thrown, sees_to_transactions, thrown_at
from tests.within import within

OURS: Final = str(Path(simulator.__file__).parent)
FAST: Final = 600.0
"""Seconds of the service in one of the test's."""
THING: Final = AccountRegion().arn("thing", "t")
RECURRING: Final = {"Every.start", "Heartbeat._beat"}
WHEN_NEEDED: Final = {"CloudCore._do_due", "Gateway._run", "TraceWriter._flush"}
"""Of these it is known that they are there; whatever else is found counts as well."""


class ThrowingLoop(asyncio.SelectorEventLoop):
    """Has each of our callbacks throw once from every function that it calls, one a run, while `is_on`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_on = False
        self.thrown: dict[tuple[str, str], None] = {}
        self.runs: dict[str, int] = {}
        self.has_run = asyncio.Event()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Look after each callback whether it is so."""
        while not is_so():
            self.has_run.clear()
            await self.has_run.wait()

    async def round(self) -> None:
        """Wait until everything that recurs has had a few turns."""
        runs = dict(self.runs)
        await self.until(lambda: all(self.runs.get(name, 0) > runs.get(name, 0) + 4 for name in RECURRING))

    def call_soon(self, callback: Any, *arguments: Any, **more: Any) -> Any:
        return super().call_soon(self._thrower(callback), *arguments, **more)

    def call_soon_threadsafe(self, callback: Any, *arguments: Any, **more: Any) -> Any:
        return super().call_soon_threadsafe(self._thrower(callback), *arguments, **more)

    def call_at(self, when: float, callback: Any, *arguments: Any, **more: Any) -> Any:
        return super().call_at(when, self._thrower(callback), *arguments, **more)

    def _thrower(self, callback: Any) -> Any:
        code = _code_of(callback)
        if code is None or not code.co_filename.startswith(OURS):
            return callback
        name = code.co_qualname

        def call(*arguments: Any) -> None:
            self.runs[name] = self.runs.get(name, 0) + 1
            self.has_run.set()
            if not self.is_on:
                callback(*arguments)
                return

            def is_meant(called: CodeType) -> bool:
                return (
                    called is not code
                    and called.co_filename.startswith(OURS)
                    and not called.co_filename.endswith(("/contained.py", "/turns.py"))
                    and not sees_to_transactions(called)
                    and (name, called.co_qualname) not in self.thrown
                )

            with thrown_at(1, is_meant) as where:
                try:
                    callback(*arguments)
                finally:
                    if where:
                        self.thrown[name, where[0]] = None

        return call


def _code_of(callback: Any) -> CodeType | None:
    """The code that a callback, or a step of a task, runs."""
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return getattr(task.get_coro(), "cr_code", None)
    return getattr(getattr(callback, "func", callback), "__code__", None)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    clock = SimpleNamespace(
        time=lambda: 1_800_000_000 + FAST * (time.monotonic() - began),
        monotonic=lambda: FAST * (time.monotonic() - began),
    )
    monkeypatch.setattr(tenant_module, "time", clock)
    monkeypatch.setattr(core_module, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(core_module, "AFTER_A_FAULT_SECONDS", 0.005)
    monkeypatch.setattr(local_module, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(gateway_module, "LOOK_SECONDS", 0.01)


def test_no_callback_of_the_cloud_ends_with_a_fault(fast: None, tmp_path: Path):
    with asyncio.Runner(loop_factory=ThrowingLoop) as runner:
        runner.run(within(_play(tmp_path / "trace.jsonl"), 60))


async def _play(trace: Path) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ThrowingLoop)
    listen_for_faults(loop)
    writer = await TraceWriter.open(str(trace))
    observe = Recorder(CLOUD, time.monotonic, writer.record).record
    options = CloudSettings(
        api_port=0,
        mqtt_port=0,
        mqtts_port=None,
        data_port=None,
        cloud=JobsSettings(
            deletion_seconds=60, removal_delay_seconds=30, deletions_at_once=1000, requests_per_second=None
        ),
        gateway=GatewaySettings(connects_per_second=None),
    )
    async with LocalCloud(options, observe) as cloud:
        with Heartbeat("cloud", observe):
            plane = cloud.core.control_plane()
            plane.call("UpdateEventConfigurations", {"eventConfigurations": {"JOB": {"Enabled": True}}})
            things = [f"t{number}" for number in range(6)]
            for thing in ("t", *things):
                plane.call("CreateThing", {"thingName": thing})
            await _attack(loop, cloud, plane, things)
            await _afterwards(loop, cloud, plane, things)
    await writer.close()


async def _attack(loop: ThrowingLoop, cloud: LocalCloud, plane: Any, things: list[str]) -> None:
    """Work of every kind, in rounds, until a round has thrown nothing new."""
    peer = await asyncio.to_thread(Peer, loop, _port(cloud), "peer", V3)
    assert (await peer.next())[0] == "connected"
    await peer.subscribe("$aws/things/+/jobs/#")
    loop.is_on = True
    quiet = number = 0
    while quiet < 3:
        before = len(loop.thrown)
        with _whatever_comes_of_it():
            _work(cloud, plane, things, number)
        await loop.round()
        number += 1
        quiet = quiet + 1 if len(loop.thrown) == before else 0
    loop.is_on = False
    await asyncio.to_thread(peer.close)
    # The heartbeat calls nothing of ours, unless it is late.
    assert {name for name, _ in loop.thrown} >= (RECURRING | WHEN_NEEDED) - {"Heartbeat._beat"}
    assert len(loop.thrown) > 60


@contextmanager
def _whatever_comes_of_it() -> Any:
    try:
        yield
    except Thrown:
        raise AssertionError("nothing is thrown outside of callbacks") from None


def _work(cloud: LocalCloud, plane: Any, things: list[str], number: int) -> None:
    targets = [AccountRegion().arn("thing", thing) for thing in things]
    more = {"timeoutConfig": {"inProgressTimeoutInMinutes": 1}}
    rate = {"jobExecutionsRolloutConfig": {"maximumPerMinute": 2}}
    for kind, given in (("timed", more), ("rolled", rate), ("deleted", rate)):
        plane.call("CreateJob", {"jobId": f"{kind}-{number}", "targets": targets, "document": "{}", **given})
    plane.call("DeleteJob", {"jobId": f"deleted-{number}", "force": True})
    for thing in things:
        cloud.core.device_api.ask(thing, StartNext())
    if number > 3:
        for kind in ("timed", "rolled"):
            plane.call("DeleteJob", {"jobId": f"{kind}-{number - 3}", "force": True})


async def _afterwards(loop: ThrowingLoop, cloud: LocalCloud, plane: Any, things: list[str]) -> None:
    """Whatever was begun comes to its end, whatever recurs goes on, and whoever asks is answered."""
    targets = [AccountRegion().arn("thing", thing) for thing in things]
    plane.call("CreateJob", {"jobId": "last", "targets": targets, "document": "{}"})
    await loop.until(lambda: not any(job.status == "DELETION_IN_PROGRESS" for job in cloud.core.jobs.jobs()))
    await loop.until(lambda: all(job.is_rolled_out for job in cloud.core.jobs.jobs()))
    assert isinstance(cloud.core.device_api.ask("t0", Describe("last")).answer, ExecutionTold)
    cloud.core.device_api.ask("t0", GetPending())
    await loop.round()
    flushed = loop.runs["TraceWriter._flush"]
    assert cloud.core.jobs.next_due() is None or cloud.core.jobs._ledger.agenda.items()
    peer = await asyncio.to_thread(Peer, loop, _port(cloud), "another", V3)
    assert (await peer.next())[0] == "connected"
    await peer.subscribe("$aws/things/t0/jobs/get/accepted")
    peer.client.publish("$aws/things/t0/jobs/get", b"{}", 1)
    said = [await peer.next(), await peer.next()]
    await loop.until(lambda: loop.runs["TraceWriter._flush"] > flushed)
    assert any(each[0] == "$aws/things/t0/jobs/get/accepted" for each in said)
    await asyncio.to_thread(peer.close)


def _port(cloud: LocalCloud) -> int:
    return int((cloud.endpoints["mqtt"] or "").rpartition(":")[2])


def test_a_fault_that_comes_again_and_again_is_told_once_a_minute(monkeypatch: pytest.MonkeyPatch):
    said: list[tuple[str, dict[str, object]]] = []
    now = 1000.0
    monkeypatch.setattr("simulator.cloud.contained.time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(
        "simulator.cloud.contained._log", SimpleNamespace(error=lambda event, **more: said.append((event, more)))
    )

    def fails() -> None:
        raise ZeroDivisionError

    for _ in range(90):
        assert not contained("a test of it", fails)
        now += 1
    assert [more.get("times") for _, more in said] == [None, 60]
    assert {event for event, _ in said} == {"fault.contained"}
    assert {type(more["exc_info"]) for _, more in said} == {ZeroDivisionError}
    assert contained("a test of it", lambda: None)


def test_what_is_done_every_so_often_is_done_again_after_a_fault():
    async def main() -> int:
        times, enough = 0, asyncio.Event()

        def fails() -> None:
            nonlocal times
            times += 1
            if times == 5:
                enough.set()
            raise JobsError("InvalidRequest", "no")

        every = Every(0.001, "a test of many", fails)
        every.start()
        await enough.wait()
        every.stop()
        return times

    assert asyncio.run(main()) == 5


def test_a_connection_that_cannot_be_looked_after_is_the_only_one():
    class Odd:
        def deadline(self) -> float:
            raise ZeroDivisionError

    broker = broker_without_loop()
    odd, silent = broker.open(0.0), broker.open(0.0)
    odd.protocol = Odd()  # type: ignore[assignment]  # as little of one as is looked at first
    broker.sweep(1000.0)
    assert silent.protocol.is_over
    assert list(broker.clients) == [odd]


def test_a_connection_that_cannot_be_written_to_holds_nobody_else():
    class Odd:
        def let_go(self, raw: bytes) -> None:
            raise ZeroDivisionError

    class Good:
        heard = b""

        def let_go(self, raw: bytes) -> None:
            self.heard += raw

    held, good = CommitBarrier(), Good()
    for connection in (Odd(), good):
        held.hold(connection, 1, b"1")
        held.hold(connection, 2, b"2")
    held.commit(1)
    assert good.heard == b"1"
    held.commit(2)
    assert good.heard == b"12"


def test_what_can_be_told_is_told_although_something_beside_it_cannot():
    """A hint or an event that comes to a fault of ours is left out; the others keep their order."""
    core = core_module.CloudCore(JobsSettings(), time.time, lambda outcome: None)
    account = JobsAccount()
    outcome = account.create("fw", "a", "b", "c").did(account.jobs.do(DeleteJob("fw", force=True), account.now))
    told = core.device_api.publications(outcome)
    [lost] = core.device_api.publications(outcome._replace(hints=outcome.hints[1:2], events=()))
    left = [topic for topic, _ in told]
    del left[told.index(lost)]
    assert sum(topic.startswith("$aws/events") for topic in left) == 5
    again = core.device_api.publications(outcome._replace(hints=(outcome.hints[0], ("a", None), *outcome.hints[2:])))
    assert [topic for topic, _ in again] == left


async def test_an_observer_that_fails_keeps_nothing_from_being_done():
    def fails(_event: object) -> None:
        raise ZeroDivisionError

    options = CloudSettings(api_port=None, mqtt_port=0, mqtts_port=None, data_port=None)
    async with LocalCloud(options, fails) as cloud:
        plane = cloud.core.control_plane()
        plane.call("CreateThing", {"thingName": "t"})
        plane.call("CreateJob", {"jobId": "fw", "targets": [THING], "document": "{}"})
        assert isinstance(cloud.core.device_api.ask("t", StartNext()).answer, ExecutionTold)
        peer = await asyncio.to_thread(Peer, asyncio.get_running_loop(), _port(cloud), "peer", V3)
        assert (await peer.next())[0] == "connected"
        await asyncio.to_thread(peer.close)


def test_a_command_whose_warning_fails_has_been_carried_out(monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("simulator.cloud.api.not_carried_out.Warnings.after", fails)
    plane = core_module.CloudCore(JobsSettings(), time.time, lambda outcome: None).control_plane()
    assert plane.call("CreateThing", {"thingName": "t"})["thingName"] == "t"


def _is_of_the_core(code: CodeType) -> bool:
    return "/cloud/jobs/" in code.co_filename and not sees_to_transactions(code)


async def test_a_device_that_meets_a_fault_is_told_so_and_may_ask_again(monkeypatch: pytest.MonkeyPatch):
    core = core_module.CloudCore(JobsSettings(), time.time, lambda outcome: None)
    plane = core.control_plane()
    plane.call("CreateThing", {"thingName": "t"})
    plane.call("CreateJob", {"jobId": "fw", "targets": [THING], "document": "{}"})
    asking = ("t", "$aws/things/t/jobs/start-next", b'{"clientToken":"1"}', False)
    for number in range(1, 200):
        with thrown_at(number, _is_of_the_core) as where:
            reaction = core.device_api.request(*asking)
        assert reaction is not None
        if not where:
            break
        rejected = b'"code":"InternalError"' in reaction.answer and reaction.answer_topic.endswith("/rejected")
        status = core.jobs.execution("t", "fw").status
        assert rejected == (status == "QUEUED"), "refused, and nothing has changed; or accepted, and it has"
        if status != "QUEUED":
            break
    assert number > 5
    assert core.device_api.request(*asking).answer_topic.endswith("/accepted")
    core.close()
