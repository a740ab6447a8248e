"""Thing groups: what there is of them, and putting things into static ones. Dynamic ones stand on `indexing`."""

from typing import Any

from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Backing, Operation, Parameters, Paused
from simulator.cloud.api.indexing import changed_properties, described, new_properties
from simulator.cloud.api.membership import Membership
from simulator.cloud.api.paging import page
from simulator.cloud.api.tags import check_tags, put_tags


class GroupOperations:
    """Static groups, and of dynamic ones what is asked in the same way."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._groups = backing.registry.groups
        self._things = backing.registry.things
        self._membership = Membership.of(backing)

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "AddThingToThingGroup": self._add,
            "CreateThingGroup": self._create,
            "DeleteThingGroup": self._delete,
            "DescribeThingGroup": self._describe,
            "ListThingGroups": self._list,
            "ListThingGroupsForThing": self._list_for_thing,
            "ListThingsInThingGroup": self._list_things,
            "RemoveThingFromThingGroup": self._remove,
            "UpdateThingGroup": self._update,
            "UpdateThingGroupsForThing": self._update_for_thing,
        }

    def _create(self, given: Parameters) -> Paused:
        name, parent = given["thingGroupName"], given.get("parentGroupName")
        if parent is not None and self._groups.get(parent) is None:
            raise invalid(f"Parent thing group {parent} cannot be found.")  # the model lists no ResourceNotFound here
        check_tags(given)
        yield from self._membership.settled(name)
        group = self._groups.create(name, self._backing.clock(), parent=parent, **new_properties(given))
        put_tags(self._backing, f"thinggroup/{name}", given)
        return {
            "thingGroupName": name,
            "thingGroupArn": self._backing.arn("thinggroup", name),
            "thingGroupId": group.group_id,
        }

    def _describe(self, given: Parameters) -> Parameters:
        group = self._groups.needed(given["thingGroupName"])
        above = self._groups.lineage(group.name)[:0:-1]
        attributes = {"attributePayload": {"attributes": dict(group.attributes)}}
        dynamic = {} if group.query is None else described(group.query) | {"status": group.status}
        return dynamic | {
            "thingGroupName": group.name,
            "thingGroupId": group.group_id,
            "thingGroupArn": self._backing.arn("thinggroup", group.name),
            "version": group.version,
            "thingGroupProperties": {"thingGroupDescription": group.description} | attributes,
            "thingGroupMetadata": {
                "parentGroupName": group.parent,
                "rootToParentThingGroups": [self._named(name) for name in above],
                "creationDate": group.created_at,
            },
        }

    def _list(self, given: Parameters) -> Parameters:
        parent, prefix = given.get("parentGroup"), given.get("namePrefixFilter", "")
        if parent is not None:
            self._groups.needed(parent)
            # "If true, return child groups as well": without it, only those that stand directly in the parent.
            below = self._groups.below(parent)
            found = [group for group in below if given.get("recursive", False) or group.parent == parent]
        elif given.get("recursive", True):
            found = self._groups.all()
        else:
            found = [group for group in self._groups.all() if group.parent is None]
        names = (group.name for group in found if group.name.startswith(prefix))
        return self._page("ListThingGroups", given, names)

    def _list_for_thing(self, given: Parameters) -> Parameters:
        thing = self._things.needed(given["thingName"])
        return self._page("ListThingGroupsForThing", given, self._groups.own(thing.name))

    def _page(self, operation: str, given: Parameters, names: Any) -> Parameters:
        shown, token = page(operation, given, names, lambda name: (name,))
        return {"thingGroups": [self._named(name) for name in shown], "nextToken": token}

    def _list_things(self, given: Parameters) -> Parameters:
        group = self._groups.needed(given["thingGroupName"])
        found = self._groups.things_in(group.name, recursive=given.get("recursive", False))
        things, token = page("ListThingsInThingGroup", given, found, lambda name: (name,))
        return {"things": things, "nextToken": token}

    def _update(self, given: Parameters) -> Parameters:
        group = self._groups.static(given["thingGroupName"])
        changes = changed_properties(group, given)
        return {"version": self._groups.update(group.name, given.get("expectedVersion"), **changes).version}

    def _delete(self, given: Parameters) -> Parameters:
        name = given["thingGroupName"]
        if self._groups.get(name) is None:
            return {}
        self._groups.static(name)
        self._membership.dissolve(name, given.get("expectedVersion"))
        for policy in self._backing.registry.policies.targets.lefts(f"thinggroup/{name}"):
            self._backing.registry.policies.targets.drop(policy, f"thinggroup/{name}")
        self._backing.registry.tags.drop(f"thinggroup/{name}")
        return {}

    # ── membership ────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, given: Parameters) -> Parameters:
        self._membership.join(self._thing(given), self._group(given))
        return {}

    def _remove(self, given: Parameters) -> Parameters:
        self._membership.leave(self._thing(given), self._group(given))
        return {}

    def _update_for_thing(self, given: Parameters) -> Parameters:
        thing = self._things.needed(self._thing(given)).name
        to_add, to_remove = given.get("thingGroupsToAdd", []), given.get("thingGroupsToRemove", [])
        self._groups.check_move(thing, to_add, to_remove)
        for name in to_remove:
            self._membership.leave(thing, name)
        for name in to_add:
            self._membership.join(thing, name)
        return {}

    def _thing(self, given: Parameters) -> str:
        return self._one_of(given, "thing", "thingName", "thingArn")

    def _group(self, given: Parameters) -> str:
        return self._one_of(given, "thinggroup", "thingGroupName", "thingGroupArn")

    def _one_of(self, given: Parameters, kind: str, name: str, arn: str) -> str:
        """A name that was given as such, or as an ARN, or as both that agree."""
        named = given.get(name)
        if arn not in given:
            if named is None:
                raise invalid(f"{name} or {arn} must be given.")
            return str(named)
        by_arn = self._backing.account.name(given[arn], kind)
        if named not in (None, by_arn):
            raise invalid(f"{name} and {arn} do not name the same.")
        return by_arn

    def _named(self, name: str) -> Parameters:
        return {"groupName": name, "groupArn": self._backing.arn("thinggroup", name)}
