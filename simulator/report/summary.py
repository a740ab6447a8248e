"""The verdict, short, for a terminal: each invariant with its opportunities, the places reached, the times."""

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.verdict import Verdict

OUTCOMES = {
    "held": Text("held", "green"),
    "violated": Text("VIOLATED", "bold red"),
    "undecided": Text("undecided", "yellow"),
    "not-exercised": Text("not exercised", "dim"),
}
SHOWN_VIOLATIONS = 3


def summary(verdict: Verdict) -> RenderableType:
    """Everything in one renderable; violations name the trace entries that show them."""
    parts: list[RenderableType] = [_invariants(verdict)]
    for invariant in verdict.invariants:
        for violation in invariant.violations[:SHOWN_VIOLATIONS]:
            parts.append(Text(f"  {invariant.id}: {violation.thing}: {violation.message}", "red"))
            parts.append(Text(f"    see {', '.join(violation.events)}", "dim"))
        if (more := len(invariant.violations) - SHOWN_VIOLATIONS) > 0:
            parts.append(Text(f"  {invariant.id}: and {more} more", "red"))
    parts.extend(_place_line(place.id, place.devices, place.of) for place in verdict.reached)
    parts.append(_recovery_line(verdict))
    word = Text("passed", "bold green") if verdict.passed else Text("FAILED", "bold red")
    parts.append(Text.assemble(word, f": {verdict.recovered} of {verdict.devices} devices recovered"))
    return Group(*parts)


def print_summary(verdict: Verdict, console: Console) -> None:
    """Print it."""
    console.print(summary(verdict))


def _invariants(verdict: Verdict) -> Table:
    table = Table(title="invariants", title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("invariant", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("opportunities", justify="right")
    for invariant in verdict.invariants:
        table.add_row(invariant.id, OUTCOMES[invariant.outcome], str(invariant.opportunities))
    return table


def _place_line(name: str, devices: int, of: int) -> Text:
    reached = devices >= of > 0
    return Text.assemble("reached ", (name, "green" if reached else "bold red"), f" on {devices} of {of} devices")


def _recovery_line(verdict: Verdict) -> Text:
    times = verdict.recovery_seconds
    if times is None:
        return Text("recovery: nothing was removed that a device had to recover from", "dim")
    return Text(
        f"recovery: p50 {times.p50:.3f} s, p90 {times.p90:.3f} s, p99 {times.p99:.3f} s, max {times.max:.3f} s"
        f" (from record removed to IN_PROGRESS on the next job)"
    )
