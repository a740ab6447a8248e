"""How a connection begins: who may come in, by which client id, and which session is his."""

from simulator.cloud.mqtt.authorization import Credential, Visitor
from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.encode import connack_bytes
from simulator.cloud.mqtt.limits import is_valid_client_id
from simulator.cloud.mqtt.packets import V5, Connect, Malformed, Offer, Reason
from simulator.cloud.mqtt.sessions import Sessions


def connect(sessions: Sessions, client: Client, packet: Connect) -> bool:
    """Answer a CONNECT. False: what was said before under the same client id comes first. Raises Malformed."""
    context, settings = sessions.context, sessions.context.settings
    client.name = packet.client_id
    client_id = client.name = _client_id(sessions, packet)
    if context.network is not None and context.network.turns_away(client.peer()):
        client.fall_silent()
        return True
    if client.credential is not None and not _is_admitted(client, client.credential, client_id, packet):
        client.tell_denied("Connect", client_id)
        client.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")
        return True
    older = sessions.client(client_id)
    if older is not None and older.has_more:  # it may have taken leave in that
        return False
    if not sessions.may_connect_again(client_id):
        why = f"this client id connected less than {1 / (settings.connects_per_second or 1):g} s ago"
        hint = "wait before connecting again, or set gateway.connects_per_second"
        client.tell("connect-rate", "iot:Connect", f"client/{client_id}", why, hint=hint)
        client.refuse(Reason.CONNECTION_RATE_EXCEEDED, "THROTTLED")
        return True
    keep_alive, client.will = settings.keep_alive(packet.keep_alive), packet.will
    noted = context.noted
    session, present = sessions.join(client, client_id, packet)
    client.protocol.accept(keep_alive)
    offer = None
    if packet.version == V5:
        offer = Offer(
            settings.receive_maximum,
            settings.largest_packet,
            settings.topic_alias_maximum,
            keep_alive,
            session.expiry_seconds,
            client_id if not packet.client_id else None,
        )
    client.wait_for_what_lasts(noted)
    client.send(connack_bytes(packet.version, present, 0, offer))
    sessions.joined(client, session, present)
    return True


def _client_id(sessions: Sessions, packet: Connect) -> str:
    if not packet.client_id and packet.version != V5 and not packet.clean_start:
        why = "no client id for a session that is to last (clean session is off)"
        raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, why, "client/")
    if not is_valid_client_id(packet.client_id):
        why = "a client id has at most 128 bytes, and does not begin with $"
        raise Malformed(Reason.CLIENT_IDENTIFIER_NOT_VALID, why, f"client/{packet.client_id}")
    return packet.client_id or sessions.new_client_id()


def _is_admitted(client: Client, credential: Credential, client_id: str, packet: Connect) -> bool:
    is_persistent = bool(packet.session_expiry) if packet.version == V5 else not packet.clean_start
    will_topic = packet.will.topic if packet.will is not None else None
    client.principal = credential.principal(Visitor(client_id, client.address, is_persistent, will_topic))
    return client.principal.may("Connect", client_id)
