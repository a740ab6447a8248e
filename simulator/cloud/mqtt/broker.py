"""The MQTT broker without a loop: every client, and what comes of its packets. It knows MQTT, not Jobs.

    protocol               one connection: bytes in, packets out, and the way back
    client                 who is at its other end, and what he gets
    connecting, publishing, subscribing    what his packets bring about
    router                 who gets which message
    sessions               who comes and goes, and what waits for whom
    sweeping               what has to be looked at once a second
    scheduler              what is to be done in another turn

Whoever carries bytes gives them to `receive`, with the time; `attend` of each client tells him when there is something
to send. The time is seconds of any clock; what has to be done without anything coming in is done by `scheduler.run`.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, assert_never

from simulator.cloud.contained import tell_fault
from simulator.cloud.mqtt.authorization import Credential
from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.connecting import connect
from simulator.cloud.mqtt.context import BrokerContext
from simulator.cloud.mqtt.encode import PINGRESP
from simulator.cloud.mqtt.fan_out import AT_ONCE
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.network import Network, Peer
from simulator.cloud.mqtt.packets import (
    Connect,
    Disconnect,
    Malformed,
    Packet,
    PacketType,
    PingReq,
    PubAck,
    Publish,
    Reason,
    Subscribe,
    Unsubscribe,
)
from simulator.cloud.mqtt.presence import Presence
from simulator.cloud.mqtt.protocol import NotMqttError
from simulator.cloud.mqtt.publishing import publish
from simulator.cloud.mqtt.reserved_topics import ReservedTopics
from simulator.cloud.mqtt.router import Router
from simulator.cloud.mqtt.scheduler import Scheduler
from simulator.cloud.mqtt.session import Session
from simulator.cloud.mqtt.sessions import Sessions
from simulator.cloud.mqtt.shared_subscriptions import Draw
from simulator.cloud.mqtt.subscribing import subscribe, unsubscribe
from simulator.cloud.mqtt.sweeping import Sweeper
from simulator.cloud.notices.refusals import Code, Tell, tell_nobody

CODES: Final[dict[Reason, Code]] = {
    Reason.UNSUPPORTED_PROTOCOL_VERSION: "protocol-version",
    Reason.CLIENT_IDENTIFIER_NOT_VALID: "client-id",
    Reason.TOPIC_FILTER_INVALID: "topic",
    Reason.TOPIC_NAME_INVALID: "topic",
    Reason.PACKET_TOO_LARGE: "too-large",
    Reason.QUOTA_EXCEEDED: "quota",
    Reason.QOS_NOT_SUPPORTED: "qos-2",
}
"""How it is told that the peer's bytes may not come here; what is not listed is malformed."""
ACTIONS: Final[dict[int, str]] = {PacketType.PUBLISH: "iot:Publish", PacketType.SUBSCRIBE: "iot:Subscribe"}
"""What a packet asks for, in the words of policies."""
MOST_HEARD_OUT: Final = 100
"""Connections that are lost, and of which something that came waits for its turn: half a MiB each at most, and no file
descriptor that would bound them. Of one more, the rest of what the first had said is not heard."""


class Broker:
    """`clock` gives epoch seconds and `new_id` identifiers, for lifecycle events; `draw` chooses members of shared
    subscriptions; `at_once` is how many may get a message at once."""

    def __init__(
        self,
        service: ReservedTopics,
        settings: GatewaySettings,
        scheduler: Scheduler,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        draw: Draw,
        network: Network | None = None,
        tell: Tell = tell_nobody,
        at_once: int = AT_ONCE,
    ) -> None:
        self.context = context = BrokerContext(service, settings, scheduler, tell=tell)
        self.router = Router(context, draw, at_once)
        self.presence = Presence(
            lambda topic, payload: self.router.publish_now(topic, payload, 1, None, None, 0),
            lambda topic: settings.lifecycle_events and self.router.is_heard(topic),
            clock,
            new_id,
            float(settings.persistent_seconds),
            lambda notice: context.tell(notice),
        )
        self.sessions = Sessions(self.router, self.presence)
        self.clients: dict[Client, None] = {}
        """Those that are there, with a session or without one yet."""
        self.sweeper = Sweeper(self.clients, self.sessions)
        self._heard_out: dict[Client, None] = {}
        """Those whose connections are lost, and who still have something to say, in the order in which they were."""
        self._leaving: dict[Client, None] = {}
        """Those whose connections are lost, and who are still to be seen off, in the order in which they were."""
        self._leaving_since = float("-inf")
        """By the stopwatch, when the first of those left who leave in this moment."""
        self.publish = self.router.publish
        self.put_behind(network)

    # ── connections ───────────────────────────────────────────────────────────────────────────────────────────

    def open(
        self,
        now: float,
        attend: Callable[[], int] = lambda: 0,
        address: str = "",
        credential: Credential | None = None,
        lasts: float | None = None,
    ) -> Client:
        """Somebody connected, and must send a CONNECT. `attend` is as Client has it; `credential` is what he proved.

        `lasts`: after so many seconds the connection ends; None: never for that reason.
        """
        self.context.has_come(now)
        ends_at = None if lasts is None else self.context.now + lasts
        client = Client(self.context, attend, self._ended, address, credential, ends_at)
        self.clients[client] = None
        self.context.strangers.came(client, lambda: client.end("CONNECT_TIMEOUT"))
        return client

    def receive(self, client: Client, data: bytes, now: float) -> None:
        """Handle what came, for a while; the others have their turn soon."""
        protocol = client.protocol
        if protocol.is_over:
            return
        context = self.context
        if now > context.now:
            context.now = now
        if protocol.unread:
            protocol.receive(data)
        else:  # as nearly always, and for the price of nothing
            protocol.unread = data
        if not client.has_more:
            self._handle_for_a_while(client)

    def lost(self, client: Client, now: float) -> None:
        """Its carrier has lost it: it is over once all that came has been handled."""
        self.context.has_come(now)
        if client.session is None:
            if client.is_unheard:
                client.forget_unheard()
            self._ended(client, "CONNECTION_LOST")
            return
        if not client.has_more:
            self._departed(client)
            return
        self._heard_out[client] = None
        if len(self._heard_out) > MOST_HEARD_OUT:
            first = next(iter(self._heard_out))
            why = f"{MOST_HEARD_OUT} clients left while what they sent waits: the rest of the first's is not heard"
            first.tell("quota", "mqtt", "", why)
            first.end("CONNECTION_LOST")

    def _departed(self, client: Client) -> None:
        """See it off at once; of many in one moment, those beyond a turn's time in the turns that follow.

        Four hundred who have fifty subscriptions each would hold everybody for 40 ms.
        """
        scheduler = self.context.scheduler
        at, turn = scheduler.stopwatch(), scheduler.turn_seconds
        if not self._leaving and at - self._leaving_since >= 2 * turn:
            self._leaving_since = at
        if not self._leaving and at - self._leaving_since < turn:
            self._ended(client, "CONNECTION_LOST")
            return
        self._leaving[client] = None
        scheduler.soon(self._see_off)

    def _see_off(self) -> None:
        scheduler, leaving = self.context.scheduler, self._leaving
        ends = scheduler.turn_ends()
        while leaving:
            self._ended(next(iter(leaving)), "CONNECTION_LOST")
            if scheduler.stopwatch() >= ends:
                break
        if leaving:
            scheduler.soon(self._see_off)

    # ── a network that a scenario has between ─────────────────────────────────────────────────────────────────

    def put_behind(self, network: Network | None) -> None:
        """From now on messages come and go through this one; None: as they are sent."""
        self.context.network = network
        if network is not None:
            network.cut, network.reopened = self.cut, self.reach_again
        self.reach_again()

    def cut(self, _thing: str, belongs: Callable[[Peer], bool]) -> list[Peer]:
        """End the connections that belong to a thing as if its network were dead; whose they were."""
        ended: list[Peer] = []
        for client in tuple(self.clients):
            if client.session is not None and belongs(peer := client.peer()):
                ended.append(peer)
                client.cut()
                self.sessions.may_come_back(peer.client_id)
        return ended

    def reach_again(self) -> None:
        """Drop those who were not heard, and may be now: they come again."""
        network = self.context.network
        for client in tuple(self.context.unheard):
            if network is None or not network.is_dead_for(client.peer()):
                client.cut()

    def part_with(self, clients: Iterable[Client]) -> None:
        """The cloud shuts down: end these."""
        for client in tuple(clients):
            client.refuse(Reason.SERVER_SHUTTING_DOWN, "SERVER_INITIATED_DISCONNECT")

    def _ended(self, client: Client, reason: str) -> None:
        """It is over; `reason` is a disconnectReason of AWS's lifecycle events."""
        client.protocol.close()
        self._heard_out.pop(client, None)
        self._leaving.pop(client, None)
        if self.clients.pop(client, 0) == 0:
            return
        self.context.strangers.known(client)
        self.context.commits.forget(client)
        self.sessions.left(client, reason)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, now: float) -> None:
        """One turn of what is to be done without anything coming in."""
        context = self.context
        context.now = max(context.now, now)
        context.scheduler.run(now)

    def sweep(self, now: float) -> None:
        """Do at once what the sweeper does in turns."""
        for _ in self.sweeper.sweeping(now):
            pass

    # ── packets ───────────────────────────────────────────────────────────────────────────────────────────────

    def _handle_for_a_while(self, client: Client) -> None:
        """Handle packets until there are no more, or others have to have their turn."""
        protocol, router, now, fan_out = client.protocol, self.router, self.context.now, self.router.fan_out
        promised, ends, later = fan_out.promised, 0.0, None
        client.is_in_turn = True
        try:
            packet = client.postponed or protocol.next_packet(now)
            while packet is not None:
                if type(packet) is Publish:
                    publish(router, client, packet)
                else:
                    self._handle(client, packet)
                    if packet is client.postponed:
                        later = self.context.scheduler.soon
                        break
                if client.session is None:  # it is over
                    break
                if fan_out.promised != promised and fan_out.is_behind:
                    later = fan_out.when_caught_up
                    break
                if not protocol.unread:
                    break
                scheduler = self.context.scheduler
                ends = ends or scheduler.turn_ends()
                if scheduler.stopwatch() >= ends:
                    later = scheduler.soon
                    break
                packet = protocol.next_packet(now)
            if later is not None:
                client.has_more = True
                later(partial(self._go_on, client))
        except Exception as error:  # whatever it is: others go on
            _end(client, error)
        client.is_in_turn = False
        client.attend()

    def _go_on(self, client: Client) -> None:
        client.has_more = False
        if client.protocol.is_over:  # it was told to go meanwhile
            return
        self._handle_for_a_while(client)
        if not client.has_more and client in self._heard_out:
            self._ended(client, "CONNECTION_LOST")

    def _handle(self, client: Client, packet: Packet) -> None:
        session = client.session
        if session is None:
            assert isinstance(packet, Connect), "the first packet is one"
            client.postponed = None if connect(self.sessions, client, packet) else packet
            return
        match packet:
            case PubAck(packet_id=packet_id):
                self._acknowledged(client, session, packet_id)
            case PingReq():
                client.send(PINGRESP)
            case Subscribe():
                subscribe(self.router, self.presence, client, session, packet)
            case Unsubscribe():
                unsubscribe(self.router, self.presence, client, session, packet)
            case Disconnect():
                self._leave(client, session, packet)
            case Connect():
                raise Malformed(Reason.PROTOCOL_ERROR, "a second CONNECT")
            case Publish():
                publish(self.router, client, packet)
            case _:
                assert_never(packet)

    def _acknowledged(self, client: Client, session: Session, packet_id: int) -> None:
        room = client.room if session.waiting else 0
        receipt, raw = session.acknowledged(packet_id, self.context.now, room)
        client.went_on(session, raw)
        if receipt is not None:
            self.context.service.delivered(receipt, True)

    def _leave(self, client: Client, session: Session, packet: Disconnect) -> None:
        if packet.session_expiry is not None:
            if packet.session_expiry and not session.expiry_seconds:
                raise Malformed(Reason.PROTOCOL_ERROR, "a session that was not to last is to last after all")
            session.expiry_seconds = self.sessions.expiry(packet.session_expiry)
        if packet.reason == Reason.DISCONNECT_WITH_WILL:
            client.end("CLIENT_INITIATED_DISCONNECT")
        else:
            client.leave()


def _end(client: Client, error: Exception) -> None:
    """End a connection for what its packets came to, and have that told."""
    match error:
        case Malformed():
            action = "iot:Connect" if client.session is None else ACTIONS.get(client.protocol.kind, "mqtt")
            client.tell(CODES.get(error.reason, "malformed"), action, error.about, str(error))
            client.refuse(error.reason)
        case NotMqttError():  # not even a CONNACK for who does not begin with CONNECT
            client.tell("not-mqtt", "iot:Connect", "", str(error), hint=error.hint)
            client.end("CLIENT_ERROR")
        case _:
            tell_fault("handling packets", error)
            client.end("SERVER_ERROR")
