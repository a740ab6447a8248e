"""What happened on a way through the explorer's world, as a sequence diagram of plain text: a row for each choice.

    cloud | wire | agent | hardware, in 80 columns

Below a row stands whatever has changed with it of the flash, of the journal, and of what the device knows of its job:
what it is at with it, and what it was told last. What does not stand there is as it was before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    JournalSpoiled,
    JournalUnwritable,
    JournalWritten,
    PhaseChanged,
    PowerLost,
    RequestSent,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey
from simulator.trace import (
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FlashArea,
    FlashChanged,
    JobDeleted,
    RequestAnswered,
    device_source,
)

COLUMNS: Final = ("cloud", "wire", "agent", "hardware")
WIDTHS: Final = (19, 20, 18, 18)
NUMBER: Final = 4
BELOW: Final = " " * (NUMBER + 1)
WIDEST: Final = 80
DEVICE: Final = device_source("")
Step = tuple[str, Sequence[Entry]]
"""A choice, and the entries that it made be told."""


class Known(NamedTuple):
    """What stands below a row."""

    flash: str = ""
    journal: str = "empty"
    knows: str = "nothing of a job"
    told: str = ""


def ladder(steps: Iterable[Step], before: Iterable[Entry] = ()) -> Iterator[str]:
    """The lines of the diagram; `before` is what was told before the first choice. Of several devices, what concerns
    another than the first bears its number.
    """
    devices = _Devices()
    for entry in before:
        devices.feed(entry)
    yield _line("", COLUMNS)
    yield _line("", tuple("─" * (width - 1) for width in WIDTHS))
    yield from devices.changed(dict.fromkeys(devices.known, Known("", "", "", "")))
    for number, (choice, entries) in enumerate(steps, 1):
        was = dict(devices.known)
        for entry in entries:
            devices.feed(entry)
        yield from _row(number, choice, [(devices.mark(entry), entry.event) for entry in entries])
        yield from devices.changed(was)


class _Devices:
    """What is known of each, by who tells it, in the order in which they were first heard of."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}

    def feed(self, entry: Entry) -> None:
        """Something was told."""
        if entry.source.startswith(DEVICE):
            self.known[entry.source] = after(self.known.get(entry.source, Known()), entry.event)

    def mark(self, entry: Entry) -> str:
        """What tells the device from the first one."""
        number = list(self.known).index(entry.source) if entry.source in self.known else 0
        return f"{number + 1}: " if number else ""

    def changed(self, was: Mapping[str, Known]) -> Iterator[str]:
        """What stands below: all that is not as it was."""
        for number, (source, known) in enumerate(self.known.items(), 1):
            yield from _below(was.get(source, Known()), known, str(number) if number > 1 else "")


def _row(number: int, choice: str, told: Sequence[tuple[str, object]]) -> Iterator[str]:
    cells: dict[str, list[str]] = {column: [] for column in COLUMNS}
    said = ((column, f"{mark}{text}") for mark, event in told for column, text in _of_event(event))
    for column, text in (*_of_choice(choice), *said):
        if text not in cells[column]:
            cells[column].append(text)
    columns = [[line for text in cells[name] for line in _fit(text, width - 1)] for name, width in _sized()]
    for at in range(max(map(len, columns), default=0)):
        head = f"{number}" if at == 0 else ""
        yield _line(head, tuple(column[at] if at < len(column) else "" for column in columns))


def _sized() -> Iterator[tuple[str, int]]:
    yield from zip(COLUMNS, WIDTHS, strict=True)


def _line(head: str, cells: Sequence[str]) -> str:
    texts = "".join(f"{text:<{width}}" for text, width in zip(cells, WIDTHS, strict=True))
    return f"{head:>{NUMBER}} {texts}".rstrip()


def _fit(text: str, width: int) -> Iterator[str]:
    """The text in lines of that width, broken between words."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line else word
        while len(line) > width:
            yield line[: width - 1] + "…"
            line = "  " + line[width - 1 :]
    yield line


# ── what a choice is ──────────────────────────────────────────────────────────────────────────────────────────


ON_THE_WIRE: Final[Mapping[str, str]] = {
    "arrive twice": "◄═ {} (a copy stays)",
    "arrive": "◄─ {}",
    "deliver twice": "{} ═► (a copy stays)",
    "deliver": "{} ─►",
    "lose": "╳ {} is lost",
    "delay": "~ {} is overtaken",
    "disconnect": "╳ connection lost{}",
}
"""The longer of two beginnings comes first."""
BY_HAND: Final[Mapping[str, str]] = {
    "delete execution": "DELETE execution of {}",
    "delete": "DELETE {} --force",
    "cancel": "CANCEL {} --force",
    "create again": "create {} AGAIN",
    "create": "create {}",
}
CUT: Final = "power-cut"


def _of_choice(choice: str) -> Iterator[tuple[str, str]]:
    """In which columns a choice is told, and how."""
    whole, cut, before = choice.partition(f" {CUT} before ")
    for begins, words in ON_THE_WIRE.items():
        if whole == begins or whole.startswith(f"{begins} "):
            yield "wire", words.format(_short(whole.removeprefix(begins).strip()))
            break
    for begins, words in BY_HAND.items():
        if whole.startswith(f"{begins} "):
            yield "cloud", words.format(whole.removeprefix(begins).strip())
            break
    if whole.startswith("timer "):
        yield "agent", f"timer {whole.removeprefix('timer ')} runs out"
    elif whole.startswith("work "):
        yield "hardware", whole.removeprefix("work ")
    elif whole.startswith("fail "):
        yield "hardware", f"{whole.removeprefix('fail ')} FAILS"
    elif whole in ("reboot", "undo reboot"):
        yield "hardware", f"{whole}: goes down"
    if cut:
        yield "hardware", f"POWER CUT before {before}"
    elif whole == CUT:
        yield "hardware", "POWER CUT"


def _short(message: str) -> str:
    """A message's name, fit for its column: what a report says stands at the agent, and at the cloud."""
    for long, short in ((" IN_PROGRESS", ""), (" accepted", ": yes"), (" rejected", ": NO")):
        message = message.replace(long, short)
    return message


# ── what is told ──────────────────────────────────────────────────────────────────────────────────────────────


def _of_event(event: object) -> Iterator[tuple[str, str]]:
    if (text := _of_cloud(event)) is not None:
        yield "cloud", text
    if (text := _of_agent(event)) is not None:
        yield "agent", text
    if (text := _of_hardware(event)) is not None:
        yield "hardware", text


def _of_cloud(event: object) -> str | None:
    match event:
        case ExecutionQueued(execution=key):
            return f"{_named(key)} QUEUED"
        case ExecutionChanged(execution=key, status=status, version=version):
            return f"{_named(key)} {status} v{version}"
        case ExecutionRemoved(execution=key):
            return f"{_named(key)} GONE"
        case RequestAnswered(accepted=False, code=code):
            return f"no: {code}"
        case JobDeleted(job_id=job_id):
            return f"{job_id} is no more"
        case _:
            return None


def _of_agent(event: object) -> str | None:
    match event:
        case RequestSent(request=request, job_id=job_id, status=status):
            return " ".join(word for word in ("sends", request, job_id, status) if word)
        case ExecutionTaken(execution=key):
            return f"takes {_named(key)}"
        case ExecutionGone(execution=key, end=end):
            return f"learns: {_named(key)} {end}"
        case ExecutionLeft(execution=key, outcome=outcome):
            return f"leaves {_named(key)}: {outcome}"
        case PhaseChanged(phase=phase):
            return f"→ {phase}"
        case JournalUnwritable():
            return "cannot write its journal"
        case DeviceCrashed():
            return "CRASHES"
        case DeviceConnected():
            return "connected"
        case DeviceDisconnected():
            return "off line"
        case _:
            return None


def _of_hardware(event: object) -> str | None:
    match event:
        case StepStarted(step=step, reversible=reversible):
            return f"{step} begins" + ("" if reversible else ", no way back")
        case StepFinished(step=step, outcome=outcome):
            return f"{step} {outcome}"
        case StepUndone(step=step, ok=ok):
            return f"{step} taken back" if ok else f"{step} CANNOT be taken back"
        case DeviceBooted(version=version, on_trial=on_trial):
            return f"boots {version}" + (", on trial" if on_trial else "")
        case PowerLost():
            return "no power"
        case JournalSpoiled(holds=holds):
            return f"journal spoiled: {holds} left"
        case VersionCommitted(version=version):
            return f"commits {version}"
        case VersionReverted(version=version):
            return f"takes {version} back"
        case _:
            return None


def _named(key: ExecutionKey) -> str:
    """An incarnation, shortly: the second in which it was queued tells it from others of its id."""
    return f"{key.job_id}@{key.queued_at % 1000}"


# ── what stands below ─────────────────────────────────────────────────────────────────────────────────────────


def after(known: Known, event: object) -> Known:
    """What is known after that."""
    match event:
        case FlashChanged():
            return known._replace(flash=flash_words(event))
        case JournalWritten(doing="", begun=0, done=0):
            return known._replace(journal="nothing in hand")
        case JournalWritten(doing=doing, begun=begun, done=done):
            return known._replace(journal=f"{doing}: {begun} steps begun, {done} done")
        case JournalSpoiled(holds=holds):
            return known._replace(journal=f"spoiled: {holds} left")
        case PhaseChanged(phase=phase, execution=key):
            about = f" with {_named(key)}" if key is not None else ""
            return known._replace(knows=f"{phase}{about}")
        case ExecutionGone(execution=key, end=end):
            return known._replace(told=f"{_named(key)} is {end}")
        case HintReceived(hint=hint, listed=listed):
            return known._replace(told=f"{hint} lists {', '.join(map(_named, listed)) or 'nothing'}")
        case AnswerReceived():
            return known._replace(told=_told(event))
        case DeviceBooted():
            return known._replace(knows="idle, but for what its journal says", told="")
        case PowerLost():
            return known._replace(knows="off: what it did not write down is gone", told="")
        case DeviceCrashed():
            return known._replace(knows="crashed", told="")
        case _:
            return known


def _told(event: AnswerReceived) -> str:
    if not event.accepted:
        return f"{event.code}" + (f", it is {event.status}" if event.status else "")
    if event.execution is None:
        return "accepted" + (f", it is {event.status}" if event.status else "")
    return f"{_named(event.execution)} is {event.status}"


def flash_words(event: FlashChanged) -> str:
    """What stands in each slot, sector by sector."""
    areas = (*event.slots, *event.incoming)
    swapped = "" if event.swapped is None else f"; {event.swapped} sectors exchanged"
    boots = "" if event.boots else "; NOTHING WOULD BOOT"
    return "; ".join(_area(area, event) for area in areas) + swapped + boots


def _area(area: FlashArea, event: FlashChanged) -> str:
    does = "runs" if area.name == event.running else "boots next" if area.name == event.boots else ""
    state = "" if area.state in ("whole", "empty") else area.state
    words = " ".join(word for word in (area.holds or "empty", state, does) if word)
    return f"{area.name} [{area.cells}] {words}"


def _below(was: Known, now: Known, mark: str) -> Iterator[str]:
    for name, before, text in zip(("flash", "journal", "is", "told"), was, now, strict=True):
        if text != before and text:
            yield from _wrapped(f"{BELOW}{f'{mark}: ' if mark else ''}{name:<8}", text)


def _wrapped(head: str, text: str) -> Iterator[str]:
    """Broken between areas of the flash, or words."""
    width, line = WIDEST - len(head), ""
    for part in text.split("; "):
        if line and len(line) + 2 + len(part) > width:
            yield f"{head}{line};"
            head, line = " " * len(head), part
        else:
            line = f"{line}; {part}" if line else part
    yield f"{head}{line[:width]}"
