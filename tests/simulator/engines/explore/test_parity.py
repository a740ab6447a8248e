"""One device plays the same in virtual time and in a world of values: what both can tell, they tell alike."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agent.device_events import (
    AnswerReceived,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    JournalWritten,
    RequestSent,
)
from agent.values import ExecutionKey
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.entries import told_on_the_way
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.world import Transition, transitions
from simulator.engines.virtual import judged
from simulator.scenario import Scenario
from simulator.trace import (
    CLOUD,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FlashChanged,
    HintPublished,
    RequestAnswered,
    RequestReceived,
)

LAYOUTS = pytest.mark.parametrize("layout", ["ab", "swap", "single"])
NAMESPACES = pytest.mark.parametrize("namespace", [None, "lab"])
MODELS = pytest.mark.parametrize("model", ["reference", "start-next", "describe-update", "poller"])


BY_CLOUD = RequestReceived | RequestAnswered | ExecutionChanged | ExecutionQueued | ExecutionRemoved | HintPublished


def path_of(system: System, first: list[Choice]) -> Iterator[Choice]:
    """`first` as soon as each can be, and whatever else comes by itself, messages before timers."""
    world, wanted = system.first(), list(first)
    for _ in range(200):
        if not wanted and all(system.is_home(side.device, side.net, world.service) for side in world.sides):
            return
        chosen = _next(list(transitions(system, world)), wanted)
        if wanted and chosen.choice == wanted[0]:
            wanted.pop(0)
        yield chosen.choice
        world = chosen.world


def _next(there: list[Transition], wanted: list[Choice]) -> Transition:
    """Messages take no time, what an operator does comes at once, work and timers take their time."""
    by_itself = [each for each in there if not each.costs and each.actor not in ("operator", "timer")]
    timers = [each for each in there if not each.costs and each.actor == "timer"]
    is_wanted = [each for each in there if wanted and each.choice == wanted[0]]
    messages = [each for each in by_itself if each.actor in ("up", "down") or each.choice.do == "connect"]
    if is_wanted and is_wanted[0].actor == "timer":
        return (messages or is_wanted)[0]
    return (is_wanted or messages or by_itself or timers)[0]


def told(entries: list[Entry], source: str) -> list[Any]:
    """What a device tells of the job, from when it takes it until it leaves it, but for what only one world tells."""
    events = [entry.event for entry in entries if entry.source.startswith(source)]
    kept = [_plain(event) for event in events if not isinstance(event, JournalWritten | FlashChanged)]
    begun = next(index for index, event in enumerate(kept) if isinstance(event, ExecutionTaken))
    over = next(index for index, event in enumerate(kept) if isinstance(event, ExecutionLeft))
    return kept[begun : over + 1]


def told_by_cloud(entries: list[Entry]) -> list[Any]:
    """What the cloud tells of the job from when somebody works on it until its record has ended, or is gone."""
    events = [_plain(entry.event) for entry in entries if entry.source == CLOUD]
    kept = [replace(event, thing="") for event in events if isinstance(event, BY_CLOUD)]
    changed = [index for index, event in enumerate(kept) if isinstance(event, ExecutionChanged | ExecutionRemoved)]
    return kept[changed[0] : changed[-1] + 1]


def _plain(event: Any) -> Any:
    """Without tokens, nonces and seconds."""
    for name in ("client_token", "learned_from"):
        if isinstance(event, RequestSent | AnswerReceived | ExecutionGone | RequestReceived | RequestAnswered):
            event = replace(event, **{name: ""}) if hasattr(event, name) else event
    if isinstance(event, RequestAnswered):
        event = replace(event, number=None)
    if getattr(event, "details", None):
        event = replace(event, details=tuple(pair for pair in dict(event.details).items() if pair[0] != "nonce"))
    if isinstance(getattr(event, "execution", None), ExecutionKey):
        event = replace(event, execution=replace(event.execution, queued_at=0))
    if getattr(event, "listed", None):
        event = replace(event, listed=tuple(replace(key, queued_at=0) for key in event.listed))
    return event


def played_virtually(setup: Setup, **more: Any) -> list[Entry]:
    group = {"group": "one", "model": setup.model, "layout": setup.layout, "namespace": setup.namespace}
    fw = {"id": "fw", "to": ["one"], "version": "2.0", "namespace": setup.namespace}
    scenario = Scenario.model_validate(
        {"name": "parity", "about": "parity", "devices": [group | {"reports": setup.reports}], "jobs": [fw], **more}
    )
    entries: list[Entry] = []
    judged(scenario, 1, 0, sink=entries.append)
    return entries


@LAYOUTS
@NAMESPACES
@MODELS
def test_an_update_that_nothing_befalls(model: str, layout: str, namespace: str | None):
    setup = Setup.model_validate({"model": model, "layout": layout, "namespace": namespace, "bounds": {}})
    agree(setup, [Choice("create", "fw")])


@LAYOUTS
@NAMESPACES
def test_a_job_that_is_deleted_in_mid_write(layout: str, namespace: str | None):
    deleted = {"bounds": {"delete": 1}, "records_go": "at once", "sectors": 16}
    setup = Setup.model_validate({"layout": layout, "namespace": namespace} | deleted)
    deletion = {"job": "fw", "when": {"step": "write", "progress": 50}, "hold": True}
    # The hold is let go by the removal, so a sector or so is written until the device has found out.
    begun = [Choice("create", "fw"), Choice("work", "write 16/32"), Choice("delete", "fw")]
    begun += [Choice("timer", "retry"), Choice("work", "write 17/32")]
    agree(setup, begun, deletions=[deletion])


def agree(setup: Setup, begun: list[Choice], **more: Any) -> None:
    system = System(setup)
    ours = list(told_on_the_way(system, path_of(system, begun)))
    virtual = played_virtually(setup, **more)
    assert told(ours, "device/") == told(virtual, "device/")
    assert told_by_cloud(ours) == told_by_cloud(virtual)
