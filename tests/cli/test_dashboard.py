"""`ghostjob dashboard`: the page of what another process plays, from a trace that grows meanwhile."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TypeAlias
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from agent.errors import InputError
from simulator.cli.following import Following
from simulator.cli.growing_file import GrowingFile, trace_at
from simulator.cli.report import kept
from simulator.engines.output import OutputDirectory
from simulator.page.picture import Picture
from simulator.trace import CLOUD, AccountEnded, ClientConnected, Entry, write_line
from simulator.verdict import Verdict
from tests.cli.certifying import GHOSTJOB
from tests.cli.command import ended
from tests.cli.test_page import looked
from tests.simulator.certify.played import certificate
from tests.simulator.page.samples import Run, run
from tests.simulator.page.test_certification import PASSED
from tests.within import within

SECONDS = 20.0
Watched: TypeAlias = Callable[[Path], Following]


@cache
def played() -> Run:
    return run("delete-in-write", devices=2)


def lines() -> list[str]:
    return [write_line(entry) + "\n" for entry in played().entries]


def cut_by(entries: int) -> str:
    """The beginning of the trace; its last line has yet to be finished."""
    return "".join(lines()[:entries])[:-20]


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_is_half_written_waits_for_its_rest(tmp_path: Path):
    first, second = lines()[:2]
    path = tmp_path / "trace.jsonl"
    path.write_text(first + second[:30])
    with GrowingFile(path) as file:
        assert file.lines() == [(f"{path}:1", first[:-1])]
        assert file.lines() == []
        with path.open("a") as more:
            more.write(second[30:])
        assert file.lines() == [(f"{path}:2", second[:-1])]


NO_TRACE = [
    pytest.param(b"hello", ":1: not a trace entry", id="words, without an end"),
    pytest.param(b"hello\n", "hello", id="words"),
    pytest.param(b"\x89PNG\r\n\x1a\n\0", ": not a trace entry", id="a picture"),
    pytest.param(b"{\xff}\n", ":1: not UTF-8 text", id="bytes"),
    pytest.param(b'{"a": 1}\n', ":1: not a trace entry", id="other JSON"),
]


@pytest.mark.parametrize(("content", "says"), NO_TRACE)
def test_what_is_no_trace_is_told(content: bytes, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "hello"
    path.write_bytes(content)
    assert ended(["dashboard", str(path), "--page-for", "0"]) == 2
    told = capfd.readouterr().err.splitlines()[-1]
    assert told.startswith(f"ghostjob: {path}")
    assert says in told


def test_what_is_no_file_is_told(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no file; give a trace, or the directory that has it"):
        GrowingFile(tmp_path / "pipe")


def test_the_trace_that_is_being_written_comes_before_one_that_an_earlier_play_has_left(tmp_path: Path):
    out = tmp_path / "out"
    assert trace_at(out) is None
    with OutputDirectory(out) as output:
        output.finish(None)
    assert trace_at(out) == out / "trace.jsonl"
    with OutputDirectory(out) as output:
        assert trace_at(out) == out / "trace.jsonl.partial"
        output.write(played().entries[0])
        with GrowingFile(out / "trace.jsonl.partial") as file:
            assert [line + "\n" for _, line in file.lines()] == lines()[:1], "what was written is there at once"


# ── what is made of it ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Follows a file until the test is over."""
    with ExitStack() as files:
        yield lambda path: Following(files.enter_context(GrowingFile(path)), is_left=False, say=pytest.fail)


async def test_a_run_is_followed_until_its_trace_has_its_name(tmp_path: Path, watched: Watched):
    partial = tmp_path / "trace.jsonl.partial"
    partial.write_text(cut_by(200))
    following = watched(partial)
    assert following.take_in()
    assert (following.picture.whole().title, following.picture.whole().kind) == ("delete-in-write", "run")
    with partial.open("a") as more:
        more.write("".join(lines())[len(cut_by(200)) :])
    partial.rename(tmp_path / "trace.jsonl")
    assert await within(following.until_over(), SECONDS)
    assert following.conclude() == f"passed: {played().verdict.why}"
    whole = played().picture.whole()
    assert following.picture.whole() == whole.model_copy(update={"about": following.picture.whole().about})


async def test_a_run_that_was_interrupted_is_not_taken_for_the_one_before_it(tmp_path: Path, watched: Watched):
    (tmp_path / "verdict.json").write_text(played().verdict.model_dump_json())
    (tmp_path / "certificate.json").write_text("{}")
    partial = tmp_path / "trace.jsonl.partial"
    partial.write_text("".join(lines()[:200]))
    following = watched(partial)
    partial.unlink()
    assert await within(following.until_over(), SECONDS)
    assert following.conclude().startswith("inconclusive: the run has not ended, or its trace is cut off")


async def test_of_a_cloud_it_is_over_when_it_says_so_and_who_begins_anew_is_seen(tmp_path: Path, watched: Watched):
    path = tmp_path / "cloud.jsonl"
    came = write_line(Entry(CLOUD, 1, 1.0, ClientConnected("thing-0"))) + "\n"
    path.write_text(came)
    following = watched(path)
    assert following.take_in()
    assert [thing.thing for thing in following.picture.whole().things] == ["thing-0"]
    path.write_text("")
    assert not await within(following.until_over(), SECONDS)
    path.write_text(came + write_line(Entry(CLOUD, 2, 2.0, AccountEnded())) + "\n")
    following = watched(path)
    assert await within(following.until_over(), SECONDS)
    assert following.conclude() == "nobody has judged it"
    assert following.picture.whole().state == "ended"


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "interrupted"])
async def test_a_certification_ends_with_its_certificate_and_not_with_an_earlier_one(
    is_kept: bool, tmp_path: Path, watched: Watched
):
    partial = tmp_path / "trace.jsonl.partial"
    connected = Entry(CLOUD, 1, 1.0, ClientConnected("pump-7"))
    partial.write_text(write_line(connected) + "\n" + write_line(Entry(CLOUD, 2, 2.0, AccountEnded())) + "\n")
    (tmp_path / "cells").mkdir()
    (tmp_path / "certificate.json").write_text(certificate(PASSED).model_dump_json())
    following = watched(partial)
    assert following.take_in()
    assert (following.picture.whole().kind, following.picture.whole().state) == ("certify", "running")
    if is_kept:
        partial.rename(tmp_path / "trace.jsonl")
    else:
        partial.unlink()
    assert await within(following.until_over(), SECONDS)
    assert following.conclude().startswith("passed: " if is_kept else "nobody has judged it")
    assert following.picture.whole().state == ("passed" if is_kept else "ended")


# ── the command ───────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def dashboard(*arguments: str) -> "Iterator[tuple[subprocess.Popen[str], Iterator[str]]]":
    command = (*GHOSTJOB, "dashboard", *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process, iter(process.stderr.readline, "")
        finally:
            process.kill()


def test_what_is_not_there_yet_is_waited_for_and_then_shown_until_it_is_over(tmp_path: Path):
    out = tmp_path / "out"
    with dashboard(str(out), "--page-for", "0") as (process, told):
        url = next(told).removeprefix("page: ").strip()
        assert (
            next(told) == f"{out}: there is no trace yet; it is waited for, and `ghostjob run --out {out}` writes one\n"
        )
        with OutputDirectory(out) as output:
            for entry in played().entries[:200]:
                output.write(entry)
            assert next(told) == f"{out}/trace.jsonl.partial: shows what is in it, and what comes\n"
            next(page for _, page in looked(url) if len(page.get("things", ())) == 2)
            order = Request(f"{url}orders", json.dumps({"do": "end"}).encode(), {"Content-Type": "application/json"})
            with pytest.raises(HTTPError, match="409"):
                urlopen(order, timeout=SECONDS)
            for entry in played().entries[200:]:
                output.write(entry)
            output.finish(played().verdict)
        assert list(told) == [f"it is over: passed: {played().verdict.why}\n"]
        assert process.wait(SECONDS) == 0


def test_a_play_that_begins_where_one_is_over_is_shown_and_ctrl_c_ends_it(tmp_path: Path):
    out = tmp_path / "out"
    with OutputDirectory(out) as output:
        for entry in played().entries:
            output.write(entry)
        output.finish(played().verdict)
    with dashboard(str(out)) as (process, told):
        url = next(told).removeprefix("page: ").strip()
        assert [next(told) for _ in range(3)] == [
            f"{out}/trace.jsonl: shows what is in it\n",
            f"it is over: passed: {played().verdict.why}\n",
            "the page stays up until Ctrl-C\n",
        ]
        assert next(page for _, page in looked(url))["state"] == "passed"
        with OutputDirectory(out) as output:
            output.write(played().entries[0])
            assert next(told) == f"{out}/trace.jsonl.partial: shows what is in it, and what comes\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) == 0


def test_a_picture_may_learn_later_what_it_is_of():
    picture = Picture("cloud.jsonl", "", "cloud")
    picture.named("main", "what it shows", "run")
    whole = picture.whole()
    assert (whole.title, whole.about, whole.kind) == ("main", "what it shows", "run")


def test_a_path_that_no_file_can_have_is_refused():
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        trace_at(Path("a" * 300))


def test_a_verdict_that_is_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "verdict.json")
    assert kept(tmp_path / "verdict.json", Verdict) is None
