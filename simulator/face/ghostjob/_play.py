"""Playing a scenario, from any program."""

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from ghostjob._errors import InputError
from ghostjob._process import Process, log_options
from ghostjob._result import Result

ScenarioLike: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]
PLAYED: Final = (0, 1, 3)
"""Exit codes of a run that came to a verdict."""


def play(
    scenario: ScenarioLike = "main",
    *,
    devices: int | None = None,
    engine: Literal["live", "virtual"] = "live",
    model: str | None = None,
    seed: int = 0,
    time_limit_seconds: float | None = None,
    stand_ins: int | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Result:
    """Play a scenario, and judge it. What the options mean, `ghostjob run --help` says.

    `scenario` is the name of one that ships, a path, YAML text (of more than one line), or what such text says. `out`
    is a directory that keeps the trace and the verdict; without it they are gone with the Result. Raises InputError.

    >>> import ghostjob
    >>> job = {"id": "fw", "to": ["all"], "version": "2.0"}
    >>> update = {"name": "update", "devices": [{"group": "all"}], "jobs": [job]}
    >>> ghostjob.play(update, engine="virtual", devices=3).verdict.devices
    3
    """
    options = {"devices": devices, "engine": engine, "model": model, "seed": seed, "stand_ins": stand_ins}
    run = _Command(scenario, out, **options, time_limit=time_limit_seconds)
    try:
        return run.result(run.process.wait())
    except BaseException:
        run.give_up()
        raise


async def play_async(
    scenario: ScenarioLike = "main",
    *,
    devices: int | None = None,
    engine: Literal["live", "virtual"] = "live",
    model: str | None = None,
    seed: int = 0,
    time_limit_seconds: float | None = None,
    stand_ins: int | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Result:
    """The same for a coroutine; if that is cancelled, the run is ended.

    >>> import asyncio, ghostjob
    >>> asyncio.run(ghostjob.play_async("delete-in-write", engine="virtual")).passed
    True
    """
    options = {"devices": devices, "engine": engine, "model": model, "seed": seed, "stand_ins": stand_ins}
    run = _Command(scenario, out, **options, time_limit=time_limit_seconds)
    try:
        return run.result(await run.process.wait_async())
    except BaseException:
        run.give_up()
        raise


class _Command:
    """`ghostjob run` with these options, under way."""

    def __init__(self, scenario: ScenarioLike, out: str | os.PathLike[str] | None, **options: object) -> None:
        self._is_temporary = out is None
        self._directory = Path(tempfile.mkdtemp(prefix="ghostjob-") if out is None else out)
        asked = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]
        shown = (f"--out={self._directory}", "--no-table", "--until-stdin-closes")
        hidden = f"{self._directory}{os.sep}" if self._is_temporary else ""
        try:
            file = _file(scenario, self._directory)
            self.process = Process("run", *log_options(), *asked, *shown, "--", file, hidden=hidden)
        except BaseException as error:
            self._forget()
            if isinstance(error, TypeError | ValueError):  # it is no JSON, no UTF-8, or has a NUL where none may be
                raise InputError(f"scenario: {error}") from None
            raise

    def result(self, code: int) -> Result:
        if code not in PLAYED:
            raise self.process.fault()
        result = Result(self._directory)
        if self._is_temporary:
            weakref.finalize(result, shutil.rmtree, self._directory, ignore_errors=True)
        return result

    def give_up(self) -> None:
        self.process.interrupt()
        self.process.end()
        self._forget()

    def _forget(self) -> None:
        if self._is_temporary:
            shutil.rmtree(self._directory, ignore_errors=True)


def _file(scenario: ScenarioLike, directory: Path) -> str:
    """What the command line calls it; a text or a mapping becomes a file beside what comes of it."""
    if isinstance(scenario, Mapping):
        scenario = json.dumps(scenario, indent=1) + "\n"
    if not isinstance(scenario, str) or "\n" not in scenario:
        return os.fspath(scenario)
    path = directory / "scenario.yaml"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(scenario, "utf-8")
    except OSError as error:
        raise InputError(f"{directory}: cannot write there: {error.strerror}") from None
    return str(path)
