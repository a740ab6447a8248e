"""A handler in a test's hands: a place below a temporary directory, and tasks for it."""

from collections.abc import Callable
from pathlib import Path

from agent.handlers.handler import Context, StepTask
from agent.plan import Step
from agent.values import ExecutionKey

FW = ExecutionKey(None, "fw", 1, 1_700_000_000)


def context_in(directory: Path, **settings: object) -> Context:
    for name in ("state", "root", "scripts"):
        (directory / name).mkdir(exist_ok=True, mode=0o700)
    paths = {name: directory / name for name in ("state", "root", "scripts")}
    return Context(thing="dev", **paths, **{"grace_seconds": 0.3, **settings})  # type: ignore[arg-type]


def task_in(
    directory: Path,
    action: str,
    *,
    index: int = 0,
    reversible: bool = True,
    version: str = "",
    progress: Callable[[int], None] = lambda percent: None,
    **args: object,
) -> StepTask:
    aside = directory / "state" / "work" / "fw"
    aside.mkdir(parents=True, exist_ok=True)
    pairs = tuple(sorted((name, str(value)) for name, value in args.items()))
    return StepTask(FW, index, Step(action, action, pairs, reversible), version, aside, progress)


def left_in(directory: Path) -> list[str]:
    """Every file below a directory, with what stands in it if that is short text."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir())
