"""The quotas that a device, or who makes a job for it, may run into (Developer Guide, "AWS IoT Jobs limits")."""

from typing import Final

from agent.values import Describe, GetPending, Request, StartNext, Update
from simulator.cloud.jobs import placeholders
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.records import NewJob
from simulator.cloud.jobs.settings import JobsSettings

RATE_EXCEEDED: Final = "Rate exceeded."
"""What a device is told whose request is one too many."""

AT_ONCE: Final = 4
"""So many requests a device puts at once."""


class Rate:
    """How many requests of a second are spent; writes and reads have a quota each.

    One that stands for many (see `Ledger.stands_for`) may spend seconds to come, and as many like it as a device puts
    at once find room when nothing is spent: those whom they stand for would not come at one instant.
    """

    def __init__(self, second: int = 0, spent: tuple[int, int] = (0, 0)) -> None:
        self._second = second
        self._spent = list(spent)

    def allows(self, request: Request, now: float, limit: int, requests: int = 1) -> bool:
        """Whether a request is within the quota; it is counted then."""
        if seconds := abs(int(now) - self._second):
            self._second = int(now)
            self._spent = [max(0, spent - limit * seconds) for spent in self._spent]
        kind = _is_read(request)
        if self._spent[kind] >= _room(limit, requests):
            return False
        self._spent[kind] += requests
        return True

    def is_spent(self, request: Request, at: float, limit: int, requests: int = 1) -> bool:
        """Whether a request that comes then is beyond the quota, whatever comes before it; nothing is counted."""
        left = self._spent[_is_read(request)] - limit * abs(int(at) - self._second)
        return left >= _room(limit, requests)

    def value(self) -> tuple[int, tuple[int, int]]:
        """The second, and what is spent of it."""
        return self._second, (self._spent[0], self._spent[1])


def _room(limit: int, requests: int) -> int:
    return limit if requests == 1 else max(limit, AT_ONCE * requests)


def _is_read(request: Request) -> bool:
    return isinstance(request, Describe | GetPending)


def excess(request: Request, settings: JobsSettings) -> str | None:
    """What is too much in a request that tells statusDetails; None if nothing is."""
    details = request.status_details if isinstance(request, StartNext | Update) else None
    if not details:
        return None
    if len(details) > settings.details:
        return f"statusDetails: more than {settings.details} pairs"
    if any(len(value) > settings.detail_length for _, value in details):
        return f"statusDetails: a value of more than {settings.detail_length} characters"
    return None


def check_job(new: NewJob, settings: JobsSettings) -> None:
    """Raises JobsError if a job is larger than a job may be."""
    check_targets(len(new.targets), settings)
    check_document(new.document.text, settings)
    if sum(criterion.retries for criterion in new.retries) > settings.retries:
        raise JobsError("InvalidRequest", f"A job has at most {settings.retries} retries a thing.")


def check_document(text: str, settings: JobsSettings) -> None:
    """Raises JobsError if a job's, or a job template's, document is larger than one may be."""
    if len(text) > settings.document_bytes // 4 and _bytes(text) > settings.document_bytes:
        raise JobsError("LimitExceeded", f"A job document has at most {settings.document_bytes} bytes.")
    names = placeholders.names(text)
    if (count := sum(name.startswith("s3-presigned-url") for name in names)) > settings.placeholders:
        raise JobsError("InvalidRequest", f"A job document has at most {settings.placeholders} URLs, not {count}.")


def check_targets(count: int, settings: JobsSettings) -> None:
    """Raises JobsError if that is more targets than a job may have."""
    if settings.targets is not None and count > settings.targets:
        raise JobsError("LimitExceeded", f"A job has at most {settings.targets} targets.")


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
