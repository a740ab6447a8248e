"""`ghostjob run` with shipped scenarios and other device models."""

import json
import re
import subprocess
from functools import partialmethod
from importlib.metadata import version
from pathlib import Path

import pytest

from simulator.cli import drawn_anew, playing
from simulator.devices.models import MODELS
from simulator.engines.stand_ins import Crew
from simulator.scenario import load, shipped
from tests.cli.command import FAKE_TIME, complaint, ended, ghostjob

FILES = ("trace.jsonl", "verdict.json", "junit.xml", "summary.md", "report.html")


def test_the_list_names_every_scenario_that_ships_and_what_it_shows(tmp_path: Path):
    told = ghostjob("run", "--list", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in told.stdout.splitlines())
    assert lines == {name: load(name).about for name in shipped()}


def test_the_models_are_named_with_what_they_violate(tmp_path: Path):
    told = ghostjob("run", "--models", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in told.stdout.splitlines())
    assert list(lines) == list(MODELS)
    assert lines["reference"] == "correct: violates nothing"
    assert lines["hammering"] == "no-ghost-update, no-hammering"


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ([], ["  to see it      the same with --out DIR keeps the trace, and a page to look at: DIR/report.html"]),
        (["--out", "o"], ["  around it      ghostjob trace o 'device/thing-0#40'", "  as a page      o/report.html"]),
    ],
)
def test_whoever_did_not_pass_is_told_how_to_look_closer(tmp_path: Path, out: list[str], says: list[str]):
    bad = ("--model", "recovers-without-undoing", "--devices", "2", "--engine", "virtual")
    told = ghostjob("run", "delete-in-write", *bad, *out, cwd=tmp_path)
    assert last_line(told).startswith("FAILED: bootable was violated by thing-0 on job fw: is idle with ")
    assert told.stderr.splitlines()[-1 - len(says) :] == ["  what to do     ghostjob explain bootable", *says]
    assert "what that means, and what to do: ghostjob explain bootable\n" in told.stdout


def test_of_a_place_that_was_not_reached_it_is_told_where_it_is_explained(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndevices: [{group: all}]\njobs: [{id: fw, to: [all], version: '2.0'}]\n"
        "must_reach: [{place: recovered, job: fw}]\n"
    )
    told = ghostjob("run", "mine.yaml", "--engine", "virtual", "--devices", "1", cwd=tmp_path)
    assert told.returncode == 3
    assert "on 0 of 1 devices\n    what that means: ghostjob explain place.recovered\n" in told.stdout


def test_any_scenario_can_be_played_by_another_model(tmp_path: Path):
    told = ghostjob("run", "delete-in-download", "--engine", "virtual", "--model", "hammering", cwd=tmp_path)
    assert told.returncode == 1
    assert "no-hammering: thing-0: sent" in told.stdout
    assert last_line(told).startswith("FAILED: no-hammering was violated by thing-0 on job fw: sent describe fw again")


def test_a_scenario_is_played_with_as_many_devices_as_it_is_made_for(tmp_path: Path):
    told = ghostjob("run", "fleet-hinted-at-once", "--engine", "virtual", cwd=tmp_path)
    assert told.returncode == 0
    assert "all 450 devices that had to recover did" in last_line(told)


def test_a_million_devices_are_played_by_a_few_that_stand_for_all(tmp_path: Path):
    many = ("--devices", "1000000", "--stand-ins", "8", "--model", "recovers-without-undoing", "--out", "o")
    told = ghostjob("run", "--engine", "virtual", *many, cwd=tmp_path)
    assert told.returncode == 1
    assert "playing main with 1000000 devices, 8 of which play for all" in told.stderr
    assert "bootable: thing-000000 and 124999 like it: is idle with" in told.stdout
    assert last_line(told).endswith("; and 999999 more")
    verdict = json.loads((tmp_path / "o/verdict.json").read_text())
    assert verdict["devices"] == 1_000_000
    assert {each["stands_for"] for each in verdict["invariants"][0]["violations"]} == {125_000}


def test_many_that_play_do_so_in_shards_of_which_one_is_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Crew, "shards", partialmethod(Crew.shards, 8))
    many = ("--devices", "100000", "--stand-ins", "10", "--processes", "2", "--model", "recovers-without-undoing")
    wanted = ("--shard", "1", "--out", str(tmp_path / "o"))
    assert ended(["run", "delete-in-write", "--engine", "virtual", *many, *wanted]) == 1
    talk = " ".join(capfd.readouterr().err.split())
    who = "playing delete-in-write with 100000 devices, 10 of which play for all, in 2 shards"
    assert talk.startswith(f"{who}, of which number 1 is shown")
    assert "the same with --shard 0 --out DIR keeps the trace that has it" in talk
    verdict = json.loads((tmp_path / "o/verdict.json").read_text())
    assert verdict["devices"] == 100_000
    assert sum(each["stands_for"] for each in verdict["invariants"][0]["violations"]) == 100_000


def test_the_same_seed_keeps_the_same_bytes_whenever_it_is_played(tmp_path: Path):
    wanted = ("run", "delete-in-write", "--engine", "virtual", "--devices", "3", "--seed", "7", "--out", "o")
    kept: list[dict[str, bytes]] = []
    for seed, days in (("0", 0), ("1", 9000)):
        later = {"LD_PRELOAD": str(FAKE_TIME[0]), "FAKETIME": f"+{days}d"} if days and FAKE_TIME else {}
        (tmp_path / seed).mkdir()
        told = ghostjob(*wanted, cwd=tmp_path / seed, environment={"PYTHONHASHSEED": seed, **later})
        assert told.returncode == 0, told.stderr
        kept.append({each.name: each.read_bytes() for each in (tmp_path / seed / "o").iterdir()})
    assert sorted(kept[0]) == ["junit.xml", "report.html", "summary.md", "trace.jsonl", "verdict.json"]
    assert json.loads(kept[0]["verdict.json"])["started_at"] is None
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--engine", "virtual", "--shard", "1"], "--shard 1: there is none of that number; the only one is 0"),
        (["--shard", "0"], "--shard: for --engine virtual and ray, under one seed"),
        (["--processes", "2"], "--processes: for --engine virtual"),
    ],
)
def test_what_is_for_shards_is_not_for_what_has_none(wrong: list[str], told: str, capfd: pytest.CaptureFixture[str]):
    assert complaint(capfd, ["run", *wrong]).endswith(told)


def test_a_place_that_none_of_so_few_devices_is_to_reach_is_not_called_reached(tmp_path: Path):
    told = ghostjob("run", "--engine", "virtual", "--devices", "3", cwd=tmp_path)
    assert told.returncode == 0
    assert "not asked for reused-id fw-lab lab-same: none of the devices is to reach it" in told.stdout
    assert "reached reused-id fw plain-same on 1 of 1 devices" in told.stdout


DELETED_TOO_LATE = """
name: too-late
devices: [{group: all}]
jobs: [{id: fw, to: [all], version: "2.0"}]
deletions: [{job: fw, when: {status: SUCCEEDED}}]
must_reach: [{place: deleted-in-step, job: fw, step: write}]
"""


def test_a_run_that_could_not_show_it_is_inconclusive_and_says_so_in_its_code_its_last_line_and_its_file(
    tmp_path: Path,
):
    (tmp_path / "x.yaml").write_text(DELETED_TOO_LATE)
    told = ghostjob("run", "x.yaml", "--engine", "virtual", "--seed", "7", "--devices", "2", "--out", "o", cwd=tmp_path)
    assert told.returncode == 3, told.stderr
    why = "'deleted-in-step fw write' was reached by 0 of 2 devices; the first of them is thing-0 on job fw; see cloud#"
    assert last_line(told).startswith(f"INCONCLUSIVE: {why}")
    verdict = json.loads((tmp_path / "o" / "verdict.json").read_text())
    assert (verdict["outcome"], verdict["passed"]) == ("inconclusive", False)
    assert last_line(told) == f"INCONCLUSIVE: {verdict['why']}"
    named = {name: verdict[name] for name in ("scenario", "engine", "seed", "version")}
    assert named == {"scenario": "too-late", "engine": "virtual", "seed": 7, "version": version("ghostjob")}
    trace = (tmp_path / "o" / "trace.jsonl").read_text()
    shown_by = verdict["why"].rpartition("see ")[2]
    assert any(json.loads(line)["id"] == shown_by for line in trace.splitlines())


def test_the_verdict_goes_to_stdout_and_the_talk_to_stderr(tmp_path: Path):
    told = ghostjob("run", "delete-in-download", "--engine", "virtual", "--log-level", "error", cwd=tmp_path)
    assert told.returncode == 0
    assert "playing delete-in-download" in told.stderr
    assert "held" not in told.stderr
    assert "stops-in-time" in told.stdout
    assert "playing" not in told.stdout
    assert last_line(told).startswith("passed: no invariant was violated and every place was reached; all 10 devices")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("name", ["trace.jsonl", "verdict.json", "junit.xml"])
def test_a_disk_that_fills_up_ends_what_is_kept_of_a_run_and_not_the_run(tmp_path: Path, name: str):
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / f"{name}.partial").symlink_to("/dev/full")
    told = ghostjob("run", "delete-in-download", "--engine", "virtual", "--out", "o", cwd=tmp_path)
    assert last_line(told).startswith("passed: "), told.stderr
    assert told.returncode == 2
    lost = "trace.jsonl" if name == "verdict.json" else name  # the trace makes room for the verdict
    kept = [each for each in FILES if each != lost]
    said = f"ghostjob: --out o: cannot write {lost}: No space left on device; kept there: "
    last = told.stderr.splitlines()[-1]
    assert last.startswith(said)
    assert sorted(last.removeprefix(said).split(", ")) == sorted(kept)
    assert "Traceback" not in told.stderr
    assert sorted(each.name for each in (tmp_path / "o").iterdir()) == sorted(kept)


def last_line(told: subprocess.CompletedProcess[str]) -> str:
    """Of what it was asked for."""
    return told.stdout.splitlines()[-1]


@pytest.mark.parametrize("engine", ["virtual", "live"])
def test_how_far_it_is_is_told_in_lines_where_no_terminal_is(
    engine: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Also where another process judges, and nobody here looks at each entry."""
    monkeypatch.setattr(drawn_anew, "TOLD_SECONDS", 0.0)
    monkeypatch.setattr(playing, "has_judge_elsewhere", lambda _: engine == "live")
    monkeypatch.setattr(playing, "A_LOOK_IN", 5)
    assert ended(["run", "main", "--engine", engine, "--devices", "8"]) == 0
    lines = [line for line in capfd.readouterr().err.splitlines() if "are over" in line]
    assert re.fullmatch(r"0 of 16 executions that are played are over, after \d+ s", lines[0])
    assert re.fullmatch(r"1\d of 16 executions that are played are over, after \d+ s", lines[-1])
