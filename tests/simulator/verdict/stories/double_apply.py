"""Stories of `no-double-apply`."""

from agent.device_events import ExecutionTaken, VersionCommitted, VersionReverted
from tests.simulator.verdict.stories.scenes import at_work, leapt
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, FW_AGAIN, Tale


@story("no-double-apply", "held", opportunities=1)
def commits_once(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)


@story("no-double-apply", "held", opportunities=2)
def reverts_between(tale: Tale) -> None:
    leapt(tale)
    tale.device(VersionReverted(FW, "2.0"), VersionCommitted(FW, "2.0"))
    tale.report(FW)


@story("no-double-apply", "held", opportunities=2)
def commits_two_incarnations(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)
    tale.queue(FW_AGAIN)
    tale.work_through(FW_AGAIN)


@story("no-double-apply", "violated", "version.committed", "version.committed")
def commits_twice(tale: Tale) -> None:
    leapt(tale)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.report(FW)


@story("no-double-apply", "undecided")
def commits_twice_what_may_have_been_two(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)
    tale.remove(FW, "SUCCEEDED")
    tale.queue(FW)
    tale.work_through(FW)


@story("no-double-apply", "not-exercised")
def commits_nothing(tale: Tale) -> None:
    at_work(tale)


@story("no-double-apply", "held", opportunities=2)
def does_an_interrupted_commit_again(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.lose_power(version="2.0")
    tale.hardware("2.0")
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.finish(FW, "commit")
    tale.report(FW)


@story("no-double-apply", "violated", "version.committed", "version.committed")
def calls_one_execution_two_by_their_documents(tale: Tale) -> None:
    leapt(tale)
    tale.device(ExecutionTaken(FW, "d2"), VersionCommitted(FW, "2.0"))
    tale.report(FW)
