"""`--page` from outside: where the page is, what it shows while it happens and in the end, and how long it stays."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.certify.matrix import QUICK
from tests.cli.certifying import GHOSTJOB, Certifying, device
from tests.cli.command import ended

QUICKLY = ("--devices", "2", "--no-table", "--page")
SECONDS = 30.0


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command with a page, and the page's address."""
    command = (*GHOSTJOB, *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            yield process, _line(process.stderr.fileno()).removeprefix("page: ").strip()
        finally:
            if process.poll() is None:
                process.kill()


def _line(file: int) -> str:
    """Its next line, and not a byte more: what a buffer kept, `communicate` would not see."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(file, 1)):
        line += byte
    return line.decode()


def looked(url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a looker gets."""
    until = time.monotonic() + SECONDS
    with urllib.request.urlopen(f"{url}stream", timeout=SECONDS) as stream:
        name = ""
        for line in stream:
            assert time.monotonic() < until, "it does not come"
            if line.startswith(b"event: "):
                name = line.decode().removeprefix("event: ").strip()
            elif line.startswith(b"data: "):
                yield name, json.loads(line.removeprefix(b"data: "))


def until_it_is_over(url: str) -> dict[str, Any]:
    """The page as it is then, as its news make it."""
    page: dict[str, Any] = {}
    for name, told in looked(url):
        page = told if name == "whole" else page | told
        if page["state"] in ("passed", "failed", "inconclusive"):
            return page
    raise AssertionError(f"the page ended, and showed {page.get('state')}")


def test_the_page_shows_the_verdict_and_stays_until_it_is_interrupted():
    with started("run", "delete-in-write", *QUICKLY) as (process, url):
        page = until_it_is_over(url)
        assert page["sentence"].startswith("Passed: ")
        assert [thing["thing"] for thing in page["things"]] == ["thing-0", "thing-1"]
        assert page["is_over"]
        assert process.poll() is None
        assert next(looked(url))[1]["sentence"] == page["sentence"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "the page stays up until Ctrl-C" in err
    assert "whoever" not in err.lower()
    assert out.strip().splitlines()[-1].startswith("passed: ")


def test_for_scripts_it_stays_as_long_as_they_say_with_the_exit_code_of_the_verdict(tmp_path: Path):
    bad = ("--model", "recovers-without-undoing", "--out", str(tmp_path))
    elsewhere = ("--page-for", "0", "--page-host", "0.0.0.0")
    with started("run", "delete-in-write", *QUICKLY, *bad, *elsewhere) as (process, url):
        here = urlsplit(url)
        events = list(looked(here._replace(netloc=f"127.0.0.1:{here.port}").geturl()))
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert events[0][0] == "whole"
    assert any(told.get("state") == "failed" for _, told in events)
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert verdict["outcome"] == "failed"
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(verdict["started_at"]) < timedelta(hours=1)
    assert "delete-in-write" in (tmp_path / "report.html").read_text("utf-8")
    assert "Whoever has this address may look, and press its buttons; nothing is encrypted" in err


def test_a_cloud_shows_who_comes_by_and_that_it_has_ended_and_tells_scripts_where(tmp_path: Path):
    ready = tmp_path / "ready"
    ports = ("--api-port", "0", "--mqtt-port", "0", "--ready-file", str(ready))
    with started("cloud", *ports, "--page") as (process, url):
        assert process.stderr
        assert any(line.startswith("Ctrl-C") for line in process.stderr)
        endpoints = json.loads(ready.read_text())
        assert endpoints["page"] == url
        fleet = (*GHOSTJOB, "fleet", "--endpoint", endpoints["mqtt"], "--devices", "2", "--no-table")
        with subprocess.Popen(fleet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as devices:
            page: dict[str, Any] = {}
            states = []
            for name, told in looked(url):
                page = told if name == "whole" else page | told
                if len(page["things"]) == 2 and "running" not in states:
                    devices.terminate()
                    process.send_signal(signal.SIGINT)
                states.append(page["state"])
        assert (page["kind"], page["state"], page["is_over"]) == ("cloud", "ended", True)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_a_certification_fills_its_matrix_in(tmp_path: Path):
    wanted = [cell.id for cell in QUICK[:2]]
    only = [word for cell in wanted for word in ("--only", cell)]
    with Certifying(tmp_path, *only, "--json", "--page", "--page-for", "0", command=device()) as certify:
        url = certify.until("page")["url"]
        seen: list[tuple[str, list[str]]] = []
        for name, told in looked(url):
            if (matrix := told.get("matrix")) is not None:
                assert [cell["id"] for cell in matrix["cells"]] == wanted
                seen.append((name, [cell["outcome"] for cell in matrix["cells"]]))
        code, _, err = certify.end()
    assert (code, seen[0][1], seen[-1][1]) == (0, ["pending", "pending"], ["passed", "passed"])
    assert ["passed", "pending"] in [outcomes for _, outcomes in seen]
    assert f"page: {url}" in err


BAD = [
    pytest.param(("run", "--page-port", "0"), "--page-port: there is no page; give --page as well", id="port"),
    pytest.param(("run", "--page-for", "3"), "--page-for: there is no page; give --page as well", id="time"),
    pytest.param(("cloud", "--page-host", "::1"), "--page-host: there is no page; give --page as well", id="host"),
    pytest.param(("run", "--engine", "virtual", "--page"), "--page: nobody can watch virtual time", id="virtual"),
    pytest.param(("run", "--page", "--page-host", "no such host"), "--page-host no such host: ", id="no host"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD)
def test_what_cannot_be_is_said(arguments: tuple[str, ...], says: str, capfd: pytest.CaptureFixture[str]):
    assert ended(list(arguments)) == 2
    assert says in capfd.readouterr().err
