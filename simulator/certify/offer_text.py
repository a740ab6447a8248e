"""What is printed of an offer."""

from collections.abc import Iterator

from agent.hosts import is_loopback
from simulator.certify.offer import Offer


def offer_lines(offer: Offer) -> list[str]:
    """Line by line, names before what they stand for."""
    rows = list(_rows(offer))
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {what}" for name, what in rows]


def _rows(offer: Offer) -> Iterator[tuple[str, str]]:
    yield "thing", offer.thing
    yield "client id", offer.client_id
    if offer.mqtts_port is not None:
        yield "MQTT", f"{offer.host} port {offer.mqtts_port}, TLS with the certificate below, MQTT 3.1.1 or 5"
    if offer.mqtt_port is not None:
        yield "without TLS", f"{offer.host} port {offer.mqtt_port}: anybody may connect there, for everything"
    if offer.data_port is not None:
        yield "HTTPS", f"{offer.host} port {offer.data_port}, for a device that asks over HTTP, same certificate"
    yield "CA", str(offer.ca)
    yield "certificate", str(offer.cert)
    yield "private key", str(offer.key)
    if offer.namespace_id is not None:
        yield "namespace", offer.namespace_id
    yield from zip(("topics", *[""] * (len(offer.topics) - 1)), offer.topics, strict=True)
    yield "reached from", _reach(offer)


def _reach(offer: Offer) -> str:
    if is_loopback(offer.host):
        return "this machine only; for a device on the network add --host 0.0.0.0"
    return f"the network, at {offer.host}, which is in the server's certificate"
