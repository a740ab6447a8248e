"""Every entry of a trace has words, in one line."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from agent.device_events import (
    AnswerReceived,
    AnswerUnreadable,
    DeviceBooted,
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    HintReceived,
    JournalSpoiled,
    JournalUnwritable,
    JournalWritten,
    PhaseChanged,
    PowerLost,
    RequestSent,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey
from simulator.report.words import told, words
from simulator.trace import (
    AccountEnded,
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    ClientRefused,
    ClientSubscribed,
    CloudListening,
    DeletionAccepted,
    DeletionRefused,
    DeletionRequested,
    DeviceJoined,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FaultOver,
    FaultStruck,
    FlashArea,
    FlashChanged,
    FlashWork,
    HintPublished,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    MessageDropped,
    PaceChanged,
    PowerCutOff,
    PowerRestored,
    ProbeSampled,
    ProcessEnded,
    ProcessStalled,
    RequestAnswered,
    RequestReceived,
    RunEnded,
    RunStarted,
)

OLD, NEW = FlashArea("A", "1.0", "whole", "####"), FlashArea("B", "2.0", "partial", "++..")
KEY = ExecutionKey("lab", "fw", 1, 1700)
FW = "lab/fw (1@1700)"

TABLE: list[tuple[Event, str]] = [
    (DeviceConnected(), "connected and subscribed"),
    (DeviceConnected(True), "connected and subscribed, and goes on with its last session"),
    (DeviceDisconnected("reset"), "lost its connection: reset"),
    (DeviceDisconnected("reboot", planned=True), "ended its connection: reboot"),
    (DeviceBooted("1.0"), "booted 1.0 (power-on)"),
    (DeviceBooted("2.0", "reboot", on_trial=True), "booted 2.0 (reboot), on trial"),
    (PowerLost("write 7/32"), "lost its power at write 7/32"),
    (JournalSpoiled("an older record"), "cannot read its journal any more, which holds an older record"),
    (JournalUnwritable("disk full"), "could not write its journal: disk full"),
    (JournalWritten(), "has on record: no work"),
    (JournalWritten("executing", 2, 1), "has on record: executing, steps begun 2, done 1"),
    (DeviceCrashed("KeyError"), "crashed: KeyError"),
    (RequestSent("t-1", "start-next"), "sent start-next t-1"),
    (
        RequestSent("t-2", "update", "lab", "fw", KEY, "IN_PROGRESS", 3, (("step", "write"), ("progress", "50")), 2),
        f"sent update t-2 of {FW} to IN_PROGRESS expecting version 3 (step write, progress 50), attempt 2",
    ),
    (AnswerReceived("t-1", True, None, "QUEUED", KEY), f"read the answer to t-1: accepted, {FW} is QUEUED"),
    (AnswerReceived("t-1", False, "ResourceNotFound"), "read the answer to t-1: rejected with ResourceNotFound"),
    (AnswerUnreadable("start-next", "no JSON", "t-1"), "could not read the answer to t-1: no JSON"),
    (AnswerUnreadable("get-pending", "no JSON"), "could not read the answer to a get-pending: no JSON"),
    (HintReceived("notify", "lab", (KEY,)), f"was told by notify of namespace lab: {FW}"),
    (HintReceived("notify-next", None), "was told by notify-next: nothing is pending"),
    (PhaseChanged("suspect", "executing", "hint", KEY), f"is suspect on {FW}, was executing: hint"),
    (ExecutionTaken(KEY), f"took {FW} as its own"),
    (ExecutionGone(KEY, "gone", "t-3"), f"believes that {FW} is gone, by the answer to t-3"),
    (ExecutionLeft(KEY, "recovered"), f"is done with {FW}: recovered"),
    (StepStarted(KEY, "write", True), f"began step write of {FW}"),
    (StepStarted(KEY, "commit", False), f"began step commit of {FW}, which cannot be undone"),
    (StepProgressed(KEY, "write", 50), f"is 50% through step write of {FW}"),
    (StepFinished(KEY, "write", "done"), f"ended step write of {FW}: done"),
    (StepUndone(KEY, "write"), f"took step write of {FW} back"),
    (StepUndone(KEY, "write", ok=False), f"could not take step write of {FW} back"),
    (HardwareChanged(True, "1.0"), "holds 1.0"),
    (HardwareChanged(False, "1.0", ("slot",)), "holds 1.0, and cannot boot, with slot pending"),
    (
        FlashChanged((OLD, FlashArea("B", "", "empty", "....")), "A", "A", work=FlashWork("B", 4, 4, 0, 2, 0.1)),
        "has in its flash A: 1.0 [####], which runs, B: nothing [....]; is to erase 4 and write 4 sectors of B, 2 done",
    ),
    (
        FlashChanged((OLD, NEW), "A", "B", (NEW,), "requested", config="1", staged="2", previous="0"),
        "has in its flash A: 1.0 [####], which runs, B: partial 2.0 [++..], which boots next, B: partial 2.0 [++..], "
        "which boots next, configuration 2 to come, configuration 0 to go back to",
    ),
    (
        FlashChanged((OLD, NEW), "B", "B", trial="running"),
        "has in its flash A: 1.0 [####], B: partial 2.0 [++..], which runs on trial",
    ),
    (
        FlashChanged((OLD, NEW), "", "", swapped=2, work=FlashWork("", 0, 0, 4, 2, 0.0)),
        "has in its flash A: 1.0 [####], B: partial 2.0 [++..], 2 sectors exchanged, and nothing would boot; "
        "is to exchange 4 sectors, 2 done, and stands still",
    ),
    (VersionCommitted(KEY, "2.0"), f"committed 2.0, for {FW}"),
    (VersionReverted(KEY, "2.0"), f"took 2.0 back, of {FW}"),
    (CloudListening({"api": "http://x", "data": None}), "listens: api http://x"),
    (CloudListening({}), "listens"),
    (ClientConnected("a"), "saw a connect"),
    (ClientConnected("a", True), "saw a connect, to go on with its last session"),
    (ClientDisconnected("a", "CONNECTION_LOST"), "saw a disconnect: CONNECTION_LOST"),
    (ClientSubscribed("a", ("x", "y/#")), "subscribed a to x, y/#"),
    (ClientSubscribed("a", (), ("$aws/z",)), "subscribed a to nothing, and refused it $aws/z"),
    (FaultStruck("a", "gap", "hold", "start-next"), "held the start-next of a, by fault gap"),
    (
        FaultStruck("a", "gap", "cut", "update-answer", "fw", "IN_PROGRESS", "write"),
        "cut the network at the update-answer of a of fw to IN_PROGRESS (write), by fault gap",
    ),
    (FaultStruck("a", "said-1", "seen", "output"), "saw a at moment said-1"),
    (FaultOver("a", "gap", "done"), "lets a have what fault gap kept from it: what it was to wait for has come"),
    (
        ClientRefused("not-allowed", "iot:Publish", "topic/x", "no statement allows it", "a", "5f", "127.0.0.1"),
        "refused a: iot:Publish topic/x: no statement allows it",
    ),
    (
        ClientRefused("denied", "iot:Connect", "client/b", "a statement denies it", statement="p/1", times=3),
        "refused somebody: iot:Connect client/b, 3 times: a statement denies it, by statement p/1",
    ),
    (
        MessageDropped("queue-full", "iot:Receive", "topic/x", "1000 wait already", "a"),
        "dropped a message of a: iot:Receive topic/x: 1000 wait already",
    ),
    (
        ProcessStalled("devices", 1.25, 1.0),
        "found that the devices' process was 1.250 s behind, 1.000 s of them at work",
    ),
    (
        RequestReceived("a", "update", "t-2", "lab", "fw", "FAILED", {"reason": "x"}, True, 3, 1, "other", 0.5),
        "received from a through other update t-2 of fw to FAILED expecting version 3 (reason x), a copy, 0.5 s late",
    ),
    (RequestReceived("a", "get-pending"), "received from a get-pending"),
    (
        RequestAnswered("a", "describe", True, "t", None, KEY, "QUEUED"),
        f"answered a's describe t: accepted, {FW} is QUEUED",
    ),
    (
        RequestAnswered("a", "update", False, "t", "VersionMismatch", None, "QUEUED"),
        "answered a's update t: rejected with VersionMismatch, it is QUEUED",
    ),
    (AnswerDelivered("a", 4), "delivered its answer 4 to a"),
    (AnswerDelivered("a", 4, acknowledged=False), "delivered its answer 4 to a, for all it knows"),
    (ExecutionQueued("a", KEY), f"queued {FW} for a"),
    (ExecutionChanged("a", KEY, "FAILED", 3, "device"), f"has {FW} of a as FAILED, version 3, by the device"),
    (ExecutionRemoved("a", KEY, "IN_PROGRESS"), f"removed the record of {FW} of a, which was IN_PROGRESS"),
    (HintPublished("a", "notify", None), "told a by notify: nothing is pending"),
    (JobCreated("fw"), "created job fw"),
    (JobCreated("fw", "lab"), "created job fw in namespace lab"),
    (JobDeletionBegan("fw"), "began to delete job fw"),
    (JobDeletionBegan("fw", forced=True), "began to delete job fw, by force"),
    (JobDeleted("fw"), "has deleted job fw"),
    (AccountEnded(), "watched until here"),
    (DeletionRequested("fw", True, "all were there"), "asked for delete-job of fw, by force: all were there"),
    (DeletionAccepted("fw"), "was told that delete-job of fw is taken on"),
    (DeletionRefused("fw", "LimitExceeded", True), "was refused the deletion of fw: LimitExceeded, and will ask again"),
    (DeletionRefused("fw", "InvalidRequest", False), "was refused the deletion of fw: InvalidRequest"),
    (RunStarted("main", "live", ("a", "b")), "began to play main (live) with 2 devices"),
    (DeviceJoined("c", "a", "asked for"), "had c join, to play as a does: asked for"),
    (PaceChanged(1.0, "a is at write", "it was said"), "had the play stand still while a is at write: it was said"),
    (PaceChanged(10.0), "had the play go on, 10 times slower"),
    (PaceChanged(1.0), "had the play go on, as fast as it goes by itself"),
    (PowerCutOff("a", "fault late struck", "fw", "write"), "cut the power of a, at work on fw: fault late struck"),
    (PowerRestored("a"), "gave a its power back"),
    (ProcessEnded("a", "x ended by SIGSEGV", True), "saw a crash, and starts it again: x ended by SIGSEGV"),
    (ProcessEnded("a", "x ended with exit code 0", False), "saw a end, and starts it again: x ended with exit code 0"),
    (ProbeSampled("a", "cmd:./v.sh", True, "2.0"), "found a by cmd:./v.sh alive, at version 2.0"),
    (ProbeSampled("a", "cmd:./v.sh", True, None, "no line"), "found a by cmd:./v.sh alive, at no version: no line"),
    (ProbeSampled("a", "cmd:./v.sh", False, None, "exit code 1"), "found a by cmd:./v.sh dead: exit code 1"),
    (ProbeSampled("a", "cmd:./v.sh", None, None, "slow"), "could not sample a by cmd:./v.sh: slow"),
    (RunEnded("finished"), "ended the run: finished"),
    (RunEnded("timed-out", "fw"), "ended the run: timed-out, while it waited for fw"),
]


@pytest.mark.parametrize(("event", "said"), TABLE, ids=[f"{event.type} {n}" for n, (event, _) in enumerate(TABLE)])
def test_an_event_in_words(event: Event, said: str):
    assert words(event) == said


def test_every_kind_of_event_is_in_that_table():
    assert {type(event) for event, _ in TABLE} == set(_kinds(Event))


def _kinds(union: Any) -> Iterator[Any]:
    for part in get_args(union):
        yield from _kinds(part) if get_args(part) else (part,)


@pytest.mark.parametrize(
    ("source", "who"),
    [("device/a", "a"), ("device/a@lab", "a@lab"), ("cloud", "the cloud"), ("controller", "the controller")],
)
def test_an_entry_says_when_and_who_and_how_it_is_found(source: str, who: str):
    assert told(Entry(source, 7, 1.2345, JobDeleted("fw"))) == f"1.234 s  {who} has deleted job fw  [{source}#7]"
