"""What a PUBLISH from a client brings about.

AWS discards what is more than a connection may send. Whatever else may not be published ends the connection; a version
5 client that asked for an acknowledgement gets that with the reason instead, and stays.
"""

from typing import TYPE_CHECKING

from simulator.cloud.basic_ingest import PREFIX as BASIC_INGEST
from simulator.cloud.basic_ingest import rule_of
from simulator.cloud.mqtt.authority import Action, Principal
from simulator.cloud.mqtt.encode import puback_bytes
from simulator.cloud.mqtt.packets import V5, Malformed, Publish, Reason
from simulator.cloud.refusals import Code

if TYPE_CHECKING:
    from simulator.cloud.mqtt.connection import Connection
    from simulator.cloud.mqtt.gateway import Gateway


def receive(gateway: "Gateway", connection: "Connection", packet: Publish) -> None:
    """Take a message in, and do what it asks. Raises Malformed. Every request passes here."""
    topic, payload, qos, _, _, extra, alias = packet
    if alias:
        topic = _aliased(gateway, connection, topic, alias)
        packet = packet._replace(topic=topic)
    if gateway.counts and _is_too_much(gateway, connection, len(payload)):
        _discard(connection, packet, "publish-rate", _rate(gateway))
        return
    if qos == 2:
        # "the message broker doesn't send a PUBACK" (Developer Guide, "MQTT"); version 5 never comes here.
        connection.tell("qos-2", "iot:Publish", f"topic/{topic}", "AWS IoT has no QoS 2, and answers nothing")
        return
    if len(payload) > (most := gateway.settings.largest_payload):
        what = f"a payload of {len(payload)} bytes, of {most} at most"
        raise Malformed(Reason.PACKET_TOO_LARGE, what, f"topic/{topic}")
    if not gateway.takes(topic):
        why = f"a topic has at most {gateway.settings.longest_topic} bytes and {gateway.settings.most_slashes} slashes"
        connection.tell("topic", "iot:Publish", f"topic/{topic}", why)
        _decline(connection, packet, Reason.TOPIC_NAME_INVALID)
    elif extra is not None and extra.retain and topic[0] == "$":
        connection.tell("topic", "iot:RetainPublish", f"topic/{topic}", "on reserved topics nothing is retained")
        _decline(connection, packet, Reason.TOPIC_NAME_INVALID)
    elif connection.principal is not None and (denied := _denied(connection.principal, packet)) is not None:
        connection.tell_denied(denied, topic)
        _decline(connection, packet, Reason.NOT_AUTHORIZED, "AUTH_ERROR")
    elif topic.startswith(BASIC_INGEST) and (rule := rule_of(topic)) is not None:
        _ingest(connection, packet, rule)
    elif topic[0] != "$":
        _pass_on(gateway, connection, packet)
    elif gateway.lateness is None:
        _serve(gateway, connection, packet)
    else:
        gateway.carry(topic, payload, lambda late, again: _serve(gateway, connection, packet, late, again))


def _pass_on(gateway: "Gateway", connection: "Connection", packet: Publish) -> None:
    """A message from client to clients."""
    topic, payload, qos, packet_id, _, extra, _ = packet
    noted = gateway.noted
    if extra is not None and extra.retain and not gateway.retain(topic, payload, qos, extra):
        _discard(connection, packet, "retained-full", gateway.no_room)
        return
    if gateway.memory is None:
        if qos:
            connection.send(puback_bytes(packet_id, connection.version))
        gateway.publish(topic, payload, qos, connection.session, extra)
        return
    gateway.publish(topic, payload, qos, connection.session, extra)
    if qos:  # a promise: whoever lasts will get it
        connection.wait_for_what_lasts(noted)
        connection.send(puback_bytes(packet_id, connection.version))


def _ingest(connection: "Connection", packet: Publish, rule: str) -> None:
    """Take what is for a rule; it ends here."""
    if packet.qos:
        connection.send(puback_bytes(packet.packet_id, connection.version))
    connection.tell_void(rule)


def _discard(connection: "Connection", packet: Publish, code: Code, why: str) -> None:
    connection.tell(code, "iot:Publish", f"topic/{packet.topic}", why)
    if packet.qos and connection.version == V5:
        connection.send(puback_bytes(packet.packet_id, V5, Reason.QUOTA_EXCEEDED))


def _aliased(gateway: "Gateway", connection: "Connection", topic: str, alias: int) -> str:
    """The topic that an alias stands for, or is to stand for from now on."""
    if alias > gateway.settings.topic_alias_maximum:
        raise Malformed(Reason.TOPIC_ALIAS_INVALID, "a topic alias above the maximum")
    if topic:
        if gateway.takes(topic):  # what is too long is refused, and not kept
            connection.aliases = connection.aliases or {}
            connection.aliases[alias] = topic
        return topic
    if connection.aliases is None or alias not in connection.aliases:
        raise Malformed(Reason.PROTOCOL_ERROR, "a topic alias that stands for nothing")
    return connection.aliases[alias]


def _is_too_much(gateway: "Gateway", connection: "Connection", size: int) -> bool:
    """Count a message; whether it is more than one connection may send in a second."""
    if connection.second != gateway.now:
        connection.second, connection.published, connection.payload_sent = gateway.now, 0, 0
    connection.published += 1
    connection.payload_sent += size
    most, most_bytes = gateway.settings.publishes_per_second, gateway.settings.payload_per_second
    return (most is not None and connection.published > most) or (
        most_bytes is not None and connection.payload_sent > most_bytes
    )


def _rate(gateway: "Gateway") -> str:
    settings = gateway.settings
    return (
        f"more in a second than one connection may publish: {settings.publishes_per_second} messages,"
        f" {settings.payload_per_second} bytes"
    )


def _denied(principal: Principal, packet: Publish) -> Action | None:
    """What policies do not allow of a publication; None if they allow it."""
    if not principal.may("Publish", packet.topic):
        return "Publish"
    if packet.extra is not None and packet.extra.retain and not principal.may("RetainPublish", packet.topic):
        return "RetainPublish"
    return None


def _decline(connection: "Connection", packet: Publish, reason: Reason, lifecycle_reason: str = "CLIENT_ERROR") -> None:
    if packet.qos and connection.version == V5:
        connection.send(puback_bytes(packet.packet_id, V5, reason))
    else:
        connection.refuse(reason, lifecycle_reason)


def _serve(
    gateway: "Gateway", connection: "Connection", packet: Publish, late_seconds: float = 0.0, again: bool = False
) -> None:
    """Let the service answer a request."""
    session = connection.session
    if session is None:
        return
    topic, payload, qos, packet_id, dup, _, _ = packet
    reaction = gateway.service.request(session.client_id, topic, payload, dup or again, late_seconds)
    if reaction is None:
        why = "nothing is published there by clients, or nothing that is served here"
        connection.tell("topic", "iot:Publish", f"topic/{topic}", why)
        _decline(connection, packet, Reason.TOPIC_NAME_INVALID)
        return
    answer_topic, answer, publications, receipt, after = reaction
    if after:
        connection.wait_for(after)
    if qos:
        connection.send(puback_bytes(packet_id, connection.version))
    if gateway.lateness is None:
        connection.deliver(answer_topic, answer, qos, receipt)
    else:
        gateway.carry(answer_topic, payload, lambda *_: connection.deliver_if_there(answer_topic, answer, qos, receipt))
    for name, told in publications:
        gateway.publish(name, told, 1, after=after)
