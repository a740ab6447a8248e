"""Faults of ours, thrown where nobody thought of one: at the next call of whatever function is meant."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Final


class Thrown(Exception):  # noqa: N818 - it stands for any fault that there may be
    """Not to be expected by anybody."""


ENDS: Final = {f"Transaction.{name}" for name in ("__init__", "__enter__", "__exit__", "_roll_back", "_take_back")}


def sees_to_transactions(code: CodeType) -> bool:
    """Whether it begins, ends or undoes what is done whole or not at all; a fault in there is more than one."""
    return code.co_qualname in ENDS


@contextmanager
def thrown_at(number: int, is_meant: Callable[[CodeType], bool]) -> Iterator[list[str]]:
    """Throw where the number-th function that is meant is called; the list holds its name from then on."""
    left, where = number, list[str]()

    def trace(frame: FrameType, event: str, _arg: object) -> None:
        nonlocal left
        if event == "call" and is_meant(frame.f_code):
            left -= 1
            if not left:
                where.append(frame.f_code.co_qualname)
                raise Thrown(where[0])

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield where
    finally:
        sys.settrace(before)
