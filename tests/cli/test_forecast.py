"""`ghostjob forecast`, as somebody meets it at a terminal."""

import json
import re
from pathlib import Path

import pytest

from simulator.cli import drawn_anew
from simulator.forecast import standing
from simulator.forecast.model import Forecast
from tests.cli.command import complaint, ended, ghostjob
from tests.simulator.forecast.test_executions import NOW, summary, written
from tests.simulator.page.test_offline import Elements
from tests.simulator.test_schemas import problems

COLUMNS, LINES = 80, 24
FEW = ("--devices", "4", "--seeds", "1")
ROLLOUT = """
name: rollout
devices:
  - {group: two-slots, reports: steps}
  - {group: one-slot, layout: single, reports: steps}
jobs:
  - {id: fw, to: [two-slots, one-slot], version: "2.0"}
  - {id: fw-next, to: [two-slots], version: "2.1", after: {deletion_of: fw}}
hardware: {download: 60, write: 40, boot: 15, self_test: 10, undo: 5}
time_limit_seconds: 900
"""
FLEET = (
    *(summary(f"done-{number}", "SUCCEEDED", startedAt=NOW - 200, lastUpdatedAt=NOW) for number in range(5)),
    *(summary(f"busy-{number}", "IN_PROGRESS", startedAt=NOW - 20 - number * 10) for number in range(8)),
    summary("late", "IN_PROGRESS", startedAt=NOW - 5000),
    *(summary(f"next-{number}", "QUEUED") for number in range(6)),
)


def made(capfd: pytest.CaptureFixture[str], *arguments: str) -> Forecast:
    """What it prints as JSON, which is what its schema says."""
    assert ended(["forecast", *arguments, "--json"]) == 0
    text = capfd.readouterr().out
    assert problems("forecast", json.loads(text)) == []
    return Forecast.model_validate_json(text)


@pytest.fixture
def rollout(tmp_path: Path) -> str:
    path = tmp_path / "rollout.yaml"
    path.write_text(ROLLOUT, "utf-8")
    return str(path)


def test_the_answer_fits_on_a_page_of_a_terminal(capfd: pytest.CaptureFixture[str]):
    assert ended(["forecast", "main", *FEW]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS
    assert lines[0] == "main: delete fw, fw-lab now (all at write 50 %)?"
    assert lines[1] == "4 devices: 4 write; 0 past no return"
    ways = [line[:16].strip() for line in lines[5:10]]
    assert ways == ["wait", "cancel", "cancel --force", "delete --force", "waves of 1"]
    assert any(line.startswith("To stop it, cancel --force, not delete: it keeps 4 records that") for line in lines)
    assert not any(line.startswith(("%", "s ", "min ")) for line in lines), "a number stands beside its unit"


def test_what_each_way_comes_to(capfd: pytest.CaptureFixture[str]):
    told = made(capfd, "main", *FEW)
    wait, cancel, cancel_force, delete, waves = told.alternatives
    assert (told.played, told.scaled, told.now.devices) == (4, (), 4)
    assert [each.records.middle for each in told.alternatives] == [0, 0, 0, 4, 4]
    assert [each.undone.middle for each in (wait, cancel, cancel_force, delete)] == [0, 0, 4, 4]
    assert [each.never_healthy.high for each in told.alternatives] == [0] * 5
    assert [each.deleted_seconds for each in (wait, cancel, cancel_force)] == [None] * 3
    assert delete.deleted_seconds is not None
    assert delete.deleted_seconds.middle == pytest.approx(3.002, abs=0.05)
    assert (delete.healthy_p50.middle or 9) < (wait.healthy_p50.middle or 0)
    assert (waves.things_at_once, waves.pause_seconds) == (1, 30.0)
    for each in told.alternatives:
        assert [point.middle for point in each.healthy_curve] == sorted(point.middle for point in each.healthy_curve)
        assert each.healthy_curve[-1].low == 1.0


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed_and_however_many_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told = []
    for number in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", number)
        out = tmp_path / number
        asked = ("fleet-hinted-at-once", *FEW, "--seeds", "2", "--processes", number, "--out", str(out))
        done = ghostjob("forecast", *asked, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        told.append((done.stdout, *((out / name).read_bytes() for name in ("forecast.json", "forecast.html"))))
    assert told[0] == told[1]


def test_another_seed_is_another_forecast(capfd: pytest.CaptureFixture[str]):
    assert made(capfd, "main", *FEW) != made(capfd, "main", *FEW, "--seed", "7")


def test_a_sample_stands_for_a_fleet(capfd: pytest.CaptureFixture[str]):
    told = made(capfd, "main", "--devices", "400", "--sample", "8", "--seeds", "1")
    assert (told.played, told.now.devices) == (8, 400)
    assert told.scaled
    assert any("AWS does not tell" in each for each in told.assumptions)
    assert not any("--sample" in each for each in told.assumptions)
    assert sum(place.devices for place in told.now.places) == 400
    delete = told.alternatives[3]
    assert delete.records.middle == 400
    assert delete.deleted_seconds is not None
    assert delete.deleted_seconds.middle == pytest.approx(3.2, abs=0.1), "0.001 s for each of the fleet's"


def test_a_job_whose_executions_went_in_a_wave_is_soon_gone(capfd: pytest.CaptureFixture[str]):
    fleet = ("--devices", "400", "--sample", "8", "--seeds", "1", "--deletion-seconds-per-execution", "1")
    at_once = ("--wave", "400", "--pause", "0", "--operations-per-second", "1000")
    told = made(capfd, "main", *fleet, *at_once)
    gone = [each.deleted_seconds and each.deleted_seconds.middle for each in told.alternatives[3:]]
    assert gone == [pytest.approx(203, abs=0.5), pytest.approx(3.4, abs=0.5)]


def test_a_sample_that_is_too_coarse_for_the_quota_is_told(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(standing, "MOST_PLAYED", 8)
    told = made(capfd, "main", "--devices", "80", "--sample", "4", "--seeds", "1", "--requests-per-second", "20")
    assert told.played == 8
    assert any("through in 0.5 s, and a few at once" in each for each in told.assumptions)


def test_a_quota_that_is_too_small_is_told(capfd: pytest.CaptureFixture[str]):
    told = made(capfd, "main", *FEW, "--requests-per-second", "2", "--operations-per-second", "100")
    delete = told.alternatives[3]
    assert told.quotas.requests_per_second == 2
    assert not delete.is_within_quotas
    assert (delete.throttled.middle or 0) > 0
    assert not told.waves.is_within_quotas
    kept, gone = told.recommendation.split("; if they must go, ")
    for told_of in (kept, gone):
        assert "requests a second where the quota is 2" in told_of


def test_the_largest_wave_that_stays_within_the_quotas_is_found(rollout: str, capfd: pytest.CaptureFixture[str]):
    fleet = (rollout, "--devices", "32", "--seeds", "1", "--per-minute", "60", "--at", "40")
    told = made(capfd, *fleet, "--requests-per-second", "20", "--operations-per-second", "1000")
    tried = [(each.things, each.is_within_quotas) for each in told.waves.tried]
    assert tried == [(32, False), (16, True)]
    assert (told.waves.largest, told.waves.is_any, told.waves.is_within_quotas) == (16, False, True)
    assert told.alternatives[4].is_within_quotas
    assert "waves of 4: 90 % are healthy within" in told.recommendation


def test_waves_take_as_long_as_the_control_plane_lets_them(capfd: pytest.CaptureFixture[str]):
    slow = ("--wave", "2", "--pause", "10", "--operations-per-second", "0.5", "--deletion-seconds", "0")
    waves = made(capfd, "main", *FEW, *slow).alternatives[4]
    assert waves.deleted_seconds is not None
    assert waves.deleted_seconds.middle is not None
    assert waves.words == "waves of 2"
    assert waves.deleted_seconds.middle < 14, "who has ended by himself meanwhile is in no wave"
    assert (waves.undone.middle or 0) >= 1


def test_devices_that_do_not_recover_are_a_reason_to_wait(capfd: pytest.CaptureFixture[str]):
    told = made(capfd, "delete-in-write", *FEW, "--model", "recovers-without-undoing")
    wait, _, cancel_force, delete, _ = told.alternatives
    assert [each.never_healthy.high for each in (wait, cancel_force, delete)] == [0, 4, 4]
    assert delete.healthy_p50.middle is None
    assert told.recommendation.startswith("Wait: whatever stops it now leaves at least 1 device SAFE, ")
    assert "while waiting leaves 0, and 90 % are healthy within" in told.recommendation


def test_the_jobs_that_come_afterwards_are_left_out_unless_they_are_wanted(capfd: pytest.CaptureFixture[str]):
    without, with_them = made(capfd, "main", *FEW), made(capfd, "main", *FEW, "--next")
    of = [each.alternatives[3] for each in (without, with_them)]
    assert (of[0].writes_peak.middle or 0) < (of[1].writes_peak.middle or 0)


def test_a_rollout_is_pressed_in_its_middle(rollout: str, capfd: pytest.CaptureFixture[str]):
    few = ("--devices", "30", "--seeds", "1", "--per-minute", "10", "--at", "90")
    now = made(capfd, rollout, *few).now
    there = {place.where: place.devices for place in now.places}
    assert there["QUEUED"] == 15
    assert {"download", "write"} <= set(there)
    assert now.why == "90 s after its creation"


def test_a_fleet_stands_as_it_is_listed(rollout: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    told = made(capfd, rollout, "--job-of", str(written(tmp_path, *FLEET)), "--seeds", "1")
    there = {place.where: place.devices for place in told.now.places}
    assert (told.now.devices, told.now.ended, told.now.overdue) == (20, {"SUCCEEDED": 5}, 1)
    assert there["QUEUED"] == 6
    assert there["download"] >= 4, "those of 20 to 50 seconds"
    assert there["write"] >= 3, "those of 70 to 90"
    assert told.alternatives[3].records.middle == 20
    assert any("1 are IN_PROGRESS for longer" in each for each in told.assumptions)


def test_the_page_is_one_file_that_asks_for_nothing(tmp_path: Path):
    assert ended(["forecast", "main", *FEW, "--out", str(tmp_path / "out")]) == 0
    html = (tmp_path / "out" / "forecast.html").read_text("utf-8")
    page = Elements(html)
    assert (page.scripts, page.asked) == ([], [])
    assert page.policy.startswith("default-src 'none'")
    assert html.count("<polyline") == 5 + 5 * 3, "all ways together, and healthy, reads and writes of each"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param(("no-such",), "no-such: no such file, and no shipped scenario", id="no scenario"),
        pytest.param(("delete-in-write", "--job", "x"), "--job x: ", id="no such job"),
        pytest.param(("main", "--job-of", "none.json"), "--job-of none.json: cannot read it", id="no list"),
        pytest.param(("main", "--job-of", "x", "--job-id", "fw"), "--job-of, --job-id: give one", id="two lists"),
        pytest.param(("main", "--job-of", "x", "--at", "3"), "--at: the list", id="a list and an instant"),
        pytest.param(("main", "--as-of", "now"), "--as-of: it says when a list was made", id="as of nothing"),
        pytest.param(("main", "--as-of", "soon", "--job-id", "x"), "is no time", id="no time"),
        pytest.param(("main", "--model", "x"), "model", id="no such model"),
        pytest.param(("main", "--devices", "0"), "--devices", id="no devices"),
        pytest.param(("main", "--per-minute", "nan"), "--per-minute: 'nan' is no number", id="no pace"),
        pytest.param(("main", "--operations-per-second", "1e-9"), "give a number from 0.01 to 1e+06", id="no quota"),
        pytest.param(("main", "--job-id", "fw", "--endpoint-url", "http://127.0.0.1:1"), "127.0.0.1:1", id="nobody"),
        pytest.param(("main", "--job-id", "fw", "--endpoint-url", "nonsense"), "nonsense", id="no URL"),
        pytest.param(
            ("bad-hash", "--devices", "1"), "it does not say when to delete fw, fw-next; give --at", id="no instant"
        ),
    ],
)
def test_bad_input_is_said_in_one_line(
    arguments: tuple[str, ...],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    assert why in complaint(capfd, ["forecast", *arguments])


def test_a_list_is_of_one_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, *FLEET)
    assert "say with --job which one" in complaint(capfd, ["forecast", "main", "--job-of", str(path)])


def test_a_pace_at_which_it_takes_for_ever_is_said(rollout: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    pace = ("--devices", "4", "--at", "10", "--per-minute", "0.001")
    assert "the last device begins 50 h after the pressing" in complaint(capfd, ["forecast", rollout, *pace])
    began = (summary(name, "IN_PROGRESS", startedAt=NOW - ago) for name, ago in (("first", 200_000), ("second", 0)))
    path = written(tmp_path, *began, summary("third", "QUEUED"))
    assert "give a larger one" in complaint(capfd, ["forecast", rollout, "--job-of", str(path)])


def test_an_instant_that_never_comes_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    path = tmp_path / "never.yaml"
    never = "deletions: [{job: fw, when: {step: run}}]\n"
    path.write_text(ROLLOUT + never, "utf-8")
    told = complaint(capfd, ["forecast", str(path), "--devices", "2"])
    assert "the instant to press at never comes" in told
    assert "--at SECONDS" in told


def test_where_it_cannot_be_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("", "utf-8")
    told = complaint(capfd, ["forecast", "main", "--devices", "1", "--seeds", "1", "--out", str(tmp_path / "file")])
    assert "cannot write there" in told


def test_how_far_it_is_is_told_from_the_first_play_on_where_no_terminal_is(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drawn_anew, "TOLD_SECONDS", 0.0)
    assert ended(["forecast", "main", *FEW, "--processes", "2"]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert re.fullmatch(r"0 of some 6 plays after [\d.]+ s", lines[0])
    assert re.fullmatch(r"([56]) of some [56] plays after [\d.]+ s; about [\d.]+ (s|min) left", lines[-1])
