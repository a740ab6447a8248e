"""What the account allows, and how long the service takes: as far as a forecast reckons with it."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.settings.service import PLAYED

_ACCOUNT: Final = JobsSettings()
OPERATIONS_PER_SECOND: Final = 10
"""Of each operation of the control plane (documented: `http.operations_per_second` in the settings)."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """`requests_per_second`: of devices, reads and writes each; `operations_per_second`: of each operation of the
    control plane; `deletion_seconds`, `deletion_seconds_per_execution`: how long a deleted job stays, as
    `JobsSettings` has it.
    """

    requests_per_second: int = _ACCOUNT.requests_per_second or 0
    operations_per_second: float = OPERATIONS_PER_SECOND
    deletion_seconds: float = _ACCOUNT.deletion_seconds
    deletion_seconds_per_execution: float = _ACCOUNT.deletion_seconds_per_execution

    @classmethod
    def of(cls, cloud: JobsSettings, given: dict[str, Any]) -> "Quotas":
        """Those `given`; else the scenario's own; else, what is only a scenario's usual, the account's."""
        named = {each.name for each in fields(cls)}
        own = {
            name: value
            for name in named
            if (value := getattr(cloud, name, None)) is not None and value != PLAYED.get(name)
        }
        return replace(cls(), **own | {name: value for name, value in given.items() if value is not None})

    def deletion(self, executions: int) -> float:
        """How long a job of so many executions is DELETION_IN_PROGRESS."""
        return self.deletion_seconds + self.deletion_seconds_per_execution * executions

    def of_service(self, cloud: JobsSettings) -> JobsSettings:
        """The service with these, and a job for as many things as there are."""
        return replace(
            cloud,
            requests_per_second=self.requests_per_second,
            deletion_seconds=self.deletion_seconds,
            deletion_seconds_per_execution=self.deletion_seconds_per_execution,
            targets=None,
        )
