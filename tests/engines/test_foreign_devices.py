"""A scenario played by devices that are not ghostjob's: who they are and what they do, the cloud alone tells."""

import asyncio
import json
import queue
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.errors import InputError
from simulator.engines.judged import JudgedPlay
from simulator.engines.live import LiveVenue
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario, load, parse
from simulator.trace import (
    PROBE,
    ClientConnected,
    ClientSubscribed,
    CloudListening,
    Entry,
    ExecutionRemoved,
    ProbeSampled,
    RequestReceived,
    RunEnded,
    RunStarted,
    Sink,
)
from simulator.verdict import Verdict

WAIT = 60
LAMP = "lamp"
DELETED_IN_WRITE = """
name: deleted-in-write
devices: [{group: all}]
jobs:
  - {id: fw, to: [all], version: "2.0"}
  - {id: fw, to: [all], version: "2.1", after: {deletion_of: fw, until: gone}}
deletions: [{job: fw, when: {step: write, progress: 50}}]
must_reach:
  - {place: deleted-in-step, job: fw, step: write}
  - {place: reused-id, job: fw}
  - {place: recovered, job: fw}
cloud: {deletion_seconds: 1.2}    # so that the two jobs of one id are not of one second, which nobody could tell apart
bounds: {detection_seconds: 1}
time_limit_seconds: 60
"""


class Firmware:
    """Somebody's device, on a thread of its own, with paho alone."""

    def __init__(self, endpoint: str) -> None:
        self._told: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, LAMP)
        self._client.on_message = lambda _, __, message: self._told.put(
            (message.topic.partition("/jobs/")[2], json.loads(message.payload))
        )
        self._client.on_connect = lambda *_: self._client.subscribe(f"$aws/things/{LAMP}/jobs/notify-next", 1)
        self._client.on_subscribe = lambda *_: self._told.put(("subscribed", None))
        host, _, port = endpoint.rpartition(":")
        self._client.connect(host, int(port))
        self._client.loop_start()
        self._until("subscribed")

    def ask(self, what: str, **body: Any) -> Any:
        """The answer to a request; what is told meanwhile has been heard."""
        self._client.publish(f"$aws/things/{LAMP}/jobs/{what}", json.dumps(body), qos=1)
        return self._until(f"{what}/accepted", f"{what}/rejected")

    def take(self) -> str:
        """Start the next job, once there is one: the version that it asks for."""
        while "execution" not in (told := self.ask("start-next")):
            self._until("notify-next")
        return str(told["execution"]["jobDocument"]["version"])

    def report(self, status: str, **details: str) -> Any:
        return self.ask("fw/update", status=status, statusDetails=details)

    def is_told_of_a_change(self) -> None:
        self._until("notify-next")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _until(self, *topics: str) -> Any:
        while (told := self._told.get(timeout=WAIT))[0] not in topics:
            pass
        return told[1]


def recovers(device: Firmware) -> None:
    assert device.take() == "2.0"
    device.report("IN_PROGRESS", step="download", progress="100")
    device.report("IN_PROGRESS", step="write", progress="50")
    device.is_told_of_a_change()
    assert device.ask("fw/get")["code"] == "ResourceNotFound"
    assert device.take() == "2.1"
    device.report("SUCCEEDED")


def haunts(device: Firmware) -> None:
    assert device.take() == "2.0"
    device.report("IN_PROGRESS", step="write", progress="50")
    device.is_told_of_a_change()
    for percent in range(60, 100, 10):
        device.report("IN_PROGRESS", step="write", progress=str(percent))
    while device.take() != "2.1":
        pass
    device.report("SUCCEEDED")


async def played(behave: Any) -> tuple[Verdict, list[Entry]]:
    scenario = parse(DELETED_IN_WRITE)
    entries: list[Entry] = []
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def look(entry: Entry) -> None:
        entries.append(entry)
        if isinstance(entry.event, CloudListening):
            listening.set_result(entry.event.endpoints["mqtt"] or "")

    async def device() -> None:
        endpoint = await listening
        firmware = await asyncio.to_thread(Firmware, endpoint)
        await asyncio.to_thread(behave, firmware)
        await asyncio.to_thread(firmware.close)

    with JudgedPlay(scenario, LiveVenue(scenario, 1), [LAMP], seed=1, also=(look,)) as run:
        result, _ = await asyncio.gather(run.result(), device())
        assert run.play.fleet is None
    return result.verdict, entries


async def test_a_device_of_somebody_elses_that_recovers_passes_by_what_the_wire_shows():
    verdict, entries = await played(recovers)
    assert verdict.outcome == "passed", verdict.model_dump_json(indent=1)
    assert (verdict.devices, verdict.recovered) == (1, 1)
    assert {place.id: (place.devices, place.of) for place in verdict.reached} == {
        "deleted-in-step fw write": (1, 1),
        "reused-id fw": (1, 1),
        "recovered fw": (1, 1),
    }
    assert {entry.source for entry in entries} == {"cloud", "controller", "engine"}


async def test_one_that_ignores_the_deletion_is_found_out():
    verdict, _ = await played(haunts)
    assert verdict.outcome == "failed"
    assert "no-ghost-update" in {each.id for each in verdict.invariants if each.outcome == "violated"}


def test_a_device_that_does_not_come_is_waited_for_and_named():
    entries: list[Entry] = []
    scenario = parse(DELETED_IN_WRITE)
    run_virtually(Play(scenario, [LAMP, "pump"], 1, entries.append, VirtualVenue(scenario, 1)).play())
    (ended,) = [entry.event for entry in entries if isinstance(entry.event, RunEnded)]
    assert ended == RunEnded("timed-out", "every device to connect: lamp, and 1 more")


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(ClientConnected(LAMP), id="a client of its name connects"),
        pytest.param(RequestReceived(LAMP, "get-pending"), id="it asks over HTTP"),
        pytest.param(RequestReceived(LAMP, "get-pending", client="x-1"), id="it asks by another client id"),
        pytest.param(ClientSubscribed("x-1", ("$aws/things/lamp/jobs/notify",)), id="a client listens for it"),
        pytest.param(ClientSubscribed("x-1", ("a/b", "$aws/things/lamp/#")), id="a client listens to all of it"),
    ],
)
def test_a_device_has_come_when_the_cloud_has_seen_it(seen: Any):
    play = Play(parse(DELETED_IN_WRITE), [LAMP], 1, lambda entry: None, VirtualVenue(parse(DELETED_IN_WRITE), 1))
    players = play._players
    players.feed(Entry("cloud", 1, 0.0, ClientConnected("somebody")))
    players.feed(Entry("cloud", 1, 0.0, RequestReceived("pump", "get-pending", client="somebody")))
    players.feed(Entry("cloud", 1, 0.0, ClientSubscribed("somebody", ("$aws/things/+/jobs/notify", "lamp/jobs"))))
    players.feed(Entry("cloud", 1, 0.0, ClientSubscribed("somebody", ("$aws/things/lamp/shadow/update", "#"))))
    assert not players.are_there
    players.feed(Entry("cloud", 2, 0.0, seen))
    assert players.are_there


def test_what_is_seen_between_the_end_and_the_verdict_counts():
    scenario = parse(DELETED_IN_WRITE)
    venue = VirtualVenue(scenario, 1)
    entries: list[Entry] = []
    samples = ((0.0, True), (1.0, False), (1.0 + 2 * scenario.bounds.silence_seconds, False))

    async def look(sink: Sink, is_failed: bool) -> None:
        assert not is_failed, "as yet"
        for number, (at, is_alive) in enumerate(samples, 1):
            sink(Entry(PROBE, number, at, ProbeSampled(LAMP, "cmd:it", is_alive)))

    versions = {"fw": ("2.0", "2.1")}
    with JudgedPlay(scenario, venue, [LAMP], also=(entries.append,), versions=versions, last_look=look) as run:
        verdict = run_virtually(run.result()).verdict
    assert [entry.event.versions for entry in entries if isinstance(entry.event, RunStarted)] == [versions]
    (alive,) = [each for each in verdict.invariants if each.id == "alive"]
    assert alive.violations[0].events == ("probe#2", "probe#3")


def test_what_a_device_does_after_a_deletion_is_awaited():
    async def rests() -> list[bool]:
        scenario = parse(DELETED_IN_WRITE)
        players = Play(scenario, [LAMP], 1, lambda entry: None, VirtualVenue(scenario, 1))._players
        found = [players.all_rest()]
        players.feed(Entry("cloud", 1, 0.0, ExecutionRemoved(LAMP, None, "IN_PROGRESS")))  # type: ignore[arg-type]
        for seconds in (0.0, 0.9, 0.2):
            await asyncio.sleep(seconds)
            found.append(players.all_rest())
        return found

    assert run_virtually(rests()) == [True, False, False, True]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            "deletions: [{job: fw, when: {step: write}, hold: true}]",
            "deletions.0.hold: is for ghostjob's own devices, and those that play are not: "
            "who is in a step cannot be held there; leave it out",
        ),
        ("power_cuts: [{step: write}]", "power_cuts: is for ghostjob's own devices"),
        ("outages: [{step: write}]", "outages: is for ghostjob's own devices"),
    ],
)
def test_what_can_be_done_to_our_own_devices_only_is_refused(more: str, says: str):
    scenario = parse(f"name: x\ndevices: [{{group: all}}]\njobs: [{{id: fw, to: [all], version: '2.0'}}]\n{more}\n")
    with pytest.raises(InputError) as refused:
        Play(scenario, [LAMP], 1, lambda entry: None, VirtualVenue(scenario, 1))
    assert str(refused.value).startswith(says)


def test_the_main_scenario_holds_its_devices():
    scenario: Scenario = load("main")
    with pytest.raises(InputError, match=r"deletions\.0\.hold"):
        Play(scenario, [LAMP], 1, lambda entry: None, VirtualVenue(scenario, 1))


@pytest.mark.parametrize(
    ("things", "says"),
    [((), "devices: there is none"), ((LAMP, "pump", LAMP), "devices: lamp stands there twice")],
)
def test_a_run_is_of_devices_that_are_named_once(things: tuple[str, ...], says: str):
    scenario = parse(DELETED_IN_WRITE)
    with pytest.raises(InputError, match=says):
        Play(scenario, things, 0, lambda _: None, LiveVenue(scenario, 0))
