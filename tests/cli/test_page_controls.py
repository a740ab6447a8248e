"""The buttons of a live page, pressed over HTTP as a browser does: what they do to the run behind it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from simulator.verdict import Verdict

SCENARIO = """
name: steered
devices: [{group: all}]
jobs: [{id: fw, to: [all], version: "2.0"}]
deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]
must_reach: [{place: deleted-in-step, job: fw, step: write}]
time_limit_seconds: 60
"""


class Page:
    """A page whose address was told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        self.url = next(found[0] for line in lines if (found := re.search(r"http://\S+/", line)) is not None)

    def look(self, name: str) -> Iterator[Any]:
        """A member of what is shown, as often as it changes."""
        with urlopen(f"{self.url}stream", timeout=30) as stream:
            for line in stream:
                shown = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if name in shown:
                    yield shown[name]

    def press(self, **order: object) -> str:
        """What is said to it. Raises HTTPError."""
        origin = self.url[: self.url.index("/", len("http://"))]
        headers = {"Content-Type": "application/json", "Origin": origin}
        with urlopen(Request(f"{self.url}orders", json.dumps(order).encode(), headers), timeout=30) as answer:
            return str(json.load(answer)["said"])


@contextmanager
def shown(cwd: Path, *arguments: str) -> "Iterator[tuple[subprocess.Popen[str], Page]]":
    command = [sys.executable, "-P", "-m", "simulator.cli", *arguments, "--no-table", "--page-for", "0", "--out", "out"]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, Page(process)
        finally:
            process.kill()


def verdict(cwd: Path) -> Verdict:
    return Verdict.model_validate(json.loads((cwd / "out" / "verdict.json").read_text()))


def test_a_run_that_pauses_goes_on_when_the_page_says_so(tmp_path: Path):
    (tmp_path / "s.yaml").write_text(SCENARIO)
    with shown(tmp_path, "run", "s.yaml", "--devices", "2", "--pause", "--page") as (process, page):
        stands = next(each["paused_at"] for each in page.look("controls") if each and each["paused_at"])
        assert stands == "thing-0 and 1 more are in write at 50 % of fw, which is about to be force-deleted"
        with pytest.raises(HTTPError, match=r"409"):
            page.press(do="pause")
        assert page.press(do="go") == "It goes on."
        told, _ = process.communicate(timeout=60)
    assert (process.returncode, verdict(tmp_path).outcome) == (0, "passed"), told


def test_the_lab_is_shown_and_steered_and_ended_from_its_page(tmp_path: Path):
    with shown(tmp_path, "lab", "--devices", "2", "--no-browser") as (process, page):
        next(each for each in page.look("controls") if each and any(job["job"] == "fw" for job in each["jobs"]))
        assert page.press(do="add-device", thing="guest") == "guest joins, and takes the next job."
        assert page.press(do="force-delete", job="fw") == "fw is being force-deleted."
        assert next(True for each in page.look("things") if "guest" in [thing["thing"] for thing in each])
        assert page.press(do="end") == "It ends."
        told, _ = process.communicate(timeout=60)
    assert process.returncode in (0, 3), told
    assert (verdict(tmp_path).scenario, verdict(tmp_path).devices) == ("lab", 3)
