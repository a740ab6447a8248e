"""Certifying from a program. What is played is the stand-in's; `ghostjob certify` has tests of its own."""

import inspect
import re
from typing import Any

import pytest

import ghostjob
from ghostjob._certify import matrix
from ghostjob.certification import Afterwards, Bricked, CellResult, Certification, Evidence, NotMet, ProbeSeen
from simulator.certify import certificate as models
from simulator.certify import telling
from tests.docs.blocks import files
from tests.docs.marks import DIRECTORY

from .stand_in import SCRIPT, Log

WRONG = "report-in-flight/answer-lost"


def test_a_device_is_certified_cell_by_cell(stand_in: Log):
    with ghostjob.certify("good --port {port}", cells="quick", thing="pump-7", probes=["cmd:./v.sh"]) as session:
        assert session.offer["port"] == 41883
        results = list(session)
        assert [(result.id, result.outcome) for result in results] == [
            (WRONG, "passed"),
            ("before-start/calm", "passed"),
            ("off-line/power-cut", "not-applicable"),
            ("re-created/late", "passed"),
        ]
        assert session.certification.passed
    assert results[0].passed
    assert results[2].why == "its power cannot be cut"
    assert (session.certification.device_share, session.certification.learned) == (0.75, {"carrier": "mqtt"})
    assert results[0].probes[0].versions == ("A",)
    assert session.certification.not_met == ("as an example", False, ())
    begun, ended = stand_in()
    assert begun["argv"] == ["--probe=cmd:./v.sh", "--thing=pump-7", "--quick", "--", "good", "--port", "{port}"]
    assert ended["ended"] == "passed"


def test_what_a_cell_shows_is_typed(stand_in: Log):
    bad = next(iter(ghostjob.certify(["bad"])))
    (invariant,), (evidence,) = bad.invariants, bad.evidence
    assert (bad.outcome, bad.why, bad.device_seconds) == ("failed", "it works on a job that is gone", 1.25)
    assert (invariant.id, invariant.violations[0].events) == ("no-ghost-work", ("gateway#36",))
    assert (evidence.id, evidence.at) == ("gateway#36", 12.5)
    assert stand_in()[-1]["ended"], "who takes one result and no more leaves nothing behind"


def test_one_cell_can_be_played_by_its_id(stand_in: Log):
    with ghostjob.certify(["good"], cells=["re-created/late"], options=["--seed=3"]) as session:
        assert session.play("re-created/late").passed
        with pytest.raises(ghostjob.InputError, match="fly: there is no such cell"):
            session.play("fly")
        with pytest.raises(ghostjob.GhostjobError, match="no certificate before"):
            assert session.certification
    assert [cell.id for cell in session.certification.cells] == ["re-created/late"]
    assert stand_in()[0]["argv"] == ["--seed=3", "--only=re-created/late", "--", "good"]


@pytest.mark.parametrize(
    ("device", "kind", "says"),
    [
        ("absent", ghostjob.GhostjobError, "nobody connected in 60 s; is the port right?"),
        ("misplaced", ghostjob.InputError, "--probe: there is no such file"),
        ("crashes", ghostjob.GhostjobError, "ended with exit code -9\na fault of ours"),
    ],
)
def test_what_comes_to_no_cell_says_why(stand_in: Log, device: str, kind: type[Exception], says: str):
    with pytest.raises(kind) as refused:
        list(ghostjob.certify([device]))
    assert str(refused.value) == says


def test_a_device_that_does_not_come_back_is_told_with_its_cell(stand_in: Log):
    with ghostjob.certify(["bricks"]) as session:
        result = session.play(WRONG)
    assert (result.passed, result.is_bricked) == (True, True)


def test_a_session_without_a_certificate_is_a_fault(stand_in: Log):
    with pytest.raises(ghostjob.GhostjobError, match=r"ended with exit code 1\n.*no space left"):
        assert list(ghostjob.certify(["cannot-write"], cells=[WRONG]))


def test_who_leaves_early_interrupts_it(stand_in: Log):
    def left(session: Any) -> None:
        with session:
            session.learn()
            raise KeyboardInterrupt

    session = ghostjob.certify(["good"])
    with pytest.raises(KeyboardInterrupt):
        left(session)
    assert session.certification.why == "interrupted"


def test_on_an_account_the_end_is_waited_for_and_what_is_left_there_is_told(
    stand_in: Log, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ghostjob._certify.END_SECONDS", 0.0)
    with ghostjob.certify(thing="pump-7", options=["--allow-aws"]) as session:
        session.learn()
    assert stand_in()[-1]["removed"]
    assert session.left == ("aws iot delete-thing --thing-name pump-7",)


def test_a_session_that_has_not_begun_or_is_over_plays_nothing(stand_in: Log):
    session = ghostjob.certify(["good"])
    with pytest.raises(ghostjob.GhostjobError, match="has not begun"):
        session.play(WRONG)
    assert list(session)
    for again in (lambda: session.play(WRONG), lambda: list(session)):
        with pytest.raises(ghostjob.GhostjobError, match="has ended"):
            again()


def test_a_command_that_no_shell_could_read_is_refused():
    with pytest.raises(ghostjob.InputError, match=r"\./a 'b: No closing quotation; quote as in a shell"):
        ghostjob.certify("./a 'b")


def test_cells_are_quick_or_full_or_a_sequence():
    with pytest.raises(ghostjob.InputError, match=r'cells fast: give "quick", "full" or a sequence of ids'):
        ghostjob.certify(["good"], cells="fast")


def test_the_matrix_is_listed_without_a_device(stand_in: Log):
    cells = matrix()
    assert [cell.id for cell in cells if not cell.quick] == ["re-created/late"]
    assert cells[2].needs == ("power",)
    assert stand_in() == [{"listed": True, "pid": stand_in()[0]["pid"]}]


def test_the_example_on_the_page_runs(stand_in: Log, capsys: pytest.CaptureFixture[str]):
    exec(compile(files(DIRECTORY / "python.md")["certify_pump.py"], "python.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[0] == f"passed {WRONG} "


def test_the_stand_in_says_nothing_that_certify_does_not_say():
    said = set(re.findall(r'say\("([a-z.]+)", (\w+)=', SCRIPT.read_text("utf-8")))
    rows = re.findall(r"^    ([a-z.]+) +(\{.*\})  ", telling.__doc__ or "", re.MULTILINE)
    assert said
    assert said <= {(event, member) for event, members in rows for member in re.findall(r'"(\w+)"', members)}


def test_a_certificate_has_every_member_that_the_file_has():
    for ours, theirs in (
        (Certification, models.Certificate),
        (CellResult, models.CellResult),
        (Evidence, models.Evidence),
        (ProbeSeen, models.ProbeSeen),
        (Afterwards, models.Afterwards),
        (Bricked, models.Bricked),
        (NotMet, models.NotMet),
    ):
        assert set(inspect.get_annotations(ours)) == set(theirs.model_fields), ours
