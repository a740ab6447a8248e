"""The service models as we read them, and as botocore does: nothing that a server looks at differs."""

from collections.abc import Iterator
from typing import Any

import botocore.model
import pytest
from botocore.loaders import Loader

from simulator.cloud.api.service_model import KINDS, load_service_model

OF_A_KIND: dict[str, tuple[str, ...]] = {
    "structure": ("required_members", "is_tagged_union"),
    "list": (),
    "map": (),
}
PARTS = {"list": ("member",), "map": ("key", "value")}


def children(shape: Any) -> dict[str, Any]:
    """What it is made of, by the names of its parts."""
    if shape.type_name == "structure":
        return dict(shape.members)
    return {part: getattr(shape, part) for part in PARTS.get(shape.type_name, ())}


def told(shape: Any) -> dict[str, Any]:
    """All that we read of a shape, but for what it is made of."""
    names = ("type_name", "name", *OF_A_KIND.get(shape.type_name, ()))
    said = {name: getattr(shape, name) for name in names}
    where = {name: shape.serialization[name] for name in ("location", "name") if name in shape.serialization}
    limits = {name: shape.metadata.get(name) for name in ("min", "max", "pattern", "enum", "error")}
    return said | {"where": where, "limits": limits, "parts": list(children(shape))}


def pairs(ours: Any, theirs: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """A shape and all below it; one that contains itself is gone through once."""
    yield ours, theirs
    if ours.name not in above:
        for part, child in children(ours).items():
            yield from pairs(child, children(theirs)[part], (*above, ours.name))


@pytest.mark.parametrize("service", ["iot", "iot-data", "iot-jobs-data"])
def test_every_shape_of_every_operation_is_what_botocore_reads(service: str):
    ours = load_service_model(service)
    theirs = botocore.model.ServiceModel(Loader().load_service_model(service, "service-2"), service)
    assert ours.operation_names == theirs.operation_names
    for name in ours.operation_names:
        mine, other = ours.operation_model(name), theirs.operation_model(name)
        assert (mine.name, mine.http) == (other.name, other.http)
        assert [told(each) for each in mine.error_shapes] == [told(each) for each in other.error_shapes]
        for role in ("input_shape", "output_shape"):
            shape, expected = getattr(mine, role), getattr(other, role)
            assert (shape is None) == (expected is None)
            for one, another in () if shape is None else pairs(shape, expected):
                assert told(one) == told(another)
                assert type(one).__name__ == type(another).__name__ or one.type_name not in KINDS
