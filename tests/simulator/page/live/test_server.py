"""The live page over real HTTP: who gets in, what they get, and what nobody can do to it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from agent.errors import InputError
from simulator.page.live import lookers
from simulator.page.live import server as live_server
from simulator.page.live.admission import new_token
from simulator.page.live.server import PageServer
from simulator.page.picture import Picture
from tests.simulator.page.live.asking import SECONDS, TOKEN, Page, served
from tests.within import within


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookers, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(lookers, "NEWS_SPARING", 0)
    monkeypatch.setattr(live_server, "LINGER_SECONDS", 0.1)


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    async with served() as page:
        yield page


async def test_the_page_and_all_that_it_asks_for_are_there(page: Page):
    shell = await page.ask(f"GET /{TOKEN}/")
    assert shell.status == 200
    assert shell.headers["content-type"] == "text/html; charset=utf-8"
    for part in re.findall(rb'(?:src|href)="([a-z0-9./-]+\.(?:js|css))"', shell.body):
        answer = await page.ask(f"GET /{TOKEN}/{part.decode()}")
        assert (answer.status, len(answer.body) > 100) == (200, True), part


async def test_the_page_keeps_everything_to_itself(page: Page):
    headers = (await page.ask(f"GET /{TOKEN}/")).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_token_has_128_bits_and_each_is_another():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {32}


STRANGERS = [
    pytest.param("GET /", {}, 404, id="no token"),
    pytest.param("GET //", {}, 404, id="empty token"),
    pytest.param("GET /stream", {}, 404, id="a path in its place"),
    pytest.param(f"GET /{TOKEN[:-1]}/", {}, 404, id="part of the token"),
    pytest.param(f"GET /{TOKEN}0/", {}, 404, id="more than the token"),
    pytest.param(f"GET /{TOKEN[:-1]}e/", {}, 404, id="another token"),
    pytest.param("GET /%ff%fe/", {}, 404, id="bytes that are no text"),
    pytest.param("GET /\xff\xfe/", {}, 400, id="such bytes as they are"),
    pytest.param(f"GET /{TOKEN.upper()}/", {}, 404, id="the token in capitals"),
    pytest.param(f"GET http://127.0.0.1/{TOKEN}/", {}, 404, id="as to a proxy"),
    pytest.param(f"GET /{TOKEN}/", {"Host": "rebound.example:80"}, 403, id="another name"),
    pytest.param(f"GET /{TOKEN}/", {"Host": "127.0.0.1.example"}, 403, id="a name that looks like an address"),
    pytest.param(f"GET /{TOKEN}/", {"Host": "localhost@evil.example"}, 403, id="a name behind another"),
    pytest.param(f"GET /{TOKEN}/", {"Host": None}, 400, id="no host"),
    pytest.param(f"GET /{TOKEN}/stream", {"Origin": "http://evil.example"}, 403, id="a stream for another site"),
    pytest.param(f"GET /{TOKEN}/stream", {"Sec-Fetch-Site": "cross-site"}, 403, id="a fetch of another site"),
    pytest.param(f"GET /{TOKEN}/page.js", {"Sec-Fetch-Site": "same-site"}, 403, id="a script of a neighbour"),
    pytest.param(f"GET /{TOKEN}/../server.py", {}, 404, id="above"),
    pytest.param(f"GET /{TOKEN}/%2e%2e/server.py", {}, 404, id="above, in disguise"),
    pytest.param(f"GET /{TOKEN}//etc/passwd", {}, 404, id="the root"),
    pytest.param(f"GET /{TOKEN}/vendor/", {}, 404, id="a directory"),
    pytest.param(f"POST /{TOKEN}/", {}, 405, id="a page that is written"),
    pytest.param(f"GET /{TOKEN}/orders", {}, 405, id="an order by GET"),
    pytest.param(f"HEAD /{TOKEN}/orders", {}, 405, id="an order by HEAD"),
]


@pytest.mark.parametrize(("head", "headers", "status"), STRANGERS)
async def test_nobody_else_gets_in(page: Page, head: str, headers: dict[str, str | None], status: int):
    answer = await page.ask(head, **headers)
    assert answer.status == status
    assert TOKEN.encode() not in answer.body
    assert b"Traceback" not in answer.body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:4567", "192.168.1.7:8000"])
async def test_an_address_is_nobody_elses_name(page: Page, host: str):
    assert (await page.ask(f"GET /{TOKEN}/", Host=host)).status == 200


async def test_the_address_without_its_last_slash_leads_to_the_page(page: Page):
    answer = await page.ask(f"GET /{TOKEN}")
    assert (answer.status, answer.headers["location"]) == (308, f"/{TOKEN}/")


# ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_looks_gets_the_whole_and_then_what_changed(page: Page):
    look = await page.look()
    name, data = await within(look.next(), SECONDS)
    assert (name, data["title"], data["state"]) == ("whole", "main", "waiting")
    assert data["controls"]["jobs"] == [{"job": "fw", "namespace": None, "may": ["force-delete"]}]
    page.server.controls = None
    assert await within(look.next(), SECONDS) == ("news", {"controls": None})
    look.leave()


async def test_who_leaves_is_forgotten_at_once(page: Page):
    look = await page.look()
    await within(look.next(), SECONDS)
    assert page.server.looked_at.is_set()
    look.leave()
    async with asyncio.timeout(SECONDS):
        while page.server.looked_at.is_set():
            await page.ask(f"HEAD /{TOKEN}/")


async def test_a_hundred_look_and_one_more_is_told_so():
    async with served() as page, AsyncExitStack() as stack:
        looks = [await page.look() for _ in range(lookers.LOOKERS)]
        for look in looks:
            stack.callback(look.leave)
        refused = await page.ask(f"GET /{TOKEN}/stream")
        assert (refused.status, refused.body) == (503, b"as many look at the page as may.\n")
        for look in looks:
            assert (await within(look.next(), SECONDS))[0] == "whole"
        page.server.controls = None
        for look in looks:
            assert (await within(look.next(), SECONDS))[0] == "news"
        looks.pop().leave()
        async with asyncio.timeout(SECONDS):
            while (await page.ask(f"HEAD /{TOKEN}/")).status and len(page.server._lookers._all) == lookers.LOOKERS:
                pass
        (await page.look()).leave()


async def test_in_the_end_who_looks_is_told_how_it_was():
    async with served() as page:
        look = await page.look()
        await within(look.next(), SECONDS)
        page.picture._about = "it is over"
    assert await within(look.next(), SECONDS) == ("news", {"about": "it is over", "controls": None})
    with pytest.raises(EOFError):
        await within(look.next(), SECONDS)
    look.leave()


async def test_another_picture_comes_whole(page: Page):
    look = await page.look()
    await within(look.next(), SECONDS)
    page.server.show(Picture("the next cell", "", "certify"))
    name, data = await within(look.next(), SECONDS)
    assert (name, data["title"]) == ("whole", "the next cell")
    look.leave()


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_order_is_carried_out_and_what_was_done_is_said(page: Page):
    answer = await page.order(do="force-delete", job="fw")
    assert (answer.status, answer.json) == (200, {"said": "force-delete fw: done."})
    assert [(order.do, order.job) for order in page.controls.orders] == [("force-delete", "fw")]


async def test_what_is_refused_says_why(page: Page):
    answer = await page.order(do="force-delete", job="gone")
    assert (answer.status, answer.json) == (409, {"why": "gone is not there any more."})


async def test_a_fault_of_ours_is_told_in_the_log_and_hurts_nobody_else(page: Page):
    answer = await page.order(do="force-delete", job="fault")
    assert answer.status == 500
    assert "ZeroDivision" not in answer.json["why"]
    assert (await page.order(do="pause")).status == 200


async def test_when_nothing_can_be_pressed_any_more_that_is_said(page: Page):
    page.server.controls = None
    answer = await page.order(do="pause")
    assert (answer.status, answer.json) == (409, {"why": "there is nothing to press here any more."})


BAD_ORDERS = [
    pytest.param(b"", {}, 400, "JSON", id="nothing"),
    pytest.param(b"{", {}, 400, "JSON", id="no JSON"),
    pytest.param(b"[" * 4000, {}, 400, "JSON", id="much nesting"),
    pytest.param(b'{"do": "reboot-the-world"}', {}, 400, "do", id="an order that there is not"),
    pytest.param(b'{"do": "pause", "sudo": true}', {}, 400, "sudo", id="a member that there is not"),
    pytest.param(b'{"do": "pause", "job": 7}', {}, 400, "job", id="a number for a name"),
    pytest.param(b'{"do": "pause", "job": "%s"}' % (b"x" * 129), {}, 400, "job", id="a name that is too long"),
    pytest.param(b'{"do": "slow", "number": NaN}', {}, 400, "", id="no number"),
    pytest.param(b'{"do": "slow", "number": 1e999}', {}, 400, "", id="infinity"),
    pytest.param(b'{"do": "pause", "job": "\xff"}', {}, 400, "", id="no UTF-8"),
    pytest.param(b"x" * 4097, {}, 413, "4096 bytes", id="too large"),
    pytest.param(b'{"do": "pause"}', {"Content-Length": "1000000000"}, 413, "4096 bytes", id="said to be too large"),
    pytest.param(b'{"do": "pause"}', {"Content-Type": "text/plain"}, 415, "JSON", id="as a form could send it"),
    pytest.param(b'{"do": "pause"}', {"Content-Type": None}, 415, "JSON", id="without a type"),
    pytest.param(b'{"do": "pause"}', {"Origin": "http://evil.example"}, 403, "another site", id="from another site"),
    pytest.param(b'{"do": "pause"}', {"Origin": "null"}, 403, "another site", id="from a page without a name"),
    pytest.param(b'{"do": "pause"}', {"Origin": "http://127.0.0.1:1"}, 403, "another site", id="from another port"),
    pytest.param(b'{"do": "pause"}', {"Sec-Fetch-Site": "cross-site"}, 403, "another site", id="by another site"),
    pytest.param(b'{"do": "pause"}', {"Host": "evil.example"}, 403, "evil.example", id="by another name"),
]


@pytest.mark.parametrize(("body", "headers", "status", "says"), BAD_ORDERS)
async def test_what_is_no_order_is_none(
    page: Page, body: bytes, headers: dict[str, str | None], status: int, says: str
):
    answer = await page.ask(f"POST /{TOKEN}/orders", body, **headers)
    assert answer.status == status
    assert says in answer.json["why"]
    assert page.controls.orders == []


async def test_the_page_itself_may_press(page: Page):
    headers = {"Origin": f"http://{page.authority}", "Sec-Fetch-Site": "same-origin"}
    assert (await page.ask(f"POST /{TOKEN}/orders", b'{"do": "pause"}', **headers)).status == 200


async def test_who_presses_and_leaves_has_pressed(page: Page):
    page.controls.goes.clear()
    _, writer = await page.connect()
    writer.write(page.request(f"POST /{TOKEN}/orders", b'{"do": "pause"}'))
    await within(page.controls.begun.wait(), SECONDS)
    writer.transport.abort()
    page.controls.goes.set()
    assert (await page.order(do="go")).status == 200
    assert [order.do for order in page.controls.orders] == ["pause", "go"]


async def test_so_many_orders_at_once_and_no_more(page: Page):
    page.controls.goes.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(page.order(do="pause")) for _ in range(live_server.ORDERS + 3)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status for task in done} == {429}
        page.controls.goes.set()
    statuses = [task.result().status for task in tasks]
    assert (statuses.count(200), statuses.count(429)) == (live_server.ORDERS, 3)


async def test_an_order_that_never_comes_whole_is_given_up(page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live_server, "BODY_SECONDS", 0.05)
    answer = await page.ask(f"POST /{TOKEN}/orders", b'{"do": ', Content_Length="100")
    assert answer.status == 408


# ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_does_not_know_the_token_keeps_nobody_out(page: Page):
    look = await page.look()
    strangers = [await page.connect() for _ in range(2 * live_server.STRANGERS)]
    assert await within(strangers[0][0].read(), SECONDS) == b""
    assert (await page.ask(f"GET /{TOKEN}/")).status == 200
    assert (await within(look.next(), SECONDS))[0] == "whole"
    look.leave()
    for _, writer in strangers:
        writer.transport.abort()


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\xfc", b"GET\r\n\r\n", b"\0" * 100_000, b"A" * 100_000])
async def test_what_is_no_http_ends_its_connection(page: Page, garbage: bytes):
    reader, writer = await page.connect()
    writer.write(garbage)
    if writer.can_write_eof():
        writer.write_eof()
    got = await within(reader.read(), SECONDS)
    assert b"Traceback" not in got
    writer.close()
    assert (await page.ask(f"GET /{TOKEN}/")).status == 200


async def test_who_does_not_read_costs_one_message_and_gets_the_whole_when_it_does(page: Page):
    slow, quick = await page.look(keeps_little=True), await page.look()
    for look in (slow, quick):
        assert (await within(look.next(), SECONDS))[0] == "whole"
    page.picture._about = "x" * 8_000_000  # more than the sockets hold
    page.server.show(page.picture)
    assert (await within(quick.next(), SECONDS))[1]["about"] == page.picture._about
    for number in range(3):
        page.picture._title = f"title {number}"
        await quick.until("news", "title", page.picture._title)
    page.picture._about = "short again"
    await quick.until("news", "about", "short again")
    name, data = await within(slow.next(), SECONDS)
    assert (name, len(data["about"])) == ("whole", 8_000_000)
    name, data = await within(slow.next(), SECONDS)
    assert (name, data["title"], data["about"]) == ("whole", "title 2", "short again")
    for look in (slow, quick):
        look.leave()


async def test_who_never_reads_is_cut_off(page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live_server, "UNREAD_SECONDS", 0.05)
    page.picture._about = "x" * 8_000_000
    look = await page.look(keeps_little=True)
    async with asyncio.timeout(SECONDS):
        while page.server.looked_at.is_set():
            await page.ask(f"HEAD /{TOKEN}/")
    look.leave()


# ── where it is ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_port_and_the_host_can_be_chosen(page: Page):
    with pytest.raises(InputError, match=rf"--page: cannot listen on 127.0.0.1 port {page.port}: "):
        async with PageServer(Picture("", "", "run"), port=page.port):
            pass
    with pytest.raises(InputError, match="--page-host no such host: "):
        async with PageServer(Picture("", "", "run"), host="no such host"):
            pass
    async with served(host="localhost") as other:
        assert other.server.url == f"http://localhost:{other.port}/{TOKEN}/"
        assert not other.server.is_open_to_others
        assert (await other.ask(f"GET /{TOKEN}/")).status == 200


@pytest.mark.parametrize(("host", "is_open"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("lab", True)])
def test_it_is_known_whether_others_can_reach_it(host: str, is_open: bool):
    assert PageServer(Picture("", "", "run"), host=host).is_open_to_others is is_open
