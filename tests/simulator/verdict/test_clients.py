"""Whether a device is there that has several MQTT clients, some of which come for one question."""

import pytest

from simulator.trace import CLOUD, ClientConnected, ClientDisconnected, ClientSubscribed, CloudEvent
from simulator.verdict.clients import Clients, brings_notifications
from simulator.verdict.seen import Mark, Seen

JOBS = "$aws/things/lamp/jobs"
HEARS = (ClientConnected("lamp"), ClientSubscribed("lamp", (f"{JOBS}/notify-next",)))
ASKS = (ClientConnected("lamp-1"), ClientSubscribed("lamp-1", (f"{JOBS}/$next/get/accepted",)))


def gone(client: str) -> CloudEvent:
    return ClientDisconnected(client, "CONNECTION_LOST")


def is_there(*told: CloudEvent) -> bool:
    clients, there = Clients(("lamp",)), False
    for n, event in enumerate(told):
        for thing, seen in clients.told(Seen(Mark(CLOUD, n, n, n), event)):
            assert thing == "lamp"
            there = isinstance(seen.event, ClientConnected)
    return there


@pytest.mark.parametrize(
    ("told", "there"),
    [
        ((*HEARS, *ASKS), True),
        ((*HEARS, *ASKS, gone("lamp-1")), True),
        ((*HEARS, *ASKS, gone("lamp-1"), gone("lamp")), False),
        ((*HEARS, *ASKS, gone("lamp-1"), gone("lamp"), *HEARS), True),
        ((*HEARS, *ASKS, gone("lamp")), False),
        ((*ASKS, gone("lamp-1")), False),
        ((*ASKS, *HEARS, gone("lamp-1")), True),
    ],
)
def test_who_came_for_one_answer_is_not_missed_while_another_hears(told: tuple[CloudEvent, ...], there: bool):
    assert is_there(*told) is there


@pytest.mark.parametrize(
    ("text", "brings"),
    [
        (f"{JOBS}/notify", True),
        (f"{JOBS}/notify-next-namespace-lab", True),
        (f"{JOBS}/#", True),
        (f"{JOBS}/+", True),
        ("$aws/things/lamp/#", True),
        ("$aws/things/lamp/+/notify-next", True),
        (f"{JOBS}/$next/get/accepted", False),
        (f"{JOBS}/+/get/+", False),
        (f"{JOBS}/start-next/#", False),
        (f"{JOBS}/+/namespace-lab/update/+", False),
    ],
)
def test_a_filter_brings_notifications_or_answers_alone(text: str, brings: bool):
    assert brings_notifications(text) is brings
