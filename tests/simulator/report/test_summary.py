"""The verdict on a terminal and in a file, and what to do next."""

import re
from io import StringIO

import pytest
from rich.console import Console

from simulator.report.hanging import say
from simulator.report.next_steps import DEPTH, lines, next_steps
from simulator.report.summary import print_summary
from simulator.verdict import INVARIANTS, Doubt, InvariantVerdict, Reached, Verdict, Violation

HELD = tuple(InvariantVerdict(id=each.id, outcome="held", opportunities=130) for each in INVARIANTS)
BROKEN = InvariantVerdict(
    id="stops-in-time",
    outcome="violated",
    opportunities=2,
    violations=(Violation(thing="a", job="fw", message="began late", events=("device/a#7", "device/a#9")),),
)
UNSURE = InvariantVerdict(
    id="no-lost-job",
    outcome="undecided",
    opportunities=1,
    doubts=(Doubt(thing="b", job="fw", message="may have", events=("cloud#3",)),),
)
SHORT = Reached(id="deleted-in-step fw write", devices=3, of=5)
OUT = "my out"


def verdict(outcome: str, *invariants: InvariantVerdict, why: str = "so", reached: tuple[Reached, ...] = ()) -> Verdict:
    return Verdict.model_validate(
        {
            "outcome": outcome, "why": why, "passed": outcome == "passed", "scenario": "x", "engine": "virtual",
            "seed": 1, "version": "1.0", "started_at": None, "seconds": None, "devices": 2, "recovered": 1,
            "invariants": invariants, "reached": reached, "recovery_seconds": None, "requests_per_second_peak": 3,
        }
    )  # fmt: skip


def printed(told: Verdict, width: int = 80, *, is_terminal: bool = True) -> list[str]:
    console = Console(width=width, force_terminal=is_terminal, no_color=True, record=True, file=StringIO())
    print_summary(told, console)
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_on_a_terminal_of_80_columns_invariants_stand_beside_each_other_so_that_a_screen_has_all():
    shown = printed(verdict("passed", *HELD, reached=(SHORT,) * 6))
    assert max(map(len, shown)) <= 80
    assert len(shown) < 24
    assert all(any(each.id in line for line in shown) for each in HELD)


def test_on_a_terminal_what_was_not_exercised_is_named_and_takes_no_line_of_the_table():
    idle = [each.model_copy(update={"outcome": "not-exercised", "opportunities": 0}) for each in HELD[:6]]
    shown = printed(verdict("failed", BROKEN, *idle, *HELD[6:]))
    assert shown[0].split() == ["invariant", "outcome", "times"] * 2
    named = " ".join(" ".join(shown).partition("not exercised: ")[2].split())
    assert named.startswith(", ".join(each.id for each in idle))
    assert max(map(len, shown)) <= 80


@pytest.mark.parametrize(("width", "is_terminal"), [(60, True), (80, False)])
def test_in_a_file_and_where_it_is_narrow_each_invariant_has_a_line(width: int, is_terminal: bool):
    shown = printed(verdict("passed", *HELD), width, is_terminal=is_terminal)
    assert shown[0].split() == ["invariant", "outcome", "opportunities"]
    assert [line.split() for line in shown[2 : 2 + len(HELD)]] == [[each.id, "held", "130"] for each in HELD]


def test_a_sentence_is_one_line_in_a_file_and_the_verdict_the_last():
    why = "a reason that goes on " * 9
    assert printed(verdict("failed", BROKEN, why=why), is_terminal=False)[-1] == f"FAILED: {why}".rstrip()


def steps(told: Verdict, directory: str | None = OUT, kept: tuple[str, ...] = ("report.html",)) -> dict[str, str]:
    return dict(next_steps(told, directory, kept))


def test_of_what_failed_it_says_what_that_is_and_which_commands_show_and_explain_it():
    assert steps(verdict("failed", HELD[0], UNSURE, BROKEN)) == {
        "in words": "stops-in-time is broken by a device that starts a new step more than the detection bound after "
        "its record was removed, while connected",
        "what to do": "ghostjob explain stops-in-time",
        "around it": "ghostjob trace 'my out' 'device/a#7'",
        "as a page": "my out/report.html",
    }


def test_of_what_is_undecided_it_names_the_invariant_and_the_entry_that_it_lies_at():
    told = steps(verdict("inconclusive", HELD[0], UNSURE), kept=())
    assert told == {"what to do": "ghostjob explain no-lost-job", "around it": "ghostjob trace 'my out' 'cloud#3'"}


def test_of_a_place_that_was_not_reached_it_says_where_that_is_explained():
    why = "'deleted-in-step fw write' was reached by 3 of 5 devices; see device/a#1"
    told = steps(verdict("inconclusive", *HELD, why=why, reached=(SHORT,)))
    assert told["what it means"] == "ghostjob explain place.deleted-in-step"


def test_of_a_run_that_was_cut_short_it_says_what_inconclusive_means():
    assert steps(verdict("inconclusive", *HELD, why="the run was interrupted"))["what it means"] == "ghostjob explain 3"


def test_who_kept_nothing_is_told_how_to():
    told = steps(verdict("failed", BROKEN), directory=None)
    assert "--out DIR" in told["to see it"]
    assert not any("ghostjob trace" in how for how in told.values())


def test_of_what_passed_there_is_the_page_to_look_at_and_nothing_else():
    assert steps(verdict("passed", *HELD)) == {"as a page": "my out/report.html"}
    assert steps(verdict("passed", *HELD), directory=None) == {}


def test_a_step_goes_on_below_where_it_began_on_a_terminal_and_is_a_line_in_a_file():
    told = next_steps(verdict("failed", BROKEN), OUT, ())
    for is_terminal in (True, False):
        console = Console(width=60, force_terminal=is_terminal, no_color=True, record=True, file=StringIO())
        for line in lines(told):
            say(console, line, DEPTH)
        shown = console.export_text()
        assert bool(re.search(r"^ {17}\S", shown, re.MULTILINE)) is is_terminal
        assert len(shown.splitlines()) == len(told) or is_terminal


def test_a_name_out_of_a_trace_cannot_do_anything_to_a_terminal():
    worse = BROKEN.model_copy(
        update={"violations": (Violation(thing="a", job=None, message="", events=("\x1b[2J#1",)),)}
    )
    assert "\x1b" not in "".join(lines(next_steps(verdict("failed", worse), OUT)))
