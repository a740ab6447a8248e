"""What is printed of an offer: all that is to be put on a device, or with what a command of ours is started."""

import shlex
from collections.abc import Iterator, Sequence

from agent.hosts import is_loopback
from simulator.certify.commands import filled
from simulator.certify.offer import Offer


def offer_lines(offer: Offer) -> list[str]:
    """Line by line, names before what they stand for."""
    return _aligned(_rows(offer))


def command_lines(command: Sequence[str], offer: Offer) -> list[str]:
    """For a device that is a command, which is told by its arguments. Raises InputError as `filled` does."""
    placeholders = offer.placeholders()
    return _aligned(_command_rows(shlex.join(filled(each, placeholders) for each in command), offer))


def _aligned(rows: Iterator[tuple[str, str]]) -> list[str]:
    told = list(rows)
    width = max(len(name) for name, _ in told)
    return [f"{name:<{width}}  {what}" for name, what in told]


def _command_rows(command: str, offer: Offer) -> Iterator[tuple[str, str]]:
    yield "thing", offer.thing
    if offer.namespace_id is not None:
        yield "namespace", offer.namespace_id
    ports = {"MQTT with TLS": offer.mqtts_port, "MQTT without": offer.mqtt_port, "HTTPS": offer.data_port}
    if told := [f"{name} {port}" for name, port in ports.items() if port is not None]:
        yield "ports", f"{', '.join(told)}, on {offer.host}"
    yield "starts", command


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
