"""Thing groups and who is in them (Developer Guide, "Static thing groups", "Dynamic thing groups").

Static groups stand one within another, and things are put into them. A dynamic group stands alone, and has the things
that its query finds: `moves` looks again when something about a thing has changed.

A group may have a hundred thousand members. To find them all, or to let them all go, takes several turns of the loop,
so a group has a status: what it is kept with says after a restart what is left to be done, and to do that from its
beginning again changes nothing of what was done. A deleted group is nobody's any more, although it has members yet.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from simulator.cloud.registry.queries import Indexed, Query, read
from simulator.cloud.registry.records import Attributes, GroupStatus, Link, Thing, ThingGroup
from simulator.cloud.registry.registry_errors import RegistryError
from simulator.cloud.registry.tables import Links, Report, Table

GROUPS_OF_A_THING: Final = 10
"""Static ones."""
DYNAMIC: Final = 100
"""Quota "Maximum number of dynamic groups"."""
DEEPEST: Final = 7
"""Groups one within another: documented as the maximum depth of a hierarchy."""


class Moves(NamedTuple):
    """The groups that a thing has joined, and those that it has left."""

    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


NOWHERE: Final = Moves()


class ThingGroups:
    """Every thing group of one account."""

    def __init__(self, report: Report, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._groups: Table[ThingGroup] = Table("thing-group", report)
        self.members = Links("group-member", report)
        """Thing names, and the groups that they were put in themselves, or found by."""
        self._queries: dict[str, Query] = {}
        self._children: dict[str, dict[str, None]] = {}
        self.under_way: dict[str, list[str]] = {}
        """By group, the things that are to be looked at until its members are those that it is to have; last first."""

    def restore(self, group: ThingGroup) -> None:
        """Put a remembered group back."""
        self._groups.put(group.name, group)
        if group.parent is not None:
            self._children.setdefault(group.parent, {})[group.name] = None
        if group.query is not None and group.status != "EMPTYING":
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

        The same name with the same configuration succeeds again. A dynamic group is BUILDING, and has nobody yet.
        """
        assert not self.is_emptying(name), "whoever makes a group has seen the one before out"
        known = self.get(name)
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
        status: GroupStatus = "ACTIVE" if query is None else "BUILDING"
        group = ThingGroup(name, self._new_id(), now, parent, description, attributes, query=query, status=status)
        self.restore(group)
        return group

    def get(self, name: str) -> ThingGroup | None:
        """The group, or None."""
        group = self._groups.get(name)
        return None if group is None or group.status == "EMPTYING" else group

    def needed(self, name: str) -> ThingGroup:
        """The group. Raises RegistryError."""
        group = self.get(name)
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
        if any(self.get(child) is not None for child in self._children.get(name, ())):
            raise RegistryError("InvalidRequest", f"Cannot delete thing group {name}: it has child groups.")

    def delete(self, name: str, expected_version: int | None) -> None:
        """DeleteThingGroup: nobody sees the group any more, and its members are to be let go. Raises RegistryError."""
        self.check_deletion(name, expected_version)
        self._queries.pop(name, None)
        self._groups.put(name, replace(self.needed(name), status="EMPTYING"))
        self.look_through(name, self.members.lefts(name))

    def all(self) -> list[ThingGroup]:
        """Every group, in the order of creation."""
        return [group for group in self._groups if group.status != "EMPTYING"]

    # ── what takes several turns ──────────────────────────────────────────────────────────────────────────────

    def is_emptying(self, name: str) -> bool:
        """Whether a group of that name was deleted, and has members that were not let go yet."""
        group = self._groups.get(name)
        return group is not None and group.status == "EMPTYING"

    def is_settled(self, name: str) -> bool:
        """Whether a group's members are those that it is to have; of one that was deleted nobody, and no record."""
        group = self._groups.get(name)
        return group is None or group.status == "ACTIVE"

    def unsettled(self) -> list[ThingGroup]:
        """The groups whose members may not be those that they are to have, deleted ones included."""
        return [group for group in self._groups if group.status != "ACTIVE"]

    def look_through(self, name: str, things: Iterable[str]) -> None:
        """These things are to be looked at for that group, whatever was to be looked at for it before."""
        self.under_way.pop(name, None)
        self.under_way[name] = list(things)[::-1]

    def look_again(self, thing: str) -> None:
        """A thing is to be looked at for every dynamic group, after what is to be looked at for it already."""
        for name in self._queries:
            self.under_way.setdefault(name, []).insert(0, thing)

    def settle(self, name: str) -> None:
        """Everything was looked at: the group is ACTIVE, or gone for good."""
        left, group = self.under_way.pop(name), self._groups.get(name)
        assert group is not None, "it is there until it is settled"
        if group.status != "EMPTYING":
            self._groups.put(name, replace(group, status="ACTIVE"))
        elif name in self._children:
            self.under_way[name] = left  # whoever leaves a group within it has to be told that they leave this one
        else:
            self._drop(group)

    def _drop(self, group: ThingGroup) -> None:
        self._groups.drop(group.name)
        siblings = self._children.get(group.parent or "", {})
        siblings.pop(group.name, None)
        if group.parent is not None and not siblings:
            self._children.pop(group.parent, None)

    def let_go(self, thing: str, name: str) -> tuple[str, ...]:
        """Take a thing out of a group that was deleted: the groups that it does not belong to any more."""
        if not self.members.drop(thing, name):
            return ()
        still = self.of_thing(thing)
        return tuple(each for each in self._lineage(name, self._groups.get) if each not in still)

    # ── one within another ────────────────────────────────────────────────────────────────────────────────────

    def lineage(self, name: str) -> tuple[str, ...]:
        """A group, and those that it stands in, the nearest first."""
        return self._lineage(name, self.get)

    def _lineage(self, name: str, get: Callable[[str], ThingGroup | None]) -> tuple[str, ...]:
        found = []
        at: str | None = name
        while at is not None and (group := get(at)) is not None:
            found.append(at)
            at = group.parent
        return tuple(found)

    def below(self, name: str) -> Iterator[ThingGroup]:
        """Every group within a group, itself left out; each before those within it."""
        for child in self._children.get(name, ()):
            if (group := self.get(child)) is not None:
                yield group
                yield from self.below(child)

    def things_in(self, name: str, *, recursive: bool) -> tuple[str, ...]:
        """The members of a group, each once; with `recursive` also those of the groups within it."""
        names = (name, *(group.name for group in self.below(name))) if recursive else (name,)
        return tuple(dict.fromkeys(thing for each in names for thing in self.members.lefts(each)))

    def own(self, thing: str) -> tuple[str, ...]:
        """The groups that a thing was put in itself, or found by."""
        return tuple(name for name in self.members.rights(thing) if self.get(name) is not None)

    def of_thing(self, thing: str) -> tuple[str, ...]:
        """The groups that a thing belongs to, those that its own stand in included, each once."""
        return tuple(dict.fromkeys(name for own in self.members.rights(thing) for name in self.lineage(own)))

    # ── members ───────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, thing: str, name: str) -> tuple[str, ...]:
        """AddThingToThingGroup: the groups that the thing did not belong to before. Raises RegistryError."""
        self.static(name)
        own = [other for other in self.own(thing) if other not in self._queries]
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
        own = [other for other in self.own(thing) if other not in (*self._queries, *to_remove)]
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
        return Indexed(thing, self._static_of)

    def _static_of(self, thing: str) -> tuple[str, ...]:
        return tuple(name for name in self.of_thing(thing) if name not in self._queries)

    def moves(self, thing: Thing, only: str | None = None) -> Moves:
        """Look again which dynamic groups a thing is to be in, or whether in `only` that one; nothing is changed."""
        queries, known = self._queries, Indexed(thing, self._static_of)
        joined, left = list[str](), list[str]()
        for name in queries if only is None else (only,):
            is_in, was_in = queries[name].matches(known), self.members.get(thing.name, name) is not None
            if is_in is not was_in:
                (joined if is_in else left).append(name)
        return Moves(tuple(joined), tuple(left)) if joined or left else NOWHERE

    def move(self, thing: str, moves: Moves) -> Moves:
        """Have a thing join and leave dynamic groups; the same moves."""
        for name in moves.joined:
            self.members.put(Link(thing, name))
        for name in moves.left:
            self.members.drop(thing, name)
        return moves


def _check_version(group: ThingGroup, expected: int | None) -> None:
    if expected not in (None, group.version):
        message = f"The version for thing group {group.name} does not match the expected version."
        raise RegistryError("VersionConflict", message)
