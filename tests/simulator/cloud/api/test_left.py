"""Who leaves before it is told that what it sent is no HTTP is nobody's fault."""

import asyncio
import logging

import pytest
from aiohttp import web

from simulator.cloud.api.wire import Server
from simulator.cloud.notices.refusals import Notice


class Wire(asyncio.Transport):
    """Leads nowhere."""

    def write(self, data: object) -> None:
        """Nobody reads it."""

    def close(self) -> None:
        """It is."""

    def is_closing(self) -> bool:
        """Not yet."""
        return False


async def nobody(_request: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError("it is no request")


@pytest.mark.parametrize("turns", range(1, 6))
async def test_a_client_that_sends_no_http_may_leave_at_any_time(turns: int, caplog: pytest.LogCaptureFixture):
    told: list[Notice] = []
    connection = Server(nobody, told.append)()
    connection.connection_made(Wire())
    await asyncio.sleep(0)
    connection.data_received(b"\0\r\n\r\n")
    for _ in range(turns):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    for _ in range(6):
        await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert [notice.code for notice in told] == ["not-http"] * len(told)
