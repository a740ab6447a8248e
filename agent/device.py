"""A real device put together: its journal, its handlers and one connection, for as long as the agent runs.

Everything that must survive stands in one directory, which belongs to one agent at a time:

    lock       held while an agent runs
    journal    the work in hand (`agent.journal`)
    boot.json  the boot of the machine in which an agent last began; null, once it has made way for the next by itself
    begun.json the restart that leaves a trial of which nobody knows (`agent.handlers.beginnings`)
    work/      what handlers keep until an execution's end is on record
    processes/ what was started and has not ended
    firmware/  slots
"""

import asyncio
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from agent.abilities import ALL_ACTIONS
from agent.core import DevicePolicy, Machine, start, step
from agent.core.events import Booted, Event
from agent.core.record import Record
from agent.correlation import Correlated, Correlation, correlated
from agent.device_events import DeviceBooted, DeviceCrashed, DeviceEvent, ExecutionLeft, JournalWritten
from agent.errors import GhostjobError, InputError
from agent.handlers.beginnings import Beginning
from agent.handlers.files import read_json, write_json
from agent.handlers.handler import Context, Handler, reason_of
from agent.handlers.process_table import boot_id
from agent.handlers.processes import Processes
from agent.handlers.registry import firmware_of, load_handlers
from agent.jitter import Jitter
from agent.journal import FileStorage, Journal
from agent.log import get_logger
from agent.record_json import number_of, numbered, read_record, write_record
from agent.runner import Runner, Transport
from agent.values import ExecutionKey
from agent.workbench import HandlerWorkbench

log = get_logger("ghostjob.agent")

OURS: Final = __name__.partition(".")[0]
LOST: Final = (
    "nothing of earlier work is remembered: an execution that is IN_PROGRESS is judged by what the service and the "
    "hardware tell of it, no program of it is begun again, and what of it lies below work/ is dropped"
)
"""What an agent does whose journal is lost."""

Ended: TypeAlias = Literal["stopped", "finished", "restart", "crashed"]
"""Why an agent ended: it was told to; it finished as many executions as it was to; it gives way to a new one of its
own; a fault of its own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One device. `executions` is after how many it ends, None for never; `seed` is of its jitter
    and its client tokens, another for each life."""

    context: Context
    policy: DevicePolicy
    seed: str
    executions: int | None = None


async def run_device(
    settings: Settings, transport: Transport, observe: Callable[[DeviceEvent], None], over: asyncio.Event
) -> Ended:
    """Run until somebody sets `over`, or one of the other ends comes. Raises InputError."""
    with _sole_agent_of(settings.context.state):
        return await _Device(settings, transport, observe, over).run()


class _Device:
    def __init__(
        self, settings: Settings, transport: Transport, observe: Callable[[DeviceEvent], None], over: asyncio.Event
    ) -> None:
        self._context = context = replace(settings.context, restart_agent=self._restart)
        self._observe_with = observe
        self._over = over
        self._ended: Ended = "stopped"
        self._to_do = settings.executions
        self._left: list[ExecutionLeft] = []
        self._read: ExecutionKey | None = None
        """Whose document was looked at last for members that nobody reads."""
        self._boot_note = context.state / "boot.json"
        journal = context.state / "journal"
        self._journal = Journal(FileStorage(journal), where=str(journal), number_of=number_of)
        self._number, self._written = 0, b""
        # All that is ours, whatever is allowed now: what was begun under other options may have to be undone.
        handlers = load_handlers(context, settings.policy.abilities.actions | ALL_ACTIONS)
        if others := {action: where for action in handlers if (where := _package(handlers[action])) != OURS}:
            log.info("handlers.loaded", thing=context.thing, others=others)
        self._firmware = firmware_of(handlers, settings.policy.abilities.layout)
        self._bench = HandlerWorkbench(handlers, self._firmware, context.state / "work", self._tell, self._deliver)
        self._runner: Runner[Correlated[Machine]] = Runner(
            thing=context.thing,
            machine=Correlated(start(settings.policy), Correlation(f"{settings.seed[:8]}-", settings.policy.abilities)),
            step=correlated(step),
            transport=transport,
            workbench=self._bench,
            rng=Jitter(settings.seed),
            observe=self._observe,
            remember=self._remember,
        )

    async def run(self) -> Ended:
        """From the journal to the end."""
        try:
            booted = await self._boot()
        except OSError as error:
            raise self._unusable(error) from None
        try:
            leaving = Beginning(self._context.state, f"leave {booted.running}", ends_us=True)
            if booted.on_trial and not (booted.record or Record()).has_work and self._ran_before(booted.running):
                self._note_boot()  # before what boots next is another: a new agent finds what runs, and not that
                await self._fall_back(booted.running, leaving)
            else:
                leaving.ended()
            if not self._over.is_set():
                self._runner.start(booted)
                self._note_boot()
            await self._over.wait()
        except OSError as error:
            raise self._unusable(error) from None
        finally:
            self._runner.retire()
            await self._bench.close()
            await self._runner.stop()
        return self._ended

    async def _boot(self) -> Booted:
        """What stands on record, and what the machine shows. Raises InputError, OSError."""
        record = self._recall()
        for directory in (self._context.root, self._context.scripts):
            directory.mkdir(exist_ok=True, mode=0o755)
        await self._clean_up(record)
        here, note = boot_id(), read_json(self._boot_note)
        if note is None and self._boot_note.exists():
            then = "as if the machine had been switched on for the first time"
            log.warning("note.unreadable", thing=self._context.thing, file=str(self._boot_note), then=then)
        rebooted = note is None or note.get("boot") != here
        if note is not None and self._to_do is not None:
            self._to_do = note.get("executions", self._to_do)
        version, on_trial = self._what_runs(rebooted)
        if not record.has_work:
            self._bench.sweep_firmware()
        self._bench.version = version
        self._tell(DeviceBooted(version, _why(note, here), on_trial))
        self._bench.describe()
        return Booted(record, version, on_trial, rebooted, unproven=self._firmware.unproven)

    def _note_boot(self) -> None:
        write_json(self._boot_note, {"boot": boot_id()})

    def _ran_before(self, version: str) -> bool:
        """Whether an agent began here before, and so can have forgotten anything: else the trial is another's."""
        if not self._boot_note.exists():
            then = "it is left to whoever put it there, since no agent has run here before"
            log.warning("trial.of_another", thing=self._context.thing, version=version, then=then)
            return False
        return True

    async def _fall_back(self, version: str, leaving: Beginning) -> None:
        """What is on trial, and nobody remembers why, would never be committed: the machine restarts without it."""
        then = "the machine is restarted with what ran before"
        log.warning("trial.forgotten", thing=self._context.thing, version=version, then=then)
        falling = asyncio.ensure_future(self._bench.fall_back(leaving))
        over = asyncio.ensure_future(self._over.wait())
        await asyncio.wait({falling, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if falling.done() and (why := falling.result()):
            log.error("trial.forgotten", thing=self._context.thing, version=version, fault=why, then="it runs on")
        await _ended(falling)

    def _what_runs(self, rebooted: bool) -> tuple[str, bool]:
        """The firmware's version, and whether it is on trial. Raises InputError, OSError."""
        try:
            return self._firmware.booted(rebooted)
        except OSError:
            raise
        except Exception as error:
            where, why = type(self._firmware).__module__, f"{type(error).__name__}: {error}"
            raise InputError(f"{where}: its handler of 'write' cannot say what runs: {why}") from None

    def _unusable(self, error: OSError) -> InputError:
        where = error.filename or self._context.state
        return InputError(f"{where}: {reason_of(error)}; the agent cannot begin before that is mended")

    async def _clean_up(self, record: Record) -> None:
        """End and drop what an agent before us left, but for what the work in hand still needs."""
        ended = await Processes(self._context.state / "processes", self._context.grace_seconds).end_leftovers()
        if ended:
            log.warning("processes.ended", thing=self._context.thing, count=ended, why="left behind by an agent before")
        if not record.safe:
            await self._bench.sweep(record.work.key if record.work is not None else None)

    def _restart(self) -> None:
        """Give way to a new agent, for which it will look as if the machine had been rebooted."""
        write_json(self._boot_note, {"boot": None} | ({"executions": self._to_do} if self._to_do is not None else {}))
        self._end("restart")

    def _end(self, ended: Ended) -> None:
        self._ended = ended
        self._runner.retire()
        self._over.set()

    # ── what the parts tell ───────────────────────────────────────────────────────────────────────────────────

    def _tell(self, event: DeviceEvent) -> None:
        self._runner.tell(event)

    def _deliver(self, event: Event) -> None:
        self._runner.feed(event)

    def _observe(self, event: DeviceEvent) -> None:
        self._observe_with(event)
        match event:
            case ExecutionLeft():
                self._left.append(event)
            case DeviceCrashed():
                self._end("crashed")
            case _:
                pass

    # ── memory ────────────────────────────────────────────────────────────────────────────────────────────────

    def _recall(self) -> Record:
        try:
            snapshot = self._journal.open()
            thing, where = self._context.thing, str(self._context.state / "journal")
            if self._journal.damage:
                log.warning("journal.damaged", thing=thing, journal=where, found=self._journal.damage, then=LOST)
            elif self._journal.is_bare:
                log.warning("journal.bare", thing=thing, journal=where, found="no record in it", then=LOST)
            elif self._journal.misplaced:
                then = "the one with the highest number counts"
                log.warning("journal.disordered", thing=thing, journal=where, older=self._journal.misplaced, then=then)
            elif self._journal.torn_bytes:
                log.info("journal.torn", thing=thing, journal=where, passed_over_bytes=self._journal.torn_bytes)
            if snapshot is None:
                return Record()
            record = read_record(snapshot)
            self._number, self._written = number_of(snapshot), write_record(record)
            return record
        except GhostjobError as error:
            raise InputError(str(error)) from None

    def _remember(self, record: Record) -> None:
        """Write a record down, and then let go of what it ends. Raises JournalError."""
        self._say_what_is_ignored(record)
        written = write_record(record)
        if written != self._written:
            self._number, self._written = self._number + 1, written
        self._journal.append(numbered(written, self._number))
        self._tell_written(record)
        for left in self._left:
            if left.outcome != "safe":
                self._bench.settle(left.execution)
            if self._to_do is not None:
                self._to_do -= 1
        self._left.clear()
        if self._to_do is not None and self._to_do <= 0:
            self._end("finished")

    def _say_what_is_ignored(self, record: Record) -> None:
        """Once for each execution: what its document has that nobody reads."""
        work = record.work
        if work is not None and work.key != self._read:
            self._read = work.key
            if ignored := work.plan.ignored:
                log.warning("document.ignored", thing=self._context.thing, job_id=work.key.job_id, members=ignored)

    def _tell_written(self, record: Record) -> None:
        work = record.work
        if work is None:
            self._tell(JournalWritten("safe" if record.safe else ""))
        else:
            self._tell(JournalWritten(record.doing, work.begun, work.done))


async def _ended(task: asyncio.Future[str]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _package(handler: Handler) -> str:
    """Whose code a handler is."""
    return type(handler).__module__.partition(".")[0]


def _why(note: dict[str, Any] | None, here: str) -> Literal["power-on", "reboot", "restarted"]:
    """Whether the machine or only the agent began, as far as the agent can know."""
    if note is None:
        return "power-on"
    return "restarted" if note.get("boot") == here else "reboot"


@contextmanager
def _sole_agent_of(state: Path) -> Iterator[None]:
    """Hold the state directory. Raises InputError if another agent does, or if it is no use."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = stat.S_IMODE(state.stat().st_mode)
        if mode & stat.S_IWOTH:
            raise InputError(f"--state {state}: others may write to it; give a directory that is the agent's alone")
        if mode & stat.S_IWGRP:
            state.chmod(mode & ~stat.S_IWGRP)
        lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"--state {state}: cannot be written to: {error.strerror}") from None
    with os.fdopen(lock, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read().strip() or "unknown"
            raise InputError(
                f"--state {state}: another agent uses it (process {holder}); stop that one, or give each its own"
            ) from None
        except OSError as error:
            raise InputError(f"--state {state}: cannot be locked: {reason_of(error)}; give a local directory") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
