"""The service without a wire: topics and payloads in and out, operations by name, and time that is moved by hand."""

import json
from typing import Any, Final

from simulator.cloud.api import Backing, ControlPlane
from simulator.cloud.api.api_errors import ApiError
from simulator.cloud.arns import AccountRegion
from simulator.cloud.device_api.service import DeviceApi
from simulator.cloud.jobs import Jobs, JobsSettings, Outcome
from simulator.cloud.jobs.configuration import Presign
from simulator.cloud.mqtt import Reaction
from simulator.cloud.registry import Registry

T: Final = "thing"
START: Final = 1_700_000_000.25


class World:
    """One account; every request and operation comes a second after the last, and `heard` fills with publications."""

    def __init__(self, settings: JobsSettings | None = None) -> None:
        self.now = START
        self.heard: list[tuple[str, dict[str, Any]]] = []
        """Topic below `$aws/things/THING/jobs/`, or whole if it is another, and payload; since last taken."""
        self._ids = iter(range(1_000_000))
        self._jobs = Jobs(settings or JobsSettings())
        self._device_api = DeviceApi(self._jobs, lambda: self.now, new_id=self._new_id)
        registry = Registry(self._new_id)
        self._control_plane = ControlPlane(
            Backing(self._jobs, registry, AccountRegion(), lambda: self.now, self._publish)
        )

    def device(self, topic: str, payload: object = None, *, thing: str = T) -> tuple[str, dict[str, Any]]:
        """Publish to `$aws/things/THING/jobs/TOPIC`: the answer's topic below `jobs/`, and its payload."""
        reaction = self._ask(topic, payload, thing)
        return _below(reaction.answer_topic), json.loads(reaction.answer)

    def raw(self, topic: str, payload: object = None) -> bytes:
        """The same for T: the answer's payload as it stands on the wire."""
        return self._ask(topic, payload, T).answer

    def _ask(self, topic: str, payload: object, thing: str) -> Reaction:
        self.later(1)
        raw = payload if isinstance(payload, bytes) else json.dumps(payload or {}).encode()
        reaction = self._device_api.request(thing, f"$aws/things/{thing}/jobs/{topic}", raw, False)
        assert reaction is not None, f"{topic} is no request"
        for told, body in reaction.publications:
            self._hear(told, body)
        return reaction

    def operate(self, operation: str, *, by_aws: bool = False, **parameters: Any) -> dict[str, Any]:
        """Carry out an operation of the control plane. Raises ApiError."""
        self.later(1)
        plane = self._control_plane.in_the_hand_of_aws() if by_aws else self._control_plane
        return plane.call(operation, parameters)

    def refusal(self, operation: str, **parameters: Any) -> str | None:
        """The name of the exception that an operation gets; None if it is carried out."""
        try:
            self.operate(operation, **parameters)
        except ApiError as error:
            return error.name
        return None

    def create_job(self, job_id: str, *things: str, **more: Any) -> None:
        """CreateJob with a small document, for `things`, which are created; for T if none is named."""
        arns = [self.operate("CreateThing", thingName=thing)["thingArn"] for thing in things or (T,)]
        self.operate("CreateJob", jobId=job_id, targets=arns, **{"document": '{"operation":"test"}'} | more)

    def later(self, seconds: float) -> None:
        """Move time; what falls due on the way is done at its time."""
        end = self.now + seconds
        while (due := self._jobs.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self._publish(self._jobs.tick(self.now))
        self.now = end

    def topics(self) -> list[str]:
        """The topics of what has been published since this was asked last."""
        return [topic for topic, _ in self.taken()]

    def listed(self, job_id: str) -> dict[str, str]:
        """The status of each thing's latest execution, as ListJobExecutionsForJob shows it."""
        self.later(1)
        found: dict[str, str] = {}
        token: dict[str, str] | None = {}
        while token is not None:
            page = self._control_plane.call("ListJobExecutionsForJob", {"jobId": job_id, "maxResults": 250, **token})
            summaries = page["executionSummaries"]
            found |= {_name(each["thingArn"]): each["jobExecutionSummary"]["status"] for each in summaries}
            token = {"nextToken": page["nextToken"]} if page["nextToken"] else None
        return found

    def job(self, job_id: str) -> dict[str, Any]:
        """What DescribeJob shows."""
        return dict(self.operate("DescribeJob", jobId=job_id)["job"])

    def presign(self, presign: Presign) -> None:
        """Have placeholders in documents replaced."""
        self._jobs.presign = presign

    def taken(self) -> list[tuple[str, dict[str, Any]]]:
        """What has been published since this was asked last."""
        heard, self.heard = self.heard, []
        return heard

    def _new_id(self) -> str:
        return f"id-{next(self._ids)}"

    def _publish(self, outcome: Outcome) -> None:
        for topic, payload in self._device_api.publications(outcome):
            self._hear(topic, payload)

    def _hear(self, topic: str, payload: bytes) -> None:
        self.heard.append((_below(topic), json.loads(payload)))


def _below(topic: str) -> str:
    levels = topic.split("/", 4)
    return levels[4] if levels[:2] == ["$aws", "things"] else topic


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
