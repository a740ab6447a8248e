"""A scenario: which devices, which jobs, which deletions, and what is expected.

Scenarios are YAML files, parsed once into these models; nothing downstream checks them again. The ones that ship
are in `simulator/scenarios/`. A wrong key or value is an InputError that names file, line, key and the choices.
"""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.errors import InputError
from agent.plan import Layout
from agent.recovery import PointOfNoReturn
from simulator.cloud.settings import Fault, PlayedService

Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
LEAST_QUOTA: Final = 20
"""Requests a second that a handful of devices needs for anything to go on at all."""
StepName: TypeAlias = Literal[
    "download", "write", "switch", "reboot", "self-test", "commit", "stage", "validate", "swap", "restart", "run"
]
PlaceName: TypeAlias = Literal[
    "deleted-before-start",
    "deleted-in-step",
    "deleted-before-leap",
    "deleted-after-leap",
    "deleted-after-report-left",
    "deleted-while-offline",
    "deleted-while-rebooting",
    "deleted-while-powerless",
    "deleted-beside-another",
    "deletion-refused",
    "cancelled-in-step",
    "recovered",
    "reused-id",
    "stale-update-after-recreation",
    "power-lost-in",
    "power-lost-before-publishing",
    "throttled-while-suspect",
    "told-stale",
    "told-too-early",
    "answer-lost",
    "delivered-twice",
    "announced-after-deletion",
    "heard",
    "heard-absence",
    "never-heard",
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(_Model):
    """Devices that are alike. Things are dealt to the groups in turn: the first to the first group, and so on."""

    group: Name
    namespace: Name | None = None
    hears: Literal["its-namespace", "everything"] = "its-namespace"
    """What it subscribes to: `everything` brings it the notifications of other namespaces too."""
    model: Name = "reference"
    """One of `simulator.devices.models`."""
    layout: Layout = "ab"
    """How the flash is laid out, and so where the point of no return is: see `simulator.devices.hardware`."""
    policy: PointOfNoReturn = "revert-until-commit"
    reports: Literal["progress", "steps", "end"] = "progress"
    """What the agent reports beside the end: progress within steps too, each step, or nothing more."""
    leap_when_unreachable: Literal["give-up", "proceed"] = "give-up"
    """What becomes of work at the point of no return if nobody has answered for `leap_deadline_seconds`."""
    leap_deadline_seconds: Seconds = 60
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


class Timings(_Model):
    """How long each step takes on the simulated hardware, in seconds; `boot` is between a reboot and the agent."""

    download: Seconds = 0.15
    write: Seconds = 0.2
    switch: Seconds = 0.02
    reboot: Seconds = 0.02
    boot: Seconds = 0.1
    self_test: Seconds = 0.1
    commit: Seconds = 0.02
    other: Seconds = 0.1
    undo: Seconds = 0.05

    def seconds(self, action: str) -> float:
        """How long an action takes."""
        name = action.replace("-", "_")
        seconds: float = getattr(self, name) if name in Timings.model_fields else self.other
        return seconds


class PowerCut(_Model):
    """The power goes once on each device of `groups` (empty: on all), and comes back after `off_seconds`.

    Exactly one of: when `step` is at `progress` percent (0: as it begins); at the first `instant` of that name (or the
    `occurrence`-th), such as "write 7/32", "undo write", "journal sync" or "journal synced", since the step `after`, if
    that is named, was at work; at the `nth` instant since the device was first powered on.
    """

    step: StepName | None = None
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    instant: str | None = None
    occurrence: Annotated[int, Field(ge=1)] = 1
    after: StepName | None = None
    nth: Annotated[int, Field(ge=1)] | None = None
    off_seconds: Seconds = 0.2
    groups: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(choice is not None for choice in (self.step, self.instant, self.nth)) != 1:
            raise ValueError("name exactly one of step, instant, nth")
        if (self.after is not None or self.occurrence > 1) and self.instant is None:
            raise ValueError("after, occurrence: say which instant")
        return self

    def applies(self, name: str, number: int, step: str, percent: int, last_step: str) -> bool:
        """Whether the power goes at this instant; `last_step` is the one that was at work last."""
        if self.step is not None:
            return step == self.step and percent >= self.progress
        if self.nth is not None:
            return number >= self.nth
        return name == self.instant and self.after in (None, last_step)


class Outage(_Model):
    """The network of each device of `groups` (empty: of all) goes once, when `step` is at `progress` percent."""

    step: StepName
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    seconds: Seconds = 0.5
    groups: tuple[Name, ...] = ()


class After(_Model):
    """When a job is created that waits for another: exactly one of these.

    `deletion_of`: once the deletion of that job was accepted, or, with `until: gone`, once that job is gone;
    `taken`: once every device that this one targets, too, is IN_PROGRESS on that job, or beyond.
    """

    deletion_of: Name | None = None
    until: Literal["accepted", "gone"] = "accepted"
    taken: Name | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.deletion_of is None) == (self.taken is None):
            raise ValueError("name exactly one of deletion_of, taken")
        return self


Owner: TypeAlias = Literal["customer", "greengrass"]
"""Whose hand makes and deletes a job: ours, or that of an AWS service, which owns the namespaces `aws-…`."""


class JobSpec(_Model):
    """A job to create. Without `after`, it is created when every device is connected and listens.

    `version` makes it a firmware update, of an image with these properties (`flaw`, `counter`: see
    `simulator.devices.hardware`); `document` is anything else.
    """

    id: Name
    to: Annotated[tuple[Name, ...], Field(min_length=1)]
    namespace: Name | None = None
    version: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    image: dict[str, str] = {}
    document: dict[str, Any] | None = None
    by: Owner = "customer"
    """greengrass: as Greengrass makes and deletes its deployments, by its own hand; on the local cloud only."""
    after: After | None = None

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
        image = {"image": self.image} if self.image else {}
        return {"operation": "update", "version": self.version, **image}


class When(_Model):
    """The instant of a deletion: exactly one of a step, a status, or a time after the job's creation.

    `step` with `progress` (percent; 0: it begins, 100: it is done): when the hardware is there, or, if that is not ours
    to see, when that is reported in statusDetails; `status`: when an execution of the job has it. `devices` says how
    many must have got there: all of the job's, or any one. It happens `later_seconds` after that.
    """

    step: StepName | None = None
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    status: Literal["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "CANCELED"] | None = None
    after_seconds: Seconds | None = None
    devices: Literal["all", "any"] = "all"
    later_seconds: Seconds = 0

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(choice is not None for choice in (self.step, self.status, self.after_seconds)) != 1:
            raise ValueError("name exactly one of step, status, after_seconds")
        return self


class Deletion(_Model):
    """Delete `job`, its execution on each thing, or cancel either, when `when` comes true.

    With `hold`, the simulated hardware waits at `when.step`/`when.progress` until the service has taken the
    deletion on, plus `hold_seconds`, so that every device is deleted at exactly that point of its work.
    """

    job: Name
    do: Literal["delete-job", "delete-execution", "cancel-job", "cancel-execution"] = "delete-job"
    when: When
    force: bool = True
    hold: bool = False
    hold_seconds: Seconds = 0

    @model_validator(mode="after")
    def _hold_needs_step(self) -> Self:
        if self.hold and self.when.step is None:
            raise ValueError("hold: needs when.step, the place to hold at")
        return self


class Intervention(_Model):
    """Another hand updates the executions of `job`: a technician's script that uses the device's own topics.

    It has a connection and a client id of its own (THING@technician), and sends an update with `status`, and no
    expectedVersion, when `when` comes true.
    """

    job: Name
    status: Literal["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"]
    when: When


class Bounds(_Model):
    """The numbers that the verdict judges by."""

    detection_seconds: Seconds = 2
    ready_seconds: Seconds = 10
    lost_job_seconds: Seconds = 10
    uninterruptible_seconds: Seconds = 0
    """The longest step that cannot be stopped; added to ready_seconds."""
    retry_gap_seconds: Seconds = 0.2
    """No request that was refused for a passing reason, or got no answer, may be repeated sooner."""
    retry_growth: Annotated[float, Field(ge=1, le=10)] = 1.2
    """By what factor a third and later attempt must wait longer than the one before, up to retry_gap_ceiling."""
    retry_gap_ceiling_seconds: Seconds = 10
    silence_seconds: Seconds = 60
    """A connected device that sends nothing for longer is not alive (keep-alives are seen as lost connections)."""
    restarts: Annotated[int, Field(ge=1)] = 10
    """Nor is one that restarts itself more often without taking an execution or being done with one in between.

    A trial that falls back takes three restarts, with a watchdog five.
    """


class Place(_Model):
    """A dangerous place that the run must reach, on every device that `job` targets (or on at least one).

    When the record of an execution of `job` was removed, the device
    deleted-before-start: had not begun it: the record was QUEUED to the last;
    deleted-in-step: was between the start and the end of `step`;
    deleted-before-leap: had asked whether it may pass the point of no return, and not been answered;
    deleted-after-leap: had begun an irreversible step, and not reported the end;
    deleted-after-report-left: had sent its last report, whether that had arrived or not;
    deleted-while-offline: was not connected;
    deleted-while-rebooting: had begun a reboot, and was not up again;
    deleted-while-powerless: had no power;
    deleted-beside-another: had another execution in progress.

    deletion-refused: the service refused to delete `job` for the time being;
    cancelled-in-step: an execution of `job` was CANCELED between the start and the end of `step`;
    recovered: the device went IN_PROGRESS on another execution after `job` was removed;
    reused-id: it went IN_PROGRESS on a later incarnation of `job`;
    stale-update-after-recreation: an update meant for an earlier incarnation of `job` arrived once a later was queued;
    power-lost-in: the power went, with `job` in hand or just left, in `step`, or at `instant`;
    power-lost-before-publishing: it went between the journal's record of the report's being due, and the report;
    throttled-while-suspect: a question about `job` was throttled after a notification had left it out;
    told-stale: the device was told that `job` is still there, after it was removed;
    told-too-early: it asked for work, and was told of none, although `job` was queued;
    answer-lost: the service answered a request about `job`, and the device never got to know;
    delivered-twice: one and the same update for `job` arrived twice;
    announced-after-deletion: a notification named `job` although the device had been told that it is gone;
    heard, never-heard: a notification of kind `hint` named `job`, or none did although the device was connected;
    heard-absence: a notification of kind `hint` left `job` out, after the device had heard of it or had taken it.
    """

    place: PlaceName
    job: Name
    step: StepName | None = None
    instant: str | None = None
    hint: Literal["notify", "notify-next"] | None = None
    devices: Literal["all", "any"] = "all"
    groups: tuple[Name, ...] = ()
    """Which groups must reach it; empty: all that the (first) job of this id targets."""
    models: tuple[str, ...] = ()
    """Which device models must reach it, where others may never get there; empty: all."""

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.hint is None) == (self.place in ("heard", "heard-absence", "never-heard")):
            raise ValueError("hint: needed where something is heard, or not, and only there")
        return self


class Scenario(_Model):
    """All of it. `time_limit_seconds` ends a run that hangs; `play_with` is how many devices it is made for."""

    name: Name
    about: str = ""
    devices: Annotated[tuple[Group, ...], Field(min_length=1)]
    jobs: Annotated[tuple[JobSpec, ...], Field(min_length=1)]
    deletions: tuple[Deletion, ...] = ()
    updates: tuple[Intervention, ...] = ()
    power_cuts: tuple[PowerCut, ...] = ()
    outages: tuple[Outage, ...] = ()
    faults: tuple[Fault, ...] = ()
    must_reach: tuple[Place, ...] = ()
    hardware: Timings = Timings()
    cloud: PlayedService = PlayedService()
    bounds: Bounds = Bounds()
    time_limit_seconds: Seconds = 120
    play_with: Annotated[int, Field(ge=1, le=100_000)] = 10

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        groups = {group.group: group for group in self.groups}
        if len(groups) < len(self.groups):
            raise ValueError("devices: every group has a name of its own")
        first_jobs = {job.id for job in self.jobs if job.after is None or job.after.taken}
        ids = {job.id for job in self.jobs}
        for index, job in enumerate(self.jobs):
            for name in job.to:
                if name not in groups:
                    raise ValueError(f"jobs.{index}.to: no group '{name}'; there are {', '.join(groups)}")
                if groups[name].namespace != job.namespace:
                    raise ValueError(f"jobs.{index}.to: group '{name}' listens in another namespace than the job")
            for key in ("deletion_of", "taken"):
                if (other := getattr(job.after, key, None)) is not None and other not in ids:
                    raise ValueError(f"jobs.{index}.after.{key}: no job '{other}'")
        for index, deletion in enumerate(self.deletions):
            if deletion.job not in first_jobs:
                known = ", ".join(sorted(first_jobs))
                raise ValueError(f"deletions.{index}.job: no job '{deletion.job}' made at the start; there are {known}")
            if deletion.do == "delete-execution" and any(
                job.by != "customer" for job in self.jobs if job.id == deletion.job
            ):
                raise ValueError(f"deletions.{index}.do: Greengrass deletes its jobs whole")
        for index, update in enumerate(self.updates):
            if update.job not in first_jobs:
                raise ValueError(f"updates.{index}.job: no job '{update.job}' made at the start")
        for index, place in enumerate(self.must_reach):
            if place.job not in ids:
                raise ValueError(f"must_reach.{index}.job: no job '{place.job}'; there are {', '.join(sorted(ids))}")
            if unknown := [name for name in place.groups if name not in groups]:
                raise ValueError(f"must_reach.{index}.groups: no group '{unknown[0]}'; there are {', '.join(groups)}")
        return self

    def cast(self, model: str) -> Self:
        """The same with every device that is ours played by another model."""

        def recast(group: Group) -> Group:
            beside = tuple(recast(other) for other in group.beside)
            ours = {"model": model} if group.model == "reference" else {}
            return group.model_copy(update={"beside": beside, **ours})

        return self.model_copy(update={"devices": tuple(recast(group) for group in self.devices)})

    def with_fewer(self, devices: int) -> Self:
        """The same for fewer devices than it is made for: the account's quota is less, too, about in proportion."""
        quota = self.cloud.requests_per_second
        if quota is None or devices >= self.play_with:
            return self
        cloud = self.cloud.model_copy(
            update={"requests_per_second": max(LEAST_QUOTA, quota * devices // self.play_with)}
        )
        return self.model_copy(update={"cloud": cloud})

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, those beside others after them."""
        return tuple(one for group in self.devices for one in (group, *group.beside))

    def deal(self, things: int) -> tuple[Group, ...]:
        """The group of each of `things` devices, dealt in turn."""
        return tuple(self.devices[index % len(self.devices)] for index in range(things))


def agents(thing: str, group: Group) -> tuple[tuple[str, Group], ...]:
    """Who lives on a thing of that group, by name: the thing's for the first, THING@NAMESPACE for those beside it."""
    beside = ((f"{thing}@{other.namespace or 'default'}", other) for other in group.beside)
    return ((thing, group), *beside)


def thing_of_agent(name: str) -> str:
    """The thing that an agent of that name lives on."""
    return name.partition("@")[0]


def thing_names(count: int, prefix: str = "thing-") -> tuple[str, ...]:
    """Names of equal length, so that they sort as they count."""
    width = len(str(max(count - 1, 0)))
    return tuple(f"{prefix}{index:0{width}}" for index in range(count))


def shipped() -> tuple[str, ...]:
    """The names of the scenarios that come with ghostjob."""
    names = (entry.name for entry in files("simulator.scenarios").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def load(name_or_path: str) -> Scenario:
    """The scenario of that shipped name, or in that file. Raises InputError in one line."""
    if name_or_path in shipped():
        return parse((files("simulator.scenarios") / f"{name_or_path}.yaml").read_text("utf-8"), name_or_path)
    path = Path(name_or_path)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file, and no shipped scenario of that name; shipped: {', '.join(shipped())}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"{path}: cannot read the scenario: {reason}") from None
    return parse(text, str(path))


def parse(text: str, where: str = "scenario") -> Scenario:
    """The scenario in YAML `text`. Raises InputError with `where`, the line and the key."""
    try:
        tree = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise InputError(f"{where}{line}: cannot read the YAML: {problem}") from None
    if not isinstance(data, dict):
        raise InputError(f"{where}: a scenario is a YAML mapping with at least name, devices and jobs")
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise InputError(_explain(error, tree, where)) from None


def _explain(error: ValidationError, tree: yaml.Node | None, where: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    path: tuple[int | str, ...] = first["loc"]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error" and not path and (named := message.split(": ", 1))[0].replace(".", "").strip():
        # Our own checks of the whole name the place at the front of their message.
        path = tuple(int(part) if part.isdigit() else part for part in named[0].split("."))
        message = named[-1]
    if first["type"] == "extra_forbidden":
        choices = ", ".join(_keys_at(path[:-1]))
        message = f"unknown key; the keys here are {choices}"
    dotted = ".".join(str(part) for part in path)
    return f"{where}:{_line(tree, path)}: {dotted}: {message}"


def _line(tree: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line of the deepest node on `path` that exists."""
    line, node = 1, tree
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _keys_at(path: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that the model at `path` knows, read from the JSON Schema."""
    schema: dict[str, Any] = Scenario.model_json_schema()
    definitions, here = schema.get("$defs", {}), schema
    for part in path:
        here = here["items"] if isinstance(part, int) else here["properties"][part]
        here = next((choice for choice in here.get("anyOf", [here]) if choice.get("type") != "null"), here)
        if "$ref" in here:
            here = definitions[here["$ref"].rsplit("/", 1)[-1]]
    return tuple(here.get("properties", {}))
