"""How long a device was without work after it had lost a job."""

import pytest

from agent.values import ExecutionKey
from simulator.trace import CLOUD, ClientConnected, ClientDisconnected, Event, ExecutionChanged, ExecutionQueued
from simulator.verdict.attendance import Queue, Recovery
from simulator.verdict.seen import Mark, Seen

NEXT = ExecutionKey(None, "fw-next", 1, 1)
QUEUED = ExecutionQueued("pump", NEXT)
BEGUN = ExecutionChanged("pump", NEXT, "IN_PROGRESS", 2, "device")
CONNECTED, GONE = ClientConnected("pump"), ClientDisconnected("pump", "CLIENT_ERROR")
BOUND = 10_000_000


def seconds_without_work(told: list[tuple[float, Event]]) -> float:
    """Of what was told at so many seconds; the job was lost at second one."""
    queue, recovery = Queue(), None
    for n, (at, event) in enumerate(told, 1):
        mark = Mark(CLOUD, n, int(at * 1_000_000))
        queue.after(mark, event)
        if at >= 1:
            recovery = (recovery or Recovery(Mark(CLOUD, 0, 1_000_000), "fw")).after(Seen(mark, event), queue, BOUND)
    assert recovery is not None
    assert recovery.resumed is not None
    return recovery.seconds


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        pytest.param([(0.5, CONNECTED), (1.5, QUEUED), (3, BEGUN)], 2.0, id="connected all the time"),
        pytest.param([(0.5, CONNECTED), (1.2, GONE), (2.5, CONNECTED), (2.6, QUEUED), (3, BEGUN)], 0.5, id="again"),
        pytest.param([(1.5, QUEUED), (3, BEGUN)], 2.0, id="over HTTP, without a connection"),
    ],
)
def test_it_counts_from_the_loss_or_from_the_connection(told: list[tuple[float, Event]], seconds: float):
    assert seconds_without_work(told) == pytest.approx(seconds)
