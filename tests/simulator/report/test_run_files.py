"""`junit.xml` and `summary.md` of a run: a case for each invariant and place, a page for a pull request."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from simulator.report.junit import JUNIT
from simulator.report.markdown import LARGEST, SUMMARY
from simulator.report.run_files import junit_of_run, markdown_of_run
from simulator.verdict import Doubt, InvariantVerdict, Reached, Verdict, Violation
from tests.cli.command import ghostjob

from .junit_form import problems


def made(*invariants: InvariantVerdict, reached: tuple[Reached, ...] = (), why: str = "so", outcome: str) -> Verdict:
    return Verdict.model_validate(
        {
            "outcome": outcome, "why": why, "passed": outcome == "passed", "scenario": "x", "engine": "virtual",
            "seed": 1, "version": "1.0", "started_at": None, "seconds": None, "devices": 2, "recovered": 1,
            "invariants": invariants, "reached": reached, "recovery_seconds": None, "requests_per_second_peak": 3,
        }
    )  # fmt: skip


ENTRIES = ("cloud#1",)
HELD = InvariantVerdict(id="alive", outcome="held", opportunities=4)
IDLE = InvariantVerdict(id="bootable", outcome="not-exercised", opportunities=0)
BROKEN = InvariantVerdict(
    id="no-hammering",
    outcome="violated",
    opportunities=2,
    violations=(Violation(thing="a", job="fw", message="asked ``` again", events=ENTRIES),) * 9,
)
UNSURE = InvariantVerdict(
    id="no-lost-job",
    outcome="undecided",
    opportunities=1,
    doubts=(Doubt(thing="b", job="fw", message="may have", events=ENTRIES),),
)


def cases(verdict: Verdict) -> dict[str, Element]:
    root = fromstring(junit_of_run(verdict).encode())
    assert problems(root) == []
    return {each.get("name", ""): each for each in root.iter("testcase")}


def tags(verdict: Verdict) -> dict[str, list[str]]:
    return {name: [each.tag for each in case] for name, case in cases(verdict).items()}


def test_every_invariant_is_a_case_and_what_is_undecided_is_red():
    verdict = made(HELD, IDLE, BROKEN, UNSURE, outcome="failed")
    assert tags(verdict) == {
        "alive": [],
        "bootable": ["skipped"],
        "no-hammering": ["failure"],
        "no-lost-job": ["error"],
        "the run": [],
    }
    text = cases(verdict)["no-hammering"][0].text or ""
    assert "no-hammering: a: asked ``` again\n  cloud#1\n" in text
    assert text.endswith("no-hammering: and 6 more")


@pytest.mark.parametrize(
    ("reached", "why", "tag"),
    [
        (Reached(id="recovered fw", devices=2, of=2), "so", []),
        (Reached(id="recovered fw", devices=1, of=2), "so", []),
        (Reached(id="recovered fw", devices=1, of=2), "'recovered fw' was reached by 1 of 2 devices", ["error"]),
        (Reached(id="recovered fw", devices=0, of=2), "no-hammering was violated by a", ["error"]),
        (Reached(id="recovered fw", devices=0, of=0), "so", ["skipped"]),
    ],
    ids=["all", "one, and that is enough", "too few", "none", "nobody was to"],
)
def test_every_place_is_a_case(reached: Reached, why: str, tag: list[str]):
    assert tags(made(HELD, reached=(reached,), why=why, outcome="failed"))["place: recovered fw"] == tag
    assert "`recovered fw`" in markdown_of_run(made(HELD, reached=(reached,), why=why, outcome="failed"))


def test_a_run_that_could_not_show_it_is_red():
    verdict = made(HELD, outcome="inconclusive", why="the run met its time limit")
    (error,) = cases(verdict)["the run"]
    assert (error.tag, error.get("message")) == ("error", "the run met its time limit")
    assert tags(made(HELD, outcome="passed"))["the run"] == []


def test_a_page_tells_what_was_violated_before_what_held():
    text = markdown_of_run(made(HELD, UNSURE, BROKEN, outcome="failed"))
    places = [
        text.index(each)
        for each in (
            "## ❌ failed: x",
            "### ❌ violated: `no-hammering`",
            "\n````text\nno-hammering: a: asked ``` again\n  cloud#1\n",
            "`ghostjob explain no-hammering`",
            "### ❔ undecided: `no-lost-job`",
            "| `alive` | ✅ held | 4 |",
            "| `no-hammering` | ❌ violated | 2 |",
        )
    ]
    assert places == sorted(places)


def test_a_page_fits_into_a_comment():
    loud = "😀" * 300
    many = tuple(
        InvariantVerdict(
            id=f"{number}{loud}",
            outcome="violated",
            opportunities=1,
            violations=(Violation(thing=loud, job="fw", message=loud, events=(loud,) * 30),) * 9,
        )
        for number in range(14)
    )
    places = tuple(Reached(id=f"{number}{loud}", devices=1, of=1) for number in range(400))
    text = markdown_of_run(made(*many, reached=places, outcome="failed", why=loud * 9))
    assert len(text.encode()) <= LARGEST
    assert "| invariant | outcome |" in text
    assert re.search(r"… and \d+ more invariants", text)


def test_a_run_keeps_both_with_the_entries_in_words(tmp_path: Path):
    bad = ("--model", "recovers-without-undoing", "--devices", "2")
    told = ghostjob("run", "delete-in-write", "--engine", "virtual", *bad, "--out", "o", cwd=tmp_path)
    assert told.returncode == 1
    shown = "  0.424 s  thing-0 holds 1.0, with download, spare slot pending  [device/thing-0#40]\n"
    assert shown in (tmp_path / "o" / SUMMARY).read_text("utf-8")
    assert problems(fromstring((tmp_path / "o" / JUNIT).read_bytes())) == []
    assert shown in (tmp_path / "o" / JUNIT).read_text("utf-8")
    assert sorted(each.name for each in (tmp_path / "o").iterdir()) == [
        JUNIT,
        "report.html",
        SUMMARY,
        "trace.jsonl",
        "verdict.json",
    ]
