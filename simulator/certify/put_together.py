"""One certificate of many: of cells that were each played alone, in the order in which they were asked for."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simulator.certify.cell import Cell
from simulator.certify.certificate import Certificate, NotMet, certificate_of
from simulator.certify.result import not_played
from simulator.certify.session import Given


class Whole(NamedTuple):
    """What all of them are of."""

    thing: str
    namespace_id: str | None
    given: Given
    started_at: str
    seconds: float


def put_together(
    wanted: Sequence[Cell], alone: Mapping[str, Certificate], whole: Whole, cut_short: str | None = None
) -> Certificate:
    """`alone` are the certificates of single cells, by their ids; `cut_short` says why some are missing."""
    there = [alone[cell.id] for cell in wanted if cell.id in alone]
    why = cut_short or "nobody asked for it"
    took = sum(each.seconds for each in there)
    certificate = certificate_of(
        thing=whole.thing,
        namespace_id=whole.namespace_id,
        started_at=whole.started_at,
        seconds=whole.seconds,
        cells=[alone[cell.id].cells[0] if cell.id in alone else not_played(cell, why) for cell in wanted],
        learned=next((each.learned for each in there if each.learned), None),
        probes=whole.given.probes,
        not_seen={name: why for each in there for name, why in each.not_seen.items()},
        warnings=list(dict.fromkeys(warning for each in there for warning in each.warnings)),
        not_met=_not_met(there),
        bricked=next((each.bricked for each in there if each.bricked is not None), None),
        seed=whole.given.seed,
        command=whole.given.command,
        options=whole.given.options,
        cut_short=cut_short,
    )
    devices = sum(cell.device_seconds for cell in certificate.cells)
    return certificate.model_copy(update={"device_share": min(1.0, devices / took) if took else 0.0})


def _not_met(there: Sequence[Certificate]) -> NotMet | None:
    """Why no cell was played; where some were, those that were not say it themselves."""
    if not there or any(each.not_met is None for each in there):
        return None
    return there[0].not_met
