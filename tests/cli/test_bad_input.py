"""Bad input: one line that says what, where and what to do; exit code 2; no traceback; nothing half-written."""

import socket
from pathlib import Path

import pytest

from simulator.cli import VERBS, main
from tests.cli.command import complaint, ghostjob

SCENARIO = "name: x\ndevices: [{group: a}]\njobs: [{id: fw, to: [a], version: '1'}]\n"


def _write(text: str, name: str = "s.yaml"):
    def make(cwd: Path) -> None:
        (cwd / name).write_text(text)

    return make


def _unreadable(cwd: Path) -> None:
    (cwd / "s.yaml").write_bytes(b"\xff\xfe\x00")


def _nothing(cwd: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "arguments", "says"),
    [
        pytest.param(
            _write(SCENARIO + "colour: red\n"), ["run", "s.yaml"], "s.yaml:4: colour: unknown key", id="unknown key"
        ),
        pytest.param(_write("a: [\n"), ["run", "s.yaml"], "s.yaml:2: cannot read the YAML", id="unreadable YAML"),
        pytest.param(_unreadable, ["run", "s.yaml"], "s.yaml: cannot read the scenario: not UTF-8", id="not text"),
        pytest.param(_nothing, ["run", "nope.yaml"], "nope.yaml: no such file", id="no such scenario"),
        pytest.param(_nothing, ["run", "--devices", "0"], "--devices", id="no devices"),
        pytest.param(
            _nothing,
            ["run", "--stand-ins", "10"],
            "--stand-ins: for --engine virtual; elsewhere each device plays for itself",
            id="stand-ins live",
        ),
        pytest.param(
            _nothing,
            ["run", "--devices", "100001"],
            "--devices: at most 100000 play live, not 100001; --engine virtual plays more",
            id="too many live",
        ),
        pytest.param(
            _nothing,
            ["run", "--engine", "virtual", "--devices", "501", "--versus", "deaf"],
            "--versus: two devices side by side are told apart one by one; play 500 at most",
            id="too many side by side",
        ),
        pytest.param(_nothing, ["run", "--model", "perfect"], "model perfect: there is none", id="no such model"),
        pytest.param(
            _nothing,
            ["run", "delete-in-writ"],
            "did you mean delete-in-write, or ",
            id="nearly a scenario",
        ),
        pytest.param(
            _nothing,
            ["fleet", "--model", "deef"],
            "model deef: there is none; did you mean deaf? `ghostjob run --models` tells which there are",
            id="nearly a model",
        ),
        pytest.param(_nothing, ["run", "--engine", "warp"], "--engine", id="unknown engine"),
        pytest.param(
            _write("", "taken"), ["run", "--out", "taken"], "--out taken: cannot write there", id="out is a file"
        ),
        pytest.param(_nothing, ["fly"], "fly", id="unknown verb"),
        pytest.param(_nothing, ["certify", "--wait", "nan", "--", "true"], "--wait: 'nan' is no number", id="no time"),
        pytest.param(_nothing, ["certify", "--only", "nonsense"], "--only nonsense: ", id="no such cell"),
        pytest.param(
            _nothing,
            ["certify", "--cells-from-stdin", "--only", "taking/calm", "--", "true"],
            "--only: the cells come from stdin",
            id="cells from two places",
        ),
        pytest.param(_nothing, ["cloud", "--api-port", "http"], "--api-port", id="no port"),
        pytest.param(
            _nothing,
            ["cloud", "--api-port", "0", "--mqtt-port", "0", "--mqtts-port", "0", "--certs", "c"],
            "ghostjob certs",
            id="missing certificates",
        ),
        pytest.param(
            _nothing,
            ["fleet", "--endpoint", "127.0.0.1:1", "--devices", "1"],
            "127.0.0.1:1: nobody answers",
            id="fleet: nobody there",
        ),
        pytest.param(
            _nothing,
            ["fleet", "--endpoint", "127.0.0.1:1", "--certs", "c", "--devices", "1"],
            "ghostjob certs",
            id="fleet: missing certificate",
        ),
        pytest.param(
            _nothing,
            ["fleet", "--endpoint", "x.iot.eu-west-1.amazonaws.com:8883"],
            "--allow-aws",
            id="fleet: AWS without leave",
        ),
        pytest.param(_nothing, ["fleet", "--endpoint", "localhost"], "HOST:PORT", id="fleet: no port"),
        pytest.param(
            _nothing,
            ["fleet", "--data-endpoint", "127.0.0.1:1", "--model", "start-next"],
            "--data-endpoint: start-next listens to MQTT; those that do not: poller, http-data-plane",
            id="fleet: a listener over HTTPS",
        ),
        pytest.param(
            _nothing,
            ["fleet", "--data-endpoint", "127.0.0.1:1", "--model", "poller"],
            "give --certs",
            id="fleet: HTTPS without a certificate",
        ),
        pytest.param(
            _nothing,
            ["fleet", "--data-endpoint", "x.iot.eu-west-1.amazonaws.com:8443", "--model", "poller", "--certs", "c"],
            "--allow-aws",
            id="fleet: AWS over HTTPS without leave",
        ),
        pytest.param(_write("", "taken"), ["fleet", "--flash", "taken"], "--flash", id="fleet: its flash is a file"),
        pytest.param(
            _write("{}", "thing-0.flash"),
            ["fleet", "--flash", ".", "--endpoint", "127.0.0.1:1", "--devices", "1"],
            "127.0.0.1:1: nobody answers",
            id="fleet: nobody there, whatever its flash",
        ),
        pytest.param(
            _nothing,
            ["control", "--endpoint-url", "http://127.0.0.1:1", "--job-id", "fw", "--after", "0"],
            "nobody answers",
            id="control: nobody there",
        ),
        pytest.param(
            _nothing,
            ["control", "--endpoint-url", "https://iot.eu-west-1.amazonaws.com", "--job-id", "fw", "--after", "0"],
            "--allow-aws",
            id="control: AWS without leave",
        ),
        pytest.param(_nothing, ["control", "--job-id", "fw"], "exactly one of", id="control: no instant"),
        pytest.param(_nothing, ["agent"], "--endpoint: needed", id="agent: no endpoint"),
        pytest.param(_nothing, ["certs", "--thing", "no/such"], "no/such", id="certs: bad thing name"),
    ],
)
def test_bad_input_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    prepare,
    arguments: list[str],
    says: str,
):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert says in complaint(capfd, arguments)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_process_that_was_given_bad_input_says_no_more_than_that(tmp_path: Path):
    done = ghostjob("run", "nope.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ghostjob: nope.yaml: no such file")
    assert len(done.stderr.splitlines()) == 1


def test_a_port_in_use_is_named_with_its_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    others = ["--mqtt-port", "0", "--mqtts-port", "off", "--data-port", "off", "--ready-file", "ready"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = complaint(capfd, ["cloud", "--api-port", port, *others])
    assert f"{port}: in use; choose another with --api-port" in said
    assert not (tmp_path / "ready").exists()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_shows_an_example(verb: str, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        main([verb, "--help"])
    told = capfd.readouterr().out
    assert exit_.value.code == 0
    assert "Example" in told
    assert f"ghostjob {verb}" in told
