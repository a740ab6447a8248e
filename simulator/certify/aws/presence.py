"""Whether the device is connected, by AWS's lifecycle events, which any client may hear that is let in.

Source: AWS IoT Developer Guide, "Lifecycle events": always on; they may come twice, or out of order. `versionNumber`
grows with each connection of a client id. Nothing tells of a connection that was there before we listened, and one
whose end the broker has not noticed yet is told of late, after one and a half keep-alives.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.errors import InputError
from agent.log import get_logger
from simulator.trace import ClientConnected, ClientDisconnected, CloudEvent

CONNECT_SECONDS: Final = 20.0
LARGEST_EVENT: Final = 16_384
UNOBSERVED: Final = "NOT_OBSERVED"
"""Why the trace has a connection end of which we have lost sight: nobody knows any more."""


class Presence:
    """What the lifecycle events of one client id come to; `record` gets what is new."""

    def __init__(self, client_id: str, record: Callable[[CloudEvent], None]) -> None:
        self._client_id = client_id
        self._record = record
        self._version = -1
        self.was_seen = False
        """Whether anything was heard of that client."""
        self.is_connected = False

    @property
    def topics(self) -> tuple[str, ...]:
        """Where they are published."""
        return tuple(f"$aws/events/presence/{kind}/{self._client_id}" for kind in ("connected", "disconnected"))

    def heard(self, payload: bytes) -> None:
        """Take note of a message; what is none of these is passed over."""
        try:
            told = json.loads(payload[:LARGEST_EVENT])
            kind, version = told["eventType"], int(told["versionNumber"])
            reason = str(told.get("disconnectReason", ""))[:64]
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return
        self.was_seen = True
        # A client that was away for an hour begins at 0 again.
        is_new = version > self._version or (version == 0 and not self.is_connected)
        if kind == "connected" and is_new:
            if self.is_connected:
                self._ends("DUPLICATE_CLIENTID")
            self._version, self.is_connected = version, True
            self._record(ClientConnected(self._client_id))
        elif kind == "disconnected" and version >= self._version:
            self._version = version
            self._ends(reason)

    def lost_sight(self) -> None:
        """Nothing more is heard."""
        self._ends(UNOBSERVED)

    def _ends(self, reason: str) -> None:
        if self.is_connected:
            self.is_connected = False
            self._record(ClientDisconnected(self._client_id, reason))


class Observer:
    """An MQTT client of ours over WebSocket, let in by the signature in `url`: ws(s)://HOST[:PORT]/mqtt?….

    A context. It subscribes to the lifecycle events of `presence`. Raises InputError if it is not let in.
    """

    def __init__(self, url: str, client_id: str, presence: Presence) -> None:
        self._url = urlsplit(url)
        self._presence = presence
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        self._is_closing = False
        client = self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id, transport="websockets")
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_message, client.on_disconnect = self._on_message, self._on_disconnect
        client.ws_set_options(f"{self._url.path}?{self._url.query}", {"Host": self._url.netloc})
        if self._url.scheme == "wss":
            client.tls_set(os.environ.get("AWS_CA_BUNDLE"))

    async def __aenter__(self) -> "Observer":
        host, port = self._url.hostname or "", self._url.port or (443 if self._url.scheme == "wss" else 80)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._loop.run_in_executor(None, lambda: self._client.connect(host, port))
                self._client.loop_start()
                await self._ready
        except (OSError, ValueError, paho.WebsocketConnectionError) as error:
            await self.__aexit__()
            raise InputError(
                f"{self._url.netloc}: nobody lets us listen over MQTT: {str(error) or 'no answer'}"
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closing = True
        self._client.disconnect()
        await self._loop.run_in_executor(None, self._client.loop_stop)

    # ── in the client's thread ────────────────────────────────────────────────────────────────────────────────

    def _on_connect(self, client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._tell(self._refused, str(code))
        else:
            client.subscribe([(topic, 1) for topic in self._presence.topics])

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: list[Any], _properties: Any) -> None:
        failed = next((str(code) for code in codes if code.is_failure), None)
        self._tell(*((self._granted,) if failed is None else (self._refused, failed)))

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self._tell(self._presence.heard, message.payload)

    def _on_disconnect(self, client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        client.disconnect()  # or it would come again with a signature that is of no use any more
        if not self._is_closing:
            self._tell(self._lost, str(code))

    def _tell(self, do: Callable[..., None], *arguments: str | bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(do, *arguments)

    # ── in ours ───────────────────────────────────────────────────────────────────────────────────────────────

    def _granted(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _refused(self, why: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(ValueError(why))

    def _lost(self, why: str) -> None:
        self._refused(why)
        self._presence.lost_sight()
        get_logger("ghostjob.certify").warning("presence.lost", why=why, then="connections are not seen any more")
