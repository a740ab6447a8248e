"""The trace on disk: what is written reads back, what is foreign is passed over, what is broken is refused."""

import ast
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agent
import simulator
from agent.device_events import HintReceived, RequestSent
from agent.errors import InputError
from agent.values import ExecutionKey
from simulator import trace
from simulator.trace import (
    KNOWN_TYPES,
    Entry,
    Event,
    ExecutionChanged,
    JobDeleted,
    Recorder,
    RunStarted,
    read,
    read_line,
    write_line,
)

EVENT_TYPES = Event.__args__  # type: ignore[attr-defined]  # a union of the event classes


_JSON = st.dictionaries(st.text(), st.integers() | st.text() | st.none())
_RUN_STARTED = st.builds(RunStarted, bounds=_JSON, must_reach=st.lists(_JSON).map(tuple))
st.register_type_strategy(float, st.floats(0, 1e6).map(lambda number: round(number, 6)))
_EVENTS = st.one_of([_RUN_STARTED if kind is RunStarted else st.from_type(kind) for kind in EVENT_TYPES])


def test_every_event_has_a_type_of_its_own():
    names = [next(f for f in fields(kind) if f.name == "type").default for kind in EVENT_TYPES]
    assert len(set(names)) == len(names)
    assert set(names) == KNOWN_TYPES == set(trace._EVENTS.json_schema()["discriminator"]["mapping"])


def test_every_field_of_an_event_is_set_by_somebody():
    """A default that nothing ever overrides says of everything that it is so."""
    given = dict.fromkeys((kind.__name__ for kind in EVENT_TYPES), frozenset[str]())
    for name, arguments, keywords in _calls():
        of = [kind for kind in EVENT_TYPES if name in (kind.__name__, "replace")]
        for kind in of:
            by_place = [field.name for field in fields(kind)][: arguments if name != "replace" else 0]
            given[kind.__name__] |= {*by_place, *keywords}
    for kind in EVENT_TYPES:
        unset = [field.name for field in fields(kind) if field.name not in given[kind.__name__] | {"type"}]
        assert not unset, f"{kind.__name__}: who sets {', '.join(unset)}?"


MANY = 1000
"""Arguments that come as one: as many as there may be."""


def _calls() -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Every call in the product: the function's name, how many arguments it is given, and the names of others."""
    for package in (agent, simulator):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    count = MANY if any(isinstance(each, ast.Starred) for each in node.args) else len(node.args)
                    yield name, count, tuple(keyword.arg for keyword in node.keywords if keyword.arg)


@given(_EVENTS, st.integers(1), st.floats(0, 1e6))
def test_every_event_reads_back_as_it_was_written(event: Event, number: int, at: float):
    entry = Entry("device/thing-1", number, round(at, 6), event)
    assert read_line(write_line(entry)) == entry


@pytest.mark.parametrize(
    "odd", ["grüß", 'a "b" \\ c', "line\nend\x00\x7f", "half \ud83d of one", "whole \U0001f600", ""]
)
def test_a_line_is_ascii_that_any_reader_of_json_takes(odd: str):
    entry = Entry(f"device/{odd}", 1, 0.25, JobDeleted(odd))
    line = write_line(entry)
    assert line.isascii()
    source = {"id": f"device/{odd}#1", "source": f"device/{odd}", "n": 1, "at": 0.25}
    assert json.loads(line) == source | {"type": "job.deleted", "job_id": odd}


def test_a_line_is_flat_and_names_its_entry():
    line = write_line(
        Entry("cloud", 3, 1.5, ExecutionChanged("t", ExecutionKey(None, "fw", 1, 9), "IN_PROGRESS", 2, "device"))
    )
    assert line.startswith('{"id":"cloud#3","source":"cloud","n":3,"at":1.5,"type":"execution.changed","thing":"t"')


def test_an_event_type_of_a_later_version_is_passed_over():
    assert list(read(['{"source":"cloud","n":1,"at":0,"type":"moon.risen"}'])) == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        '{"source":"cloud"}',
        '{"source":"cloud","n":"x","at":0,"type":"job.deleted"}',
        '{"source":"cloud","n":1,"at":0,"type":"job.deleted"}',
        '{"source":"cloud","n":1,"at":NaN,"type":"job.deleted","job_id":"fw"}',
        '{"source":"cloud","n":1,"at":1e400,"type":"job.deleted","job_id":"fw"}',
        pytest.param(f'{{"source":"cloud","n":1,"at":{10**400},"type":"job.deleted","job_id":"fw"}}', id="too much"),
        '{"source":"cloud","n":1,"at":0,"type":"process.stalled","process":"cloud","seconds":Infinity}',
        pytest.param('{"a":' * 100_000, id="too deep, and cut off"),
        r'{"source":"\ud800","n":1,"at":0,"type":"process.stalled","process":"cloud","seconds":1}',
    ],
)
def test_a_broken_line_is_refused_with_its_place(line: str):
    if not line:
        assert list(read([line])) == []
        return
    with pytest.raises(InputError, match=r"^out/trace\.jsonl:1: "):
        list(read([line], "out/trace.jsonl"))


def test_a_recorder_numbers_its_own_source_from_one():
    entries: list[Entry] = []
    recorder = Recorder("device/a", lambda: 2.0, entries.append)
    recorder.record(HintReceived("notify", None))
    recorder.record(RequestSent("t1", "get-pending"))
    assert [(entry.id, entry.at) for entry in entries] == [("device/a#1", 2.0), ("device/a#2", 2.0)]
