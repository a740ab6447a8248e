"""The live table on a real terminal, and the key that deletes a job now."""

import asyncio
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from simulator.cli.screen import has_the_terminal, on_screen
from simulator.report.live_table import LiveTable
from tests.cli.command import ghostjob
from tests.cli.terminal import Terminal

CLEARED = "\x1b[2J"
SCENARIO = """
name: by-hand
about: nothing is deleted unless somebody presses a key
devices: [{group: all}, {group: lab, namespace: lab}]
jobs:
  - {id: fw, to: [all], version: "2.0"}
  - {id: fw-lab, to: [lab], namespace: lab, version: "2.0"}
hardware: {download: 20}
time_limit_seconds: 60
"""


def test_the_table_shows_the_devices_and_keys_delete_jobs(tmp_path: Path):
    (tmp_path / "s.yaml").write_text(SCENARIO)
    command = [sys.executable, "-P", "-m", "simulator.cli", "run", "s.yaml", "--devices", "4"]
    with Terminal(command, tmp_path) as terminal:
        terminal.read_until(r"\[2\] fw-lab")
        for word in ("thing-0", "default", "lab", "delete now"):
            assert word in terminal.seen
        terminal.read_until(r"lab +\S*executing *\S* +fw-lab +download")
        terminal.press("2")
        terminal.read_until("deleting fw-lab: somebody pressed its key")
        terminal.read_until("fw-lab recovered")
        terminal.press("d")
        terminal.read_until("deleting fw: somebody pressed its key")
        terminal.read_until("passed")
        assert terminal.process.wait(30) == 0


def test_a_command_in_the_background_draws_no_table(tmp_path: Path):
    asks = f"'{sys.executable}' -c 'from simulator.cli.screen import *; print(has_the_terminal())'"
    on_a_terminal = f"import pty; pty.spawn(['bash', '-c', {f'set -m; {asks}; {asks} & wait'!r}])"
    command = [sys.executable, "-c", on_a_terminal]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert re.findall("True|False", told.stdout) == ["True", "False"]


def test_a_terminal_that_cannot_be_drawn_over_gets_no_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setenv("TERM", "dumb")
    assert not has_the_terminal()


class Drawn(StringIO):
    """What was drawn; `more` is set with each piece."""

    def __init__(self) -> None:
        super().__init__()
        self.more = asyncio.Event()

    def write(self, text: str, /) -> int:
        self.more.set()
        return super().write(text)

    async def until(self, text: str) -> None:
        async with asyncio.timeout(20):
            while text not in self.getvalue():
                self.more.clear()
                await self.more.wait()


async def test_a_table_begins_anew_on_a_terminal_whose_width_has_changed():
    drawn = Drawn()
    console = Console(file=drawn, force_terminal=True, width=100, height=24, _environ={"TERM": "xterm"})
    async with on_screen(LiveTable("main", {"thing-0": "lab"}), shows=True, console=console):
        await drawn.until("namespace")
        assert CLEARED not in drawn.getvalue()
        console.width = 70
        await drawn.until(CLEARED)
    assert "namespace" not in drawn.getvalue().partition(CLEARED)[2]


def test_a_run_that_pauses_stands_still_until_a_key_lets_it_go_on(tmp_path: Path):
    deletion = "deletions: [{job: fw, when: {step: download, progress: 50}, hold: true}]\n"
    (tmp_path / "s.yaml").write_text(SCENARIO.replace("download: 20", "download: 0.1") + deletion)
    command = [sys.executable, "-P", "-m", "simulator.cli", "run", "s.yaml", "--devices", "2", "--pause"]
    with Terminal(command, tmp_path) as terminal:
        terminal.read_until(r"\[g\] lets it go on: thing-0 is in download at 50 % of fw, which is about to be force-de")
        assert "DELETION_IN_PROGRESS" not in terminal.seen
        terminal.press("g")
        terminal.read_until("passed")
        assert terminal.process.wait() == 0


def test_nobody_is_left_to_wait_where_there_is_no_key_to_press(tmp_path: Path):
    refused = ghostjob("run", "--pause", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--pause: nobody could let it go on" in refused.stderr
