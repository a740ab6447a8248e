"""The live table as it is drawn on terminals of fixed sizes."""

import re
from collections.abc import Iterable
from io import StringIO

import pytest
from rich.console import Console

from agent.device_events import (
    DeviceConnected,
    DeviceCrashed,
    DeviceEvent,
    ExecutionGone,
    ExecutionTaken,
    HardwareChanged,
    HintReceived,
    PhaseChanged,
    StepProgressed,
)
from agent.values import ExecutionKey
from simulator.report.live_columns import both_ends, whole_words
from simulator.report.live_crowd import bar
from simulator.report.live_table import LiveTable
from simulator.trace import (
    DeletionRequested,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    RunEnded,
)

FW = ExecutionKey("lab", "fw-lab", 1, 0)
AT_WORK = (ExecutionTaken(FW), PhaseChanged("executing", "idle"), StepProgressed(FW, "self-test", 100))


def drawn(table: LiveTable, width: int = 80, height: int = 24) -> list[str]:
    console = Console(width=width, height=height, record=True, file=StringIO())
    console.print(table)
    return [line.rstrip() for line in console.export_text().splitlines()]


def told(table: LiveTable, source: str, *events: object) -> None:
    for number, event in enumerate(events, 1):
        table.feed(Entry(source, number, 0, event))  # type: ignore[arg-type]


def of_devices(number: int, *events: DeviceEvent) -> LiveTable:
    """Of which every one has told of these events."""
    table = LiveTable("main", {f"thing-{index}": "lab" for index in range(number)})
    for index in range(number):
        told(table, f"device/thing-{index}", *events)
    return table


def line_of(shown: Iterable[str], word: str) -> str:
    return next(line for line in shown if word in line)


def test_at_80_columns_the_table_still_says_what_a_device_knows():
    shown = drawn(of_devices(2, *AT_WORK))
    assert re.search("^thing-0 +executing +fw-lab +self-test 100% +it is its own +0$", line_of(shown, "thing-0"))


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (200, "device namespace state job step knows version done"),
        (120, "device namespace state job step knows version done"),
        (92, "device namespace state job step knows done"),
        (80, "device state job step knows done"),
        (64, "device state step knows"),
        (40, "device state step"),
        (20, "device state"),
    ],
)
def test_columns_give_way_from_what_says_least_to_what_says_most(width: int, columns: str):
    shown = drawn(of_devices(2, *AT_WORK), width)
    assert line_of(shown, "device").split() == columns.split()
    assert max(map(len, shown)) <= width


def test_where_nobody_is_in_a_namespace_there_is_no_column_for_it():
    assert "namespace" not in "".join(drawn(LiveTable("main", {"thing-0": None}), 200))


def test_widths_do_not_shrink_while_a_run_goes_on():
    table = of_devices(2, ExecutionTaken(ExecutionKey(None, "a-job-with-a-long-name", 1, 0)))
    before = line_of(drawn(table, 120), "device")
    for thing in ("thing-0", "thing-1"):
        told(table, f"device/{thing}", ExecutionTaken(ExecutionKey(None, "fw", 2, 0)))
    assert line_of(drawn(table, 120), "device") == before


@pytest.mark.parametrize(
    ("text", "width", "is_told_as"),
    [
        ("hint: nothing pending", 24, "hint: nothing pending"),
        ("hint: fw, fw-next, fw-lab, fw-lab-next", 24, "hint: fw, fw-next, +2"),
        ("lost its power at before-publishing", 24, "lost its power at…"),
        ("a-word-without-any-end-that-one-can-see", 12, "a-word-with…"),
    ],
)
def test_what_is_too_long_loses_whole_words(text: str, width: int, is_told_as: str):
    assert whole_words(text, width) == is_told_as


def test_a_name_that_is_too_long_keeps_both_its_ends():
    assert both_ends("firmware-2026-11-30-lab", 13) == "firmwa…30-lab"


def test_a_device_that_has_not_been_there_yet_is_not_shown_as_in_trouble():
    table = LiveTable("main", {"thing-0": None})
    console = Console(width=80, height=24, record=True, force_terminal=True, file=StringIO())
    console.print(table)
    assert "not connected yet" in console.export_text(clear=False)
    assert "31m" not in console.export_text(styles=True), "no red"


def test_a_ghost_is_shown_as_one_until_it_learns_that_its_job_is_gone():
    table = of_devices(2, *AT_WORK)
    told(table, "cloud", ExecutionRemoved("thing-0", FW, "IN_PROGRESS"))
    assert "not yet: its job is gone" in line_of(drawn(table), "thing-0")
    assert "it is its own" in line_of(drawn(table), "thing-1")
    told(table, "device/thing-0", HintReceived("notify", "lab", ()), ExecutionGone(FW, "gone", "t1"))
    assert "fw-lab is gone" in line_of(drawn(table), "thing-0")


def test_jobs_say_how_many_of_their_devices_are_through():
    table = of_devices(2)
    told(table, "cloud", JobCreated("fw-lab", "lab"), ExecutionQueued("thing-0", FW), ExecutionQueued("thing-1", FW))
    assert line_of(drawn(table), "jobs:") == "jobs: fw-lab 0 of 2"
    told(table, "cloud", ExecutionChanged("thing-0", FW, "SUCCEEDED", 2, "device"))
    assert line_of(drawn(table), "jobs:") == "jobs: fw-lab 1 of 2"
    told(table, "cloud", JobDeletionBegan("fw-lab", True))
    assert line_of(drawn(table), "jobs:") == "jobs: fw-lab being deleted"
    told(table, "cloud", JobDeleted("fw-lab"))
    assert line_of(drawn(table), "jobs:") == "jobs: none"


def test_of_jobs_that_are_done_only_the_last_stand_there_however_long_it_goes_on():
    table = of_devices(2)
    for number in range(100):
        key = ExecutionKey("lab", f"fw-{number}", 1, number)
        done = ExecutionChanged("thing-0", key, "SUCCEEDED", "device", 2)
        told(table, "cloud", JobCreated(f"fw-{number}"), ExecutionQueued("thing-0", key), done)
    said = " ".join(drawn(table, width=200))
    assert "fw-99 done" in said
    assert said.count(" done") <= 10


@pytest.mark.parametrize("height", [12, 24, 50])
@pytest.mark.parametrize("devices", [1, 10, 30, 300])
def test_no_number_of_devices_makes_it_higher_than_the_terminal(devices: int, height: int):
    table = of_devices(devices, *AT_WORK)
    for number in range(9):
        told(table, "cloud", JobCreated(f"fw-{number}", None), JobDeletionBegan(f"fw-{number}", True))
        told(table, "controller", DeletionRequested(f"fw-{number}", True, "why not"))
    assert len(drawn(table, 80, height)) <= height


def test_of_more_devices_than_fit_it_counts_the_states_and_names_the_broken_first_then_the_slowest():
    table = of_devices(300, DeviceConnected(False), *AT_WORK)
    told(table, "device/thing-7", HardwareChanged(False, "1.0", ()))
    told(table, "device/thing-250", DeviceCrashed("out of memory"))
    told(table, "device/thing-0", StepProgressed(FW, "self-test", 50))
    shown = drawn(table)
    assert re.search("^bricked +1 +▏", line_of(shown, "bricked "))
    assert re.search("^executing +298 +█{33}", line_of(shown, "executing "))
    assert "300 devices; 2 broken; the slowest at work:" in shown
    named = [line.split()[0] for line in shown if re.match(r"thing-\d+ +\w+ +fw", line)]
    assert named[:4] == ["thing-7", "thing-250", "thing-1", "thing-2"], "thing-0 has come on"
    assert any("thing-7 has nothing whole to boot from" in line for line in shown)


def test_of_more_devices_than_fit_ghosts_come_before_who_is_merely_slow():
    table = of_devices(300, DeviceConnected(False), *AT_WORK)
    told(table, "cloud", ExecutionRemoved("thing-250", FW, "IN_PROGRESS"))
    told(table, "device/thing-250", StepProgressed(FW, "write", 50))
    shown = drawn(table)
    assert "300 devices; 1 ghost, at work on a job that is gone; the slowest at work:" in shown
    first = next(line for line in shown if line.startswith("thing-"))
    assert re.search("^thing-250 +executing +fw-lab +write 50% +not yet: its job is gone", first)


def test_a_state_that_nobody_is_in_any_more_keeps_its_line():
    table = of_devices(300, *AT_WORK)
    drawn(table)
    for index in range(300):
        told(table, f"device/thing-{index}", PhaseChanged("idle", "executing"))
    assert re.search("^executing +0$", line_of(drawn(table), "executing"))


def test_a_crowd_is_drawn_less_often_than_a_few():
    few, many = of_devices(3), of_devices(300)
    drawn(few), drawn(many)
    assert many.frames_a_second < few.frames_a_second


@pytest.mark.parametrize(
    ("part", "whole", "is_drawn"),
    [(0, 10, ""), (1, 1000, "▏"), (5, 10, "████"), (10, 10, "████████"), (0, 0, ""), (9, 16, "████▌")],
)
def test_a_bar_is_as_long_as_its_part_and_never_hides_what_there_is(part: int, whole: int, is_drawn: str):
    assert bar(part, whole, 8, ascii_only=False) == is_drawn


def test_where_there_are_no_blocks_bars_are_made_of_what_there_is():
    assert bar(5, 10, 8, ascii_only=True) == "####"


def test_who_plays_side_by_side_is_named_the_good_ones_first():
    names = [f"thing-{index}" for index in range(4)]
    parts = {name: "bad" if index % 2 else "good" for index, name in enumerate(names)}
    table = LiveTable("main", dict.fromkeys(names), parts=parts)
    assert [line.split()[:2] for line in drawn(table) if line.startswith("thing-")] == [
        ["thing-0", "good"],
        ["thing-2", "good"],
        ["thing-1", "bad"],
        ["thing-3", "bad"],
    ]
    assert "part" not in "".join(drawn(LiveTable("main", dict.fromkeys(names))))


def test_of_many_side_by_side_it_says_whose_the_broken_ones_are():
    names = [f"thing-{index}" for index in range(100)]
    table = LiveTable(
        "main", dict.fromkeys(names), parts=dict.fromkeys(names[:50], "good") | dict.fromkeys(names[50:], "bad")
    )
    told(table, "device/thing-70", DeviceCrashed("it divided by zero"))
    assert line_of(drawn(table), "broken").startswith("100 devices; 1 broken (0 good, 1 bad)")


def test_when_it_is_over_there_is_nothing_to_press():
    table = LiveTable("main", {"thing-0": None}, "delete now: [d] the oldest job")
    told(table, "cloud", JobCreated("fw"))
    assert "delete now: [d] the oldest job [1] fw" in drawn(table)
    told(table, "engine", RunEnded("finished"))
    assert "delete now" not in "\n".join(drawn(table))
