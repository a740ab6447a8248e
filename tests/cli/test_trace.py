"""`ghostjob trace`: what happened in a run, in words."""

import json
from pathlib import Path

import pytest

from simulator.cli import main
from tests.cli.command import complaint, ghostjob


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `out`, of devices that break an invariant, and `said`, what was printed."""
    cwd = tmp_path_factory.mktemp("run")
    bad = ("--model", "recovers-without-undoing", "--devices", "2")
    done = ghostjob("run", "delete-in-write", "--engine", "virtual", *bad, "--out", "out", cwd=cwd)
    assert done.returncode == 1, done.stderr
    (cwd / "said").write_text(done.stdout)
    return cwd


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    with pytest.raises(SystemExit) as exit_:
        main(["trace", *arguments])
    assert exit_.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_the_events_of_a_violation_are_told_in_words_and_can_be_looked_up(
    run: Path, capsys: pytest.CaptureFixture[str]
):
    verdict = json.loads((run / "out" / "verdict.json").read_text())
    violation = next(each["violations"][0] for each in verdict["invariants"] if each["violations"])
    lines = (run / "said").read_text().splitlines()
    for event in violation["events"]:
        (line,) = [line.strip() for line in lines if line.endswith(f"[{event}]")]
        assert " s  thing-0 " in line
        assert f"> {line}" in told(capsys, str(run / "out"), event)


def test_a_whole_trace_is_a_line_an_entry(run: Path, capsys: pytest.CaptureFixture[str]):
    entries = (run / "out" / "trace.jsonl").read_text().splitlines()
    lines = told(capsys, str(run / "out"))
    assert [line.rpartition("[")[2][:-1] for line in lines] == [json.loads(entry)["id"] for entry in entries]
    assert told(capsys, str(run / "out" / "trace.jsonl")) == lines


def test_it_shows_what_is_about_some_things_and_jobs(run: Path, capsys: pytest.CaptureFixture[str]):
    lines = told(capsys, str(run / "out"), "--thing", "thing-1", "--job", "fw-next")
    assert lines
    assert all("thing-1" in line and "fw-next" in line for line in lines)
    things = told(capsys, str(run / "out"), "--thing", "thing-0", "--thing", "thing-1")
    assert {"thing-0", "thing-1"} == {word for line in things for word in ("thing-0", "thing-1") if word in line}


def test_an_entry_is_told_with_what_is_around_it(run: Path, capsys: pytest.CaptureFixture[str]):
    lines = told(capsys, str(run / "out"), "device/thing-0#5")
    assert [line[0] for line in lines] == [*"   >   l", *" " * (len(lines) - 8)]
    assert lines[3].startswith("> ")
    assert "sent start-next" in lines[3]
    assert any("answered thing-0's start-next" in line for line in lines[8:])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["out", "device/thing-0#9999"], "no entry device/thing-0#9999; device/thing-0 has #1 to #"),
        (["out", "device/thnig-0#1"], "no entry device/thnig-0#1; did you mean device/thing-0#1 to #"),
        (["out", "nonsense"], "no entry nonsense; did you mean "),
        (["out", "--thing", "pump", "--job", "fw"], "nothing in it is about pump and fw"),
        (["nowhere"], "nowhere: cannot be read: No such file or directory; `ghostjob run --out DIR` writes one"),
        (["said"], "said:1: not a trace entry"),
        (["out", "cloud#1", "--job", "fw"], "give an ID, or --thing and --job, not both"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    run: Path,
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(run)
    assert says in complaint(capfd, ["trace", *arguments])
