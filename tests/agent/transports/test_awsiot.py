"""The awsiotsdk transport: AWS's own MQTT client, on threads of its own, behind the same interface."""

import asyncio
from pathlib import Path

import pytest

import agent.transports.awsiot as awsiot
from agent.errors import InputError
from agent.transports.awsiot import AwsIotEndpoint, AwsIotTransport, Certificates
from agent.values import GetPending
from simulator.certificate_files import server_context
from simulator.certs import make_certificates
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.encode import connack_bytes, suback_bytes
from simulator.cloud.mqtt.shells import Gateway
from tests.agent.transports.peers import WAIT, Echo, Heard
from tests.within import within

FILTERS = ("$aws/things/dev/jobs/notify",)


@pytest.fixture
def service():
    return Echo()


@pytest.fixture
async def gateway(service: Echo):
    gateway = Gateway(service, GatewaySettings(connects_per_second=None))
    yield gateway
    await gateway.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["dev"])
    return Certificates(directory / "ca.pem", directory / "dev.pem", directory / "dev.key")


def device(endpoint: AwsIotEndpoint, filters: tuple[str, ...] = FILTERS) -> tuple[AwsIotTransport, Heard]:
    transport, heard = AwsIotTransport("dev", endpoint, filters), Heard()
    transport.start(heard)
    return transport, heard


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "mutual TLS"])
async def test_a_device_connects_asks_is_answered_and_takes_leave(gateway, service, files, is_secure):
    tls = server_context(files.ca.parent) if is_secure else None
    port = await gateway.listen("127.0.0.1", 0, tls=tls)
    host = "localhost" if is_secure else "127.0.0.1"
    transport, heard = device(AwsIotEndpoint(host, port, files if is_secure else None))
    assert await heard.next() == ("connected", False)
    transport.send(GetPending("hello"))
    assert await heard.next() == ("$aws/things/dev/jobs/get/accepted", b'{"clientToken":"hello"}')
    await transport.stop()
    ended = await within(service.ends.get(), WAIT)
    assert ended == ("dev", "CLIENT_INITIATED_DISCONNECT")


async def test_a_transport_that_is_cut_vanishes_without_a_word(gateway, service):
    port = await gateway.listen("127.0.0.1", 0)
    transport, heard = device(AwsIotEndpoint("127.0.0.1", port))
    assert await heard.next() == ("connected", False)
    transport.cut()
    assert await within(service.ends.get(), WAIT) == ("dev", "CONNECTION_LOST")
    assert heard.events.empty()


async def test_what_is_sent_while_the_network_is_gone_is_dropped_and_not_sent_later(gateway):
    port = await gateway.listen("127.0.0.1", 0)
    transport, heard = device(AwsIotEndpoint("127.0.0.1", port))
    assert await heard.next() == ("connected", False)
    transport.interrupt(0.1)
    assert await heard.next() == ("disconnected", "the network is gone")
    transport.send(GetPending("stale"))
    assert await heard.next() == ("connected", False)
    transport.send(GetPending("fresh"))
    assert await heard.next() == ("$aws/things/dev/jobs/get/accepted", b'{"clientToken":"fresh"}')
    await transport.stop()


async def test_a_connection_that_another_client_took_over_is_made_again(gateway):
    port = await gateway.listen("127.0.0.1", 0)
    transport, heard = device(AwsIotEndpoint("127.0.0.1", port))
    assert await heard.next() == ("connected", False)
    taker, taken = device(AwsIotEndpoint("127.0.0.1", port))
    assert await taken.next() == ("connected", False)
    kind, reason = await heard.next()
    assert kind == "disconnected"
    assert "disconnected" in str(reason)
    await taker.stop()
    assert await heard.next() == ("connected", False)
    await transport.stop()


async def test_a_refused_subscription_counts_as_no_connection(gateway):
    port = await gateway.listen("127.0.0.1", 0)
    transport, heard = device(AwsIotEndpoint("127.0.0.1", port), ("a/b/c/d/e/f/g/h/i",))
    kind, reason = await heard.next()
    assert (kind, "a/b/c/d/e/f/g/h/i" in str(reason)) == ("disconnected", True)
    await transport.stop()


async def test_a_subscription_that_nobody_answers_counts_as_no_connection():
    async def takes_no_subscription(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(5, False, 0))
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(takes_no_subscription, "127.0.0.1", 0)
    async with server:
        endpoint, heard = AwsIotEndpoint("127.0.0.1", server.sockets[0].getsockname()[1]), Heard()
        transport = AwsIotTransport("dev", endpoint, FILTERS, answer_seconds=1)
        transport.start(heard)
        kind, reason = await heard.next()
        assert (kind, "did not answer the subscription" in str(reason)) == ("disconnected", True)
        await transport.stop()


async def test_after_many_losses_the_wait_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """The last would be drawn from a span of ten minutes: the SDK doubles it each time."""
    monkeypatch.setattr(awsiot, "FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(awsiot, "LONGEST_WAIT_SECONDS", 0.05)
    lose = asyncio.Semaphore(0)

    async def lets_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(5, False, 0))
        subscribe = await reader.read(4096)
        writer.write(suback_bytes(int.from_bytes(subscribe[2:4]), 5, [1]))
        await lose.acquire()
        writer.close()

    server = await asyncio.start_server(lets_go, "127.0.0.1", 0)
    async with server:
        transport, heard = device(AwsIotEndpoint("127.0.0.1", server.sockets[0].getsockname()[1]))
        for _ in range(16):
            assert await heard.next() == ("connected", False)
            lose.release()
            assert (await heard.next())[0] == "disconnected"
        transport.cut()


async def test_an_endpoint_nobody_answers_at_is_told_and_tried_again(gateway, unused_tcp_port):
    transport, heard = device(AwsIotEndpoint("127.0.0.1", unused_tcp_port))
    kind, reason = await heard.next()
    assert (kind, "127.0.0.1" in str(reason)) == ("disconnected", True)
    await gateway.listen("127.0.0.1", unused_tcp_port)
    while (event := await heard.next())[0] == "disconnected":
        pass
    assert event == ("connected", False)
    await transport.stop()


@pytest.mark.parametrize("broken", ["missing", "empty"])
def test_certificates_that_are_no_use_are_said_in_one_line(files, tmp_path: Path, broken):
    key = tmp_path / "dev.key"
    if broken == "empty":
        key.write_text("")
    with pytest.raises(InputError, match=r"dev\.key: no use for TLS") as caught:
        AwsIotTransport("dev", AwsIotEndpoint("localhost", 1, Certificates(files.ca, files.cert, key)), FILTERS)
    assert "\n" not in str(caught.value)
