"""A sequence diagram of what went on around what a verdict points at: who told whom what, and what the device did.

Also as text that Mermaid draws (https://mermaid.js.org/syntax/sequenceDiagram.html). What a device may have named is
written so that it neither ends a line nor begins a keyword there: Mermaid reads `#` and `;` as the ends of things, and
has entities, such as `#35;`, for what it would misread.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from simulator.page.axis import When
from simulator.page.data import Arrow, Diagram, Mark
from simulator.page.lanes import LaneFold
from simulator.report.plain import plain
from simulator.trace import Entry

ARROWS: Final = 40
"""So many at most; those nearest to what is pointed at."""
TEXT: Final = 100
"""Characters of one arrow's text."""
OPERATOR, CLOUD = "operator", "cloud"
MISREAD: Final = re.compile(r"[^A-Za-z0-9 .,:_/()%+=?!'*-]")
ENDS: Final = re.compile(r"\b(end)\b", re.IGNORECASE)
"""A word that Mermaid takes for its own wherever it stands (its documentation, "sequenceDiagram", warning on `end`)."""


def diagram(
    entries: Sequence[Entry], thing: str, shown: Sequence[str], lay: Callable[[When], float], operator: Iterable[Arrow]
) -> Diagram:
    """Around the entries `shown`, out of those of one thing; `operator` is what was done to its jobs."""
    lane = LaneFold(2 * len(entries) + 8)
    for entry in entries:
        lane.feed(entry)
    marks = lane.lane(lay, ()).marks
    order = {entry.id: number for number, entry in enumerate(entries)}
    arrows = sorted(
        (*operator, *_arrows(marks, thing), *_steps(entries, thing, lay)),
        key=lambda arrow: (arrow.at, order.get(arrow.id, -1)),
    )
    chosen = _near(arrows, shown)
    participants = tuple(each for each in (OPERATOR, CLOUD, thing) if any(each in (a.from_, a.to) for a in chosen))
    return Diagram(participants=participants, arrows=tuple(chosen), mermaid=mermaid(participants, chosen))


def _arrows(marks: Iterable[Mark], thing: str) -> Iterable[Arrow]:
    for mark in marks:
        ends = ENDS_OF.get(mark.kind, (thing, thing))
        from_, to = (thing if end == "" else end for end in ends)
        if mark.track in ("wire", "agent", "hardware") or mark.kind in ("removed", "created-again"):
            if mark.track == "cloud":
                from_, to = CLOUD, CLOUD
            yield Arrow(at=mark.at, from_=from_, to=to, text=mark.text, ok=mark.ok is not False, id=mark.events[0])


ENDS_OF: Final[dict[str, tuple[str, str]]] = {"to-cloud": ("", CLOUD), "to-device": (CLOUD, "")}


def _steps(entries: Iterable[Entry], thing: str, lay: Callable[[When], float]) -> Iterable[Arrow]:
    for entry in entries:
        if (words := STEPS.get(entry.event.type)) is not None:
            text = words(entry.event)
            yield Arrow(at=lay(When(entry.at, True)), from_=thing, to=thing, text=text, id=entry.id)


STEPS: Final[dict[str, Callable[..., str]]] = {
    "step.started": lambda event: f"begins {event.step}",
    "step.finished": lambda event: f"{event.step} {event.outcome}",
    "step.undone": lambda event: f"{event.step} " + ("undone" if event.ok else "not undone"),
    "phase.changed": lambda event: f"is {event.phase}" + (f": {event.why}" if event.why else ""),
    "hardware.changed": lambda event: (
        ("" if event.bootable else "cannot boot; ")
        + (", ".join(event.pending) + " pending" if event.pending else f"runs {event.version}, nothing pending")
    ),
}


def _near(arrows: list[Arrow], shown: Sequence[str]) -> list[Arrow]:
    """From somewhat before the first that is pointed at to somewhat after the last."""
    if len(arrows) <= ARROWS:
        return arrows
    pointed = [number for number, arrow in enumerate(arrows) if arrow.id in shown] or [len(arrows) - 1]
    first, last = pointed[0], pointed[-1]
    if last - first >= ARROWS:
        half = ARROWS // 2
        return [*arrows[max(first - 4, 0) : first + half - 4], *arrows[last - half + 5 : last + 5]]
    room = ARROWS - (last - first + 1)
    begin = max(0, min(first - room * 3 // 4, len(arrows) - ARROWS))
    return arrows[begin : begin + ARROWS]


# ── Mermaid ───────────────────────────────────────────────────────────────────────────────────────────────────────


def mermaid(participants: Sequence[str], arrows: Iterable[Arrow]) -> str:
    """The text of a diagram. An arrow with a cross is a message that did not arrive."""
    names = {name: f"p{number}" for number, name in enumerate(participants)}
    lines = ["sequenceDiagram", *(f"    participant {id_} as {_safe(name)}" for name, id_ in names.items())]
    for arrow in arrows:
        sign = "->>" if arrow.ok else "-x"
        text = _safe(f"{arrow.at:.3f} s: {arrow.text}")
        lines.append(f"    {names[arrow.from_]}{sign}{names[arrow.to]}: {text}")
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    escaped = MISREAD.sub(lambda found: f"#{ord(found[0])};", plain(text, TEXT))
    return ENDS.sub(r"#101;nd", escaped)
