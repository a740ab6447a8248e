"""MQTT over WebSocket on the API port: `/mqtt`, sub-protocol `mqtt`, signed with Signature Version 4 in the query.

Source: AWS IoT Developer Guide, "Device communication protocols" and "MQTT over WebSocket". A signature is scoped to
the service `iotdevicegateway`. It is checked if the cloud has access keys; IAM's policies are not evaluated, so whoever
comes in by a signature may do everything.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from aiohttp import WSMsgType, web
from aiohttp.hdrs import SEC_WEBSOCKET_PROTOCOL

from simulator.cloud.access.signatures import ClaimedSignature, SignedRequest
from simulator.cloud.api.boundary import reading
from simulator.cloud.api.gate import Served, Signed, Signer, path_of
from simulator.cloud.api.wire import Refusal
from simulator.cloud.mqtt.authorization import Action, Visitor
from simulator.cloud.mqtt.scheduler import TURN_SECONDS
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Denial, Notice

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

    def __init__(self, gateway_of: Callable[[ClaimedSignature | None], Gateway]) -> None:
        self._gateway_of = gateway_of
        self._open: set[_Carrier] = set()
        self.route: Final = Signed(
            "websocket", lambda sent: path_of(sent) == PATH, (SERVICE,), self._serve, has_body=False
        )

    def close(self) -> None:
        """End them all: the port that carries them is about to close."""
        for carrier in tuple(self._open):
            carrier.part()

    async def _serve(self, signer: Signer, request: web.BaseRequest, _sent: SignedRequest) -> Served:
        """One WebSocket, to its end. Raises Refusal, SignatureRefused."""
        claim = signer.claim
        gateway = self._gateway_of(claim)
        largest = max(LARGEST_MESSAGE, 2 * gateway.broker.context.settings.largest_packet)
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
        carrier = _Carrier(gateway, socket, request, None if claim is None else SignedPrincipal(claim.access_key))
        self._open.add(carrier)
        try:
            await carrier.carry()
        finally:
            self._open.discard(carrier)
        return socket, None


def _offers_mqtt(request: web.BaseRequest) -> bool:
    """Looked at before aiohttp does, which writes a warning of its own, past our log and with what the peer sent."""
    return PROTOCOL in (each.strip() for each in request.headers.get(SEC_WEBSOCKET_PROTOCOL, "").split(","))


class _Carrier:
    """One client's WebSocket: its bytes go to the broker, and the broker's to it, a message of them after the other."""

    def __init__(
        self,
        gateway: Gateway,
        socket: web.WebSocketResponse,
        request: web.BaseRequest,
        credential: SignedPrincipal | None,
    ) -> None:
        self._gateway = gateway
        self._socket = socket
        self._request = request
        self._sending = 0
        self._is_parting = False
        self._is_lost = False
        self._something = asyncio.Event()
        self._may_read = asyncio.Event()
        lasts = gateway.broker.context.settings.websocket_seconds
        self._client = gateway.broker.open(gateway.time(), self._attend, request.remote or "", credential, lasts)
        self._attend()

    def part(self) -> None:
        """The cloud shuts down."""
        self._gateway.broker.part_with((self._client,))

    async def carry(self) -> None:
        """Until either side has closed."""
        sender = asyncio.create_task(self._send_all())
        try:
            await self._receive()
        finally:
            self._is_lost = True
            self._gateway.broker.lost(self._client, self._gateway.time())
            self._something.set()
            await sender
            self._gateway.farewells.gone(self)

    def _is_over(self) -> bool:
        """Whether nothing more is read or sent; of who is not heard, what comes is thrown away."""
        return self._is_lost or (self._client.protocol.is_over and not self._client.is_unheard)

    def _attend(self) -> int:
        """As Client has it; what there is to send stays with the client until the socket takes it."""
        client = self._client
        if self._is_lost:  # nobody hears it any more
            client.data_to_send()
        step = client.next_step()
        if step == "close" and not self._is_parting:
            self._is_parting = True
            self._gateway.farewells.part(self, self._abort)
        if step == "cut":
            self._is_lost = True
            self._abort()
        if step == "wait" and not self._is_lost:
            self._may_read.clear()
        else:
            self._may_read.set()
        self._something.set()
        return self._sending

    async def _send_all(self) -> None:
        """Send what there is until the client is over, and close."""
        client = self._client
        try:
            while True:
                await self._something.wait()
                self._something.clear()
                while raw := client.data_to_send():
                    self._sending = len(raw)
                    await self._socket.send_bytes(raw)
                    self._sending = 0
                    self._attend()
                if self._is_over():
                    return
        except ConnectionError:
            self._is_lost = True
            self._may_read.set()
        finally:
            await self._socket.close()

    async def _receive(self) -> None:
        client, broker, now = self._client, self._gateway.broker, self._gateway.time
        ends = perf_counter() + TURN_SECONDS
        while not self._is_over():
            await self._may_read.wait()
            if perf_counter() >= ends:  # frames that have come already are taken without a pause
                await asyncio.sleep(0)
                ends = perf_counter() + TURN_SECONDS
            message = await self._socket.receive()
            if message.type is WSMsgType.BINARY:
                if message.data:
                    broker.receive(client, message.data, now())
            elif message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                pass
            elif message.type is WSMsgType.CLOSE:
                # "… by sending … a Close frame when the client is using a WebSocket connection" ("Lifecycle events").
                client.leave()
                return
            elif message.type is WSMsgType.TEXT:
                client.tell("malformed", "mqtt", "", "a text frame: MQTT over WebSocket is in binary frames")
                client.end("CLIENT_ERROR")  # MQTT 5, 6.0: binary frames only
            elif message.type is WSMsgType.ERROR:
                client.tell("malformed", "mqtt", "", f"no WebSocket frame that may come here: {message.data}")
                client.end("CLIENT_ERROR")
            else:
                return

    def _abort(self) -> None:
        """Cut off who does not read: nothing more is sent."""
        self._client.data_to_send()
        if self._request.transport is not None:
            self._request.transport.abort()
