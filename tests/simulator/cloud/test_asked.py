"""What the embedded cloud is asked for on its standard input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.cloud.asked import LONGEST_LINE, CutOff, Lines


@given(st.lists(st.binary(max_size=40)), st.data())
def test_lines_are_what_stands_between_line_ends_however_they_come(parts: list[bytes], data: st.DataObject):
    whole = b"\n".join(part.replace(b"\n", b"") for part in parts) + b"\n"
    lines, got, at = Lines(), list[bytes](), 0
    while at < len(whole):
        size = data.draw(st.integers(1, 20))
        got += lines.feed(whole[at : at + size])
        at += size
    assert got == whole.split(b"\n")[:-1]


def test_a_line_without_an_end_does_not_grow_for_ever():
    lines = Lines()
    for _ in range(100):
        assert lines.feed(b"x" * 1024) == []
    (line,) = lines.feed(b"\n")
    assert len(line) == LONGEST_LINE


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"null", b'{"cut_off": "a", "seconds": 0, "name": "x"}', b'{"cut_off": "a", "seconds": 1}']
)
def test_what_is_no_order_is_none(line: bytes):
    with pytest.raises(ValidationError):
        CutOff.model_validate_json(line)
