"""`step(machine, event) -> (machine, effects)`: everything that a device decides about its jobs.

Which rule deals with what, in which phase, is the table in `table`. The rules stand by concern in `taking` (how work is
come by), `naming` (where an answer cannot be read), `working` (steps, gates, reports), `doubting` (hints and what to
believe), `recovering` and `restarting`.
"""

from collections.abc import Callable
from dataclasses import replace

from agent.core.events import (
    Answered,
    Booted,
    Connected,
    Deed,
    Disconnected,
    Effect,
    Event,
    Hinted,
    JournalFailed,
    Remember,
    Unreadable,
)
from agent.core.record import Record
from agent.core.state import DevicePolicy, Machine, record_of
from agent.core.table import row_for
from agent.core.turn import Turn
from agent.device_events import JournalUnwritable, hint_received


def start(policy: DevicePolicy) -> Machine:
    """A device before its first event, which is Booted."""
    return Machine(policy)


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """One event in; the machine afterwards, and what the shell is to do, in order."""
    known = (event.record or Record()) if isinstance(event, Booted) else None
    return act(machine, lambda turn: _deal_with(turn, event), known)


def act(
    machine: Machine, rule: Callable[[Turn], None], known: Record | None = None
) -> tuple[Machine, tuple[Effect, ...]]:
    """What `rule` makes of the machine, and the record of it before any deed; `known` is what is on record already."""
    turn = Turn(machine)
    rule(turn)
    after = turn.machine
    if after.phase is not machine.phase or after.unaccounted != machine.unaccounted:
        record = record_of(after)
        if record != (known or record_of(machine)):
            turn.effects.insert(_first_deed(turn.effects), Remember(record))
    return after, tuple(turn.effects)


def _deal_with(turn: Turn, event: Event) -> None:
    if not _concerns(turn, event):
        return
    phase = turn.machine.phase
    rule = row_for(phase, event).rule
    if rule is not None:
        rule(turn, phase, event)


def _concerns(turn: Turn, event: Event) -> bool:
    """What an event changes in every phase alike; and whether it says anything to what this device does or asks."""
    match event:
        case Connected() | Disconnected():
            # Whatever was asked may or may not have arrived.
            turn.forget_question()
            turn.machine = replace(turn.machine, connected=isinstance(event, Connected))
        case Answered(answer=answer, planned=planned):
            turn.planned = planned
            return turn.take_answer(answer) is not None
        case Unreadable():
            return turn.take_unreadable(event)
        case Hinted(hint=hint):
            turn.tell(hint_received(hint))
            return hint.namespace_id == turn.policy.namespace_id
        case JournalFailed(reason=reason):
            turn.tell(JournalUnwritable(reason))
        case _:
            pass
    return True


def _first_deed(effects: list[Effect]) -> int:
    """Where the first deed stands: what is on record comes before that.

    What was heard and decided is told before it is on record. So a power cut between the two leaves an account that
    says why the record is as it is; the other way round, a device would act upon an answer that it never told of.
    """
    return next((index for index, effect in enumerate(effects) if isinstance(effect, Deed)), len(effects))
