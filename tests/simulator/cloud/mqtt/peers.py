"""Who talks to a gateway under test: real MQTT clients, bare bytes, and the service behind it."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.cloud.mqtt import Reaction, Travel
from simulator.cloud.mqtt.client import Client
from tests.within import within

WAIT = 20
V3, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])


class Jobs:
    """A service that answers every request on `$aws/ask/…`, and tells everybody on `$aws/news`."""

    def __init__(self) -> None:
        self.gone: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.came: list[tuple[str, bool]] = []
        self.delivered_to: asyncio.Queue[tuple[object, bool]] = asyncio.Queue()
        self.asked: list[tuple[bool, float]] = []
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.after = 0

    def request(
        self, client_id: str, topic: str, payload: bytes, dup: bool, late_seconds: float = 0.0
    ) -> Reaction | None:
        if not topic.startswith("$aws/ask/"):
            return None
        self.asked.append((dup, late_seconds))
        self.heard.put_nowait(payload)
        news = (("$aws/news", payload),)
        return Reaction(
            f"{topic}/accepted", payload, news, f"receipt of {payload.decode(errors='replace')}", self.after
        )

    def delivered(self, receipt: object, acknowledged: bool) -> None:
        self.delivered_to.put_nowait((receipt, acknowledged))

    def connected(self, client_id: str, session_present: bool) -> None:
        self.came.append((client_id, session_present))

    def subscribed(self, client_id: str, filters: list[str], refused: list[str]) -> None:
        pass

    def disconnected(self, client_id: str, reason: str) -> None:
        self.gone.put_nowait((client_id, reason))


class Twice:
    """A network that has a second copy of each message on one topic come late (see `simulator.cloud.mqtt.network`)."""

    def __init__(self, topic: str, seconds: float) -> None:
        self.topic, self.seconds = topic, seconds
        self.cut: Callable[..., Any] = lambda thing, belongs: ()
        self.reopened: Callable[[], object] = lambda: None

    def carry_topic(
        self, topic: str, payload: bytes, travel: Travel, client_id: str | None = None, answer: bytes = b""
    ) -> None:
        travel((0.0, self.seconds) if topic == self.topic else (0.0,), None)

    def is_dead_for(self, peer: object) -> bool:
        return False

    turns_away = is_dead_for


class Peer:
    """A paho client in its own thread, heard on the test's loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, port: int, name: str, version: MQTTProtocolVersion, **options: Any
    ) -> None:
        self.loop = loop
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        clean, keep_alive, tls = options.pop("clean", True), options.pop("keep_alive", 30), options.pop("tls", None)
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            name,
            protocol=version,
            clean_session=None if version == V5 else clean,
            reconnect_on_failure=False,
        )
        if "will" in options:
            self.client.will_set(*options.pop("will"), **options.pop("will_options", {}))
        self.granted: Any = None
        """The properties of the CONNACK."""
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda c, u, flags, code, p: self._put(("disconnected", str(code)))
        self.client.on_subscribe = lambda c, u, mid, codes, p: self._put(("subscribed", [str(code) for code in codes]))
        self.client.on_publish = lambda c, u, mid, code, p: self._put(("published", str(code)))
        self.messages: list[mqtt.MQTTMessage] = []
        """Every message, as paho has it."""
        self.client.on_message = self._on_message
        more: dict[str, Any] = {}
        if version == V5:
            properties = Properties(PacketTypes.CONNECT)
            for key, value in options.items():
                setattr(properties, key, value)
            more = {"clean_start": clean, "properties": properties}
        if tls is not None:
            self.client.tls_set_context(tls)
        self.client.connect("127.0.0.1" if tls is None else "localhost", port, keep_alive, **more)
        self.client.loop_start()

    def _on_connect(self, client: Any, userdata: Any, flags: Any, code: Any, properties: Any) -> None:
        self.granted = properties
        self._put(("connected", flags.session_present, str(code)))

    def _on_message(self, client: Any, userdata: Any, message: mqtt.MQTTMessage) -> None:
        self.messages.append(message)
        self._put((message.topic, message.payload, message.qos))

    def _put(self, event: Any) -> None:
        self.loop.call_soon_threadsafe(self.heard.put_nowait, event)

    async def next(self) -> Any:
        return await within(self.heard.get(), WAIT)

    async def subscribe(self, *topics: str, qos: int = 1) -> list[str]:
        self.client.subscribe([(topic, qos) for topic in topics])
        kind, codes = await self.next()
        assert kind == "subscribed"
        return codes

    def lose(self) -> None:
        """Break the connection, as a network does."""
        self.client.socket().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        # Given up here, and not found by the collector with its callbacks: paho's sockets would go before it.
        client = vars(self).pop("client", None)
        if client is not None:
            client.disconnect()
            client.loop_stop()


class Bare:
    """A peer that writes its bytes itself, and reads packets: the first byte, and the body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *raw: bytes) -> None:
        self.writer.write(b"".join(raw))

    async def packet(self) -> tuple[int, bytes]:
        first, length = await within(self.reader.readexactly(2), WAIT)
        shift = 7
        while length >> (shift - 7) & 0x80:
            (byte,) = await within(self.reader.readexactly(1), WAIT)
            length = length & ~(0x80 << (shift - 7)) | byte << shift
            shift += 7
        return first, await within(self.reader.readexactly(length), WAIT)

    async def rest(self) -> bytes:
        """What comes until the gateway closes."""
        return await within(self.reader.read(), WAIT)

    def close(self) -> None:
        self.writer.close()


def transport_of(client: Client) -> asyncio.Transport:
    """What carries a client's bytes."""
    found: asyncio.Transport = client.attend.__self__._transport  # type: ignore[attr-defined]  # a Stream's method
    return found


BareConnect = Callable[..., Any]
Connect = Callable[..., Any]
