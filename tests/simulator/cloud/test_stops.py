"""The gateway stops the world at the exact packet: messages that wait for what befalls a job, and networks that die."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import Fault
from simulator.trace import CloudEvent
from tests.simulator.cloud.mqtt.peers import V5, VERSIONS, WAIT, Peer
from tests.within import within

QUICK = JobsSettings(deletion_seconds=0.01, deletion_seconds_per_execution=0.0)
JOBS = "$aws/things/t/jobs"
ASK = {"get-pending": f"{JOBS}/get", "start-next": f"{JOBS}/start-next", "describe": f"{JOBS}/fw/get"}
ASK |= {"update": f"{JOBS}/fw/update"}
LONG = 3600.0
"""Seconds: no test waits for it."""


@dataclass
class Account:
    """What the cloud told, and who waits for more of it."""

    events: list[CloudEvent] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def observe(self, event: CloudEvent) -> None:
        self.events.append(event)
        self._news.set()

    def of(self, kind: str, **wanted: Any) -> list[Any]:
        return [each for each in self.events if each.type == kind and fits(each, wanted)]

    async def tells(self, kind: str, times: int = 1, **wanted: Any) -> Any:
        while len(found := self.of(kind, **wanted)) < times:
            self._news.clear()
            await within(self._news.wait(), WAIT)
        return found[times - 1]

    def before(self, first: Any, second: Any) -> bool:
        return self.events.index(first) < self.events.index(second)


def fits(event: object, wanted: dict[str, Any]) -> bool:
    return all(getattr(event, name) == value for name, value in wanted.items())


class Noticed(dict[Any, None]):
    """Who is not heard; each change can be waited for."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def __setitem__(self, key: Any, value: None) -> None:
        super().__setitem__(key, value)
        self._changed.set()

    def pop(self, key: Any, *default: Any) -> None:
        super().pop(key, *default)
        self._changed.set()

    async def number(self, wanted: int) -> None:
        while len(self) != wanted:
            self._changed.clear()
            await within(self._changed.wait(), WAIT)


@dataclass
class World:
    """A cloud with the thing t, its operator, and who connects to it."""

    cloud: LocalCloud
    account: Account
    certs: Path
    opened: list[Peer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.unheard = self.cloud._gateway.broker.context.unheard = Noticed()

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        return dict(self.cloud.core.control_plane().call(operation, given))

    def create(self, job_id: str, thing: str = "t") -> None:
        arn = f"arn:aws:iot:us-east-1:000000000000:thing/{thing}"
        self.call("CreateJob", jobId=job_id, targets=[arn], document="{}")

    async def peer(self, name: str = "t", version: Any = V5, *, tls: bool = False, **options: Any) -> Peer:
        bound = self.cloud.endpoints["mqtts" if tls else "mqtt"] or ""
        if tls:
            options["tls"] = client_context(self.certs / "ca.pem", self.certs / "t.pem", self.certs / "t.key")
        loop, port = asyncio.get_running_loop(), int(bound.rpartition(":")[2])
        made = await asyncio.to_thread(Peer, loop, port, name, version, **options)
        self.opened.append(made)
        return made

    async def device(self, name: str = "t", version: Any = V5, *, present: bool = False, **options: Any) -> Peer:
        made = await self.peer(name, version, **options)
        assert await made.next() == ("connected", present, "Success")
        return made


@asynccontextmanager
async def running(certs: Path | None = None, *faults: Fault, **more: Any) -> AsyncIterator[World]:
    account = Account()
    more = {"gateway": GatewaySettings(connects_per_second=None)} | more
    ports: dict[str, Any] = {"api_port": 0, "mqtt_port": 0, "mqtts_port": None, "data_port": None}
    if certs is not None:
        ports |= {"mqtts_port": 0, "data_port": 0, "certs": certs}
    settings = CloudSettings(**ports, cloud=QUICK, faults=faults, **more)
    async with LocalCloud(settings, account.observe) as cloud:
        world = World(cloud, account, certs or Path())
        for thing in ("t", "other"):
            world.call("CreateThing", thingName=thing)
        try:
            yield world
        finally:
            for each in world.opened:
                await asyncio.to_thread(each.close)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["t", "other"])
    return directory


def ask(device: Peer, kind: str, token: str) -> None:
    told = {"clientToken": token} | ({"status": "IN_PROGRESS"} if kind == "update" else {})
    device.client.publish(ASK[kind], json.dumps(told), qos=0)


async def heard(device: Peer) -> Any:
    """What comes next, besides that something it sent has left."""
    while (event := await device.next())[0] == "published":
        pass
    return event


async def answered(device: Peer) -> str:
    """The token of the next answer."""
    while True:
        event = await device.next()
        if len(event) == 3 and event[0].endswith(("/accepted", "/rejected")):
            return str(json.loads(event[1])["clientToken"])


# ── held ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ANOTHER = {"get-pending": "describe", "start-next": "describe", "describe": "update", "update": "describe"}


@pytest.mark.parametrize("of", ["", "-answer"], ids=["request", "answer"])
@pytest.mark.parametrize("kind", list(ASK))
async def test_what_is_held_waits_for_the_removal_and_those_like_it_behind_it(kind: str, of: str):
    hold = Fault(name="gap", do="hold", messages=(f"{kind}{of}",), job="fw", first=1, seconds=LONG)
    async with running(None, hold) as world:
        device = await world.device()
        world.create("fw")
        ask(device, kind, "a")
        ask(device, kind, "b")
        ask(device, ANOTHER[kind], "c")
        assert await answered(device) == "c", "other messages pass"
        has_come = [event.client_token for event in world.account.of("request.received")]
        assert has_come == (["c"] if not of else ["a", "b", "c"]), "a held request has not reached the service"
        world.call("DeleteJob", jobId="fw", force=True)
        assert [await answered(device), await answered(device)] == ["a", "b"]
        struck = await world.account.tells("fault.struck")
        over = await world.account.tells("fault.over", fault="gap", why="done")
        removed = await world.account.tells("execution.removed")
        received = await world.account.tells("request.received", client_token="a")
        assert (struck.thing, struck.do, struck.message) == ("t", "hold", f"{kind}{of}")
        assert world.account.before(removed, over)
        assert world.account.before(removed, received) is not bool(of)
        assert (received.late_seconds > 0) is not bool(of)
        assert len(world.account.of("fault.struck")) == 1


@pytest.mark.parametrize("kind", ["notify", "notify-next"])
async def test_a_held_notification_comes_before_those_after_it(kind: str):
    hold = Fault(do="hold", messages=(kind,), job="fw", first=1, seconds=LONG)
    async with running(None, hold) as world:
        device = await world.device()
        assert await device.subscribe(f"{JOBS}/{kind}") == ["Granted QoS 1"]
        world.create("fw")
        ask(device, "describe", "a")
        assert await answered(device) == "a"
        assert len(world.account.of("hint.published", hint=kind)) == 1, "it has been published"
        world.call("DeleteJob", jobId="fw", force=True)
        first, second = [json.loads((await device.next())[1]) for _ in range(2)]
        assert "fw" in json.dumps(first)
        assert "fw" not in json.dumps(second)


UNTIL: list[tuple[str, str, str]] = [
    ("deletion-began", "DeleteJob", "job.deletion_began"),
    ("removed", "DeleteJob", "execution.removed"),
    ("gone", "DeleteJob", "job.deleted"),
    ("ended", "CancelJobExecution", "execution.changed"),
    ("deletion-began", "CancelJobExecution", "execution.changed"),
    ("removed", "DeleteJobExecution", "execution.removed"),
]


@pytest.mark.parametrize(("until", "operation", "event"), UNTIL)
async def test_it_is_let_go_by_what_it_waits_for(until: Any, operation: str, event: str):
    hold = Fault(name="gap", do="hold", messages=("update",), until=until, first=1, seconds=LONG)
    async with running(None, hold) as world:
        device = await world.device()
        world.create("fw")
        ask(device, "update", "a")
        await world.account.tells("fault.struck", job_id="fw", status="IN_PROGRESS")
        given = {"thingName": "t", "executionNumber": 1} if operation == "DeleteJobExecution" else {"thingName": "t"}
        world.call(operation, jobId="fw", force=True, **(given if operation != "DeleteJob" else {}))
        assert await answered(device) == "a"
        over = await world.account.tells("fault.over")
        awaited = world.account.of(event)[-1]
        assert over.why == "done"
        assert world.account.before(awaited, over)


async def test_a_hold_lasts_no_longer_than_it_may():
    hold = Fault(name="gap", do="hold", messages=("describe",), job="fw", first=1, seconds=0.05)
    async with running(None, hold) as world:
        device = await world.device()
        world.create("fw")
        ask(device, "describe", "a")
        assert await answered(device) == "a"
        assert (await world.account.tells("fault.over")).why == "limit"


async def test_a_held_request_arrives_without_its_connection_and_its_answer_is_nobodys():
    hold = Fault(do="hold", messages=("update",), job="fw", first=1, seconds=LONG, until="gone", name="gap")
    async with running(None, hold) as world:
        device = await world.device()
        world.create("fw")
        world.create("next")
        ask(device, "update", "a")
        await world.account.tells("fault.struck")
        device.lose()
        await world.account.tells("client.disconnected")
        again = await world.device()
        ask(again, "update", "b")
        world.call("DeleteJob", jobId="fw", force=True)
        received = await world.account.tells("request.received", 2)
        assert [each.client_token for each in world.account.of("request.received")] == ["a", "b"]
        assert received.thing == "t"
        assert await answered(again) == "b", "only what was asked over this connection"


async def test_a_held_answer_is_not_delivered_when_its_connection_is_over():
    hold = Fault(do="hold", messages=("describe-answer",), job="fw", first=1, seconds=LONG, name="gap")
    async with running(None, hold) as world:
        device = await world.device()
        world.create("fw")
        ask(device, "describe", "a")
        await world.account.tells("fault.struck")
        device.lose()
        await world.account.tells("client.disconnected")
        again = await world.device()
        world.call("DeleteJob", jobId="fw", force=True)
        await world.account.tells("fault.over")
        ask(again, "describe", "b")
        assert await answered(again) == "b"


async def test_other_settings_and_faults_while_it_runs():
    async with running() as world:
        device = await world.device()
        world.create("fw")
        ask(device, "update", "a")
        assert await answered(device) == "a"
        hold = Fault(name="gap", do="hold", messages=("update",), job="fw", seconds=LONG)
        world.cloud.retune(JobsSettings(details=3), (hold,), "1")
        ask(device, "update", "b")
        await world.account.tells("fault.struck", fault="gap")
        world.cloud.retune(QUICK, (), "1")
        assert (await world.account.tells("fault.over")).why == "replaced"
        assert await answered(device) == "b"
        ask(device, "update", "c")
        assert await answered(device) == "c"
        assert world.cloud.core.jobs.settings == QUICK


# ── cut ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def strike(world: World, device: Peer, message: str) -> None:
    if message == "notify":
        world.create("fw")
    else:
        ask(device, "update", "a")
    await world.account.tells("fault.struck", message=message)


@VERSIONS
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("message", ["update", "update-answer", "notify"])
async def test_a_cut_ends_the_connections_of_its_thing_as_a_dead_network_does(certs: Path, message, tls, version):
    cut = Fault(name="gap", do="cut", messages=(message,), first=1, seconds=LONG)
    async with running(certs, cut) as world:
        if message != "notify":
            world.create("fw")
        lasting: dict[str, Any] = {"SessionExpiryInterval": 60} if version == V5 else {}
        device = await world.device(version=version, tls=tls, clean=False, will=("t/will", "gone", 1), **lasting)
        await device.subscribe(f"{JOBS}/notify")
        beside = await world.device("other")
        await beside.subscribe("t/will")
        await strike(world, device, message)
        assert await heard(device) == ("disconnected", "Unspecified error")
        assert await beside.next() == ("t/will", b"gone", 1), "and it stays"
        silent = await world.peer(version=version, tls=tls, clean=False, **lasting)
        await world.unheard.number(1)
        assert silent.heard.empty(), "its CONNECT is not answered"
        world.cloud.retune(QUICK, (), "0")
        assert (await heard(silent))[0] == "disconnected", "and it is dropped when the network is back"
        await world.device(version=version, tls=tls, clean=False, present=True, **lasting)
        assert await world.account.tells("client.disconnected", thing="t", reason="CONNECTION_LOST")
        assert not world.account.of("client.refused")
        assert not world.account.of("client.disconnected", thing="other")
        assert len(world.account.of("request.received")) == (message == "update-answer")


async def test_a_cut_ends_whoever_else_asks_or_listens_for_the_thing():
    cut = Fault(name="gap", do="cut", messages=("update",), seconds=LONG)
    async with running(None, cut) as world:
        world.create("fw")
        listens, asks, sends = [await world.device(name) for name in ("listens", "asks", "t")]
        watches = await world.device("watches")
        await watches.subscribe("$aws/events/#")
        await listens.subscribe(f"{JOBS}/notify-next")
        ask(asks, "describe", "a")
        assert await answered(asks) == "a"
        ask(sends, "update", "b")
        for each in (listens, asks, sends):
            assert await heard(each) == ("disconnected", "Unspecified error")
        await world.peer("listens")
        await world.unheard.number(1)
        assert not world.account.of("client.disconnected", thing="watches")
        assert len(world.account.of("client.connected", thing="listens")) == 1


async def test_who_comes_by_another_name_meanwhile_is_cut_off_when_it_asks():
    cut = Fault(name="gap", do="cut", messages=("update",), seconds=LONG)
    async with running(None, cut) as world:
        world.create("fw")
        device = await world.device()
        ask(device, "update", "a")
        assert await heard(device) == ("disconnected", "Unspecified error")
        other = await world.device("t-2")
        ask(other, "describe", "b")
        assert await heard(other) == ("disconnected", "Unspecified error")
        assert not world.account.of("request.received")


async def test_who_was_cut_off_may_come_back_at_once():
    cut = Fault(name="gap", do="cut", messages=("update",), seconds=0.0)
    async with running(None, cut, gateway=GatewaySettings(connects_per_second=1)) as world:
        device = await world.device()
        ask(device, "update", "a")
        assert await heard(device) == ("disconnected", "Unspecified error")
        assert (await world.account.tells("fault.over")).why == "done"
        await world.device()
        assert not world.account.of("client.refused")


async def test_who_is_not_heard_and_gives_up_leaves_nothing_behind():
    cut = Fault(name="gap", do="cut", messages=("update",), seconds=LONG)
    async with running(None, cut) as world:
        device = await world.device()
        ask(device, "update", "a")
        assert await heard(device) == ("disconnected", "Unspecified error")
        silent = await world.peer()
        await world.unheard.number(1)
        silent.lose()
        await world.unheard.number(0)
        assert not world.cloud._gateway.broker.clients
        kept = await world.peer()
        await world.unheard.number(1)
        world.cloud.retune(QUICK, (), "0")
        assert (await heard(kept))[0] == "disconnected"
        await world.device()


# ── over HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Http:
    """The device's requests on the data port, each over a connection of its own."""

    def __init__(self, world: World) -> None:
        self._tls = client_context(world.certs / "ca.pem", world.certs / "t.pem", world.certs / "t.key")
        self._url = world.cloud.endpoints["data"] or ""

    async def ask(self, kind: str) -> int:
        """The status of the answer. Raises aiohttp.ClientError where there is none."""
        method, path = {"describe": ("GET", "/things/t/jobs/fw"), "start-next": ("PUT", "/things/t/jobs/$next")}[kind]
        url = URL(f"{self._url}{path}", encoded=True)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._tls)) as session,
            session.request(method, url, data=b"{}" if method == "PUT" else None) as answer,
        ):
            await answer.read()
            return answer.status


@pytest.mark.parametrize("message", ["start-next", "start-next-answer"])
async def test_a_request_over_http_waits_or_its_answer_does(certs: Path, message: Any):
    hold = Fault(name="gap", do="hold", messages=(message,), job="fw", first=1, seconds=LONG)
    async with running(certs, hold) as world:
        http = Http(world)
        world.create("fw")
        asked = asyncio.create_task(http.ask("start-next"))
        await world.account.tells("fault.struck", message=message)
        assert await http.ask("describe") == 200, "others pass"
        assert len(world.account.of("request.received", request="start-next")) == (message == "start-next-answer")
        world.call("DeleteJob", jobId="fw", force=True)
        assert await within(asked, WAIT) == 200
        removed, over = world.account.of("execution.removed")[0], world.account.of("fault.over", why="done")[0]
        received = world.account.of("request.received", request="start-next")[0]
        assert world.account.before(removed, over)
        assert world.account.before(over, received) is (message == "start-next")


async def test_a_request_over_http_that_is_held_arrives_when_nobody_waits_for_its_answer(certs: Path):
    hold = Fault(name="gap", do="hold", messages=("start-next",), job="fw", seconds=LONG)
    async with running(certs, hold) as world:
        world.create("fw")
        asked = asyncio.create_task(Http(world).ask("start-next"))
        await world.account.tells("fault.struck")
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        world.call("DeleteJob", jobId="fw", force=True)
        assert (await world.account.tells("request.received", request="start-next")).thing == "t"


async def test_a_cloud_that_shuts_down_lets_go_what_it_holds(certs: Path):
    hold = Fault(name="gap", do="hold", messages=("start-next", "describe"), job="fw", seconds=LONG)
    async with running(certs, hold) as world:
        world.create("fw")
        device = await world.device()
        ask(device, "describe", "a")
        asked = asyncio.create_task(Http(world).ask("start-next"))
        await world.account.tells("fault.struck", 2)
    assert await within(asked, WAIT) == 200
    assert [event.why for event in world.account.of("fault.over")] == ["replaced"] * 2
    assert world.account.events[-1].type == "account.ended"


@pytest.mark.parametrize("message", ["start-next", "start-next-answer"])
async def test_a_cut_ends_requests_over_http_and_the_connections_over_mqtt(certs: Path, message: Any):
    cut = Fault(name="gap", do="cut", messages=(message,), first=1, seconds=LONG)
    async with running(certs, cut) as world:
        http, device = Http(world), await world.device(tls=True)
        world.create("fw")
        for kind in ("start-next", "describe"):
            with pytest.raises(aiohttp.ClientError):
                await http.ask(kind)
        assert await heard(device) == ("disconnected", "Unspecified error")
        assert len(world.account.of("request.received")) == (message == "start-next-answer")
        world.cloud.retune(QUICK, (), "0")
        assert await http.ask("describe") == 200
        assert not world.account.of("client.refused")


async def test_a_named_fault_of_any_kind_is_traced():
    faults = [
        Fault(name="lost", do="lose", messages=("describe",), nth=1),
        Fault(name="twice", do="duplicate", messages=("describe",), nth=1),
        Fault(name="late", do="delay", messages=("describe-answer",), nth=1, seconds=0.001),
        Fault(name="no", do="throttle", messages=("get-pending",), nth=2),
        Fault(name="never", do="fail", messages=("update",), nth=5),
    ]
    async with running(None, *faults) as world:
        device = await world.device()
        world.create("fw")
        for kind in ("describe", "describe", "get-pending", "get-pending"):
            ask(device, kind, kind)
        while len(world.account.of("request.answered")) < 4:
            await answered(device)
        assert [each.fault for each in world.account.of("fault.struck")] == ["lost", "twice", "late", "no"]


async def test_subscriptions_are_traced():
    async with running() as world:
        device = await world.device()
        await device.subscribe(f"{JOBS}/notify", f"{JOBS}/+/get/#")
        told = await world.account.tells("client.subscribed")
        assert (told.thing, told.filters, told.refused) == ("t", (f"{JOBS}/notify", f"{JOBS}/+/get/#"), ())
