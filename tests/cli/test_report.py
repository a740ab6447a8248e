"""`report.html`: kept with `--out`, and made anew by `ghostjob report`."""

import json
import shutil
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.page.data import PageData
from simulator.trace import write_line
from tests.cli.command import ghostjob
from tests.simulator.certify.played import certificate, played, result
from tests.simulator.page.test_offline import Elements

BAD = ("delete-in-write", "--engine", "virtual", "--devices", "2", "--model", "recovers-without-undoing")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("run")
    done = ghostjob("run", *BAD, "--out", "out", cwd=cwd)
    assert done.returncode == 1, done.stderr
    return cwd / "out"


@pytest.fixture
def copy(out: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(out, tmp_path / "copy"))


def data(directory: Path) -> PageData:
    return Elements((directory / "report.html").read_text("utf-8")).data


def report(directory: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What it prints; its exit code is 0."""
    with pytest.raises(SystemExit) as ended:
        main(["report", str(directory)])
    said = capsys.readouterr()
    assert (ended.value.code, said.err) == (0, "")
    return said.out


def test_a_run_keeps_it(out: Path):
    page = data(out)
    assert (page.state, page.title, page.kind) == ("failed", "delete-in-write", "run")
    assert set(page.lanes) == {"thing-0", "thing-1"}
    assert page.sentence.startswith("Failed: bootable was violated by thing-0 and 1 more device: ")
    assert sorted(path.name for path in out.iterdir()) == [
        "junit.xml",
        "report.html",
        "summary.md",
        "trace.jsonl",
        "verdict.json",
    ]


def test_made_anew_it_is_the_same(copy: Path, out: Path, capsys: pytest.CaptureFixture[str]):
    (copy / "report.html").unlink()
    assert report(copy, capsys) == f"{copy / 'report.html'}\n"
    assert (copy / "report.html").read_bytes() == (out / "report.html").read_bytes()


def test_without_a_verdict_that_can_be_read_the_trace_is_judged(
    copy: Path, out: Path, capsys: pytest.CaptureFixture[str]
):
    for spoil in (lambda path: path.write_text('{"outcome": "odd"}'), lambda path: path.unlink()):
        spoil(copy / "verdict.json")
        report(copy, capsys)
        assert data(copy).invariants == data(out).invariants


def test_of_a_certification_it_has_the_matrix(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = certificate(result("hammering"), thing="thing-0")
    (tmp_path / "certificate.json").write_text(kept.model_dump_json())
    entries = played("hammering").entries
    (tmp_path / "trace.jsonl").write_text("".join(f"{write_line(entry)}\n" for entry in entries))
    report(tmp_path, capsys)
    page = data(tmp_path)
    assert (page.kind, page.state) == ("certify", "failed")
    assert page.matrix is not None
    assert [(cell.id, cell.outcome) for cell in page.matrix.cells] == [("step/calm", "failed")]
    assert page.why == kept.why
    assert f"Failed: {kept.why}".startswith(page.sentence.removesuffix(".")), "without what a machine sent"


def test_of_a_trace_that_nobody_can_judge_there_is_a_page_all_the_same(copy: Path, capsys: pytest.CaptureFixture[str]):
    lines = (copy / "trace.jsonl").read_text().splitlines(keepends=True)
    (copy / "trace.jsonl").write_text("".join(line for line in lines if '"source":"device/thing-0"' in line))
    (copy / "verdict.json").unlink()
    report(copy, capsys)
    page = data(copy)
    assert (page.state, page.is_over, list(page.lanes)) == ("ended", True, ["thing-0"])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda out: (out / "trace.jsonl").unlink(), "cannot be read", id="no trace"),
        pytest.param(lambda out: (out / "trace.jsonl").write_text("{}\n"), "trace.jsonl:1: not a trace", id="no entry"),
        pytest.param(
            lambda out: ((out / "verdict.json").unlink(), (out / "trace.jsonl").write_text("")),
            "there is nothing in it",
            id="nothing",
        ),
        pytest.param(lambda out: (out / "report.html.partial").mkdir(), "cannot be written", id="not to be written"),
    ],
)
def test_what_is_wrong_is_told(copy: Path, capsys: pytest.CaptureFixture[str], spoil, says: str):
    spoil(copy)
    with pytest.raises(SystemExit) as ended:
        main(["report", str(copy)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("ghostjob: ")
    assert says in said
    assert said.count("\n") == 1


def test_the_data_is_as_its_schema_says(out: Path, capsys: pytest.CaptureFixture[str]):
    from jsonschema import Draft202012Validator

    from simulator.schemas import shipped

    validator = Draft202012Validator(json.loads(shipped("page")))
    text = next(
        text for attributes, text in Elements((out / "report.html").read_text()).scripts if attributes.get("id")
    )
    assert [error.message for error in validator.iter_errors(json.loads(text))] == []
