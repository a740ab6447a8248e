"""What the jobs of a session are called, and what each of them brings."""

import re
from collections.abc import Iterable
from typing import Any, Final

from agent.errors import InputError
from simulator.certify.documents import Documents
from simulator.scenario import After, JobSpec, Owner

GROUP: Final = "dut"
"""The group that the device under test is, in every scenario of it."""
PREFIX: Final = re.compile(r"[a-zA-Z0-9_-]{1,40}")
"""With number and word an id has 64 characters at most."""


class Names:
    """Makes job ids that no other cell of this account used: `prefix` must be the session's own.

    Each job gets the next document, so that no two in a row bring the same.
    """

    def __init__(self, prefix: str, documents: Documents | None = None) -> None:
        if not PREFIX.fullmatch(prefix):
            raise InputError(f"a job id cannot begin with '{prefix}': give 1 to 40 letters, digits, _ and -")
        self.documents: Final = documents or Documents()
        self._prefix = prefix
        self._jobs = 0
        self._documents = 0
        self._versions: dict[str, list[str | None]] = {}

    def job(
        self, word: str, namespace_id: str | None, after: After | None = None, *, provokes: bool = False
    ) -> JobSpec:
        """A job with an id of its own, in which `word` says what it is for, and with the next document."""
        self._jobs += 1
        job_id = f"{self._prefix}-{self._jobs:04}-{word}"
        by: Owner = "greengrass" if (namespace_id or "").startswith("aws-") else "customer"
        document = self._next(job_id)
        return JobSpec(
            id=job_id, to=(GROUP,), namespace=namespace_id, document=document, by=by, after=after, provokes=provokes
        )

    def again(self, job: JobSpec, *, other_document: bool) -> JobSpec:
        """The same id once more, after the first is gone, with the same document or with the next."""
        document = self._next(job.id) if other_document else job.document
        return job.model_copy(update={"document": document, "after": After(deletion_of=job.id, until="gone")})

    def version_of(self, job_id: str) -> str | None:
        """What the last job of that id brings; None if its document does not say, or it is none of these."""
        return self._versions.get(job_id, [None])[-1]

    def knows(self, version: str | None) -> bool:
        """Whether some job of this session brought it."""
        return version is not None and any(version in brought for brought in self._versions.values())

    def versions(self, jobs: Iterable[JobSpec]) -> dict[str, tuple[str, ...]]:
        """What each of these jobs brings, in order, if its document says so; several where an id is used again."""
        known = {job.id: self._versions.get(job.id, [None]) for job in jobs}
        return {
            job_id: tuple(dict.fromkeys(each for each in brought if each is not None))
            for job_id, brought in known.items()
            if None not in brought
        }

    def _next(self, job_id: str) -> dict[str, Any]:
        number, self._documents = self._documents, self._documents + 1
        self._versions.setdefault(job_id, []).append(self.documents.version(number))
        return self.documents.document(number)
