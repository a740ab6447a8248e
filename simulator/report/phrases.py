"""Parts of sentences about the trace: executions, requests, answers and notifications."""

from collections.abc import Mapping

from agent.values import ExecutionKey, StatusDetails


def execution_words(key: ExecutionKey) -> str:
    """An incarnation, as the log has it: execution number and queue time tell it from others of its job id."""
    namespace = f"{key.namespace_id}/" if key.namespace_id else ""
    return f"{namespace}{key.job_id} ({key.execution_number}@{key.queued_at})"


def asked(request: str, token: str | None, about: str | None, status: str | None, version: int | None) -> str:
    """A request."""
    named = f" {token}" if token is not None else ""
    what = f" of {about}" if about is not None else ""
    to = f" to {status}" if status is not None else ""
    expecting = f" expecting version {version}" if version is not None else ""
    return f"{request}{named}{what}{to}{expecting}"


def in_brackets(details: Mapping[str, str] | StatusDetails | None) -> str:
    """What was said besides; nothing if nothing was."""
    pairs = details.items() if isinstance(details, Mapping) else details or ()
    told = ", ".join(f"{key} {value}" for key, value in pairs)
    return f" ({told})" if told else ""


def answered(accepted: bool, code: str | None, key: ExecutionKey | None, status: str | None) -> str:
    """What an answer says."""
    word = "accepted" if accepted else f"rejected with {code}"
    if key is None:
        return word + (f", it is {status}" if status is not None else "")
    return f"{word}, {execution_words(key)}" + (f" is {status}" if status is not None else "")


def by_hint(hint: str, namespace: str | None, listed: tuple[ExecutionKey, ...]) -> str:
    """A notification, and what it lists."""
    where = f" of namespace {namespace}" if namespace else ""
    return f"{hint}{where}: {', '.join(map(execution_words, listed)) or 'nothing is pending'}"


def because(why: str) -> str:
    """Why, to be put behind a sentence."""
    return f": {why}" if why else ""
