"""What a scenario may ask of the local service and of the network before it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from simulator.cloud.jobs import JobsSettings

Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
MessageKind: TypeAlias = Literal[
    "notify",
    "notify-next",
    "notify-documented",
    "get-pending",
    "start-next",
    "describe",
    "update",
    "get-pending-answer",
    "start-next-answer",
    "describe-answer",
    "update-answer",
]
"""What passes between a device and the service: hints, requests, and answers to them."""


class Frozen(BaseModel):
    """No other keys than its own, and none that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Deed: TypeAlias = Literal["lose", "duplicate", "delay", "throttle", "fail", "hold", "cut"]
Until: TypeAlias = Literal["deletion-began", "removed", "ended", "gone"]
USUAL_SECONDS: Final[Mapping[Deed, float]] = {"delay": 0.3, "hold": 30.0, "cut": 0.5}
REQUESTS: Final = ("get-pending", "start-next", "describe", "update")


class Fault(Frozen):
    """What the network, or the service, does to messages of these kinds.

    lose: they do not arrive; duplicate: they arrive twice; delay: they arrive `seconds` later, and so after others;
    throttle, fail: the service answers RequestThrottled or InternalError (requests only); hold: they wait on their way
    `until` that has befallen `job`, or the job that they name, and those of that kind that come later wait behind them,
    in order; cut: they are lost, all connections of their thing end without a word, and it gets none for `seconds`.

    `job` limits it to messages about that job (a hold: of those that name one), `status` and `step` to updates that
    report these and to answers to them, `after_queueing_of` to what comes once that thing has been given an execution
    of that job, `after_deletion_of` to what comes after its deletion, or that of this execution, began. Of these,
    `first` takes the first so many of each device, `nth` one, and `rate` that part of them, by chance. Faults look at a
    message in their order: one that is lost, those after it do not see, nor another hold one that is held.
    """

    name: Name | None = None
    """What the trace, and other parts of a scenario, call it; each strike of one that has a name is traced."""
    do: Deed
    """What becomes of them."""
    messages: Annotated[tuple[MessageKind, ...], Field(min_length=1)]
    """Which kinds: hints, requests, and answers to them."""
    job: Name | None = None
    """Only those about this job; for a hold, also whose fate it waits for."""
    status: Literal["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"] | None = None
    """Only updates that report this, and answers to them."""
    step: str | None = None
    """Only updates that report this step, and answers to them."""
    step_key: Annotated[str, Field(min_length=1, max_length=128)] = "step"
    """The key of statusDetails under which devices report their steps."""
    after_queueing_of: Name | None = None
    """Only from when that thing was given an execution of that job."""
    after_deletion_of: Name | None = None
    """Only from when that job's deletion began, or its execution on that thing was removed or cancelled."""
    first: Annotated[int, Field(ge=1)] | None = None
    """Only the first so many of each device."""
    nth: Annotated[int, Field(ge=1)] | None = None
    """Only the one of that number, of each device."""
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Only this part of them, by chance."""
    seconds: Seconds | None = None
    """How late a delayed one arrives (0.3 where nothing is said), how long one is held at most (30), or how long the
    network stays away that was cut (0.5)."""
    until: Until | None = None
    """What lets go one that is held: the job's deletion began; its execution on that thing is removed (where nothing is
    said); that execution ended, cancelled for one; the job is gone. Requests that are throttled, or fail, are so only
    until then, of the job of `after_deletion_of`."""

    @property
    def lets_go(self) -> Until:
        """`until`, or what is usual."""
        return self.until or "removed"

    @property
    def lasts(self) -> float:
        """`seconds`, or what is usual."""
        return USUAL_SECONDS.get(self.do, 0.0) if self.seconds is None else self.seconds

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.first is not None and self.nth is not None:
            raise ValueError("first, nth: one of these")
        if self.do in ("throttle", "fail") and (wrong := [each for each in self.messages if each not in REQUESTS]):
            raise ValueError(f"messages: {self.do} is for requests, not for {wrong[0]}")
        if self.do != "hold" and self.until is not None:
            if self.do not in ("throttle", "fail"):
                raise ValueError(f"until: for hold, throttle and fail, not for {self.do}")
            if self.after_deletion_of is None:
                raise ValueError(f"until: {self.do} needs after_deletion_of, for which job that is")
        return self


def _in_pairs(given: Any) -> Any:
    """What maps patterns to seconds, as JSON has it, is a tuple of pairs in the core; their order counts."""
    if isinstance(given, dict) and isinstance(delays := given.get("removal_delays"), dict):
        return given | {"removal_delays": list(delays.items())}
    return given


def _within_a_day(settings: JobsSettings) -> JobsSettings:
    for pattern, seconds in settings.removal_delays:
        if not 0 <= seconds <= 86_400:
            raise ValueError(f"removal_delays: {pattern}: {seconds:g} is no number of seconds from 0 to 86400")
    return settings


class _AsJson:
    """How the same looks in the schema that editors read; `defaults` take the place of the model's."""

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self._defaults = defaults

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        delay = {"type": "number", "minimum": 0, "maximum": 86_400}
        properties = handler.resolve_ref_schema(schema)["properties"]
        properties["removal_delays"] = {"type": "object", "additionalProperties": delay, "default": {}}
        for name, default in self._defaults.items():
            properties[name]["default"] = default
        return schema


ServiceSettings: TypeAlias = Annotated[
    JobsSettings, _AsJson({}), BeforeValidator(_in_pairs), AfterValidator(_within_a_day)
]
"""The jobs core's settings, as they come in from outside."""

PLAYED: Final[Mapping[str, Any]] = {
    "deletion_seconds": 0.2,
    "deletion_seconds_per_execution": 0.0,
    "requests_per_second": None,
    "targets": None,
}
"""How the cloud of a scenario differs from one that stands alone, unless the scenario says otherwise.

It is quick, and without the quotas that speak of the account: how many devices play is for whoever plays, and each of
them is a target of its own.
"""
PlayedService: TypeAlias = Annotated[
    ServiceSettings,
    _AsJson(PLAYED),
    BeforeValidator(lambda given: {**PLAYED, **given} if isinstance(given, dict) else given),
]
"""The settings of a scenario's cloud; ignored where the cloud is not ours."""


def played() -> JobsSettings:
    """What a scenario has that says nothing of its cloud."""
    return JobsSettings(**PLAYED)
