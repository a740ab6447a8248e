"""The table of transitions is whole, the diagram is drawn from it, and what devices really do is what it says."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from agent.abilities import Abilities
from agent.core import DevicePolicy
from agent.core import step as reference
from agent.core.events import (
    Disconnected,
    Effect,
    Event,
    JournalFailed,
    StepEnded,
    TimerFired,
    TimerName,
    Unreadable,
    Verified,
)
from agent.core.state import PHASE_NAMES, Phase
from agent.core.table import ROWS, TABLE
from agent.values import ErrorCode
from simulator.engines import fleet
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import shipped
from tests.agent.core.diagram import PAGE, block, diagram
from tests.agent.core.driver import Driver, execution, key
from tests.agent.core.small_world import ABILITIES, Edge, SmallWorld, edge
from tests.simulator.devices.models.playing import parsed, with_few

PHASES = get_args(Phase)
HAPPENINGS = [*(each for each in get_args(Event) if each is not TimerFired), *get_args(TimerName)]


def test_each_event_has_one_row_in_each_phase():
    cells = [(phase, row.event) for row in ROWS for phase in row.phases]
    assert len(cells) == len(set(cells)) == len(TABLE)
    assert set(TABLE) == {(phase, event) for phase in PHASES for event in HAPPENINGS}
    assert set(PHASE_NAMES) == set(PHASES)


@pytest.mark.parametrize("row", [row for row in ROWS if row.rule is None])
def test_what_means_nothing_says_why_and_leads_nowhere(row: Any):
    assert row.why
    assert row.to == ()


def test_the_diagram_is_the_tables():
    assert block(PAGE.read_text("utf-8")) == diagram(), "python -m tests.agent.core.diagram --write"


# ── what devices really do ────────────────────────────────────────────────────────────────────────────────────────

DECLARED = {(phase, row.event, to) for row in ROWS for phase in row.phases for to in row.to if to is not phase}


class Watching(Driver):
    """A device in a test's hands, whose transitions are noted."""

    def step(self, event: Event) -> tuple[Effect, ...]:
        before = self.phase
        effects = super().step(event)
        TOLD.add(edge(before, event, self.phase))
        return effects


TOLD: set[Edge] = set()


def _unreachable_on_trial() -> None:
    device = Watching.switched()
    device.reboot("2.0", on_trial=True)
    device.fire("leap")


def _refused_while_executing(code: ErrorCode) -> None:
    device = Watching.working()
    device.advance()
    device.refuse(code)


def _off_line_between_steps() -> None:
    device = Watching.working()
    device.step_done()
    device(Disconnected())


def _on_trial_already(**policy: object) -> None:
    """Work of which nothing is on record, found by name, whose firmware runs."""
    device = Watching(DevicePolicy(**policy))  # type: ignore[arg-type]  # the story names the field
    device.reboot("2.0", on_trial=True)
    device.connect()
    device(Unreadable("start-next", "torn", device.request.client_token, listed=(execution(key()),)))
    device.tell(execution(key(), version=5, details=(("step", "reboot"),)))


def _left_unwhole() -> None:
    device = Watching.working()
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(StepEnded(0, "stopped"))
    device.undone()
    device(Verified(ok=False))


def _finishing(*, own_failure: bool) -> None:
    """Past the leap of the only slot, and the disk fails."""
    device = Watching(DevicePolicy(abilities=Abilities("single")))
    device.connect()
    device.tell(execution(key()))
    device.step_done()
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    device.list()
    device.refuse(ErrorCode.INVALID_REQUEST if own_failure else ErrorCode.RESOURCE_NOT_FOUND)
    device.step_done()
    device(JournalFailed("full", withheld=True))


STORIES: dict[str, Callable[[], None]] = {
    "nobody answers new firmware": _unreachable_on_trial,
    "gone, as the answer to a progress report says": lambda: _refused_while_executing(ErrorCode.RESOURCE_NOT_FOUND),
    "out of step, as that says": lambda: _refused_while_executing(ErrorCode.VERSION_MISMATCH),
    "off line while a step is reported": _off_line_between_steps,
    "found by name, on trial already": lambda: _on_trial_already(reports="end"),
    "found by name, on trial already, which is to be told": lambda: _on_trial_already(reports="steps"),
    "gone, and what is left is not whole": _left_unwhole,
    "the disk fails while a leap is finished for nobody": lambda: _finishing(own_failure=False),
    "the disk fails while a leap is finished that failed": lambda: _finishing(own_failure=True),
}


def in_small_worlds() -> set[Edge]:
    quick = {"abilities": ABILITIES, "confirmations": 2, "retry_ceiling": 0.25}
    plain = SmallWorld(DevicePolicy(reports="steps", **quick))  # type: ignore[arg-type]  # the test names the fields
    named = SmallWorld(DevicePolicy("lab", "end", leap_when_unreachable="proceed", **quick))  # type: ignore[arg-type]
    return plain.explore(2000).edges | named.explore(2000).edges


def in_scenarios() -> set[Edge]:
    taken: set[Edge] = set()

    def watched(step: Any) -> Any:
        def watching(machine: Any, event: Event) -> Any:
            after, effects = step(machine, event)
            taken.add(edge(machine.phase, event, after.phase))
            return after, effects

        return watching if step is reference else step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fleet, "memoised", watched)
        for name in shipped():
            few, devices = with_few(parsed(name))
            run_virtually(Play(few, devices, 1, lambda entry: None, VirtualVenue(few, 1)).play())
    return taken


def moved(edges: set[Edge]) -> set[Edge]:
    return {each for each in edges if each[0] is not each[2]}


def test_what_devices_do_in_the_shipped_scenarios_is_declared_and_what_is_declared_is_done():
    played = moved(in_scenarios())
    assert len(played) > 20
    assert played <= DECLARED
    for tell in STORIES.values():
        tell()
    taken = played | moved(in_small_worlds()) | moved(TOLD)
    assert taken - DECLARED == set()
    assert DECLARED - taken == set()
