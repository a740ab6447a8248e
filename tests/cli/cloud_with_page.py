"""A cloud in this process with its live page, put together as `ghostjob cloud --page` does it."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from simulator.cli.cloud_controls import CloudControls
from simulator.cli.cloud_steering import CloudSteering
from simulator.cloud.local import LocalCloud
from simulator.page.live.server import PageServer
from simulator.page.picture import Picture
from simulator.trace import CLOUD, Entry, Recorder
from tests.cli.served import PORTS, Served, options


class Shown(NamedTuple):
    """`trace` is all that was told of it."""

    cloud: Served
    page: PageServer
    trace: list[Entry]

    async def press(self, **order: object) -> str:
        """What is said to it, over HTTP as a browser asks."""
        async with self.cloud.http.post(f"{self.page.url}orders", json=order) as response:
            told = await response.json()
            return f"{response.status}: {told.get('said') or told['why']}"


@asynccontextmanager
async def shown_cloud(*args: str) -> AsyncIterator[Shown]:
    """Up while this lasts."""
    picture, steering, trace = Picture("cloud", "", "cloud"), CloudSteering(), list[Entry]()

    def tell(entry: Entry) -> None:
        for sink in (trace.append, picture.feed, steering.feed):
            sink(entry)

    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(PageServer(picture, CloudControls(steering)))
        asked = options(*PORTS, *args)
        local = await stack.enter_async_context(LocalCloud(asked, Recorder(CLOUD, time.monotonic, tell)))
        await stack.enter_async_context(steering.of(local, tell))
        yield Shown(Served(local.endpoints, stack, local), page, trace)
