"""Playing from a program: results, errors, and what is left behind."""

import asyncio
import gc
import json
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import ghostjob
from ghostjob._process import Process
from simulator.cli import main
from tests.within import within

UPDATE = {"name": "update", "devices": [{"group": "all"}], "jobs": [{"id": "fw", "to": ["all"], "version": "2.0"}]}
TAKEN = {"deletions": [{"job": "fw", "when": {"step": "write", "progress": 50}, "hold": True}]}
SLOW = "name: slow\ndevices: [{group: all}]\njobs: [{id: fw, to: [all], version: '2.0'}]\nhardware: {write: 600}\n"


def test_a_result_is_what_the_command_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    result = ghostjob.play(
        "delete-in-write", engine="virtual", devices=3, model="recovers-without-undoing", seed=7, out=tmp_path / "a"
    )
    with pytest.raises(SystemExit) as left:
        main(
            f"run delete-in-write --engine=virtual --devices=3 --seed=7 --model=recovers-without-undoing "
            f"--out={tmp_path / 'b'}".split()
        )
    again = ghostjob.Result(tmp_path / "b")
    assert (result.outcome, result.why, result.passed) == (again.outcome, again.why, again.passed)
    assert (result.outcome, left.value.code) == ("failed", 1)
    assert (result.verdict.seed, result.verdict.devices) == (7, 3)
    lines = [json.loads(line) for line in (tmp_path / "a" / "trace.jsonl").read_text().splitlines()]
    entries = list(result.trace)
    assert [entry.id for entry in entries] == [line["id"] for line in lines]
    (ended,) = [entry for entry in entries if entry.type == "run.ended"]
    assert (ended.id, ended.source, ended.n, ended.data["why"]) == ("engine#2", "engine", 2, "finished")
    (violated,) = [each for each in result.verdict.invariants if each.outcome == "violated"]
    shown = {entry.id for entry in entries}
    assert {violation.thing for violation in violated.violations} == {"thing-0", "thing-1", "thing-2"}
    assert all(set(violation.events) <= shown for violation in violated.violations)


def test_a_fleet_is_played_by_a_few_that_stand_for_all():
    model = "recovers-without-undoing"
    result = ghostjob.play(UPDATE | TAKEN, engine="virtual", devices=1_000_000, stand_ins=2, model=model)
    assert (result.outcome, result.verdict.devices) == ("failed", 1_000_000)
    (violated,) = (each for each in result.verdict.invariants if each.outcome == "violated")
    assert [(each.thing, each.stands_for) for each in violated.violations] == [
        ("thing-000000", 500_000),
        ("thing-500000", 500_000),
    ]


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(UPDATE, id="a mapping"),
        pytest.param(json.dumps(UPDATE, indent=1), id="text"),
        pytest.param(Path("given.yaml"), id="a path"),
        pytest.param("given.yaml", id="a path as text"),
    ],
)
def test_a_scenario_is_given_in_many_ways(scenario: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("given.yaml").write_text(json.dumps(UPDATE))
    result = ghostjob.play(scenario, engine="virtual", devices=2)  # type: ignore[arg-type]
    assert (result.passed, result.verdict.scenario, result.verdict.devices) == (True, "update", 2)


@pytest.mark.parametrize(
    ("scenario", "options", "says"),
    [
        pytest.param("nope", {}, "nope: no such file, and no shipped scenario of that name", id="no such scenario"),
        pytest.param("name: x\ncolour: red\n", {}, "scenario.yaml:", id="text that is no scenario"),
        pytest.param("main", {"model": "deef"}, "model deef: there is none; did you mean deaf?", id="no such model"),
        pytest.param("main", {"devices": 0}, "--devices: ", id="no devices"),
        pytest.param("main", {"engine": "warp"}, "--engine: give one of live, virtual", id="no such engine"),
        pytest.param("--help", {}, "--help: no such file", id="what looks like an option"),
        pytest.param("main", {"out": __file__}, f"--out {__file__}: cannot write there", id="no place for it"),
    ],
)
def test_bad_input_is_an_error_that_says_what_and_where(scenario: str, options: dict[str, object], says: str):
    with pytest.raises(ghostjob.InputError) as refused:
        ghostjob.play(scenario, **options)  # type: ignore[arg-type]
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_wrong_with_a_mapping_is_told_without_the_place_of_a_file_that_is_gone():
    with pytest.raises(ghostjob.InputError, match=r"^scenario\.yaml:1: devices: needed, and not there"):
        ghostjob.play({"name": "x"})


def test_a_result_shows_what_came_of_it():
    result = ghostjob.play(UPDATE, engine="virtual", devices=1)
    assert repr(result) == f"<Result passed: {result.why}>"


def test_a_run_that_meets_its_limit_is_inconclusive():
    result = ghostjob.play(SLOW, engine="virtual", devices=1, time_limit_seconds=5)
    assert (result.outcome, result.passed) == ("inconclusive", False)
    assert result.why.startswith("the run met its time limit")


def test_without_a_place_to_keep_it_a_run_is_gone_with_its_result():
    result = ghostjob.play(UPDATE, engine="virtual", devices=1)
    directory = result.directory
    assert (directory / "trace.jsonl").is_file()
    del result
    gc.collect()
    assert not directory.exists()


async def test_runs_for_coroutines_go_side_by_side():
    results = await asyncio.gather(
        *(ghostjob.play_async(UPDATE, engine="virtual", devices=1, seed=seed) for seed in (1, 2))
    )
    assert [result.verdict.seed for result in results] == [1, 2]


async def test_a_run_that_is_cancelled_has_ended_by_then(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    listener = logging.Handler()
    listener.emit = lambda record: loop.call_soon_threadsafe(begun.set)  # type: ignore[method-assign]
    logger = logging.getLogger("ghostjob")
    logger.addHandler(listener)
    caplog.set_level(logging.INFO, "ghostjob")
    try:
        task = asyncio.create_task(ghostjob.play_async(SLOW, devices=1, out=tmp_path))
        await within(begun.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        logger.removeHandler(listener)
    assert ghostjob.Result(tmp_path).outcome == "inconclusive"


@pytest.mark.parametrize("what", ["nothing", "no JSON", "no verdict"])
def test_a_directory_without_a_verdict_is_no_result(what: str, tmp_path: Path):
    if what != "nothing":
        (tmp_path / "verdict.json").write_text("{" if what == "no JSON" else "{}")
    with pytest.raises(ghostjob.InputError, match=r"verdict\.json: "):
        ghostjob.Result(tmp_path)


@pytest.mark.parametrize(
    ("scenario", "out", "says"),
    [
        pytest.param({"name": object()}, None, "not JSON serializable", id="no JSON"),
        pytest.param("name: \udcff\n", None, "surrogates not allowed", id="no text"),
        pytest.param("a\0b", None, "null byte", id="a path with a NUL"),
        pytest.param(UPDATE, "/dev/null/out", "/dev/null/out: cannot write there: Not a directory", id="nowhere"),
    ],
)
def test_what_cannot_be_handed_over_is_told_and_leaves_nothing(
    scenario: object, out: str | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ghostjob.InputError, match=says):
        ghostjob.play(scenario, out=out)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


class Hears(logging.Handler):
    """Sets `said` when the library's logger is told something that begins with `words`."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words
        self.said = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(self._words):
            self.said.set()


@pytest.fixture
def plays() -> Iterator[threading.Event]:
    """Set once a run is under way."""
    hears, logger = Hears("playing "), logging.getLogger("ghostjob")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(hears)
    yield hears.said
    logger.removeHandler(hears)
    logger.setLevel(before)


def test_a_run_ends_with_whoever_was_to_hear_of_it(tmp_path: Path, plays: threading.Event):
    (tmp_path / "slow.yaml").write_text(SLOW)
    for engine in ("live", "virtual"):
        devices = "--devices=1" if engine == "live" else "--devices=5000"
        scenario = str(tmp_path / "slow.yaml") if engine == "live" else "main"
        run = Process("run", f"--engine={engine}", devices, "--no-table", "--until-stdin-closes", "--", scenario)
        assert plays.wait(60), "it says so once it is under way"
        plays.clear()
        assert run.end() == 130, "neither to its end, nor killed because it did not mind"
