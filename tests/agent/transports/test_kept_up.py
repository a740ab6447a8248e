"""The transports, paho's and the fleet's own: any number of devices on one loop, and nothing that blocks it."""

import asyncio
import inspect
import ssl
import threading
from pathlib import Path

import pytest
from paho.mqtt.client import Client

from agent.errors import InputError
from agent.jitter import Jitter
from agent.transports.endpoint import Endpoint, probe
from agent.transports.paho import PahoFleet
from agent.transports.upkeep import KeptUp, Shared
from agent.values import GetPending
from simulator.certificate_files import client_context, server_context
from simulator.certs import make_certificates
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.encode import connack_bytes, publish_bytes, suback_bytes
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.shells import Gateway
from simulator.engines.mqtt_connections import KEEP_ALIVE_SECONDS, SWEEP_SECONDS, MqttConnections
from tests.agent.transports.peers import Echo, Heard, OurFleet, serving

Fleet = PahoFleet | OurFleet


@pytest.fixture(params=["paho", "ours"])
async def fleet(request: pytest.FixtureRequest):
    if request.param == "ours":
        async with MqttConnections(lambda _: Endpoint("127.0.0.1", 1), 1) as connections:
            yield OurFleet(connections)
        return
    fleet = PahoFleet(Shared(Jitter("test")))
    await fleet.start()
    yield fleet
    await fleet.stop()


@pytest.fixture
async def gateway():
    gateway = Gateway(Echo(), GatewaySettings(connects_per_second=None))
    yield gateway
    await gateway.close()


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["dev"])
    return directory


def secure(certs: Path) -> ssl.SSLContext:
    return client_context(certs / "ca.pem", certs / "dev.pem", certs / "dev.key")


def device(fleet: Fleet, endpoint: Endpoint, name: str = "dev", **options) -> tuple[KeptUp, Heard]:
    transport, heard = fleet.transport(name, endpoint, (f"$aws/things/{name}/jobs/notify",), **options), Heard()
    transport.start(heard)
    return transport, heard


@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "mutual TLS"])
async def test_a_device_connects_asks_and_is_answered(fleet, gateway, certs, version, is_secure):
    tls = server_context(certs) if is_secure else None
    port = await gateway.listen("127.0.0.1", 0, tls=tls)
    endpoint = Endpoint("localhost" if is_secure else "127.0.0.1", port, secure(certs) if is_secure else None)
    transport, heard = device(fleet, endpoint, mqtt_version=version)
    assert await heard.next() == ("connected", False)
    transport.send(GetPending("hello"))
    assert await heard.next() == ("$aws/things/dev/jobs/get/accepted", b'{"clientToken":"hello"}')
    await transport.stop()


async def test_a_device_may_vanish_in_the_middle_of_a_message(fleet, gateway):
    class Cuts(Heard):
        def on_message(self, topic: str, payload: bytes) -> None:
            transport.cut()
            super().on_message(topic, payload)

    port, heard = await gateway.listen("127.0.0.1", 0), Cuts()
    transport = fleet.transport("dev", Endpoint("127.0.0.1", port), ("$aws/things/dev/jobs/notify",))
    transport.start(heard)
    assert await heard.next() == ("connected", False)
    transport.send(GetPending("hello"))
    assert await heard.next() == ("$aws/things/dev/jobs/get/accepted", b'{"clientToken":"hello"}')
    other, answered = device(fleet, Endpoint("127.0.0.1", port), "other")
    assert await answered.next() == ("connected", False)
    await other.stop()
    assert heard.events.empty()


async def test_twenty_messages_in_one_tls_record_all_arrive(fleet, certs):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(4, False, 0))
        subscribe = await reader.read(4096)
        writer.write(suback_bytes(int.from_bytes(subscribe[2:4], "big"), 4, [1]))
        writer.write(b"".join(publish_bytes(f"t/{n}", b"x", 0, 0, False, 4) for n in range(20)))
        await reader.read()

    async with serving(serve, server_context(certs)) as port:
        transport, heard = device(fleet, Endpoint("localhost", port, secure(certs)), mqtt_version=3)
        assert await heard.next() == ("connected", False)
        assert [await heard.next() for _ in range(20)] == [(f"t/{n}", b"x") for n in range(20)]
        await transport.stop()


@pytest.mark.parametrize("is_secure", [False, True], ids=["no CONNACK", "no handshake"])
async def test_a_peer_that_never_answers_keeps_nobody_else_waiting(fleet, gateway, certs, is_secure, monkeypatch):
    monkeypatch.setattr("agent.transports.upkeep.CONNECT_LIMIT_SECONDS", 0.3)
    accepted = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        await reader.read()

    async with serving(silent) as port:
        stuck, stuck_heard = device(fleet, Endpoint("localhost", port, secure(certs) if is_secure else None), "stuck")
        await accepted.wait()
        monkeypatch.setattr("agent.transports.upkeep.CONNECT_LIMIT_SECONDS", 10.0)
        other, other_heard = device(fleet, Endpoint("127.0.0.1", await gateway.listen("127.0.0.1", 0)), "other")
        assert await other_heard.next() == ("connected", False)
        kind, reason = await stuck_heard.next()
        assert (kind, "no answer within" in str(reason)) == ("disconnected", True)
        await stuck.stop()
        await other.stop()


async def test_a_lost_connection_is_made_again(fleet, gateway):
    port = await gateway.listen("127.0.0.1", 0)
    transport, heard = device(fleet, Endpoint("127.0.0.1", port))
    assert await heard.next() == ("connected", False)
    taker, taken = device(fleet, Endpoint("127.0.0.1", port))
    assert await taken.next() == ("connected", False)
    kind, _ = await heard.next()
    assert kind == "disconnected"
    await taker.stop()
    assert await heard.next() == ("connected", False)
    await transport.stop()


@pytest.mark.parametrize(
    ("host", "says"),
    [("127.0.0.1", "nobody answers"), ("no-such-host.invalid", "no such host"), ("no..host", "no such host")],
)
async def test_an_endpoint_nobody_answers_at_is_said_in_one_line(fleet, unused_tcp_port, host, says):
    with pytest.raises(InputError, match=says) as caught:
        await probe(Endpoint(host, unused_tcp_port))
    assert "\n" not in str(caught.value)
    transport, heard = device(fleet, Endpoint(host, unused_tcp_port))
    kind, reason = await heard.next()
    assert kind == "disconnected"
    assert says in str(reason)
    await transport.stop()


def _threads() -> list[str]:
    """All but those of the executor, in which names are looked up, and which makes as many as it likes."""
    names = (thread.name for thread in threading.enumerate())
    return sorted(name for name in names if not name.startswith(("asyncio_", "ThreadPoolExecutor-")))


async def test_hundreds_of_devices_share_one_loop_without_a_thread(fleet, gateway):
    before = _threads()
    port = await gateway.listen("127.0.0.1", 0)
    devices = [device(fleet, Endpoint("127.0.0.1", port), f"dev-{n}") for n in range(300)]
    for _, heard in devices:
        assert await heard.next() == ("connected", False)
    for number, (transport, _) in enumerate(devices):
        transport.send(GetPending(str(number)))
    for number, (_, heard) in enumerate(devices):
        said = b'{"clientToken":"%d"}' % number
        assert await heard.next() == (f"$aws/things/dev-{number}/jobs/get/accepted", said)
    assert _threads() == before, "the devices themselves have no thread"
    await asyncio.gather(*(transport.stop() for transport, _ in devices))


def test_paho_still_makes_its_socket_at_the_one_place_that_we_replace():
    assert "self._sock = self._create_socket()" in inspect.getsource(Client.reconnect), (
        "paho's Client.reconnect no longer takes its socket from _create_socket: "
        "agent.transports.paho._Client hands its own over there"
    )
    assert "_sock_close" in dir(Client)


async def test_a_fleet_takes_leave_of_a_server_that_sends_what_is_no_mqtt():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(5, False, 0))
        await reader.read(4096)
        writer.write(suback_bytes(1, 5, [1]) + b"\x36\x02no" + publish_bytes("t", b"x", 0, 0, False, 5))
        await reader.read()

    async with serving(serve) as port, MqttConnections(lambda _: Endpoint("127.0.0.1", 1), 1) as connections:
        transport, heard = device(OurFleet(connections), Endpoint("127.0.0.1", port))
        assert await heard.next() == ("connected", False)
        kind, reason = await heard.next()
        assert (kind, "is no MQTT: QoS 3" in str(reason)) == ("disconnected", True)
        await transport.stop()


@pytest.mark.parametrize("code", [Reason.NOT_AUTHORIZED, 0x9F], ids=["a policy", "a rate"])
@pytest.mark.parametrize("version", [3, 5])
async def test_why_a_fleet_is_refused_is_said_in_words(version, code):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(5, False, code) if version == 5 else connack_bytes(4, False, 5))
        await reader.read()

    async with serving(serve) as port, MqttConnections(lambda _: Endpoint("127.0.0.1", 1), 1) as connections:
        transport, heard = device(OurFleet(connections), Endpoint("127.0.0.1", port), mqtt_version=version)
        kind, reason = await heard.next()
        said = "Connection rate exceeded" if (version, code) == (5, 0x9F) else "Not authorized"
        assert (kind, str(reason).endswith(f"refused the connection: {said}")) == ("disconnected", True)
        await transport.stop()


@pytest.mark.parametrize(
    ("answers", "kept"), [(True, True), (False, False)], ids=["who answers is there", "who does not is lost"]
)
async def test_a_fleet_asks_whether_a_silent_gateway_is_there(answers, kept):
    pinged = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(4, False, 0))
        await reader.read(4096)
        writer.write(suback_bytes(1, 4, [1]))
        while data := await reader.read(4096):
            assert {data[at : at + 2] for at in range(0, len(data), 2)} <= {b"\xc0\x00", b"\xe0\x00"}
            if answers:
                writer.write(b"\xd0\x00" + publish_bytes("after", b"pong", 0, 0, False, 4))
            pinged.set()

    async with serving(serve) as port, MqttConnections(lambda _: Endpoint("127.0.0.1", 1), 1) as connections:
        transport, heard = device(OurFleet(connections), Endpoint("127.0.0.1", port), mqtt_version=3)
        assert await heard.next() == ("connected", False)
        later = asyncio.get_running_loop().time() + KEEP_ALIVE_SECONDS
        transport.keep_alive(later)
        await pinged.wait()
        if answers:
            assert await heard.next() == ("after", b"pong")
        for _ in range(round(KEEP_ALIVE_SECONDS / SWEEP_SECONDS)):
            transport.keep_alive(later)
        assert (transport._lost is not None and not transport._lost.done()) is kept
        await transport.stop()
