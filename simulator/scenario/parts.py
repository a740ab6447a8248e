"""What a scenario is made of: groups of devices, jobs, deletions, faults of power and network, and bounds."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator

from agent.abilities import Layout
from agent.recovery import PointOfNoReturn
from simulator.verdict.bounds import Seconds

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
StepName: TypeAlias = Literal[
    "download", "write", "switch", "reboot", "self-test", "commit", "stage", "validate", "swap", "restart", "run"
]
OtherStep: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]
"""A step of ours, or one that is among the scenario's `steps`."""
Document: TypeAlias = Annotated[dict[str, JsonValue], WithJsonSchema({"type": "object", "additionalProperties": True})]
"""Any mapping that JSON can say."""


class Part(BaseModel):
    """A part of a scenario: a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(Part):
    """Devices that are alike. Things are dealt to the groups in turn: the first to the first group, and so on."""

    group: Name
    """What jobs and faults call it."""
    namespace: Name | None = None
    """The namespace whose jobs it works on; none: the default one."""
    hears: Literal["its-namespace", "everything"] = "its-namespace"
    """What it subscribes to: `everything` brings it the notifications of other namespaces too."""
    model: Name = "reference"
    """How it behaves: `ghostjob run --models` has the names; `reference` is our own agent."""
    layout: Layout = "ab"
    """How the flash is laid out, and so where the point of no return is: `ghostjob explain devices`."""
    policy: PointOfNoReturn = "revert-until-commit"
    """What becomes of an update whose job is gone once the boot selector has been switched: back, or forward."""
    reports: Literal["progress", "steps", "end"] = "progress"
    """What the agent reports beside the end: progress within steps too, each step, or nothing more."""
    leap_when_unreachable: Literal["give-up", "proceed"] = "give-up"
    """What becomes of work at the point of no return if nobody has answered for `leap_deadline_seconds`."""
    leap_deadline_seconds: Seconds = 60
    """So long it asks before it does that."""
    beside: "tuple[Group, ...]" = ()
    """Other agents on the same thing, each in a namespace of its own, with its own connection and its own hardware."""

    @model_validator(mode="after")
    def _one_a_namespace(self) -> Self:
        namespaces = [self.namespace, *(other.namespace for other in self.beside)]
        if len(set(namespaces)) < len(namespaces):
            raise ValueError("beside: agents on one thing listen in different namespaces")
        if any(other.beside for other in self.beside):
            raise ValueError("beside: name all who share the thing in one place")
        return self


class Timings(Part):
    """How long each step takes on the simulated hardware, in seconds; `boot` is between a reboot and the agent."""

    download: Seconds = 0.15
    """Fetching the image."""
    write: Seconds = 0.2
    """Writing it, all sectors together."""
    switch: Seconds = 0.02
    """Telling the bootloader to try it."""
    reboot: Seconds = 0.02
    """Until the machine is down."""
    boot: Seconds = 0.1
    """From then on until the agent runs again."""
    self_test: Seconds = 0.1
    """The new firmware's test of itself."""
    commit: Seconds = 0.02
    """Making it stay."""
    other: Seconds = 0.1
    """Every other step."""
    undo: Seconds = 0.05
    """Taking one step back."""

    def seconds(self, action: str) -> float:
        """How long an action takes."""
        name = action.replace("-", "_")
        seconds: float = getattr(self, name) if name in Timings.model_fields else self.other
        return seconds


class PowerCut(Part):
    """The power goes once on each device of `groups` (empty: on all), and comes back after `off_seconds`.

    Exactly one of: when `step` is at `progress` percent (0: as it begins); at the first `instant` of that name (or the
    `occurrence`-th), such as "write 7/32", "undo write", "journal sync" or "journal synced", since the step `after`, if
    that is named, was at work; at the `nth` instant since the device was first powered on; when the `fault` of that
    name strikes one of its messages. Devices that are not ours have none of the instants, and are at the step that
    they report.
    """

    step: StepName | OtherStep | None = None
    """The step in which it goes."""
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    """Percent of that step."""
    fault: Name | None = None
    """The name of the fault with which it goes."""
    instant: str | None = None
    """The name of the instant at which it goes."""
    occurrence: Annotated[int, Field(ge=1)] = 1
    """At which one of that name."""
    after: StepName | None = None
    """Counted since this step was at work."""
    nth: Annotated[int, Field(ge=1)] | None = None
    """The number of the instant at which it goes, whatever its name."""
    off_seconds: Seconds = 0.2
    """How long it stays away."""
    groups: tuple[Name, ...] = ()
    """Of which devices; empty: of all."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(choice is not None for choice in (self.step, self.instant, self.nth, self.fault)) != 1:
            raise ValueError("name exactly one of step, instant, nth, fault")
        if (self.after is not None or self.occurrence > 1) and self.instant is None:
            raise ValueError("after, occurrence: say which instant")
        return self

    def applies(self, name: str, number: int, step: str, percent: int, last_step: str) -> bool:
        """Whether the power goes at this instant; `last_step` is the one that was at work last."""
        if self.step is not None:
            return step == self.step and percent >= self.progress
        if self.nth is not None:
            return number >= self.nth
        return self.instant is not None and name == self.instant and self.after in (None, last_step)


class Outage(Part):
    """The network of each device of `groups` (empty: of all) goes once, when `step` is at `progress` percent."""

    step: StepName
    """The step in which it goes."""
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    """Percent of that step."""
    seconds: Seconds = 0.5
    """How long it stays away."""
    groups: tuple[Name, ...] = ()
    """Of which devices; empty: of all."""


class After(Part):
    """When a job is created that waits for another: exactly one of these.

    `deletion_of`: once the deletion of that job was accepted, or, with `until: gone`, once that job is gone;
    `taken`: once every device that this one targets, too, is IN_PROGRESS on that job, or beyond; `fault`: once the
    fault of that name has struck a message of every device that it targets.
    """

    deletion_of: Name | None = None
    """The job whose deletion it waits for."""
    until: Literal["accepted", "gone"] = "accepted"
    """How far that deletion must have come."""
    taken: Name | None = None
    """The job on which its devices must be at work."""
    fault: Name | None = None
    """The name of the fault that must have struck."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(choice is not None for choice in (self.deletion_of, self.taken, self.fault)) != 1:
            raise ValueError("name exactly one of deletion_of, taken, fault")
        return self


Owner: TypeAlias = Literal["customer", "greengrass"]
"""Whose hand makes and deletes a job: ours, or that of an AWS service, which owns the namespaces `aws-…`."""


class ImageProperties(Part):
    """What the devices' flash finds in an image."""

    flaw: Literal["hash", "signature", "boot", "self-test"] | None = None
    """What is wrong with it: its digest, its signature, it does not boot, or it fails its self-test."""
    counter: Annotated[int, Field(ge=0)] | None = None
    """Compared with the device's anti-rollback counter."""


class JobSpec(Part):
    """A job to create. Without `after`, it is created when every device is connected and listens.

    `version` makes it a firmware update, of such an `image`; `document` is anything else.
    """

    id: Name
    """Its job id; it may be used again for a job that comes `after` the first is deleted."""
    to: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The groups that it is for."""
    namespace: Name | None = None
    """Its namespace, in which those groups listen; none: the default one."""
    version: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """The firmware that it brings."""
    image: ImageProperties = ImageProperties()
    """What is special about that firmware."""
    document: Document | None = None
    """The whole job document, for any other job."""
    rollout_per_minute: Annotated[int, Field(ge=1, le=1000)] | None = None
    """So many devices get it a minute, one after the other; none: all at once."""
    by: Owner = "customer"
    """greengrass: as Greengrass makes and deletes its deployments, by its own hand; on the local cloud only."""
    after: After | None = None
    """What it waits for; none: for all devices to be connected."""
    provokes: bool = False
    """It is nobody's to take, in a namespace in which its groups' devices do not listen, and must change nothing.

    Nobody waits for it to be done. It is removed once all other jobs are over, and also if the run is cut short.
    """

    @model_validator(mode="after")
    def _owns_its_namespace(self) -> Self:
        if (self.namespace or "").startswith("aws-") != (self.by == "greengrass"):
            raise ValueError("by: namespaces that begin with aws- are Greengrass's, and all others are ours")
        return self

    @model_validator(mode="after")
    def _one_document(self) -> Self:
        if (self.version is None) == (self.document is None):
            raise ValueError("name exactly one of version, document")
        return self

    def job_document(self) -> dict[str, Any]:
        """The job document."""
        if self.document is not None:
            return self.document
        image = {key: str(value) for key, value in self.image.model_dump(exclude_none=True).items()}
        return {"operation": "update", "version": self.version, **({"image": image} if image else {})}


class Instant(Part):
    """When a deletion is due: exactly one of a step, a status, a fault, or a time after the job's creation.

    `step` with `progress` (percent; 0: it begins, 100: it is done): when the hardware is there, or, if that is not ours
    to see, when that is reported in statusDetails; `status`: when an execution of the job has it; `fault`: when the
    fault of that name has struck a message of the device, whatever that was about. `devices` says how many must have
    got there: all of the job's, or any one. It happens `later_seconds` after that.
    """

    step: str | None = None
    """As the devices call it."""
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    """Percent of that step."""
    status: Literal["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "CANCELED"] | None = None
    """The status that executions must have."""
    after_seconds: Seconds | None = None
    """How old the job must be."""
    fault: Name | None = None
    """The name of the fault that must have struck."""
    devices: Literal["all", "any"] = "all"
    """How many must have got there."""
    later_seconds: Seconds = 0
    """How long after that it happens."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(choice is not None for choice in (self.step, self.status, self.after_seconds, self.fault)) != 1:
            raise ValueError("name exactly one of step, status, after_seconds, fault")
        return self


class When(Instant):
    """The instant of a deletion in a scenario: its devices' steps have the names that ours have, or its `steps`."""

    step: StepName | OtherStep | None = None
    """The step that devices must have reached."""


class Deletion(Part):
    """Delete `job`, its execution on each thing, or cancel either, when `when` comes true.

    With `hold`, the simulated hardware waits at `when.step`/`when.progress` until the service has removed that very
    device's execution, or cancelled it, plus `hold_seconds`, so that every device is deleted at exactly that point of
    its work. If the service refuses for good, it waits for `hold_seconds` from then on.
    """

    job: Name
    """The id of a job that is made at the start."""
    do: Literal["delete-job", "delete-execution", "cancel-job", "cancel-execution"] = "delete-job"
    """What is asked of the service."""
    when: When
    """The instant."""
    force: bool = True
    """With AWS's `force`, without which a job that is IN_PROGRESS is not deleted."""
    hold: bool = False
    """Whether devices wait at that step until it has happened to them."""
    hold_seconds: Seconds = 0
    """How much longer."""

    @model_validator(mode="after")
    def _hold_needs_step(self) -> Self:
        if self.hold and self.when.step is None:
            raise ValueError("hold: needs when.step, the place to hold at")
        return self


class Intervention(Part):
    """Another hand updates the executions of `job`: a technician's script that uses the device's own topics.

    It has a connection and a client id of its own (THING@technician), and sends an update with `status`, and no
    expectedVersion, when `when` comes true.
    """

    job: Name
    """The id of a job that is made at the start."""
    status: Literal["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"]
    """What it reports."""
    when: When
    """The instant, as of a deletion."""
