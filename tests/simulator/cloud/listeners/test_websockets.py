"""MQTT over WebSocket on the API port: paho's own, and bare ones with whatever they send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import paho.mqtt.client as mqtt
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from paho.mqtt.enums import CallbackAPIVersion
from yarl import URL

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import Fault
from simulator.trace import ClientDisconnected
from tests.fidelity.proofs import proves
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import VERSIONS, WAIT
from tests.within import within

KEYS = (("AKEXAMPLE", "secret"),)
PING = b"\xc0\0"


class World:
    """A cloud without certificates, and bare WebSockets to it."""

    def __init__(
        self, cloud: LocalCloud, http: aiohttp.ClientSession, gone: "asyncio.Queue[ClientDisconnected]"
    ) -> None:
        self.cloud, self.http, self.gone = cloud, http, gone
        self.url = (cloud.endpoints["api"] or "") + "/mqtt"

    def signed(self, key: str = "AKEXAMPLE", secret: str = "secret", service: str = "iotdevicegateway") -> str:
        request = AWSRequest("GET", self.url)
        SigV4QueryAuth(Credentials(key, secret), service, "us-east-1").add_auth(request)
        return str(request.url)

    async def open(
        self, url: str | None = None, *, name: str = "dev", version: int = 5
    ) -> aiohttp.ClientWebSocketResponse:
        socket = await self.http.ws_connect(URL(url or self.url, encoded=True), protocols=("mqtt",))
        await socket.send_bytes(connect(version, rest=text(name)))
        assert (await socket.receive_bytes(timeout=WAIT))[0] == 0x20
        return socket

    async def refusal(self, url: str, method: str = "GET", **headers: str) -> tuple[int, str | None]:
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "mqtt",
        }
        async with self.http.request(method, URL(url, encoded=True), headers=upgrade | headers) as response:
            return response.status, response.headers.get("x-amzn-errortype")


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[World]:
    gone: asyncio.Queue[ClientDisconnected] = asyncio.Queue()

    def observe(event: object) -> None:
        if isinstance(event, ClientDisconnected):
            gone.put_nowait(event)

    ports = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, **options)
    async with LocalCloud(ports, observe) as cloud, aiohttp.ClientSession() as http:
        yield World(cloud, http, gone)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running(gateway=GatewaySettings(publishes_per_second=None, payload_per_second=None)) as made:
        yield made


@VERSIONS
async def test_paho_takes_its_messages_over_websockets(world: World, version: Any):
    loop, heard = asyncio.get_running_loop(), asyncio.Queue()

    def put(event: object) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, event)

    client = mqtt.Client(CallbackAPIVersion.VERSION2, "lamp", protocol=version, transport="websockets")
    client.on_connect = lambda c, u, flags, code, p: put(str(code))
    client.on_subscribe = lambda c, u, mid, codes, p: put([str(code) for code in codes])
    client.on_message = lambda c, u, m: put((m.topic, m.payload))
    client.ws_set_options(path="/mqtt")
    host, _, port = (world.cloud.endpoints["api"] or "").removeprefix("http://").rpartition(":")
    await asyncio.to_thread(client.connect, host, int(port))
    client.loop_start()
    assert await within(heard.get(), WAIT) == "Success"
    client.subscribe("big", 1)
    assert await within(heard.get(), WAIT) == ["Granted QoS 1"]
    client.publish("big", bytes(100_000), 1)
    assert await within(heard.get(), WAIT) == ("big", bytes(100_000))
    client.disconnect()
    await asyncio.to_thread(client.loop_stop)
    assert await world.gone.get() == ClientDisconnected("lamp", "CLIENT_INITIATED_DISCONNECT")


async def test_packets_may_come_in_pieces_and_many_at_once(world: World):
    socket = await world.open()
    for byte in subscribe("a", options=0):
        await socket.send_bytes(bytes((byte,)))
    assert (await socket.receive_bytes(timeout=WAIT))[0] == 0x90
    await socket.send_bytes(publish("a", b"1") + publish("a", b"2"))
    assert await socket.receive_bytes(timeout=WAIT) == publish("a", b"1") + publish("a", b"2")
    await socket.close()


async def test_a_close_frame_takes_leave(world: World):
    socket = await world.open()
    await socket.close()
    assert await world.gone.get() == ClientDisconnected("dev", "CLIENT_INITIATED_DISCONNECT")


async def test_a_text_frame_ends_the_connection(world: World):
    socket = await world.open()
    await socket.send_str("CONNECT")
    assert await world.gone.get() == ClientDisconnected("dev", "CLIENT_ERROR")
    assert (await socket.receive(WAIT)).type is aiohttp.WSMsgType.CLOSE


async def test_a_lost_connection_is_no_leave(world: World):
    socket = await world.open()
    assert socket._response.connection is not None
    socket._response.connection.transport.abort()
    assert await world.gone.get() == ClientDisconnected("dev", "CONNECTION_LOST")


@proves("websockets-last-a-day")
async def test_a_connection_over_websocket_lasts_a_day(world: World):
    socket = await world.open()
    gateway = world.cloud._gateway
    start = gateway.broker.context.now
    for hour in range(1, 24):
        await socket.send_bytes(PING)
        await socket.receive_bytes(timeout=WAIT)
        for connection in gateway.broker.clients:
            connection.protocol.keep_alive = 3600
        gateway.broker.sweep(start + hour * 3600)
    await socket.send_bytes(PING)
    await socket.receive_bytes(timeout=WAIT)
    gateway.broker.sweep(start + 24 * 3600 + 1)
    assert await socket.receive_bytes(timeout=WAIT) == b"\xe0\x01\xa0"
    assert await world.gone.get() == ClientDisconnected("dev", "WEBSOCKET_TTL_EXPIRATION")


async def test_a_slow_reader_is_read_no_more_and_costs_bounded_memory(world: World):
    socket = await world.open(name="slow")
    await socket.send_bytes(subscribe("a", options=0))
    await socket.receive_bytes(timeout=WAIT)
    [slow] = world.cloud._gateway.broker.clients
    for _ in range(300):
        world.cloud._gateway.broker.publish("a", bytes(100_000), 0)
        await asyncio.sleep(0)
    assert slow.waiting_bytes < 2_000_000, "30 MB were published"
    await socket.close()


# ── who may ───────────────────────────────────────────────────────────────────────────────────────────────────


@proves("websockets-are-signed")
async def test_with_access_keys_a_signature_lets_in():
    async with running(access_keys=KEYS) as world:
        watcher = await world.open(world.signed(), name="watcher")
        await watcher.send_bytes(subscribe("$aws/events/presence/connected/#", options=0))
        assert (await watcher.receive_bytes(timeout=WAIT))[0] == 0x90
        other = await world.open(world.signed(), name="other")
        told = await watcher.receive_bytes(timeout=WAIT)
        assert b'"principalIdentifier": "AKEXAMPLE"' in told
        await other.close()
        await watcher.close()


async def test_a_session_token_may_be_added_after_signing():
    async with running(access_keys=KEYS) as world:
        socket = await world.open(world.signed() + "&X-Amz-Security-Token=token")
        await socket.close()


@proves("websockets-are-signed")
@pytest.mark.parametrize(
    ("signs", "error"),
    [
        pytest.param({"secret": "wrong"}, "InvalidSignatureException", id="with another secret"),
        pytest.param({"key": "AKOTHER"}, "UnrecognizedClientException", id="with an unknown key"),
        pytest.param({"service": "iot"}, "InvalidSignatureException", id="for another service"),
        pytest.param(None, "MissingAuthenticationTokenException", id="not at all"),
    ],
)
async def test_with_access_keys_nobody_else_comes_in(signs: dict[str, str] | None, error: str):
    async with running(access_keys=KEYS) as world:
        url = world.url if signs is None else world.signed(**signs)
        assert await world.refusal(url) == (403, error)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS"])
async def test_a_websocket_is_opened_by_get_alone(world: World, method: str):
    assert await world.refusal(world.url, method) == (400, "InvalidRequestException")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-WebSocket-Protocol": "chat"}, id="another sub-protocol"),
        pytest.param({"Sec-WebSocket-Protocol": ""}, id="no sub-protocol"),
        pytest.param({"Upgrade": "h2c"}, id="another upgrade"),
        pytest.param({"Sec-WebSocket-Version": "99"}, id="another version"),
        pytest.param({"Sec-WebSocket-Key": "no"}, id="a bad key"),
        pytest.param({"Sec-WebSocket-Key": "é"}, id="a key that is not ASCII"),
    ],
)
async def test_what_is_no_websocket_for_mqtt_is_refused(
    world: World, headers: dict[str, str], caplog: pytest.LogCaptureFixture
):
    assert await world.refusal(world.url, **headers) == (400, "InvalidRequestException")
    assert caplog.records == []  # aiohttp's own log is not ours, and holds what the peer sent


async def test_the_cloud_stops_at_once_and_says_so():
    async with aiohttp.ClientSession() as http:
        async with running() as world:
            world.http = http
            socket = await world.open()
        assert await socket.receive_bytes(timeout=WAIT) == b"\xe0\x01\x8b"


async def test_a_message_without_end_is_not_gathered(world: World):
    socket = await world.open()
    assert socket._response.connection is not None
    wire = socket._response.connection.transport
    wire.write(b"\x82\xff" + (1 << 40).to_bytes(8, "big") + b"mask" + bytes(1000))
    assert await world.gone.get() == ClientDisconnected("dev", "CLIENT_ERROR")
    await socket.close()


async def test_a_network_that_is_cut_leaves_without_a_close_frame_and_answers_nobody():
    cut = Fault(do="cut", messages=("start-next",), first=1, seconds=3600)
    async with running(gateway=GatewaySettings(connects_per_second=None), faults=(cut,)) as world:
        socket = await world.open()
        await socket.send_bytes(publish("$aws/things/dev/jobs/start-next", b"{}"))
        assert (await socket.receive(WAIT)).type is aiohttp.WSMsgType.CLOSED
        assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        assert await world.gone.get() == ClientDisconnected("dev", "CONNECTION_LOST")
        again = await world.http.ws_connect(URL(world.url), protocols=("mqtt",), autoping=False)
        await again.send_bytes(connect(5, rest=text("dev")))
        await again.ping()
        assert (await again.receive(WAIT)).type is aiohttp.WSMsgType.PONG, "and no CONNACK before"
        world.cloud.retune(JobsSettings(), (), "0")
        assert (await again.receive(WAIT)).type is aiohttp.WSMsgType.CLOSED
        await (await world.open()).close()
