"""A list of names, on terminals of any width and elsewhere."""

import pytest

from simulator.cli.listing import broken, lines

ROWS = [("step/calm", "its job is deleted while it works"), ("a", "b")]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (None, ["step/calm  its job is deleted while it works", "a          b"]),
        (44, ["step/calm  its job is deleted while it works", "a          b"]),
        (43, ["step/calm", "    its job is deleted while it works", "a", "    b"]),
        (30, ["step/calm", "    its job is deleted while\n    it works", "a", "    b"]),
        (3, ["step/calm", "    its job is deleted\n    while it works", "a", "    b"]),
    ],
)
def test_what_does_not_fit_goes_below_and_breaks_between_words(columns: int | None, shown: list[str]):
    assert list(lines(ROWS, columns)) == shown


def test_nothing_is_an_empty_list():
    assert list(lines([], 80)) == []


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (None, "certs  none, so no TLS (--certs DIR)"),
        (32, "certs  none, so no TLS (--certs\n       DIR)"),
        (20, "certs  none, so no\nTLS (--certs DIR)"),
    ],
)
def test_a_line_goes_on_below_what_it_says_as_long_as_there_is_room(columns: int | None, shown: str):
    assert broken("certs  none, so no TLS (--certs DIR)", columns, 7) == shown
