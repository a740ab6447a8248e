"""What a PUBLISH from a client brings about.

AWS discards what is more than a connection may send. Whatever else may not be published ends the connection; a version
5 client that asked for an acknowledgement gets that with the reason instead, and stays.

Requests on reserved topics go to the Service, whose answer goes straight to the client that asked, subscribed or not,
exactly once, and to nobody else; what the Service publishes besides goes to the subscribers afterwards.
"""

from functools import partial

from simulator.cloud.mqtt.authorization import Action, Principal
from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.encode import puback_bytes
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.network import PROMPT, Passage
from simulator.cloud.mqtt.packets import V5, Malformed, Publish, Reason
from simulator.cloud.mqtt.router import Router
from simulator.cloud.mqtt.session import Message
from simulator.cloud.notices.basic_ingest import PREFIX as BASIC_INGEST
from simulator.cloud.notices.basic_ingest import rule_of
from simulator.cloud.notices.refusals import Code


def publish(router: Router, client: Client, packet: Publish) -> None:
    """Take a message in, and do what it asks. Raises Malformed. Every request passes here."""
    topic, payload, qos, _, _, extra, _ = packet
    context, settings = router.context, router.context.settings
    if client.rate is not None and client.rate.is_too_much(len(payload), context.now, settings):
        _discard(client, packet, "publish-rate", _rate(settings))
        return
    if qos == 2:
        # "the message broker doesn't send a PUBACK" (Developer Guide, "MQTT"); version 5 never comes here.
        client.tell("qos-2", "iot:Publish", f"topic/{topic}", "AWS IoT has no QoS 2, and answers nothing")
        return
    if len(payload) > settings.largest_payload:
        what = f"a payload of {len(payload)} bytes, of {settings.largest_payload} at most"
        raise Malformed(Reason.PACKET_TOO_LARGE, what, f"topic/{topic}")
    if not settings.takes(topic):
        why = f"a topic has at most {settings.longest_topic} bytes and {settings.most_slashes} slashes"
        client.tell("topic", "iot:Publish", f"topic/{topic}", why)
        _decline(client, packet, Reason.TOPIC_NAME_INVALID)
    elif extra is not None and extra.retain and topic[0] == "$":
        client.tell("topic", "iot:RetainPublish", f"topic/{topic}", "on reserved topics nothing is retained")
        _decline(client, packet, Reason.TOPIC_NAME_INVALID)
    elif client.principal is not None and (denied := _denied(client.principal, packet)) is not None:
        client.tell_denied(denied, topic)
        _decline(client, packet, Reason.NOT_AUTHORIZED, "AUTH_ERROR")
    elif topic.startswith(BASIC_INGEST) and (rule := rule_of(topic)) is not None:
        _ingest(client, packet, rule)
    elif topic[0] != "$":
        _pass_on(router, client, packet)
    elif (network := context.network) is None:
        _serve(router, client, packet)
    else:
        context.carry(network, topic, payload, partial(_serve, router, client, packet), client.client_id)


def _pass_on(router: Router, client: Client, packet: Publish) -> None:
    """A message from client to clients."""
    topic, payload, qos, packet_id, _, extra, _ = packet
    context, version = router.context, client.protocol.version
    noted = context.noted
    if extra is not None and extra.retain and not router.retain(topic, payload, qos, extra):
        _discard(client, packet, "retained-full", router.retained.no_room)
        return
    if context.persistence is None:
        if qos:
            client.send(puback_bytes(packet_id, version))
        router.publish(topic, payload, qos, client.session, extra)
        return
    router.publish(topic, payload, qos, client.session, extra)
    if qos:  # a promise: whoever lasts will get it
        client.wait_for_what_lasts(noted)
        client.send(puback_bytes(packet_id, version))


def _ingest(client: Client, packet: Publish, rule: str) -> None:
    """Take what is for a rule; it ends here."""
    if packet.qos:
        client.send(puback_bytes(packet.packet_id, client.protocol.version))
    client.tell_void(rule)


def _discard(client: Client, packet: Publish, code: Code, why: str) -> None:
    client.tell(code, "iot:Publish", f"topic/{packet.topic}", why)
    if packet.qos and client.protocol.version == V5:
        client.send(puback_bytes(packet.packet_id, V5, Reason.QUOTA_EXCEEDED))


def _rate(settings: GatewaySettings) -> str:
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


def _decline(client: Client, packet: Publish, reason: Reason, lifecycle_reason: str = "CLIENT_ERROR") -> None:
    if packet.qos and client.protocol.version == V5:
        client.send(puback_bytes(packet.packet_id, V5, reason))
    else:
        client.refuse(reason, lifecycle_reason)


def _serve(router: Router, client: Client, packet: Publish, passage: Passage = PROMPT) -> None:
    """Let the service answer a request."""
    session = client.session
    if session is None:
        if passage.was_held:
            _serve_nobody(router, client, packet, passage)
        return
    topic, payload, qos, packet_id, dup, _, _ = packet
    late_seconds, again, _ = passage
    context = router.context
    reaction = context.service.request(session.client_id, topic, payload, dup or again, late_seconds)
    if reaction is None:
        why = "nothing is published there by clients, or nothing that is served here"
        client.tell("topic", "iot:Publish", f"topic/{topic}", why)
        _decline(client, packet, Reason.TOPIC_NAME_INVALID)
        return
    answer_topic, answer, publications, receipt, after = reaction
    if after:
        client.wait_for(after)
    if qos:
        client.send(puback_bytes(packet_id, client.protocol.version))
    if (network := context.network) is not None:
        arrive = partial(_answer, router, client, answer_topic, answer, qos, receipt)
        context.carry(network, answer_topic, payload, lambda _: arrive(), answer=answer)
    elif qos or session in router.fan_out.owed:
        _answer(router, client, answer_topic, answer, qos, receipt)
    else:
        client.deliver_at_most_once(answer_topic, answer, receipt)
    for name, told in publications:
        router.publish(name, told, 1, after=after)


def _serve_nobody(router: Router, client: Client, packet: Publish, passage: Passage) -> None:
    """The same for a request that was held for longer than its connection lasted: nobody gets the answer."""
    late_seconds, again, _ = passage
    topic, payload = packet.topic, packet.payload
    reaction = router.context.service.request(client.client_id, topic, payload, packet.dup or again, late_seconds)
    if reaction is not None:
        for name, told in reaction.publications:
            router.publish(name, told, 1, after=reaction.after)


def _answer(router: Router, client: Client, topic: str, answer: bytes, qos: int, receipt: object | None) -> None:
    """To the client that asked, if it is still there."""
    if client.session is not None:
        router.fan_out.settle(client.session)
        if qos:
            client.deliver(Message(topic, answer, receipt, None, router.context.now), 1)
        else:
            client.deliver_at_most_once(topic, answer, receipt)
