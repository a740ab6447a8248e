"""A device's lane: a fold of what it told, and of what the cloud told of it, into spans and marks.

Of one that gives no account of itself the cloud, the probes, and who switches its power are all there is; the lane is
then drawn from these alone, and says of the device no more than they show.
"""

from collections.abc import Callable, Container, Sequence
from math import inf
from operator import attrgetter
from typing import Final

from simulator.page.axis import When
from simulator.page.data import Lane, Mark, Span
from simulator.page.drawing import Drawing, OpenMark, OpenSpan, is_as_drawn, named
from simulator.page.lane_events import READS
from simulator.page.messages import MESSAGES, Message, Wire
from simulator.trace import CLOUD, ENGINE, PROBE, Entry

_start, _at = attrgetter("start"), attrgetter("at")
NOT_OURS: Final = frozenset({CLOUD, ENGINE, PROBE})
"""Whose clock is the cloud's, where they tell of a device."""


class LaneFold:
    """`most` as `Drawing` has it. `revision` counts what changed.

    Losses, which end when the device is told, are drawn by who knows when that was.
    """

    def __init__(self, most: int) -> None:
        self.drawing = Drawing(most)
        self.wire = Wire()
        self.revision = 0
        self.has_told = False
        self._drawn_by: object = None

    def feed(self, entry: Entry) -> None:
        """Take in the next entry about this device."""
        source, event = entry.source, entry.event
        when, event_id = When(entry.at, source not in NOT_OURS), f"{source}#{entry.n}"
        self.has_told = self.has_told or when.is_own
        kind = type(event)
        if (read := READS.get(kind)) is not None:
            read(self.drawing, event, when, event_id)
        elif (read_message := MESSAGES.get(kind)) is not None:
            message = read_message(self.wire, event, when, event_id)
            if message is not None:
                self.drawing.mark(OpenMark("wire", message.kind, message.text, when, message=message))
        else:
            return
        self.revision += 1

    def lane(
        self,
        lay: Callable[[When], float],
        ghosts: tuple[Span, ...],
        kept: Container[str] | None = None,
        drawn_by: object = None,
    ) -> Lane:
        """As it stands; `lay` puts an instant on the axis, `ghosts` are the losses. `kept` are the ids that may be
        named; None: any.

        As long as `drawn_by`, which stands for `lay`, is the same, what is over is drawn once.
        """
        if drawn_by is None or drawn_by != self._drawn_by:
            self._forget_drawn()
        self._drawn_by = drawn_by
        since = -inf if self.drawing.since is None else lay(self.drawing.since)
        lasting = (ghost for ghost in ghosts if ghost.end is None or ghost.end > since)  # the others' jobs have left
        own = [_span(span, lay, kept) for span in self.drawing.spans]
        spans = sorted((*lasting, *own), key=_start)
        marks = sorted([self._mark(mark, lay, kept) for mark in self.drawing.marks], key=_at)
        return Lane(spans=tuple(spans), marks=tuple(marks), dropped=self.drawing.dropped)

    def _forget_drawn(self) -> None:
        for span in self.drawing.spans:
            span.drawn = None
        for mark in self.drawing.marks:
            mark.drawn = None

    def _mark(self, mark: OpenMark, lay: Callable[[When], float], kept: Container[str] | None) -> Mark:
        message, drawn = mark.message, mark.drawn
        ok, told = (None, 0) if message is None else (self._arrived(message), len(message.ids))
        if drawn is not None and drawn.ok is ok and mark.told == told and is_as_drawn(drawn, kept):
            return drawn
        mark.told = told
        when, ids = (mark.when, mark.ids) if message is None else (message.when, message.ids)
        return _mark(mark, when, ids, lay, kept, ok=ok)

    def _arrived(self, message: Message) -> bool | None:
        """Of one that tells nothing it is known if that was acknowledged."""
        arrived = self.wire.has_arrived(message)
        return arrived if self.has_told or arrived else None


def _mark(
    mark: OpenMark,
    when: When,
    ids: Sequence[str],
    lay: Callable[[When], float],
    kept: Container[str] | None,
    *,
    ok: bool | None,
) -> Mark:
    of: OpenMark | Message = mark.message or mark
    mark.drawn = Mark(
        track=mark.track,
        at=lay(when),
        kind=mark.kind,
        text=mark.text,
        job=of.job,
        namespace=of.namespace,
        events=named(ids, kept),
        ok=ok,
    )
    return mark.drawn


def _span(span: OpenSpan, lay: Callable[[When], float], kept: Container[str] | None) -> Span:
    if span.drawn is not None and is_as_drawn(span.drawn, kept):
        return span.drawn
    start = lay(span.start)
    drawn = Span(
        track=span.track,
        start=start,
        end=None if span.end is None else max(start, lay(span.end)),
        kind=span.kind,
        text=span.text,
        job=span.job,
        namespace=span.namespace,
        events=named(span.ids, kept),
    )
    if span.end is not None:
        span.drawn = drawn
    return drawn
