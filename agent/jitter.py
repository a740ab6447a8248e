"""Jitter that is given, not drawn: a sequence of numbers that its seed fixes, in a few bytes.

`random.Random` carries 2.5 KiB of state, which in a fleet is more than a device's whole connection to its core.
"""

from hashlib import blake2b


class Jitter:
    """Uniform numbers from [0, 1), the same for the same seed."""

    __slots__ = ("_count", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def random(self) -> float:
        """The next number."""
        self._count += 1
        drawn = blake2b(f"{self._seed}/{self._count}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn, "big") / 2**64
