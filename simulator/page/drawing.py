"""What is drawn of a lane, while it is drawn: spans that have begun, and may have ended, and marks."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from simulator.page.axis import When
from simulator.page.data import Flash, Mark, Span, Track
from simulator.page.messages import Message

EVENTS: Final = 6
"""So many entries are named by one span: those that began it, and the last ones."""


@dataclass(slots=True)
class OpenSpan:
    """A span while it is drawn. `drawn` is what it was drawn as last, once it has ended."""

    track: Track
    kind: str
    text: str
    start: When
    job: str = ""
    namespace: str | None = None
    end: When | None = None
    ids: list[str] = field(default_factory=list)
    drawn: Span | None = None

    def shown_by(self, event_id: str) -> None:
        """One more entry shows it."""
        if event_id not in self.ids:
            self.ids.append(event_id)
            if len(self.ids) > EVENTS:
                del self.ids[EVENTS // 2]


@dataclass(slots=True)
class OpenMark:
    """A mark while it is drawn; of a message, that.

    `drawn` is what it was drawn as last, when `told` entries told of the message.
    """

    track: Track
    kind: str
    text: str
    when: When
    job: str = ""
    namespace: str | None = None
    ids: tuple[str, ...] = ()
    message: Message | None = None
    drawn: Mark | None = None
    told: int = 0


D = TypeVar("D", OpenSpan, OpenMark)


def is_as_drawn(drawn: Span | Mark | Flash, kept: Container[str] | None) -> bool:
    """Whether all that it names is kept yet: the first that it names is the first to be forgotten."""
    return kept is None or not drawn.events or drawn.events[0] in kept


def named(ids: Sequence[str], kept: Container[str] | None) -> tuple[str, ...]:
    """Those that are kept; None: all are."""
    return tuple(ids) if kept is None else tuple([event for event in ids if event in kept])


class Drawing:
    """`most` is how many spans and marks are remembered, of each; then the oldest go, and are counted in `dropped`;
    `since` is when the last of the spans began that went.

    `open` has the spans that last yet, by what ends them. `jobs` have been queued before. `worked` is when the hardware
    was last seen to have done something. `shows` is what a probe showed last.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.spans: list[OpenSpan] = []
        self.marks: list[OpenMark] = []
        self.open: dict[object, OpenSpan] = {}
        self.jobs: set[tuple[str | None, str]] = set()
        self.connections = 0
        self.worked: When | None = None
        self.shows = ""
        self.dropped = 0
        self.since: When | None = None

    def begin(self, key: object, span: OpenSpan, event_id: str) -> None:
        """Something begins; what has the same key ends."""
        self.end(key, span.start, event_id)
        span.ids.append(event_id)
        self.open[key] = span
        self.spans.append(span)
        if len(self.spans) > self.most:
            self.since = self._forget(self.spans).start

    def end(self, key: object, when: When, event_id: str, text: str = "") -> None:
        """Something ends, if it has begun; `text` is what it has come to."""
        span = self.open.pop(key, None)
        if span is not None:
            span.end = when
            span.shown_by(event_id)
            span.text = text or span.text

    def mark(self, mark: OpenMark) -> None:
        """Something happens."""
        self.marks.append(mark)
        if len(self.marks) > self.most:
            self._forget(self.marks)

    def _forget(self, drawn: list[D]) -> D:
        """An eighth of them at once, so that this costs little; the last of those."""
        number = max(self.most // 8, 1)
        self.dropped += number
        last = drawn[number - 1]
        del drawn[:number]
        return last
