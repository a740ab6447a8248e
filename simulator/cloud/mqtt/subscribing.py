"""What a client subscribes to: which filters it gets, and what is retained there."""

from typing import Final

from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.encode import suback_bytes, unsuback_bytes
from simulator.cloud.mqtt.filters import SHARED, is_valid_filter
from simulator.cloud.mqtt.packets import (
    NO_LOCAL,
    RETAINED_IF_NEW,
    RETAINED_NEVER,
    V5,
    Malformed,
    Reason,
    Subscribe,
    Unsubscribe,
)
from simulator.cloud.mqtt.presence import Presence
from simulator.cloud.mqtt.router import Router
from simulator.cloud.mqtt.session import Session
from simulator.cloud.mqtt.shared_subscriptions import split
from simulator.cloud.notices.basic_ingest import PREFIX as BASIC_INGEST

RESERVED: Final = "$aws/"


def subscribe(router: Router, presence: Presence, client: Client, session: Session, packet: Subscribe) -> None:
    """Answer a SUBSCRIBE. Raises Malformed.

    What it may not have is refused in the SUBACK; a 3.1.1 client that asks for what policies do not allow is
    disconnected after it (AWS: AUTH_ERROR).
    """
    settings = router.context.settings
    if settings.filters_a_request is not None and len(packet.filters) > settings.filters_a_request:
        what = f"{len(packet.filters)} filters in one SUBSCRIBE, of {settings.filters_a_request} at most"
        raise Malformed(Reason.QUOTA_EXCEEDED, what)
    if client.protocol.version != V5 and (with_qos_2 := [text for text, qos, _ in packet.filters if qos == 2]):
        # "the message broker doesn't send a … SUBACK" (Developer Guide, "MQTT")
        why = "AWS IoT has no QoS 2, and answers nothing"
        client.tell("qos-2", "iot:Subscribe", f"topicfilter/{with_qos_2[0]}", why)
        return
    codes: list[int] = []
    granted: list[str] = []
    shared: list[str] = []
    noted = router.context.noted
    for text, qos, options in packet.filters:
        if text.startswith(SHARED) and options & NO_LOCAL:
            raise Malformed(Reason.PROTOCOL_ERROR, "No Local on a shared subscription", f"topicfilter/{text}")
        refusal = _refusal(router, client, session, text)
        if refusal is not None:
            codes.append(refusal)
            continue
        is_new = text not in session.filters
        router.subscribe(session, text, min(qos, 1), options)
        codes.append(min(qos, 1))
        if text.startswith(SHARED):
            shared.append(text)
        elif not options & RETAINED_NEVER and (is_new or not options & RETAINED_IF_NEW):
            granted.append(text)
    client.wait_for_what_lasts(noted)
    client.send(suback_bytes(packet.packet_id, client.protocol.version, codes))
    for text in granted:
        _tell_retained(router, client, session, text)
    for text in shared:
        router.sharing.joined(text)
    told: list[str] = []
    refused: list[str] = []
    for (text, _, _), code in zip(packet.filters, codes, strict=True):
        (told if code <= 1 else refused).append(text)
    router.context.service.subscribed(session.client_id, told, refused)
    presence.subscribed(client, told)
    if client.protocol.version != V5 and Reason.NOT_AUTHORIZED in codes:
        client.end("AUTH_ERROR")
    elif Reason.QUOTA_EXCEEDED in codes and settings.too_many_subscriptions == "close":
        client.refuse(Reason.QUOTA_EXCEEDED)


def _refusal(router: Router, client: Client, session: Session, text: str) -> Reason | None:
    """Why a client cannot have a subscription; None if it can. Raises Malformed."""
    settings, resource = router.context.settings, f"topicfilter/{text}"
    is_shared = text.startswith(SHARED)
    plain = text.removeprefix(SHARED).partition("/")[2] if is_shared else text
    if not settings.takes(plain):
        why = f"a filter has at most {settings.longest_topic} bytes and {settings.most_slashes} slashes"
        client.tell("topic", "iot:Subscribe", resource, why)
        return Reason.TOPIC_FILTER_INVALID
    shared = split(text) if is_shared else None
    if shared is None and (is_shared or not is_valid_filter(plain)):
        client.tell("topic", "iot:Subscribe", resource, "no valid topic filter")
        return Reason.TOPIC_FILTER_INVALID
    if plain.startswith(BASIC_INGEST):
        # "Your devices and rules can't subscribe to Basic Ingest reserved topics" ("… Basic Ingest").
        raise Malformed(Reason.TOPIC_FILTER_INVALID, "nobody subscribes to what Basic Ingest takes", resource)
    if plain.startswith("$") and not plain.startswith(RESERVED):
        # "unsupported … operations to reserved topics can result in a terminated connection" ("Reserved topics").
        raise Malformed(Reason.TOPIC_FILTER_INVALID, "a reserved topic that AWS does not know", resource)
    if client.principal is not None and not client.principal.may("Subscribe", text):
        client.tell_denied("Subscribe", text)
        return Reason.NOT_AUTHORIZED
    most = settings.subscriptions
    if most is not None and len(session.filters) >= most and text not in session.filters:
        client.tell("quota", "iot:Subscribe", resource, f"it has {most} subscriptions, and no more may be")
        return Reason.QUOTA_EXCEEDED
    if shared is not None and (full := router.sharing.no_room(text, session)) is not None:
        client.tell("quota", "iot:Subscribe", resource, full)
        return Reason.QUOTA_EXCEEDED
    return None


def unsubscribe(router: Router, presence: Presence, client: Client, session: Session, packet: Unsubscribe) -> None:
    """Answer an UNSUBSCRIBE."""
    noted = router.context.noted
    gone = [router.unsubscribe(session, text) for text in packet.filters]
    codes = [int(Reason.SUCCESS if was_there else Reason.NO_SUBSCRIPTION_EXISTED) for was_there in gone]
    client.wait_for_what_lasts(noted)
    client.send(unsuback_bytes(packet.packet_id, client.protocol.version, codes))
    told = [text for text, was_there in zip(packet.filters, gone, strict=True) if was_there]
    presence.unsubscribed(client, told)


def _tell_retained(router: Router, client: Client, session: Session, text: str) -> None:
    """Send what is retained on a topic that was just subscribed to."""
    now = router.context.now
    kept = router.retained.on(text, now)
    if kept is not None and client.session is not None:
        message, qos = kept
        router.fan_out.settle(session)
        client.deliver(message._replace(extra=message.left(now), since=now), min(qos, session.filters[text][0]))
