"""Rows of words have numbers, and no two rows one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.engines.explore import index
from simulator.engines.explore.index import Index

# Few values, so that rows are met again; and such as share their low halves.
WORD = st.integers(0, 20) | st.integers(0, 3).map(lambda high: high << 40) | st.just(2**64 - 1)
ROWS = st.lists(st.tuples(WORD, WORD), max_size=60)


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([a for a, _ in rows], np.uint64), np.array([b for _, b in rows], np.uint64)


@given(st.lists(ROWS, max_size=6))
def test_rows_are_numbered_as_they_are_first_met(batches: list[list[tuple[int, int]]]):
    rows_by_number: dict[tuple[int, int], int] = {}
    tested = Index(2)
    for batch in batches:
        words = columns(batch)
        found = tested.find(words)
        assert found.tolist() == [rows_by_number.get(row, -1) for row in batch]
        new = np.flatnonzero(found < 0)
        numbers, fresh = tested.add(tuple(word[new] for word in words))
        missing = [batch[at] for at in new]
        first = [at for at, row in enumerate(missing) if row not in missing[:at]]
        for row in missing:
            rows_by_number.setdefault(row, len(rows_by_number))
        assert fresh.tolist() == first
        assert numbers.tolist() == [rows_by_number[row] for row in missing]


def test_a_hundred_thousand_rows_are_found_again():
    words = (np.arange(100_000, dtype=np.uint64) << np.uint64(32),)
    tested = Index(1)
    tested.add(words)
    assert (tested.find(words) == np.arange(100_000)).all()
    assert (tested.find((words[0] + np.uint64(1),)) == -1).all()


def test_rows_with_one_print_and_one_slot_are_still_told_apart(monkeypatch):
    monkeypatch.setattr(index, "_mixed", lambda rows: np.full(len(rows[0]), 7, np.uint64))
    words = (np.array([5, 6, 5, 8], np.uint64),)
    tested = Index(1)
    numbers, fresh = tested.add(words)
    assert (numbers.tolist(), fresh.tolist()) == ([0, 1, 0, 2], [0, 1, 3])
    assert tested.find((np.array([8, 9], np.uint64),)).tolist() == [2, -1]
