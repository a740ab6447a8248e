"""What a fleet makes of a gateway that does not keep to MQTT, or not to any bound: it takes leave, says why, and comes
again."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.transports.endpoint import Endpoint
from agent.values import GetPending
from simulator.certificate_files import client_context, server_context
from simulator.certs import make_certificates
from simulator.cloud.mqtt.encode import connack_bytes, publish_bytes, suback_bytes
from simulator.cloud.mqtt.packets import V5, V311
from simulator.engines.mqtt_connections import KEEP_ALIVE_SECONDS, LARGEST_PACKET, SWEEP_SECONDS, MqttConnections
from tests.agent.transports.peers import Heard, OurFleet, serving
from tests.within import within

FILTERS = ("$aws/things/dev/jobs/notify", "$aws/things/dev/jobs/notify-next")
SUBSCRIBED = suback_bytes(1, V5, [1, 1])
MESSAGE = publish_bytes("t", b"x", 0, 0, False, V5)
TOO_LONG = b"\x30\xff\xff\xff\x7f"


@asynccontextmanager
async def connecting(endpoint: Endpoint, version: int = V5) -> AsyncIterator[Heard]:
    async with MqttConnections(lambda _: Endpoint("127.0.0.1", 1), 1) as connections:
        transport, heard = OurFleet(connections).transport("dev", endpoint, FILTERS, 5 if version == V5 else 3), Heard()
        heard.transport = transport
        transport.start(heard)
        yield heard
        await transport.stop()


async def ended(greeting: bytes, then: bytes, version: int = V5) -> list[tuple[str, object]]:
    """What a device hears of a gateway that says that to its CONNECT, and that to its SUBSCRIBE, up to the end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(greeting)
        if then:
            await reader.read(4096)
            writer.write(then)
        await reader.read()

    async with serving(serve) as port, connecting(Endpoint("127.0.0.1", port), version) as heard:
        events = [await heard.next()]
        while events[-1][0] != "disconnected":
            events.append(await heard.next())
        return events


@pytest.mark.parametrize(
    ("greeting", "says"),
    [
        (MESSAGE, "a PUBLISH before CONNACK"),
        (SUBSCRIBED, "a SUBACK out of turn"),
        (b"\x20\x00", "cut off"),
        (b"\x20\x01\x00", "cut off"),
        (b"\x20\x03\x00\x00\x7f", "properties cut off"),
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + b"<h1>Bad Request</h1>" * 3, "packet type 4"),
        (b"\x20\xff\xff\xff\xff\x7f", "a remaining length of more than four bytes"),
        (TOO_LONG, "a packet of 268435455 bytes"),
        (b"\x30" + b"\x81\x80\x40", f"a packet of {LARGEST_PACKET + 1} bytes"),
    ],
)
async def test_what_is_no_answer_to_a_greeting_is_no_connection(greeting: bytes, says: str):
    ((kind, reason),) = await ended(greeting, b"")
    assert (kind, says in str(reason)) == ("disconnected", True), reason


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (suback_bytes(2, V5, [1, 1]), "a SUBACK of another SUBSCRIBE"),
        (suback_bytes(1, V5, [1]), "a SUBACK of another SUBSCRIBE"),
        (suback_bytes(1, V5, [1, 1, 1]), "a SUBACK of another SUBSCRIBE"),
        (connack_bytes(V5, False, 0), "a CONNACK out of turn"),
    ],
)
async def test_who_is_not_subscribed_to_all_is_not_connected(answer: bytes, says: str):
    ((kind, reason),) = await ended(connack_bytes(V5, False, 0), answer)
    assert (kind, says in str(reason)) == ("disconnected", True), reason


@pytest.mark.parametrize("version", [V311, V5])
@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"\x34\x06\x00\x01t\x00\x01\x00", "QoS 2"),
        (b"\x36\x06\x00\x01t\x00\x01\x00", "QoS 3"),
        (connack_bytes(V311, False, 0), "a CONNACK out of turn"),
        (b"\x90\x04\x00\x01\x00\x01", "a SUBACK out of turn"),
        (b"\x62\x02\x00\x01", "packet type 6"),
        (b"\x30\x02\x00\x09", "topic cut off"),
        (b"\x30\x03\x00\x01\xff", "not UTF-8"),
        (TOO_LONG, "a packet of 268435455 bytes"),
    ],
)
async def test_what_breaks_the_contract_later_ends_the_connection(version: int, sent: bytes, says: str):
    events = await ended(connack_bytes(version, True, 0), suback_bytes(1, version, [1, 1]) + sent, version)
    assert [kind for kind, _ in events] == ["connected", "disconnected"]
    assert says in str(events[-1][1])


async def test_no_topic_alias_was_allowed():
    alias = b"\x30\x07\x00\x01t\x03\x23\x00\x01"
    events = await ended(connack_bytes(V5, False, 0), SUBSCRIBED + alias)
    assert [kind for kind, _ in events] == ["connected", "disconnected"]
    assert "a topic alias" in str(events[-1][1])


@pytest.mark.parametrize(
    ("code", "words"),
    [(3, "Connection rate exceeded"), (4, "return code 4"), (5, "Not authorized"), (7, "Not authorized")],
)
async def test_why_version_3_is_refused_is_said_in_words_too(code: int, words: str):
    ((_, reason),) = await ended(connack_bytes(V311, False, code), b"", V311)
    assert str(reason).endswith(f"the gateway refused the connection: {words}")


async def test_a_gateway_that_takes_nothing_is_not_kept_for():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(V311, False, 0))
        await reader.read(4096)
        writer.write(suback_bytes(1, V311, [1, 1]))
        writer.transport.pause_reading()
        await enough.wait()
        writer.transport.resume_reading()
        await reader.read(1)

    enough = asyncio.Event()
    async with serving(serve) as port, connecting(Endpoint("127.0.0.1", port), V311) as heard:
        assert await heard.next() == ("connected", False)
        while heard.events.empty():
            for _ in range(1000):
                heard.transport.send(GetPending("x" * 60))
            await asyncio.sleep(0)
        kind, reason = await heard.next()
        assert (kind, "does not read" in str(reason)) == ("disconnected", True)
        enough.set()


async def test_who_speaks_and_hears_nothing_asks_whether_anybody_is_there():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(V311, False, 0))
        await reader.read(4096)
        writer.write(suback_bytes(1, V311, [1, 1]))
        while not (await reader.read(4096)).endswith(b"\xc0\x00"):
            pass
        pinged.set()
        await reader.read()

    pinged = asyncio.Event()
    async with serving(serve) as port, connecting(Endpoint("127.0.0.1", port), V311) as heard:
        assert await heard.next() == ("connected", False)
        for _ in range(round(KEEP_ALIVE_SECONDS / SWEEP_SECONDS)):
            heard.transport.send(GetPending("again"))
            heard.transport.keep_alive(asyncio.get_running_loop().time())
        await within(pinged.wait(), 20)


async def test_what_is_sent_to_a_connection_that_has_just_closed_is_lost_and_no_fault():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(V311, False, 0))
        await reader.read(4096)
        writer.write(suback_bytes(1, V311, [1, 1]))
        await go.wait()
        socket_of = writer.get_extra_info("socket")
        socket_of.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    go = asyncio.Event()
    async with serving(serve) as port, connecting(Endpoint("127.0.0.1", port), V311) as heard:
        assert await heard.next() == ("connected", False)
        go.set()
        while heard.events.empty():
            heard.transport.send(GetPending("again"))
            await asyncio.sleep(0)
        assert await heard.next() == ("disconnected", "disconnected: the connection was closed")


def refuse_certificate(listener: socket.socket, tls: ssl.SSLContext) -> None:
    """Shake hands as far as that goes, and then wait for the other to close: whoever closed first might reset the
    connection, and the alert with it."""
    sock, _ = listener.accept()
    with tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False) as wire:
        with pytest.raises(ssl.SSLError):
            wire.do_handshake()
        with socket.socket(fileno=wire.detach()) as bare:
            while bare.recv(4096):
                pass


async def test_a_certificate_that_is_refused_after_the_handshake_is_said_to_be(tmp_path: Path):
    for each in ("here", "elsewhere"):
        make_certificates(tmp_path / each, ["dev"])
    here, foreign = tmp_path / "here", tmp_path / "elsewhere"
    tls = client_context(here / "ca.pem", foreign / "dev.pem", foreign / "dev.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = asyncio.create_task(asyncio.to_thread(refuse_certificate, listener, server_context(here)))
        async with connecting(Endpoint("localhost", listener.getsockname()[1], tls)) as heard:
            kind, reason = await heard.next()
            assert (kind, "TLS: " in str(reason)) == ("disconnected", True), reason
        await within(refusing, 20)
