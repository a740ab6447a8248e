"""A desk with a device before it: certificates that are made once, and what the cloud tells while it is up."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator.certificate_files import client_context
from simulator.certify.arrival import Arrival
from simulator.certify.desk import Desk, DeskSettings
from simulator.certs import make_certificates
from simulator.trace import Entry
from tests.simulator.cloud.mqtt.peers import WAIT, Peer


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two things and one CA."""
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["pump-7", "pump-8"])
    return directory


@dataclass
class World:
    """An open desk, who watches it, and who came to it."""

    desk: Desk
    arrival: Arrival
    certs: Path
    entries: list[Entry] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    opened: list[Peer] = field(default_factory=list)

    def feed(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.arrival.feed(entry)
        self.told.set()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until what was told makes it so."""
        async with asyncio.timeout(WAIT):
            while not holds():
                self.told.clear()
                await self.told.wait()

    def tls(self, holds: str = "pump-7") -> ssl.SSLContext:
        return client_context(self.certs / "ca.pem", self.certs / f"{holds}.pem", self.certs / f"{holds}.key")

    async def visit(self, name: str = "pump-7", version: Any = 4, *, plain: bool = False, **options: Any) -> Peer:
        """A paho client that connects, and is told how that went by itself."""
        offer = self.desk.offer
        if not plain:
            options.setdefault("tls", self.tls())
        port = options.pop("port", offer.mqtt_port if plain else offer.mqtts_port)
        made = await asyncio.to_thread(Peer, asyncio.get_running_loop(), port, name, version, **options)
        self.opened.append(made)
        return made

    async def connect(self, *args: Any, **options: Any) -> Peer:
        """The same for one that is let in."""
        made = await self.visit(*args, **options)
        assert (await made.next())[2] == "Success"
        return made


@asynccontextmanager
async def opened(certs: Path, **settings: Any) -> AsyncIterator[World]:
    """A desk for pump-7, and its world."""
    async with Desk(DeskSettings("pump-7", certs, **settings)) as desk:
        world = World(desk, Arrival(desk.offer), certs)
        stop = desk.listen(world.feed)
        try:
            yield world
        finally:
            stop()
            for each in world.opened:
                await asyncio.to_thread(each.close)
