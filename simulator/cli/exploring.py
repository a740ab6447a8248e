"""Exploring before somebody's eyes: the bounds first, how far it is, then the answer, and the files of `--out`."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast, get_args

import click

from agent.abilities import Layout
from agent.errors import InputError
from agent.wording import first_wrong, no_choice
from simulator.cli.drawn_anew import DrawnAnew
from simulator.cli.listing import talk
from simulator.cli.options import check_cluster, told_of_every_end
from simulator.devices.models import model_named
from simulator.engines.explore.answer import Found, verdict_of
from simulator.engines.explore.choice import KINDS
from simulator.engines.explore.describing import bounds_in_words, left_out, world_in_words
from simulator.engines.explore.exploration import Progress
from simulator.engines.explore.limits import IsInterrupted
from simulator.engines.explore.of_scenario import OfScenario, of_scenario
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import STANDARD, Bounds, Setup
from simulator.engines.explore.sharing import WorkerDiedError
from simulator.engines.explore.sometimes import usual, ways_to
from simulator.engines.explore.system import System
from simulator.engines.explore.world import system_of
from simulator.engines.ray.cluster import HeadLostError
from simulator.engines.ray.spreading import ShardLostError
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.report.exploration import answer, opening, progress_line, walking_line
from simulator.verdict import Verdict

if TYPE_CHECKING:
    from simulator.engines.explore.searchable import Searchable
    from simulator.engines.explore.walks import Walked
    from simulator.engines.ray.spreading import Lost
    from simulator.engines.ray.walks import Seeds

LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
STANDARD_NAME: Final = "standard"
CHOSEN_NAME: Final = "chosen-bounds"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for; None: nothing is said of it."""

    scenario: str | None = None
    bounds: tuple[str, ...] = ()
    is_standard: bool = False
    model: str | None = None
    layout: str | None = None
    namespace: str | None = None
    policy: str | None = None
    reports: str | None = None
    leap_when_unreachable: str | None = None
    again: str | None = None
    has_next: bool | None = None
    same_second: bool = False
    devices: int | None = None
    seconds: float = 600.0
    mebibytes: int = 2_000
    jobs: int = 1
    walks: int | None = None
    seed: int | None = None
    engine: str = "explore"
    cluster: str | None = None
    out: Path | None = None
    is_json: bool = False


def explored(wanted: Wanted) -> int:
    """Explore, say what came of it, keep it; the exit code. Raises InputError.

    The first interruption ends the search, and what was found by then is said and kept before that raises
    KeyboardInterrupt.
    """
    if wanted.layout != "all":
        return _explored_one(wanted)
    codes = []
    for layout in LAYOUTS:
        out = None if wanted.out is None else wanted.out / layout
        codes.append(_explored_one(replace(wanted, layout=layout, out=out)))
    return ExitCode.FAILED if ExitCode.FAILED in codes else max(codes)


def _explored_one(wanted: Wanted) -> int:
    try:
        return _searched(wanted)
    except (WorkerDiedError, HeadLostError, ShardLostError) as error:
        talk(f"ghostjob: {error}")
        return ExitCode.INCONCLUSIVE


def _searched(wanted: Wanted) -> int:
    name, world = named_world(wanted)
    system = system_of(world.setup)
    from simulator.cli.kept_exploration import Keeping

    with told_of_every_end() as is_interrupted, _walking(wanted) as walk, Keeping(wanted.out, system) as keeping:
        if not wanted.is_json:
            leaves_out = (*world.not_here, *left_out(world.setup))
            _print(opening(world_in_words(world.setup), bounds_in_words(world.setup), leaves_out))
        found = _found(wanted, system, world, is_interrupted, walk)
        verdict = keeping.with_schedules(verdict_of(system, found, name=name, not_here=world.not_here))
        if wanted.is_json:
            click.echo(verdict.model_dump_json(indent=2))
        else:
            _print(answer(verdict, keeping.diagram_of))
        sys.stdout.flush()
        keeping.finish(verdict)
    _say_next(verdict, wanted.out)
    if is_interrupted():
        raise KeyboardInterrupt
    return OF_OUTCOME[verdict.outcome]


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


def _say_next(verdict: Verdict, out: Path | None) -> None:
    """Where it is kept, and how to play it again."""
    assert verdict.explored is not None, "of a search"
    if out is not None:
        talk(f"kept: {out.as_posix()}, with report.html", 6)
        for finding in verdict.explored.findings:
            talk(f"again: ghostjob replay {(out / finding.schedule).as_posix()}", 7)
    elif verdict.explored.findings:
        talk("keep it: --out DIR keeps a schedule of each, for `ghostjob replay`, and a report", 9)


def _found(
    wanted: Wanted,
    system: System,
    world: OfScenario,
    is_interrupted: IsInterrupted,
    walk: "Callable[..., Walked] | None",
) -> Found:
    limits = {"seconds": wanted.seconds, "mebibytes": wanted.mebibytes}
    shown = Progressing()
    if wanted.walks is not None:
        from simulator.engines.explore.stumbling import by_walks

        found = by_walks(
            system,
            wanted.walks,
            wanted.seed or 0,
            jobs=wanted.jobs,
            **limits,
            is_interrupted=is_interrupted,
            on_walked=shown.walked,
            walk=walk,
        )
        shown.over()
        return Found(found)
    begun = time.monotonic()
    exploration = explore(
        cast("Searchable", system),
        seconds=wanted.seconds,
        mebibytes=wanted.mebibytes,
        jobs=wanted.jobs,
        on_level=shown.level,
        is_interrupted=is_interrupted,
    )
    shown.over()
    left = max(wanted.seconds - (time.monotonic() - begun), 1.0)
    limits = {"seconds": left, "mebibytes": wanted.mebibytes}
    places = world.places or usual(world.setup)
    reached = tuple(ways_to(world.setup, places, **limits, is_interrupted=is_interrupted))
    return Found(exploration, reached)


@contextmanager
def _walking(wanted: Wanted) -> "Iterator[Callable[..., Walked] | None]":
    """Who walks, if it is not this process. Raises InputError."""
    if wanted.engine != "ray":
        yield None
        return
    from simulator.engines.ray.cluster import joined
    from simulator.engines.ray.walks import walks_on

    def say(lost: "Lost[Seeds]") -> None:
        talk(f"{lost.shard} are walked again, since who walked them died: {lost.why}")

    with joined(wanted.cluster) as cluster:
        yield partial(walks_on, cluster, on_lost=say)


class Progressing:
    """How far a search is, or walks are."""

    def __init__(self) -> None:
        self._line = DrawnAnew()

    def level(self, progress: Progress) -> None:
        """So far the search is."""
        self._line.show(
            lambda: progress_line(
                progress.depth,
                progress.states,
                progress.waiting,
                progress.seconds,
                progress.mebibytes,
                progress.violations,
            )
        )

    def walked(self, walks: int, choices: int, seconds: float, stumbled: int) -> None:
        """So far the walks are."""
        self._line.show(lambda: walking_line(walks, choices, seconds, stumbled))

    def over(self) -> None:
        """Nothing more comes."""
        self._line.over()


# ── which world ───────────────────────────────────────────────────────────────────────────────────────────────


def named_world(wanted: Wanted) -> tuple[str, OfScenario]:
    """The world that is asked for, and what it is called. Raises InputError."""
    if wanted.seed is not None and wanted.walks is None:
        raise InputError(f"--seed {wanted.seed}: a search has no chance in it; give --walks N, too")
    if wanted.engine == "ray" and wanted.walks is None:
        raise InputError("--engine ray: a search is shared by processes of one machine, --jobs N; give --walks N, too")
    check_cluster(wanted.cluster, wanted.engine)
    name, base = _base(wanted)
    setup = _with_options(base.setup, wanted)
    bounds = _with_bounds(setup.bounds, wanted)
    setup = _validated(setup, bounds=bounds)
    model_named(setup.model)
    is_as_it_was = wanted.scenario is None and setup == Setup(layout=setup.layout)
    return (STANDARD_NAME if is_as_it_was else name), base._replace(setup=setup)


def _base(wanted: Wanted) -> tuple[str, OfScenario]:
    from simulator.scenario import load

    if wanted.scenario is not None:
        scenario = load(wanted.scenario)
        return scenario.name, of_scenario(scenario)
    is_standard = wanted.is_standard or not wanted.bounds
    return CHOSEN_NAME, OfScenario(Setup(bounds=STANDARD if is_standard else Bounds()), (), ())


def _with_options(setup: Setup, wanted: Wanted) -> Setup:
    changes: dict[str, Any] = {
        "model": wanted.model,
        "layout": wanted.layout,
        "namespace": wanted.namespace,
        "policy": wanted.policy,
        "reports": wanted.reports,
        "leap_when_unreachable": wanted.leap_when_unreachable,
        "again": {"same": "same document", "other": "other document"}.get(wanted.again or ""),
        "next": wanted.has_next,
        "same_second": wanted.same_second or None,
        "devices": {1: "one", 2: "two things"}.get(wanted.devices or 0),
    }
    return _validated(setup, **{key: value for key, value in changes.items() if value is not None})


def _validated(setup: Setup, **changes: object) -> Setup:
    """The setup with changes, looked at as if it were read. Raises InputError."""
    from pydantic import ValidationError

    try:
        return Setup.model_validate({**{name: getattr(setup, name) for name in Setup.model_fields}, **changes})
    except ValidationError as error:
        raise InputError(f"--{first_wrong(error)}") from None


def _with_bounds(bounds: Bounds, wanted: Wanted) -> Bounds:
    if wanted.is_standard and wanted.scenario is not None:
        bounds = STANDARD
    counts = dict(zip(KINDS, bounds.budgets, strict=True))
    for text in wanted.bounds:
        kind, number = _bound(text)
        counts[kind] = number
        if kind == "create-again" and number and wanted.again == "none":
            raise InputError(f"--bound {text}: with --again none the id is never used again; give one of them")
    if wanted.again == "none":
        counts["create-again"] = 0
    elif wanted.again is not None:
        counts["create-again"] = max(counts["create-again"], 1)
    return Bounds.model_validate(counts)


def _bound(text: str) -> tuple[Any, int]:
    kind, equals, number = text.partition("=")
    if kind not in KINDS:
        raise InputError(f"--bound {text}: {no_choice(repr(kind), KINDS)}")
    if not equals or not number.isdecimal() or int(number) > 9:
        raise InputError(f"--bound {text}: give {kind}=N, where N is 0 to 9")
    return kind, int(number)
