"""A server, or a document, that says what no library expects: the step fails with a reason in words, or goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.causes import Cause
from agent.core.events import BeginStep, Event, StepEnded
from agent.documents import plan_of
from agent.handlers import fetching
from agent.handlers.download import Download
from agent.handlers.handler import Handler
from agent.handlers.run import Run
from agent.handlers.slots import SlotFiles
from agent.plan import Step, Unusable
from agent.values import JobDocument
from agent.workbench import HandlerWorkbench
from tests.agent.handlers.bench import FW, context_in

WAIT = 30
DIGITS = b"9" * 5000
BODY = b"x" * 100


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT_SECONDS", 0.001)


@asynccontextmanager
async def server(*answers: bytes) -> AsyncIterator[int]:
    """Answers one request after another with these bytes, and then with the last of them for ever."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def answer(status: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, *headers, b"", body))


PART = answer(b"200 OK", b"Content-Length: 100", b'ETag: "v1"', body=BODY[:10])
"""It breaks off, so that a range is asked for next."""


async def told_of(directory: Path, action: str, handler: type[Handler], **args: object) -> StepEnded:
    """How the step ends that a workbench does."""
    context, ends = context_in(directory), asyncio.Queue[Event]()
    pairs = tuple(sorted((name, str(value)) for name, value in args.items()))
    work = context.state / "work"
    bench = HandlerWorkbench({action: handler(context)}, SlotFiles(context), work, lambda _: None, ends.put_nowait)
    SlotFiles(context).booted(rebooted=True)
    bench.begin(BeginStep(FW, 0, Step(action, action, pairs, action == "download"), ""))
    async with asyncio.timeout(WAIT):
        while not isinstance(ended := await ends.get(), StepEnded):
            pass
    return ended


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((PART, answer(b"206 P", b"Content-Range: bytes 10-99/" + DIGITS)), id="a total of 5,000 digits"),
        pytest.param((PART, answer(b"206 P", b"Content-Range: bytes " + DIGITS + b"-99/*")), id="a start of as many"),
        pytest.param((PART, answer(b"206 P", "Content-Range: bytes ١٠-٩٩/١٠٠".encode())), id="digits of elsewhere"),
        pytest.param((PART, answer(b"416 R", b"Content-Range: bytes */" + DIGITS)), id="a range that is none"),
        pytest.param((answer(b"200 OK", b"Content-Length: " + DIGITS, body=BODY),), id="a length of 5,000 digits"),
        pytest.param((answer(b"200 OK", b"Content-Length: -1", body=BODY),), id="less than nothing"),
        pytest.param((answer(b"302 F", b"Location: http://[::1"),), id="a redirect to half an address"),
        pytest.param((answer(b"302 F", b"Location: https://a:" + DIGITS[:4000] + b"/"),), id="to a port of digits"),
        pytest.param((answer(b"302 F", b"Location: https://" + b"a" * 300 + b"/"),), id="to a label of 300"),
        pytest.param((answer(b"302 F", b"Location: https://\xff\xfe/"),), id="to no text"),
        pytest.param((answer(b"302 F", b"Location: https://exa%00mple/"),), id="to a NUL"),
        pytest.param((answer(b"302 F", b"Location: "),), id="to nowhere"),
        pytest.param((answer(b"99999 OK"),), id="a status of five digits"),
        pytest.param(
            (answer(b"200 OK", b"Transfer-Encoding: chunked", body=DIGITS + b"\r\n"),), id="a chunk of digits"
        ),
        pytest.param((answer(b"200 OK", b"X: " + b"y" * 200_000),), id="a header without end"),
        pytest.param((answer(b"200 OK", b"Content-Encoding: gzip", b"Content-Length: 3", body=b"abc"),), id="no gzip"),
        pytest.param((b"\0" * 1000,), id="no HTTP"),
    ],
)
async def test_what_a_server_says_is_no_crash(tmp_path: Path, answers: tuple[bytes, ...]):
    async with server(*answers) as port:
        url = f"http://127.0.0.1:{port}/f"
        ended = await told_of(tmp_path, "download", Download, url=url, to="f", size=100, sha256="0" * 64)
    assert ended.outcome == "failed"
    assert ended.cause not in ("", Cause.HANDLER_CRASHED)
    assert "crashed" not in ended.reason


@pytest.mark.parametrize("etag", [b'"\xff\xfe"', b'"a\x01b"', b'"' + b"e" * 5000 + b'"', b"no quotes"])
async def test_an_etag_that_no_header_can_carry_back_is_none(tmp_path: Path, etag: bytes):
    body = bytes(range(256))
    first = answer(b"200 OK", b"Content-Length: 256", b"ETag: " + etag, body=body[:100])
    whole = answer(b"200 OK", b"Content-Length: 256", body=body)
    async with server(first, whole) as port:
        ended = await told_of(tmp_path, "download", Download, url=f"http://127.0.0.1:{port}/f", to="f")
    assert ended.outcome in ("done", "failed")
    assert ended.cause != Cause.HANDLER_CRASHED


URLS = [
    "http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://a..b/", "http://" + "a" * 400 + "/",
    "http://\u2100.example/", "http://xn--\u00e4/", "http://user:pa@ss@:1/", "http://%00/", "http://127.0.0.1:1/%zz",
    "http://127.0.0.1:1/\x7f", "http://127.0.0.1:1/\u0130\u0131", "http://.../", "http://[v1.x]/", "http://1.1.1.1.1:1/",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS)
async def test_a_url_that_is_hardly_one_is_no_crash(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    ended = await told_of(tmp_path, "download", Download, url=url, to="f", sha256="0" * 64)
    assert ended.outcome == "failed"
    assert ended.cause not in ("", Cause.HANDLER_CRASHED)


@pytest.mark.parametrize(
    "command",
    [["echo", "a\0b"], ["ec\0ho"], ["echo", "\ud800"], ["echo", "x" * 200_000], ["x" * 5000], [""], ["/"], ["."]],
    ids=str,
)
async def test_a_command_that_no_system_can_start_is_no_crash(tmp_path: Path, command: list[str]):
    ended = await told_of(tmp_path, "run", Run, command=json.dumps(command))
    assert ended.outcome == "failed"
    assert ended.cause not in ("", Cause.HANDLER_CRASHED)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"operation": "run", "command": ["echo", "a\0b"]}, "command.1: it has a NUL"),
        ({"operation": "x.sh", "args": ["\0"]}, "args: it has a NUL"),
        ({"operation": "x.sh", "path": "/a\0b"}, "path: it has a NUL"),
        ({"operation": "download", "url": "https://a/b", "to": "d/" + "é" * 128}, "more than 255 bytes"),
        ({"operation": "download", "url": "https://a/b", "to": "f", "size": 2**63}, "size"),
        ({"operation": "configure", "to": "a\0b", "content": ""}, "to"),
        (
            {"version": "1.0", "steps": [{"action": {"name": "n", "type": "runCommand", "input": {"command": "a\0"}}}]},
            "input.command: it has a NUL",
        ),
    ],
)
def test_a_document_that_cannot_be_done_as_it_stands_is_rejected_as_it_is_read(document: object, says: str):
    plan = plan_of(JobDocument.of(document))
    assert isinstance(plan, Unusable)
    assert says in plan.reason
