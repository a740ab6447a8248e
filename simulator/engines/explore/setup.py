"""All that does not change of one world: what a schedule's `world:` says, and the command line."""

from functools import cached_property
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import ConfigDict, Field, model_validator

from agent.abilities import Abilities, Layout
from agent.core import DevicePolicy
from agent.recovery import PointOfNoReturn
from agent.values import JobDocument
from simulator.cloud.jobs.settings import JobsSettings, WhileDeleting
from simulator.engines.explore.budgets import PLACES, Budgets
from simulator.engines.explore.choice import KINDS, Kind
from simulator.scenario.parts import Name, Part

FW: Final = "fw"
AGAIN: Final = "fw again"
NEXT_JOB: Final = "fw-next"
OTHER: Final = "others"
OTHER_NAMESPACE: Final = "elsewhere"
VERSIONS: Final = {FW: "2.0", AGAIN: "2.1", NEXT_JOB: "2.2", OTHER: "2.0"}
RECORDS_GO_AFTER: Final = 0.25
GONE_AFTER: Final = 0.5
"""Seconds from a deletion's beginning; within one second, since the wire tells no less."""


class Seat(NamedTuple):
    """Where one device sits: its name, its thing, of which there may be others, and the namespace that it works in."""

    name: str
    thing: str
    namespace: str | None


class _Policy(DevicePolicy):
    """A setup has one or two, and every state of a device has it: so its hash costs nothing."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(self.namespace_id)


class _Settings(JobsSettings):
    """A setup has one, and every state of the service has it."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 0


Times = Annotated[int, Field(ge=0, le=9, strict=True)]
"""How often; `true` is no number here."""


class Bounds(Part):
    """How often each may happen. Within them a search is complete."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True)

    delete: Times = 0
    """DeleteJob of `fw`, with force."""
    create_again: Times = 0
    """The id `fw` used once more, when it is free (see `Setup.again`)."""
    power_cut: Times = 0
    """At any instant: between two sectors, and between any two effects of one step of the agent."""
    disconnect: Times = 0
    """What was sent may or may not arrive, what was to be received is gone."""
    lose_request: Times = 0
    """A request alone, as with QoS 0; with its connection, it is a disconnect."""
    lose_answer: Times = 0
    lose_hint: Times = 0
    duplicate: Times = 0
    """A message arrives twice."""
    delay: Times = 0
    """A message arrives after the next one on its way."""
    early: Times = 0
    """A timer runs out though what it is for may yet come."""
    fail: Times = 0
    """A step ends badly."""
    cancel: Times = 0
    """CancelJob of `fw`, with force."""
    delete_execution: Times = 0
    """DeleteJobExecution of `fw` on the device, with force."""
    other_namespace: Times = 0
    """A job in a namespace that is not the device's, which stands before its own for a while."""
    journal_fails: Times = 0
    """The journal cannot be written, for a while."""
    journal_back: Times = 0
    """The journal's newest record cannot be read when the device boots, and the one before counts."""
    journal_lost: Times = 0
    """The whole journal is gone when the device boots."""

    def allows(self, kind: Kind) -> bool:
        """Whether that may happen at all."""
        return self.budgets[PLACES[kind]] > 0

    @cached_property
    def budgets(self) -> Budgets:
        """All of it, as nothing has been spent."""
        return tuple(getattr(self, kind.replace("-", "_")) for kind in KINDS)

    def __copy__(self) -> Self:
        """Without what is remembered: a copy may be given other numbers."""
        copied = super().__copy__()
        copied.__dict__.pop("budgets", None)
        return copied


STANDARD: Final = Bounds(delete=1, create_again=1, power_cut=1, disconnect=1, lose_answer=1, duplicate=1)
"""What a search begins with that is not told otherwise."""


class Setup(Part):
    """One device of a `model`, one job `fw` for it, and what may befall the two.

    Its firmware is 2.0, with `flaw`; or it `asks` for something else: a new configuration, a program (one that does
    its work, or one that starts the agent again), a reboot. `again`: what the id is used for once more. `next`:
    another job, made at any time after `fw`. `same_second`: the id may be used again within the second in
    which it was queued first, so that nothing on the wire tells the two apart. `sectors`: an image's 16 sectors are
    worked on in so many groups, between two of which anything may happen.
    """

    model: Name = "reference"
    layout: Layout = "ab"
    namespace: Name | None = None
    hears: Literal["its-namespace", "everything"] = "its-namespace"
    policy: PointOfNoReturn = "revert-until-commit"
    reports: Literal["progress", "steps", "end"] = "steps"
    leap_when_unreachable: Literal["give-up", "proceed"] = "give-up"
    sectors: Literal[1, 2, 4, 8, 16] = 1
    asks: Literal["firmware", "configuration", "program", "restart", "reboot"] = "firmware"
    flaw: Literal["hash", "signature", "boot", "self-test"] | None = None
    again: Literal["same document", "other document"] = "same document"
    next: bool = False
    same_second: bool = False
    while_deleting: WhileDeleting = "gone"
    records_go: Literal["at once", "later"] = "later"
    """At the deletion's beginning, or a moment after it."""
    head_across_namespaces: bool = True
    devices: Literal["one", "two things", "two namespaces"] = "one"
    """With two namespaces of one thing, the second agent's is `elsewhere`, and `fw` is not for it."""
    bounds: Bounds = STANDARD

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.namespace == OTHER_NAMESPACE:
            raise ValueError(f"namespace: {OTHER_NAMESPACE} is that of the others' job; take another")
        return self

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Who plays, in the order of their sides."""
        one = Seat("dev-1", "dev-1", self.namespace)
        match self.devices:
            case "one":
                return (one,)
            case "two things":
                return one, Seat("dev-2", "dev-2", self.namespace)
            case "two namespaces":
                return one, Seat(f"dev-1@{OTHER_NAMESPACE}", "dev-1", OTHER_NAMESPACE)

    @property
    def things(self) -> tuple[str, ...]:
        """The things that `fw` is for."""
        return tuple(dict.fromkeys(seat.thing for seat in self.seats))

    def device_policy(self, seat: Seat) -> DevicePolicy:
        """A device's numbers and choices. Waits do not grow: how long one is, is not in this world."""
        return _Policy(
            namespace_id=seat.namespace,
            reports=self.reports,
            retry_growth=1.0,
            retry_ceiling=DevicePolicy().retry_first,
            leap_when_unreachable=self.leap_when_unreachable,
            point_of_no_return=self.policy,
            abilities=Abilities(self.layout),
        )

    @property
    def jobs_settings(self) -> JobsSettings:
        """The service's."""
        return _Settings(
            deletion_seconds=GONE_AFTER,
            deletion_seconds_per_execution=0.0,
            removal_delay_seconds=RECORDS_GO_AFTER if self.records_go == "later" else 0.0,
            while_deleting=self.while_deleting,
            head_across_namespaces=self.head_across_namespaces,
            requests_per_second=None,
        )

    def document(self, job_id: str, *, again: bool = False) -> JobDocument:
        """What a job asks for."""
        if job_id == OTHER and self.devices != "two namespaces":
            return JobDocument.of({"operation": "reboot"})
        if self.asks != "firmware":
            return JobDocument.of(_other_document(self.asks, again=again and self.again != "same document"))
        version = VERSIONS[AGAIN if job_id == FW and again and self.again != "same document" else job_id]
        image = {"image": {"flaw": self.flaw}} if self.flaw and version == VERSIONS[FW] else {}
        document: dict[str, Any] = {"operation": "update", "version": version} | image
        return JobDocument.of(document)


def _other_document(asks: str, *, again: bool) -> dict[str, Any]:
    """What is no firmware; another one if `again`."""
    which = "again" if again else "once"
    match asks:
        case "configuration":
            return {"operation": "configure", "to": "/etc/pump.conf", "content": which}
        case "reboot":
            return {"operation": "reboot", "which": which}
        case _:
            restarts = {"restarts": "agent"} if asks == "restart" else {}
            return {"operation": "run", "command": ["pump", which], **restarts}
