"""MQTT over WebSocket on the API port: `/mqtt`, sub-protocol `mqtt`, signed with Signature Version 4 in the query.

Source: AWS IoT Developer Guide, "Device communication protocols" and "MQTT over WebSocket". A signature is scoped to
the service `iotdevicegateway`. It is checked if the cloud has access keys; IAM's policies are not evaluated, so whoever
comes in by a signature may do everything.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from aiohttp import WSMsgType, web
from aiohttp.hdrs import SEC_WEBSOCKET_PROTOCOL

from simulator.cloud.api.boundary import reading
from simulator.cloud.api.gate import Served, Signed, Signer, path_of
from simulator.cloud.api.wire import Refusal
from simulator.cloud.mqtt import Gateway
from simulator.cloud.mqtt.authority import Action, Visitor
from simulator.cloud.mqtt.connection import Connection
from simulator.cloud.mqtt.fan_out import TURN_SECONDS
from simulator.cloud.refusals import Denial, Notice
from simulator.cloud.signatures import Claim, SignedRequest

PATH: Final = "/mqtt"
PROTOCOL: Final = "mqtt"
SERVICE: Final = "iotdevicegateway"
LARGEST_MESSAGE: Final = 1 << 20
"""Bytes of one WebSocket message, which is gathered before anybody looks at it; several packets may be in one."""


@dataclass(frozen=True, slots=True)
class SignedPrincipal:
    """Whoever signed; `identifier` is the access key's id. Both a Credential and a Principal of the gateway's."""

    identifier: str

    def principal(self, visitor: Visitor) -> "SignedPrincipal":
        """The same."""
        return self

    def may(self, action: Action, name: str) -> bool:
        """What IAM lets one do is not known here."""
        return True

    def denial(self, action: Action, name: str) -> Denial:
        """Nobody asks why, as everything is allowed."""
        return Denial("")

    def is_welcome(self) -> bool:
        """For as long as a connection over WebSocket may last."""
        return True


class WebSockets:
    """Carries WebSockets into the gateway of whom their signature is for."""

    def __init__(self, gateway_of: Callable[[Claim | None], Gateway]) -> None:
        self._gateway_of = gateway_of
        self._open: dict[Connection, Gateway] = {}
        self.route: Final = Signed(
            "websocket", lambda sent: path_of(sent) == PATH, (SERVICE,), self._serve, has_body=False
        )

    def close(self) -> None:
        """End them all: the port that carries them is about to close."""
        for connection, gateway in tuple(self._open.items()):
            gateway.part_with((connection,))

    async def _serve(self, signer: Signer, request: web.BaseRequest, _sent: SignedRequest) -> Served:
        """One WebSocket, to its end. Raises Refusal, SignatureRefused."""
        claim = signer.claim
        gateway = self._gateway_of(claim)
        largest = max(LARGEST_MESSAGE, 2 * gateway.settings.largest_packet)
        socket = web.WebSocketResponse(protocols=(PROTOCOL,), compress=False, max_msg_size=largest, autoping=False)
        with reading(request):
            is_get = request.method == "GET"  # RFC 6455, 4.1: "The method of the request MUST be GET"
            is_right = is_get and _offers_mqtt(request) and socket.can_prepare(request)
        if not is_right:
            what = f"This is for WebSockets of the sub-protocol {PROTOCOL}."
            refusal = Refusal(400, "InvalidRequestException", what)
            why, address = f"it opens no WebSocket of the sub-protocol {PROTOCOL}", request.remote or ""
            refusal.notice = Notice("not-mqtt", "iot:Connect", f"{request.method} {PATH}", why, address=address)
            raise refusal
        await socket.prepare(request)
        credential = None if claim is None else SignedPrincipal(claim.access_key)
        seconds = gateway.settings.websocket_seconds
        connection = Connection(gateway, None if credential is None else lambda _: credential, lasts=seconds)
        transport = _Transport(socket, request, connection)
        self._open[connection] = gateway
        connection.connection_made(transport)
        sender = asyncio.create_task(transport.send_all())
        try:
            await self._receive(socket, transport, connection)
        finally:
            del self._open[connection]
            connection.connection_lost(None)
            transport.close()
            await sender
        return socket, None

    async def _receive(self, socket: web.WebSocketResponse, transport: "_Transport", connection: Connection) -> None:
        ends = perf_counter() + TURN_SECONDS
        while not transport.is_closing():
            await transport.may_read.wait()
            if perf_counter() >= ends:  # frames that have come already are taken without a pause
                await asyncio.sleep(0)
                ends = perf_counter() + TURN_SECONDS
            message = await socket.receive()
            if message.type is WSMsgType.BINARY:
                if message.data:
                    connection.data_received(message.data)
            elif message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                pass
            elif message.type is WSMsgType.CLOSE:
                # "… by sending … a Close frame when the client is using a WebSocket connection" ("Lifecycle events").
                connection.leave()
                return
            elif message.type is WSMsgType.TEXT:
                connection.tell("malformed", "mqtt", "", "a text frame: MQTT over WebSocket is in binary frames")
                connection.end("CLIENT_ERROR")  # MQTT 5, 6.0: binary frames only
            elif message.type is WSMsgType.ERROR:
                connection.tell("malformed", "mqtt", "", f"no WebSocket frame that may come here: {message.data}")
                connection.end("CLIENT_ERROR")
            else:
                return


def _offers_mqtt(request: web.BaseRequest) -> bool:
    """Looked at before aiohttp does, which writes a warning of its own, past our log and with what the peer sent."""
    return PROTOCOL in (each.strip() for each in request.headers.get(SEC_WEBSOCKET_PROTOCOL, "").split(","))


class _Transport(asyncio.Transport):
    """What a Connection writes to: gathers bytes, and sends them one after the other."""

    def __init__(self, socket: web.WebSocketResponse, request: web.BaseRequest, connection: Connection) -> None:
        super().__init__()
        self._socket = socket
        self._request = request
        self._connection = connection
        self._waiting: list[bytes] = []
        self._size = 0
        self._most = 0
        self._is_slow = False
        self._is_closing = False
        self._something = asyncio.Event()
        self.may_read = asyncio.Event()
        self.may_read.set()

    async def send_all(self) -> None:
        """Send what is written until it is closed, and close."""
        try:
            while not self._is_closing or self._waiting:
                await self._something.wait()
                self._something.clear()
                await self._send_waiting()
        except ConnectionError:
            self._is_closing = True
        finally:
            await self._socket.close()

    async def _send_waiting(self) -> None:
        while self._waiting:
            raw, self._waiting = b"".join(self._waiting), []
            await self._socket.send_bytes(raw)
            self._size -= len(raw)
            if self._is_slow and self._size <= self._most // 4:
                self._is_slow = False
                self._connection.resume_writing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send it some time soon."""
        if self._is_closing:
            return
        self._waiting.append(bytes(data))
        self._size += len(data)
        self._something.set()
        if not self._is_slow and self._size > self._most:
            self._is_slow = True
            self._connection.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """So many bytes may wait to be sent before the client is told to slow down, a quarter before it may go on."""
        self._most = high or 0

    def get_write_buffer_size(self) -> int:
        """Bytes that have not been sent yet."""
        return self._size

    def pause_reading(self) -> None:
        """Take nothing in for now."""
        self.may_read.clear()

    def resume_reading(self) -> None:
        """Go on."""
        self.may_read.set()

    def is_closing(self) -> bool:
        """Whether it is being closed."""
        return self._is_closing

    def close(self) -> None:
        """Close after what has been written."""
        self._is_closing = True
        self._something.set()
        self.may_read.set()

    def abort(self) -> None:
        """Cut off who does not read: nothing more is sent."""
        self._waiting.clear()
        self.close()
        if self._request.transport is not None:
            self._request.transport.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Of the connection below."""
        below = self._request.transport
        return default if below is None else below.get_extra_info(name, default)
