"""Seals: what tells a record that is as it was written from one that is not, and how many there ought to be.

A record's seal is a CRC-32 over its kind, what its positions mean (the shapes of its dataclasses), its key and its
text, with its number added in a way that SQL can do as well: a record that is replaced keeps its number, which only the
file knows. A kind's total is the sum of its records' seals: with the number of records it tells when one is missing,
one too many, or one is back as it was before. Nobody is kept out by that; it finds accidents.
"""

from collections.abc import Mapping
from typing import Final
from zlib import crc32

from simulator.cloud.store.encoding import Shapes, dataclasses_in, dumps, shape_of

BITS: Final = 0xFFFFFFFF
PRIME: Final = 1_073_741_789
"""The largest below 2 to the 30th: a number is taken modulo this, so that its product fits into SQLite's 64 bits."""
FACTOR: Final = 0x9E3779B1
WITH_NUMBER: Final = f"((%s + (number %% {PRIME}) * {FACTOR}) & {BITS})"
"""The same in SQL, for what stands in the place of %s."""


def seed_of(kind: str, record: type, shapes: Shapes) -> int:
    """Where the seals of a kind begin: another kind's record, or one of another shape, has another seal."""
    meant = {name: shapes.get(name, shape_of(each)) for name, each in dataclasses_in(record).items()}
    return crc32(dumps([kind, meant]).encode())


def seeds_of(kinds: Mapping[str, type], shapes: Shapes) -> dict[str, int]:
    """The same for all of them, by name."""
    return {kind: seed_of(kind, record, shapes) for kind, record in kinds.items()}


def of_text(seed: int, key: str, text: str) -> int:
    """A record's seal, but for its number."""
    return crc32(f"{key}\n{text}".encode("utf-8", "surrogatepass"), seed)


def of_row(seed: int, key: str, number: int, text: str) -> int:
    """A record's seal."""
    return of_text(seed, key, text) + (number % PRIME) * FACTOR & BITS


def of_name(*texts: str) -> int:
    """The seal of a kind's name, or of a shape."""
    return crc32("\n".join(texts).encode("utf-8", "surrogatepass"))
