"""How the devices of a state stand: two bits a device, the first in the lowest, for arrays of states."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.index import Numbers

Standing = NDArray[np.uint8]
Flags = NDArray[np.bool_]
AWAY, FAILED, DONE = 0b00, 0b01, 0b11
"""Not home; home, where something has failed (`has_failed`); home, where nothing has."""
MOST_DEVICES: Final = 4


def none_home(states: int) -> Standing:
    """So many states, in which every device is away."""
    return np.zeros(states, np.uint8)


def note(standing: Standing, device: int, states: Numbers, how: Numbers) -> None:
    """How a device, which was away, stands in some of the states."""
    assert device < MOST_DEVICES, "two bits a device"
    standing[states] |= (how << 2 * device).astype(np.uint8)


def is_home(standing: Standing, device: int) -> Flags:
    """In which states a device is home."""
    home: Flags = standing >> 2 * device & FAILED != AWAY
    return home


def all_home(standing: Standing, devices: int) -> Flags:
    """In which states all of so many devices are."""
    return _all(standing, devices, FAILED)


def all_done(standing: Standing, devices: int) -> Flags:
    """In which states all are, and nothing has failed."""
    return _all(standing, devices, DONE)


def _all(standing: Standing, devices: int, how: int) -> Flags:
    wanted = sum(how << 2 * device for device in range(devices))
    found: Flags = standing & wanted == wanted
    return found
