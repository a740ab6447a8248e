"""Things: CreateThing, DescribeThing, ListThings, UpdateThing, DeleteThing."""

from collections.abc import Iterator
from typing import Any, Final

from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Backing, Operation, Parameters, Paused
from simulator.cloud.api.membership import Membership
from simulator.cloud.api.paging import Key, page_in_turns
from simulator.cloud.jobs.commands import ThingDeleted
from simulator.cloud.registry import Attributes, Thing
from simulator.cloud.registry.things import merged

ATTRIBUTES_WITHOUT_TYPE: Final = 3
ATTRIBUTES: Final = 50
"""Quotas "Maximum number of thing attributes for a thing without a thing type", and "… with a thing type"."""


class ThingOperations:
    """Of thing types and billing groups, which are not served, any name is taken."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._things = backing.registry.things
        self._membership = Membership.of(backing)

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreateThing": self._create,
            "DeleteThing": self._delete,
            "DescribeThing": self._describe,
            "ListThings": self._list,
            "UpdateThing": self._update,
        }

    def _create(self, given: Parameters) -> Parameters:
        name, kind = given["thingName"], given.get("thingTypeName")
        attributes = merged((), given.get("attributePayload", {}).get("attributes", {}), merge=False)
        _check_number(attributes, kind)
        self._backing.jobs.check_news(name)
        thing = self._things.create(
            name, thing_type=kind, billing_group=given.get("billingGroupName"), attributes=attributes
        )
        self._membership.review(thing)
        return {"thingName": name, "thingArn": self._backing.arn("thing", name), "thingId": thing.thing_id}

    def _describe(self, given: Parameters) -> Parameters:
        thing = self._things.needed(given["thingName"])
        return self._shown(thing) | {
            "defaultClientId": thing.name,
            "thingId": thing.thing_id,
            "billingGroupName": thing.billing_group,
        }

    def _list(self, given: Parameters) -> Paused:
        def walk(after: Key | None) -> Iterator[Thing | None]:
            found = self._things.after(None if after is None else str(after[0]))
            return (thing for thing in found if thing is None or _is_wanted(thing, given))

        things, token = yield from page_in_turns("ListThings", given, walk, lambda thing: (thing.name,))
        return {"things": [self._shown(thing) for thing in things], "nextToken": token}

    def _update(self, given: Parameters) -> Parameters:
        thing = self._things.needed(given["thingName"])
        kind, is_removed = given.get("thingTypeName"), given.get("removeThingType", False)
        if kind is not None and is_removed:
            raise invalid("thingTypeName and removeThingType exclude each other.")
        changes: dict[str, Any] = {"thing_type": None if is_removed else kind or thing.thing_type}
        if (payload := given.get("attributePayload")) is not None:
            new = payload.get("attributes", {})
            changes["attributes"] = merged(thing.attributes, new, merge=payload.get("merge", False))
        _check_number(changes.get("attributes", thing.attributes), changes["thing_type"])
        self._backing.jobs.check_news(thing.name)
        self._membership.review(self._things.update(thing.name, given.get("expectedVersion"), **changes))
        return {}

    def _delete(self, given: Parameters) -> Parameters:
        name, registry = given["thingName"], self._backing.registry
        self._backing.jobs.check_news(name)
        if self._things.check_deletion(name, given.get("expectedVersion")):
            outcome = self._backing.jobs.do(
                ThingDeleted(name), self._backing.clock()
            )  # if that fails, nothing has gone
            self._things.delete(name)
            registry.groups.members.put_back(name, ())
            self._backing.publish(outcome)
        return {}

    def _shown(self, thing: Thing) -> Parameters:
        return {
            "thingName": thing.name,
            "thingTypeName": thing.thing_type,
            "thingArn": self._backing.arn("thing", thing.name),
            "attributes": dict(thing.attributes),
            "version": thing.version,
        }


def _is_wanted(thing: Thing, given: Parameters) -> bool:
    if given.get("thingTypeName") not in (None, thing.thing_type):
        return False
    if (name := given.get("attributeName")) is None:
        return True
    value, wanted = dict(thing.attributes).get(name), given.get("attributeValue")
    if value is None or wanted is None:
        return value is not None
    return value.startswith(wanted) if given.get("usePrefixAttributeValue", False) else value == wanted


def _check_number(attributes: Attributes, thing_type: str | None) -> None:
    most = ATTRIBUTES_WITHOUT_TYPE if thing_type is None else ATTRIBUTES
    if len(attributes) > most:
        which = "without" if thing_type is None else "with"
        raise invalid(f"A thing {which} a thing type has at most {most} attributes, not {len(attributes)}.")
