"""A CI's job that is cancelled, by Ctrl-C or SIGTERM: what was known by then is judged, told and kept."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.cli.options import told_of_every_end
from simulator.trace import RunEnded, read
from simulator.verdict import Verdict

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
FILES = {"trace.jsonl", "verdict.json", "junit.xml", "summary.md", "report.html"}
WAYS = [
    pytest.param(["--standard"], id="everywhere"),
    pytest.param(["--standard", "--walks", "1000000000"], id="at random"),
    pytest.param(["--standard", "--layout", "all"], id="the first of several"),
]


@contextmanager
def begun(*arguments: str, cwd: Path) -> Iterator["subprocess.Popen[str]"]:
    """The command, in a session of its own, which does not ignore Ctrl-C though whoever runs the tests may."""
    command = [sys.executable, "-P", "-m", "simulator.cli", *arguments]
    pipe = subprocess.PIPE
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, cwd=cwd, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kept(out: Path) -> Verdict:
    """What stands in the directory, whole."""
    assert {each.name for each in out.iterdir() if each.is_file()} == FILES
    return Verdict.model_validate_json((out / "verdict.json").read_text("utf-8"))


@BOTH
def test_a_run_that_is_interrupted_keeps_its_trace_and_an_inconclusive_verdict(number: signal.Signals, tmp_path: Path):
    with begun("run", "--devices", "2", "--no-table", "--pause", "--page", "--out", "out", cwd=tmp_path) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line.startswith("it stands still"))
        run.send_signal(number)
        out, err = run.communicate()
    assert run.returncode == 130
    assert out.splitlines()[-1].startswith("INCONCLUSIVE: the run was interrupted; see engine#")
    assert "report.html" in err
    verdict = kept(tmp_path / "out")
    assert verdict.outcome == "inconclusive"
    with (tmp_path / "out/trace.jsonl").open(encoding="utf-8") as lines:
        assert [each.event.why for each in read(lines) if isinstance(each.event, RunEnded)] == ["interrupted"]
    assert "the run was interrupted" in (tmp_path / "out/report.html").read_text("utf-8")


@BOTH
def test_in_virtual_time_as_well(number: signal.Signals, tmp_path: Path):
    with begun("run", "--devices", "1000", "--engine", "virtual", "--out", "out", cwd=tmp_path) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line.startswith("playing main"))
        run.send_signal(number)
        out, _ = run.communicate()
    assert run.returncode == 130
    assert out.splitlines()[-1].startswith("INCONCLUSIVE: the run was interrupted; see engine#")
    assert kept(tmp_path / "out").devices == 1000


@BOTH
def test_a_fleet_in_shards_as_well_with_all_of_its_devices(number: signal.Signals, tmp_path: Path):
    many = ("--devices", "1000000", "--stand-ins", "1100", "--processes", "2")
    with begun("run", "--engine", "virtual", *many, "--out", "out", cwd=tmp_path) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line.startswith("playing main"))
        os.killpg(run.pid, number)
        out, err = run.communicate()
    assert run.returncode == 130, err
    assert out.splitlines()[-1].startswith("INCONCLUSIVE: the run was interrupted; see engine#")
    assert kept(tmp_path / "out").devices == 1_000_000


def test_a_fleet_of_which_a_process_dies_has_no_verdict(tmp_path: Path):
    many = ("--devices", "1000000", "--stand-ins", "1100", "--processes", "2")
    with begun("run", "--engine", "virtual", *many, "--out", "out", cwd=tmp_path) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line.startswith("playing main"))
        (forked,) = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        os.kill(int(forked), signal.SIGKILL)
        out, err = run.communicate()
    assert (run.returncode, out) == (3, "")
    assert "a process that played a part of the fleet ended (killed by signal 9) before its time" in err
    assert list((tmp_path / "out").iterdir()) == []


@BOTH
@pytest.mark.parametrize("options", WAYS)
def test_a_search_that_is_interrupted_keeps_what_it_found_by_then(
    options: list[str], number: signal.Signals, tmp_path: Path
):
    with begun("explore", *options, "--out", "out", cwd=tmp_path) as search:
        assert search.stdout is not None
        next(line for line in search.stdout if line.startswith("explored is"))
        search.send_signal(number)
        out, _ = search.communicate()
    assert search.returncode == 130
    assert "an interruption" in " ".join(out.split())
    verdict = kept(tmp_path / ("out/ab" if "--layout" in options else "out"))
    assert verdict.outcome == "inconclusive"
    assert verdict.explored is not None
    assert not verdict.explored.complete
    assert "an interruption" in verdict.why


def test_who_ends_all_processes_of_a_search_has_what_they_found(tmp_path: Path):
    with begun("explore", "--standard", "--jobs", "2", "--out", "out", cwd=tmp_path) as search:
        assert search.stdout is not None
        next(line for line in search.stdout if line.startswith("explored is"))
        os.killpg(search.pid, signal.SIGTERM)
        _, err = search.communicate()
    assert search.returncode == 130
    assert "so the search is not complete" not in err, "none of them has died"
    assert kept(tmp_path / "out").outcome == "inconclusive"


def test_a_forecast_that_is_interrupted_says_that_there_is_none(tmp_path: Path):
    os.mkfifo(tmp_path / "now.json")
    asked = ("forecast", "delete-in-write", "--job-of", "now.json", "--out", "out")
    with begun(*asked, cwd=tmp_path) as forecast, (tmp_path / "now.json").open("w"):
        forecast.send_signal(signal.SIGINT)
        out, err = forecast.communicate()
    assert (forecast.returncode, out) == (130, "")
    assert err.strip() == "ghostjob: interrupted: there is no forecast, and nothing is kept"
    assert not (tmp_path / "out").exists()


@BOTH
def test_a_forecast_that_is_interrupted_leaves_no_play_behind(number: signal.Signals, tmp_path: Path):
    asked = ("forecast", "main", "--devices", "100000", "--processes", "2", "--log-level", "info")
    with begun(*asked, cwd=tmp_path) as forecast:
        assert forecast.stderr is not None
        next(line for line in forecast.stderr if "device.connected" in line)
        forecast.send_signal(number)
        forecast.communicate()
        assert forecast.returncode == 130
        with pytest.raises(ProcessLookupError):
            os.killpg(forecast.pid, 0)


@BOTH
def test_a_replay_that_is_interrupted_says_so(number: signal.Signals, tmp_path: Path):
    os.mkfifo(tmp_path / "slow.yaml")
    with begun("replay", "slow.yaml", "--out", "out", cwd=tmp_path) as replay, (tmp_path / "slow.yaml").open("w"):
        replay.send_signal(number)
        replay.wait()
    assert replay.returncode == 130


def test_who_interrupts_a_search_twice_means_it():
    with told_of_every_end() as is_interrupted:
        assert not is_interrupted()
        signal.raise_signal(signal.SIGTERM)
        assert is_interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
