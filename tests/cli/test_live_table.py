"""The live table on a real terminal, and the key that deletes a job now."""

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console

from agent.device_events import ExecutionTaken, PhaseChanged, StepProgressed
from agent.values import ExecutionKey
from simulator.report.live_table import LiveTable
from simulator.trace import Entry
from tests.cli.command import ghostjob

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


class Terminal:
    """A pseudo-terminal of a size that holds the table; `seen` is everything that was drawn."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        self.descriptor, theirs = pty.openpty()
        os.environ.setdefault("TERM", "xterm")
        environment = os.environ | {"COLUMNS": "120", "LINES": "40"}
        self.process = subprocess.Popen(command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        self.seen = ""

    def read_until(self, pattern: str) -> None:
        """Read until some line that was drawn matches."""
        while not re.search(pattern, self.seen):
            try:
                self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended before {pattern!r} was drawn: {self.seen[-2000:]}") from None

    def press(self, key: str) -> None:
        os.write(self.descriptor, key.encode())


def test_the_table_shows_the_devices_and_keys_delete_jobs(tmp_path: Path):
    (tmp_path / "s.yaml").write_text(SCENARIO)
    terminal = Terminal([sys.executable, "-P", "-m", "simulator.cli", "run", "s.yaml", "--devices", "4"], tmp_path)
    try:
        terminal.read_until(r"\[2\] fw-lab")
        for word in ("thing-0", "default", "lab", "delete now"):
            assert word in terminal.seen
        terminal.read_until("│ *fw-lab *│ *download")
        terminal.press("2")
        terminal.read_until("deleting fw-lab: somebody pressed its key")
        terminal.read_until("fw-lab recovered")
        terminal.press("d")
        terminal.read_until("deleting fw: somebody pressed its key")
        terminal.read_until("passed")
        assert terminal.process.wait(30) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.descriptor)


def test_a_command_in_the_background_draws_no_table(tmp_path: Path):
    asks = f"'{sys.executable}' -c 'from simulator.cli.screen import *; print(has_the_terminal())'"
    on_a_terminal = f"import pty; pty.spawn(['bash', '-c', {f'set -m; {asks}; {asks} & wait'!r}])"
    command = [sys.executable, "-c", on_a_terminal]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert re.findall("True|False", told.stdout) == ["True", "False"]


def test_at_80_columns_the_table_still_says_what_a_device_knows():
    table = LiveTable("main", {"thing-0": "lab", "thing-1": None})
    for event in (
        ExecutionTaken(ExecutionKey("lab", "fw-lab", 1, 0)),
        PhaseChanged("executing", "idle"),
        StepProgressed(ExecutionKey("lab", "fw-lab", 1, 0), "self-test", 100),
    ):
        table.feed(Entry("device/thing-0", 1, 0, event))
    console = Console(width=80, record=True, file=StringIO())
    console.print(table)
    shown = console.export_text()
    assert re.search("│lab +│executing +│fw-lab +│self-test 100% +│it is its own +│", shown), shown


def test_where_nobody_is_in_a_namespace_there_is_no_column_for_it():
    console = Console(width=80, record=True, file=StringIO())
    console.print(LiveTable("main", {"thing-0": None}))
    assert "namespace" not in console.export_text()


def test_a_run_that_pauses_stands_still_until_a_key_lets_it_go_on(tmp_path: Path):
    deletion = "deletions: [{job: fw, when: {step: download, progress: 50}, hold: true}]\n"
    (tmp_path / "s.yaml").write_text(SCENARIO.replace("download: 20", "download: 0.1") + deletion)
    command = [sys.executable, "-P", "-m", "simulator.cli", "run", "s.yaml", "--devices", "2", "--pause"]
    terminal = Terminal(command, tmp_path)
    try:
        terminal.read_until(r"\[g\] lets it go on: thing-0 is in download at 50 % of fw, which is about to be force-de")
        assert "DELETION_IN_PROGRESS" not in terminal.seen
        terminal.press("g")
        terminal.read_until("passed")
        assert terminal.process.wait() == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.descriptor)


def test_nobody_is_left_to_wait_where_there_is_no_key_to_press(tmp_path: Path):
    refused = ghostjob("run", "--pause", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--pause: nobody could let it go on" in refused.stderr
