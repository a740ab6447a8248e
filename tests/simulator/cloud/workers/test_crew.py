"""Processes that hold connections, with real clients: what they prove comes along, and one that dies harms no other."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.mqtt.shells.listening import bound
from simulator.cloud.notices.refusals import Notice
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.workers import Crew, Door
from tests import no_room
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import V5, WAIT, Bare, BareConnect, Jobs, Peer
from tests.within import within

MANY = 300


@pytest.fixture
async def crew(gateway: Gateway) -> AsyncIterator[Crew]:
    made = Crew(2, gateway.broker.context.tell)
    yield made
    await gateway.close()
    await made.end()


class Log:
    """Remembers what is logged."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object]]] = []

    def warning(self, event: str, **fields: object) -> None:
        self.said.append((event, fields))


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def begun_anew(crew: Crew, lost: int) -> None:
    async with asyncio.timeout(WAIT):
        while len(crew.processes) < 2 or lost in crew.processes:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.01)


async def test_hundreds_of_clients_ask_at_once_and_each_is_answered(port: int):
    async def one(number: int) -> bytes:
        client = Bare(*await asyncio.open_connection("127.0.0.1", port))
        client.send(connect(5, rest=text(f"dev-{number}")), publish(f"$aws/ask/{number}", b"%d" % number))
        assert (await client.packet())[0] == 0x20
        _, answer = await client.packet()
        client.close()
        return answer

    answers = await within(asyncio.gather(*(one(number) for number in range(MANY))), WAIT)
    for number, answer in enumerate(answers):
        assert answer.endswith(f"$aws/ask/{number}/accepted".encode() + b"\0%d" % number)


async def test_clients_of_a_process_that_dies_are_lost_as_if_the_network_had_failed(
    gateway: Gateway, service: Jobs, port: int, crew: Crew, monkeypatch: pytest.MonkeyPatch
):
    witnesses = [Bare(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(8)]
    for number, each in enumerate(witnesses):
        will = text(f"gone/{number}") + text("gone")
        each.send(connect(4, flags=0x06, rest=text(f"dev-{number}") + will))
        assert (await each.packet())[0] == 0x20
    heard: list[bytes] = []
    for number in range(8):
        gateway.broker.router.overhear(f"gone/{number}", heard.append)
    lost, other = crew.processes
    log = Log()
    monkeypatch.setattr("simulator.cloud.workers.crew._log", log)
    os.kill(lost, signal.SIGKILL)
    await begun_anew(crew, lost)
    assert log.said == [
        ("worker.lost", {"process": lost, "clients": len(heard), "why": "killed by signal 9"}),
    ]
    assert len(gateway.broker.clients) == 8 - len(heard)
    assert other in crew.processes
    ends = [service.gone.get_nowait()[1] for _ in heard]
    assert ends == ["CONNECTION_LOST"] * len(heard)
    for each in witnesses:
        each.close()


async def test_who_connects_after_one_died_is_served(port: int, crew: Crew, bare: BareConnect):
    for process in crew.processes:
        os.kill(process, signal.SIGKILL)
    client = await bare()  # it waits in the queue of the port until one is there again
    client.send(publish("$aws/ask/it", b"x"))
    assert (await client.packet())[1].endswith(b"x")


async def test_nothing_is_left_of_a_crew_that_has_ended(gateway: Gateway, port: int, crew: Crew, bare: BareConnect):
    client, processes = await bare(), crew.processes
    await within(gateway.close(), WAIT)
    await within(crew.end(), WAIT)
    assert await client.rest() == b"\xe0\x01\x8b"
    assert not any(map(is_there, processes))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


async def test_a_crew_that_cannot_begin_says_why(gateway: Gateway, crew: Crew, tmp_path: Path):
    crew.open(Door(await bound("127.0.0.1", 0), gateway.connections(), tmp_path))
    with pytest.raises(InputError, match=r"--workers: a process that is to accept clients does not: exit code"):
        await crew.begin()


async def test_a_crew_for_which_there_is_no_room_says_so_and_nothing_is_left_of_it(gateway: Gateway, crew: Crew):
    crew.open(Door(await bound("127.0.0.1", 0), gateway.connections()))
    with (
        no_room.for_files(),
        pytest.raises(InputError, match=r"--workers: the system lets no more processes begin \(Too many open files\)"),
    ):
        await crew.begin()
    assert crew.processes == ()


async def test_a_flood_to_who_does_not_read_is_bounded_and_others_are_served(
    gateway: Gateway, port: int, bare: BareConnect
):
    deaf = await bare(name="deaf")
    deaf.send(subscribe("flood", options=0))
    assert (await deaf.packet())[0] == 0x90
    other, payload = await bare(name="other"), bytes(100_000)
    for _ in range(200):
        gateway.broker.publish("flood", payload, 0)
        other.send(publish("$aws/ask/it", b"x"))
        assert (await other.packet())[0] >> 4 == 3
    [client] = [each for each in gateway.broker.clients if each.client_id == "deaf"]
    assert client.waiting_bytes < 600_000, "20 MB were published"


# ── with certificates ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    make_certificates(tmp_path, ["lamp"])
    return tmp_path


@pytest.fixture
async def cloud(certs: Path) -> AsyncIterator[LocalCloud]:
    ports = {"api_port": None, "mqtt_port": 0, "mqtts_port": 0, "data_port": None}
    gateway = GatewaySettings(connects_per_second=None)
    async with LocalCloud(CloudSettings(**ports, certs=certs, workers=2, gateway=gateway)) as cloud:  # type: ignore[arg-type]
        yield cloud


def port_of(cloud: LocalCloud, name: str) -> int:
    return int((cloud.endpoints[name] or "").rpartition(":")[2])


async def test_who_holds_a_certificate_comes_in_and_may_be_only_what_it_is_for(cloud: LocalCloud, certs: Path):
    tls = client_context(certs / "ca.pem", certs / "lamp.pem", certs / "lamp.key")
    loop, port = asyncio.get_running_loop(), port_of(cloud, "mqtts")
    lamp = await asyncio.to_thread(Peer, loop, port, "lamp", V5, tls=tls)
    assert await lamp.next() == ("connected", False, "Success")
    lamp.client.publish("$aws/things/lamp/jobs/get", b"{}", 1)
    assert await lamp.next() == ("published", "Success")
    assert (await lamp.next())[0] == "$aws/things/lamp/jobs/get/accepted"
    await asyncio.to_thread(lamp.close)
    tls = client_context(certs / "ca.pem", certs / "lamp.pem", certs / "lamp.key")
    other = await asyncio.to_thread(Peer, loop, port, "pump", V5, tls=tls)
    assert await other.next() == ("connected", False, "Not authorized")
    await asyncio.to_thread(other.close)


async def test_the_data_plane_is_served_on_the_same_port(cloud: LocalCloud, certs: Path):
    tls = client_context(certs / "ca.pem", certs / "lamp.pem", certs / "lamp.key")
    tls.set_alpn_protocols(["x-amzn-http-ca"])
    port = port_of(cloud, "mqtts")
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost")
    writer.write(b"GET /things/lamp/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await within(reader.readuntil(b"\r\n\r\n"), WAIT)
    assert b"x-amzn-errortype: ResourceNotFoundException" in answer, "it may ask, and nobody has made that thing"
    writer.close()


async def test_a_handshake_that_fails_is_told(certs: Path, gateway: Gateway, told: list[Notice]):
    heard = asyncio.Event()

    def tell(notice: Notice) -> None:
        told.append(notice)
        heard.set()

    crew = Crew(1, tell)
    sockets = await bound("127.0.0.1", 0)
    crew.open(Door(sockets, gateway.connections(), certs))
    await crew.begin()
    _, writer = await asyncio.open_connection(*sockets[0].getsockname())
    writer.write(connect(5))
    await within(heard.wait(), WAIT)
    assert [(notice.code, notice.address) for notice in told] == [("tls-failed", "127.0.0.1")]
    writer.close()
    await crew.end()
