"""A state as words of 64 bits: one for each side (device, net, watched), one for the service and the budgets."""

from typing import Final, NamedTuple

import numpy as np

from simulator.engines.explore.index import Numbers, Words

NET_BITS: Final = 22
WATCHED_BITS: Final = 20
DEVICE_BITS: Final = 22
"""Of a side's word: so many devices and nets (4 million of each) no machine holds yet."""
SERVICE_BITS: Final = 20
"""A device, a net and a service are a word as well: whether it is home is looked up by these."""
BUDGETS_BITS: Final = 32


class SideNumbers(NamedTuple):
    """The parts of one side, state by state."""

    device: Numbers
    net: Numbers
    watched: Numbers


def side_word(device: Numbers, net: Numbers, watched: Numbers) -> Words:
    """The word of each side."""
    return ((device << (NET_BITS + WATCHED_BITS)) | (net << WATCHED_BITS) | watched).astype(np.uint64)


def side_numbers(word: Words) -> SideNumbers:
    """What a side's word says."""
    device = (word >> np.uint64(NET_BITS + WATCHED_BITS)).astype(np.int64)
    rest = (word & np.uint64((1 << (NET_BITS + WATCHED_BITS)) - 1)).astype(np.int64)
    return SideNumbers(device, rest >> WATCHED_BITS, rest & ((1 << WATCHED_BITS) - 1))


def shared_word(service: Numbers, budgets: Numbers) -> Words:
    """The word of what all sides share."""
    return (service.astype(np.uint64) << np.uint64(BUDGETS_BITS)) | budgets.astype(np.uint64)


def shared_numbers(word: Words) -> tuple[Numbers, Numbers]:
    """Services and budgets."""
    low = np.uint64((1 << BUDGETS_BITS) - 1)
    return (word >> np.uint64(BUDGETS_BITS)).astype(np.int64), (word & low).astype(np.int64)
