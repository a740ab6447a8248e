"""What stands in the pages of an SQLite file, whether SQLite can still find its way through them or not.

Read is every page, and of each the cells that its own list of cells names: https://www.sqlite.org/fileformat2.html says
how. As deleted content is overwritten (`secure_delete`), what is found was there at the last commit that can be read;
whether a row is as it was written, its seal says.

The log beside the file counts as SQLite has it: up to its last commit before the first frame whose checksum is wrong.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from struct import Struct, error
from typing import Any, Final, TypeAlias

from simulator.cloud.store import state_file

Value: TypeAlias = Any
"""None, int, float, str or bytes."""
Found: TypeAlias = tuple[Value, ...]
USUAL_SIZE: Final = 4096
SIZES: Final = frozenset(1 << bits for bits in range(9, 17))
LEAF_OF_TABLE: Final = 0x0D
OF_INDEX: Final = {0x0A: 8, 0x02: 12}
"""Leaves and inner pages of tables WITHOUT ROWID, which hold rows alike, and how long their headers are."""
INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of an integer, by its type."""
FRAME: Final = Struct(">6I")
WAL_HEADER: Final = Struct(">8I")
MOST_COLUMNS: Final = 16
SPOILT: Final = (error, IndexError, ValueError, OverflowError)
"""What reading bytes that mean nothing ends in."""


def sizes_of(raw: bytes) -> tuple[int, ...]:
    """How long pages may be: as the file says, and as they usually are."""
    said = int.from_bytes(raw[16:18], "big")
    return tuple(dict.fromkeys(size for size in (65536 if said == 1 else said, USUAL_SIZE) if size in SIZES))


def rows(path: Path, size: int, *, with_log: bool) -> Iterator[Found]:
    """Every row in every page, those of tables with a rowid after it. Raises OSError."""
    raw = path.read_bytes()
    pages = {at // size + 1: raw[at : at + size] for at in range(0, len(raw), size)}
    if with_log:
        pages |= _logged(state_file.beside(path, state_file.WAL), size)
    for number, page in pages.items():
        yield from _rows_in(page, 100 if number == 1 else 0, size, pages)


def _rows_in(page: bytes, at: int, size: int, pages: Mapping[int, bytes]) -> Iterator[Found]:
    kind = page[at] if len(page) == size else 0
    if kind != LEAF_OF_TABLE and kind not in OF_INDEX:
        return
    header = OF_INDEX.get(kind, 8)
    cells = int.from_bytes(page[at + 3 : at + 5], "big")
    for cell in range(min(cells, size // 4)):
        where = at + header + 2 * cell
        start = int.from_bytes(page[where : where + 2], "big")
        try:
            yield _row(page, start + (4 if header == 12 else 0), kind == LEAF_OF_TABLE, size, pages)
        except SPOILT:
            continue


def _row(page: bytes, at: int, has_rowid: bool, size: int, pages: Mapping[int, bytes]) -> Found:
    length, at = _varint(page, at)
    begins: Found = ()
    if has_rowid:
        rowid, at = _varint(page, at)
        begins = (rowid,)
    least = (size - 12) * 32 // 255 - 23
    most = size - 35 if has_rowid else (size - 12) * 64 // 255 - 23
    here = length
    if length > most:
        here = least + (length - least) % (size - 4)
        here = here if here <= most else least
    payload = page[at : at + here]
    if here < length:
        payload += _overflow(int.from_bytes(page[at + here : at + here + 4], "big"), length - here, size, pages)
    return begins + _values(payload)


def _overflow(number: int, length: int, size: int, pages: Mapping[int, bytes]) -> bytes:
    parts, left = list[bytes](), length
    while left > 0 and len(parts) <= len(pages):
        page = pages.get(number)
        if page is None:
            break  # what is there may still say which record it was
        parts.append(page[4 : 4 + left])
        left -= size - 4
        number = int.from_bytes(page[:4], "big")
    return b"".join(parts)


def _values(payload: bytes) -> Found:
    header, at = _varint(payload, 0)
    types: list[int] = []
    while at < header:
        each, at = _varint(payload, at)
        types.append(each)
    if len(types) > MOST_COLUMNS:
        raise ValueError
    values: list[Value] = []
    for each in types:
        length = INTEGERS.get(each, 8 if each == 7 else max(0, each - 12) // 2)
        values.append(_value(each, payload[at : at + length]))
        at += length
    return tuple(values)


def _value(kind: int, raw: bytes) -> Value:
    if kind in INTEGERS:
        return int.from_bytes(raw, "big", signed=True)
    if kind in (8, 9):
        return kind - 8
    if kind >= 13 and kind % 2:
        return raw.decode("utf-8", "replace")
    return None if kind == 0 else raw


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(9):
        byte = raw[at + count]
        if count == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    raise ValueError


# ── the log ───────────────────────────────────────────────────────────────────────────────────────────────────


def _logged(path: Path, size: int) -> dict[int, bytes]:
    """Pages as the log has them, up to its last commit that is whole."""
    committed: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    try:
        raw = path.read_bytes()
        magic, _, said, _, *salts, one, other = WAL_HEADER.unpack_from(raw)
        words = ">" if magic & 1 else "<"
        sums = _summed(raw[:24], (0, 0), words)
        if magic >> 1 != 0x377F0682 >> 1 or said != size or sums != (one, other):
            return {}
        for at in range(WAL_HEADER.size, len(raw) - size - FRAME.size + 1, size + FRAME.size):
            number, is_commit, *frame_salts, one, other = FRAME.unpack_from(raw, at)
            page = raw[at + FRAME.size : at + FRAME.size + size]
            sums = _summed(page, _summed(raw[at : at + 8], sums, words), words)
            if frame_salts != salts or sums != (one, other):
                break
            pending[number] = page
            if is_commit:
                committed |= pending
                pending = {}
    except (OSError, error):
        pass
    return committed


def _summed(raw: bytes, sums: tuple[int, int], words: str) -> tuple[int, int]:
    """SQLite's running checksum."""
    one, other = sums
    each = iter(Struct(f"{words}{len(raw) // 4}I").unpack(raw))
    for first, second in zip(each, each, strict=True):
        one = one + first + other & 0xFFFFFFFF
        other = other + second + one & 0xFFFFFFFF
    return one, other
