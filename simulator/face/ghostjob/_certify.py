"""Certifying a device that is not ours, cell by cell: `ghostjob certify` in a process of its own."""

import json
import os
import queue
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeAlias

from ghostjob._errors import GhostjobError, InputError
from ghostjob._process import BAD_INPUT, END_SECONDS, Process, log
from ghostjob.certification import Cell, CellResult, Certification, cell_of, cell_result_of, certification_of

Cells: TypeAlias = Literal["quick", "full"] | Sequence[str]
JUDGED: Final = (0, 1, 3)
"""Exit codes of a session that came to a certificate."""
OF_ACCOUNTS: Final = ("--endpoint-url", "--profile", "--region", "--allow-aws")
ACCOUNT_END_SECONDS: Final = 1_200.0
"""What a session has made in an account it removes at its end, for which AWS may take a quarter of an hour."""
Event: TypeAlias = Mapping[str, Any]


def certify(
    command: str | Sequence[str] = (),
    *,
    thing: str | None = None,
    cells: Cells | None = None,
    probes: Sequence[str] = (),
    out: str | os.PathLike[str] | None = None,
    options: Sequence[str] = (),
) -> "Certifying":
    """Certify a device: what `command` starts, with placeholders such as `{port}`, or one that runs elsewhere.

    `cells` is "quick", "full" or ids; without it, those that `ghostjob certify` plays by itself. `probes` say what the
    wire does not; `out` is a directory that keeps certificate and traces; `options` are more of `ghostjob certify
    --help`. To be used under `with`, and iterated for a CellResult a cell. Raises InputError.

        with ghostjob.certify("./agent --port {port} --ca {ca} --cert {cert} --key {key}", cells="quick") as session:
            for result in session:
                print(result.id, result.outcome)
        assert session.certification.passed
    """
    given = [f"--probe={probe}" for probe in probes] + [*options]
    given += [] if thing is None else [f"--thing={thing}"]
    given += [] if out is None else [f"--out={os.fspath(out)}"]
    match cells:
        case "quick" | "full":
            given.append(f"--{cells}")
        case str():
            raise InputError(f'cells {cells}: give "quick", "full" or a sequence of ids')
        case None:
            pass
        case _:
            given += [f"--only={cell}" for cell in cells]
    try:
        argv = shlex.split(command) if isinstance(command, str) else [*command]
    except ValueError as error:
        raise InputError(f"{command}: {error}; quote as in a shell") from None
    return Certifying(given, argv)


def matrix(*, cwd: Path | None = None) -> tuple[Cell, ...]:
    """Every cell that there is, in the order in which they are played. No device is needed for it."""
    process = Process("certify", "--list", "--json", cwd=cwd)
    text = process.read()
    process.wait()
    try:
        return tuple(map(cell_of, json.loads(text[text.index("{") :])["cells"]))
    except (ValueError, KeyError, TypeError):
        raise process.fault() from None


def is_on_account(options: Sequence[str]) -> bool:
    """Whether a session with these options is held in an account, and not on a cloud of its own."""
    return any(option.startswith(OF_ACCOUNTS) for option in options)


class Certifying:
    """A session with one device; a context manager, and an iterator over what comes of its cells.

    `tell` hears, in a line each, what is waited for.
    """

    def __init__(
        self,
        options: Sequence[str],
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._arguments = (*options, *(("--", *command) if command else ()))
        self._is_on_account = is_on_account(options)
        self._cwd, self._tell = cwd, tell
        self._process: Process | None = None
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._listed: tuple[str, ...] | None = None
        self._offer: Mapping[str, Any] = {}
        self._why = ""
        self._certification: Certification | None = None
        self._code: int | None = None
        self._left: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        if self._process is not None:
            raise GhostjobError("this session has begun already; certify again for another")
        self._process = Process("certify", "--json", "--cells-from-stdin", *self._arguments, cwd=self._cwd, apart=True)
        self._reading = threading.Thread(target=self._read, args=(self._process,), name="ghostjob", daemon=True)
        self._reading.start()
        try:
            self._until("desk.ready")
        except BaseException:
            self.end(interrupt=True)
            raise
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        self.end(interrupt=exc_type is not None)
        if exc_type is None and (fault := self.fault()) is not None:
            raise fault

    def __iter__(self) -> Iterator[CellResult]:
        if self._process is None:
            with self:
                yield from self._each()
        else:
            yield from self._each()

    @property
    def offer(self) -> Mapping[str, Any]:
        """What is to be put on a device that runs elsewhere: thing, client_id, host, port, ca, cert, key, topics, …"""
        return self._offer

    @property
    def certification(self) -> Certification:
        """How it fared in all of the cells; there once the session has ended, or its last cell."""
        if self._certification is None:
            raise GhostjobError("there is no certificate before the session has ended")
        return self._certification

    @property
    def left(self) -> tuple[str, ...]:
        """Of a session on an account, once it has ended: the commands that remove what it made and could not remove."""
        return self._left

    def learn(self) -> tuple[str, ...]:
        """Wait until the device has come and has done its first job: the ids of the cells, in order.

        Raises GhostjobError, with what is amiss, if it does not, or if the session has not begun.
        """
        if self._process is None:
            raise GhostjobError("this session has not begun: use it under `with`, or iterate over it")
        if self._listed is None:
            self._listed = tuple(each["id"] for each in self._until("cells")["cells"])
        return self._listed

    def play(self, cell: str) -> CellResult:
        """Play one cell. Raises InputError if there is none of this id, GhostjobError if it cannot be played."""
        if cell not in self.learn():
            raise InputError(f"{cell}: there is no such cell; ghostjob certify --list has them")
        if self._code is not None:
            raise GhostjobError("this session has ended; certify again for another")
        assert self._process is not None
        self._process.say(cell)
        while (result := self._until("cell.ended")["result"])["id"] != cell:
            pass  # one that was asked for and not waited for
        return cell_result_of(result)

    def end(self, *, interrupt: bool = False) -> None:
        """End it in good order, what it started included; `interrupt`: without the end of what it is at.

        On an account that takes minutes: what the session made there is removed first.
        """
        if self._process is None or self._code is not None:
            return
        if interrupt:
            self._process.interrupt()
        self._process.close_stdin()
        if self._is_on_account:
            self._tell("what was made in the account is being removed, about a minute a job on AWS")
        self._reading.join(ACCOUNT_END_SECONDS if self._is_on_account else END_SECONDS)
        if self._reading.is_alive():
            self._process.kill()
            self._reading.join()
        self._code = self._process.end()
        while (event := self._events.get()) is not None:
            self._note(event)
        self._events.put(None)

    def fault(self) -> GhostjobError | None:
        """What was wrong with the session itself, once it has ended; None if it came to a certificate."""
        is_judged = self._code in JUDGED and self._certification is not None
        return None if self._code is None or is_judged else self._trouble()

    def _each(self) -> Iterator[CellResult]:
        for cell in self.learn():
            yield self.play(cell)
        self.end()

    def _until(self, name: str) -> Event:
        """The next event of this name; others are noted. Raises GhostjobError if it ends instead."""
        while (event := self._events.get()) is not None:
            self._note(event)
            if event.get("event") == name:
                return event
        self._events.put(None)
        self.end()
        raise self._trouble()

    def _note(self, event: Event) -> None:
        match event:
            case {"event": "desk.ready", "offer": offer}:
                self._offer = offer
            case {"event": "device.seen", "says": str(says)}:
                log.info("%s", says)
                self._tell(says)
            case {"event": "device.missing", "why": str(why)}:
                self._why = why
            case {"event": "certificate", "certificate": certificate}:
                self._certification = certification_of(certificate)
            case {"event": "left", "commands": [*commands]}:
                self._left = tuple(commands)
            case _:
                pass  # progress, which the results tell as well

    def _trouble(self) -> GhostjobError:
        """Why there is no more of it."""
        assert self._process is not None
        if self._code == BAD_INPUT:
            return self._process.refusal()
        why = self._why or (self._certification.why if self._certification else "")
        return GhostjobError(why) if why else self._process.fault()

    def _read(self, process: Process) -> None:
        """So that it is never held up by what nobody has read yet; in a thread of its own."""
        try:
            for line in process.lines():
                self._events.put(json.loads(line))
        except ValueError as error:
            log.warning("certify says what is no JSON: %s", error)
            process.kill()
        finally:
            self._events.put(None)
