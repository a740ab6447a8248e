"""A device that spares its flash: after a job that it did, it takes no other for a while, though one waits."""

from typing import Final

from simulator.devices.models.mutants.resting import resting_after

REST_SECONDS: Final = 25.0

step = resting_after(frozenset({"succeeded"}), REST_SECONDS)
