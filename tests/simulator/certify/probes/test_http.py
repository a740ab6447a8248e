"""A URL as a probe: a real server, however it answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from simulator.certify.probes import Sample
from simulator.certify.probes.http import HttpProbe

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def device(answer: Answer) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/version", answer)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/version"
    finally:
        await runner.cleanup()


async def sampled(url: str, limit_seconds: float = 5.0) -> Sample:
    probe = HttpProbe("http:it", url, limit_seconds)
    try:
        return await probe.sample()
    finally:
        await probe.close()


def says(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, headers=headers)

    return answer


DOCUMENT = '{"firmware": {"version": "2.0", "slots": ["1.0", "2.0"], "build": 7, "ok": true, "a/b": "3"}}'


@pytest.mark.parametrize(
    ("answer", "member", "sample"),
    [
        pytest.param(says("2.0\r\nmore"), "", Sample(True, "2.0"), id="the body's first line"),
        pytest.param(says(DOCUMENT), "#/firmware/version", Sample(True, "2.0"), id="a member"),
        pytest.param(says(DOCUMENT), "#/firmware/slots/0", Sample(True, "1.0"), id="an item of a list"),
        pytest.param(says(DOCUMENT), "#/firmware/build", Sample(True, "7"), id="a number"),
        pytest.param(says(DOCUMENT), "#/firmware/a~1b", Sample(True, "3"), id="a name with a slash"),
        pytest.param(
            says(DOCUMENT),
            "#/firmware/ok",
            Sample(True, None, "/firmware/ok is no text and no number, but true"),
            id="a member that is no version",
        ),
        pytest.param(
            says(DOCUMENT), "#/firmware/x", Sample(True, None, "no JSON with a member /firmware/x"), id="no such member"
        ),
        pytest.param(says("[" * 50_000), "#/a", Sample(True, None, "no JSON with a member /a"), id="deep brackets"),
        pytest.param(says(""), "", Sample(True, None, "the first line is empty: there is no version"), id="no body"),
        pytest.param(says("starting", 503), "", Sample(False, None, "status 503"), id="not up yet"),
        pytest.param(
            says("", 302, {"Location": "/v2"}),
            "",
            Sample(None, None, "status 302, see /v2: name that URL"),
            id="elsewhere",
        ),
    ],
)
async def test_what_is_made_of_an_answer(answer: Answer, member: str, sample: Sample):
    async with device(answer) as url:
        assert await sampled(f"{url}{member}") == sample


async def test_a_port_that_refuses_is_a_device_that_is_not_up():
    url = f"http://127.0.0.1:{unused_port()}/version"
    assert await sampled(url) == Sample(False, None, f"{url} refuses the connection")


async def test_a_server_that_hangs_says_nothing_of_the_device():
    async def hangs(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with device(hangs) as url:
        assert await sampled(url, 0.2) == Sample(None, None, f"{url} did not answer within 0.2 s")


async def test_a_server_that_dies_in_mid_answer_says_nothing_of_the_device():
    async def dies(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with device(dies) as url:
        sample = await sampled(url)
    assert sample.alive is None
    assert "gave no whole answer" in sample.why


async def test_megabytes_of_garbage_are_not_read_to_their_end():
    sent = 0

    async def floods(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 65_536)
            sent += 65_536

    async with device(floods) as url:
        sample = await sampled(url)
    assert sample == Sample(True, None, "the first line has more than 128 characters: that is no version")
    assert sent < 50_000_000


async def test_who_is_not_reached_may_only_be_cut_off():
    sample = await sampled("http://no-such-host.invalid/version")
    assert sample.alive is None
    assert "cannot be reached" in sample.why
