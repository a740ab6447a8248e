"""Entries between two processes of a run: what comes out is what went in, in pieces of any size."""

import pytest

from agent.device_events import HintReceived, RequestSent
from agent.errors import InputError
from agent.values import ExecutionKey, Status
from simulator.trace import (
    CLOUD,
    AccountEnded,
    AnswerDelivered,
    ClientRefused,
    ClientSubscribed,
    CloudListening,
    DeletionAccepted,
    Entry,
    ExecutionChanged,
    FlashArea,
    FlashChanged,
    FlashWork,
    HintPublished,
    JobCreated,
    ProcessStalled,
    RequestAnswered,
    RequestReceived,
    RunStarted,
)
from simulator.trace.packed import LENGTH_BYTES, Frames, Pack, pack, unpack

KEY = ExecutionKey("lab", "fw", 1, 1_700_000_000)
EVENTS = (
    CloudListening({"mqtt": "127.0.0.1:1", "data": None}),
    ClientSubscribed("lamp", ("a/b", "c"), ("d",)),
    ClientRefused("not-allowed", "iot:Connect", "client/lamp", "because", hint="grüß\udc80 Gott"),
    RequestReceived("lamp", "update", "token", "lab", "fw", "IN_PROGRESS", {"step": "write"}, late_seconds=0.25),
    RequestAnswered("lamp", "update", True, "token", None, KEY, "IN_PROGRESS", 4),
    RequestAnswered("lamp", "get-pending", False, "token", "InvalidRequest"),
    AnswerDelivered("lamp", 4),
    ExecutionChanged("lamp", KEY, "IN_PROGRESS", 2, "device", {"step": "write"}),
    HintPublished("lamp", "notify", None, (KEY, KEY)),
    JobCreated("fw"),
    ProcessStalled("cloud", 0.5, 0.25),
    AccountEnded(),
    DeletionAccepted("fw"),
    FlashChanged((FlashArea("a", "1.0", "whole", "####"),), "a", "a", work=FlashWork("a", 1, 2, 0, 0, 0.5)),
    RunStarted("main", "live", ("lamp",), {"ready_seconds": 5.0}, ({"place": "recovered", "things": ["lamp"]},)),
    RequestSent("token", "update", "lab", "fw", KEY, "IN_PROGRESS", 1, (("step", "write"),)),
    HintReceived("notify", None, (KEY,)),
)
ENTRIES = [Entry(CLOUD, number, number / 8, event) for number, event in enumerate(EVENTS, 1)]


def unpacked(raw: bytes) -> list[Entry]:
    return [entry for frame in Frames().feed(raw) for entry in unpack(frame)]


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_entries_come_out_as_they_went_in_whatever_the_pieces(size: int):
    raw = pack(ENTRIES[:5]) + pack(ENTRIES[5:])
    frames = Frames()
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    assert [entry for piece in pieces for frame in frames.feed(piece) for entry in unpack(frame)] == ENTRIES


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(ExecutionChanged("lamp", KEY, Status.QUEUED, 2, "device"), id="a value of a type of its own"),
    ],
)
def test_what_cannot_be_told_so_is_told_in_lines(event):
    entry = Entry(CLOUD, 1, 0.5, event)
    assert unpacked(pack([ENTRIES[0], entry])) == [ENTRIES[0], entry]


def test_lines_that_are_no_entries_are_said_to_be_none():
    raw = pack([Entry(CLOUD, 1, 0.5, ExecutionChanged("lamp", KEY, Status.QUEUED, 2, "device"))]).replace(
        b'"n":1', b'"m":1'
    )
    assert len(raw) > LENGTH_BYTES
    with pytest.raises(InputError, match="not a trace entry"):
        unpacked(raw)


IN_LINES = [ENTRIES[6], Entry(CLOUD, 99, 12.5, ExecutionChanged("lamp", KEY, Status.QUEUED, 2, "device"))]


@pytest.mark.parametrize("entries", [ENTRIES, IN_LINES], ids=["values", "lines"])
def test_of_a_pack_those_are_made_that_somebody_looks_at(entries: list[Entry]):
    (frame,) = Frames().feed(pack(entries))
    found = Pack(frame)
    assert (found.n, found.at) == (entries[-1].n, entries[-1].at)
    assert list(found) == list(unpack(frame))
    wanted = frozenset({AnswerDelivered, JobCreated})
    assert list(found.of(wanted)) == [entry for entry in entries if type(entry.event) in wanted]
    assert list(found.of(frozenset())) == []
