"""The MQTT gateway: a broker on asyncio, with its ports."""

import asyncio
import ssl
import time as clocks
import uuid
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from simulator.cloud.background import Every
from simulator.cloud.contained import contained
from simulator.cloud.mqtt.broker import Broker
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.network import Network
from simulator.cloud.mqtt.protocol import LOOK_SECONDS
from simulator.cloud.mqtt.reserved_topics import ReservedTopics
from simulator.cloud.mqtt.scheduler import Scheduler
from simulator.cloud.mqtt.shells.farewells import Farewells
from simulator.cloud.mqtt.shells.handshake import ByName, TlsServer
from simulator.cloud.mqtt.shells.listening import Listener, ProtocolFactory, bound
from simulator.cloud.mqtt.shells.stream import Identify, Stream
from simulator.cloud.notices.refusals import Tell, tell_nobody

AFTER_A_FAULT_SECONDS: Final = 0.1
"""Until a turn that failed is taken again."""
BACKLOG: Final = 4096
"""Connections that wait to be accepted: a whole fleet may come at once."""


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Gateway:
    """`clock` gives epoch seconds, `time` the loop's time, which is the broker's; what else there is, Broker says."""

    def __init__(
        self,
        service: ReservedTopics,
        settings: GatewaySettings | None = None,
        network: Network | None = None,
        *,
        tell: Tell = tell_nobody,
        rng: Random | None = None,
        clock: Callable[[], float] = clocks.time,
        time: Callable[[], float] = _loop_time,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.time = time
        self.broker = Broker(
            service,
            settings or GatewaySettings(),
            Scheduler(clocks.perf_counter),
            clock=clock,
            new_id=new_id,
            draw=(rng or Random(0)).randrange,
            network=network,
            tell=tell,
        )
        self.broker.context.scheduler.wake = self._wake
        self.farewells = Farewells()
        self.sweeper = Every(LOOK_SECONDS, "sweeping", lambda: self.broker.sweeper.begin(self.time()))
        self._is_started = False
        self._servers: list[Listener] = []

    def _wake(self, due: float | None) -> None:
        loop = asyncio.get_running_loop()
        if due is None:
            loop.call_soon(self._run, 0.0)
        else:
            loop.call_at(due, self._run, due)

    def _run(self, due: float) -> None:
        if not contained(
            "a turn of the broker", self.broker.run, max(due, self.time())
        ):  # what it would have done is still to be done
            asyncio.get_running_loop().call_later(AFTER_A_FAULT_SECONDS, self._run, due)

    def start(self) -> None:
        """Begin to sweep."""
        if not self._is_started:
            self._is_started = True
            if self.time is _loop_time:
                self.time = asyncio.get_running_loop().time  # is asked for whatever comes
            self.sweeper.start()

    async def listen(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        identify: Identify | None = None,
        others: Mapping[str, ProtocolFactory] | None = None,
    ) -> int:
        """Listen on exactly that address; the port that was bound. Raises OSError.

        `others` serve clients that name another protocol in their TLS handshake.
        """
        make, context = self.connections(identify, others), self.broker.context
        sockets = await bound(host, port, BACKLOG)
        server = Listener(sockets, make, context.tell) if tls is None else TlsServer(sockets, make, context.tell, tls)
        server.strangers = context.strangers
        self._servers.append(server.started())
        found: int = sockets[0].getsockname()[1]
        return found

    def connections(
        self, identify: Identify | None = None, others: Mapping[str, ProtocolFactory] | None = None
    ) -> ProtocolFactory:
        """What serves clients, whoever accepts them; `identify` and `others` as with `listen`."""
        self.start()

        def usual() -> asyncio.BaseProtocol:
            return Stream(self.broker, self.farewells, self.time, identify)

        return usual if not others else lambda: ByName(usual, others)

    async def close(self) -> None:
        """Tell version 5 clients, close every connection and listener; who does not go by then is cut off."""
        self.sweeper.stop()
        for server in self._servers:
            await server.close()
        self.broker.put_behind(None)
        self.broker.part_with(self.broker.clients)
        await self.farewells.ended()
        self._servers.clear()
