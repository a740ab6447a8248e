"""Real programs, with children and grandchildren, obedient or not: nothing of them is left, and nobody else is hit."""

import asyncio
import json
import os
import pwd
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.handlers.files import write_json
from agent.handlers.handler import StepError
from agent.handlers.process_table import KEEPER, LEADER, MARKER, boot_id, own_service
from agent.handlers.processes import Processes, Program

DEAF = "trap '' TERM"
CHILDREN = "(exec sleep 60) & (exec sleep 60 &) ; (trap '' TERM; while :; do sleep 60; done) &"
"""A child, a grandchild whose parent has gone, and a child that ignores SIGTERM."""
DAEMON = "setsid sleep 60 &"


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path / "processes", grace_seconds=0.2)


def program(directory: Path, script: str, seconds: float = 60.0, **environment: str) -> Program:
    return Program(("sh", "-c", script), directory, seconds, {**os.environ, "FAMILY": str(directory), **environment})


def family(directory: Path) -> list[int]:
    """Every living process that was started for this test."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            mine = f"FAMILY={directory}".encode() in (entry / "environ").read_bytes().split(b"\0")
            lives = (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            continue
        if mine and lives:
            found.append(int(entry.name))
    return found


@pytest.fixture(autouse=True)
def _nobody_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    left = family(tmp_path)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


READY = "echo >ready"
"""What a program does to say so; it waits until somebody hears it."""


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "ready")
    return tmp_path / "ready"


def gone(pid: int) -> None:
    """Return when that process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([descriptor], [], [])
    os.close(descriptor)


@contextmanager
def sleeper(**environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True, env={**os.environ, **environment}) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("script", "code", "stdout", "stderr"),
    [
        pytest.param("echo hello; echo woe >&2; exit 3", 3, "hello\n", "woe\n", id="that fails"),
        pytest.param("yes | head -c 100000; echo; echo end", 0, "y\n" * 509 + "\nend\n", "", id="that talks much"),
        pytest.param("cat", 0, "", "", id="that reads what nobody writes"),
        pytest.param("kill -9 $$", -9, "", "", id="that is killed"),
    ],
)
async def test_a_program_runs_to_its_end(
    tmp_path: Path, processes: Processes, script: str, code: int, stdout: str, stderr: str
):
    ended = await processes.run(program(tmp_path, script))
    assert (ended.code, ended.stdout[-1023:], ended.stderr) == (code, stdout[-1023:], stderr)
    assert list((tmp_path / "processes").iterdir()) == []


async def test_what_a_program_leaves_in_its_session_ends_with_it(tmp_path: Path, processes: Processes):
    ended = await processes.run(program(tmp_path, CHILDREN))
    assert ended.code == 0


async def test_what_made_a_session_of_its_own_outlives_a_program_that_ends_well(tmp_path: Path, processes: Processes):
    ended = await processes.run(program(tmp_path, "mkfifo up; setsid sh -c 'echo >up; exec sleep 60' & read -r _ <up"))
    assert ended.code == 0
    (daemon,) = family(tmp_path)
    os.kill(daemon, signal.SIGKILL)
    gone(daemon)


@pytest.mark.parametrize(
    "script", [CHILDREN, f"{DEAF}; {CHILDREN}", DAEMON], ids=["a family", "a deaf one", "a daemon"]
)
async def test_all_of_it_ends_when_its_time_is_up(tmp_path: Path, processes: Processes, script: str):
    ended = await processes.run(program(tmp_path, f"{script} while :; do sleep 60; done", seconds=0.1))
    assert ended.code is None


@pytest.mark.parametrize(
    "script", [CHILDREN, f"{DEAF}; {CHILDREN}", DAEMON], ids=["a family", "a deaf one", "a daemon"]
)
async def test_all_of_it_ends_before_a_cancelled_run_returns(
    tmp_path: Path, ready: Path, processes: Processes, script: str
):
    running = asyncio.create_task(processes.run(program(tmp_path, f"{script} {READY}; while :; do sleep 60; done")))
    await asyncio.to_thread(ready.read_bytes)
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()  # whoever insists waits all the same
    with pytest.raises(asyncio.CancelledError):
        await running
    assert family(tmp_path) == []
    assert list((tmp_path / "processes").iterdir()) == []


async def test_a_program_that_does_not_exist_is_named(tmp_path: Path, processes: Processes):
    with pytest.raises(StepError, match="no/such: no such program"):
        await processes.run(Program(("no/such",), tmp_path, 1.0, os.environ))


async def test_a_program_is_looked_for_where_it_begins(tmp_path: Path, processes: Processes):
    (tmp_path / "it").symlink_to("/bin/echo")
    ended = await processes.run(Program(("./it", "here"), tmp_path, 60.0, {}))
    assert (ended.code, ended.stdout) == (0, "here\n")


async def test_nothing_begins_before_it_is_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    records = tmp_path / "processes"
    script = f'test -s {records}/$GHOSTJOB_STEP.json && grep -q "\\"pid\\": $$," {records}/$GHOSTJOB_STEP.json'
    ended = await Processes(records, 0.2).run(program(tmp_path, script))
    assert ended.code == 0

    def full(path: Path, value: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agent.handlers.processes.write_json", full)
    with pytest.raises(OSError, match="No space left"):
        await Processes(records, 0.2).run(program(tmp_path, "touch begun"))
    assert not (tmp_path / "begun").exists()


AGENT = """
import asyncio, os, sys
from pathlib import Path
from agent.handlers.processes import Processes, Program

here = Path(sys.argv[1])
asyncio.run(Processes(here / "processes", 0.2).run(Program(("sh", "-c", sys.argv[2]), here, 60.0, os.environ)))
"""


def killed_agent(tmp_path: Path, ready: Path, script: str) -> None:
    """An agent runs `script` until that is ready, and is killed; what it ran goes on."""
    command = [sys.executable, "-c", AGENT, str(tmp_path), script]
    with subprocess.Popen(command, env={**os.environ, "FAMILY": str(tmp_path)}) as agent:
        ready.read_bytes()
        agent.kill()


async def test_what_a_killed_agent_left_behind_is_ended_by_the_next(tmp_path: Path, ready: Path, processes: Processes):
    killed_agent(tmp_path, ready, f"{DEAF}; {CHILDREN} {DAEMON} {READY}; while :; do sleep 60; done")
    assert len(family(tmp_path)) >= 5
    assert await processes.end_leftovers() >= 5
    assert family(tmp_path) == []
    assert list((tmp_path / "processes").iterdir()) == []


async def test_what_is_left_is_ended_even_if_the_program_itself_has_gone(
    tmp_path: Path, ready: Path, processes: Processes
):
    killed_agent(tmp_path, ready, f"mkfifo go; {CHILDREN} {READY}; read -r _ <go")
    (record,) = (tmp_path / "processes").iterdir()
    (tmp_path / "go").write_text("go\n")
    gone(json.loads(record.read_text())["pid"])
    assert await processes.end_leftovers() >= 3
    assert family(tmp_path) == []


@pytest.mark.parametrize("boot", ["here", "another"])
async def test_a_stranger_with_the_same_process_id_is_left_alone(tmp_path: Path, processes: Processes, boot: str):
    with sleeper() as stranger:
        (tmp_path / "processes").mkdir()
        started = 1 if boot == "here" else _started(stranger.pid)
        record = {"pid": stranger.pid, "started": started, "boot": boot_id() if boot == "here" else boot}
        write_json(tmp_path / "processes" / "0123.json", record)
        assert await processes.end_leftovers() == 0
        assert stranger.poll() is None
    assert list((tmp_path / "processes").iterdir()) == []


async def test_a_damaged_record_still_names_the_marker(tmp_path: Path, processes: Processes):
    with sleeper(**{MARKER: "0123"}) as left:
        (tmp_path / "processes").mkdir()
        (tmp_path / "processes" / "0123.json").write_text("{")
        assert await processes.end_leftovers() == 1
        assert left.wait() == -signal.SIGTERM


def _started(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


NOBODY = pwd.getpwnam("nobody")
HAS_HOME = Path(NOBODY.pw_dir).is_dir()
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as somebody else")


@ONLY_ROOT
async def test_a_program_runs_as_another_user_if_the_agent_is_root(tmp_path: Path, processes: Processes):
    ended = await processes.run(Program(("sh", "-c", "id -un; id -gn"), Path("/"), 60.0, {}, "nobody"))
    assert ended.stdout.split() == ["nobody", "nogroup"]
    with pytest.raises(StepError, match="no user nosuchuser"):
        await processes.run(Program(("true",), Path("/"), 60.0, {}, "nosuchuser"))


@ONLY_ROOT
async def test_another_users_program_gets_nothing_of_the_agents_environment(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.setenv("TZ", "UTC")
    ended = await processes.run(Program(("env",), tmp_path, 60.0, {"GHOSTJOB_JOB_ID": "fw"}, "nobody"))
    found = dict(line.split("=", 1) for line in ended.stdout.splitlines())
    assert found.keys() - {"PWD", "OLDPWD", "SHLVL", "_", "LANG", "LC_ALL"} == {
        *("HOME", "USER", "LOGNAME", "SHELL", "PATH", "TZ", "GHOSTJOB_JOB_ID", MARKER, KEEPER, LEADER)
    }
    assert str(tmp_path) not in ended.stdout
    assert (found["HOME"], found["USER"], found["LOGNAME"]) == (NOBODY.pw_dir, "nobody", "nobody")
    where = await processes.run(Program(("pwd",), tmp_path, 60.0, {}, "nobody"))
    assert where.stdout.strip() == (NOBODY.pw_dir if HAS_HOME else "/")


def test_records_are_for_their_owner_alone(tmp_path: Path):
    asyncio.run(Processes(tmp_path / "processes", 0.2).run(program(tmp_path, "true")))
    assert (tmp_path / "processes").stat().st_mode & 0o777 == 0o700


# ── who this agent is to the service manager ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cgroup", "service"),
    [
        pytest.param("0::/system.slice/ghost.service\n", "ghost.service", id="a system service"),
        pytest.param("0::/user.slice/user@1.service/app.slice/ghost.service\n", "ghost.service", id="a user's"),
        pytest.param("1:name=systemd:/system.slice/ghost.service\n0::/\n", "ghost.service", id="several hierarchies"),
        pytest.param("0::/user.slice/user@1.service/session.scope\n", "", id="a session of one"),
        pytest.param("2:memory:/docker/x.service\n0::/\n", "", id="another hierarchy alone"),
        pytest.param("0::/\n", "", id="a container"),
        pytest.param(None, "", id="a machine without them"),
    ],
)
def test_the_service_that_an_agent_runs_as_is_its_innermost_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cgroup: str | None, service: str
):
    (tmp_path / "self").mkdir()
    if cgroup is not None:
        (tmp_path / "self" / "cgroup").write_text(cgroup)
    monkeypatch.setattr("agent.handlers.process_table.PROC", tmp_path)
    assert own_service() == service
