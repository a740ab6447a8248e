"""What a cloud tells of a device and its first job, step by step."""

from typing import Any

from agent.device_events import RequestKind
from agent.values import NEXT, ExecutionKey
from simulator.trace import (
    CLOUD,
    ENGINE,
    ClientConnected,
    ClientDisconnected,
    ClientSubscribed,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    HintPublished,
    RequestAnswered,
    RequestReceived,
    RunEnded,
)

PUMP = "pump"
JOB = "certify-1"
FIND = ("$aws/things/pump/jobs/notify-next", "$aws/things/pump/jobs/notify")


class CloudAccount:
    """Entries of the cloud's, one after another; `at` is the time by its clock."""

    def __init__(self, namespace_id: str | None = None) -> None:
        self.entries: list[Entry] = []
        self.at = 0.0
        self.key = ExecutionKey(namespace_id, JOB, 1, 1_700_000_000)
        self._version = 1

    def tell(self, event: Any) -> None:
        self.entries.append(Entry(CLOUD, len(self.entries) + 1, self.at, event))

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def connect(self, *filters: str, client: str = PUMP) -> None:
        self.tell(ClientConnected(client))
        if filters:
            self.tell(ClientSubscribed(client, filters))

    def disconnect(self) -> None:
        self.tell(ClientDisconnected(PUMP, "CONNECTION_LOST"))

    def end_run(self) -> None:
        self.entries.append(Entry(ENGINE, 1, self.at, RunEnded("timed-out")))

    def queue(self) -> None:
        self.tell(ExecutionQueued(PUMP, self.key))
        self.tell(HintPublished(PUMP, "notify-next", self.key.namespace_id, (self.key,)))

    def ask(self, request: RequestKind, *, finds: bool = True, code: str | None = None, **more: Any) -> None:
        """A request for work, or about the job, and its answer."""
        namespace_id = more.pop("namespace_id", self.key.namespace_id)
        job_id = more.pop("job_id", NEXT if request == "describe" else None)
        self.tell(RequestReceived(PUMP, request, namespace_id=namespace_id, job_id=job_id, **more))
        if request == "start-next" and finds and code is None:
            self._change("IN_PROGRESS", more.get("details"))
        execution = self.key if finds and code is None else None
        self.tell(RequestAnswered(PUMP, request, code is None, code=code, execution=execution))

    def update(self, status: str, code: str | None = None, details: dict[str, str] | None = None, **more: Any) -> None:
        self.tell(
            RequestReceived(
                PUMP,
                "update",
                namespace_id=self.key.namespace_id,
                job_id=JOB,
                status=status,
                details=details,
                **more,
            )
        )
        if code is None:
            self._change(status, details)
        self.tell(
            RequestAnswered(PUMP, "update", code is None, code=code, execution=self.key if code is None else None)
        )

    def cancel(self) -> None:
        self.tell(ExecutionChanged(PUMP, self.key, "CANCELED", self._version + 1, "service"))

    def remove(self) -> None:
        self.tell(ExecutionRemoved(PUMP, self.key, "IN_PROGRESS"))

    def _change(self, status: str, details: dict[str, str] | None) -> None:
        self._version += 1
        self.tell(ExecutionChanged(PUMP, self.key, status, self._version, "device", details))
