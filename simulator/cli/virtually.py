"""Playing in virtual time, as the command line asks for it: one fleet in shards, or one under many seeds.

What is played follows from the scenario, the seed and how many stand in for all; on which processors, be they this
machine's or a cluster's, makes no difference to it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agent.errors import InputError
from simulator.cli import seeds
from simulator.cli.cast import Cast
from simulator.cli.listing import talk
from simulator.cli.options import spare_imports
from simulator.cli.playing import ShownPlay
from simulator.cli.screen import has_the_terminal
from simulator.engines.meeting import OthersDiedError
from simulator.engines.ray.cluster import HeadLostError, joined
from simulator.engines.ray.fleet import OnNodes
from simulator.engines.seeds import Fleet
from simulator.engines.shards.hosted import Sharded
from simulator.engines.shards.hosts import Host, InProcesses
from simulator.engines.shards.played import shown
from simulator.engines.stand_ins import Crew, who_play
from simulator.engines.virtual_time import run_virtually
from simulator.exit_codes import ExitCode


class Virtually(NamedTuple):
    """How many play, in how many processes, and which shard is shown; None: as is usual.

    `is_spread`: on a cluster, whose head is at `cluster`.
    """

    stand_ins: int | None
    processes: int | None
    shard: int | None
    is_spread: bool
    cluster: str | None

    def most(self, devices: int) -> int:
        """How many of so many devices play at most."""
        return self.stand_ins or who_play(devices)

    @property
    def processors(self) -> int:
        """How many processes of this machine play."""
        return self.processes or os.cpu_count() or 1


def played(cast: Cast, seed: int, out: Path | None, how: Virtually) -> int:
    """Play under one seed, show it, judge it; the exit code. Raises InputError."""
    spare_imports()
    fleet = _sharded(cast, seed, how)
    try:
        with _hosts(how) as hosts, shown(fleet, hosts, how.shard or 0) as part:
            play = ShownPlay(cast, seed, part.venue, out, False, part=part, shows_bar=has_the_terminal())
            return run_virtually(play.play())
    except (HeadLostError, OthersDiedError) as error:
        talk(f"ghostjob: {error}")
        return ExitCode.INCONCLUSIVE


def played_with(cast: Cast, wanted: range, out: Path | None, how: Virtually) -> int:
    """Play under each of these seeds, and tell what came of it; the exit code of the worst. Raises InputError."""
    if cast.groups:
        raise InputError("--versus: two devices side by side are shown under one seed; play it without --seeds")
    spare_imports()
    fleet = Fleet(cast.scenario, cast.devices, how.most(cast.devices), 1 if how.is_spread else how.processors)
    return seeds.played(fleet, seeds.Seeds(wanted, how.is_spread, how.cluster), out)


def _sharded(cast: Cast, seed: int, how: Virtually) -> Sharded:
    """Raises InputError."""
    most = how.most(cast.devices)
    if cast.groups and cast.devices > most:
        raise InputError(f"--versus: two devices side by side are told apart one by one; play {most // 2} at most")
    crew = Crew.of(cast.scenario, cast.devices, seed, most)
    shards = (crew.undivided,) if cast.groups else crew.shards()
    if how.shard is not None and how.shard >= len(shards):
        those = f"the {len(shards)} shards are 0 to {len(shards) - 1}" if len(shards) > 1 else "the only one is 0"
        raise InputError(f"--shard {how.shard}: there is none of that number; {those}")
    return Sharded(cast.scenario, seed, shards)


@contextmanager
def _hosts(how: Virtually) -> Iterator[Callable[[Sharded, Sequence[int]], list[Host]]]:
    """Who plays the shards that are not shown: processes of this machine, or a cluster. Raises InputError."""
    if not how.is_spread:
        yield InProcesses(how.processors)
        return
    with joined(how.cluster) as cluster:
        yield OnNodes(cluster, lambda lost: talk(f"{lost.shard} are played again, since who did died: {lost.why}"))
