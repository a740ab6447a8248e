"""Reads that lag behind show what was taken away, and nothing else of the past."""

import pytest

from agent.values import Describe, ExecutionTold
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.jobs.commands import CancelExecution, DeleteExecution
from tests.simulator.cloud.jobs.account import Account

SLOW = JobsSettings(stale_reads_seconds=10, deletion_seconds=0, deletion_seconds_per_execution=0)


def _told(account: Account, job_id: str) -> tuple[str, int] | None:
    answer = account.ask("a", Describe(job_id))
    if not isinstance(answer, ExecutionTold) or answer.execution is None:
        return None
    return answer.execution.status.value, answer.execution.version_number


@pytest.mark.parametrize("taken_away", ["deleted", "cancelled"])
def test_what_was_queued_since_something_was_taken_away_is_there_for_whoever_asks_for_it_by_name(taken_away: str):
    account = Account(SLOW).create("old", "a")
    account.update("a", "old")
    if taken_away == "deleted":
        account.did(account.jobs.do(DeleteExecution("a", "old", number=1, force=True), account.now))
    else:
        account.did(account.jobs.do(CancelExecution("a", "old", force=True), account.now))
    account.create("new", "a")
    assert _told(account, "new") == ("QUEUED", 1)
    account.update("a", "new")
    assert _told(account, "new") == ("IN_PROGRESS", 2), "it has answered so already"
    assert _told(account, "old") == ("IN_PROGRESS", 2), "as if it were still there"


def test_of_a_job_that_was_deleted_and_created_again_only_what_is_there_now_is_shown():
    account = Account(SLOW).create("fw", "a")
    account.update("a", "fw")
    account.delete("fw")
    account.create("fw", "a")
    assert _told(account, "fw") == ("QUEUED", 1), "with the document of today"
