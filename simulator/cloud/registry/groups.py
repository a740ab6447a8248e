"""Thing groups and who is in them (Developer Guide, "Static thing groups", "Dynamic thing groups").

Static groups stand one within another, and things are put into them. A dynamic group stands alone, and has the things
that its query finds: `review` looks again when something about a thing has changed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from simulator.cloud.registry.errors import RegistryError
from simulator.cloud.registry.queries import Indexed, Query, indexed, read
from simulator.cloud.registry.records import Attributes, Link, Thing, ThingGroup
from simulator.cloud.registry.tables import Links, Report, Table

GROUPS_OF_A_THING: Final = 10
"""Static ones."""
DYNAMIC: Final = 100
"""Quota "Maximum number of dynamic groups"."""
DEEPEST: Final = 7
"""Groups one within another: documented as the maximum depth of a hierarchy."""


class Moves(NamedTuple):
    """The groups that a thing has joined, and those that it has left."""

    joined: tuple[str, ...]
    left: tuple[str, ...]


class Groups:
    """Every thing group of one account."""

    def __init__(self, report: Report, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._groups: Table[ThingGroup] = Table("thing-group", report)
        self.members = Links("group-member", report)
        """Thing names, and the groups that they were put in themselves, or found by."""
        self._queries: dict[str, Query] = {}

    def restore(self, group: ThingGroup) -> None:
        """Put a remembered group back."""
        self._groups.put(group.name, group)
        if group.query is not None:
            self._queries[group.name] = read(group.query)

    def create(
        self,
        name: str,
        now: float,
        *,
        parent: str | None = None,
        description: str | None,
        attributes: Attributes,
        query: str | None = None,
    ) -> ThingGroup:
        """CreateThingGroup, and with a `query` CreateDynamicThingGroup. Raises RegistryError.

        The same name with the same configuration succeeds again.
        """
        known = self._groups.get(name)
        if known is not None:
            said = (parent, description, attributes, query)
            if (known.parent, known.description, known.attributes, known.query) != said:
                message = f"Thing Group {name} already exists in account with different properties."
                raise RegistryError("ResourceAlreadyExists", message, f"thinggroup/{name}")
            return known
        if parent is not None and len(self.lineage(self.static(parent).name)) >= DEEPEST:
            raise RegistryError("InvalidRequest", f"A hierarchy of thing groups is at most {DEEPEST} deep.")
        if query is not None and len(self._queries) >= DYNAMIC:
            raise RegistryError("LimitExceeded", f"There are {DYNAMIC} dynamic thing groups already.")
        group = ThingGroup(name, self._new_id(), now, parent, description, attributes, query=query)
        self.restore(group)
        return group

    def get(self, name: str) -> ThingGroup | None:
        """The group, or None."""
        return self._groups.get(name)

    def needed(self, name: str) -> ThingGroup:
        """The group. Raises RegistryError."""
        group = self._groups.get(name)
        if group is None:
            raise RegistryError("ResourceNotFound", f"Thing Group {name} cannot be found.")
        return group

    def static(self, name: str) -> ThingGroup:
        """The group, if things can be put into it. Raises RegistryError."""
        group = self.needed(name)
        if group.query is not None:
            raise RegistryError("InvalidRequest", f"Thing Group {name} is dynamic: its query says what is in it.")
        return group

    def dynamic(self, name: str) -> ThingGroup:
        """The group, if it has a query. Raises RegistryError."""
        group = self.needed(name)
        if group.query is None:
            raise RegistryError("InvalidRequest", f"Thing Group {name} is not dynamic.")
        return group

    def update(self, name: str, expected_version: int | None, **changes: Any) -> ThingGroup:
        """UpdateThingGroup, UpdateDynamicThingGroup. Raises RegistryError."""
        group = self.needed(name)
        _check_version(group, expected_version)
        after = replace(group, version=group.version + 1, **changes)
        self.restore(after)
        return after

    def check_deletion(self, name: str, expected_version: int | None) -> None:
        """Whether DeleteThingGroup may go on. Raises RegistryError."""
        _check_version(self.needed(name), expected_version)
        if any(other.parent == name for other in self._groups):
            raise RegistryError("InvalidRequest", f"Cannot delete thing group {name}: it has child groups.")

    def delete(self, name: str, expected_version: int | None) -> None:
        """DeleteThingGroup: members are let go, no matter if there is no such group. Raises RegistryError."""
        if self._groups.get(name) is None:
            return
        self.check_deletion(name, expected_version)
        for thing in self.members.lefts(name):
            self.members.drop(thing, name)
        self._groups.drop(name)
        self._queries.pop(name, None)

    def all(self) -> list[ThingGroup]:
        """Every group, in the order of creation."""
        return list(self._groups)

    # ── one within another ────────────────────────────────────────────────────────────────────────────────────

    def lineage(self, name: str) -> tuple[str, ...]:
        """A group, and those that it stands in, the nearest first."""
        found = []
        at: str | None = name
        while at is not None and (group := self._groups.get(at)) is not None:
            found.append(at)
            at = group.parent
        return tuple(found)

    def below(self, name: str) -> Iterator[ThingGroup]:
        """Every group within a group, itself left out; each before those within it."""
        for group in self._groups:
            if group.parent == name:
                yield group
                yield from self.below(group.name)

    def things_in(self, name: str, *, recursive: bool) -> tuple[str, ...]:
        """The members of a group, each once; with `recursive` also those of the groups within it."""
        names = (name, *(group.name for group in self.below(name))) if recursive else (name,)
        return tuple(dict.fromkeys(thing for each in names for thing in self.members.lefts(each)))

    def of_thing(self, thing: str) -> tuple[str, ...]:
        """The groups that a thing belongs to, those that its own stand in included, each once."""
        return tuple(dict.fromkeys(name for own in self.members.rights(thing) for name in self.lineage(own)))

    # ── members ───────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, thing: str, name: str) -> tuple[str, ...]:
        """AddThingToThingGroup: the groups that the thing did not belong to before. Raises RegistryError."""
        self.static(name)
        own = [other for other in self.members.rights(thing) if other not in self._queries]
        if name in own:
            return ()
        self._check_joining(thing, own, name)
        before = self.of_thing(thing)
        self.members.put(Link(thing, name))
        return tuple(each for each in self.of_thing(thing) if each not in before)

    def check_move(self, thing: str, to_add: Sequence[str], to_remove: Sequence[str]) -> None:
        """Whether a thing may leave groups and then join others, before it does either. Raises RegistryError."""
        for name in (*to_add, *to_remove):
            self.static(name)
        own = [other for other in self.members.rights(thing) if other not in (*self._queries, *to_remove)]
        for name in to_add:
            if name not in own:
                self._check_joining(thing, own, name)
                own.append(name)

    def _check_joining(self, thing: str, own: Sequence[str], name: str) -> None:
        """Whether a thing that is in static groups of its `own` may join one more. Raises RegistryError."""
        root = self.lineage(name)[-1]
        if any(self.lineage(other)[-1] == root for other in own):
            message = f"Thing {thing} is in a thing group of the same hierarchy already."
            raise RegistryError("InvalidRequest", message)
        if len(own) >= GROUPS_OF_A_THING:
            raise RegistryError("InvalidRequest", f"Thing {thing} is in {GROUPS_OF_A_THING} thing groups already.")

    def remove(self, thing: str, name: str) -> tuple[str, ...]:
        """RemoveThingFromThingGroup: the groups that the thing does not belong to any more."""
        before = self.of_thing(thing)
        self.members.drop(thing, name)
        after = self.of_thing(thing)
        return tuple(each for each in before if each not in after)

    # ── dynamic groups ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def has_dynamic(self) -> bool:
        """Whether there is a dynamic group."""
        return bool(self._queries)

    def indexed(self, thing: Thing) -> Indexed:
        """What queries may ask of a thing; the dynamic groups that it is in are left out, so that none needs itself."""
        return indexed(thing, tuple(name for name in self.of_thing(thing.name) if name not in self._queries))

    def review(self, thing: Thing) -> Moves:
        """Look again which dynamic groups a thing is in."""
        known = self.indexed(thing) if self._queries else {}
        return self._move(thing.name, {name: query.matches(known) for name, query in self._queries.items()})

    def review_one(self, thing: Thing, name: str) -> Moves:
        """Look again whether a thing is in one dynamic group."""
        return self._move(thing.name, {name: self._queries[name].matches(self.indexed(thing))})

    def _move(self, thing: str, found: dict[str, bool]) -> Moves:
        own = self.members.rights(thing)
        joined = tuple(name for name, is_in in found.items() if is_in and name not in own)
        left = tuple(name for name, is_in in found.items() if not is_in and name in own)
        for name in joined:
            self.members.put(Link(thing, name))
        for name in left:
            self.members.drop(thing, name)
        return Moves(joined, left)


def _check_version(group: ThingGroup, expected: int | None) -> None:
    if expected not in (None, group.version):
        message = f"The version for thing group {group.name} does not match the expected version."
        raise RegistryError("VersionConflict", message)
