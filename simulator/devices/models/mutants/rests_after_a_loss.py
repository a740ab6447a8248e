"""A device that, once it has lost a job and put itself right, rests for a while before it takes the next.

Longer than it may take to be ready again; but what waits meanwhile is not lost.
"""

from typing import Final

from simulator.devices.models.mutants.resting import resting_after

REST_SECONDS: Final = 14.0

step = resting_after(frozenset({"recovered", "kept"}), REST_SECONDS)
