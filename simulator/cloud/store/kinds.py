"""What the store keeps: the kinds of records, and the rows that a change of the jobs core becomes.

To keep something more, give its records a kind here. A record is a frozen dataclass of plain values; its key says which
one it takes the place of.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias, assert_never

from agent.values import JobDocument
from simulator.cloud.jobs import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    Job,
    JobChanged,
    JobExecution,
    NewJob,
    NewsChanged,
    ThingNews,
)
from simulator.cloud.mqtt.records import KINDS as GATEWAY_KINDS
from simulator.cloud.mqtt.records import KeptMessage
from simulator.cloud.mqtt.records import RememberedSessions as Sessions
from simulator.cloud.registry import KINDS as REGISTRY_KINDS
from simulator.cloud.registry import Link, RegistryRecord, Tags, ThingGroup
from simulator.cloud.store.damage import Damage, named
from simulator.cloud.store.database import Kept


@dataclass(frozen=True, slots=True)
class Secret:
    """Random bytes that stay the same for as long as the file."""

    value: bytes


KINDS: Final[dict[str, type]] = {
    "new-job": NewJob,
    "job": Job,
    "execution": JobExecution,
    "thing-news": ThingNews,
    **REGISTRY_KINDS,
    **GATEWAY_KINDS,
    "secret": Secret,
}

ELSEWHERE: Final = NewJob("", (), JobDocument(""))
"""Stands in a kept job for what CreateJob asked for: the document, and the names of perhaps a hundred thousand things.
That is a record of its own, written once, and not whenever the job makes progress."""


Written: TypeAlias = tuple[str, str, object | None]
"""A record of that kind takes the place of the one with its key, or that one goes (it is None)."""


def written_for(change: Change) -> Iterator[Written]:
    """What is to be written for a change."""
    match change:
        case ExecutionQueued(execution=execution) | ExecutionChanged(execution=execution):
            yield ("execution", _execution_key(execution), execution)
        case ExecutionRemoved(execution=execution):
            yield ("execution", _execution_key(execution), None)
        case JobChanged(before=before, job=job) if job is not None:
            if before is None or before.new is not job.new:
                yield ("new-job", job.job_id, job.new)
            yield ("job", job.job_id, replace(job, new=ELSEWHERE))
        case JobChanged(before=before):
            assert before is not None, "what goes was there"
            yield ("new-job", before.job_id, None)
            yield ("job", before.job_id, None)
        case NewsChanged(told=told):
            yield ("thing-news", told.thing, told if told.news else None)
        case _:
            assert_never(change)


def _execution_key(execution: JobExecution) -> str:
    return f"{execution.thing}/{execution.key.job_id}/{execution.key.execution_number}"


ALONE_NOTHING: Final = frozenset({"new-job", "job", "execution", "message"})
"""Kinds of which no record can be remembered without those that it needs."""
TAGGED: Final = {"job/": "job", "thinggroup/": "thing-group", "policy/": "policy"}
"""What the tags of a resource of that beginning are on."""
TIED: Final = {
    "group-member": ("thing", "thing-group"),
    "thing-principal": ("thing", None),
    "policy-target": ("policy", None),
}
"""Kinds of what a link ties; None for what says its kind itself."""
NAMED_SO: Final = {"cert/": "certificate", "thinggroup/": "thing-group"}


def needs(kind: str, key: str, record: Any) -> Iterator[tuple[str, str]]:
    """Records, as kind and key in the file, without which this one is of no use."""
    whose, its = owner_of(key)
    for needed, name in _needs(kind, its, record):
        yield needed, key_of(whose, name)


def lacking_in(kept: Sequence[Kept]) -> Damage | None:
    """A record that cannot be remembered, as another is not there. Only files without seals can be so unnoticed."""
    there = {(kind, key) for kind, key, _ in kept}
    for kind, key, record in kept:
        if kind in ALONE_NOTHING:
            for need in needs(kind, key, record):
                if need not in there:
                    return Damage(f"{named(kind, key)} is there without its {named(*need)}")
    return None


def _needs(kind: str, key: str, record: Any) -> Iterator[tuple[str, str]]:
    match record:
        case NewJob():
            yield "job", key
        case Job():
            yield "new-job", key
        case JobExecution():
            yield "job", record.key.job_id
        case KeptMessage() if kind == "message":
            yield "session", record.client_id or ""
        case Link():
            left, right = TIED[kind]
            yield left, record.left
            if right is not None:
                yield right, record.right
            else:
                yield from _named_so(record.right, NAMED_SO)
        case Tags():
            yield from _named_so(record.resource, TAGGED)
        case ThingGroup() if record.parent is not None:
            yield "thing-group", record.parent
        case _:
            pass


def _named_so(name: str, beginnings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for beginning, kind in beginnings.items():
        if name.startswith(beginning):
            yield kind, name.removeprefix(beginning)


class Remembered(NamedTuple):
    """What was kept, each in the order in which it came; the registry's with their kinds."""

    jobs: list[Job]
    executions: list[JobExecution]
    registry: list[tuple[str, RegistryRecord]]
    gateway: Sessions
    secrets: dict[str, Secret]
    news: tuple[ThingNews, ...] = ()


OWN: Final = ""
"""Whose records have keys as they are; those of others say in their keys whose they are."""
_MARK: Final = "\x1f"


def key_of(whose: str, key: str) -> str:
    """The key of a record in the file: no two of different owners are the same, whatever they look like."""
    if whose == OWN:
        return _MARK + key if key.startswith(_MARK) else key
    return f"{_MARK}{whose}{_MARK}{key}"


def owner_of(key: str) -> tuple[str, str]:
    """Whose record has a key in the file, and what its own key is: what `key_of` was told."""
    if not key.startswith(_MARK):
        return OWN, key
    whose, _, rest = key[1:].partition(_MARK)
    return (whose, rest) if whose else (OWN, key[1:])


def remember_all(kept: Iterable[Kept]) -> dict[str, Remembered]:
    """Put the records together again, by whose they are."""
    owned: dict[str, dict[str, dict[str, Any]]] = {}
    for kind, key, record in kept:
        whose, its = owner_of(key)
        if whose not in owned:
            owned[whose] = {each: {} for each in KINDS}
        owned[whose][kind][its] = record
    return {whose: _remembered(found) for whose, found in owned.items()}


def nothing() -> Remembered:
    """What somebody has of whom there are no records."""
    return _remembered({kind: {} for kind in KINDS})


def _remembered(found: Mapping[str, dict[str, Any]]) -> Remembered:
    jobs = [replace(job, new=_as_written(found["new-job"][job_id])) for job_id, job in found["job"].items()]
    registry = [(kind, record) for kind in REGISTRY_KINDS for record in found[kind].values()]
    sessions = Sessions(tuple(found["session"].values()), found["message"], tuple(found["retained"].values()))
    return Remembered(
        jobs,
        list(found["execution"].values()),
        registry,
        sessions,
        found["secret"],
        tuple(found["thing-news"].values()),
    )


def _as_written(new: NewJob) -> NewJob:
    """Files of an earlier ghostjob have a document in one spelling, and its own text among what is only shown again."""
    config = dict(new.config)
    if (text := config.pop("document", None)) is None:
        return new
    return replace(new, document=JobDocument(json.loads(text)), config=tuple(config.items()))
