"""A command is done whole or not at all, wherever a fault is thrown in it; and no job's transaction stops another's."""

from random import Random
from types import CodeType

import pytest

from agent.values import StartNext
from simulator.cloud.jobs import Change, ExecutionEvent, JobChanged, Jobs, Outcome, Rollout, Service, targets
from simulator.cloud.jobs.backlog import AT_ONCE, WorkOwner
from simulator.cloud.jobs.commands import ThingDeleted
from simulator.cloud.jobs.ledger import Due, WorkDue
from simulator.cloud.jobs.ticking import LONGEST_PAUSE_SECONDS
from tests.thrown import Thrown, sees_to_transactions, thrown_at

from .account import Account, names
from .test_restoring import SETTINGS, Kept, act, state

MANY = names(3 * AT_ONCE)


def is_of_the_core(code: CodeType) -> bool:
    """All of it but what looks after transactions; a generator that is thrown away is called, too, to be closed."""
    if code.co_name == "<genexpr>" or code.co_qualname in ("Agenda.take_due", "Agenda.next_due"):
        return False
    is_ours = "/cloud/jobs/" in code.co_filename and not code.co_filename.endswith("/ticking.py")
    return is_ours and not sees_to_transactions(code)


def in_a_command(code: CodeType) -> bool:
    """What one consists of: what several turns did is put together, and told here, when they are done."""
    return is_of_the_core(code) and code.co_qualname not in ("Transaction.outcome", "in_one", "Account.did")


def is_a_transaction(code: CodeType) -> bool:
    """What one job's transaction consists of."""
    if code.co_qualname in ("Transaction.outcome", "in_one"):
        return False
    return is_of_the_core(code) and not code.co_filename.endswith(("/service.py", "/agenda.py"))


def inside(jobs: Jobs) -> tuple[object, ...]:
    """All that the service knows, what it could look up as well; but of what is due at the same time not the order.

    A request that came to a fault is spent.
    """
    ledger = jobs._ledger
    return (
        jobs.value()._replace(agenda=(), rate=None),
        {job_id: dict(of_job.counts) for job_id, of_job in ledger.of_job.items()},
        set(ledger.deleting),
        # Of a job that waits after a fault it is not known for how long.
        {item: due for item, (due, _) in ledger.agenda._times.items() if not ledger.works.times_failed(_owner(item))},
        dict(ledger._with_windows),
        dict(ledger.pending),
        list(ledger.by_age),
        {} if ledger.by_trait is None else {trait: list(ages) for trait, ages in ledger.by_trait.ages.items()},
        dict(ledger.active),
        set(ledger._rolling_out),
        {target: set(jobs) for target, jobs in ledger._followed.items()},
    )


def keep_in(kept: Kept, jobs: Jobs) -> None:
    def keep(changes: tuple[Change, ...]) -> None:
        kept.keep(Outcome(changes=changes))

    jobs.keep = keep


def _owner(item: Due) -> WorkOwner:
    return item.owner if isinstance(item, WorkDue) else WorkOwner(item.job_id)


@pytest.mark.parametrize("at_once", [AT_ONCE, 1], ids=["", "of a thing that has many jobs"])
@pytest.mark.parametrize("seed", range(40))
def test_a_command_in_which_a_fault_is_thrown_leaves_no_trace(seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(targets, "AT_ONCE", at_once)
    account, chance, kept, thrown = Account(SETTINGS), Random(seed), Kept(), 0
    keep_in(kept, account.jobs)
    assert not list(account.jobs.jobs({("status", "COMPLETED")})), "found by an index from here on"
    for _ in range(50):
        account.outcomes.clear()
        before, heard = inside(account.jobs), len(account.heard)
        try:
            with thrown_at(chance.choice((1, 2, 3, 5, 8, 13, 21, 60, 300)), in_a_command):
                act(account, chance)
        except Thrown:
            thrown += 1
            if not account.outcomes:  # a command of its own; time that was moved may have had several turns
                assert inside(account.jobs) == before
                assert len(account.heard) == heard
        assert state(kept.restored(account.now)) == state(account.jobs), "the store has what the memory has"
    assert thrown > 5
    account.later(4 * 3600)
    assert not account.jobs.value().backlog.failures, "what was put off came to its end"


def test_what_cannot_be_written_down_has_not_been():
    account = Account().create("fw", *MANY)
    before = inside(account.jobs)

    def keep(_changes: tuple[Change, ...]) -> None:
        raise OSError("no")

    account.jobs.keep = keep
    for command in (
        lambda: account.create("other", "a"),
        lambda: account.ask(MANY[0], StartNext()),
        lambda: account.delete("fw"),
        lambda: account.cancel("fw"),
    ):
        with pytest.raises(OSError, match="no"):
            command()
        assert inside(account.jobs) == before
    account.jobs.keep = None
    account.delete("fw")
    assert list(account.later(60).jobs.jobs()) == []


@pytest.mark.parametrize("number", range(1, 30))
def test_no_fault_in_one_jobs_turn_stops_anothers(number: int):
    """Wherever it is thrown while the first job has its turn, the others end in time, and the first one later."""
    account = Account(SETTINGS)
    for job_id in ("a", "b", "c"):
        account.create(job_id, *MANY, rollout=Rollout(maximum_per_minute=2 * AT_ONCE))
    account.create("slow", "t", timeout_minutes=1).ask("t", StartNext())
    account.later(59)
    account.now += 62  # rollouts of all of them and a timeout are due, and nobody has looked yet
    with thrown_at(number, is_a_transaction):
        while (due := account.jobs.next_due()) is not None and due <= account.now:
            account.did(account.jobs.tick(account.now, 4))
    failed = [failure for outcome in account.outcomes for failure in outcome.failures]
    assert len(failed) <= 1
    for failure in failed:
        assert isinstance(failure.error, Thrown)
        assert failure.pause_seconds == 1
    done = {job_id: len(account.jobs.executions_of_job(job_id)) for job_id in ("a", "b", "c")}
    assert sum(count == len(MANY) for count in done.values()) >= len(done) - len(failed)
    account.later(2)
    assert {len(account.jobs.executions_of_job(job_id)) for job_id in ("a", "b", "c")} == {len(MANY)}
    assert account.statuses("slow") == {"t": "TIMED_OUT"}


def test_a_job_whose_turns_all_fail_is_tried_ever_more_seldom():
    account = Account().create("bad", "a", timeout_minutes=1).create("good", "b", timeout_minutes=1)
    account.ask("a", StartNext())
    account.ask("b", StartNext())

    def keep(changes: tuple[Change, ...]) -> None:
        if any(getattr(change, "execution", None) and change.execution.key.job_id == "bad" for change in changes):
            raise TypeError("no record")

    account.jobs.keep = keep
    account.outcomes.clear()
    account.later(3600)
    pauses = [failure.pause_seconds for outcome in account.outcomes for failure in outcome.failures]
    assert pauses[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_PAUSE_SECONDS]
    assert len(pauses) == 20
    assert {failure.job_id for outcome in account.outcomes for failure in outcome.failures} == {"bad"}
    assert account.statuses("good") == {"b": "TIMED_OUT"}
    assert account.statuses("bad") == {"a": "IN_PROGRESS"}, "neither the store nor the memory has it otherwise"
    account.jobs.keep = None
    account.later(LONGEST_PAUSE_SECONDS)
    assert account.statuses("bad") == {"a": "TIMED_OUT"}


@pytest.mark.parametrize("what", ["a rollout", "news"])
def test_work_that_always_fails_is_tried_ever_more_seldom(what: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(targets, "AT_ONCE", 0)
    account = Account().create("good", "b", timeout_minutes=1).create("bad", *MANY)
    account.ask("b", StartNext())
    if what == "news":
        account.left_to_tick(16)
        account.did(account.jobs.do(ThingDeleted(MANY[0]), account.now))

    def keep(changes: tuple[Change, ...]) -> None:
        if any(getattr(change, "execution", None) and change.execution.key.job_id == "bad" for change in changes):
            raise TypeError("no record")

    account.jobs.keep = keep
    account.outcomes.clear()
    account.later(3600)
    failures = [failure for outcome in account.outcomes for failure in outcome.failures]
    assert [failure.pause_seconds for failure in failures][:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert {(each.job_id, each.thing) for each in failures} == {
        ("bad", None) if what == "a rollout" else (None, MANY[0])
    }
    assert account.statuses("good") == {"b": "TIMED_OUT"}
    account.jobs.keep = None
    account.later(LONGEST_PAUSE_SECONDS)
    assert account.jobs.value().backlog == Service().backlog
    assert account.statuses("bad")[MANY[0]] == ("REMOVED" if what == "news" else "QUEUED")


def test_news_of_one_thing_that_cannot_be_told_hold_up_no_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(targets, "AT_ONCE", 0)
    account = Account().create("fw", "bad", "good", "other")

    def keep(changes: tuple[Change, ...]) -> None:
        if any(getattr(change, "execution", None) and change.execution.thing == "bad" for change in changes):
            raise TypeError("no record")

    account.jobs.keep = keep
    for thing in ("bad", "good", "other"):
        account.did(account.jobs.do(ThingDeleted(thing), account.now))
    outcome = account.did(account.jobs.tick(account.now))
    assert [(failure.job_id, failure.thing) for failure in outcome.failures] == [(None, "bad")]
    assert account.statuses("fw") == {"bad": "QUEUED", "good": "REMOVED", "other": "REMOVED"}
    account.jobs.keep = None
    account.later(1)
    assert account.statuses("fw")["bad"] == "REMOVED"


def test_a_deletion_whose_end_always_fails_is_tried_ever_more_seldom():
    account = Account(SETTINGS).create("bad", "a")
    account.delete("bad")

    def keep(changes: tuple[Change, ...]) -> None:
        if any(isinstance(change, JobChanged) and change.job is None for change in changes):
            raise TypeError("no record")

    account.jobs.keep = keep
    account.outcomes.clear()
    account.later(600)
    pauses = [failure.pause_seconds for outcome in account.outcomes for failure in outcome.failures]
    assert pauses[:4] == [1, 2, 4, 8]
    assert inside(account.jobs)[2] == {"bad"}
    account.jobs.keep = None
    assert list(account.later(LONGEST_PAUSE_SECONDS).jobs.jobs()) == []
    assert not account.jobs.value().backlog.failures


def test_what_waits_after_a_fault_is_dropped_with_its_job():
    account = Account().create("fw", *MANY)
    account.left_to_tick(16)
    account.cancel("fw")
    with thrown_at(1, lambda code: code.co_qualname == "_cancelled"):
        account.did(account.jobs.tick(account.now, 1))
    assert account.jobs.next_due() == account.now + 1, "it does not spin"
    account.delete("fw")
    account.left_to_tick(16)
    assert account.jobs.next_due() is None
    assert list(account.jobs.jobs()) == []
    account.create("fw", *MANY).left_to_tick(16)
    assert account.statuses("fw") == dict.fromkeys(MANY, "QUEUED")


def test_what_a_tick_tells_of_several_pieces_stands_in_its_order():
    account = Account(SETTINGS).create("fw", *MANY).create("other", *MANY)
    account.left_to_tick(16)
    account.delete("fw")
    account.delete("other")
    outcome = account.jobs.tick(account.now)
    events = [event for event in outcome.events if isinstance(event, ExecutionEvent)]
    assert len(events) == 2 * (len(MANY) - AT_ONCE)
    assert [outcome.hints[event.after_hints - 1][0] for event in events] == [event.execution.thing for event in events]
    assert len({event.execution.key.job_id for event in events[:20]}) == 2, "one after the other"
