"""Tables of records that say what changes in them, and links between records that are found from both ends."""

from collections.abc import Callable, Iterator
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from simulator.cloud.registry.records import (
    Certificate,
    DeletedCertificate,
    EventConfigurations,
    IndexingConfiguration,
    JobTemplate,
    Link,
    Policy,
    Tags,
    Thing,
    ThingGroup,
)

RegistryRecord: TypeAlias = (
    Thing
    | ThingGroup
    | Certificate
    | Policy
    | Link
    | JobTemplate
    | Tags
    | EventConfigurations
    | IndexingConfiguration
    | DeletedCertificate
)
R = TypeVar("R", bound=RegistryRecord)

KINDS: Final[dict[str, type[RegistryRecord]]] = {
    "thing": Thing,
    "thing-group": ThingGroup,
    "certificate": Certificate,
    "policy": Policy,
    "job-template": JobTemplate,
    "tags": Tags,
    "event-configurations": EventConfigurations,
    "indexing-configuration": IndexingConfiguration,
    "group-member": Link,
    "thing-principal": Link,
    "policy-target": Link,
    "deleted-certificate": DeletedCertificate,
}
"""What a record of each kind is; in an order in which they can be put back."""


class RegistryChange(NamedTuple):
    """A record was put in the place of `key`, or taken away (`record` is None)."""

    kind: str
    key: str
    record: RegistryRecord | None


class Report:
    """Where changes go: to nobody, until somebody asks for them."""

    def __init__(self) -> None:
        self.sink: Callable[[RegistryChange], None] | None = None
        self.revision = 0
        """How many changes there were."""

    def __call__(self, kind: str, key: str, record: RegistryRecord | None) -> None:
        """Tell of one change."""
        self.revision += 1
        if self.sink is not None:
            self.sink(RegistryChange(kind, key, record))


class Table(Generic[R]):
    """Records of one kind by key, in the order in which they were made."""

    def __init__(self, kind: str, report: Report) -> None:
        self._kind = kind
        self._report = report
        self._records: dict[str, R] = {}

    def get(self, key: str) -> R | None:
        """The record, or None."""
        return self._records.get(key)

    def keys(self) -> list[str]:
        """The keys of all, in the order in which they were made."""
        return list(self._records)

    def put(self, key: str, record: R) -> None:
        """Add a record, or put it in the place of another."""
        self._records[key] = record
        self._report(self._kind, key, record)

    def drop(self, key: str) -> None:
        """Take a record away; no matter if there is none."""
        if self._records.pop(key, None) is not None:
            self._report(self._kind, key, None)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())


class Links:
    """Links of one kind. Left names hold no `/`, so `LEFT/RIGHT` is a key."""

    def __init__(self, kind: str, report: Report) -> None:
        self._kind = kind
        self._report = report
        self._by_left: dict[str, dict[str, Link]] = {}
        self._by_right: dict[str, dict[str, Link]] = {}

    def get(self, left: str, right: str) -> Link | None:
        """The link, or None."""
        return self._by_left.get(left, {}).get(right)

    def put(self, link: Link) -> None:
        """Tie two together; no matter if they are tied already."""
        self._by_left.setdefault(link.left, {})[link.right] = link
        self._by_right.setdefault(link.right, {})[link.left] = link
        self._report(self._kind, f"{link.left}/{link.right}", link)

    def drop(self, left: str, right: str) -> bool:
        """Untie two; whether they were tied."""
        links = self._by_left.get(left, {})
        if links.pop(right, None) is None:
            return False
        del self._by_right[right][left]
        for index, key in ((self._by_left, left), (self._by_right, right)):
            if not index[key]:
                del index[key]
        self._report(self._kind, f"{left}/{right}", None)
        return True

    def of(self, left: str) -> tuple[Link, ...]:
        """The links of `left`, in the order of tying."""
        return tuple(self._by_left.get(left, {}).values())

    def put_back(self, left: str, links: tuple[Link, ...]) -> None:
        """Have these links of `left`, and no others."""
        for link in self.of(left):
            self.drop(left, link.right)
        for link in links:
            self.put(link)

    def rights(self, left: str) -> tuple[str, ...]:
        """What `left` is tied to, in the order of tying."""
        return tuple(self._by_left.get(left, ()))

    def only_left(self, right: str) -> str | None:
        """What alone is tied to `right`; None if nothing is, or more."""
        lefts = self._by_right.get(right, {})
        return next(iter(lefts)) if len(lefts) == 1 else None

    def lefts(self, right: str) -> tuple[str, ...]:
        """What is tied to `right`, in the order of tying."""
        return tuple(self._by_right.get(right, ()))
