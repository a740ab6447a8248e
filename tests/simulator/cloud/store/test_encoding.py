"""Records as short JSON, and back: whatever they hold, and whatever became of their dataclass meanwhile."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.values import ExecutionKey, Status
from simulator.cloud.jobs import JobExecution
from simulator.cloud.store.encoding import Reader, dumps, shape_of, writer
from simulator.cloud.store.kinds import KINDS

from .records import records


@dataclass(frozen=True, slots=True)
class Circle:
    radius: float


@dataclass(frozen=True, slots=True)
class Square:
    side: float
    label: bytes = b""


@dataclass(frozen=True, slots=True)
class Drawing:
    name: str
    shown: Circle | Square | None
    inner: "tuple[Drawing, ...]" = ()
    pair: tuple[int, Square] | None = None


def there_and_back(record: Any) -> Any:
    text = dumps(writer(type(record))(record))
    return Reader({}).of(type(record))(json.loads(text))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_what_the_store_keeps_comes_back_as_it_was(kind: str, data: st.DataObject):
    record = data.draw(records(KINDS[kind]))
    back = there_and_back(record)
    assert back == record
    assert repr(back) == repr(record), "enumerations and tuples too are what they were"


def test_unions_nested_records_and_bytes_come_back():
    inner = Drawing("inner", Circle(1.5))
    drawing = Drawing("d", Square(2.0, b"\x00\xff"), (inner, Drawing("", None)), (1, Square(3.0)))
    assert there_and_back(drawing) == drawing


def test_an_execution_takes_little_room_and_leaves_out_what_nearly_all_have():
    execution = JobExecution("pump", ExecutionKey(None, "fw", 1, 1_700_000_000), 7, Status.QUEUED, 1, 17.25, 17.25)
    assert dumps(writer(JobExecution)(execution)) == '["pump",[null,"fw",1,1700000000],7,"QUEUED",1,17.25,17.25]'


def test_executions_of_a_job_share_one_key():
    key = ExecutionKey(None, "fw", 1, 1_700_000_000)
    read = Reader({}).of(JobExecution)
    one, other = (
        read(json.loads(dumps(writer(JobExecution)(JobExecution(thing, key, 1, Status.QUEUED, 1, 0.0, 0.0)))))
        for thing in ("a", "b")
    )
    assert one.key is other.key


@pytest.mark.parametrize(
    ("shape", "written", "read"),
    [
        pytest.param((("side",),), [2.0], Square(2.0), id="a field more, since"),
        pytest.param((("label", ""), ("side", 1.0)), ["AAE="], Square(1.0, b"\x00\x01"), id="another order"),
        pytest.param((("side",), ("label", "AAE=")), [2.0], Square(2.0, b"\x00\x01"), id="the default was another"),
        pytest.param((("side",), ("label", "AAE=")), [2.0, ""], Square(2.0), id="what is said counts"),
    ],
)
def test_a_record_of_an_older_shape_is_read_as_what_it_was(shape: tuple[Any, ...], written: list[Any], read: Square):
    assert Reader({"Square": shape}).of(Square)(written) == read


def test_a_shape_tells_names_and_defaults():
    assert shape_of(Square) == (("side",), ("label", ""))


def test_what_json_cannot_say_is_refused_when_the_program_is_made_and_not_when_it_runs():
    @dataclass(frozen=True)
    class Odd:
        when: complex

    with pytest.raises(TypeError, match="cannot stand in a record"):
        writer(Odd)
