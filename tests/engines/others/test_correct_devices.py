"""Correct devices of many designs, under everything that a cell may do to them: none is accused of anything."""

from typing import Any, Literal, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.cloud.jobs.settings import WhileDeleting
from simulator.cloud.settings.service import Fault
from simulator.scenario import Scenario
from simulator.trace import Entry
from tests.engines.others.device import STEPS, Design
from tests.engines.others.playing import cell, played, violated
from tests.engines.others.stand import Accident, stand

REQUESTS = ["get-pending", "start-next", "describe", "update"]
ANSWERS = [f"{kind}-answer" for kind in REQUESTS]
HINTS = ["notify", "notify-next"]
WHILE_DELETING = get_args(WhileDeleting)
DEEDS = get_args(Fault.model_fields["do"].annotation)


designs = st.builds(
    Design,
    takes=st.sampled_from(["start-next", "describe", "get-pending"]),
    carrier=st.sampled_from(["mqtt", "mqtt", "http"]),
    reports=st.sampled_from(["steps", "begin-and-end", "end"]),
    client_ids=st.sampled_from(["thing", "other", "new-each-time"]),
    listens=st.booleans(),
    looks_when_told=st.booleans(),
    poll=st.sampled_from([None, 1.0, 5.0]),
    tokens=st.booleans(),
    new_tokens=st.booleans(),
    threads=st.sampled_from([1, 2]),
    acknowledges=st.booleans(),
    connections=st.sampled_from([1, 2]),
    step_seconds=st.sampled_from([0.02, 0.5, 3.0]),
    undo_seconds=st.sampled_from([0.0, 0.5, 4.0]),
    patience=st.sampled_from([0.4, 1.0, 2.0]),
    remembers=st.booleans(),
)
instants = st.one_of(
    st.sampled_from(STEPS).map(lambda step: {"step": step}),
    st.sampled_from(["QUEUED", "IN_PROGRESS", "SUCCEEDED"]).map(lambda status: {"status": status}),
    st.sampled_from([0.005, 0.02, 0.6, 2.0]).map(lambda seconds: {"after_seconds": seconds}),
)
whens = st.builds(lambda when, later: when | {"later_seconds": later}, instants, st.sampled_from([0, 0, 0.007, 0.3, 2]))


@st.composite
def faults(draw: st.DrawFn) -> dict[str, Any]:
    do = draw(st.sampled_from(DEEDS))
    kinds = REQUESTS if do in ("throttle", "fail") else [*REQUESTS, *ANSWERS, *HINTS]
    fault: dict[str, Any] = {"do": do, "messages": draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))}
    if do == "delay":
        fault["seconds"] = draw(st.sampled_from([0.05, 0.7, 2.5, 6.0]))
    if do == "hold":
        fault["seconds"] = draw(st.sampled_from([1.0, 20.0]))
        fault["until"] = draw(st.sampled_from(["deletion-began", "removed", "ended", "gone"]))
    if do == "cut":
        fault |= {"seconds": draw(st.sampled_from([0.1, 3.0])), "first": draw(st.integers(1, 2))}
        return fault
    if do in ("throttle", "fail") or draw(st.booleans()):  # who is refused for ever takes no job
        fault["first"] = draw(st.integers(1, 4))
    else:
        fault["rate"] = draw(st.sampled_from([0.1, 0.4]))
    if draw(st.booleans()):
        fault["status"] = draw(st.sampled_from(["IN_PROGRESS", "SUCCEEDED"]))
    return fault


accidents = st.builds(
    Accident,
    st.sampled_from([0.013, 0.3, 0.9, 1.7, 3.1, 5.0]),
    st.sampled_from(["power", "network"]),
    st.sampled_from([0.02, 0.5, 3.0]),
)


@st.composite
def cells(draw: st.DrawFn) -> Scenario:
    do = draw(st.sampled_from(["delete-job", "delete-job", "delete-execution", "cancel-job"]))
    again = draw(st.booleans()) and do == "delete-job"
    jobs = [
        {"id": "fw", "to": ["all"], "version": "A"},
        {
            "id": "fw" if again else "next",
            "to": ["all"],
            "version": draw(st.sampled_from(["A", "B"])),
            "after": {"deletion_of": "fw", "until": "gone" if again else "accepted"},
        },
    ]
    if draw(st.booleans()):
        jobs.append({"id": "other", "to": ["all"], "version": "C", "after": {"taken": "fw"}})
    if draw(st.booleans()):
        jobs.append(
            {"id": "lure", "to": ["all"], "namespace": "x", "provokes": True, "version": "D", "after": {"taken": "fw"}}
        )
    cloud: dict[str, Any] = {"deletion_seconds": draw(st.sampled_from([1.2, 3.0]))}
    if draw(st.booleans()):
        cloud["stale_reads_seconds"] = 1.0
    if draw(st.booleans()):
        cloud["while_deleting"] = draw(st.sampled_from(WHILE_DELETING))
        cloud["removal_delay_seconds"] = 1.0
    return cell(
        jobs=jobs,
        deletions=[{"job": "fw", "do": do, "when": draw(whens)}],
        faults=draw(st.lists(faults(), max_size=3)),
        cloud=cloud,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(cells(), designs, st.lists(accidents, max_size=2), st.integers(0, 3))
def test_a_correct_device_is_accused_of_nothing(scenario: Scenario, design: Design, happens: list[Accident], seed: int):
    assert violated(played(stand(scenario, design, *happens, seed=seed))) == {}


@pytest.mark.parametrize("takes", ["describe", "get-pending"])
def test_answers_to_what_it_asked_anew_meanwhile_are_not_held_against_a_device(
    takes: Literal["describe", "get-pending"],
):
    """Each question reaches the service when it has been put again, and its answer bears a token that is void by then.

    All that it asks in the silence before arrives in one moment, and has no entry in between that would order it.
    """
    scenario = cell(
        jobs=[
            {"id": "fw", "to": ["all"], "version": "A"},
            {"id": "next", "to": ["all"], "version": "A", "after": {"deletion_of": "fw", "until": "accepted"}},
        ],
        deletions=[{"job": "fw", "do": "cancel-job", "when": {"step": "fetch"}}],
        faults=[{"do": "hold", "messages": ["describe"], "seconds": 20.0, "until": "gone", "rate": 0.4}],
        cloud={"deletion_seconds": 1.2, "stale_reads_seconds": 1.0},
    )
    design = Design(takes, patience=0.4, new_tokens=True, listens=False, acknowledges=False, step_seconds=0.02)
    entries: list[Entry] = []
    assert violated(played(stand(scenario, design, seed=0), kept=entries)) == {}
    refused = [each for each in entries if getattr(each.event, "code", None) == "TerminalStateReached"]
    assert len(refused) > 3


def test_a_second_thread_that_knows_does_not_make_a_ghost_of_the_first():
    """It goes on asking for an answer that the network keeps; what tells it once more has been asked anew by then."""
    scenario = cell(
        jobs=[
            {"id": "fw", "to": ["all"], "version": "A"},
            {"id": "next", "to": ["all"], "version": "A", "after": {"deletion_of": "fw", "until": "accepted"}},
        ],
        deletions=[{"job": "fw", "do": "delete-execution", "when": {"step": "fetch"}}],
        faults=[
            {"do": "lose", "messages": ["get-pending"], "rate": 0.1},
            {"do": "hold", "messages": ["update"], "seconds": 20.0, "until": "deletion-began", "first": 4},
            {"do": "hold", "messages": ["update"], "seconds": 20.0, "until": "gone", "rate": 0.1},
        ],
    )
    design = Design(new_tokens=True, threads=2, looks_when_told=False, step_seconds=0.02)
    entries: list[Entry] = []
    assert violated(played(stand(scenario, design, seed=1), kept=entries)) == {}
    refused = [each for each in entries if getattr(each.event, "code", None) == "ResourceNotFound"]
    assert len(refused) > 5


def test_who_sends_no_tokens_may_believe_what_the_network_had_kept():
    """An answer of long ago hands it a job that is done: it asks after that anew, and is refused anew."""
    scenario = cell(
        jobs=[
            {"id": "fw", "to": ["all"], "version": "A"},
            {"id": "next", "to": ["all"], "version": "A", "after": {"deletion_of": "fw", "until": "accepted"}},
        ],
        deletions=[{"job": "fw", "do": "delete-job", "when": {"step": "fetch"}}],
        faults=[
            {
                "do": "hold",
                "messages": ["start-next", "start-next-answer"],
                "seconds": 20.0,
                "until": "deletion-began",
                "rate": 0.4,
            }
        ],
        cloud={"deletion_seconds": 1.2, "removal_delay_seconds": 1.0},
    )
    entries: list[Entry] = []
    design = Design(tokens=False, patience=0.4, step_seconds=0.02)
    assert violated(played(stand(scenario, design, seed=1), kept=entries)) == {}
    refused = [each for each in entries if getattr(each.event, "code", None) == "TerminalStateReached"]
    assert len(refused) > 2
