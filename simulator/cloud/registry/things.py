"""Things, and the principals that they are attached to."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from simulator.cloud.registry.records import Attributes, Link, Thing
from simulator.cloud.registry.registry_errors import RegistryError
from simulator.cloud.registry.tables import Links, Report, Table

EXCLUSIVE: Final = "EXCLUSIVE_THING"
SHARED: Final = "NON_EXCLUSIVE_THING"
LOOKS: Final = 16
"""So many things are looked at in one go: half a millisecond, if that is for a long query."""


def merged(before: Attributes, given: Mapping[str, str], *, merge: bool) -> Attributes:
    """Attributes after an attributePayload: an empty value takes one away; without `merge` all others go."""
    kept = dict(before) if merge else {}
    return tuple(sorted((name, value) for name, value in (kept | dict(given)).items() if value))


class Things:
    """Every thing of one account; `new_id` gives the ids that AWS would make up."""

    def __init__(self, report: Report, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._things: Table[Thing] = Table("thing", report)
        self._names: list[str] | None = None
        self.principals = Links("thing-principal", report)
        """Thing names, and what proves who they are."""

    def restore(self, thing: Thing) -> None:
        """Put a remembered thing back."""
        self._things.put(thing.name, thing)
        self._names = None

    def create(self, name: str, **said: Any) -> Thing:
        """CreateThing: the same name with the same configuration succeeds again. Raises RegistryError."""
        known = self._things.get(name)
        if known is None:
            thing = Thing(name, self._new_id(), **said)
            self._things.put(name, thing)
            if self._names is not None:
                insort(self._names, name)
            return thing
        if Thing(name, known.thing_id, version=known.version, **said) != known:
            message = f"Thing {name} already exists in account with different attributes."
            raise RegistryError("ResourceAlreadyExists", message, f"thing/{name}")
        return known

    def get(self, name: str) -> Thing | None:
        """The thing, or None."""
        return self._things.get(name)

    def needed(self, name: str) -> Thing:
        """The thing. Raises RegistryError."""
        thing = self._things.get(name)
        if thing is None:
            raise RegistryError("ResourceNotFound", f"Thing {name} cannot be found.")
        return thing

    def update(self, name: str, expected_version: int | None, **changes: Any) -> Thing:
        """UpdateThing. Raises RegistryError."""
        thing = self.needed(name)
        _check_version(f"thing {name}", thing.version, expected_version)
        after = replace(thing, version=thing.version + 1, **changes)
        self._things.put(name, after)
        return after

    def check_deletion(self, name: str, expected_version: int | None) -> bool:
        """Whether there is such a thing, and DeleteThing may go on. Raises RegistryError."""
        thing = self._things.get(name)
        if thing is None:
            return False
        _check_version(f"thing {name}", thing.version, expected_version)
        if self.principals.rights(name):
            message = f"Cannot delete. Thing {name} is still attached to one or more principals"
            raise RegistryError("InvalidRequest", message)
        return True

    def delete(self, name: str) -> None:
        """DeleteThing, checked before. Its job executions stay."""
        self._things.drop(name)
        if self._names is not None:
            del self._names[bisect_left(self._names, name)]

    def all(self) -> list[Thing]:
        """Every thing, in the order of creation."""
        return list(self._things)

    def names(self) -> list[str]:
        """The names of all, in the order of creation."""
        return self._things.keys()

    def after(self, name: str | None) -> Iterator[Thing | None]:
        """Things by name, those after `name` only; None where others may have their turn, and change what is there."""
        while names := self._next_names(name):
            for name in names:
                yield self._things.get(name)
            yield None

    def _next_names(self, name: str | None) -> list[str]:
        """The first question sorts them, and the next ones need not."""
        if self._names is None:
            self._names = sorted(thing.name for thing in self._things)
        first = 0 if name is None else bisect_right(self._names, name)
        return self._names[first : first + LOOKS]

    def attach(self, name: str, principal: str, kind: str | None = None) -> None:
        """AttachThingPrincipal. Raises RegistryError."""
        self.needed(name)
        has_it, others = self.exclusive(principal), self.principals.lefts(principal)
        if has_it not in (None, name) or (kind == EXCLUSIVE and others not in ((), (name,))):
            other = next(each for each in others if each != name)
            raise RegistryError("InvalidRequest", f"The principal is attached to thing {other} exclusively.")
        self.principals.put(Link(name, principal, kind or SHARED))

    def exclusive(self, principal: str) -> str | None:
        """The thing that a principal is attached to exclusively, and so no other; None if there is none."""
        only = self.principals.only_left(principal)
        link = None if only is None else self.principals.get(only, principal)
        return only if link is not None and link.mode == EXCLUSIVE else None


def _check_version(what: str, version: int, expected: int | None) -> None:
    if expected not in (None, version):
        raise RegistryError("VersionConflict", f"The version for {what} does not match the expected version.")
