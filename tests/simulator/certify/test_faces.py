"""A certificate as JUnit's XML, as Markdown, on a terminal and on the disk."""

import io
import json
import re
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.console import Console

from agent.errors import InputError
from simulator.certify.certificate import (
    Afterwards,
    Bricked,
    CellOutcome,
    CellResult,
    Certificate,
    Evidence,
    NotMet,
)
from simulator.certify.junit import junit_xml
from simulator.certify.markdown import again, markdown
from simulator.certify.output import write
from simulator.certify.printing import next_steps, print_certificate
from simulator.certify.result import not_applicable, not_played, sentence
from simulator.report.markdown import LARGEST
from simulator.schemas import shipped
from simulator.verdict import InvariantVerdict, Violation
from tests.simulator.report.junit_form import problems

from .played import certificate, named, result

PASSED = result("reference", named("p/q"), afterwards=Afterwards(left="ready"))
FAILED = result(
    "hammering", directory="cells/step/calm", afterwards=Afterwards(left="by-restart", why="job fw-9 not taken")
)
SKIPPED = not_applicable(named("c/d"), "it speaks no MQTT")
CUT = not_played(named("e/f"), "interrupted")
TROUBLE = result("reference", named("g/h"), trouble="the probe could not be asked")
PACKET = Evidence(id="cloud#1", at=1.0, text="the cloud saw pump-7 disconnect", pointed_at=True)
GONE = Bricked(cell="p/q", why="it took no job", evidence=(PACKET,))
ALL = certificate(
    PASSED, FAILED, SKIPPED, CUT, TROUBLE, bricked=GONE, probes=["cmd:./v.sh"], command=["./a", "{host}"], seed=7,
    not_seen={"bootable": "it is not on the wire"}, namespace_id="lab",
)  # fmt: skip

AGAIN = (
    "ghostjob certify --thing pump-7 --namespace-id lab --probe cmd:./v.sh --seed 7 --only step/calm -- ./a '{host}'"
)


def cases(made: Certificate) -> dict[str, Element]:
    root = fromstring(junit_xml(made).encode())
    assert problems(root) == []
    return {each.get("name", ""): each for each in root.iter("testcase")}


def test_junit_has_a_case_a_cell_and_one_for_a_device_that_was_bricked():
    found = cases(ALL)
    assert {name: [each.tag for each in case if each.tag != "system-out"] for name, case in found.items()} == {
        "p/q": [],
        "step/calm": ["failure"],
        "c/d": ["skipped"],
        "e/f": ["error"],
        "g/h": ["error"],
        "back to work after p/q": ["failure"],
    }
    assert {case.get("classname") for case in found.values()} == {"ghostjob.certify.pump-7"}


def test_a_failure_has_its_evidence_in_its_text():
    (failure,) = cases(ALL)["step/calm"].iter("failure")
    assert failure.get("type") == "no-hammering"
    assert failure.get("message") == FAILED.why
    assert re.search(
        r"^> .* s  thing-0 to \$aws/things/thing-0/jobs/fw/get: .*\[cloud#47\]$", failure.text or "", re.MULTILINE
    )
    assert "came back when it was restarted: job fw-9 not taken\n" in (failure.text or "")
    assert (failure.text or "").endswith("all of it: ghostjob trace cells/step/calm")


@pytest.mark.parametrize(("failed", "tag"), [(True, "failure"), (False, "error")])
def test_a_device_that_was_not_met_is_red_too(failed: bool, tag: str):
    made = certificate(not_met=NotMet(why="it did not do it", failed=failed, evidence=(PACKET,)))
    (case,) = cases(made).values()
    assert [each.tag for each in case] == [tag]
    assert "saw pump-7 disconnect" in markdown(made)
    assert "saw pump-7 disconnect" in printed(made)


def test_a_summary_tells_failures_first_then_all_cells_then_how_to_play_one_again():
    text = markdown(ALL)
    places = [
        text.index(each)
        for each in (
            "## ❌ failed: pump-7",
            "### ❌ not brought back to work after `p/q`",
            "### ❌ failed: `step/calm`",
            "came back when it was restarted: job fw-9 not taken",
            "### ❔ inconclusive: `g/h`\n\nthe probe could not be asked\n",
            "### ❔ 1 of 5 cells not played: interrupted\n",
            "| outcome | cell |",
            "| ❌ failed | `step/calm` | 3.0 s | asks in good time, and stops |",
            "| ✅ passed | `p/q` |",
            "| ➖ not applicable | `c/d` |  | it speaks no MQTT |",
            "- `bootable`: it is not on the wire",
            AGAIN,
        )
    ]
    assert places == sorted(places)
    assert "1 failed, 2 inconclusive, 1 passed, 1 not applicable" in text
    (block,) = re.findall(r"```text\n(.*?)```", text[text.index("### ❌ failed") :], re.DOTALL)[:1]
    assert "\n> 0.459 s  thing-0 to $aws/things/thing-0/jobs/fw/get: " in block


def test_a_summary_of_what_passed_has_nothing_to_play_again():
    text = markdown(certificate(PASSED))
    assert "## ✅ passed: pump-7" in text
    assert "--only" not in text
    assert again(certificate(PASSED), "a/b") == ("ghostjob", "certify", "--thing", "pump-7", "--only", "a/b")


def test_a_cell_is_played_again_with_what_bears_on_it():
    made = certificate(FAILED, options=["--document", "my job.json"], command=["./a"])
    assert "--thing pump-7 --document 'my job.json' --only step/calm -- ./a\n" in markdown(made)


def loud(number: int, outcome: CellOutcome, text: str) -> CellResult:
    """A cell of which everything is as long as it can be."""
    failed = InvariantVerdict(
        id="alive",
        outcome="violated",
        opportunities=1,
        violations=(Violation(thing="x", job="y", message=text, events=("cloud#1",)),),
    )
    unsure = InvariantVerdict(id="alive", outcome="undecided", opportunities=1)
    seen = tuple(Evidence(id=f"cloud#{n}", at=n, text=text, pointed_at=n % 3 == 0) for n in range(48))
    return CellResult(
        id=f"{text[:200]}/{number}",
        point="a",
        condition="b",
        shows=text,
        outcome=outcome,
        why=text * 2,
        seconds=1,
        device_seconds=1,
        invariants={"failed": (failed,), "inconclusive": (unsure,)}.get(outcome, ()),
        evidence=seen if outcome in ("failed", "inconclusive") else (),
    )


def test_every_invariant_that_was_violated_is_told_with_what_was_found_and_what_to_read():
    (other,) = loud(1, "failed", "crashed").invariants
    both = FAILED.model_copy(update={"invariants": (*FAILED.invariants, other)})
    (failure,) = cases(certificate(both))["step/calm"].iter("failure")
    assert "    what it is to show: asks in good time, and stops\n" in printed(certificate(both))
    assert "\n\nWhat it is to show: asks in good time, and stops\n\n" in markdown(certificate(both))
    for text in (printed(certificate(both), 200), markdown(certificate(both)), failure.text or ""):
        assert "what that means, and what to do: ghostjob explain no-hammering" in text
        assert "no-hammering was violated, too" not in text
        assert "alive was violated, too: the device crashed" in text
        assert "what that means, and what to do: ghostjob explain alive" in text


def test_what_a_crashed_device_wrote_is_told_once_in_a_sentence():
    wrote = f"python ended by itself, with exit code 1; it wrote at the end: {'x' * 60}"
    crash = Violation(thing="x", job="y", message=f"crashed: {wrote}", events=("engine#2",))
    shown = Evidence(id="engine#2", at=1, text=f"the engine saw x crash, and starts it again: {wrote}", pointed_at=True)
    assert sentence("alive was violated", crash, 1, (shown,)) == (
        f"alive was violated: the device {crash.message} [engine#2]"
    )


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(["😀", "`", "|", "@", "\\", "<", "a ", "\x1b"]),
    st.lists(st.sampled_from(["failed", "inconclusive", "passed", "not-applicable"]), min_size=1, max_size=12),
)
def test_a_summary_fits_into_a_comment_whatever_a_device_sends(letter: str, outcomes: list[CellOutcome]):
    text = letter * (400 // len(letter))
    bricked = Bricked(cell=text, why=text, evidence=tuple(PACKET.model_copy(update={"text": text}) for _ in range(40)))
    made = certificate(
        *(loud(n, outcome, text) for n, outcome in enumerate(outcomes * 30)),
        bricked=bricked,
        not_met=NotMet(why=text, evidence=bricked.evidence),
        not_seen={f"{n}{text}": text for n in range(20)},
        probes=[text] * 40,
        command=[text] * 40,
    )
    told = markdown(made)
    assert len(told.encode()) <= LARGEST
    assert "| outcome | cell |" in told
    assert "To play one of them again" in told or not {"failed", "inconclusive"} & set(outcomes)
    for outcome in ("failed", "inconclusive"):
        shown = told.count(f"### {'❌' if outcome == 'failed' else '❔'} {outcome}: ")
        left = re.search(rf"… and (\d+) more {outcome}", told)
        assert shown + (int(left[1]) if left else 0) == (outcomes * 30).count(outcome)


def printed(
    made: Certificate, width: int = 80, *, terminal: bool = True, out_at: Path | None = None, has_trace: bool = True
) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, no_color=True, color_system=None, highlight=False)
    print_certificate(made, console, out_at, has_trace=has_trace)
    return out.getvalue()


def test_it_is_read_on_a_terminal_of_eighty_columns_without_colour():
    text = printed(ALL)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    for word in ("FAILED", "passed", "INCONCLUSIVE", "not applicable", "it speaks no MQTT", "not judged: bootable"):
        assert word in text
    assert "    > 0.459 s  thing-0 to " in text
    assert "ghostjob explain no-hammering" in text


def test_on_a_terminal_the_cells_stand_right_above_the_outcome_and_in_a_file_they_come_first():
    on_terminal, in_file = printed(ALL, 80), printed(ALL, terminal=False)
    for text, cells_are_last in ((on_terminal, True), (in_file, False)):
        head = re.search("^outcome +cell +took$", text, re.MULTILINE)
        assert head is not None
        assert (head.start() > text.index("not judged: bootable")) is cells_are_last


def test_of_the_first_cell_that_failed_it_says_what_explains_shows_and_repeats_it():
    assert dict(next_steps(ALL, Path("my out"), ("report.html",))) == {
        "what to do": "ghostjob explain no-hammering",
        "around it": "ghostjob trace 'my out/cells/step/calm'",
        "again": AGAIN,
        "as a page": "my out/report.html",
    }
    assert set(dict(next_steps(ALL))) == {"what to do", "again"}, "nothing was kept"
    assert next_steps(certificate(PASSED)) == ()


def test_a_device_that_was_not_met_is_told_of_once_and_nothing_is_obeyed_that_it_wrote():
    why = "it ended by itself; it wrote at the end:\n  Traceback \x1b[2J\n  KeyError"
    cells = [not_played(named(f"a/{n}"), f"the device was not met: {why}") for n in range(3)]
    made = certificate(*cells, not_met=NotMet(why=why), not_seen={"bootable": "x"})
    assert made.why == "it ended by itself; it wrote at the end"
    assert made.not_seen == {}
    text = printed(made, 120)
    assert text.count("it wrote at the end") == 1
    assert "not played: all 3 cells\n" in text
    assert r"      Traceback \x1b[2J" in text
    told = markdown(made)
    assert "  Traceback \\x1b[2J\n  KeyError\n```" in told
    assert "### ❔ 3 of 3 cells not played: the device was not met: it ended by itself" in told


def test_in_a_file_a_sentence_is_one_line_and_the_last_one_is_the_outcome():
    lines = printed(ALL, terminal=False).splitlines()
    assert lines[-1] == f"FAILED: {ALL.why}"
    assert f"step/calm FAILED: {FAILED.why}" in lines
    assert "    all that happened: ghostjob trace cells/step/calm" in lines
    there = printed(ALL, terminal=False, out_at=Path("my report"))
    assert "    all that happened: ghostjob trace 'my report/cells/step/calm'\n" in there


def test_what_is_said_of_several_is_said_once_with_their_names():
    left_out = [not_applicable(named(f"a/{n}"), "it speaks no MQTT") for n in range(3)]
    cut_short = [not_played(named(f"b/{n}"), "interrupted") for n in range(2)]
    why = "needs the device's requests"
    made = certificate(PASSED, *left_out, *cut_short, not_seen={"bootable": why, "alive": why, "no-lost-job": "x"})
    lines = printed(made, terminal=False, out_at=Path("there")).splitlines()
    assert lines[-7:-2] == [
        "not applicable: a/0, a/1, a/2: it speaks no MQTT",
        "not played: interrupted: b/0, b/1",
        f"not judged: bootable, alive: {why}",
        "not judged: no-lost-job: x",
        "kept in there: certificate.json, summary.md, junit.xml, trace.jsonl",
    ]
    assert f"- `bootable`, `alive`: {why}\n" in markdown(made)


def test_what_is_kept_is_said_of_what_is_there():
    there, names = Path("there"), "kept in there: certificate.json, summary.md, junit.xml"
    assert f"{names}, trace.jsonl, and each play in cells/\n" in printed(ALL, terminal=False, out_at=there)
    assert f"{names}, and each play in cells/\n" in printed(ALL, terminal=False, out_at=there, has_trace=False)
    assert f"{names}\n" in printed(certificate(CUT), terminal=False, out_at=there, has_trace=False)


def test_on_a_terminal_and_in_a_summary_stands_when_the_job_went():
    for text in (printed(ALL, 200), markdown(ALL)):
        assert "the cloud began to delete job fw, by force  [cloud#27]" in text
        assert "delivered its answer" not in text


def test_the_files_are_whole_and_replace_those_of_before(tmp_path: Path):
    out = tmp_path / "a" / "report"
    write(certificate(PASSED), out)
    write(ALL, out)
    assert sorted(each.name for each in out.iterdir()) == ["certificate.json", "junit.xml", "summary.md"]
    kept = json.loads((out / "certificate.json").read_text("utf-8"))
    assert Certificate.model_validate(kept) == ALL
    assert list(Draft202012Validator(json.loads(shipped("certificate"))).iter_errors(kept)) == []
    assert (out / "junit.xml").read_text("utf-8") == junit_xml(ALL)
    assert (out / "summary.md").read_text("utf-8") == markdown(ALL)


def test_a_directory_that_cannot_be_written_to_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=rf"--out {re.escape(str(tmp_path))}/file: cannot write there: File exists"):
        write(ALL, tmp_path / "file")
