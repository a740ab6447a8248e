"""What may be wrong with a real agent's options, files and machine."""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.configuration import configuration_of
from agent.connection import Connection, Identity, transport_of
from agent.log import configure
from simulator.certs import make_certificates
from tests.cli.command import complaint

AGENT = ["agent", "--endpoint", "127.0.0.1:1883", "--thing", "dev", "--state", "st"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    configure("text", "error")


def _write(text: str, name: str = "s.yaml"):
    def make(cwd: Path) -> None:
        (cwd / name).write_text(text)

    return make


def _certificates(broken: str):
    def make(cwd: Path) -> None:
        make_certificates(cwd, ["dev", "other"])
        if broken:
            (cwd / broken).write_text("nonsense")

    return make


def _journal(content: bytes):
    def make(cwd: Path) -> None:
        for name in ("files", "scripts"):
            (cwd / "st" / name).mkdir(parents=True, mode=0o755)
        (cwd / "st").chmod(0o700)
        (cwd / "st" / "lock").touch()
        (cwd / "st" / "journal").write_bytes(content)

    return make


def _config_below_root(cwd: Path) -> None:
    (cwd / "in").mkdir()
    (cwd / "in" / "c.yaml").write_text("{}")


def _program_below_root(cwd: Path) -> None:
    (cwd / "in").mkdir()
    (cwd / "in" / "restart.sh").write_text("#!/bin/sh\n")
    (cwd / "in" / "restart.sh").chmod(0o755)


def _shared_state(cwd: Path) -> None:
    (cwd / "st").mkdir()
    (cwd / "st").chmod(0o1777)


def _unreadable_note(cwd: Path) -> None:
    _journal(b"")(cwd)
    (cwd / "st" / "boot.json").mkdir()


def _given(*names: str) -> list[str]:
    return [f"--{option}={name}" for option, name in zip(("ca", "cert", "key"), names, strict=True)]


def _nothing(cwd: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "arguments", "says"),
    [
        pytest.param(_nothing, [*AGENT[:3]], "--thing: needed", id="no thing"),
        pytest.param(_nothing, [*AGENT, "--thing", "a/b"], "--thing:", id="bad thing name"),
        pytest.param(
            _nothing, ["agent", "--endpoint", "tcp://h", "--thing", "a"], "no scheme", id="endpoint with scheme"
        ),
        pytest.param(
            _nothing, ["agent", "--endpoint", "iot.example.com", "--thing", "a"], "needs TLS", id="plain abroad"
        ),
        pytest.param(_nothing, [*AGENT, "--port", "1"], "names another one", id="two ports"),
        pytest.param(_nothing, [*AGENT, "--cert", "c"], "--key: the certificate", id="cert without key"),
        pytest.param(
            _nothing, [*AGENT, "--cert", "c", "--key", "k"], "--cert c: no such file", id="missing certificate"
        ),
        pytest.param(_nothing, [*AGENT, "--transport", "smoke"], "--transport:", id="unknown transport"),
        pytest.param(_nothing, [*AGENT, "--allow", "fly"], "--allow fly: there is no", id="unknown operation"),
        pytest.param(_journal(b""), [*AGENT, "--layout", "swap"], "needs a plug-in", id="layout without a handler"),
        pytest.param(_nothing, [*AGENT, "--root", "no"], "--root no: no such directory", id="no root"),
        pytest.param(_nothing, [*AGENT, "--root", "."], "below --root", id="its state below root"),
        pytest.param(
            _config_below_root,
            [*AGENT, "--root", "in", "--config", "in/c.yaml"],
            "below --root",
            id="config below root",
        ),
        pytest.param(
            _config_below_root,
            [*AGENT, "--root", "in", "--ca", "in/c.yaml"],
            "--ca in/c.yaml: lies below --root",
            id="CA below root",
        ),
        pytest.param(
            _program_below_root,
            [*AGENT, "--root", "in", "--restart-command", "sh in/restart.sh --all"],
            "--restart-command in/restart.sh: lies below --root",
            id="program below root",
        ),
        pytest.param(
            _nothing,
            [*AGENT, "--reboot-command", "sh -c 'reboot"],
            "ghostjob: --reboot-command: No closing quotation",
            id="a quote that does not close",
        ),
        pytest.param(_shared_state, AGENT, "st: others may write to it", id="a state directory like /tmp"),
        pytest.param(_unreadable_note, AGENT, "boot.json: Is a directory; the agent cannot", id="disk in disorder"),
        pytest.param(_nothing, [*AGENT, "--config", "no"], "--config no: cannot be read", id="no config"),
        pytest.param(
            _write("colour: red\n"), [*AGENT, "--config", "s.yaml"], "s.yaml: colour: unknown", id="unknown key"
        ),
        pytest.param(_write("port: x\n"), [*AGENT, "--config", "s.yaml"], "s.yaml: port:", id="bad value"),
        pytest.param(_write("[1]"), [*AGENT, "--config", "s.yaml"], "no object", id="config is a list"),
        pytest.param(_write("a: ["), [*AGENT, "--config", "s.yaml"], "neither JSON nor YAML", id="no YAML"),
        pytest.param(_write("", "st"), [*AGENT], "st: cannot be", id="its state is a file"),
        pytest.param(
            _certificates("ca.pem"),
            [*AGENT, *_given("ca.pem", "dev.pem", "dev.key")],
            "ca.pem: no readable",
            id="bad CA",
        ),
        pytest.param(
            _certificates(""),
            [*AGENT, *_given("ca.pem", "dev.pem", "other.key")],
            "does not go with",
            id="another's key",
        ),
        pytest.param(
            _certificates("dev.pem"),
            [*AGENT, *_given("ca.pem", "dev.pem", "dev.key"), "--transport", "awsiot"],
            "no use for TLS",
            id="bad certificate, awsiotsdk",
        ),
        pytest.param(
            _journal(b"ghostjob-journal 9.0\n" + bytes(20)),
            AGENT,
            "written in format 9 by another agent",
            id="journal of a newer agent",
        ),
        pytest.param(
            _write("no trace"), [*AGENT, "--trace", "s.yaml"], "not a trace entry", id="trace is something else"
        ),
    ],
)
def test_bad_input_is_said_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], prepare, arguments: list[str], says: str
):
    prepare(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert says in complaint(capfd, arguments)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_command_is_found_from_wherever_it_is_started(tmp_path: Path):
    commands = {"restart_command": "./restart.sh now", "reboot_command": "systemctl reboot"}
    told = configuration_of({"endpoint": "127.0.0.1", "thing": "dev", "state": Path("st")} | commands, None)
    context = told.settings(is_local=True).context
    assert (context.restart, context.reboot) == ((str(tmp_path / "restart.sh"), "now"), ("systemctl", "reboot"))


def test_a_configuration_file_may_speak_of_home_as_a_shell_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    _write('{"endpoint": "localhost", "thing-name": "dev", "root-ca": "~/ca.pem", "cert": "~/c", "key": "~/k"}')(
        tmp_path
    )
    told = configuration_of({}, Path("s.yaml"))
    assert (told.ca, told.cert, told.key) == (tmp_path / "ca.pem", tmp_path / "c", tmp_path / "k")


def test_two_agents_do_not_share_a_state_directory(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    (tmp_path / "st").mkdir()
    with (tmp_path / "st" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        assert "st: another agent uses it (process 4711); stop that one" in complaint(capfd, AGENT)


def test_a_state_directory_that_cannot_be_locked_is_not_taken_for_another_agents(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("agent.device.fcntl.flock", no_locks)
    assert "st: cannot be locked: No locks available; give a local directory" in complaint(capfd, AGENT)


def test_firmware_that_cannot_say_what_runs_is_told_in_one_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def confused(*_: object) -> None:
        raise KeyError("slot")

    monkeypatch.setattr("agent.handlers.slots.SlotFiles.booted", confused)
    says = "ghostjob: agent.handlers.slots: its handler of 'write' cannot say what runs: KeyError: 'slot'"
    assert complaint(capfd, AGENT) == says


async def test_a_key_that_others_may_read_is_warned_of(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    make_certificates(tmp_path, ["dev"])
    (tmp_path / "dev.key").chmod(0o644)
    configure("text", "warning")
    identity = Identity(tmp_path / "dev.pem", tmp_path / "dev.key", tmp_path / "ca.pem")
    async with transport_of(Connection("dev", "localhost", 8883, identity), "seed"):
        pass
    assert "key.exposed" in (said := capfd.readouterr().err)
    assert "chmod 600" in said


@pytest.mark.parametrize(
    ("release", "systems"),
    [
        pytest.param({"ID": "debian", "NAME": "Debian"}, ("linux", "debian"), id="debian"),
        pytest.param({"ID": "rhel"}, ("linux", "rhel", "redhat"), id="Red Hat, which documents call redhat"),
        pytest.param({}, ("linux",), id="a release without a name"),
        pytest.param(None, ("linux",), id="none"),
    ],
)
def test_conditions_are_held_against_what_the_machine_says_that_it_runs(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str] | None, systems: tuple[str, ...]
):
    def told() -> dict[str, str]:
        if release is None:
            raise FileNotFoundError("/etc/os-release")
        return release

    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.freedesktop_os_release", told)
    device = configuration_of({"endpoint": "127.0.0.1", "thing": "dev", "state": Path("st")}, None)
    assert device.settings(is_local=True).policy.abilities.systems == systems


@pytest.mark.parametrize(
    ("command", "is_ours"), [("systemctl restart ghost", True), ("systemctl restart nginx", False), ("", False)]
)
def test_a_restart_command_may_be_the_agents_own(command: str, is_ours: bool):
    given = {"endpoint": "127.0.0.1", "thing": "dev", "state": Path("st"), "service": "ghost.service"}
    device = configuration_of(given | {"restart_command": command}, None)
    assert device.settings(is_local=True).policy.abilities.restart_is_ours is is_ours
