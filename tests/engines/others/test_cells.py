"""What a cell may ask of a device that is not ours: faults as instants, power, provocations, a cloud that stays up."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from agent.errors import InputError
from simulator.engines.judged import JudgedPlay
from simulator.engines.play import Play
from simulator.engines.virtual_time import run_virtually
from simulator.trace import (
    DeletionAccepted,
    Entry,
    ExecutionQueued,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    PowerCutOff,
    PowerRestored,
    ProcessEnded,
    RequestReceived,
    RunEnded,
    RunStarted,
    Sink,
)
from simulator.verdict import Verdict
from tests.engines.others.device import Design
from tests.engines.others.playing import cell, played, violated
from tests.engines.others.stand import THING, Accident, Desk, stand

FW = {"id": "fw", "to": ["all"], "version": "A"}
NEXT = {"id": "next", "to": ["all"], "version": "B", "after": {"deletion_of": "fw"}}
LATE = {"name": "late", "do": "lose", "messages": ["get-pending"], "job": "nobodys"}
"""A fault that strikes nothing by itself: what tells that it did is the stand."""
RECOVERED = {"place": "recovered", "job": "fw"}


def of(entries: list[Entry], *kinds: type) -> list[Any]:
    return [entry.event for entry in entries if isinstance(entry.event, kinds)]


# ── faults as instants ────────────────────────────────────────────────────────────────────────────────────────


def test_a_deletion_comes_as_its_fault_strikes():
    entries: list[Entry] = []
    struck = {"place": "fault-struck", "job": "fw", "fault": "late"}
    scenario = cell(
        jobs=[FW, NEXT],
        faults=[LATE],
        deletions=[{"job": "fw", "when": {"fault": "late"}}],
        must_reach=[struck, RECOVERED],
    )
    verdict = played(stand(scenario, Design(), Accident(0.7, "late")), kept=entries)
    assert verdict.outcome == "passed", verdict.why
    assert [entry.at for entry in entries if isinstance(entry.event, DeletionAccepted)] == [pytest.approx(0.7)]


def test_a_job_comes_as_its_fault_strikes():
    entries: list[Entry] = []
    scenario = cell(jobs=[FW, {**NEXT, "after": {"fault": "late"}}], faults=[LATE])
    assert played(stand(scenario, Design(), Accident(0.7, "late")), kept=entries).outcome == "passed"
    queued = {entry.event.execution.job_id: entry.at for entry in entries if isinstance(entry.event, ExecutionQueued)}
    assert queued["next"] == pytest.approx(0.7)


def test_a_fault_that_struck_before_its_job_was_made_deletes_it_when_that_is_there():
    scenario = cell(
        jobs=[FW, NEXT], faults=[LATE], deletions=[{"job": "fw", "when": {"fault": "late"}}], must_reach=[RECOVERED]
    )
    verdict = played(stand(scenario, Design(poll=1.0, listens=False), Accident(0.0, "late")))
    assert "refused" not in verdict.why


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (
            {"deletions": [{"job": "fw", "when": {"fault": "late"}}], "faults": [LATE]},
            "delete-job of job fw (at fault late) never came: its instant was not seen; and 1 more",
        ),
        (
            {"deletions": [{"job": "fw", "when": {"step": "download"}}]},
            "delete-job of job fw (at download) never came: pump-7 ended SUCCEEDED and was not seen there; and 1 more",
        ),
        (
            {"jobs": [FW, {**NEXT, "after": {"fault": "late"}}], "faults": [LATE]},
            "job next was never made, for what it is to come after did not come",
        ),
        (
            {
                "jobs": [FW],
                "deletions": [{"job": "fw", "do": "cancel-job", "when": {"status": "SUCCEEDED"}}],
            },
            "cancel-job of job fw (at SUCCEEDED) was refused: ",
        ),
    ],
)
def test_what_never_comes_makes_a_run_inconclusive_in_words(parts: dict[str, Any], why: str):
    verdict = played(stand(cell(**{"jobs": [FW, NEXT], **parts}), Design()))
    assert verdict.outcome == "inconclusive"
    assert verdict.why.startswith(why), verdict.why


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"deletions": [{"job": "fw", "when": {"fault": "x"}}]}, "deletions.0.when.fault: no fault 'x'; none has"),
        ({"power_cuts": [{"fault": "x"}], "faults": [LATE]}, "power_cuts.0.fault: no fault 'x'; there are late"),
        ({"jobs": [{**FW, "after": {"fault": "x"}}]}, "jobs.0.after.fault: no fault 'x'"),
        ({"deletions": [{"job": "fw", "when": {"step": "fly"}}]}, "not 'fly'"),
        ({"must_reach": [{"place": "fault-struck", "job": "fw"}]}, "fault: needed of the place fault-struck"),
        ({"jobs": [{**FW, "provokes": True}]}, "jobs.0.provokes: devices of group 'all' listen in that namespace"),
        ({"jobs": [{**FW, "namespace": "x"}]}, "jobs.0.to: group 'all' listens in another namespace"),
        ({"time_limit_seconds": 0}, "time_limit_seconds"),
    ],
)
def test_what_does_not_fit_together_is_refused(parts: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=r"\w") as refused:
        cell(**parts)
    assert says in str(refused.value)


# ── power ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cut", "why", "step"),
    [({"fault": "late"}, "fault late struck", "fetch"), ({"step": "flash"}, "reported flash", "flash")],
)
def test_hands_cut_the_power_and_give_it_back(cut: dict[str, Any], why: str, step: str):
    entries: list[Entry] = []
    place = {"place": "power-lost-in", "job": "fw", "step": step}
    scenario = cell(jobs=[FW], faults=[LATE], power_cuts=[{**cut, "off_seconds": 2}], must_reach=[place])
    verdict = played(stand(scenario, Design(), Accident(0.3, "late")), kept=entries, hands=True)
    assert verdict.outcome == "passed", verdict.why
    assert of(entries, PowerCutOff, PowerRestored) == [PowerCutOff(THING, why, "fw", step), PowerRestored(THING)]
    off, on = (entry.at for entry in entries if isinstance(entry.event, PowerCutOff | PowerRestored))
    assert on - off == pytest.approx(2)


def test_power_comes_back_when_a_run_is_cut_short():
    scenario = cell(jobs=[FW], power_cuts=[{"step": "flash", "off_seconds": 500}], time_limit_seconds=5)
    at = stand(scenario, Design())
    entries: list[Entry] = []
    assert played(at, kept=entries, hands=True).outcome == "inconclusive"
    assert len(of(entries, PowerRestored)) == 1


def test_a_device_that_has_just_ended_by_itself_stays_off_until_the_power_is_back():
    entries: list[Entry] = []
    scenario = cell(jobs=[FW], faults=[LATE], power_cuts=[{"fault": "late", "off_seconds": 2}])
    at = stand(scenario, Design(), Accident(0.3, "end"), Accident(0.31, "late"))
    assert played(at, kept=entries, hands=True).outcome == "passed"
    assert len(of(entries, ProcessEnded)) == len(of(entries, PowerRestored)) == 1
    assert not at.started_without_power


@pytest.mark.parametrize("at_seconds", [0.0, 1.7, 2.5], ids=["before it came", "as the run ends", "after the run"])
def test_a_device_that_ends_by_itself_is_started_again_also_when_it_has_nothing_to_do(at_seconds: float):
    at, entries, runs = stand(cell(jobs=[FW]), Design(), Accident(at_seconds, "end")), list[Entry](), list[bool]()

    async def look(_: Sink, is_failed: bool) -> None:
        assert not is_failed
        await asyncio.sleep(3)
        runs.append(at.runs)

    async def looked_at() -> Verdict:
        async with AsyncExitStack() as stack:
            desk = Desk(at)
            await desk.set_up(stack)
            with JudgedPlay(
                at.scenario, desk, [THING], seed=1, also=(entries.append,), hands=at, last_look=look
            ) as run:
                return (await run.result()).verdict

    verdict = run_virtually(looked_at())
    assert verdict.outcome == "passed", verdict.why
    assert (runs, len(of(entries, ProcessEnded))) == ([True], 1)


def test_power_comes_back_when_a_run_ends_while_it_is_being_cut():
    scenario = cell(jobs=[FW], power_cuts=[{"step": "fetch"}], time_limit_seconds=5)
    at = stand(scenario, Design())
    at.cut_seconds = 500
    assert played(at, hands=True).outcome == "inconclusive"
    assert not at.is_off


def test_a_power_cut_that_never_comes_is_told():
    scenario = cell(jobs=[FW], power_cuts=[{"step": "write"}])
    verdict = played(stand(scenario, Design()), hands=True)
    assert (verdict.outcome, verdict.why) == ("inconclusive", "the power was to go in write, which did not come")


# ── provocations ──────────────────────────────────────────────────────────────────────────────────────────────

LURE = {"id": "lure", "to": ["all"], "namespace": "nobody", "provokes": True, "version": "C", "after": {"taken": "fw"}}


def test_a_provocation_is_nobodys_and_does_not_stay():
    entries: list[Entry] = []
    scenario = cell(jobs=[FW, LURE])
    verdict = played(stand(scenario, Design()), kept=entries)
    assert verdict.outcome == "passed", verdict.why
    assert {created.job_id for created in of(entries, JobCreated)} == {"fw", "lure"}
    (started,) = of(entries, RunStarted)
    assert started.jobs == ("fw",)


def test_a_place_of_a_provocation_is_seen():
    deleted = {"job": "lure", "when": {"status": "QUEUED", "later_seconds": 0.2}}
    place = {"place": "deleted-before-start", "job": "lure"}
    scenario = cell(
        jobs=[FW, LURE, {**NEXT, "after": {"deletion_of": "lure", "until": "gone"}}],
        deletions=[deleted],
        must_reach=[place, {"place": "recovered", "job": "lure"}],
    )
    verdict = played(stand(scenario, Design(step_seconds=2)))
    assert verdict.outcome == "passed", verdict.why


# ── a cloud that stays up ─────────────────────────────────────────────────────────────────────────────────────


def on_a_desk(*plays: tuple[Any, float], design: Design) -> list[tuple[Any, list[Entry]]]:
    """Each scenario played, so many seconds after the one before."""

    async def one_after_the_other() -> list[tuple[Any, list[Entry]]]:
        found: list[tuple[Any, list[Entry]]] = []
        async with AsyncExitStack() as stack:
            desk = Desk(stand(plays[0][0], design))
            await desk.set_up(stack)
            for scenario, later in plays:
                await asyncio.sleep(later)
                entries: list[Entry] = []
                with JudgedPlay(scenario, desk, [THING], seed=1, also=(entries.append,)) as run:
                    found.append(((await run.result()).verdict, entries))
            found.append((None, []))
            desk.sinks.append(found[-1][1].append)
            await asyncio.sleep(5)
        return found

    return run_virtually(one_after_the_other())


def numbered(number: int, **parts: Any) -> Any:
    """A cell whose jobs have ids of their own."""
    job, after = (
        {**FW, "id": f"fw-{number}"},
        {**NEXT, "id": f"next-{number}", "after": {"deletion_of": f"fw-{number}"}},
    )
    deletions = [{"job": job["id"], "when": {"step": "flash"}}]
    places = [{"place": "recovered", "job": job["id"]}]
    return cell(**{"jobs": [job, after], "deletions": deletions, "must_reach": places, **parts})


@pytest.mark.parametrize(
    "design",
    [Design(), Design(tokens=False, client_ids="other"), Design(carrier="http", poll=1.0), Design(connections=2)],
    ids=["usual", "by another client id", "over HTTP", "on two connections"],
)
def test_cell_after_cell_is_judged_as_if_it_were_alone(design: Design):
    *played_cells, _ = on_a_desk(*((numbered(number), 0.0) for number in range(3)), design=design)
    alone = played(stand(numbered(0), design))
    assert alone.outcome == "passed", alone.why
    for verdict, _ in played_cells:
        assert verdict.outcome == "passed", verdict.why
        exercised = {each.id: each.opportunities for each in verdict.invariants if each.id != "no-hammering"}
        assert exercised == {each.id: each.opportunities for each in alone.invariants if each.id != "no-hammering"}


def test_what_is_left_of_an_earlier_cell_is_removed_and_nothing_to_the_next():
    slow = cell(jobs=[{**FW, "id": "slow"}, {**LURE, "after": {"taken": "slow"}}], time_limit_seconds=2)
    (cut_short, first), (verdict, second), _ = on_a_desk((slow, 0.0), (numbered(1), 0.0), design=Design(step_seconds=1))
    assert cut_short.outcome == "inconclusive"
    assert of(first, RunEnded)[-1].why == "timed-out"
    assert verdict.outcome == "passed", verdict.why
    assert {gone.job_id for gone in of(second, JobDeleted)} >= {"slow", "lure"}
    assert of(first, JobDeletionBegan) == []


def test_a_ghost_of_an_earlier_cell_is_no_ghost_of_the_next():
    ghost = cell(jobs=[{**FW, "id": "old"}], time_limit_seconds=2)
    then = cell(jobs=[{**FW, "id": "new"}])

    async def haunted() -> Any:
        async with AsyncExitStack() as stack:
            desk = Desk(stand(ghost, Design(step_seconds=3), ghost=True))
            await desk.set_up(stack)
            for scenario in (ghost, then):
                entries: list[Entry] = []
                with JudgedPlay(scenario, desk, [THING], seed=1, also=(entries.append,)) as run:
                    verdict = (await run.result()).verdict
            return verdict, entries

    verdict, entries = run_virtually(haunted())
    assert any(asked.job_id == "old" and asked.request == "update" for asked in of(entries, RequestReceived))
    assert violated(verdict) == {}
    assert verdict.outcome == "passed", verdict.why


# ── how long it takes ─────────────────────────────────────────────────────────────────────────────────────────


def seconds_after_the_last_report(scenario: Any, design: Design) -> float:
    entries: list[Entry] = []
    verdict = played(stand(scenario, design), kept=entries)
    assert verdict.outcome == "passed", verdict.why
    reported = max(entry.at for entry in entries if isinstance(entry.event, RequestReceived) and entry.event.status)
    (ended,) = (entry.at for entry in entries if isinstance(entry.event, RunEnded))
    return ended - reported


def test_who_has_done_its_next_job_is_not_waited_for():
    assert seconds_after_the_last_report(numbered(0), Design()) < 0.3


def test_a_device_that_takes_nothing_more_ends_the_run_when_that_is_certain():
    bounds = {"detection_seconds": 2, "ready_seconds": 5, "lost_job_seconds": 5, "silence_seconds": 60}
    scenario = numbered(0, bounds=bounds, deletions=[{"job": "fw-0", "when": {"step": "flash"}}])
    at = stand(scenario, Design(undo_seconds=10_000))
    verdict = played(at)
    assert verdict.outcome == "failed"
    assert set(violated(verdict)) == {"ready-in-time"}
    assert verdict.seconds is not None
    assert verdict.seconds < 10


def test_places_inside_a_device_are_refused():
    scenario = cell(must_reach=[{"place": "rolled-back", "job": "fw"}])
    with pytest.raises(InputError, match=r"must_reach\.0\.place: rolled-back: is for ghostjob's own devices"):
        Play(scenario, [THING], 1, lambda entry: None, stand(scenario, Design()))


def test_a_place_for_a_model_that_does_not_exist_is_refused():
    scenario = cell(must_reach=[{"place": "recovered", "job": "fw", "models": ["referense"]}])
    with pytest.raises(
        InputError, match=r"must_reach\.0\.models: model referense: there is none; did you mean reference"
    ):
        Play(scenario, 1, 1, lambda entry: None, stand(scenario, Design()))


def test_steps_may_be_named_by_another_key():
    design = Design(step_key="phase")
    places = [{"place": "deleted-in-step", "job": "fw-0", "step": "flash"}]
    verdict = played(stand(numbered(0, step_key="phase", must_reach=places), design))
    assert verdict.outcome == "passed", verdict.why
