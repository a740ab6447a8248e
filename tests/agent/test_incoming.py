"""What a message is to a device, and the same where a fleet remembers what its devices were told."""

import ast
from pathlib import Path

import pytest

import agent
from agent.core.events import Answered, Hinted
from agent.errors import WireError
from agent.incoming import Reading, heard
from simulator.devices import models
from simulator.engines.memoised_messages import LIMIT, LONGEST, MemoisedMessages, timeless

JOBS = "$aws/things/lamp/jobs"
NOTIFY = b'{"timestamp": 1, "jobs": {}}'
ACCEPTED = b'{"timestamp": 1, "clientToken": "t"}'


@pytest.fixture(params=["read", "remembered"])
def read(request: pytest.FixtureRequest) -> Reading:
    return heard if request.param == "read" else MemoisedMessages()


@pytest.mark.parametrize(
    ("thing", "topic", "payload", "expected"),
    [
        pytest.param("lamp", f"{JOBS}/notify", NOTIFY, Hinted, id="a notification"),
        pytest.param("lamp", f"{JOBS}/fw/update/accepted", ACCEPTED, Answered, id="an answer"),
        pytest.param("lamp", f"{JOBS}/fw/update", ACCEPTED, None, id="a request of somebody's"),
        pytest.param("pump", f"{JOBS}/notify", NOTIFY, None, id="another thing's, whose name is as long"),
        pytest.param("lam", f"{JOBS}/notify", NOTIFY, None, id="another thing's, whose name goes on"),
        pytest.param("lampshade", f"{JOBS}/notify", NOTIFY, None, id="another thing's, whose name ends before"),
        pytest.param("lamp", "$aws/thingz/lamp/jobs/notify", NOTIFY, None, id="no topic of things"),
        pytest.param("lamp", "lamp", NOTIFY, None, id="a topic of the user's own"),
    ],
)
def test_a_message_is_an_event_of_its_own_thing(
    read: Reading, thing: str, topic: str, payload: bytes, expected: type | None
):
    read("lamp", f"{JOBS}/notify", NOTIFY)
    for _ in range(2):
        event, plainly = read(thing, topic, payload), heard(thing, topic, payload)
        assert event == plainly or event == timeless(plainly)
        assert event is None if expected is None else isinstance(event, expected)


def test_what_cannot_be_read_is_told_of_each_thing(read: Reading):
    for thing in ("lamp", "pump", "lamp"):
        topic = f"$aws/things/{thing}/jobs/notify"
        with pytest.raises(WireError) as caught:
            read(thing, topic, b"{")
        assert caught.value.topic == topic


def test_what_two_devices_are_told_alike_is_read_once():
    read = MemoisedMessages()
    first, second = (read(thing, f"$aws/things/{thing}/jobs/notify", NOTIFY) for thing in ("lamp", "lampshade"))
    assert first is second
    assert read("lamp", f"{JOBS}/notify", NOTIFY.replace(b"{}", b'{"QUEUED": []}')) == first


EXECUTION = (
    b'{"jobId": "fw", "queuedAt": %d, "lastUpdatedAt": %d, "startedAt": %d, "versionNumber": 1, "executionNumber": 1'
)
TOLD = {
    "notify": b'{"timestamp": %d, "jobs": {"QUEUED": [' + EXECUTION + b"}]}}",
    "notify-next": b'{"timestamp": %d, "execution": ' + EXECUTION + b', "status": "QUEUED"}}',
    "start-next/accepted": b'{"timestamp": %d, "execution": ' + EXECUTION + b', "status": "IN_PROGRESS"}}',
    "get/accepted": b'{"timestamp": %d, "inProgressJobs": [], "queuedJobs": [' + EXECUTION + b"}]}",
}


@pytest.mark.parametrize("topic", TOLD)
def test_what_is_told_a_second_later_is_the_same_unless_it_is_of_another_execution(topic: str):
    read = MemoisedMessages()
    first, later, other = (
        read("lamp", f"{JOBS}/{topic}", TOLD[topic] % (at, queued, at, at))
        for at, queued in ((100, 90), (101, 90), (101, 91))
    )
    assert first is later
    assert other is not None
    assert first != other


GOES_BY = [
    *sorted(Path(agent.__file__).parent.glob("core/**/*.py")),
    *(Path(agent.__file__).parent / name for name in ("correlation.py", "runner.py", "device_events.py")),
    *sorted(Path(models.__file__).parent.glob("**/*.py")),
]
"""All by which an agent, or a model of one, decides."""


def test_no_agent_goes_by_the_times_of_the_service():
    reads = [
        f"{path.name}:{node.lineno}"
        for path in GOES_BY
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("timestamp", "last_updated_at", "started_at")
    ]
    assert len(GOES_BY) > 20
    assert reads == []


def test_no_more_is_remembered_than_there_is_room_for():
    read = MemoisedMessages()
    for second in range(LIMIT + 1):
        read("lamp", f"{JOBS}/notify", b'{"timestamp": %d, "jobs": {}}' % second)
    assert len(read._known) == len(read._same) == 1
    read("lamp", f"{JOBS}/fw/update/accepted", ACCEPTED + b" " * LONGEST)
    assert len(read._known) == 1
