"""Where access keys may come from, and what is said of secrets that others may see."""

import os
from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.certificate_files import exposed
from simulator.certs import make_certificates
from simulator.cli import main
from simulator.cli.access_keys import VARIABLE, access_keys
from tests.cli.command import complaint


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    told: list[tuple[str, dict[str, str]]] = []

    class Log:
        def warning(self, event: str, **more: str) -> None:
            told.append((event, more))

    monkeypatch.setattr("simulator.cli.access_keys.get_logger", lambda name: Log())
    return told


def a_file(directory: Path, text: str, mode: int = 0o600) -> Path:
    file = directory / "keys"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_keys_come_from_the_command_line_the_environment_and_a_file(tmp_path: Path):
    file = a_file(tmp_path, "# the lab's\nLAB:s:3/+cret\n\n  CI:other  \n")
    assert access_keys((), None, {}) == ()
    assert access_keys((("A", "x"),), None, {}) == (("A", "x"),)
    assert access_keys((), None, {VARIABLE: "A:x B:y"}) == (("A", "x"), ("B", "y"))
    assert access_keys((), file, {}) == (("LAB", "s:3/+cret"), ("CI", "other"))
    assert access_keys((("A", "x"),), file, {VARIABLE: "B:y"}) == (("A", "x"), ("LAB", "s:3/+cret"), ("CI", "other"))
    assert access_keys((), a_file(tmp_path, "\ufeffLAB:x\r\n"), {}) == (("LAB", "x"),), "as Windows writes it"
    assert access_keys((("CI", "other"),), file, {})[0] == ("CI", "other")


@pytest.mark.parametrize(
    ("text", "environment", "says"),
    [
        pytest.param("", {}, "holds no ID:SECRET", id="an empty file"),
        pytest.param("# none yet\n", {}, "holds no ID:SECRET", id="a file of comments"),
        pytest.param("LAB\n", {}, "line 1 is not ID:SECRET", id="no secret"),
        pytest.param("# lab\n\nA:x\nsecret/access:key\n", {}, "line 4 is not ID:SECRET", id="the wrong way round"),
        pytest.param("A:x\nA:y\n", {}, "access key A: given twice.*keys: line 1 and by .* line 2;", id="two secrets"),
        pytest.param("A:x\n", {VARIABLE: "A:y"}, f"by {VARIABLE}: key 1 and by .*: line 1;", id="in two places"),
        pytest.param(None, {VARIABLE: ""}, "unset it", id="a variable that is empty"),
        pytest.param(None, {VARIABLE: "  "}, "unset it", id="a variable that is blank"),
        pytest.param(None, {VARIABLE: "A"}, "key 1 is not ID:SECRET", id="a variable with no secret"),
        pytest.param("\udcff", {}, "not UTF-8", id="no text"),
        pytest.param("x" * (1 << 21), {}, "larger than", id="another kind of file"),
    ],
)
def test_who_says_where_keys_are_never_gets_an_open_cloud(tmp_path: Path, text: str | None, environment, says: str):
    file = None
    if text is not None:
        file = tmp_path / "keys"
        file.write_bytes(text.encode(errors="surrogateescape"))
        file.chmod(0o600)
    with pytest.raises(InputError, match=says) as caught:
        access_keys((), file, environment)
    assert "secret/access" not in str(caught.value), "what may be a secret is not shown"


def test_two_secrets_of_one_key_on_the_command_line_are_said_to_stand_there():
    with pytest.raises(InputError, match="different secrets, by --access-key; leave one out"):
        access_keys((("A", "x"), ("A", "y")), None, {})


def test_a_file_that_is_not_there_is_said(capfd: pytest.CaptureFixture[str]):
    assert "--access-key-file nowhere: cannot read it" in complaint(capfd, ["cloud", "--access-key-file", "nowhere"])


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_may_read_is_told_of(tmp_path: Path, warned, mode: int, is_told: bool):
    file = a_file(tmp_path, "A:x\n", mode)
    access_keys((), file, {})
    assert [(event, more["hint"]) for event, more in warned] == (
        [("access_keys.exposed", f"chmod 600 {file}")] if is_told else []
    )


def test_the_help_says_who_sees_a_command_line(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["cloud", "--help"])
    told = " ".join(capfd.readouterr().out.split())
    assert "/proc shows command lines" in told
    assert VARIABLE in told


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────


def test_certificates_where_others_may_write_are_told_of(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    directory = tmp_path / "certs"
    directory.mkdir()
    for mode, is_told in ((0o755, False), (0o700, False), (0o775, True), (0o1777, True)):
        directory.chmod(mode)
        with pytest.raises(SystemExit):
            main(["certs", "--dir", str(directory), "--thing", f"t{mode:o}"])
        assert (f"{directory}: others may write there" in capfd.readouterr().err) is is_told


def test_keys_that_others_may_read_are_told_of(tmp_path: Path):
    make_certificates(tmp_path, ["a", "b"])
    tmp_path.chmod(0o755)
    assert list(exposed(tmp_path)) == []
    (tmp_path / "a.key").chmod(0o644)
    [sentence] = exposed(tmp_path)
    assert sentence == f"{tmp_path / 'a.key'}: others may read or write private keys; chmod 600 {tmp_path}/*.key"
    assert list(exposed(tmp_path / "nowhere")) == []


def test_a_key_is_never_written_into_a_file_that_somebody_else_made(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"")
    held = os.open(tmp_path / "a.key.partial", os.O_RDWR | os.O_CREAT, 0o666)
    (tmp_path / "ca.key.partial").symlink_to(elsewhere)
    make_certificates(tmp_path, ["a"])
    assert os.read(held, 100) == b""
    os.close(held)
    assert elsewhere.read_bytes() == b""
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key")} == {0o600}
