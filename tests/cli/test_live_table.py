"""The live table on a real terminal, and the key that deletes a job now."""

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
from tests.cli.terminal import Terminal

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
        terminal.read_until("│ *fw-lab *│ *download")
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
