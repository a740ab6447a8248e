"""How a connection begins: who may come in, by which client id, and which session is his."""

from typing import TYPE_CHECKING, Final

from simulator.cloud.mqtt.authority import Credential, Visitor
from simulator.cloud.mqtt.codec import decode
from simulator.cloud.mqtt.encode import connack_bytes
from simulator.cloud.mqtt.limits import is_valid_client_id
from simulator.cloud.mqtt.packets import V5, Connect, Kind, Malformed, Offer, Reason

if TYPE_CHECKING:
    from simulator.cloud.mqtt.connection import Connection
    from simulator.cloud.mqtt.gateway import Gateway

TLS_RECORD: Final = b"\x16\x03"
"""How TLS begins; its first half would be a CONNECT with flags that none has."""


class NotYetError(Exception):
    """Before a CONNECT comes what was said under the same client id, and waits for its turn."""


def begins_well(data: bytes) -> bool:
    """Whether these, which came first, may be a CONNECT; nobody waits for what the length of anything else may be."""
    return data[0] >> 4 == Kind.CONNECT and not data.startswith(TLS_RECORD)


def looks_like(data: bytes) -> str | None:
    """What a client may have meant that did not begin with CONNECT."""
    if data.startswith((b"GET ", b"PUT ", b"POST ", b"HEAD ", b"DELETE ")):
        return "this is HTTP: it is served on the API port, on the data port, and here with x-amzn-http-ca in ALPN"
    if data.startswith(TLS_RECORD):
        return "this is TLS, and the port has none: the MQTT port with TLS is another"
    return None


def connect(gateway: "Gateway", connection: "Connection", first: int, body: bytes) -> None:
    """Answer the first packet, which is a CONNECT. Raises Malformed, NotYetError."""
    if len(body) > 6:
        connection.version = body[6]
    packet = decode(first, body, V5)
    assert isinstance(packet, Connect), "its type said so"
    connection.version = packet.version
    connection.name = packet.client_id
    client_id = connection.name = _client_id(gateway, packet)
    settings = gateway.settings
    if connection.credential is not None and not _is_admitted(connection, connection.credential, client_id, packet):
        connection.tell_denied("Connect", client_id)
        connection.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")
        return
    if gateway.sessions.is_to_be_heard(client_id):
        raise NotYetError
    if not gateway.sessions.may_connect_again(client_id):
        why = f"this client id connected less than {1 / (settings.connects_per_second or 1):g} s ago"
        hint = "wait before connecting again, or set gateway.connects_per_second"
        connection.tell("connect-rate", "iot:Connect", f"client/{client_id}", why, hint=hint)
        connection.refuse(Reason.CONNECTION_RATE_EXCEEDED, "THROTTLED")
        return
    connection.keep_alive, connection.will = settings.keep_alive(packet.keep_alive), packet.will
    noted = gateway.noted
    session, present = gateway.sessions.join(connection, client_id, packet)
    connection.session = session
    offer = None
    if packet.version == V5:
        offer = Offer(
            settings.receive_maximum,
            settings.largest_packet,
            settings.topic_alias_maximum,
            connection.keep_alive,
            session.expiry_seconds,
            client_id if not packet.client_id else None,
        )
    connection.wait_for_what_lasts(noted)
    connection.send(connack_bytes(packet.version, present, 0, offer))
    gateway.sessions.joined(connection, present)


def _client_id(gateway: "Gateway", packet: Connect) -> str:
    if not packet.client_id and packet.version != V5 and not packet.clean_start:
        why = "no client id for a session that is to last (clean session is off)"
        raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, why, "client/")
    if not is_valid_client_id(packet.client_id):
        why = "a client id has at most 128 bytes, and does not begin with $"
        raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, why, f"client/{packet.client_id}")
    return packet.client_id or gateway.sessions.new_client_id()


def _is_admitted(connection: "Connection", credential: Credential, client_id: str, packet: Connect) -> bool:
    is_persistent = bool(packet.session_expiry) if packet.version == V5 else not packet.clean_start
    will_topic = packet.will.topic if packet.will is not None else None
    connection.principal = credential.principal(Visitor(client_id, connection.address, is_persistent, will_topic))
    return connection.principal.may("Connect", client_id)
