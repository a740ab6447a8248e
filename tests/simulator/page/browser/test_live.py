"""The live page: what comes by the stream, what buttons ask and send, and what is said when nobody is there."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser

from tests.simulator.page.browser import made, parts
from tests.simulator.page.browser.tab import LARGE, STATIC, Json, Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")


POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # plots bring a style with them
        "img-src data:",
        "connect-src 'self'",
    )
)
"""What the page needs, and nothing more."""


class Served:
    """The page's files with a stream beside them that tells what a test puts into it, and a box for orders.

    `answer` is what the next orders get: a status and what is said.
    """

    def __init__(self) -> None:
        self.listeners: list[asyncio.Queue[tuple[str, Json] | None]] = []
        self.reset()

    def reset(self) -> None:
        self.break_off()
        self.orders: list[Json] = []
        self.answer: tuple[int, Json] = (200, {"said": "fw is being deleted under four devices."})
        self.whole: Json = made.running()
        self.refuses = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/T/stream", self._stream)
        app.router.add_post("/T/orders", self._order)
        app.router.add_get("/T/", self._page)
        app.router.add_static("/T/", STATIC)
        return app

    def tell(self, name: str, told: Json) -> None:
        for queue in self.listeners:
            queue.put_nowait((name, told))

    def break_off(self) -> None:
        for queue in self.listeners:
            queue.put_nowait(None)

    async def _page(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "page.html", headers={"Content-Security-Policy": POLICY})

    async def _order(self, request: web.Request) -> web.Response:
        self.orders.append(await request.json())
        status, said = self.answer
        return web.json_response(said, status=status)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            raise web.HTTPServiceUnavailable
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[tuple[str, Json] | None] = asyncio.Queue()
        queue.put_nowait(("whole", self.whole))
        self.listeners.append(queue)
        while (told := await queue.get()) is not None:
            name, data = told
            await response.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        self.listeners.remove(queue)
        return response


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def server() -> AsyncIterator[tuple[Served, str]]:
    served = Served()
    runner = web.AppRunner(served.app(), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield served, f"http://{host}:{port}/T/"
    served.break_off()
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def one_live_tab(browser: Browser) -> AsyncIterator[Tab]:
    async with await browser.new_context(viewport=LARGE) as context:
        yield Tab(await context.new_page())


@pytest_asyncio.fixture(loop_scope="package")
async def live(one_live_tab: Tab, server: tuple[Served, str]) -> AsyncIterator[tuple[Tab, Served]]:
    """The live page in a browser, and who serves it: as new. In the end it has complained of lost streams alone."""
    served, address = server
    tab = one_live_tab
    served.reset()
    await tab.open(address)
    await tab.page.wait_for_selector(".lane")
    yield tab, served
    await tab.page.goto("about:blank")
    assert [each for each in tab.requests if not each.startswith((address, "data:", "about:"))] == []
    tolerated = ("ERR_", "the server responded with a status of")
    assert [each for each in tab.complaints if not any(words in each for words in tolerated)] == []


async def said(tab: Tab, selector: str, words: str) -> None:
    """It is to be read there, now or as soon as it has come."""
    await tab.page.wait_for_function(
        "([selector, words]) => document.querySelector(selector).innerText.includes(words)", arg=[selector, words]
    )


async def test_the_whole_comes_first_and_news_changes_what_they_name(live: tuple[Tab, Served]) -> None:
    tab, server = live
    assert await tab.text("#sentence") == made.running()["sentence"]
    server.tell("news", {"sentence": "All of them know.", "state": "passed", "is_over": True})
    await said(tab, "#sentence", "All of them know.")
    assert await tab.at("#state").get_attribute("data-state") == "passed"
    server.tell(
        "news",
        {"lanes.thing-0": parts.lane("thing-0", 1.9), "now": 3.6, "entries+": {"new#1": parts.entry("new#1", 1)}},
    )
    await tab.page.wait_for_function("() => data.entries['new#1'] !== undefined")
    await tab.drawn()
    assert await tab.count(".lane[data-thing=thing-0] .span[data-kind=undo]") == 1
    assert await tab.count(".lane[data-thing=thing-1] .span[data-kind=undo]") == 0


async def test_of_what_goes_on_only_what_came_needs_to_be_told(live: tuple[Tab, Served]) -> None:
    tab, server = live
    before = made.running()
    lane, lines = before["lanes"]["thing-0"], before["lines"]
    first, *spans = lane["spans"]
    other = {**spans[0], "text": "another text"}
    mark = {**lane["marks"][-1], "at": 3.5, "events": ["new#2"]}
    edits = {
        "spans": {"gone": [0], "put": {"0": other}, "more": []},
        "marks": {"gone": [], "put": {}, "more": [mark]},
        "dropped": 1,
    }
    line = {**lines[0], "at": 3.4, "text": "one more"}
    server.tell("news", {"lanes+.thing-0": edits, "lines+": {"gone": [], "put": {}, "more": [line]}, "entries-": ["x"]})
    await tab.page.wait_for_function("() => data.lines.at(-1).text === 'one more'")
    assert await tab.page.evaluate("() => data.lines") == [*lines, line]
    now = await tab.page.evaluate("() => data.lanes['thing-0']")
    assert now == {"spans": [other, *spans[1:]], "marks": [*lane["marks"], mark], "dropped": 1}
    assert first not in now["spans"]
    assert await tab.page.evaluate("() => data.lanes['thing-1']") == before["lanes"]["thing-1"]


async def test_a_job_is_deleted_with_a_click_after_it_has_asked_once(live: tuple[Tab, Served]) -> None:
    tab, server = live
    button = tab.at("button[data-do=force-delete][data-job=fw]")
    assert await button.inner_text() == "Force-delete fw now"
    await button.click()
    assert await tab.sees("dialog#ask")
    assert await tab.text("#ask-what") == "Force-delete fw?"
    assert "Delete it under the devices" in await tab.text("#ask-sentence")
    assert server.orders == []
    await tab.at("#ask button[value=yes]").click()
    await said(tab, "#said", "fw is being deleted under four devices.")
    assert server.orders == [{"do": "force-delete", "job": "fw"}]
    assert not await tab.sees("dialog#ask")


@pytest.mark.parametrize("no", ["button", "escape"])
async def test_what_is_not_confirmed_is_not_sent(live: tuple[Tab, Served], no: str) -> None:
    tab, server = live
    await tab.at("button[data-do=force-delete]").click()
    if no == "button":
        await tab.at("#ask button[value=no]").click()
    else:
        await tab.page.keyboard.press("Escape")
    await tab.at("button[data-do=pause]").click()
    await said(tab, "#said", "deleted")
    assert [order["do"] for order in server.orders] == ["pause"]


ORDERS: list[tuple[str, Json]] = [
    ("button[data-do=cancel][data-job=fw]", {"do": "cancel", "job": "fw"}),
    ("button[data-do=create-again][data-job=lab-fw]", {"do": "create-again", "job": "lab-fw"}),
    ("button[data-do=slow][data-number='20']", {"do": "slow", "number": 20}),
    ("button[data-do=cut-network][data-thing=thing-2]", {"do": "cut-network", "thing": "thing-2"}),
    ("button[data-do=end]", {"do": "end"}),
]


async def test_each_button_sends_its_order(live: tuple[Tab, Served]) -> None:
    tab, server = live
    await tab.at("#thing-controls summary").click()
    for selector, _ in ORDERS:
        await tab.at(selector).click()
    await tab.page.wait_for_function("() => !document.querySelector('#said').textContent.startsWith('…')")
    await tab.drawn()
    assert server.orders == [order for _, order in ORDERS]


async def test_all_of_it_is_done_with_the_keys_alone(live: tuple[Tab, Served]) -> None:
    tab, server = live
    button = tab.at("button[data-do=force-delete]")
    await button.focus()
    await tab.page.keyboard.press("Enter")
    await tab.page.keyboard.press("Tab")
    await tab.page.keyboard.press("Shift+Tab")
    assert await tab.focused() == "Force-delete"
    await tab.page.keyboard.press("Enter")
    await said(tab, "#said", "deleted")
    assert [order["do"] for order in server.orders] == ["force-delete"]
    assert await tab.focused() == "Force-delete fw now"


async def test_a_new_job_is_asked_for_its_id(live: tuple[Tab, Served]) -> None:
    tab, server = live
    await tab.at("button[data-do=create-job]").click()
    await tab.at("#ask input").fill("fw-3")
    await tab.at("#ask button[value=yes]").click()
    await said(tab, "#said", "deleted")
    assert server.orders == [{"do": "create-job", "job": "fw-3"}]


async def test_what_is_refused_says_why(live: tuple[Tab, Served]) -> None:
    tab, server = live
    server.answer = (409, {"why": "fw is not there any more."})
    await tab.at("button[data-do=pause]").click()
    await said(tab, "#said", "fw is not there any more.")
    assert await tab.at("#said").get_attribute("data-ok") == "false"


async def test_paused_at_a_dangerous_place_says_where_until_somebody_presses_go(live: tuple[Tab, Served]) -> None:
    tab, server = live
    server.tell("news", {"controls": made.paused()["controls"]})
    await said(tab, "#paused", "Paused: thing-3 is erasing slot B")
    await tab.at("button[data-do=go]").click()
    await said(tab, "#said", "deleted")
    assert server.orders == [{"do": "go"}]
    server.tell("news", {"controls": made.offered()})
    await tab.page.wait_for_selector("#paused", state="hidden")


async def test_when_there_is_nothing_to_press_no_empty_box_is_left(live: tuple[Tab, Served]) -> None:
    tab, server = live
    await tab.page.wait_for_selector("#controls")
    server.tell("news", {"controls": made.offered(jobs=[], things=[], also=[])})
    await tab.page.wait_for_selector("#controls", state="hidden")


async def test_a_broken_stream_is_told_and_tried_again_until_there_is_a_whole_again(live: tuple[Tab, Served]) -> None:
    tab, server = live
    server.whole = made.passed()
    server.break_off()
    await said(tab, "#connection", "The connection to ghostjob is lost.")
    assert await tab.text("#sentence") == made.running()["sentence"]
    await said(tab, "#sentence", made.passed()["sentence"])
    assert await tab.text("#connection") == ""


async def test_a_stream_that_is_refused_is_tried_again_too(live: tuple[Tab, Served]) -> None:
    tab, server = live
    server.refuses = True
    server.break_off()
    await said(tab, "#connection", "every 2 seconds")
    server.refuses = False
    await tab.page.wait_for_function("() => document.querySelector('#connection').innerText === ''")


async def test_when_it_was_over_a_lost_connection_is_no_fault(live: tuple[Tab, Served]) -> None:
    tab, server = live
    server.tell("news", {"is_over": True, "controls": None})
    await tab.page.wait_for_selector("#controls", state="hidden")
    server.refuses = True
    server.break_off()
    await said(tab, "#connection", "ghostjob has ended. This is how it was in the end.")


async def test_before_anything_has_come_it_says_that_it_waits(browser: Browser, server: tuple[Served, str]) -> None:
    _, address = server
    async with await browser.new_context() as context:
        tab = Tab(await context.new_page())
        await context.route("**/stream", lambda route: None)
        await tab.page.goto(address)
        await said(tab, "#sentence", "Waiting for what comes.")
        assert await tab.text("#state") == "WAITING"
