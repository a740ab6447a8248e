"""Downloads from real servers that know ranges or do not, break off, refuse, lie; and what is on disk afterwards."""

import asyncio
import hashlib
import os
import resource
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from yarl import URL

from agent.causes import Cause
from agent.handlers import fetching
from agent.handlers.download import Download
from agent.handlers.handler import StaleDocumentError, StepError
from tests.agent.handlers.bench import context_in, left_in, task_in
from tests.agent.handlers.web import Shelf, served

OLD = b"what was there before"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT_SECONDS", 0.001)


@pytest.mark.parametrize(
    ("shelf", "asked"),
    [
        pytest.param(Shelf(), [""], id="in one go"),
        pytest.param(Shelf(body=b""), [""], id="an empty file"),
        pytest.param(Shelf(says_length=False), [""], id="of a length that nobody says"),
        pytest.param(Shelf(cut_at=[100_000, 50_000]), ["", "bytes=100000-", "bytes=150000-"], id="in three parts"),
        pytest.param(Shelf(cut_at=[0, 1]), ["", "", "bytes=1-"], id="after a body that never began"),
        pytest.param(Shelf(cut_at=[9_000], etag=""), ["", "bytes=9000-"], id="resumed by its digest alone"),
        pytest.param(Shelf(cut_at=[9_000], etag='W/"v1"'), ["", "bytes=9000-"], id="with a weak ETag"),
        pytest.param(Shelf(cut_at=[9_000], knows_ranges=False), ["", "bytes=9000-"], id="from a server without ranges"),
        pytest.param(Shelf(statuses=[503, 500, 429]), ["", "", "", ""], id="after the server was busy"),
        pytest.param(Shelf(cut_at=[9_000], says_length=False), ["", "bytes=9000-"], id="cut in mid-chunk"),
    ],
)
async def test_a_file_arrives_whole(tmp_path: Path, shelf: Shelf, asked: list[str]):
    context = context_in(tmp_path)
    (context.root / "app.bin").write_bytes(OLD)
    async with served(shelf):
        task = task_in(tmp_path, "download", url=shelf.url, to="app.bin", sha256=shelf.sha256, size=len(shelf.body))
        await Download(context).do(task)
    assert (context.root / "app.bin").read_bytes() == shelf.body
    assert shelf.asked == asked
    assert left_in(context.root) == ["app.bin"]


async def test_a_file_may_have_moved_and_its_signature_is_kept_as_it_stands(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(leads_to=["/file?X-Amz-Signature=a%2Fb", "file"])
    async with served(shelf):
        await Download(context).do(task_in(tmp_path, "download", url=shelf.url, to="f"))
    assert (context.root / "f").read_bytes() == shelf.body
    assert shelf.signatures == ["", "a/b", ""]


@pytest.mark.parametrize(
    ("leads_to", "says"),
    [
        pytest.param("file:///etc/passwd", "not a URL that a file can be fetched from", id="a file of the device"),
        pytest.param("ftp://127.0.0.1/f", "not a URL that a file can be fetched from", id="another protocol"),
        pytest.param("http://169.254.169.254/f", "proves nothing", id="another host, with nothing to prove the file"),
        pytest.param("http://[::1", "redirected to", id="no URL"),
        pytest.param("/file", "redirected more than 5 times", id="itself, for ever"),
    ],
)
async def test_a_redirect_to_where_no_document_may_point_is_not_followed(tmp_path: Path, leads_to: str, says: str):
    context, shelf = context_in(tmp_path), Shelf(leads_to=[leads_to] * 9)
    async with served(shelf):
        with pytest.raises(StepError, match=says):
            await Download(context).do(task_in(tmp_path, "download", url=shelf.url, to="f"))
    assert len(shelf.asked) == (6 if leads_to == "/file" else 1)


@pytest.mark.parametrize("sha256", ["", "0" * 64], ids=["without a digest", "with a digest"])
def test_no_redirect_leads_from_https_to_http(sha256: str):
    with pytest.raises(StepError, match="led from https to http"):
        fetching._led_on(URL("https://127.0.0.1/f"), "http://127.0.0.1/f", sha256)


async def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(cut_at=[9_000])
    async with served(shelf):
        await _broken_off(Download(context), task_in(tmp_path, "download", url=shelf.url, to="f"), shelf)
        shelf.body, shelf.etag = b"another one", '"v2"'
        await Download(context).do(task_in(tmp_path, "download", url=shelf.url, to="f"))
    assert (context.root / "f").read_bytes() == b"another one"
    assert shelf.asked[-1] == "bytes=9000-"


async def test_what_came_before_and_does_not_fit_the_digest_is_fetched_again(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(cut_at=[9_000], etag="")
    async with served(shelf):
        task = task_in(tmp_path, "download", url=shelf.url, to="f", sha256=shelf.sha256)
        await _broken_off(Download(context), task, shelf)
        (part,) = context.root.glob(".ghostjob-*")
        part.write_bytes(b"\0" * 9_000)  # as a power cut may leave it
        await Download(context).do(task)
    assert (context.root / "f").read_bytes() == shelf.body
    assert shelf.asked[-2:] == ["bytes=9000-", ""]


def refused_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("shelf", "url", "cause", "why"),
    [
        pytest.param(Shelf(statuses=[503] * 99), "", Cause.UNREACHABLE, "HTTP 503", id="503"),
        pytest.param(Shelf(statuses=[429] * 99), "", Cause.UNREACHABLE, "HTTP 429", id="429"),
        pytest.param(
            Shelf(cut_at=[9_000] * 99, says_range=False),
            "",
            Cause.BAD_ANSWER,
            "answered with another range than was asked for",
            id="206 without Content-Range",
        ),
        pytest.param(Shelf(cut_at=[9_000] * 99, has_range=False), "", Cause.BAD_ANSWER, "has no such range", id="416"),
        pytest.param(Shelf(cut_at=[9_000] * 99, knows_ranges=False), "", Cause.BAD_ANSWER, "broke off", id="cut off"),
        pytest.param(Shelf(cut_at=[0] * 99), "", Cause.BAD_ANSWER, "broke off", id="not one byte"),
        pytest.param(
            Shelf(), "http://127.0.0.1:{port}/f", Cause.UNREACHABLE, "nobody answers: Connection refused", id="refused"
        ),
        pytest.param(Shelf(), f"http://{'x.' * 140}localhost/f", Cause.UNREACHABLE, "no such host", id="no such host"),
        pytest.param(Shelf(), "https://127.0.0.1:{shelf}/f", Cause.UNTRUSTED, "TLS: ", id="no TLS"),
    ],
)
async def test_a_download_that_gets_nowhere_says_why_at_each_try_and_ends(
    tmp_path: Path, shelf: Shelf, url: str, cause: Cause, why: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fetching, "LONGEST_WAIT_SECONDS", 0.001)
    context, waits = context_in(tmp_path), list[tuple[Cause, str]]()
    async with served(shelf):
        ports = {"port": refused_port(), "shelf": shelf.url.split(":")[2].partition("/")[0]}
        where = url.format(**ports) or shelf.url
        task = task_in(tmp_path, "download", url=where, to="f", sha256=shelf.sha256)
        with pytest.raises(StepError, match="8 times in a row") as failed:
            await Download(context).do(replace(task, waiting=lambda *told: waits.append(told)))
    told = [(each, words) for each, words in waits if each is cause and why in words]
    assert len(waits) <= 2 * fetching.ATTEMPTS
    assert len(told) >= len(waits) // 2
    assert all(words.startswith(where[:200]) for _, words in waits)
    assert len(set(told)) == 1, "the same words for the same cause, so that they are told once"
    assert failed.value.cause in (cause, Cause.BAD_ANSWER)


async def _broken_off(handler: Download, task: object, shelf: Shelf) -> None:
    """Let the agent be ended in mid-download, after the first part has come."""
    shelf.statuses = [200, *[503] * 50]
    with pytest.raises(StepError, match="HTTP 503, 8 times in a row"):
        await handler.do(task)  # type: ignore[arg-type]  # a Task
    shelf.statuses = []


async def test_a_stopped_download_goes_on_where_it_stood(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(held=asyncio.Event())
    halfway = asyncio.Event()
    async with served(shelf):
        task = task_in(
            tmp_path,
            "download",
            url=shelf.url,
            to="f",
            progress=lambda percent: halfway.set() if percent >= 50 else None,
        )
        running = asyncio.create_task(Download(context).do(task))
        await halfway.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert Download(context).pending([task.aside]) == ("download",)
        shelf.held = None
        await Download(context).do(task)
    assert (context.root / "f").read_bytes() == shelf.body
    assert shelf.asked == ["", f"bytes={len(shelf.body) // 2}-"]
    assert Download(context).pending([task.aside]) == ()


async def test_an_expired_url_asks_for_the_document_and_the_rest_comes_from_the_next(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(cut_at=[9_000], statuses=[200, 403])
    async with served(shelf):
        stale = task_in(tmp_path, "download", url=f"{shelf.url}?X-Amz-Signature=one%2F1", to="f", sha256=shelf.sha256)
        with pytest.raises(StaleDocumentError, match=r"/file: refused with HTTP 403$"):
            await Download(context).do(stale)
        fresh = task_in(tmp_path, "download", url=f"{shelf.url}?X-Amz-Signature=two%2B2", to="f", sha256=shelf.sha256)
        await Download(context).do(fresh)
    assert (context.root / "f").read_bytes() == shelf.body
    assert shelf.asked == ["", "bytes=9000-", "bytes=9000-"]
    assert shelf.signatures == ["one/1", "one/1", "two+2"]


async def test_a_url_that_is_refused_again_and_again_is_no_good(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(refuses={"bad"})
    async with served(shelf):
        task = task_in(tmp_path, "download", url=f"{shelf.url}?X-Amz-Signature=bad", to="f")
        for _ in range(2):
            with pytest.raises(StaleDocumentError):
                await Download(context).do(task)
        with pytest.raises(StepError, match="refused with HTTP 403, 3 times in a row"):
            await Download(context).do(task)
    assert len(shelf.asked) == 3


@pytest.mark.parametrize(
    ("shelf", "args", "says", "cause"),
    [
        pytest.param(Shelf(), {"sha256": "0" * 64}, "its SHA-256 is", Cause.HASH_MISMATCH, id="another digest"),
        pytest.param(
            Shelf(), {"size": 5}, "has 512000 bytes, and the document says 5", Cause.WRONG_LENGTH, id="another size"
        ),
        pytest.param(
            Shelf(says_length=False),
            {"size": 5},
            "more than the 5 bytes",
            Cause.WRONG_LENGTH,
            id="another size, not said",
        ),
        pytest.param(
            Shelf(body=b"abc", says_length=False),
            {"size": 5},
            "3 bytes came",
            Cause.WRONG_LENGTH,
            id="too few bytes, not said",
        ),
        pytest.param(
            Shelf(body=bytes(1_000_001)),
            {},
            "more than the 1000000 that this device takes",
            Cause.SPACE,
            id="too large",
        ),
        pytest.param(
            Shelf(), {"size": 1_000_001}, "1000001 bytes are more than", Cause.SPACE, id="too large by its own account"
        ),
        pytest.param(Shelf(statuses=[404]), {}, "HTTP 404", Cause.NOT_FOUND, id="nothing there"),
        pytest.param(
            Shelf(),
            {"url": "http://127.0.0.1:1/f"},
            "nobody answers: Connection refused, 8 times",
            Cause.UNREACHABLE,
            id="nobody there",
        ),
        pytest.param(
            Shelf(),
            {"url": "http://example.com/f"},
            "use https",
            Cause.REFUSED_URL,
            id="http from elsewhere, without digest",
        ),
        pytest.param(Shelf(), {"url": "ftp://127.0.0.1/f"}, "not a URL", Cause.REFUSED_URL, id="no http"),
        pytest.param(
            Shelf(), {"url": "http://127.0.0.1:99999/f"}, "Port out of range", Cause.REFUSED_URL, id="no port"
        ),
        pytest.param(
            Shelf(), {"url": f"https://{'x' * 64}.localhost/f"}, "no name of a host", Cause.REFUSED_URL, id="no host"
        ),
        pytest.param(Shelf(), {"url": ""}, "names no url", Cause.REFUSED_URL, id="no url"),
        pytest.param(Shelf(), {"to": "no/such/f"}, "there is no directory no", Cause.NOT_FOUND, id="no such directory"),
        pytest.param(
            Shelf(), {"to": "link/f"}, "link is a symbolic link", Cause.REFUSED_PATH, id="through a link to elsewhere"
        ),
        pytest.param(
            Shelf(), {"to": "file-link"}, "no ordinary file", Cause.REFUSED_PATH, id="onto a link to elsewhere"
        ),
        pytest.param(Shelf(), {"to": "../elsewhere/f"}, "not below", Cause.REFUSED_PATH, id="out with dots"),
        pytest.param(Shelf(), {"to": "/etc/f"}, "not below", Cause.REFUSED_PATH, id="absolute and elsewhere"),
        pytest.param(
            Shelf(), {"to": "x/../link/f"}, "link is a symbolic link", Cause.REFUSED_PATH, id="dots and a link"
        ),
        pytest.param(Shelf(), {"to": "directory"}, "no ordinary file", Cause.REFUSED_PATH, id="onto a directory"),
    ],
)
async def test_a_download_that_cannot_be_changes_nothing_and_can_be_undone(
    tmp_path: Path, shelf: Shelf, args: dict[str, object], says: str, cause: Cause
):
    context = context_in(tmp_path, longest_file_bytes=1_000_000)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "f").write_bytes(OLD)
    (context.root / "f").write_bytes(OLD)
    (context.root / "link").symlink_to(elsewhere)
    (context.root / "file-link").symlink_to(elsewhere / "f")
    (context.root / "directory").mkdir()
    async with served(shelf):
        task = task_in(tmp_path, "download", **{"url": shelf.url, "to": "f", **args})
        with pytest.raises(StepError, match=says) as failed:
            await Download(context).do(task)
        assert failed.value.cause is cause
    await Download(context).undo(task)
    assert (elsewhere / "f").read_bytes() == (context.root / "f").read_bytes() == OLD
    assert left_in(context.root) == ["f", "file-link"]
    assert left_in(elsewhere) == ["f"]
    assert Download(context).pending([task.aside]) == ()


async def test_undoing_puts_back_what_was_there_with_its_mode(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf()
    (context.root / "old").write_bytes(OLD)
    (context.root / "old").chmod(0o751)
    async with served(shelf):
        for index, name in enumerate(("old", "new")):
            await Download(context).do(task_in(tmp_path, "download", index=index, url=shelf.url, to=name))
            await Download(context).do(task_in(tmp_path, "download", index=index, url=shelf.url, to=name))
    assert (context.root / "old").stat().st_mode & 0o777 == 0o751
    assert len(shelf.asked) == 2, "what is done already is not fetched again"
    for _ in range(2):
        for index, name in enumerate(("old", "new")):
            await Download(context).undo(task_in(tmp_path, "download", index=index, url=shelf.url, to=name))
    assert (context.root / "old").read_bytes() == OLD
    assert (context.root / "old").stat().st_mode & 0o777 == 0o751
    assert left_in(context.root) == ["old"]


async def test_a_full_disk_is_a_failure_that_says_so_and_leaves_nothing(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(says_length=False)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with served(shelf):
        task = task_in(tmp_path, "download", url=shelf.url, to="f")
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                await Download(context).do(task)
            await Download(context).undo(task)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert left_in(context.root) == []


async def test_no_proxy_of_the_environment_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    context, shelf = context_in(tmp_path), Shelf()
    async with served(shelf):
        await Download(context).do(task_in(tmp_path, "download", url=shelf.url, to="f"))
    assert hashlib.sha256((context.root / "f").read_bytes()).hexdigest() == shelf.sha256


async def test_what_was_left_of_a_settled_execution_goes(tmp_path: Path):
    context, shelf = context_in(tmp_path), Shelf(cut_at=[9_000], etag="")
    async with served(shelf):
        task = task_in(tmp_path, "download", reversible=False, url=shelf.url, to="f", sha256=shelf.sha256)
        await _broken_off(Download(context), task, shelf)
    assert Download(context).pending([task.aside]) == (), "past the point of no return nothing of it will be undone"
    assert len(os.listdir(context.root)) == 1
    await Download(context).settle(task.aside)
    assert left_in(context.root) == []
