"""Tags of the resources that AWS IoT lets have some and that are served: jobs, templates, groups, policies."""

from typing import Final

from simulator.cloud.api.api_errors import ApiError, not_found
from simulator.cloud.api.backing import Backing, Operation, Parameters
from simulator.cloud.api.paging import page
from simulator.cloud.jobs import JobsError
from simulator.cloud.registry import Tags
from simulator.cloud.registry.records import Attributes

MOST: Final = 50
TAGGABLE: Final = ("job", "jobtemplate", "thinggroup", "policy")


def put_tags(backing: Backing, resource: str, given: Parameters) -> None:
    """Keep the `tags` of a resource that was just made. Raises ApiError."""
    if tags := _pairs(given):
        backing.registry.tags.put(resource, Tags(resource, tags))


def check_tags(given: Parameters) -> None:
    """Before a resource is made: whether it may have the `tags` given. Raises ApiError."""
    _pairs(given)


def _pairs(given: Parameters, before: Attributes = ()) -> Attributes:
    pairs = dict(before) | {tag["Key"]: tag.get("Value", "") for tag in given.get("tags", [])}
    if len(pairs) > MOST:
        raise ApiError("LimitExceededException", f"A resource has at most {MOST} tags, not {len(pairs)}.")
    return tuple(pairs.items())


class TagOperations:
    """TagResource, UntagResource, ListTagsForResource."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._tags = backing.registry.tags

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {"ListTagsForResource": self._list, "TagResource": self._tag, "UntagResource": self._untag}

    def _tag(self, given: Parameters) -> Parameters:
        resource = self._resource(given)
        self._tags.put(resource, Tags(resource, _pairs(given, self._of(resource))))
        return {}

    def _untag(self, given: Parameters) -> Parameters:
        resource = self._resource(given)
        left = tuple(pair for pair in self._of(resource) if pair[0] not in given["tagKeys"])
        if left:
            self._tags.put(resource, Tags(resource, left))
        else:
            self._tags.drop(resource)
        return {}

    def _list(self, given: Parameters) -> Parameters:
        pairs = enumerate(self._of(self._resource(given)))
        shown, token = page("ListTagsForResource", given, pairs, lambda pair: (pair[0],))
        return {"tags": [{"Key": key, "Value": value} for _, (key, value) in shown], "nextToken": token}

    def _of(self, resource: str) -> Attributes:
        found = self._tags.get(resource)
        return () if found is None else found.tags

    def _resource(self, given: Parameters) -> str:
        resource = self._backing.account.resource(given["resourceArn"], *TAGGABLE)
        kind, _, name = resource.partition("/")
        if not self._exists(kind, name):
            raise not_found(f"Resource {given['resourceArn']} cannot be found.")
        return resource

    def _exists(self, kind: str, name: str) -> bool:
        registry = self._backing.registry
        match kind:
            case "thinggroup":
                return registry.groups.get(name) is not None
            case "policy":
                return registry.policies.get(name) is not None
            case "jobtemplate":
                return registry.templates.get(name) is not None
            case _:
                try:
                    self._backing.jobs.job(name)
                except JobsError:
                    return False
                return True
