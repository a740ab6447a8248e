"""A device's lane: a fold of what it told, and of what the cloud told of it, into spans and marks.

Of one that gives no account of itself the cloud, the probes, and who switches its power are all there is; the lane is
then drawn from these alone, and says of the device no more than they show.
"""

from collections.abc import Callable
from math import inf

from simulator.page.axis import When
from simulator.page.data import Lane, Mark, Span
from simulator.page.drawing import Drawing, OpenMark, OpenSpan
from simulator.page.lane_events import READS
from simulator.page.messages import MESSAGES, Message, Wire
from simulator.trace import CLOUD, ENGINE, PROBE, Entry

NOT_OURS = frozenset({CLOUD, ENGINE, PROBE})
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

    def lane(self, lay: Callable[[When], float], ghosts: tuple[Span, ...]) -> Lane:
        """As it stands; `lay` puts an instant on the axis, `ghosts` are the losses."""
        since = -inf if self.drawing.since is None else lay(self.drawing.since)
        lasting = (ghost for ghost in ghosts if ghost.end is None or ghost.end > since)  # the others' jobs have left
        spans = sorted((*lasting, *(_span(span, lay) for span in self.drawing.spans)), key=lambda span: span.start)
        marks = sorted((self._drawn(mark, lay) for mark in self.drawing.marks), key=lambda mark: mark.at)
        return Lane(spans=tuple(spans), marks=tuple(marks), dropped=self.drawing.dropped)

    def _drawn(self, mark: OpenMark, lay: Callable[[When], float]) -> Mark:
        message = mark.message
        if message is None:
            at, ids, job, namespace, ok = lay(mark.when), mark.ids, mark.job, mark.namespace, None
        else:
            at, ids = lay(message.when), tuple(message.ids)
            job, namespace, ok = message.job, message.namespace, self._arrived(message)
        return Mark(
            track=mark.track, at=at, kind=mark.kind, text=mark.text, job=job, namespace=namespace, events=ids, ok=ok
        )

    def _arrived(self, message: Message) -> bool | None:
        """Of one that tells nothing it is known if that was acknowledged."""
        arrived = self.wire.has_arrived(message)
        return arrived if self.has_told or arrived else None


def _span(span: OpenSpan, lay: Callable[[When], float]) -> Span:
    start = lay(span.start)
    return Span(
        track=span.track,
        start=start,
        end=None if span.end is None else max(start, lay(span.end)),
        kind=span.kind,
        text=span.text,
        job=span.job,
        namespace=span.namespace,
        events=tuple(span.ids),
    )
