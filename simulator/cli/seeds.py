"""Playing a fleet under many seeds: a line for each verdict as it comes, in their order, and what came of all."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from agent.errors import InputError
from simulator.cli.listing import talk, tell_fault
from simulator.cli.options import ended_by_every_end
from simulator.engines.meeting import OthersDiedError
from simulator.engines.ray.cluster import HeadLostError
from simulator.engines.ray.spreading import ShardLostError
from simulator.engines.seeds import Fleet, judged_with
from simulator.engines.whole_files import WholeFiles
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.verdict import RunOutcome, Verdict

if TYPE_CHECKING:
    from simulator.engines.ray.spreading import Lost

WORST_FIRST: Final[tuple[RunOutcome, ...]] = ("failed", "inconclusive", "passed")
WORDS: Final = {"passed": "passed", "failed": "FAILED", "inconclusive": "inconclusive"}


class Seeds(NamedTuple):
    """Under which seeds, and where; `is_spread`: on a cluster, whose head is at `cluster`, else here."""

    seeds: range
    is_spread: bool
    cluster: str | None


def played(fleet: Fleet, wanted: Seeds, out: Path | None) -> int:
    """Play, tell and keep each; the exit code of the worst. Raises InputError."""
    if out is not None:
        _make(out, wanted.seeds)
    told: list[RunOutcome] = []
    try:
        with ended_by_every_end() as whole, _verdicts(fleet, wanted) as verdicts:
            for seed, verdict in zip(wanted.seeds, verdicts, strict=True):
                with whole():
                    click.echo(f"seed {seed}: {_line(verdict)}")
                    told.append(verdict.outcome)
                    if out is not None:
                        _keep(out, seed, verdict)
    except (HeadLostError, OthersDiedError, ShardLostError) as error:
        talk(f"ghostjob: {error}")
        return ExitCode.INCONCLUSIVE
    except KeyboardInterrupt:
        _sum_up(wanted.seeds, told, f"interrupted after {len(told):,}")
        raise
    return OF_OUTCOME[_sum_up(wanted.seeds, told)]


@contextmanager
def _verdicts(fleet: Fleet, wanted: Seeds) -> Iterator[Iterator[Verdict]]:
    """In the order of the seeds, as soon as each is there."""
    play = partial(judged_with, fleet)
    if not wanted.is_spread:
        yield map(play, wanted.seeds)
        return
    from simulator.engines.ray.cluster import joined
    from simulator.engines.ray.spreading import spread

    def say(lost: "Lost[int]") -> None:
        talk(f"seed {lost.shard} is played again, since who played it died: {lost.why}")

    with joined(wanted.cluster) as cluster:
        yield spread(cluster, play, wanted.seeds, on_lost=say)


def _line(verdict: Verdict) -> str:
    recovered = "" if verdict.recovery_seconds is None else f", recovery p99 {verdict.recovery_seconds.p99:.1f} s"
    why = "" if verdict.passed else f": {verdict.why}"
    return f"{WORDS[verdict.outcome]}, {verdict.recovered:,} recovered{recovered}{why}"


def _sum_up(seeds: range, told: list[RunOutcome], interrupted: str = "") -> RunOutcome:
    """Tell what came of all; the worst. `interrupted` says so, if not all were played: so none passed."""
    counts = Counter(told)
    if interrupted and not counts["failed"]:
        click.echo(f"{WORDS['inconclusive']}: {interrupted} of {len(seeds):,} seeds")
        return "inconclusive"
    worst = next(outcome for outcome in WORST_FIRST if counts[outcome])
    click.echo(f"{WORDS[worst]}: {counts[worst]:,} of {len(seeds):,} seeds{f', {interrupted}' if interrupted else ''}")
    if worst != "passed":
        seed = seeds[told.index(worst)]
        talk(f"look at one: the same with --engine virtual --seed {seed} --out DIR, and without --seeds", 6)
    return worst


def _make(out: Path, seeds: range) -> None:
    """A directory without what an older run said of these seeds: if this one ends early, that would tell of another."""
    older = re.compile(r"seed-(-?[0-9]+)\.json")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path in list(out.iterdir()):
            if (named := older.fullmatch(path.name)) and int(named[1]) in seeds:
                path.unlink()
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}") from None


def _keep(out: Path, seed: int, verdict: Verdict) -> None:
    """Raises InputError if it cannot be kept."""
    files = WholeFiles(out, tell_fault)
    files.write(f"seed-{seed}.json", lambda: verdict.model_dump_json(indent=2) + "\n")
    files.settle()
    if (why := files.why_not_all()) is not None:
        raise InputError(why)
