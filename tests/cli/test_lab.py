"""`ghostjob lab`: it goes on until somebody ends it, and what is deleted in it is judged."""

import json
import signal
import sys
from pathlib import Path

from simulator.verdict import Verdict
from tests.cli.command import ghostjob
from tests.cli.terminal import Terminal


def test_the_lab_goes_on_until_ctrl_c_and_then_says_how_it_went(tmp_path: Path):
    command = [sys.executable, "-P", "-m", "simulator.cli", "lab", "--devices", "2", "--out", "out"]
    command += ["--no-browser", "--page-for", "0"]
    with Terminal(command, tmp_path) as terminal:
        terminal.read_until("download 50%")
        terminal.press("d")
        terminal.read_until("fw recovered")
        terminal.process.send_signal(signal.SIGINT)
        terminal.read_until("recovery, from|nothing was removed")
        terminal.read_until("passed|INCONCLUSIVE")
        assert terminal.process.wait() in (0, 3)
    verdict = Verdict.model_validate(json.loads((tmp_path / "out" / "verdict.json").read_text()))
    assert (verdict.scenario, verdict.outcome != "failed") == ("lab", True)


def test_a_model_that_does_not_exist_is_named(tmp_path: Path):
    refused = ghostjob("lab", "--versus", "no-such", cwd=tmp_path)
    assert refused.returncode == 2
    assert "no-such" in refused.stderr
