"""A conducted connection, and how long it is looked for what it brings."""

import asyncio

from agent.core.events import Event
from agent.runner import Listener
from agent.values import Request, StartNext
from simulator.engines.conductor.connections import ConductedConnection
from simulator.engines.conductor.packets import Wire
from simulator.engines.conductor.sight import PATIENCE_SECONDS, Sight
from simulator.engines.virtual_time import run_virtually
from simulator.trace import CLOUD, Entry, JobDeleted


def stay(delays: tuple[float, ...], held_seconds: float | None, again: bool = False) -> None:
    raise AssertionError("nothing is let go here")


class Below:
    """An engine's connection, whose packets come when they are told to."""

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.sent: list[Request] = []
        self.is_cut = False

    def start(self, listener: Listener) -> None:
        self.listener = listener
        listener.on_connected(False)

    def send(self, request: Request) -> None:
        self.sent.append(request)

    def cut(self) -> None:
        self.is_cut = True

    def interrupt(self, seconds: float) -> None:
        raise AssertionError("nobody does")

    async def stop(self) -> None:
        self.is_cut = True


class Device:
    """Who is told of a connection."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_connected(self, session_present: bool) -> None:
        self.told.append("connected")

    def on_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        self.told.append(reason)

    def on_message(self, topic: str, payload: bytes) -> None:
        self.told.append(topic)

    def feed(self, event: Event) -> None:
        raise AssertionError("messages come as bytes here")


class Stand:
    def __init__(self) -> None:
        self.below: list[Below] = []
        self.wire = Wire(lambda: 0.0, lambda: None, answers_who_left=False)
        self.device = Device()
        self.connection = ConductedConnection(self.wire, self.make)
        self.connection.start(self.device)

    def make(self) -> Below:
        self.below.append(Below())
        return self.below[-1]


def test_it_comes_when_it_is_told_to_and_what_is_sent_before_is_dropped():
    stand = Stand()
    stand.connection.send(StartNext("1"))
    assert not stand.below
    assert stand.device.told == []
    stand.connection.connect()
    stand.connection.send(StartNext("2"))
    assert [request.client_token for request in stand.below[0].sent] == ["2"]
    assert stand.device.told == ["connected"]
    assert stand.wire.is_linked


def test_a_device_that_loses_power_is_gone_once_what_it_sent_has_come_to_the_network():
    stand = Stand()
    stand.connection.connect()
    stand.connection.send(StartNext("1"))
    stand.connection.cut()
    assert not stand.wire.is_linked
    assert not stand.below[0].is_cut
    stand.wire.hold("start-next", stay)
    assert stand.below[0].is_cut
    assert [packet.is_cut_off for packet in stand.wire.up] == [True]
    assert stand.device.told == ["connected"]


def test_what_still_comes_to_who_is_gone_is_nothing_to_it():
    stand = Stand()
    stand.connection.connect()
    stand.connection.on_message("a", b"")
    stand.connection.cut()
    stand.connection.on_message("b", b"")
    assert stand.device.told == ["connected", "a"]
    assert stand.connection.heard == 1


def test_a_connection_that_is_lost_is_told_and_the_next_one_is_another():
    stand = Stand()
    stand.connection.connect()
    stand.connection.lose()
    assert stand.below[0].is_cut
    stand.connection.connect()
    assert stand.device.told == ["connected", "the network is gone", "connected"]
    assert len(stand.below) == 2


def test_one_that_ends_by_itself_is_told_too_and_does_not_come_back_by_itself():
    stand = Stand()
    stand.connection.connect()
    stand.connection.on_disconnected("the gateway is gone", 0.5)
    assert stand.device.told == ["connected", "the gateway is gone"]
    assert stand.below[0].is_cut
    assert not stand.wire.is_linked


def test_what_does_not_come_is_looked_for_for_a_while_and_what_comes_ends_the_wait():
    async def looked_for() -> tuple[bool, bool]:
        sight = Sight()
        before = await sight.changes("that a job is deleted")
        asyncio.get_running_loop().call_later(
            PATIENCE_SECONDS - 0.5, sight.feed, Entry(CLOUD, 1, 0.0, JobDeleted("fw"))
        )
        return before, await sight.changes("that a job is deleted")

    assert run_virtually(looked_for()) == (False, True)
