"""DescribeEndpoint, and which events the account wants: DescribeEventConfigurations, UpdateEventConfigurations."""

from typing import Final

from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Backing, Operation, Parameters
from simulator.cloud.jobs import EventKind
from simulator.cloud.registry import EventConfigurations
from simulator.cloud.registry.registry import ONLY

TYPES: Final = (
    "THING",
    "THING_GROUP",
    "THING_TYPE",
    "THING_GROUP_MEMBERSHIP",
    "THING_GROUP_HIERARCHY",
    "THING_TYPE_ASSOCIATION",
    "JOB",
    "JOB_EXECUTION",
    "POLICY",
    "CERTIFICATE",
    "CA_CERTIFICATE",
)
PUBLISHED: Final[tuple[EventKind, ...]] = ("JOB", "JOB_EXECUTION")


class AccountOperations:
    """What concerns the account as a whole. Of the events, JOB and JOB_EXECUTION are published."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        kept = backing.registry.event_configurations.get(ONLY)
        if kept is not None:
            self._switch(kept.enabled)

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "DescribeEndpoint": self._describe_endpoint,
            "DescribeEventConfigurations": self._describe_events,
            "UpdateEventConfigurations": self._update_events,
        }

    def _describe_endpoint(self, given: Parameters) -> Parameters:
        kind, account = given.get("endpointType", "iot:Data"), self._backing.account
        if kind in ("iot:Data", "iot:Data-ATS", "iot:Data-Beta"):
            return {"endpointAddress": account.data_endpoint}
        if kind == "iot:Jobs" and self._backing.settings.jobs_endpoint == "served":
            return {"endpointAddress": account.jobs_endpoint}
        if kind == "iot:Jobs":
            raise invalid("Endpoint type iot:Jobs is not supported; use iot:Data-ATS.")
        raise invalid(f"Endpoint type {kind} is not served here; use iot:Data-ATS.")

    def _describe_events(self, given: Parameters) -> Parameters:
        kept = self._backing.registry.event_configurations.get(ONLY)
        enabled = () if kept is None else kept.enabled
        return {
            "eventConfigurations": {kind: {"Enabled": kind in enabled} for kind in TYPES},
            "creationDate": None if kept is None else kept.created_at,
            "lastModifiedDate": None if kept is None else kept.last_modified_at,
        }

    def _update_events(self, given: Parameters) -> Parameters:
        table, now = self._backing.registry.event_configurations, self._backing.clock()
        kept = table.get(ONLY)
        wanted = dict.fromkeys(() if kept is None else kept.enabled, True)
        for kind, configuration in given.get("eventConfigurations", {}).items():
            wanted[kind] = configuration.get("Enabled", False)
        enabled = tuple(kind for kind in TYPES if wanted.get(kind))
        table.put(ONLY, EventConfigurations(enabled, now if kept is None else kept.created_at, now))
        self._switch(enabled)
        return {}

    def _switch(self, enabled: tuple[str, ...]) -> None:
        self._backing.jobs.event_kinds = frozenset(kind for kind in PUBLISHED if kind in enabled)
