"""`ghostjob explore` and `ghostjob replay`, as somebody meets them at a terminal."""

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from simulator.cli import main
from simulator.cli.exploring import Wanted, named_world
from simulator.engines.explore.schedule import Expected, parse
from simulator.engines.explore.setup import STANDARD, Bounds
from simulator.trace import read
from simulator.verdict import Verdict
from tests.cli.command import complaint, ended
from tests.simulator.page.test_offline import Elements
from tests.simulator.report.junit_form import problems as wrong_in_junit
from tests.simulator.test_schemas import problems

BAD = ("explore", "--bound", "delete=1", "--model", "undoes-in-the-wrong-order")
COLUMNS = 80
CRASHED = "VIOLATED alive: the agent crashed: undo write: erased the firmware that was running"
HELD = (
    "in every state held: bootable, no-ghost-work, no-ghost-update, asks-before-leap, no-cross-incarnation, "
    "no-false-abort, no-double-apply, ready-in-time, alive, tests-before-commit "
    "not looked at here: stops-in-time, no-lost-job, no-hammering passed: "
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is kept of a search that finds something."""
    out = tmp_path_factory.mktemp("explored") / "out"
    assert ended([*BAD, "--out", str(out)]) == 1
    return out


def said(capfd: pytest.CaptureFixture[str], *arguments: str, code: int) -> str:
    """On stdout."""
    assert ended(list(arguments)) == code
    return capfd.readouterr().out


@pytest.mark.parametrize("layout", ["ab", "swap", "single"])
def test_a_deletion_alone_is_complete_and_holds(layout: str, capfd: pytest.CaptureFixture[str]):
    told = said(capfd, "explore", "--bound", "delete=1", "--layout", layout, code=0)
    lines = told.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert lines[0].startswith(f"explored is one device of model reference, layout {layout}, in the default")
    assert "  - 1 force-delete of fw" in lines
    assert "  - the power never goes" in lines
    assert any(line.startswith("complete within the bounds: ") for line in lines)
    assert any(line.split()[:2] == ["delete", "executing"] and "suspects and asks" in line for line in lines)
    assert HELD in " ".join(told.split())
    assert lines[-2].startswith("passed: within the bounds no order of events violates anything: ")


def test_what_is_violated_comes_with_the_shortest_way_as_a_diagram(capfd: pytest.CaptureFixture[str]):
    told = said(capfd, *BAD, code=1)
    lines = told.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    head = next(number for number, line in enumerate(lines) if line.startswith("VIOLATED alive: "))
    diagram = lines[head + 2 :]
    assert diagram[0].split() == ["cloud", "wire", "agent", "hardware"]
    assert "   1 create fw" in diagram
    assert any(line.strip().startswith("flash   A [################] 1.0 runs; B [") for line in diagram)
    assert any(line.strip() == "journal working: 1 steps begun, 0 done" for line in diagram)
    assert any(line.strip() == "is      executing with fw@1" for line in diagram)
    assert "  what that means, and what to do: ghostjob explain alive" in diagram
    assert lines[-2].startswith("FAILED: alive was violated after ")


def test_what_is_kept_is_all_there_and_as_its_schemas_say(kept: Path):
    assert sorted(path.name for path in kept.iterdir()) == [
        "junit.xml",
        "report.html",
        "schedules",
        "summary.md",
        "trace.jsonl",
        "verdict.json",
    ]
    data = json.loads((kept / "verdict.json").read_text())
    assert problems("verdict", data) == []
    assert (data["engine"], data["outcome"], data["explored"]["complete"]) == ("explore", "failed", True)
    assert [(each["sort"], each["invariant"], each["schedule"]) for each in data["explored"]["findings"]] == [
        ("violated", "alive", "schedules/01-alive.yaml"),
        ("undecided", "accounted-for", "schedules/02-accounted-for.yaml"),
    ]
    assert wrong_in_junit(fromstring((kept / "junit.xml").read_text())) == []
    assert "violated: `alive`" in (kept / "summary.md").read_text()
    (violated,) = [each for each in data["invariants"] if each["outcome"] == "violated"]
    events = {entry.id for entry in read((kept / "trace.jsonl").read_text().splitlines())}
    assert set(violated["violations"][0]["events"]) <= events


def test_from_how_many_states_only_failure_is_left_is_said_and_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    wanted = ["explore", "--bound", "fail=1", "--out", str(out)]
    told = " ".join(said(capfd, *wanted, code=0).split())
    lost = json.loads((out / "verdict.json").read_text())["explored"]["lost"]
    assert lost["way"][-1].startswith("fail ")
    nearest = f"the nearest: {len(lost['way'])} choices"
    assert f"from {lost['states']} of them every way home ends with a failure; {nearest}" in told


def test_of_an_older_search_no_schedule_is_left_and_of_others_each_is(tmp_path: Path):
    schedules = tmp_path / "schedules"
    schedules.mkdir()
    for name in ("01-bootable.yaml", "01-no-lost-job.yaml", "mine.yaml"):
        (schedules / name).write_text("format: 1\n")
    assert ended([*BAD, "--layout", "single", "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in schedules.iterdir()) == ["01-accounted-for.yaml", "mine.yaml"]


def test_schedules_that_cannot_be_kept_cost_neither_the_answer_nor_the_rest(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "schedules").write_text("no directory\n")
    assert ended([*BAD, "--out", str(tmp_path)]) == 2
    told = capfd.readouterr()
    assert "FAILED: alive was violated after " in told.out
    lost = "schedules/01-alive.yaml, schedules/02-accounted-for.yaml"
    assert f"cannot write {lost}: " in told.err
    assert told.err.splitlines()[-1].endswith(
        "; kept there: verdict.json, junit.xml, summary.md, report.html, trace.jsonl"
    )
    assert {path.name for path in tmp_path.iterdir()} >= {"verdict.json", "report.html", "trace.jsonl"}


def test_the_report_has_the_search_and_its_shortest_way(kept: Path):
    page = Elements((kept / "report.html").read_text("utf-8")).data
    assert (page.kind, page.state) == ("explore", "failed")
    assert page.explored is not None
    assert page.explored.shown == "the shortest way to what is wrong: alive"
    assert set(page.lanes) == {"dev-1"}
    assert [mark.ok for mark in page.lanes["dev-1"].marks if mark.ok is False] == []
    assert page.flash["dev-1"]
    (invariant,) = [each for each in page.invariants if each.violations]
    assert invariant.violations[0].diagram.arrows


def test_the_report_can_be_made_anew(kept: Path, capfd: pytest.CaptureFixture[str]):
    was = (kept / "report.html").read_bytes()
    assert said(capfd, "report", str(kept), code=0).strip() == str(kept / "report.html")
    assert (kept / "report.html").read_bytes() == was


def test_a_schedule_is_played_again_with_the_same_end(kept: Path, capfd: pytest.CaptureFixture[str]):
    schedule = str(kept / "schedules" / "01-alive.yaml")
    told = said(capfd, "replay", schedule, code=1)
    assert said(capfd, "replay", schedule, code=1) == told
    assert max(map(len, told.splitlines())) <= COLUMNS
    assert CRASHED in " ".join(told.split())
    assert "FAILED: alive was violated by dev-1: " in told
    verdict = Verdict.model_validate_json(said(capfd, "replay", schedule, "--json", code=1))
    assert [each.id for each in verdict.invariants if each.outcome == "violated"] == ["alive"]


def test_a_mended_device_parts_and_it_is_told_where(kept: Path, capfd: pytest.CaptureFixture[str]):
    schedule = kept / "schedules" / "01-alive.yaml"
    line = complaint(capfd, ["replay", str(schedule), "--model", "reference"])
    number = int(line.split("choice ")[1].split()[0])
    at = schedule.read_text().splitlines().index("choices:") + 1 + number
    assert line.startswith(f"ghostjob: {schedule}:{at}: choice {number} of ")
    assert "cannot be played here" in line
    assert "there are: " in line


def test_what_a_schedule_was_kept_for_and_does_not_show_any_more_is_inconclusive(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    path = tmp_path / "kept.yaml"
    path.write_text("expects: {violated: [bootable]}\nchoices:\n- create fw\n")
    told = said(capfd, "replay", str(path), code=3)
    assert told.endswith("it was kept for bootable, and shows no such thing any more\n")


def test_so_is_what_nobody_was_to_be_able_to_say_and_somebody_can(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    good, path = Path(__file__).parents[1] / "explore" / "schedules" / "update.yaml", tmp_path / "kept.yaml"
    said(capfd, "replay", str(good), code=0)
    path.write_text(good.read_text("utf-8").replace("expects:\n", "expects:\n  undecided: [bootable]\n"))
    told = said(capfd, "replay", str(path), code=3)
    assert told.endswith("it was kept for bootable, and shows no such thing any more\n")


def test_what_is_undecided_is_kept_as_that(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    said(capfd, "explore", "--bound", "delete=1", "--out", str(tmp_path), code=0)
    (schedule,) = tmp_path.glob("schedules/*.yaml")
    assert parse(schedule.read_text("utf-8"), schedule.name).schedule.expects == Expected(undecided=("accounted-for",))
    assert "it was kept for" not in said(capfd, "replay", str(schedule), code=3)


def test_a_scenario_says_which_world_and_which_of_its_places_cannot_be_reached(capfd: pytest.CaptureFixture[str]):
    words = ["delete-in-the-middle-of-the-only-slot", "--no-next"]
    told = " ".join(said(capfd, "explore", *words, code=3).split())
    assert "when its deletions, cuts and faults happen is not taken from it: every instant is tried" in told
    assert " reached deleted-in-step fw write: in " in told
    assert " reached deleted-after-leap fw: in " in told
    assert "NOT reached recovered fw: within these bounds there is no way there" in told
    assert "INCONCLUSIVE: 'recovered fw' cannot be reached within these bounds" in told


def test_by_the_name_of_run_it_is_the_same(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    asked: list[Wanted] = []
    monkeypatch.setattr("simulator.cli.exploring.explored", lambda wanted: asked.append(wanted) or 0)
    assert ended(["run", "delete-in-write", "--engine", "explore", "--model", "poller", "--out", "x"]) == 0
    assert asked == [Wanted("delete-in-write", model="poller", out=Path("x"))]


def test_a_search_that_is_stopped_says_by_what_and_accuses_nobody(capfd: pytest.CaptureFixture[str]):
    told = said(capfd, "explore", "--time", "0.2", code=3)
    assert "not complete: stopped by time: " in told
    assert "INCONCLUSIVE: the search was stopped by time after " in told


def test_walks_find_what_is_wrong_and_make_it_short(capfd: pytest.CaptureFixture[str]):
    told = " ".join(said(capfd, *BAD, "--walks", "60", "--seed", "3", code=1).split())
    assert " 60 random walks, " in told
    assert f"{CRASHED}; 25 choices, " in told


def test_walks_that_find_nothing_show_nothing(capfd: pytest.CaptureFixture[str]):
    told = " ".join(said(capfd, "explore", "--bound", "delete=1", "--walks", "20", code=3).split())
    assert "INCONCLUSIVE: 20 random walks of " in told


@pytest.mark.parametrize(
    ("given", "bounds"),
    [
        pytest.param({}, STANDARD, id="the standard world"),
        pytest.param({"bounds": ("delete=2",)}, Bounds(delete=2), id="what is not named is not there"),
        pytest.param(
            {"bounds": ("delay=1", "power-cut=0"), "is_standard": True},
            STANDARD.model_copy(update={"delay": 1, "power_cut": 0}),
            id="a change of the standard",
        ),
        pytest.param({"scenario": "delete-in-write"}, Bounds(delete=1), id="a scenario's"),
        pytest.param(
            {"scenario": "delete-in-write", "bounds": ("duplicate=1",)},
            Bounds(delete=1, duplicate=1),
            id="a scenario's, and more",
        ),
        pytest.param({"bounds": ("delete=1",), "again": "other"}, Bounds(delete=1, create_again=1), id="again"),
        pytest.param({"again": "none"}, STANDARD.model_copy(update={"create_again": 0}), id="never again"),
    ],
)
def test_bounds_come_from_the_scenario_the_standard_or_nowhere(given: dict[str, object], bounds: Bounds):
    _, world = named_world(Wanted(**given))  # type: ignore[arg-type]
    assert world.setup.bounds == bounds


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["explore", "--bound", "delet=1"], "--bound delet=1: give one of delete, create-again, "),
        (["explore", "--bound", "delet=1"], "did you mean delete?"),
        (["explore", "--bound", "delete"], "--bound delete: give delete=N, where N is 0 to 9"),
        (["explore", "--bound", "delete=10"], "--bound delete=10: give delete=N, where N is 0 to 9"),
        (["explore", "--out", ""], "--out: it is empty; give a path, '.' for the current directory"),
        (["explore", "--seed", "7"], "--seed 7: a search has no chance in it; give --walks N, too"),
        (
            ["explore", "--bound", "create-again=1", "--again", "none"],
            "--bound create-again=1: with --again none the id is never used again; give one of them",
        ),
        (["explore", "--model", "refrence"], "did you mean reference"),
        (["explore", "--namespace", "elsewhere"], "elsewhere is that of the others' job; take another"),
        (["explore", "no-such"], "no-such: no such file, and no shipped scenario of that name"),
        (["replay", "no-such.yaml"], "no-such.yaml: cannot read the schedule: No such file or directory"),
        (["run", "--engine", "explore", "--versus", "deaf"], "--versus: a search has devices of one model"),
        (["run", "--engine", "explore", "--devices", "3"], "--devices: a search of a scenario has one device, not 3"),
        (["run", "--engine", "explore", "--pause"], "--pause: in a search there is no time; play it live"),
    ],
)
def test_bad_input_is_told_in_a_line(
    arguments: list[str], told: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert told in complaint(capfd, arguments)


def test_examples_of_the_help_are_there(capsys: pytest.CaptureFixture[str]):
    for verb in ("explore", "replay"):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert f"ghostjob {verb} " in capsys.readouterr().out.partition("Examples:")[2]


@pytest.mark.parametrize("engine", ["virtual", "live"])
def test_an_engine_is_held_to_a_schedule_with_the_same_verdict(
    engine: str, kept: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    schedule, out = kept / "schedules" / "01-alive.yaml", tmp_path / "again"
    told = said(capfd, "replay", str(schedule), "--engine", engine, "--out", str(out), code=1)
    assert CRASHED in " ".join(told.split())
    assert "PARTED" not in told
    verdict = Verdict.model_validate_json((out / "verdict.json").read_text())
    assert [each.id for each in verdict.invariants if each.outcome == "violated"] == ["alive"]
    assert verdict.engine == engine


def test_what_never_comes_home_is_told_by_where_it_comes_to(capfd: pytest.CaptureFixture[str]):
    model = "reboots-while-recovering"
    told = " ".join(said(capfd, "explore", "--bound", "delete=1", "--model", model, code=1).split())
    assert (
        "STUCK ready-in-time: from here nothing leads back to rest by itself: it comes to where dev-1 is recovering, "
        "with its hardware half changed; "
    ) in told
    assert "FOR EVER ready-in-time: from here it may go round for ever and never come to rest; " in told
    assert "and from here round and round:" in told


def test_what_rests_half_done_is_judged_before_it_is_stuck(capfd: pytest.CaptureFixture[str]):
    model = "recovers-without-undoing"
    told = " ".join(said(capfd, "explore", "--bound", "delete=1", "--model", model, code=1).split())
    assert "VIOLATED bootable: is idle with download half done; 11 choices, " in told
    assert "STUCK" not in told
