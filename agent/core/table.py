"""What each event does in each phase, and which phases it may lead to: every transition, one row after another.

An event that means nothing in a phase has a row that says so, with the reason why that is ordinary. The diagram in
`agent.core.state` is drawn from these rows, and a test compares them with what the shipped scenarios really do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from agent.core import doubting, naming, recovering, restarting, taking, working
from agent.core.events import (
    Answered,
    Booted,
    Connected,
    Disconnected,
    Event,
    Hinted,
    JournalFailed,
    StepAdvanced,
    StepEnded,
    StepRestored,
    TimerFired,
    TimerName,
    Unreadable,
    Verified,
)
from agent.core.state import ByName, Executing, Gated, Idle, Phase, Recovering, Reporting, Safe, Starting, Suspect
from agent.core.turn import Turn

Happening: TypeAlias = type[Event] | TimerName
"""An event by its type; a timer that fired by its name."""
Rule: TypeAlias = Callable[[Turn, Any, Any], None]


@dataclass(frozen=True, slots=True)
class Row:
    """In each of `phases`, `event` is dealt with by `rule`, which stays in that phase or leads to one of `to`.

    Without a rule it means nothing there, and `why` says how it comes to be.
    """

    event: Happening
    phases: tuple[type[Phase], ...]
    rule: Rule | None
    to: tuple[type[Phase], ...] = ()
    why: str = ""


def nothing(event: Happening, phases: tuple[type[Phase], ...], why: str) -> Row:
    """A row for what means nothing."""
    return Row(event, phases, None, (), why)


SEEKING: Final = (Idle, ByName, Starting)
WORKING: Final = (Executing, Gated, Suspect)
ASKING: Final = (*SEEKING, *WORKING, Reporting)
"""Where a question may be open."""
BY_ITSELF: Final = (Recovering, Safe)
TAKEN: Final = (Executing, Gated, Reporting, Recovering)
"""What work may come to that was just taken: a step, leave for it, its end, or the failure of what somebody began."""
NO_QUESTION: Final = "no question is open here"
NO_STEP: Final = "none runs here: it ended, or was stopped, when this came"

ROWS: Final = (
    Row(Booted, (Idle,), restarting.on_booted, (Suspect, Reporting, Recovering, Safe)),
    nothing(Booted, (ByName, Starting, *WORKING, Reporting, *BY_ITSELF), "a life of the agent begins once"),
    Row(Connected, SEEKING, taking.on_connected, (Idle,)),
    Row(Connected, (Executing, Gated), doubting.on_connected, (Suspect,)),
    Row(Connected, (Suspect,), doubting.on_connected_again),
    Row(Connected, (Reporting,), working.on_connected),
    nothing(Connected, BY_ITSELF, "what is left to do is the hardware's"),
    Row(Disconnected, (Gated,), working.on_disconnected, (Executing,)),
    nothing(Disconnected, (*SEEKING, Reporting), "asks anew when it is connected"),
    nothing(Disconnected, (Executing, Suspect), "a step goes on without the service"),
    nothing(Disconnected, BY_ITSELF, "what is left to do is the hardware's"),
    Row(Hinted, (Idle,), doubting.idle_hears),
    Row(Hinted, (ByName,), naming.on_hint),
    Row(Hinted, (Starting,), doubting.starting_hears, (Idle,)),
    Row(Hinted, (Executing, Gated), doubting.working_hears, (Suspect,)),
    Row(Hinted, (Suspect,), doubting.suspect_hears),
    nothing(Hinted, (Reporting,), "only an answer settles a report"),
    nothing(Hinted, BY_ITSELF, "asks for work when this is over"),
    Row(Answered, (Idle,), taking.on_head_told, (Starting, *TAKEN)),
    Row(Answered, (ByName,), naming.on_answered, (Idle, Starting, *TAKEN)),
    Row(Answered, (Starting,), taking.on_claim_answered, (Idle, *TAKEN)),
    Row(Answered, (Executing,), working.on_progress_answered, (Suspect, Recovering)),
    Row(Answered, (Gated,), doubting.on_gate_answered, (Executing, Suspect, Recovering, Idle)),
    Row(Answered, (Suspect,), doubting.on_answered, (Executing, Gated, Reporting, Recovering, Idle)),
    Row(Answered, (Reporting,), naming.on_report_answered, (Idle, ByName, Recovering, Safe)),
    nothing(Answered, BY_ITSELF, NO_QUESTION),
    Row(Unreadable, (Idle,), naming.on_head_unreadable, (ByName,)),
    Row(Unreadable, (ByName,), naming.on_named_unreadable, (Idle, Reporting)),
    Row(Unreadable, (Starting,), naming.on_claim_unreadable, (Reporting,)),
    Row(Unreadable, (Gated,), naming.on_gate_unreadable, (Recovering,)),
    Row(Unreadable, (Executing, Suspect, Reporting), naming.ask_without_document),
    nothing(Unreadable, BY_ITSELF, NO_QUESTION),
    Row("request", ASKING, lambda turn, phase, event: turn.ask_later()),
    nothing("request", BY_ITSELF, NO_QUESTION),
    Row("retry", ASKING, lambda turn, phase, event: turn.send()),
    nothing("retry", BY_ITSELF, NO_QUESTION),
    Row("ask-again", (Idle,), taking.on_time_to_ask),
    Row("poll", (Idle,), taking.on_time_to_ask),
    *(
        nothing(name, (ByName, Starting, *WORKING, Reporting, Recovering), "there is work in hand, or in view")
        for name in ("ask-again", "poll")
    ),
    *(nothing(name, (Safe,), "it takes no job") for name in ("ask-again", "poll")),
    Row("step", (Executing, Suspect), recovering.on_step_late, (Recovering,)),
    nothing("step", (*SEEKING, Gated, Reporting, *BY_ITSELF), NO_STEP),
    Row("leap", (Gated,), working.on_nobody_answered, (Executing, Recovering)),
    Row("leap", (Suspect,), recovering.on_nobody_answered, (Recovering,)),
    nothing("leap", (*SEEKING, Executing, Reporting, *BY_ITSELF), "leave was given, or is not wanted any more"),
    Row(StepAdvanced, (Executing,), working.on_progress),
    Row(StepAdvanced, (Suspect,), doubting.on_progress),
    nothing(StepAdvanced, (*SEEKING, Gated, Reporting, Safe), NO_STEP),
    nothing(StepAdvanced, (Recovering,), "nobody is told how far a step is that was stopped"),
    Row(StepEnded, (Executing,), working.on_step_ended, (Gated, Reporting, Recovering)),
    Row(StepEnded, (Suspect,), doubting.on_step_ended),
    Row(StepEnded, (Recovering,), recovering.on_step_ended),
    nothing(StepEnded, (*SEEKING, Gated, Reporting, Safe), NO_STEP),
    Row(StepRestored, (Recovering,), recovering.on_step_restored, (Reporting, Safe)),
    nothing(StepRestored, (*ASKING, Safe), "nothing is taken back here"),
    Row(Verified, (Recovering,), recovering.on_verified, (Idle, Reporting, Safe)),
    nothing(Verified, (*ASKING, Safe), "nothing is looked over here"),
    Row(JournalFailed, (Executing, Gated), recovering.on_journal_failed, (Recovering,)),
    Row(JournalFailed, (Recovering,), recovering.on_finish_withheld, (Reporting, Safe)),
    nothing(JournalFailed, (*SEEKING, Suspect, Reporting, Safe), "nothing is begun here, so nothing was withheld"),
)
TABLE: Final = {(phase, row.event): row for row in ROWS for phase in row.phases}


def row_for(phase: Phase, event: Event) -> Row:
    """The row for what happens in a phase."""
    return TABLE[type(phase), event.name if isinstance(event, TimerFired) else type(event)]
