"""Fleet indexing and what stands on it: SearchIndex, and dynamic thing groups (Developer Guide, "Fleet indexing").

Indexed is what the registry holds of things; shadows, connectivity and Device Defender are not, so to ask for them is
refused. The index is never behind.
"""

from collections.abc import Iterator
from typing import Any, Final

from simulator.cloud.api.api_errors import invalid, not_found
from simulator.cloud.api.backing import Backing, Operation, Parameters, Paused
from simulator.cloud.api.membership import Membership
from simulator.cloud.api.paging import Key, page_in_turns
from simulator.cloud.api.tags import check_tags, put_tags
from simulator.cloud.registry import IndexingConfiguration, Thing, ThingGroup
from simulator.cloud.registry.queries import read
from simulator.cloud.registry.things import merged

THINGS: Final = "AWS_Things"
QUERY_VERSION: Final = "2017-09-30"
LARGEST_PAGE: Final = 500
"""Results of one SearchIndex."""
NOT_INDEXED: Final = ("thingConnectivityIndexingMode", "deviceDefenderIndexingMode", "namedShadowIndexingMode")


class IndexingOperations:
    """The index of things; that of thing groups can be turned on, and not searched."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._groups = backing.registry.groups
        self._membership = Membership.of(backing)

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreateDynamicThingGroup": self._create,
            "DeleteDynamicThingGroup": self._delete,
            "DescribeIndex": self._describe_index,
            "GetIndexingConfiguration": self._get_configuration,
            "SearchIndex": self._search,
            "UpdateDynamicThingGroup": self._update,
            "UpdateIndexingConfiguration": self._update_configuration,
        }

    # ── the index ─────────────────────────────────────────────────────────────────────────────────────────────

    def _get_configuration(self, given: Parameters) -> Parameters:
        now = self._backing.registry.indexing
        return {
            "thingIndexingConfiguration": {"thingIndexingMode": now.things}
            | ({} if now.things == "OFF" else dict.fromkeys(NOT_INDEXED, "OFF")),
            "thingGroupIndexingConfiguration": {"thingGroupIndexingMode": now.thing_groups},
        }

    def _update_configuration(self, given: Parameters) -> Parameters:
        before = self._backing.registry.indexing
        things, groups = given.get("thingIndexingConfiguration", {}), given.get("thingGroupIndexingConfiguration", {})
        for name in NOT_INDEXED:
            if things.get(name, "OFF") != "OFF":
                raise invalid(f"{name} {things[name]} is not served: the local cloud indexes the registry alone.")
        after = IndexingConfiguration(
            things.get("thingIndexingMode", before.things), groups.get("thingGroupIndexingMode", before.thing_groups)
        )
        if after.things == "REGISTRY_AND_SHADOW":
            raise invalid("thingIndexingMode REGISTRY_AND_SHADOW is not served: here are no shadows; use REGISTRY.")
        if after.things == "OFF" and self._groups.has_dynamic:
            raise invalid("Delete the dynamic thing groups first: without an index nobody knows what is in them.")
        self._backing.registry.indexing = after
        return {}

    def _describe_index(self, given: Parameters) -> Parameters:
        self._needed(given)
        return {"indexName": THINGS, "indexStatus": "ACTIVE", "schema": "REGISTRY"}

    def _search(self, given: Parameters) -> Paused:
        self._needed(given)
        if given.get("maxResults", 1) > LARGEST_PAGE:
            raise invalid(f"maxResults is at most {LARGEST_PAGE}.")
        query = read(given["queryString"])
        things = self._backing.registry.things

        def walk(after: Key | None) -> Iterator[Thing | None]:
            found = things.after(None if after is None else str(after[0]))
            return (thing for thing in found if thing is None or query.matches(self._groups.indexed(thing)))

        shown, token = yield from page_in_turns("SearchIndex", given, walk, lambda thing: (thing.name,))
        return {"things": [self._found(thing) for thing in shown], "nextToken": token}

    def _found(self, thing: Thing) -> Parameters:
        return {
            "thingName": thing.name,
            "thingId": thing.thing_id,
            "thingTypeName": thing.thing_type,
            "thingGroupNames": list(self._groups.of_thing(thing.name)),
            "attributes": dict(thing.attributes),
        }

    def _needed(self, given: Parameters) -> None:
        """Whether there is the index that is asked for, in the version that there is. Raises ApiError."""
        name = given.get("indexName", THINGS)
        if name != THINGS or self._backing.registry.indexing.things == "OFF":
            hint = "UpdateIndexingConfiguration turns it on" if name == THINGS else f"{THINGS} is the one to search"
            raise not_found(f"Index {name} cannot be found; {hint}.")
        if given.get("queryVersion", QUERY_VERSION) != QUERY_VERSION:
            raise invalid(f"queryVersion is {QUERY_VERSION}.")

    # ── dynamic thing groups ──────────────────────────────────────────────────────────────────────────────────

    def _create(self, given: Parameters) -> Paused:
        self._needed(given)
        query = read(given["queryString"]).text
        check_tags(given)
        name = given["thingGroupName"]
        yield from self._membership.settled(name)
        is_new = self._groups.get(name) is None
        group = self._groups.create(name, self._backing.clock(), query=query, **new_properties(given))
        put_tags(self._backing, f"thinggroup/{name}", given)
        if is_new:
            self._membership.review_group(name)
        return {
            "thingGroupName": name,
            "thingGroupArn": self._backing.arn("thinggroup", name),
            "thingGroupId": group.group_id,
        } | described(query)

    def _update(self, given: Parameters) -> Parameters:
        group = self._groups.dynamic(given["thingGroupName"])
        self._needed(given)
        changes = changed_properties(group, given)
        if "queryString" in given:
            changes["query"] = read(given["queryString"]).text
            if changes["query"] != group.query and group.status == "ACTIVE":
                changes["status"] = "REBUILDING"
        after = self._groups.update(group.name, given.get("expectedVersion"), **changes)
        if after.query != group.query:
            self._membership.review_group(group.name)
        return {"version": after.version}

    def _delete(self, given: Parameters) -> Parameters:
        name = given["thingGroupName"]
        if self._groups.get(name) is None:
            return {}
        self._groups.dynamic(name)
        self._membership.dissolve(name, given.get("expectedVersion"))
        self._backing.registry.tags.drop(f"thinggroup/{name}")
        return {}


def new_properties(given: Parameters) -> dict[str, Any]:
    """What a new group has of its thingGroupProperties."""
    properties = given.get("thingGroupProperties", {})
    attributes = properties.get("attributePayload", {}).get("attributes", {})
    return {"description": properties.get("thingGroupDescription"), "attributes": merged((), attributes, merge=False)}


def changed_properties(group: ThingGroup, given: Parameters) -> dict[str, Any]:
    """What thingGroupProperties change of a group."""
    properties, changes = given["thingGroupProperties"], dict[str, Any]()
    if "thingGroupDescription" in properties:
        changes["description"] = properties["thingGroupDescription"]
    if (payload := properties.get("attributePayload")) is not None:
        new = payload.get("attributes", {})
        changes["attributes"] = merged(group.attributes, new, merge=payload.get("merge", False))
    return changes


def described(query: str) -> Parameters:
    """What is told of a dynamic group besides."""
    return {"indexName": THINGS, "queryString": query, "queryVersion": QUERY_VERSION}
