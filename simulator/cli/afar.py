"""Playing live with the devices on a cluster's nodes, and the cloud, the controller and the judge here."""

from pathlib import Path

from simulator.cli.cast import Cast
from simulator.cli.options import ready_for, run_loop
from simulator.cli.playing import ShownPlay, has_judge_elsewhere
from simulator.cli.screen import has_table
from simulator.engines.afar.venue import VenueAfar
from simulator.engines.ray.cluster import joined
from simulator.engines.ray.live import PartsOnNodes


def played_afar(cast: Cast, seed: int, out: Path | None, table: bool | None, cluster: str) -> int:
    """Play, show and judge; the exit code. Raises InputError, and ProcessLostError, which says whom it lost."""
    with joined(cluster) as there:
        venue = VenueAfar(
            cast.scenario,
            seed,
            host=there.address_here,
            begins=PartsOnNodes(there),
            most=cast.devices,
            prepare=ready_for,
        )
        play = ShownPlay(
            cast,
            seed,
            venue,
            out,
            has_table(table),
            fleet_of=venue.fleet,
            is_judged_elsewhere=has_judge_elsewhere(cast.devices),
        )
        return run_loop(play.play())
