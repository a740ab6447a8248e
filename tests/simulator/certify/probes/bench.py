"""What the tests of probes stand on: an offer, and a sampling whose entries are kept."""

from collections.abc import Iterable
from typing import Any

from simulator.certify.probes import Probe, Sampling
from simulator.trace import Entry, ProbeSampled

THING = "pump-7"


class AnOffer:
    """What was put on the device."""

    def placeholders(self) -> dict[str, str]:
        return {"thing": THING, "host": "127.0.0.1"}


class Kept(list[Entry]):
    """The entries that a sampling told."""

    @property
    def samples(self) -> list[ProbeSampled]:
        return [entry.event for entry in self if isinstance(entry.event, ProbeSampled)]

    @property
    def versions(self) -> list[str | None]:
        return [sample.version for sample in self.samples]


def sampling_of(probes: Iterable[Probe], kept: Kept, **more: Any) -> Sampling:
    return Sampling(THING, probes, kept.append, **more)
