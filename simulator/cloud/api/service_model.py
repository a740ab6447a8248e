"""The service models that botocore ships, as far as a server needs them: operations, and the shapes of what they take.

    operations  NAME: {http: {method, requestUri}, input: {shape: NAME}, output: …, errors: […]}
    shapes      NAME: {type: structure, members: {MEMBER: {shape: NAME, location: …, locationName: …}}, required: […]}

Where a shape is referred to, the reference's traits come before the shape's own. botocore's classes for the same bring
the rest of its client with them, a tenth of a second of every start (awscrt, urllib3); the data does not.
"""

import gzip
import json
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

MODEL: Final = "service-2.json.gz"


def load_service_model(service: str) -> "ServiceModel":
    """The newest model of a service, such as `iot` or `iot-jobs-data`."""
    spec = find_spec("botocore")  # which does not import it
    assert spec is not None
    assert spec.submodule_search_locations is not None, "it is a package"
    [root] = spec.submodule_search_locations
    newest = max((Path(root) / "data" / service).glob(f"*/{MODEL}"))
    return ServiceModel(json.loads(gzip.decompress(newest.read_bytes())))


class ServiceModel:
    """One service: its operations by their names."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._operations: Mapping[str, Mapping[str, Any]] = description["operations"]
        self._shapes: Mapping[str, Mapping[str, Any]] = description["shapes"]

    @property
    def operation_names(self) -> list[str]:
        """In the model's order."""
        return list(self._operations)

    def operation_model(self, name: str) -> "OperationModel":
        """Raises KeyError if there is none of that name."""
        return OperationModel(name, self._operations[name], self)

    def shape(self, reference: Mapping[str, Any]) -> "Shape":
        """What `{"shape": NAME, …}` refers to."""
        name = reference["shape"]
        traits = {**self._shapes[name], **{trait: value for trait, value in reference.items() if trait != "shape"}}
        return KINDS.get(traits["type"], Shape)(name, traits, self)


class OperationModel:
    """One operation. `http` has its method and its requestUri."""

    def __init__(self, name: str, described: Mapping[str, Any], service: ServiceModel) -> None:
        self.name = name
        self.http: Mapping[str, str] = described["http"]
        self._described = described
        self._service = service

    @cached_property
    def input_shape(self) -> "StructureShape | None":
        """What it takes; None if nothing."""
        return self._shape("input")

    @cached_property
    def output_shape(self) -> "StructureShape | None":
        """What it answers; None if nothing."""
        return self._shape("output")

    @cached_property
    def error_shapes(self) -> list["Shape"]:
        """The errors that it lists."""
        return [self._service.shape(each) for each in self._described.get("errors", ())]

    def _shape(self, role: str) -> "StructureShape | None":
        if role not in self._described:
            return None
        shape = self._service.shape(self._described[role])
        assert isinstance(shape, StructureShape), "so it is in every model"
        return shape


class Shape:
    """A kind of value, as it is referred to in one place. `metadata` are its traits: min, max, pattern, enum, …"""

    def __init__(self, name: str, traits: Mapping[str, Any], service: ServiceModel) -> None:
        self.name = name
        self.type_name: str = traits["type"]
        self.metadata = traits
        self._service = service

    @cached_property
    def serialization(self) -> Mapping[str, str]:
        """Its `location` in a request (uri, querystring or header), and its `name` there, if the model says so."""
        said = (("location", "location"), ("name", "locationName"))
        return {name: self.metadata[trait] for name, trait in said if trait in self.metadata}

    def _part(self, part: str) -> "Shape":
        return self._service.shape(self.metadata[part])


class StructureShape(Shape):
    """Members by their names."""

    @cached_property
    def members(self) -> Mapping[str, Shape]:
        """In the model's order."""
        return {name: self._service.shape(each) for name, each in self.metadata.get("members", {}).items()}

    @cached_property
    def required_members(self) -> list[str]:
        """Names of those that must be there."""
        return list(self.metadata.get("required", ()))

    @cached_property
    def is_tagged_union(self) -> bool:
        """Whether exactly one member has to be there."""
        return bool(self.metadata.get("union", False))


class ListShape(Shape):
    """Any number of values of one shape."""

    @cached_property
    def member(self) -> Shape:
        """That shape."""
        return self._part("member")


class MapShape(Shape):
    """Values of one shape by keys of another."""

    @cached_property
    def key(self) -> Shape:
        """Of its keys."""
        return self._part("key")

    @cached_property
    def value(self) -> Shape:
        """Of its values."""
        return self._part("value")


KINDS: Final[Mapping[str, type[Shape]]] = {"structure": StructureShape, "list": ListShape, "map": MapShape}
