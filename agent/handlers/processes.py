"""Programs that leave nothing behind: each in a session of its own, on record before its first instruction.

A shell is started first, in a new session, and waits for a line. Only when its process id, the time at which it
started and a marker that its environment carries are durably on record, it is told to become the program. So an
agent that is killed at any instant finds, when it comes back, either a record, or nothing that has begun. Should its
records be lost too, it finds what still runs by the environment alone.
"""

import asyncio
import contextlib
import hashlib
import os
import pwd
import resource
import secrets
import shutil
import signal
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.causes import Cause
from agent.handlers.files import read_json, write_json
from agent.handlers.handler import Context, StepError, StepTask, say
from agent.handlers.process_table import (
    KEEPER,
    LEADER,
    MARKER,
    PROC,
    Process,
    StartedProgram,
    boot_id,
    members,
    send,
    started_at,
    unrecorded,
)

GATE: Final = f'read -r go || exit 126; export {LEADER}=$$; exec "$@" </dev/null'
"""What the shell does; if the agent dies first, the pipe closes and nothing begins."""
LOOK_SECONDS: Final = 0.02
KILL_SECONDS: Final = 10.0
"""How long the kernel may take to end what was killed."""
LAST_WORDS_SECONDS: Final = 1.0
TAIL_BYTES: Final = 1024
OUTPUT_BYTES: Final = 64 << 20
"""Of one descriptor. All but the end is thrown away, but reading it keeps the agent from everything else."""
DOWN_SECONDS: Final = {"agent": 120.0, "machine": 300.0}
"""How long what restarts the one or the other may take to end this agent; systemd gives a service 90 s."""
TAKEN_DOWN: Final = frozenset({0} | {told for end in (1, 9, 15) for told in (-end, 128 + end)})
"""How a program ends that restarts the agent: well, or together with it by SIGHUP, SIGKILL or SIGTERM, as a shell may
have it too."""
LOGIN_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
EVERYBODYS: Final = ("LANG", "LC_ALL", "TZ")
"""What the environment says of the machine, and not of whose it is."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, in `directory`, with `environment` beside the agent's own.

    `user` is somebody else, empty for the agent's own user. Of what the agent has and knows, somebody else's program
    gets nothing: it starts at that user's home, with an environment as after a login.

    `memory_bytes` are the data that it, and each process that comes of it, may have (RLIMIT_DATA: what is only reserved
    does not count; None: as much as the agent). `output_bytes` are what it may write to stdout or to stderr.
    """

    command: tuple[str, ...]
    directory: Path
    seconds: float
    environment: Mapping[str, str]
    user: str = ""
    memory_bytes: int | None = None
    output_bytes: int = OUTPUT_BYTES


@dataclass(frozen=True, slots=True)
class ProgramExit:
    """How a program ended: its exit status, negative for a signal, None if it was ended. Of its words, the last.

    `flooded`: it was ended because it wrote more than so many bytes; 0 if not.
    """

    code: int | None
    stdout: str
    stderr: str
    stderr_lines: int
    flooded: int = 0


class Processes:
    """Runs programs; their records are kept in `directory`. `grace_seconds` lie between SIGTERM and SIGKILL."""

    def __init__(self, directory: Path, grace_seconds: float) -> None:
        self._directory = directory
        self._keeper = hashlib.sha256(os.fsencode(directory)).hexdigest()[:32]
        self._grace_seconds = grace_seconds

    async def run(self, program: Program) -> ProgramExit:
        """Run to the end, or until cancelled, and leave nothing of it. Raises StepError, OSError.

        What has made a session of its own outlives a program that ends by itself in time; nothing else does.
        """
        surroundings = _surroundings(program)
        _check(program.command[0], surroundings["cwd"], surroundings["env"])
        flood = asyncio.Event()
        token, stdout, stderr = secrets.token_hex(16), *(_Words(program.output_bytes, flood) for _ in range(2))
        surroundings["env"] |= {MARKER: token, KEEPER: self._keeper}
        process = await _start(program.command, surroundings, stdout, stderr)
        group = StartedProgram(token, process.pid, started_at(process.pid), boot_id())
        ended = False
        try:
            self._put_on_record(group)
            _bound(process.pid, program.memory_bytes)
            assert process.stdin is not None, "it is a pipe"
            process.stdin.write(b"go\n")
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(program.seconds):
                    ended = await _ends(process, flood)
        finally:
            await _to_the_end(self._finish(group, process, daemons=not ended))
            await _to_the_end(_hear_out(stdout, stderr))
        flooded = program.output_bytes if flood.is_set() and not ended else 0
        return ProgramExit(process.returncode if ended else None, stdout.tail, stderr.tail, stderr.lines, flooded)

    async def end_leftovers(self) -> int:
        """End what an agent that was killed left running; how many processes that were."""
        count = 0
        for record in sorted(self._directory.glob("*")):
            if record.suffix == ".json":
                known = read_json(record) or {}
                group = StartedProgram(
                    record.stem, known.get("pid", 0), known.get("started", 0), known.get("boot", boot_id())
                )
                if group.boot == boot_id():
                    count += await self._end(group, daemons=True)
            record.unlink()
        for group in list(unrecorded(self._keeper)):
            count += await self._end(group, daemons=True)
        return count

    def _put_on_record(self, group: StartedProgram) -> None:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = {"pid": group.pid, "started": group.started, "boot": group.boot}
        write_json(self._directory / f"{group.token}.json", known)

    async def _finish(self, group: StartedProgram, process: asyncio.subprocess.Process, *, daemons: bool) -> None:
        await self._end(group, daemons=daemons)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_SECONDS):
                await process.wait()
        (self._directory / f"{group.token}.json").unlink(missing_ok=True)

    async def _end(self, group: StartedProgram, *, daemons: bool) -> int:
        """SIGTERM to all that is left, SIGKILL to what is left after that; returns how many there were."""
        loop = asyncio.get_running_loop()
        begun, wait, told = loop.time(), LOOK_SECONDS, set[Process]()
        while left := list(members(group, daemons=daemons)):
            spent = loop.time() - begun
            if spent > self._grace_seconds + KILL_SECONDS:
                break
            for member in left:
                if spent > self._grace_seconds or member not in told:
                    send(member, signal.SIGKILL if spent > self._grace_seconds else signal.SIGTERM)
                    told.add(member)
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, 10 * LOOK_SECONDS)
        return len(told)


async def run_configured(
    processes: Processes, context: Context, command: tuple[str, ...], what: str, task: StepTask
) -> str:
    """Run a command of the device's owner, if there is one; returns what it said. Raises StepError."""
    if not command:
        return ""
    surroundings = environment_of(context, task.execution.job_id, task.version)
    output = context.run_output_bytes
    ended = await processes.run(Program(command, task.aside, context.run_seconds, surroundings, output_bytes=output))
    if task.step.restarts:
        await wait_for_own_end(task.step.restarts, ended, fault_of(ended, context.run_seconds))
    if ended.code != 0:
        cause = Cause.SELF_TEST if what == "self-test" else program_cause(ended)
        raise StepError(f"the {what} command failed: {fault_of(ended, context.run_seconds)}", cause)
    return ended.stdout


async def wait_for_own_end(restarts: str, ended: ProgramExit, fault: str) -> None:
    """After a program that restarts the agent or the machine: wait to be ended. Returns if it failed by itself.

    Raises StepError if nobody ends this agent.
    """
    if ended.code not in TAKEN_DOWN:
        return
    seconds = DOWN_SECONDS[restarts]
    await asyncio.sleep(seconds)
    said = fault or "the program ended well"
    raise StepError(f"{said}, and the {restarts} was not restarted within {seconds:g} s", Cause.TIMEOUT)


def environment_of(context: Context, job_id: str, version: str = "") -> dict[str, str]:
    """What tells programs what they are run for."""
    return {"GHOSTJOB_THING": context.thing, "GHOSTJOB_JOB_ID": job_id, "GHOSTJOB_VERSION": version}


def fault_of(ended: ProgramExit, limit_seconds: float) -> str:
    """Why this end is a failure; empty if it is none."""
    last = say(ended.stderr.strip().rpartition("\n")[2])
    if ended.flooded:
        return f"wrote more than {ended.flooded} bytes, and was ended with all that it had started"
    if ended.code is None:
        return f"not done after {limit_seconds:g} s, and ended with all that it had started"
    if ended.code < 0:
        return f"ended by signal {-ended.code}"
    if ended.code != 0:
        return f"exit status {ended.code}" + (f": {last}" if last else "")
    return ""


def program_cause(ended: ProgramExit) -> Cause:
    """What its failure is called: it took too long, or it was the program's own."""
    return Cause.TIMEOUT if ended.code is None and not ended.flooded else Cause.PROGRAM


def _check(name: str, directory: str | Path, environment: Mapping[str, str]) -> None:
    if not (PROC / "self/stat").exists():
        raise StepError("programs cannot be kept track of without /proc", Cause.DISK)
    there = os.path.join(directory, name) if "/" in name else name
    if shutil.which(there, path=environment.get("PATH")) is None:
        raise StepError(f"{name[:200]}: no such program, or not one that may be run", Cause.NOT_FOUND)


async def _start(
    command: tuple[str, ...], surroundings: Mapping[str, Any], stdout: "_Words", stderr: "_Words"
) -> asyncio.subprocess.Process:
    """The shell that waits to become the program."""
    out, err = await stdout.listen(), await stderr.listen()
    try:
        return await asyncio.create_subprocess_exec(
            "/bin/sh",
            *("-c", GATE, "sh", *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=err,
            start_new_session=True,
            **surroundings,
        )
    except ValueError as error:  # a NUL, or half of a surrogate pair, in a word or in the environment
        raise StepError(f"{command[0][:200]!r}: cannot be started: {error}", Cause.WRONG_CONTENT) from None
    finally:
        os.close(out)
        os.close(err)


def _bound(pid: int, memory_bytes: int | None) -> None:
    """Limit what has not begun yet. Raises StepError where the kernel cannot."""
    if memory_bytes is None:
        return
    try:
        resource.prlimit(pid, resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    except (OSError, ValueError) as error:
        raise StepError(f"its memory cannot be limited to {memory_bytes} bytes: {error}", Cause.PERMISSION) from None


async def _ends(process: asyncio.subprocess.Process, flood: asyncio.Event) -> bool:
    """Wait until it ends by itself, or has written too much; whether it was the former."""
    ending, flooding = asyncio.ensure_future(process.wait()), asyncio.ensure_future(flood.wait())
    try:
        await asyncio.wait((ending, flooding), return_when=asyncio.FIRST_COMPLETED)
        return ending.done()
    finally:
        ending.cancel()
        flooding.cancel()


def _surroundings(program: Program) -> dict[str, Any]:
    """As whom, where and with what environment a child begins. Raises StepError."""
    somebody = _somebody_else(program.user)
    if somebody is None:
        return {"cwd": program.directory, "env": {**os.environ, **program.environment}}
    name, home = somebody.pw_name, somebody.pw_dir
    login = {"HOME": home, "USER": name, "LOGNAME": name, "SHELL": somebody.pw_shell, "PATH": LOGIN_PATH}
    shared = {key: os.environ[key] for key in EVERYBODYS if key in os.environ}
    return {
        "cwd": home if os.path.isdir(home) else "/",
        "env": {**shared, **login, **program.environment},
        "user": somebody.pw_uid,
        "group": somebody.pw_gid,
        "extra_groups": os.getgrouplist(name, somebody.pw_gid),
    }


def _somebody_else(user: str) -> pwd.struct_passwd | None:
    """Who that is; None if it is the agent's own user. Raises StepError."""
    if not user:
        return None
    try:
        known = pwd.getpwnam(user)
    except KeyError:
        raise StepError(f"there is no user {user}", Cause.NOT_FOUND) from None
    if known.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise StepError(f"only an agent that runs as root can run programs as {user}", Cause.PERMISSION)
    return known


class _Words(asyncio.Protocol):
    """What a program says on one descriptor: its lines are counted, the end is kept."""

    def __init__(self, limit_bytes: int, flood: asyncio.Event) -> None:
        self.lines = 0
        self._left = limit_bytes
        self._flood = flood
        self._kept = b""
        self._pipe: asyncio.BaseTransport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def listen(self) -> int:
        """The descriptor that the program is to write to."""
        reading, writing = os.pipe()
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: self, os.fdopen(reading, "rb", 0))
        return writing

    def data_received(self, data: bytes) -> None:
        """Keep the end; say when it has become too much."""
        self._left -= len(data)
        if self._left < 0:
            self._flood.set()
        self.lines += data.count(b"\n")
        self._kept = (self._kept + data)[-TAIL_BYTES:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody holds the other end any more."""
        if not self.ended.done():
            self.ended.set_result(None)

    @property
    def tail(self) -> str:
        """The last words."""
        return self._kept.decode("utf-8", "replace")

    def close(self) -> None:
        """Hear no more, even if somebody still holds the other end."""
        if self._pipe is not None:
            self._pipe.close()


async def _hear_out(*words: _Words) -> None:
    await asyncio.wait([each.ended for each in words], timeout=LAST_WORDS_SECONDS)
    for each in words:
        each.close()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` to its end, whoever cancels; they are obeyed afterwards."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
