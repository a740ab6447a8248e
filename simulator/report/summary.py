"""The verdict, short, for a terminal: each invariant with its opportunities, the places reached, the times."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from simulator.report.hanging import hanging
from simulator.report.words import told
from simulator.trace import Entry
from simulator.verdict import Doubt, InvariantVerdict, Verdict, Violation

OUTCOMES = {
    "held": Text("held", "green"),
    "violated": Text("VIOLATED", "bold red"),
    "undecided": Text("undecided", "yellow"),
    "not-exercised": Text("not exercised", "dim"),
}
WORDS = {
    "passed": ("passed", "bold green"),
    "failed": ("FAILED", "bold red"),
    "inconclusive": ("INCONCLUSIVE", "bold yellow"),
}
SHOWN_DEVICES = 3
BETWEEN = 3
"""Columns between two tables that stand beside each other."""
IDLE = "not exercised: "
EntriesOf: TypeAlias = Callable[[str], Iterable[Entry]]
"""What a trace has of a thing."""


def summary(verdict: Verdict, entries_of: EntriesOf = lambda _: ()) -> Iterator[RenderableType]:
    """Its parts, from top to bottom; violations and doubts come with the trace entries that show them, in words.

    Of an entry that `entries_of` does not have there is the id alone.
    """
    yield _Invariants(verdict.invariants)
    for invariant in verdict.invariants:
        yield from found_by_device(invariant.id, invariant.violations, "red", entries_of)
        if invariant.violations:
            yield Text(f"    what that means, and what to do: ghostjob explain {invariant.id}", "dim")
        yield from found_by_device(f"{invariant.id} undecided", invariant.doubts, "yellow", entries_of)
    for place in verdict.reached:
        yield _place_line(place.id, place.devices, place.of)
        if place.of and not place.devices:
            yield Text(f"    what that means: ghostjob explain place.{place.id.split()[0]}", "dim")
    yield _recovery_line(verdict)
    yield Text.assemble(WORDS[verdict.outcome], f": {verdict.why}")


def print_summary(verdict: Verdict, console: Console, entries_of: EntriesOf = lambda _: ()) -> None:
    """Print it; in a file a sentence is one line, for grep; on a terminal it breaks between words."""
    for part in summary(verdict, entries_of):
        print_line(part, console)


def print_line(part: RenderableType, console: Console) -> None:
    """Print a part of it."""
    if isinstance(part, Text) and console.is_terminal:
        console.print(hanging(part))
    else:
        console.print(part, soft_wrap=isinstance(part, Text))


def by_part(verdict: Verdict, parts: Mapping[str, str]) -> Iterator[Text]:
    """A line for each part, how its devices did; `parts` has the part of each thing."""
    for part, count in Counter(parts.values()).items():
        broken = [(each.id, _who(each.violations, parts, part)) for each in verdict.invariants]
        told = [f"{name} on {len(who)}" for name, who in broken if who]
        who = "1 device" if count == 1 else f"{count} devices"
        style = "bold red" if told else "bold green"
        yield Text.assemble(
            (part, style), f": {who}, ", f"which violated {', '.join(told)}" if told else "none at fault"
        )


def _who(violations: Iterable[Violation], parts: Mapping[str, str], part: str) -> set[str]:
    return {each.thing for each in violations if parts.get(each.thing) == part}


def found_by_device(what: str, found: Sequence[Violation | Doubt], style: str, entries_of: EntriesOf) -> Iterator[Text]:
    """The first few devices of which there is something to say, with the entries that show it."""
    for each in found[:SHOWN_DEVICES]:
        who = each.thing if each.stands_for == 1 else f"{each.thing} and {each.stands_for - 1} like it"
        yield Text(f"  {what}: {who}: {each.message}", style)
        entries = {entry.id: entry for entry in entries_of(each.thing)}
        for event in each.events:
            yield Text(f"    {told(entries[event]) if event in entries else event}", "dim")
    if (more := sum(each.stands_for for each in found) - len(found[:SHOWN_DEVICES])) > 0:
        yield Text(f"  {what}: and {more} more", style)


class _Invariants:
    """A line each; on a terminal that is wide enough, two beside each other, and those that were not exercised by name:
    the verdict below is seen with them.
    """

    def __init__(self, invariants: Sequence[InvariantVerdict]) -> None:
        self._invariants = invariants

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        exercised = [each for each in self._invariants if each.outcome != "not-exercised"]
        half = (len(exercised) + 1) // 2
        parts = [_table(each, "times") for each in (exercised[:half], exercised[half:])]
        widths = [Measurement.get(console, options, part).maximum for part in parts]
        if not console.is_terminal or sum(widths) + BETWEEN > options.max_width:
            yield _table(self._invariants, "opportunities")
            return
        beside = Table.grid(padding=(0, BETWEEN, 0, 0))
        beside.add_row(*parts)
        yield beside
        if idle := [each.id for each in self._invariants if each.outcome == "not-exercised"]:
            yield hanging(Text(f"{IDLE}{', '.join(idle)}", "dim"), len(IDLE))


def _table(invariants: Sequence[InvariantVerdict], opportunities: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("invariant", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column(opportunities, justify="right", no_wrap=True)
    for invariant in invariants:
        table.add_row(invariant.id, OUTCOMES[invariant.outcome], str(invariant.opportunities))
    return table


def _place_line(name: str, devices: int, of: int) -> Text:
    if of == 0:
        return Text(f"not asked for {name}: none of the devices is to reach it", "dim")
    style = "green" if devices >= of else "yellow" if devices else "bold red"  # of some, one may be enough
    return Text.assemble("reached ", (name, style), f" on {devices} of {of} devices")


def _recovery_line(verdict: Verdict) -> Text:
    times = verdict.recovery_seconds
    if times is None:
        return Text("recovery: nothing was removed that a device had to recover from", "dim")
    return Text(
        "recovery, from record removed to IN_PROGRESS on the next job: "
        f"p50 {times.p50:.3f} s, p90 {times.p90:.3f} s, p99 {times.p99:.3f} s, max {times.max:.3f} s"
    )
