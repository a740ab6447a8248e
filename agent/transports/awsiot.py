"""MQTT 5 through awsiotsdk, AWS's own device SDK.

Its Jobs client knows no namespaces, so it is the SDK's plain MQTT client that carries them. That client lives on
threads of its own: whatever it tells is handed to the event loop, in its order. It connects again by itself, with its
own back-off; we subscribe anew each time, and only then count as connected.

Requests go out with QoS 0 and are dropped while disconnected, for the reason that `agent.transports.paho` gives.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from awscrt import mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt5_client_builder

from agent.errors import InputError
from agent.messages import write_request
from agent.topics import request_topic
from agent.transports import WireListener
from agent.values import Request

FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 20.0
"""The SDK draws each wait from a span that doubles with each loss, up to this. It does not begin anew with a connection
that was good for less than 30 s, so that who loses several within a minute waits as long after the last as this allows.
"""
STOP_LIMIT_SECONDS: Final = 10.0
OFFLINE: Final = "AWS_ERROR_MQTT5_OPERATION_FAILED_DUE_TO_OFFLINE_QUEUE_POLICY"
FAIL_ALL: Final = mqtt5.ClientOperationQueueBehaviorType.FAIL_ALL_ON_DISCONNECT


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files of mutual TLS, PEM; without `ca`, the system's authorities are trusted."""

    ca: Path | None
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class AwsIotEndpoint:
    """Where a gateway listens; without certificates, plain MQTT."""

    host: str
    port: int
    certificates: Certificates | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class AwsIotTransport:
    """One device's connection, kept up until it is stopped (see `agent.runner.Transport`).

    The client id is the thing's name unless another is given. Raises InputError if the certificates are no use.
    """

    def __init__(
        self,
        thing: str,
        endpoint: AwsIotEndpoint,
        filters: tuple[str, ...],
        *,
        client_id: str | None = None,
        keep_alive_seconds: int = 60,
        answer_seconds: int = 10,
    ) -> None:
        self._thing = thing
        self._endpoint = endpoint
        self._filters = filters
        self._listener: WireListener | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._is_up = False
        self._goes_on = False
        self._is_breaking = False
        self._again: asyncio.TimerHandle | None = None
        self._client = self._make(client_id or thing, keep_alive_seconds, answer_seconds)

    # ── what a runner uses ────────────────────────────────────────────────────────────────────────────────────

    def start(self, listener: WireListener) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._connect()

    def send(self, request: Request) -> None:
        """Send with QoS 0; dropped while disconnected."""
        if self._is_up:
            topic, payload = request_topic(self._thing, request), write_request(request)
            self._client.publish(mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_MOST_ONCE))

    async def stop(self) -> None:
        """Disconnect in good order, and stay so."""
        running = self._end()
        if running is not None:
            self._client.stop(mqtt5.DisconnectPacket())
            await asyncio.wait({running}, timeout=STOP_LIMIT_SECONDS)

    def cut(self) -> None:
        """Vanish: the socket closes without a DISCONNECT."""
        self._listener = None
        if self._end() is not None:
            self._client.stop()

    def interrupt(self, seconds: float) -> None:
        """Lose the network for so long: the connection breaks, and is not made again before."""
        if self._is_up:
            self._break_off("the network is gone", seconds)

    # ── keeping it up, all on the loop ────────────────────────────────────────────────────────────────────────

    def _connect(self) -> None:
        assert self._loop is not None, "started"
        self._goes_on, self._is_breaking, self._stopped = True, False, self._loop.create_future()
        self._client.start()

    def _end(self) -> "asyncio.Future[None] | None":
        """Try no more; what will be done when the client has stopped, None if it is not running."""
        self._goes_on = self._is_up = False
        if self._again is not None:
            self._again.cancel()
        return self._stopped if self._stopped is not None and not self._stopped.done() else None

    def _break_off(self, reason: str, seconds: float) -> None:
        """Close this connection, and make another one after so long."""
        assert self._loop is not None, "started"
        self._is_up, self._is_breaking = False, True
        self._client.stop()
        self._tell_disconnected(reason, seconds)
        self._again = self._loop.call_later(seconds, self._connect_when_stopped)

    def _connect_when_stopped(self) -> None:
        assert self._stopped is not None, "started"
        self._stopped.add_done_callback(lambda _: self._connect() if self._goes_on else None)

    def _on_connected(self, session_present: bool) -> None:
        wanted = [mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE) for topic in self._filters]
        subscribed: Future[Any] = self._client.subscribe(mqtt5.SubscribePacket(wanted))
        subscribed.add_done_callback(lambda done: self._on_loop(self._on_subscribed, done, session_present))

    def _on_subscribed(self, done: "Future[Any]", session_present: bool) -> None:
        if not self._goes_on:
            return
        if (failed := done.exception()) is not None:
            if not _is_of_a_lost_connection(failed):
                self._break_off(f"the gateway did not answer the subscription: {_plainly(failed)}", FIRST_WAIT_SECONDS)
            return
        codes = zip(self._filters, done.result().reason_codes, strict=False)
        refused = [topic for topic, code in codes if code > mqtt5.SubackReasonCode.GRANTED_QOS_2]
        if refused:
            self._break_off(f"the gateway refused the subscription to {refused[0]}", FIRST_WAIT_SECONDS)
        elif self._listener is not None:
            self._is_up = True
            self._listener.on_connected(session_present)

    def _on_lost(self, reason: str) -> None:
        self._is_up = False
        if self._goes_on and not self._is_breaking:
            self._tell_disconnected(reason)

    def _tell_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        if self._listener is not None:
            self._listener.on_disconnected(reason, again_seconds)

    def _on_message(self, topic: str, payload: bytes) -> None:
        if self._listener is not None:
            self._listener.on_message(topic, payload)

    def _on_stopped(self) -> None:
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)

    # ── the SDK's client and its threads ──────────────────────────────────────────────────────────────────────

    def _make(self, client_id: str, keep_alive_seconds: int, answer_seconds: int) -> Any:
        options = mqtt5.ClientOptions(
            host_name=self._endpoint.host,
            port=self._endpoint.port,
            connect_options=mqtt5.ConnectPacket(client_id=client_id, keep_alive_interval_sec=keep_alive_seconds),
            session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
            offline_queue_behavior=FAIL_ALL,
            ack_timeout_sec=answer_seconds,
            min_reconnect_delay_ms=int(FIRST_WAIT_SECONDS * 1000),
            max_reconnect_delay_ms=int(LONGEST_WAIT_SECONDS * 1000),
            on_publish_callback_fn=lambda data: self._on_loop(
                self._on_message, data.publish_packet.topic, bytes(data.publish_packet.payload or b"")
            ),
            on_lifecycle_event_connection_success_fn=lambda data: self._on_loop(
                self._on_connected, data.negotiated_settings.rejoined_session
            ),
            on_lifecycle_event_connection_failure_fn=lambda data: self._on_loop(
                self._on_lost, f"{self._endpoint}: {_why_refused(data)}"
            ),
            on_lifecycle_event_disconnection_fn=lambda data: self._on_loop(
                self._on_lost, f"disconnected: {_plainly(data.exception)}"
            ),
            on_lifecycle_event_stopped_fn=lambda data: self._on_loop(self._on_stopped),
        )
        certificates = self._endpoint.certificates
        if certificates is None:
            return mqtt5.Client(options)
        try:
            return mqtt5_client_builder.mtls_from_path(
                endpoint=self._endpoint.host,
                client_options=options,
                ca_filepath=None if certificates.ca is None else str(certificates.ca),
                cert_filepath=str(certificates.cert),
                pri_key_filepath=str(certificates.key),
            )
        except (OSError, RuntimeError, AwsCrtError) as error:
            files = f"{certificates.ca}, {certificates.cert}, {certificates.key}"
            raise InputError(f"{files}: no use for TLS: {_plainly(error)}") from None

    def _on_loop(self, act: Callable[..., None], *arguments: object) -> None:
        """Call `act` on the event loop, from whatever thread; nobody listens there any more once that is closed."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(act, *arguments)


def _is_of_a_lost_connection(error: BaseException) -> bool:
    """Whether an operation failed since there was no connection any more, which is told by itself."""
    return isinstance(error, AwsCrtError) and error.name == OFFLINE


def _why_refused(data: Any) -> str:
    if data.connack_packet is not None:
        return f"the gateway refused the connection: {data.connack_packet.reason_code.name}"
    return _plainly(data.exception)


def _plainly(error: BaseException | None) -> str:
    if isinstance(error, AwsCrtError):
        return f"{error.message} ({error.name})"
    return str(error) if error is not None else "no reason given"
