"""Why nothing can be learned from a first job: it was not done, and this is why, in words that lead to the fix."""

import json
from typing import Final

from agent.errors import GhostjobError
from agent.topics import HintTopic, hint_topic
from agent.values import ErrorCode, Status
from simulator.certify.first_job import Account, Asked

SHOWN: Final = 120
"""Characters of statusDetails that are told again."""


class NotLearned(GhostjobError):  # noqa: N818 - an outcome, no fault
    """The first job was not done. `failed`: the device took it and did not do it, undisturbed as it was."""

    def __init__(self, why: str, *, failed: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.failed = failed


def why_not(account: Account) -> NotLearned | None:
    """Why nothing can be learned from this job; None if it was done."""
    if account.queued_at is None:
        return NotLearned(f"job {account.job_id} was never queued for {account.thing}")
    if account.ended_as == Status.SUCCEEDED and account.ended_by == "device":
        return None
    if account.ended_as is not None:
        return _ended(account)
    if account.began_at is not None:
        return _unfinished(account)
    return NotLearned(_not_taken(account))


def _ended(account: Account) -> NotLearned:
    if account.ended_by != "device":
        return NotLearned(f"its first job was {account.ended_as} by the service; nobody else may touch it")
    hint = {
        Status.REJECTED: "; is it a document that this device understands? --document gives it one of yours",
        Status.FAILED: "; it must be able to do what the document asks for; --document gives it one of yours",
    }.get(Status(account.ended_as or ""), "")
    details = shown(account.end_details)
    return NotLearned(f"it reported {account.ended_as} for its first job{details}{hint}", failed=True)


def _unfinished(account: Account) -> NotLearned:
    """Refused, it has done wrong; without an end by now, it may be slow, and the limit is ours."""
    refused = [asked for asked in account.requests if asked.kind == "update" and asked.code is not None]
    if refused:
        asked = refused[-1]
        why = (
            f"it took its first job and did not end it: {len(refused)} of its updates were rejected, the last, to "
            f"{asked.status or 'no status'}, with {asked.code}: {_meaning(asked)}"
        )
        return NotLearned(why, failed=True)
    last = account.reports[-1] if account.reports else None
    since = account.seen_until - (last.at if last else account.began_at or 0.0)
    said = (
        f"its last report, {since:.0f} s before, was {last.status}{shown(last.details)}" if last else "it said no more"
    )
    took = account.seen_until - (account.began_at or 0.0)
    return NotLearned(
        f"it took its first job and did not end it in {took:.0f} s: {said}; it must report SUCCEEDED when it is done; "
        "if it is slow, --first-job SECONDS lets it take longer"
    )


def _meaning(asked: Asked) -> str:
    if asked.code == ErrorCode.VERSION_MISMATCH:
        return (
            f"it expected version {asked.expected_version}; each accepted update counts the version up by one, and the "
            "answer to a describe or an update with includeJobExecutionState tells it"
        )
    return MEANINGS.get(asked.code or "", "see `ghostjob explain errors`")


MEANINGS: Final[dict[str, str]] = {
    ErrorCode.INVALID_STATE_TRANSITION: "an execution that has ended cannot be changed, nor QUEUED again",
    ErrorCode.INVALID_JSON: "the payload is no JSON, or not UTF-8",
    ErrorCode.INVALID_REQUEST: "a member of the payload has a wrong name, type or value; statusDetails are texts only",
    ErrorCode.INVALID_TOPIC: "there is no such topic below jobs/",
    ErrorCode.RESOURCE_NOT_FOUND: "it named a job that is not there, or another namespace than the job's",
    ErrorCode.TERMINAL_STATE_REACHED: "the execution has ended already",
}
"""What each code means for an update of a job that is there."""


def _not_taken(account: Account) -> str:
    last = account.last
    if last is None and not account.filters:
        there = "it is connected" if account.connected else "it is not connected"
        return f"it never asked for a job, nor subscribed to anything: {there}"
    if (elsewhere := _other_namespace(account)) is not None:
        mend = "give `--namespace-id`" if elsewhere else "leave out `--namespace-id`, or mend its topics"
        return f"it speaks of {_namespace(elsewhere)}, and its job is in {_namespace(account.namespace_id)}; {mend}"
    if last is not None and last.code is not None:
        return f"its {last.kind} was rejected with {last.code}: {_meaning(last)}"
    waited = account.seen_until - (account.queued_at or 0.0)
    since = [asked for asked in account.requests if asked.at >= (account.queued_at or 0.0)]
    return _untaken(since, waited) if since else _unmoved(account, waited)


def _untaken(since: list[Asked], waited: float) -> str:
    """It asked since the job is there."""
    told = "it was told of the job" if any(asked.found_it for asked in since) else "it asked, and not for the job"
    return f"{told}, and did not take it within {waited:.0f} s: it must set it IN_PROGRESS, by start-next or an update"


def _unmoved(account: Account, waited: float) -> str:
    """It asked for nothing since the job is there."""
    topic = hint_topic(HintTopic(account.thing, "notify-next", account.namespace_id, None))
    if not account.listens:
        heard = ", ".join(list(account.filters)[:3]) or "nothing"
        return (
            f"it asked for nothing in the {waited:.0f} s since its job is there, and cannot hear of it: it listens to "
            f"{heard}, and not to {topic}; if it polls, it may need more time"
        )
    return (
        f"it listens to {' and '.join(account.listens)} and was told of its job, but asked for nothing in the "
        f"{waited:.0f} s since; after a notification it must ask, by start-next or describe"
    )


NO_NAMESPACE: Final = ""


def _other_namespace(account: Account) -> str | None:
    """The namespace that its requests name, if that is not the job's ("" for none); None if there is no such thing."""
    asked = {request.namespace_id for request in account.requests}
    if not asked or account.namespace_id in asked:
        return None
    return next(iter(sorted(each or NO_NAMESPACE for each in asked)))


def _namespace(namespace_id: str | None) -> str:
    return f"namespace {namespace_id}" if namespace_id else "no namespace"


def shown(details: tuple[tuple[str, str], ...]) -> str:
    """statusDetails to append, within bounds; nothing if there are none."""
    if not details:
        return ""
    text = json.dumps(dict(details), ensure_ascii=True)
    return f" with {text if len(text) <= SHOWN else text[:SHOWN] + '…'}"
