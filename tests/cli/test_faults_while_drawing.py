"""A fault of ghostjob's own while it draws costs the page alone: never a trace, a verdict, an exit code or a play."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.own_fault import TO_REPORT
from tests.cli.certifying import device
from tests.cli.command import ended
from tests.cli.faulty import FAULTS, fail
from tests.cli.test_page import SECONDS, looked

BAD = ("delete-in-write", "--engine", "virtual", "--devices", "2", "--model", "recovers-without-undoing")
REST = ["junit.xml", "summary.md", "trace.jsonl", "verdict.json"]
LIVE = ("delete-in-write", "--devices", "2", "--no-table", "--page", "--page-for", "0")
STOPPED = "ghostjob: the page stopped, as ghostjob itself failed: KeyError: 'fw-3' ("

NOT_MADE = "ghostjob: out/report.html: not made, as ghostjob itself failed: KeyError: 'fw-3' (simulator/"


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def told(err: str) -> list[str]:
    """What ghostjob says of its faults."""
    assert "Traceback" not in err, err
    return [line for line in err.splitlines() if "ghostjob itself failed" in line]


def faulty(fault: str, *arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    command = (sys.executable, "-m", "tests.cli.faulty", fault, *arguments)
    root = str(Path(__file__).parents[2])
    pipe = subprocess.PIPE
    return subprocess.Popen(
        ("env", f"PYTHONPATH={root}", *command), cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_keeps_all_but_its_report(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/report.html").write_text("of an older run")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(*FAULTS[fault], fail)
    assert ended(["run", *BAD, "--out", "out"]) == 1
    said = capfd.readouterr()
    assert said.out.splitlines()[-1].startswith("FAILED: ")
    assert names(tmp_path / "out") == REST
    (line,) = told(said.err)
    assert line.startswith(NOT_MADE)
    assert "; `ghostjob report out` tries again; please report it, with the trace; " in line
    assert "as a page" not in said.err
    assert ended(["report", "out"]) == 70
    (line,) = told(capfd.readouterr().err)
    assert line.startswith(NOT_MADE)
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert ended(["report", "out"]) == 0
    assert "report.html" in names(tmp_path / "out")


def test_any_other_file_that_cannot_be_made_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("simulator.cli.playing.junit_of_run", fail)
    assert ended(["run", *BAD, "--out", str(tmp_path)]) == 1
    (line,) = told(capfd.readouterr().err)
    assert "/junit.xml: not made" in line
    assert "tries again" not in line
    assert names(tmp_path) == ["report.html", "summary.md", "trace.jsonl", "verdict.json"]


def test_the_traceback_is_there_for_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    assert ended(["run", *BAD, "--out", str(tmp_path)]) == 1
    capfd.readouterr()
    monkeypatch.setattr(*FAULTS["fold"], fail)
    assert ended(["report", str(tmp_path), "--log-level", "debug"]) == 70
    err = capfd.readouterr().err
    assert "fault.contained" in err
    assert "Traceback" in err
    assert "in fail" in err
    assert TO_REPORT in err


TABLE = "ghostjob: the table stopped, as ghostjob itself failed: KeyError: 'fw-3' ("
LAST = "ghostjob: what happened last is lost, as ghostjob itself failed: KeyError: 'fw-3' ("


def test_what_is_kept_for_the_verdict_is_lost_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("simulator.report.recent.thing_of", fail)
    assert ended(["run", *BAD, "--out", str(tmp_path)]) == 1
    said = capfd.readouterr()
    assert said.out.splitlines()[-1].startswith("FAILED: ")
    (line,) = told(said.err)
    assert line.startswith(LAST)
    assert line.endswith(TO_REPORT)
    assert names(tmp_path) == ["junit.xml", "report.html", "summary.md", "trace.jsonl", "verdict.json"]


def test_a_table_stops_and_the_run_does_not(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.setattr("simulator.report.live_table.LiveTable._feed_row", fail)
    assert ended(["run", "delete-in-write", "--devices", "2", "--table"]) == 0
    said = capfd.readouterr()
    assert said.out.splitlines()[-1].startswith("passed: ")
    (line,) = (line for line in told(said.err) if line.startswith("ghostjob: "))
    assert line.startswith(TABLE)
    assert line.endswith(TO_REPORT)
    assert "The table stopped here: ghostjob itself failed while drawing it." in " ".join(said.err.split())


def test_a_live_page_stops_and_the_run_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(*FAULTS["fold"], fail)
    assert ended(["run", *LIVE, "--out", str(tmp_path)]) == 0
    said = capfd.readouterr()
    assert said.out.splitlines()[-1].startswith("passed: ")
    assert names(tmp_path) == REST
    stopped, unmade = told(said.err)
    assert stopped.startswith(STOPPED)
    assert stopped.endswith("; all else goes on; " + TO_REPORT)
    assert "report.html: not made" in unmade


def test_the_page_of_a_cloud_says_that_it_has_stopped_and_the_cloud_goes_on(tmp_path: Path):
    ports = ("--api-port", "0", "--mqtt-port", "0", "--page", "--until-stdin-closes", "--ready-file", "-")
    with faulty("drawing", "cloud", *ports, cwd=tmp_path) as cloud:
        assert cloud.stdout is not None
        endpoints = json.loads(cloud.stdout.readline())
        event, page = next(looked(endpoints["page"]))
        out, err = cloud.communicate(timeout=SECONDS)
    assert (cloud.returncode, out) == (0, "")
    assert (event, page["state"]) == ("whole", "undrawn")
    assert page["sentence"] == "The page stopped here: ghostjob itself failed while drawing it. All else goes on."
    assert [line.startswith(STOPPED) for line in told(err)] == [True]


def test_a_certification_goes_on_to_its_certificate(tmp_path: Path):
    options = ("--only", "taking/calm", "--page", "--page-for", "0", "--out", "out")
    with faulty("fold", "certify", *options, "--", *device(), cwd=tmp_path) as certify:
        out, err = certify.communicate(timeout=2 * SECONDS)
    assert certify.returncode == 0, err
    assert out.splitlines()[-1] == "passed: 1 of 1 cell passed"
    assert json.loads((tmp_path / "out/certificate.json").read_text())["outcome"] == "passed"
    assert names(tmp_path / "out") == ["cells", "certificate.json", "junit.xml", "summary.md", "trace.jsonl"]
    lines = told(err)
    assert lines[0].startswith(STOPPED)
    assert len([line for line in lines if "report.html: not made" in line]) == 1
