"""A client's connection over TCP or TLS: its bytes go to the broker, and the broker's to it."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias, cast

from simulator.cloud.mqtt.authorization import Credential
from simulator.cloud.mqtt.broker import Broker
from simulator.cloud.mqtt.client import HIGH_BYTES, Client, NextStep
from simulator.cloud.mqtt.shells.farewells import Farewells

Identify: TypeAlias = Callable[[asyncio.Transport], Credential | None]
"""What a new connection has proven; None if it has to go."""


class Stream(asyncio.Protocol):
    """`identify` tells who it is; None where nobody asks. `time` gives the loop's."""

    __slots__ = ("_broker", "_does", "_farewells", "_identify", "_time", "_transport", "client")

    client: Client

    def __init__(
        self, broker: Broker, farewells: Farewells, time: Callable[[], float], identify: Identify | None
    ) -> None:
        self._broker = broker
        self._farewells = farewells
        self._time = time
        self._identify = identify
        self._does: NextStep = "read"
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open; with more than HIGH_BYTES in its hands it says so, or it would be 512 KiB with TLS."""
        self._transport = made = cast("asyncio.Transport", transport)
        made.set_write_buffer_limits(high=HIGH_BYTES)
        credential = None if self._identify is None else self._identify(made)
        peer = made.get_extra_info("peername")
        self.client = self._broker.open(self._time(), self._attend, str(peer[0]) if peer else "", credential)
        if self._identify is not None and credential is None:
            self.client.end("AUTH_ERROR")

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self._broker.receive(self.client, data, self._time())

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._transport = None
        self._farewells.gone(self)
        self._broker.lost(self.client, self._time())

    def pause_writing(self) -> None:
        """It reads slowly."""
        self.client.is_paused = True
        self._attend()

    def resume_writing(self) -> None:
        """It has caught up."""
        self.client.resume_writing()
        self._attend()

    def _attend(self) -> int:
        """Take what there is to send, then read, wait, close or drop it; how many bytes have not left yet."""
        transport, client = self._transport, self.client
        raw = client.data_to_send()
        if transport is None:  # it is gone, and nobody hears this
            return 0
        if raw:
            transport.write(raw)
        step = client.next_step()
        if step != self._does:
            self._does = step
            match step:
                case "read":
                    transport.resume_reading()
                case "wait":
                    transport.pause_reading()
                case "close":
                    self._transport = None
                    self._farewells.part(self, transport.abort)
                    transport.close()
                    return 0
                case "cut":
                    self._transport = None
                    transport.abort()
                    return 0
        return transport.get_write_buffer_size()
