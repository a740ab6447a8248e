"""What became of a list, told to who has it as it was: of a lane that is an hour long, what came in a second.

    {"gone": [0, 1], "put": {"5": …}, "more": […]}

The first two go; of those that are left the sixth is another now; and more follow.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, TypeAlias

from simulator.page.data import Flash, Lane, Line, Mark, Span

Edit: TypeAlias = dict[str, Any]
WORTH_IT: Final = 2
"""A list of which more than one in so many would be put anew is told in whole."""


def edit(before: Sequence[Any], after: Sequence[Any], key: Callable[[Any], Hashable]) -> Edit | None:
    """What makes `after` of `before`, whose members have the same key as long as they are the same thing; None if it is
    told best in whole.
    """
    first = key(after[0]) if after else None
    gone = next((number for number, each in enumerate(before) if key(each) == first), len(before))
    edited = _edit(before, after, range(gone))
    if edited is None:  # some went from its midst
        keys = set(map(key, after))
        edited = _edit(before, after, [number for number, each in enumerate(before) if key(each) not in keys])
    return edited


def _edit(before: Sequence[Any], after: Sequence[Any], gone: Sequence[int]) -> Edit | None:
    goes = frozenset(gone)
    left = [each for number, each in enumerate(before) if number not in goes]
    if len(left) > len(after):
        return None
    pairs = enumerate(zip(left, after, strict=False))
    put = {number: now for number, (was, now) in pairs if was is not now and was != now}
    if len(put) * WORTH_IT > len(after):
        return None
    return {"gone": list(gone), "put": put, "more": after[len(left) :]}


def edit_of_lane(before: Lane, after: Lane) -> Edit | None:
    """The same of spans and of marks, with how many are `dropped`."""
    spans, marks = edit(before.spans, after.spans, _of_span), edit(before.marks, after.marks, _of_mark)
    if spans is None or marks is None:
        return None
    return {"spans": spans, "marks": marks, "dropped": after.dropped}


def edit_of_flash(before: Sequence[Flash], after: Sequence[Flash]) -> Edit | None:
    """The same of a history."""
    return edit(before, after, lambda each: each.at)


def edit_of_lines(before: Sequence[Line], after: Sequence[Line]) -> Edit | None:
    """The same of what goes through all lanes."""
    return edit(before, after, lambda each: (each.at, each.kind, each.text))


def _of_span(span: Span) -> Hashable:
    return span.track, span.start, span.kind, span.job


def _of_mark(mark: Mark) -> Hashable:
    return mark.track, mark.at, mark.kind, mark.text
