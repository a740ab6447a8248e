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


@dataclass(frozen=True, slots=True)
class Transition:
    """In each of `phases`, `event` is dealt with by `rule`, which stays in that phase or leads to one of `to`.

    Without a rule it means nothing there, and `why` says how it comes to be.
    """

    event: Happening
    phases: tuple[type[Phase], ...]
    rule: Callable[[Turn, Any, Any], None] | None
    to: tuple[type[Phase], ...] = ()
    why: str = ""


def nothing(event: Happening, phases: tuple[type[Phase], ...], why: str) -> Transition:
    """A row for what means nothing."""
    return Transition(event, phases, None, (), why)


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
    Transition(Booted, (Idle,), restarting.on_booted, (Suspect, Reporting, Recovering, Safe)),
    nothing(Booted, (ByName, Starting, *WORKING, Reporting, *BY_ITSELF), "a life of the agent begins once"),
    Transition(Connected, SEEKING, taking.on_connected, (Idle,)),
    Transition(Connected, (Executing, Gated), doubting.on_connected, (Suspect,)),
    Transition(Connected, (Suspect,), doubting.on_connected_again),
    Transition(Connected, (Reporting,), working.on_connected),
    nothing(Connected, BY_ITSELF, "what is left to do is the hardware's"),
    Transition(Disconnected, (Gated,), working.on_disconnected, (Executing,)),
    nothing(Disconnected, (*SEEKING, Reporting), "asks anew when it is connected"),
    nothing(Disconnected, (Executing, Suspect), "a step goes on without the service"),
    nothing(Disconnected, BY_ITSELF, "what is left to do is the hardware's"),
    Transition(Hinted, (Idle,), doubting.idle_hears),
    Transition(Hinted, (ByName,), naming.on_hint),
    Transition(Hinted, (Starting,), doubting.starting_hears, (Idle,)),
    Transition(Hinted, (Executing, Gated), doubting.working_hears, (Suspect,)),
    Transition(Hinted, (Suspect,), doubting.suspect_hears),
    nothing(Hinted, (Reporting,), "only an answer settles a report"),
    nothing(Hinted, BY_ITSELF, "asks for work when this is over"),
    Transition(Answered, (Idle,), taking.on_head_told, (Starting, *TAKEN)),
    Transition(Answered, (ByName,), naming.on_answered, (Idle, Starting, *TAKEN)),
    Transition(Answered, (Starting,), taking.on_claim_answered, (Idle, *TAKEN)),
    Transition(Answered, (Executing,), working.on_progress_answered, (Suspect, Recovering)),
    Transition(Answered, (Gated,), doubting.on_gate_answered, (Executing, Suspect, Recovering, Idle)),
    Transition(Answered, (Suspect,), doubting.on_answered, (Executing, Gated, Reporting, Recovering, Idle)),
    Transition(Answered, (Reporting,), naming.on_report_answered, (Idle, ByName, Recovering, Safe)),
    nothing(Answered, BY_ITSELF, NO_QUESTION),
    Transition(Unreadable, (Idle,), naming.on_head_unreadable, (ByName,)),
    Transition(Unreadable, (ByName,), naming.on_named_unreadable, (Idle, Reporting)),
    Transition(Unreadable, (Starting,), naming.on_claim_unreadable, (Reporting,)),
    Transition(Unreadable, (Gated,), naming.on_gate_unreadable, (Recovering,)),
    Transition(Unreadable, (Executing, Suspect, Reporting), naming.ask_without_document),
    nothing(Unreadable, BY_ITSELF, NO_QUESTION),
    Transition("request", ASKING, lambda turn, phase, event: turn.ask_later()),
    nothing("request", BY_ITSELF, NO_QUESTION),
    Transition("retry", ASKING, lambda turn, phase, event: turn.send()),
    nothing("retry", BY_ITSELF, NO_QUESTION),
    Transition("ask-again", (Idle,), taking.on_time_to_ask),
    Transition("poll", (Idle,), taking.on_time_to_ask),
    *(
        nothing(name, (ByName, Starting, *WORKING, Reporting, Recovering), "there is work in hand, or in view")
        for name in ("ask-again", "poll")
    ),
    *(nothing(name, (Safe,), "it takes no job") for name in ("ask-again", "poll")),
    Transition("step", (Executing, Suspect), recovering.on_step_late, (Recovering,)),
    nothing("step", (*SEEKING, Gated, Reporting, *BY_ITSELF), NO_STEP),
    Transition("leap", (Gated,), working.on_nobody_answered, (Executing, Recovering)),
    Transition("leap", (Suspect,), recovering.on_nobody_answered, (Recovering,)),
    nothing("leap", (*SEEKING, Executing, Reporting, *BY_ITSELF), "leave was given, or is not wanted any more"),
    Transition(StepAdvanced, (Executing,), working.on_progress),
    Transition(StepAdvanced, (Suspect,), doubting.on_progress),
    nothing(StepAdvanced, (*SEEKING, Gated, Reporting, Safe), NO_STEP),
    nothing(StepAdvanced, (Recovering,), "nobody is told how far a step is that was stopped"),
    Transition(StepEnded, (Executing,), working.on_step_ended, (Gated, Reporting, Recovering)),
    Transition(StepEnded, (Suspect,), doubting.on_step_ended),
    Transition(StepEnded, (Recovering,), recovering.on_step_ended),
    nothing(StepEnded, (*SEEKING, Gated, Reporting, Safe), NO_STEP),
    Transition(StepRestored, (Recovering,), recovering.on_step_restored, (Reporting, Safe)),
    nothing(StepRestored, (*ASKING, Safe), "nothing is taken back here"),
    Transition(Verified, (Recovering,), recovering.on_verified, (Idle, Reporting, Safe)),
    nothing(Verified, (*ASKING, Safe), "nothing is looked over here"),
    Transition(JournalFailed, (Executing, Gated), recovering.on_journal_failed, (Recovering,)),
    Transition(JournalFailed, (Recovering,), recovering.on_finish_withheld, (Reporting, Safe)),
    nothing(JournalFailed, (*SEEKING, Suspect, Reporting, Safe), "nothing is begun here, so nothing was withheld"),
)
TABLE: Final = {(phase, row.event): row for row in ROWS for phase in row.phases}


def row_for(phase: Phase, event: Event) -> Transition:
    """The row for what happens in a phase."""
    return TABLE[type(phase), event.name if isinstance(event, TimerFired) else type(event)]
