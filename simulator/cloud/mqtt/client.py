"""Who is at the other end of a connection, and what he gets: held back until it may leave, and no more than is read.

A client that reads slowly is not read either, so that it cannot ask for ever more. Messages of QoS 0 are lost then,
those of QoS 1 wait until it has caught up.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from simulator.cloud.mqtt.authorization import RESOURCES, Action, Credential, Principal
from simulator.cloud.mqtt.context import BrokerContext
from simulator.cloud.mqtt.encode import publish_bytes
from simulator.cloud.mqtt.limits import PublishRate
from simulator.cloud.mqtt.network import Peer
from simulator.cloud.mqtt.packets import Connect, Extra, Reason, Will
from simulator.cloud.mqtt.protocol import ServerProtocol
from simulator.cloud.mqtt.session import Message, Session, too_large
from simulator.cloud.notices.basic_ingest import in_the_void
from simulator.cloud.notices.refusals import Code, Denial, Notice

SLOW_READER_BYTES: Final = 256 * 1024
"""With more than this unread a client gets no more until it reads: messages of QoS 0 are lost, those of QoS 1 wait."""
HIGH_BYTES: Final = 64 * 1024
"""With more than this waiting for its carrier a client is not read."""
NextStep: TypeAlias = Literal["read", "wait", "close", "cut"]


@dataclass(slots=True, eq=False)
class Client:
    """A peer, and the bytes on their way to it.

    `attend` has its carrier take what there is to send (`data_to_send`), and then read, wait, close or drop the
    connection (`next_step`); it tells how many bytes that it took have not left yet. `ended` is told the
    disconnectReason of AWS's lifecycle events.
    """

    context: BrokerContext
    attend: Callable[[], int]
    ended: "Callable[[Client, str], None]"
    address: str
    """The peer's IP address."""
    credential: Credential | None
    """What it proved before it said anything."""
    ends_at: float | None
    """When it ends, however lively it is; None: never for that reason."""
    protocol: ServerProtocol = field(init=False)
    rate: PublishRate | None = field(init=False)
    name: str = ""
    """The client id that it asked to connect with."""
    principal: Principal | None = None
    """None: it may do everything."""
    session: Session | None = None
    will: Will | None = None
    postponed: Connect | None = None
    """Its CONNECT, if that comes after what was said before under the same client id."""
    has_more: bool = False
    """Whether something that came waits for its turn: then it is not its client that is silent."""
    is_in_turn: bool = False
    """Whether its packets are being handled, after which its carrier looks after it anyway."""
    is_paused: bool = False
    """Whether its carrier has as much as it takes; it says so itself."""
    is_cut: bool = False
    """Whether its connection is to end as if the network were dead."""
    is_unheard: bool = False
    """Whether nothing of it is heard: its network is dead."""
    held_bytes: int = 0
    """That wait for a commit."""
    _is_behind: bool = False
    """Whether messages of QoS 1 wait until it reads."""
    _waits_for: int = 0
    """The commit before which nothing leaves that is sent from now on."""
    session_identifier: str | None = None
    version_number: int = 0
    """As lifecycle events have them."""

    def __post_init__(self) -> None:
        self.protocol = ServerProtocol(self.context.settings, self.context.now)
        self.rate = PublishRate.of(self.context.settings)

    # ── what its carrier asks ─────────────────────────────────────────────────────────────────────────────────

    def data_to_send(self) -> bytes:
        """What may leave now; whoever asks has it, and sends it."""
        raw = self.protocol.data_to_send()
        if raw and self._is_behind:
            self._catch_up_soon()
        return raw

    def resume_writing(self) -> None:
        """Its carrier, which had as much as it takes, takes more."""
        self.is_paused = False
        if self._is_behind:
            self._catch_up_soon()

    def next_step(self) -> NextStep:
        """What its carrier is to do once it has what there is to send."""
        protocol = self.protocol
        if protocol.is_over:
            return "cut" if self.is_cut else "read" if self.is_unheard else "close"
        is_full = self.held_bytes > SLOW_READER_BYTES or protocol.unsent > HIGH_BYTES
        return "wait" if self.is_paused or self.has_more or is_full else "read"

    # ── bytes to it ───────────────────────────────────────────────────────────────────────────────────────────

    def send(self, raw: bytes) -> None:
        """Send in order, with whatever else there is; what waits for a commit leaves after that."""
        commits = self.context.commits
        if self._waits_for > commits.committed:
            commits.hold(self, self._waits_for, raw)
            self.held_bytes += len(raw)
        else:
            self.protocol.send(raw)
            if not self.is_in_turn:
                self.context.scheduler.soon(self.attend)

    def let_go(self, raw: bytes) -> None:
        """Send what was held back until now."""
        self.held_bytes -= len(raw)
        self.protocol.send(raw)
        self.attend()

    def wait_for(self, commit: int) -> None:
        """Hold back whatever is sent from here on until the commit of that number; 0 holds back nothing."""
        if commit > self._waits_for:
            self._waits_for = commit
            commits = self.context.commits
            commits.newest = max(commits.newest, commit)

    def wait_for_what_lasts(self, noted: int) -> None:
        """Hold back what follows until the changes of sessions and retained messages since `noted` are written down."""
        persistence = self.context.persistence
        if persistence is not None and persistence.noted != noted:
            self.wait_for(persistence.ticket)

    @property
    def room(self) -> int:
        """How many bytes may be sent before too many wait for this client; none, if that is not above 0."""
        return SLOW_READER_BYTES - self.waiting_bytes

    @property
    def waiting_bytes(self) -> int:
        """That were sent, and have not left yet, after its carrier took what it takes."""
        return self.attend() + self.protocol.unsent + self.held_bytes

    # ── its end ───────────────────────────────────────────────────────────────────────────────────────────────

    def refuse(self, reason: Reason, lifecycle_reason: str = "CLIENT_ERROR") -> None:
        """End the connection; version 5 clients are told why.

        An answer that waits for its commit is lost with the connection: nobody was told that it holds.
        """
        self.protocol.refuse(reason)
        self.end(lifecycle_reason)

    def end(self, reason: str) -> None:
        """Close; `reason` is a disconnectReason of AWS's lifecycle events."""
        self.protocol.close()
        self.attend()
        self.ended(self, reason)

    def cut(self) -> None:
        """The network is dead: the connection ends without a word, and its will is published."""
        if self.is_unheard:
            self.forget_unheard()
        self.is_cut = True
        self.end("CONNECTION_LOST")

    def fall_silent(self) -> None:
        """The network is dead: whatever comes is thrown away, and nothing is said, until this is cut."""
        self.ended(self, "CONNECTION_LOST")
        self.is_unheard = True
        self.context.unheard[self] = None
        self.context.strangers.came(self, self.cut)

    def forget_unheard(self) -> None:
        """It is gone, or going."""
        self.is_unheard = False
        self.context.unheard.pop(self, None)
        self.context.strangers.known(self)

    def leave(self) -> None:
        """The client takes leave."""
        self.will = None
        self.end("CLIENT_INITIATED_DISCONNECT")

    # ── messages to it ────────────────────────────────────────────────────────────────────────────────────────

    def deliver(self, message: Message, qos: int, after: int = 0, *, is_checked: bool = False) -> None:
        """Send a message to this client, if it may receive it, when the commit `after` is done.

        `is_checked`: it was asked before whether this client may receive it.
        """
        topic, payload, receipt, extra, _, _ = message
        if not qos:
            self.deliver_at_most_once(topic, payload, receipt, extra, after, is_checked=is_checked)
        elif self.principal is None or is_checked or self._may_receive(self.principal, topic):
            session = self.session
            assert session is not None, "delivery follows CONNECT"
            if after:
                self.wait_for(after)
            is_slow = (self.is_paused or self.protocol.unsent + self.held_bytes > SLOW_READER_BYTES) and self.room <= 0
            if is_slow:
                self._is_behind = True
            raw = session.send_now(message, 0 if is_slow else SLOW_READER_BYTES)
            self.went_on(session, raw)

    def deliver_at_most_once(
        self,
        topic: str,
        payload: bytes,
        receipt: object | None = None,
        extra: Extra | None = None,
        after: int = 0,
        *,
        is_checked: bool = False,
    ) -> None:
        """The same, with QoS 0; `receipt` is given to the service once it is sent."""
        if self.principal is not None and not is_checked and not self._may_receive(self.principal, topic):
            return
        if after:
            self.wait_for(after)
        if (self.is_paused or self.protocol.unsent + self.held_bytes > SLOW_READER_BYTES) and self.room <= 0:
            why = f"it does not read: {SLOW_READER_BYTES} bytes wait for it, and messages of QoS 0 are not kept"
            self.tell("slow-reader", "iot:Receive", f"topic/{topic}", why)
            return
        session = self.session
        assert session is not None, "delivery follows CONNECT"
        raw = publish_bytes(topic, payload, 0, 0, False, self.protocol.version, extra)
        if session.largest_packet is None or len(raw) <= session.largest_packet:
            self.send(raw)
            if receipt is not None:
                self.context.service.delivered(receipt, False)
        else:
            why = too_large(len(raw), session.largest_packet)
            self.tell("too-large-for-client", "iot:Receive", f"topic/{topic}", why)

    def _may_receive(self, principal: Principal, topic: str) -> bool:
        if principal.may("Receive", topic):
            return True
        self.tell_denied("Receive", topic)
        return False

    def _catch_up_soon(self) -> None:
        if not self.is_paused:
            self._is_behind = False
            self.context.scheduler.soon(self._catch_up)

    def _catch_up(self) -> None:
        """Send what waited until the client read, as much as may go now."""
        session = self.session
        if session is not None and session.waiting:
            raw = session.catch_up(self.context.now, self.room)
            self._is_behind = bool(session.waiting)
            self.went_on(session, raw)

    def replay(self, session: Session) -> None:
        """Send what waited while the client was away, as much as may go now."""
        context = self.context
        raw = session.replay(context.now, context.settings.replay_per_second, self.room)
        if raw:
            self.wait_for(context.commits.newest)
        self.went_on(session, raw)

    def redeliver(self, session: Session, before: float) -> None:
        """Send again what was not acknowledged in time; `before` is when that was last looked at."""
        context, settings = self.context, self.context.settings
        every = settings.redelivery_seconds
        if every is not None:
            waiting = self.waiting_bytes
            due, room = None if waiting else every, SLOW_READER_BYTES - waiting
            self.went_on(session, session.redeliver(before, context.now, due, settings.redelivery_limit_seconds, room))

    def went_on(self, session: Session, raw: bytes) -> None:
        """Something moved in its session, by which these bytes are to be sent."""
        if self.context.persistence is not None:
            self.context.persistence.changed(session)
        if session.lost is not None:
            self.tell_lost(session)
        if raw:
            self.send(raw)

    # ── what there is to tell of it ───────────────────────────────────────────────────────────────────────────

    def tell(
        self,
        code: Code,
        action: str,
        resource: str,
        why: str,
        *,
        hint: str | None = None,
        explain: Callable[[], Denial] | None = None,
    ) -> None:
        """Have told what this client did not get."""
        who = self.client_id, self._identifier, self.address
        self.context.tell(Notice(code, action, resource, why, *who, hint=hint, explain=explain))

    def tell_denied(self, action: Action, name: str) -> None:
        """Have told what policies do not let this client do."""
        principal = self.principal
        assert principal is not None, "who may do everything is denied nothing"
        resource = f"{RESOURCES[action]}/{name}"
        self.tell("not-allowed", f"iot:{action}", resource, "", explain=lambda: principal.denial(action, name))

    def tell_void(self, rule: str) -> None:
        """Have told that a message for a rule ends here."""
        self.context.tell(in_the_void(rule, self.client_id, self._identifier, self.address))

    def tell_lost(self, session: Session) -> None:
        """Have told which messages a session had to give up."""
        self.context.tell_lost(session, self._identifier, self.address)

    @property
    def client_id(self) -> str:
        """Its session's, or the one that it asked for."""
        return self.name if self.session is None else self.session.client_id

    def peer(self) -> Peer:
        """Whose it is, as far as it is known."""
        return Peer(self.client_id, self._identifier, () if self.session is None else tuple(self.session.filters))

    @property
    def _identifier(self) -> str:
        known = self.principal or self.credential
        return "" if known is None else known.identifier
