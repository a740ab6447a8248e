"""The service as a value: what is taken stays as it is, equal ones are equal, and twins do not touch."""

import pickle
from collections.abc import Callable, Hashable
from copy import deepcopy
from dataclasses import replace
from random import Random

import pytest

from agent.values import Describe, ExecutionTold, GetPending, PendingListed, StartNext, Status, Update
from simulator.cloud.jobs import Jobs, JobsError, JobsSettings, JobUpdate, NewJob, Rollout, Service, canonical, step
from simulator.cloud.jobs.backlog import (
    AT_ONCE,
    Backlog,
    CancelRest,
    HeldWork,
    RemoveRecords,
    RollOut,
    TellJobs,
    WorkOwner,
    Works,
)
from simulator.cloud.jobs.canonical import second_names
from simulator.cloud.jobs.commands import (
    CancelExecution,
    CancelJob,
    Command,
    CreateJob,
    DeleteExecution,
    DeleteJob,
    DeviceRequest,
    ThingMoved,
    Tick,
    UpdateJob,
)
from tests.thrown import Thrown, thrown_at

from .account import DOCUMENT, Account, names
from .test_copying import busy
from .test_restoring import SETTINGS, act

COPIES: list[Callable[[Service], Service]] = [deepcopy, lambda service: pickle.loads(pickle.dumps(service))]
UNDER_WAY = {"rolling out": RollOut, "cancelling": CancelRest, "deleting": RemoveRecords}


def to_its_end(service: Service, now: float) -> list[Service]:
    """What it becomes, four executions at a time."""
    became = [service]
    while service.backlog.under_way:
        service, _ = step(service, Tick(4), now)
        became.append(service)
    return became


@pytest.mark.parametrize("copy", COPIES, ids=["copied", "pickled"])
@pytest.mark.parametrize("what", UNDER_WAY)
def test_twins_of_a_service_with_work_under_way_do_not_touch(what: str, copy: Callable[[Service], Service]):
    account = busy(what)
    one = account.jobs.value()
    assert [type(work) for work in one.backlog.under_way] == [UNDER_WAY[what]]
    twin = copy(one)
    assert (twin, hash(twin)) == (one, hash(one))
    became = to_its_end(one, account.now)
    assert twin == one == account.jobs.value() != became[-1]
    assert to_its_end(twin, account.now) == became, "and goes the same way by itself"


@pytest.mark.parametrize("what", UNDER_WAY)
def test_a_live_copy_of_a_service_goes_on_alone(what: str):
    account = busy(what)
    before = account.jobs.value()
    for copy in (deepcopy(account.jobs), pickle.loads(pickle.dumps(account.jobs)), Jobs.of(before)):
        copy.tick(account.now)
        assert account.jobs.value() == before != copy.value()


@pytest.mark.parametrize("seed", range(8))
def test_a_value_stays_as_it_was_and_says_all_that_a_service_needs_to_go_on(seed: int):
    account, chance = Account(replace(SETTINGS, stale_reads_seconds=20)), Random(seed)
    for _ in range(6):
        for _ in range(10):
            act(account, chance)
        value = account.jobs.value()
        pickled, again = pickle.dumps(value), Jobs.of(value)
        assert isinstance(value, Hashable)
        assert (again.value(), hash(again.value())) == (value, hash(value))
        for _ in range(10):
            act(account, chance)
        assert value == pickle.loads(pickled)


def test_a_refused_command_raises_and_leaves_the_value():
    service, _ = step(Service(), CreateJob(NewJob("fw", ("a",), DOCUMENT)), 1.0)
    before = pickle.dumps(service)
    with pytest.raises(JobsError, match="needs force"):
        step(service, DeleteJob("fw"), 2.0)
    assert service == pickle.loads(before)


def test_what_waits_after_a_fault_and_how_often_it_failed_is_in_the_value():
    account = Account().create("fw", *names(3 * AT_ONCE))
    with thrown_at(1, lambda code: code.co_name == "queue_execution"):
        [failure] = account.did(account.jobs.tick(account.now, 4)).failures
    assert isinstance(failure.error, Thrown)
    backlog = account.jobs.value().backlog
    assert [held.until for held in backlog.held] == [account.now + 1]
    assert backlog.failures == ((WorkOwner("fw"), 1),)
    service, outcome = step(account.jobs.value(), Tick(), account.now + 0.5)
    assert outcome.changes == ()
    service, _ = step(service, Tick(), account.now + 1)
    assert service.backlog == Service().backlog
    assert Jobs.of(service).job("fw").is_rolled_out


def test_what_waits_after_a_fault_is_not_lost_when_something_else_is_done_about_its_job():
    account = Account().create("fw", *names(3 * AT_ONCE))
    with thrown_at(1, lambda code: code.co_name == "queue_execution"):
        account.jobs.tick(account.now, 4)
    account.jobs.do(UpdateJob("fw", JobUpdate(description="new")), account.now)
    account.later(2)
    assert len(account.jobs.executions_of_job("fw")) == 3 * AT_ONCE


def test_what_lags_and_what_is_spent_is_in_the_value():
    settings = JobsSettings(stale_reads_seconds=10, deletion_seconds=0, requests_per_second=1)
    service, _ = step(Service(settings), CreateJob(NewJob("fw", ("a",), DOCUMENT)), 100.0)
    service, _ = step(service, DeviceRequest("a", StartNext()), 101.0)
    service, _ = step(service, DeleteExecution("a", "fw", 1, force=True), 102.0)
    service, first = step(service, DeviceRequest("a", Describe("fw")), 103.0)
    assert isinstance(first.answer, ExecutionTold), "as if it were still there"
    _, second = step(service, DeviceRequest("a", Describe("fw")), 103.5)
    assert "Rate exceeded" in str(second.answer)
    _, third = step(service, DeviceRequest("a", Describe("fw")), 113.0)
    assert "ResourceNotFound" in str(third.answer)


def test_what_is_taken_away_later_is_shown_even_if_nobody_looked_at_what_was_before():
    account = Account(JobsSettings(stale_reads_seconds=10)).create("one", "a").create("two", "a")
    account.jobs.do(CancelExecution("a", "one"), account.now)
    account.later(20)
    account.jobs.do(CancelExecution("a", "two"), account.now)
    listed = account.ask("a", Describe("two"))
    assert isinstance(listed, ExecutionTold)


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────


def lived(detour: bool, late: float = 0.0) -> Service:
    """A service with an execution that works and one that waits; after a `detour` over jobs that came and went."""
    service, now = Service(JobsSettings(deletion_seconds=0, deletion_seconds_per_execution=0)), 1000.0
    if detour:
        for job_id in ("x", "y"):
            service, _ = step(service, CreateJob(NewJob(job_id, ("a", "b"), DOCUMENT)), now + 1)
            service, _ = step(service, DeleteJob(job_id, force=True), now + 2)
    service, _ = step(service, CreateJob(NewJob("fw", ("a", "b"), DOCUMENT)), now + 10 + late)
    service, _ = step(service, DeviceRequest("a", StartNext()), now + 20 + 2 * late)
    return service


@pytest.mark.parametrize(("detour", "late"), [(True, 0.0), (False, 7.0), (False, 0.25), (True, 7.25)])
def test_services_that_differ_in_names_only_are_one(detour: bool, late: float):
    one, other = lived(False), lived(detour, late)
    assert one != other
    assert canonical(one, 1100.0) == canonical(other, 1100.0)
    assert canonical(canonical(one, 1100.0), 1100.0) == canonical(one, 1100.0)


def test_what_is_not_shown_any_more_gives_no_name_to_what_is():
    service = Service(JobsSettings(stale_reads_seconds=10))
    service, _ = step(service, CreateJob(NewJob("fw", ("a", "b"), DOCUMENT)), 1000.0)
    service, _ = step(service, CreateJob(NewJob("next", ("b",), DOCUMENT)), 1005.0)
    service, _ = step(service, DeleteExecution("a", "fw", 1, force=True), 1030.0)
    assert service.stale_reads
    assert canonical(service, 1100.0) == canonical(service._replace(stale_reads=()), 1100.0)


def after(*commands: Command) -> Service:
    service, now = Service(JobsSettings(deletion_seconds=0, deletion_seconds_per_execution=0)), 1000.0
    for command in commands:
        now += 1
        service, _ = step(service, command, now)
    return canonical(service, 5000.0)


ROUNDS: dict[str, tuple[Command, ...]] = {
    "a record that goes, and its thing comes again": (
        DeleteExecution("a", "fw", 1, force=True),
        ThingMoved("joined", "a", ("group",)),
        DeleteExecution("b", "fw", 1, force=True),
        ThingMoved("joined", "b", ("group",)),
    ),
    "a turn that is skipped, and is not": (
        ThingMoved("left", "c", ("group",)),
        ThingMoved("joined", "c", ("group",)),
    ),
}


@pytest.mark.parametrize("name", ROUNDS)
def test_a_round_that_comes_back_to_where_it_began_is_a_round(name: str):
    rollout = Rollout(maximum_per_minute=2)
    new = NewJob("fw", ("a", "b", "c"), DOCUMENT, ("group",), target_selection="CONTINUOUS", rollout=rollout)
    assert after(CreateJob(new), *ROUNDS[name]) == after(CreateJob(new), *3 * ROUNDS[name])
    assert after(CreateJob(new), *ROUNDS[name]) == after(CreateJob(new)) or "record" in name


def test_who_failed_first_is_nothing_that_anybody_can_see():
    one, other = WorkOwner("one"), WorkOwner(None, "other")
    held = {one: HeldWork(1.0, RemoveRecords("one")), other: HeldWork(1.0, TellJobs("other"))}
    values = set[Backlog]()
    for order in ((one, other), (other, one)):
        works = Works()
        for owner in order:
            works.fail(owner, 2)
            works.held[owner] = held[owner]
        values.add(works.value())
    assert len(values) == 1


def test_what_is_told_by_number_keeps_it():
    one = lived(False)
    other, _ = step(one, DeviceRequest("a", Update("fw", Status.IN_PROGRESS)), 1030.0)
    assert canonical(one, 1100.0) != canonical(other, 1100.0), "it has another version"
    assert [each.version_number for queue in canonical(other, 1100.0).queues for each in queue] == [3, 1]


def test_who_was_told_a_time_renames_it_alike():
    service = lived(False)
    seconds = second_names(service, 1100.0, others=[5, 1005])
    assert sorted(seconds) == [5, 1005, 1010, 1020]
    assert [seconds[second] for second in sorted(seconds)] == [1096, 1097, 1098, 1099]
    [(first,), _] = canonical(service, 1100.0, seconds).queues
    assert first.key.queued_at == 1098


def test_what_is_as_old_as_it_looks_keeps_its_time():
    service, _ = step(Service(), CreateJob(NewJob("fw", ("a",), DOCUMENT)), 1000.5)
    assert canonical(service, 1000.75).queues == service.queues, "what is queued within this second has the same time"
    slow = service._replace(settings=JobsSettings(stale_reads_seconds=10))
    for now, listed in ((1009.0, 0), (1012.0, 1)):
        for each in (slow, canonical(slow, now)):
            _, outcome = step(each, DeviceRequest("a", GetPending()), now)
            assert isinstance(outcome.answer, PendingListed)
            assert len(outcome.answer.queued) == listed


@pytest.mark.parametrize("seed", range(8))
def test_a_service_and_its_canonical_one_go_the_same_way(seed: int):
    account, chance = Account(SETTINGS), Random(seed)
    for _ in range(40):
        act(account, chance)
    now = account.now + 2
    one, other = account.jobs.value(), canonical(account.jobs.value(), now)
    for command in (
        DeviceRequest("t1", StartNext()),
        CreateJob(NewJob("new", names(5), DOCUMENT, rollout=Rollout(maximum_per_minute=2))),
        CancelJob("new", force=True),
        Tick(20),
        *(DeviceRequest(thing, StartNext()) for thing in names(8)),
        DeleteJob("new", force=True),
        Tick(),
    ):
        now += 1
        one, first = step(one, command, now)
        other, second = step(other, command, now)
        assert [type(change) for change in first.changes] == [type(change) for change in second.changes]
        assert [(thing, type(hint)) for thing, hint in first.hints] == [(t, type(hint)) for t, hint in second.hints]
        assert canonical(one, now + 1) == canonical(other, now + 1)
