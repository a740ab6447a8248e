"""Equal parts have equal digests: in every process, under every hash seed, however they came about."""

import hashlib
import pickle
from typing import Any

from agent.abilities import Abilities
from agent.core import DevicePolicy
from simulator.cloud.jobs import JobsSettings
from simulator.devices.rig.values import Make


class _Content:
    """Takes in what is pickled."""

    def __init__(self) -> None:
        self.sha = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """More of it."""
        self.sha.update(data)


class _Canonical(pickle.Pickler):
    """Pickles without a memory of objects, so that equal parts are equal bytes; what a setup has once is left out."""

    def reducer_override(self, obj: Any) -> Any:
        """A name in its place."""
        is_left_out = isinstance(obj, DevicePolicy | Abilities | Make | JobsSettings)
        return (str, (type(obj).__name__,)) if is_left_out else NotImplemented


def digest(part: object) -> bytes:
    """32 bytes for a part of a world, or for a world, of one setup."""
    content = _Content()
    pickler = _Canonical(content, protocol=4)
    pickler.fast = True
    pickler.dump(part)
    return content.sha.digest()
