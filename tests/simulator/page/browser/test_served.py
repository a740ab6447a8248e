"""The live page of a real run in a real browser: what a person sees of it in the end, and what is asked of whom."""

import asyncio

import pytest
from playwright.async_api import Browser

from simulator.engines.judged import JudgedPlay
from simulator.engines.live import LiveVenue
from simulator.page.live.judging import keep_judging
from simulator.page.live.server import PageServer, ended
from simulator.page.picture import Picture
from simulator.scenario import load
from tests.simulator.page.browser.tab import LARGE, Tab
from tests.simulator.page.live.asking import Pressed

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_run_is_watched_to_its_verdict_and_nothing_is_asked_of_anybody_else(browser: Browser) -> None:
    scenario = load("delete-in-write")
    picture, controls = Picture(scenario.name, scenario.about, "run"), Pressed()
    async with (
        await browser.new_context(viewport=LARGE) as context,
        PageServer(picture, controls) as server,
    ):
        tab = Tab(await context.new_page())
        await tab.open(server.url)
        await tab.page.wait_for_function("() => document.querySelector('#state').dataset.state === 'waiting'")
        with JudgedPlay(scenario, LiveVenue(scenario, 0), 2, also=(picture.feed,)) as run:
            judging = asyncio.create_task(keep_judging(picture, run.judge, server.looked_at))
            result = await run.result()
            await ended(judging)
            picture.judged(result.verdict, final=True)
        await tab.page.wait_for_function("() => document.querySelector('#state').dataset.state === 'passed'")
        assert (await tab.text("#sentence")).startswith("Passed: no invariant was violated")
        assert await tab.count(".lane") == 2
        assert await tab.count("#story li") > 1
        await tab.at("button[data-do=force-delete]").click()
        await tab.page.wait_for_function("() => document.querySelector('#said').innerText === 'force-delete fw: done.'")
        assert [order.do for order in controls.orders] == ["force-delete"]
        assert tab.complaints == []
        assert {
            url.partition("/stream")[0] for url in tab.requests if not url.startswith((server.url, "data:"))
        } == set()
