"""Every topic of AWS IoT Jobs, built and parsed.

Sources: AWS IoT Developer Guide, "Reserved topics > Job topics"; for namespaces the forms that Greengrass
nucleus and Greengrass nucleus lite really use, which differ from the one that the API reference prints:

    $aws/things/T/jobs/get                            GetPending        (…/accepted, …/rejected answer every request)
    $aws/things/T/jobs/start-next                     StartNext
    $aws/things/T/jobs/J/get                          Describe, J may be $next
    $aws/things/T/jobs/J/update                       Update
    $aws/things/T/jobs/J/namespace-NS/get|update      the same in a namespace (observed in both Greengrass clients)
    $aws/things/T/jobs/namespace-NS/get|start-next    an assumption: no known client uses it; AWS may not have it
    $aws/things/T/jobs/notify[-next]                  notifications of the default namespace
    $aws/things/T/jobs/notify[-next]-namespace-NS     notifications of a namespace (observed)
    $aws/things/T/jobs/J/notify-namespace-NS/         documented by AWS, used by no known client

Topics are told apart by how many levels they have, not by name: a job may be called `get`. Of the two
readings of `jobs/namespace-NS/get`, namespaced GetPending wins over Describe of a job named `namespace-NS`.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from agent.values import NEXT, Describe, GetPending, Request, StartNext, Update

Verb: TypeAlias = Literal["get-pending", "start-next", "describe", "update"]
HintKind: TypeAlias = Literal["notify", "notify-next", "notify-documented"]


@dataclass(frozen=True, slots=True)
class RequestTopic:
    """Where a device asks; `job_id` is set for describe and update only."""

    thing: str
    verb: Verb
    namespace_id: str | None = None
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerTopic:
    """Where the service answers `request`."""

    request: RequestTopic
    accepted: bool


@dataclass(frozen=True, slots=True)
class HintTopic:
    """Where the service notifies; `job_id` is set for the documented per-job form only."""

    thing: str
    kind: HintKind
    namespace_id: str | None = None
    job_id: str | None = None


JobsTopic: TypeAlias = RequestTopic | AnswerTopic | HintTopic

_NAMESPACE = "namespace-"


def request_topic(thing: str, request: Request) -> str:
    """The topic to which a device publishes `request`."""
    prefix = f"$aws/things/{thing}/jobs/"
    job_level = "" if request.namespace_id is None else f"{_NAMESPACE}{request.namespace_id}/"
    match request:
        case GetPending():
            return f"{prefix}{job_level}get"
        case StartNext():
            return f"{prefix}{job_level}start-next"
        case Describe():
            return f"{prefix}{request.job_id}/{job_level}get"
        case Update():
            return f"{prefix}{request.job_id}/{job_level}update"
        case _:
            assert_never(request)


def hint_topic(hint: HintTopic) -> str:
    """The topic on which the service publishes a notification."""
    prefix = f"$aws/things/{hint.thing}/jobs/"
    suffix = "" if hint.namespace_id is None else f"-{_NAMESPACE}{hint.namespace_id}"
    if hint.kind == "notify-documented":
        return f"{prefix}{hint.job_id}/notify-namespace-{hint.namespace_id}/"
    return f"{prefix}{hint.kind}{suffix}"


def subscriptions(thing: str, namespace_id: str | None) -> tuple[str, ...]:
    """The filters that a device of this namespace subscribes to; five at most, of AWS's eight a SUBSCRIBE.

    Answers reach the asking connection unsubscribed; subscribing to them as well is what lets a persistent
    session queue an answer that finds the device gone.
    """
    prefix = f"$aws/things/{thing}/jobs/"
    if namespace_id is None:
        return (
            f"{prefix}notify",
            f"{prefix}notify-next",
            f"{prefix}start-next/+",
            f"{prefix}+/get/+",
            f"{prefix}+/update/+",
        )
    ns = f"{_NAMESPACE}{namespace_id}"
    return (
        f"{prefix}notify-{ns}",
        f"{prefix}notify-next-{ns}",
        f"{prefix}+/notify-{ns}/",
        f"{prefix}+/{ns}/get/+",
        f"{prefix}+/{ns}/update/+",
    )


def everything(thing: str) -> tuple[str, ...]:
    """The filter of a device that subscribes to all there is, and so hears of every namespace."""
    return (f"$aws/things/{thing}/jobs/#",)


def parse(topic: str) -> JobsTopic | None:
    """What a topic below `$aws/things/THING/jobs/` means; None if it is no topic of the Jobs API."""
    levels = topic.split("/")
    if len(levels) < 5 or levels[0] != "$aws" or levels[1] != "things" or levels[3] != "jobs" or not levels[2]:
        return None
    thing, rest = levels[2], levels[4:]
    if hint := _hint(thing, rest):
        return hint
    if rest[-1] in ("accepted", "rejected") and (request := _request(thing, rest[:-1])):
        return AnswerTopic(request, rest[-1] == "accepted")
    return _request(thing, rest)


def _hint(thing: str, rest: list[str]) -> HintTopic | None:
    match rest:
        case ["notify" | "notify-next" as kind]:
            return HintTopic(thing, "notify" if kind == "notify" else "notify-next")
        case [name] if name.startswith("notify-next-namespace-"):
            return HintTopic(thing, "notify-next", name.removeprefix("notify-next-namespace-"))
        case [name] if name.startswith("notify-namespace-"):
            return HintTopic(thing, "notify", name.removeprefix("notify-namespace-"))
        case [job_id, name, ""] if name.startswith("notify-namespace-"):
            return HintTopic(thing, "notify-documented", name.removeprefix("notify-namespace-"), job_id)
        case _:
            return None


def _request(thing: str, rest: list[str]) -> RequestTopic | None:
    match rest:
        case ["get"]:
            return RequestTopic(thing, "get-pending")
        case ["start-next"]:
            return RequestTopic(thing, "start-next")
        case [level, "get" | "start-next" as verb] if level.startswith(_NAMESPACE) and len(level) > len(_NAMESPACE):
            namespace_id = level.removeprefix(_NAMESPACE)
            return RequestTopic(thing, "get-pending" if verb == "get" else "start-next", namespace_id)
        case [job_id, "get"] if job_id:
            return RequestTopic(thing, "describe", None, job_id)
        case [job_id, "update"] if job_id and job_id != NEXT:
            return RequestTopic(thing, "update", None, job_id)
        case [job_id, level, "get"] if job_id and level.startswith(_NAMESPACE):
            return RequestTopic(thing, "describe", level.removeprefix(_NAMESPACE), job_id)
        case [job_id, level, "update"] if job_id and job_id != NEXT and level.startswith(_NAMESPACE):
            return RequestTopic(thing, "update", level.removeprefix(_NAMESPACE), job_id)
        case _:
            return None
