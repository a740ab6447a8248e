"""Which certificate is which thing's: attaching principals to things, and looking from both ends."""

from collections.abc import Iterable

from simulator.cloud.api.backing import Backing, Operation, Parameters
from simulator.cloud.api.paging import page


class PrincipalOperations:
    """Certificates only; a Cognito identity is no principal here."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._things = backing.registry.things

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "AttachThingPrincipal": self._attach,
            "DetachThingPrincipal": self._detach,
            "ListPrincipalThings": self._list_things,
            "ListPrincipalThingsV2": self._list_things_with_type,
            "ListThingPrincipals": self._list_principals,
            "ListThingPrincipalsV2": self._list_principals_with_type,
        }

    def _attach(self, given: Parameters) -> Parameters:
        principal = self._principal(given)
        self._backing.registry.certificates.needed(principal.partition("/")[2])
        self._things.attach(given["thingName"], principal, given.get("thingPrincipalType"))
        return {}

    def _detach(self, given: Parameters) -> Parameters:
        self._things.needed(given["thingName"])
        self._things.principals.drop(given["thingName"], self._principal(given))
        return {}

    def _list_principals(self, given: Parameters) -> Parameters:
        shown, token = self._page("ListThingPrincipals", given, self._principals_of(given))
        return {"principals": [self._backing.account.arn_of(each) for each in shown], "nextToken": token}

    def _list_things(self, given: Parameters) -> Parameters:
        shown, token = self._page("ListPrincipalThings", given, self._things.principals.lefts(self._principal(given)))
        return {"things": shown, "nextToken": token}

    def _list_principals_with_type(self, given: Parameters) -> Parameters:
        thing, wanted = given["thingName"], given.get("thingPrincipalType")
        principals = self._principals_of(given)
        found = (each for each in principals if wanted is None or self._kind(thing, each) == wanted)
        shown, token = self._page("ListThingPrincipalsV2", given, found)
        arn_of = self._backing.account.arn_of
        objects = [{"principal": arn_of(each), "thingPrincipalType": self._kind(thing, each)} for each in shown]
        return {"thingPrincipalObjects": objects, "nextToken": token}

    def _list_things_with_type(self, given: Parameters) -> Parameters:
        principal, wanted = self._principal(given), given.get("thingPrincipalType")
        things = self._things.principals.lefts(principal)
        found = (thing for thing in things if wanted is None or self._kind(thing, principal) == wanted)
        shown, token = self._page("ListPrincipalThingsV2", given, found)
        objects = [{"thingName": thing, "thingPrincipalType": self._kind(thing, principal)} for thing in shown]
        return {"principalThingObjects": objects, "nextToken": token}

    def _principals_of(self, given: Parameters) -> tuple[str, ...]:
        return self._things.principals.rights(self._things.needed(given["thingName"]).name)

    def _kind(self, thing: str, principal: str) -> str | None:
        link = self._things.principals.get(thing, principal)
        return None if link is None else link.mode

    def _page(self, operation: str, given: Parameters, names: Iterable[str]) -> tuple[list[str], str | None]:
        return page(operation, given, names, lambda name: (name,))

    def _principal(self, given: Parameters) -> str:
        return self._backing.account.resource(given["principal"], "cert")
