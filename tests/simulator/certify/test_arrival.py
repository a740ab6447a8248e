"""Who is there by now, and what is missing: by real clients where one can do it, else by what the cloud tells."""

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.certify.arrival import MOST_CLIENTS, MOST_FILTERS, MOST_OTHERS, Arrival
from simulator.certify.offer import Offer, topics_that_count
from simulator.certify.refused_arrival import said_of
from simulator.certify.wrong_topics import LONGEST_SHOWN, hears, wrong_with
from simulator.cloud.notices.refusals import CODES
from simulator.trace import (
    ClientConnected,
    ClientDisconnected,
    ClientRefused,
    ClientSubscribed,
    CloudEvent,
    Entry,
    RequestReceived,
)
from tests.simulator.cloud.mqtt.peers import V5

from .conftest import opened

JOBS = "$aws/things/pump-7/jobs"
CAME, GONE = ClientConnected("pump-7"), ClientDisconnected("pump-7", "CONNECTION_LOST")
TWICE = ClientDisconnected("pump-7", "DUPLICATE_CLIENTID")
SILENT = ClientDisconnected("pump-7", "MQTT_KEEP_ALIVE_TIMEOUT")
OPTION = "start ghostjob certify"


def offer(namespace_id: str | None = None, host: str = "127.0.0.1") -> Offer:
    files = (Path("/c/ca.pem"), Path("/c/pump-7.pem"), Path("/c/pump-7.key"))
    topics = topics_that_count("pump-7", namespace_id)
    return Offer("pump-7", "pump-7", host, None, 8883, 8443, "http://127.0.0.1:4566", *files, topics, namespace_id)


def seen(*events: CloudEvent, namespace_id: str | None = None, host: str = "127.0.0.1") -> Arrival:
    arrival = Arrival(offer(namespace_id, host))
    for number, event in enumerate(events, 1):
        arrival.feed(Entry("cloud", number, number / 10, event))
    return arrival


def listens(*filters: str, name: str = "pump-7", refused: tuple[str, ...] = ()) -> ClientSubscribed:
    return ClientSubscribed(name, filters, refused)


def asks(thing: str = "pump-7", namespace_id: str | None = None, client: str | None = None) -> RequestReceived:
    return RequestReceived(thing, "start-next", namespace_id=namespace_id, client=client)


# ── it is there ───────────────────────────────────────────────────────────────────────────────────────────────

NS = f"{JOBS}/notify-namespace-gg"
THERE = [
    ((CAME, listens(f"{JOBS}/notify")), None, "connected, listens on notify"),
    ((CAME, listens(f"{JOBS}/notify", f"{JOBS}/notify-next")), None, "connected, listens on notify, notify-next"),
    ((CAME, listens(f"{JOBS}/#")), None, "connected, listens on notify, notify-next"),
    ((CAME, listens("$aws/things/+/jobs/notify-next")), None, "connected, listens on notify-next"),
    ((CAME, listens(f"$share/fleet/{JOBS}/notify")), None, "connected, listens on notify"),
    ((CAME, listens(NS)), "gg", "connected, listens on notify-namespace-gg"),
    ((CAME, asks()), None, "connected, asked (start-next)"),
    ((CAME, asks(), GONE), None, "gone (CONNECTION_LOST), asked (start-next)"),
    ((CAME, asks(namespace_id="gg")), "gg", "connected, asked (start-next)"),
    ((asks(),), None, "asked over HTTP (start-next)"),
    (
        (CAME, ClientConnected("pump-7-jobs"), listens(f"{JOBS}/notify", name="pump-7-jobs")),
        None,
        "connected, listens on notify",
    ),
    ((CAME, ClientConnected("pump-7#2"), asks(client="pump-7#2")), None, "connected, asked (start-next)"),
    (
        (CAME, listens(f"{JOBS}/notify"), GONE, ClientConnected("pump-7", session_present=True)),
        None,
        "connected, listens on notify",
    ),
]


@pytest.mark.parametrize(("events", "namespace_id", "says"), THERE)
def test_a_device_that_listens_or_asks_is_there(events: tuple[CloudEvent, ...], namespace_id: str | None, says: str):
    arrival = seen(*events, namespace_id=namespace_id)
    assert (arrival.is_there, arrival.trouble(), arrival.wrong()) == (True, None, None)
    assert arrival.says() == says


NOT_THERE = [
    ((), None, "nothing has connected yet"),
    ((CAME,), None, "connected, has not subscribed to notify nor asked"),
    ((CAME, listens(f"{JOBS}/+/get/accepted")), None, "connected, has not subscribed to notify nor asked"),
    ((CAME, listens("#", "+/things/#")), None, "connected, has not subscribed to notify nor asked"),
    ((CAME, listens(refused=(f"{JOBS}/notify",))), None, "connected, has not subscribed"),
    ((CAME, listens(f"{JOBS}/notify")), "gg", "connected, has not subscribed"),
    ((CAME, listens(NS)), None, "connected, has not subscribed"),
    ((CAME, listens(f"{JOBS}/notify"), GONE), None, "gone (CONNECTION_LOST), has not subscribed"),
    ((CAME, listens(f"{JOBS}/notify"), GONE, CAME), None, "connected, has not subscribed"),
    ((ClientConnected("spy"),), None, "connected as spy, which it is not"),
    ((CAME, asks(client="technician")), None, "connected, has not subscribed"),
    ((ClientConnected("pump-7-jobs"), listens(f"{JOBS}/notify", name="pump-7-jobs")), None, "connected, listens on"),
]


@pytest.mark.parametrize(("events", "namespace_id", "says"), NOT_THERE)
def test_a_device_that_does_neither_is_not(events: tuple[CloudEvent, ...], namespace_id: str | None, says: str):
    arrival = seen(*events, namespace_id=namespace_id)
    assert not arrival.is_there
    assert arrival.says().startswith(says)
    assert arrival.trouble(), "there is always something to say"


async def test_real_devices_are_there_once_they_listen_or_ask(certs: Path):
    async with opened(certs) as world:
        pump = await world.connect(version=V5)
        assert not world.arrival.is_there
        await pump.subscribe(f"{JOBS}/notify-next")
        await world.until(lambda: world.arrival.is_there)
        assert world.arrival.says() == "connected, listens on notify-next"
        pump.client.disconnect()
        await world.until(lambda: not world.arrival.is_there)
        assert world.arrival.says() == "gone (CLIENT_INITIATED_DISCONNECT), has not subscribed to notify nor asked"
        poller = await world.connect()
        poller.client.publish(f"{JOBS}/start-next", b"{}")
        await world.until(lambda: world.arrival.is_there)
        assert world.arrival.says() == "connected, asked (start-next)"


# ── what is missing, or wrong ─────────────────────────────────────────────────────────────────────────────────

TROUBLE = [
    pytest.param(
        (),
        None,
        "nothing has connected to 127.0.0.1 (MQTT with TLS on port 8883, HTTPS on port 8443): is the device on, does it"
        " use this address and port, and does no firewall stand between; if it is another machine, add --host 0.0.0.0?",
        id="never comes",
    ),
    pytest.param(
        (CAME,),
        None,
        f"the device is connected, and neither subscribes to {JOBS}/notify or {JOBS}/notify-next nor asks for its jobs:"
        " has its Jobs client been started?",
        id="is silent",
    ),
    pytest.param(
        (CAME,),
        "gg",
        f"the device is connected, and neither subscribes to {JOBS}/notify-namespace-gg or"
        f" {JOBS}/notify-next-namespace-gg nor asks for its jobs: has its Jobs client been started?",
        id="is silent in a namespace",
    ),
    pytest.param(
        (CAME, listens("aws/things/pump-7/jobs/notify")),
        None,
        "the device is connected and subscribes to aws/things/pump-7/jobs/notify, which does not begin with $aws/:"
        f" topics of Jobs are {JOBS}/…",
        id="without the dollar",
    ),
    *(
        pytest.param(
            (CAME, listens(refused=(f"{begins}/pump-7/jobs/notify",))),
            None,
            f"the device is connected and subscribes to {begins}/pump-7/jobs/notify, which is misspelt: topics of Jobs"
            f" are {JOBS}/…",
            id=begins,
        )
        for begins in ("$aws/thing", "$aws")
    ),
    pytest.param(
        (CAME, listens(f"{JOBS}/notify-next/")),
        None,
        f"the device is connected and subscribes to {JOBS}/notify-next/, which is no topic of Jobs: notifications come"
        f" on {JOBS}/notify and {JOBS}/notify-next",
        id="a slash too many",
    ),
    pytest.param(
        (CAME, listens(f"{JOBS}/notifyNext", f"{JOBS}/+/get/accepted")),
        None,
        f"the device is connected and subscribes to {JOBS}/notifyNext, which is no topic of Jobs",
        id="misspelt",
    ),
    pytest.param(
        (CAME, listens(f"{JOBS}/notify")),
        "gg",
        f"the device is connected and subscribes to {JOBS}/notify, which is of the default namespace, and this session"
        f" is of the namespace gg: subscribe to {NS} or {JOBS}/notify-next-namespace-gg, or {OPTION}"
        " without --namespace-id",
        id="the default namespace",
    ),
    pytest.param(
        (CAME, listens(NS)),
        None,
        f"the device is connected and subscribes to {NS}, which is of the namespace gg, and this session is of the"
        f" default namespace: subscribe to {JOBS}/notify or {JOBS}/notify-next, or {OPTION} with --namespace-id gg",
        id="a namespace",
    ),
    pytest.param(
        (CAME, listens(f"{JOBS}/+/notify-namespace-gg/")),
        "gg",
        f"the device is connected and subscribes to {JOBS}/+/notify-namespace-gg/, which is a form that AWS documents,"
        f" and on which no known client relies: subscribe to {NS} or ",
        id="the documented form",
    ),
    pytest.param(
        (CAME, listens(f"{JOBS}/+/namespace-gg/get/accepted")),
        None,
        f"the device is connected and subscribes to {JOBS}/+/namespace-gg/get/accepted, which is of the namespace gg",
        id="answers of a namespace",
    ),
    pytest.param(
        (CAME, asks("pump-8", client="pump-7")),
        None,
        "the device asks for jobs of the thing pump-8, and this session is about pump-7",
        id="asks for another thing",
    ),
    pytest.param(
        (CAME, asks(namespace_id="gg")),
        None,
        f"the device asks for jobs in the namespace gg: {OPTION} with --namespace-id gg, or change the device",
        id="asks in a namespace",
    ),
    pytest.param(
        (CAME, asks()),
        "gg",
        f"the device asks for jobs in the default namespace: {OPTION} without --namespace-id, or change the device",
        id="asks in the default namespace",
    ),
    pytest.param(
        (*(CAME, TWICE) * 3, CAME),
        None,
        "two clients use the client id pump-7 and end each other's connection, again and again: is another device, or"
        " an older process of it, still running with this certificate?",
        id="two of one id",
    ),
    pytest.param(
        (CAME, SILENT) * 3,
        None,
        "the device has connected and left 3 times: it is silent for longer than its keep-alive: have its MQTT client"
        " send PINGREQ",
        id="no pings",
    ),
    pytest.param(
        (CAME, GONE) * 5,
        None,
        "the device has connected and left 5 times: the connection breaks without a DISCONNECT: the device's own log",
        id="comes and goes",
    ),
    pytest.param((CAME, GONE), None, "the device was connected, and is gone: the connection breaks", id="is gone"),
    pytest.param(
        (ClientConnected("mqttjs_1"),),
        None,
        "a client is connected as mqttjs_1: a device is known by the client id pump-7; set that, at least for the"
        " connection that its Jobs client uses",
        id="a stranger",
    ),
    pytest.param(
        (ClientConnected("pump-7-jobs"), asks(client="pump-7-jobs")),
        None,
        "a client is connected as pump-7-jobs: a device is known by the client id pump-7",
        id="a further connection alone",
    ),
]


@pytest.mark.parametrize(("events", "namespace_id", "sentence"), TROUBLE)
def test_what_is_missing_is_told_with_what_to_do(
    events: tuple[CloudEvent, ...], namespace_id: str | None, sentence: str
):
    told = seen(*events, namespace_id=namespace_id).trouble() or ""
    assert told.startswith(sentence), told


def test_a_device_whose_clock_is_wrong_is_asked_for_the_time():
    alert = "the client does not accept the cloud's certificate: certificate expired"
    assert said_of(ClientRefused("server-not-trusted", "tls", "", alert), offer()) == (
        "a client does not accept the cloud's certificate (certificate expired): is the device's clock right?"
    )


def test_what_is_not_there_yet_is_not_wrong_yet():
    assert seen().wrong() is None
    assert seen(CAME).wrong() is None
    assert seen(CAME, GONE).wrong() is None


def test_on_the_network_nobody_is_sent_back_to_loopback():
    assert "--host" not in (seen(host="192.0.2.9").trouble() or "")


async def test_two_real_devices_with_one_id_are_told_from_one(certs: Path):
    async with opened(certs) as world:
        for _ in range(4):
            await world.connect(version=V5)
        await world.until(world.arrival.wrong)
        assert (world.arrival.wrong() or "").startswith("two clients use the client id pump-7")


async def test_real_clients_on_the_plain_port_are_told_when_they_are_somebody_else(certs: Path):
    async with opened(certs, mqtt_port=0) as world:
        spy = await world.connect("spy", V5, plain=True)
        await spy.subscribe(f"{JOBS}/notify")
        assert (world.arrival.trouble() or "").startswith("a client is connected as spy: a device is known by")
        pump = await world.connect(version=V5, plain=True)
        pump.client.publish("$aws/things/pump-8/jobs/get", b"{}")
        await world.until(world.arrival.wrong)
        assert world.arrival.wrong() == (
            "the device asks for jobs of the thing pump-8, and this session is about pump-7"
        )


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        (
            (f"{JOBS}/notify-next/",),
            f"the device is connected and subscribes to {JOBS}/notify-next/, which is no topic of",
        ),
        ((NS,), f"the device is connected and subscribes to {NS}, which is of the namespace gg"),
        ((f"{JOBS}/start-next/+",), "the device is connected, and neither subscribes to"),
    ],
)
async def test_real_devices_on_topics_where_nothing_comes(certs: Path, filters: tuple[str, ...], sentence: str):
    async with opened(certs) as world:
        pump = await world.connect(version=V5)
        await pump.subscribe(*filters)
        assert (world.arrival.trouble() or "").startswith(sentence)


# ── what is over is over ──────────────────────────────────────────────────────────────────────────────────────

DISTRUST = ClientRefused("server-not-trusted", "tls", "", "the client does not accept", address="10.0.0.9")
SHADOW = ClientRefused("not-allowed", "iot:Subscribe", "topicfilter/$aws/things/pump-7/shadow/get", "no", "pump-7")


def test_a_handshake_that_failed_is_forgotten_once_the_device_is_in():
    assert "10.0.0.9" in (seen(DISTRUST).wrong() or "")
    assert seen(DISTRUST).says() == "nothing has connected yet; refused: the client does not accept"
    assert seen(DISTRUST, CAME).wrong() is None


def test_who_knocks_at_the_door_is_nothing_to_a_device_that_is_there():
    assert seen(CAME, DISTRUST).wrong() is None
    assert seen(asks(), DISTRUST).wrong() is None


def test_what_policies_forbid_is_told_of_a_device_that_is_there_too():
    arrival = seen(CAME, SHADOW, listens(f"{JOBS}/notify"))
    assert (arrival.is_there, arrival.trouble()) == (True, None)
    assert "may not subscribe to $aws/things/pump-7/shadow/get" in (arrival.wrong() or "")


def test_waiting_again_begins_anew_with_who_listens():
    arrival = seen(CAME, TWICE, CAME, TWICE, SHADOW, asks(), CAME, listens(f"{JOBS}/notify"))
    arrival.anew()
    assert (arrival.wrong(), arrival.is_there, arrival.says()) == (None, True, "connected, listens on notify")
    arrival.feed(Entry("cloud", 9, 1.0, GONE))
    assert not arrival.is_there


def test_a_device_that_subscribes_anew_for_each_job_still_listens():
    own = [listens(f"{JOBS}/fw-{number}/get/accepted", f"{JOBS}/fw-{number}/update/accepted") for number in range(500)]
    assert seen(CAME, listens(f"{JOBS}/notify"), *own).says() == "connected, listens on notify"


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = st.one_of(st.sampled_from(["pump-7", "pump-7-2", "x"]), st.text(max_size=300), st.text().map("pump-7-".__add__))
TEXTS = st.one_of(
    NAMES, st.builds("/".join, st.lists(st.sampled_from([*f"{NS}/+/#/$share".split("/"), ""]), max_size=9))
)
EVENTS: Any = st.one_of(
    st.builds(ClientConnected, NAMES, st.booleans()),
    st.builds(ClientDisconnected, NAMES, TEXTS),
    st.builds(ClientSubscribed, NAMES, st.lists(TEXTS, max_size=9).map(tuple), st.lists(TEXTS, max_size=2).map(tuple)),
    st.builds(
        ClientRefused,
        st.one_of(st.sampled_from(sorted(CODES)), TEXTS),
        st.sampled_from(["iot:Connect", "iot:Publish", "iot:Subscribe", "iotjobsdata:x", "http", "tls", ""]),
        st.one_of(TEXTS, TEXTS.map("topic/".__add__)),
        TEXTS,
        NAMES,
        hint=st.one_of(st.none(), TEXTS),
    ),
    st.builds(asks, NAMES, st.one_of(st.none(), NAMES), st.one_of(st.none(), NAMES)),
)


@given(st.lists(EVENTS, max_size=30), st.sampled_from([None, "gg"]))
def test_whatever_a_peer_sends_is_said_in_a_printable_line(events: list[CloudEvent], namespace_id: str | None):
    arrival = seen(*events, namespace_id=namespace_id)
    for said in (arrival.says(), arrival.trouble(), arrival.wrong()):
        assert said is None or (said.isprintable() and len(said) < 1200), said
    assert (arrival.trouble() is None) == arrival.is_there


def test_who_listens_is_known_however_many_come_and_go_beside_it():
    passing = [(ClientConnected(name := f"pump-7-{number}"), ClientDisconnected(name, "LOST")) for number in range(40)]
    listens = ClientSubscribed("pump-7", ("$aws/things/pump-7/jobs/notify-next",))
    arrival = seen(ClientConnected("pump-7"), listens, *(event for pair in passing for event in pair))
    assert arrival.is_there
    assert len(arrival._clients) <= MOST_CLIENTS


def test_a_thousand_kinds_of_nonsense_take_no_more_room():
    arrival = seen()
    for number in range(1000):
        name = f"pump-7-{number}"
        for event in (
            ClientConnected(name),
            ClientConnected(f"stranger-{number}"),
            ClientSubscribed("pump-7", tuple(f"{number}/{each}" for each in range(8))),
            ClientSubscribed(name, (f"{number}",), (f"{number}",)),
            asks(f"other-{number}", f"{number}", client="pump-7"),
            ClientDisconnected(name, f"REASON-{number}"),
            ClientRefused(f"code-{number}", "mqtt", "x" * 200, "y" * 200, name),
        ):
            arrival.feed(Entry("cloud", number, 0.0, event))
    assert len(arrival._clients) <= MOST_CLIENTS
    kept = [(each.listens, each.others, each.refused) for each in arrival._clients.values()]
    assert all(len(filters) <= MOST_FILTERS for each in kept for filters in each)
    assert max(len(arrival._strangers), len(arrival._elsewhere)) <= MOST_OTHERS
    assert len(arrival._ends) < 20
    assert sys.getsizeof(arrival.trouble()) < 2000


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_refusal_has_a_sentence_that_says_who(code: str):
    said = said_of(ClientRefused(code, "mqtt", "topic/a", "because", "pump-7", address="10.0.0.9"), offer())
    assert said.startswith("the client pump-7 from 10.0.0.9 ")
    assert "None" not in said


@pytest.mark.parametrize("code", sorted(CODES))
def test_no_control_character_of_a_refusal_reaches_the_terminal(code: str):
    event = ClientRefused(code, "mqtt", "topic/a\x1f", "b\x1fc", "pump\x1f", address="10.0.0.9", hint="\x1f")
    said = said_of(event, offer())
    assert said.isprintable(), said


@pytest.mark.parametrize("hint", [None, "this is HTTP", "this is TLS", "this is MQTT"])
@pytest.mark.parametrize("code", ["not-mqtt", "not-http"])
def test_nobody_is_sent_to_a_port_that_is_closed(code: str, hint: str | None):
    closed = replace(offer(), data_port=None, mqtts_port=None, mqtt_port=1883)
    said = said_of(ClientRefused(code, "mqtt", "", "because", hint=hint), closed)
    assert "None" not in said
    assert "opens one" in said or "CONNECT" in said
    assert "None" not in (Arrival(closed).trouble() or "")


@pytest.mark.parametrize("topic", [*topics_that_count("pump-7", None), f"{JOBS}/#", f"{JOBS}/+/update/rejected"])
def test_right_topics_have_nothing_wrong_with_them(topic: str):
    assert wrong_with(topic.replace("JOB-ID", "+"), "pump-7", None) is None


@pytest.mark.parametrize("topic", topics_that_count("pump-7", "gg"))
def test_right_topics_of_a_namespace_have_not_either(topic: str):
    assert wrong_with(topic.replace("JOB-ID", "fw"), "pump-7", "gg") is None


@pytest.mark.parametrize("topic", ["dut/pump-7/version", "telemetry/x", "jobs", "things/pump-7/state"])
def test_topics_that_are_not_of_jobs_are_nobodys_mistake(topic: str):
    assert wrong_with(topic, "pump-7", None) is None


def test_a_filter_with_a_wildcard_in_the_middle_is_read_as_mqtt_reads_it():
    assert hears("$aws/+/pump-7/jobs/notify", "pump-7", None) == (f"{JOBS}/notify",)
    assert hears("$aws/things/pump-7/jobs/notify/#", "pump-7", None) == (f"{JOBS}/notify",)
    assert hears("$aws/things/pump-7/jobs/+/+", "pump-7", None) == ()


def test_texts_from_outside_are_cut():
    long = "x" * 5000
    said = said_of(ClientRefused("not-allowed", "iot:Publish", f"topic/{long}", long, long, address="a"), offer())
    assert said.count("x") < 4 * LONGEST_SHOWN
    assert {each.name for each in fields(ClientRefused)} >= {"hint", "why"}
