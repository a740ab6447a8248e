"""A client that the cloud refused while a device is waited for: why, in words that lead to the fix.

Each is a sentence: who did what, and what to do. What the cloud itself says of a refusal is for its operator; this is
for whoever holds the device.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from simulator.certify.offer import Offer
from simulator.certify.wrong_topics import shown, wrong_with
from simulator.trace import ClientRefused

Say: TypeAlias = Callable[[ClientRefused, Offer], str]

AT_THE_DOOR: Final = frozenset(
    {
        "certificate-missing",
        "certificate-foreign",
        "certificate-expired",
        "certificate-bad",
        "certificate-unregistered",
        "certificate-inactive",
        "server-not-trusted",
        "tls-failed",
        "not-mqtt",
        "protocol-version",
        "client-id",
        "connect-rate",
        "connect-timeout",
        "too-many-files",
    }
)
"""Codes of refusals that say nothing any more once the device is in."""
OF_A_PAST: Final = frozenset({"taken-over", "keep-alive", "connection-time"})
"""Codes of connections that were, and ended: told by how they end."""


def is_at_the_door(event: ClientRefused) -> bool:
    """Whether it never got in."""
    return event.code in AT_THE_DOOR or event.action == "iot:Connect"


def said_of(event: ClientRefused, offer: Offer) -> str:
    """The sentence."""
    sentence = _SENTENCES.get(event.code)
    if sentence is None:
        return _SAY.get(event.code, _otherwise)(event, offer)
    told = {"files": _files(offer), "client_id": offer.client_id, "why": shown(event.why), "resource": _resource(event)}
    return f"{_who(event)} {sentence.format_map(told)}"


def _who(event: ClientRefused) -> str:
    """As far as it is known."""
    name = f"the client {shown(event.client_id)}" if event.client_id else "a client"
    return f"{name} from {event.address}" if event.address else name


def _files(offer: Offer) -> str:
    return f"{offer.cert} with the key {offer.key}"


# ── TLS and certificates ──────────────────────────────────────────────────────────────────────────────────────


def _unregistered(event: ClientRefused, offer: Offer) -> str:
    if "was deleted" in event.why:
        return f"{_who(event)} shows a certificate that somebody deleted here: start again, and it is known again"
    return f"{_who(event)} shows a certificate of this CA that is not this device's: give it {_files(offer)}"


def _inactive(event: ClientRefused, offer: Offer) -> str:
    advice = shown(event.hint) if event.hint else "make it ACTIVE again"
    return f"{_who(event)} shows a certificate that somebody made inactive: {advice}"


def _distrusts(event: ClientRefused, offer: Offer) -> str:
    """What a client says of it is an alert's name; many have one for everything."""
    said = f"{_who(event)} does not accept the cloud's certificate"
    alert = event.why.rpartition(": ")[2]
    if "expired" in alert:
        return f"{said} ({shown(alert)}): is the device's clock right?"
    ca = f"give it {offer.ca} as its CA, in the place of Amazon's root CA"
    if "unknown ca" in alert:
        return f"{said} ({shown(alert)}): {ca}"
    return f"{said} ({shown(alert)}): {ca}; connect by {offer.host}, not by another name; and is its clock right?"


def _tls(event: ClientRefused, offer: Offer) -> str:
    who = _who(event)
    if "plain HTTP" in event.why:
        return f"{who} speaks HTTP without TLS to a port with TLS: use https://, with {_files(offer)}"
    if "no TLS" in event.why:
        return f"{who} speaks without TLS to a port with TLS: turn TLS on, with {_files(offer)}, and the CA {offer.ca}"
    if "hung up" in event.why:
        return (
            f"{who} hangs up in the TLS handshake: most likely it does not accept the cloud's certificate;"
            f" give it {offer.ca} as its CA, and connect by {offer.host}"
        )
    return f"{who} fails in the TLS handshake: {shown(event.why)}; this cloud takes TLS 1.2 and 1.3"


# ── MQTT and HTTP ─────────────────────────────────────────────────────────────────────────────────────────────


def _https(offer: Offer) -> str:
    port = offer.data_port
    return "no port is open for HTTPS: --data-port 0 opens one" if port is None else f"HTTPS is on port {port}"


def _mqtt(offer: Offer) -> str:
    port = offer.mqtts_port
    if port is None:
        return "no port is open for MQTT with TLS: --mqtts-port 0 opens one"
    return f"MQTT with TLS is on port {port}"


def _no_mqtt(event: ClientRefused, offer: Offer) -> str:
    who, hint = _who(event), event.hint or ""
    if "HTTP" in hint:
        return f"{who} speaks HTTP to the port for MQTT: {_https(offer)}"
    if "TLS" in hint:
        return f"{who} speaks TLS to the port without it: {_mqtt(offer)}"
    return f"{who} does not begin with an MQTT CONNECT: speak MQTT 3.1.1 or 5 there, without WebSocket"


def _no_http(event: ClientRefused, offer: Offer) -> str:
    if event.hint and "MQTT" in event.hint:
        return (
            f"{_who(event)} speaks MQTT where HTTP is spoken: {_mqtt(offer)}, with x-amzn-mqtt-ca in ALPN or none,"
            " and not with x-amzn-http-ca"
        )
    return f"{_who(event)} sends what is no HTTP: {_mqtt(offer)}"


def _not_allowed(event: ClientRefused, offer: Offer) -> str:
    name = _resource(event)
    match event.action:
        case "iot:Connect":
            return (
                f"{_who(event)} may not connect by that client id: it has to be {offer.client_id},"
                f" and of further connections {offer.client_id}-…"
            )
        case "iot:Subscribe":
            return f"{_who(event)} may not subscribe to {name}{_not_own(name, offer)}"
        case "iot:Publish" | "iot:RetainPublish" | "iot:Receive":
            return f"{_who(event)} may not {_verb(event.action)} {name}{_not_own(name, offer)}"
        case _ if event.action.startswith("iotjobsdata:"):
            return f"{_who(event)} asks about {name} over HTTP: its certificate is for the thing {offer.thing} alone"
        case _:
            return f"{_who(event)} may not do {shown(event.action)} on {name} ({shown(event.why)})"


def _not_own(name: str, offer: Offer) -> str:
    why = wrong_with(name, offer.thing, offer.namespace_id)
    if why is not None and "shadow" not in why:
        return f", which {why}"
    allowed = f"its policy has $aws/things/{offer.thing}/jobs/… and dut/{offer.thing}/…"
    return f": {allowed}; if the device needs it, add --allow-topic '{name}'"


def _verb(action: str) -> str:
    return {"iot:Publish": "publish to", "iot:RetainPublish": "publish retained to"}.get(action, "receive from")


def _resource(event: ClientRefused) -> str:
    """What it was about, without the kind before it."""
    kind, _, name = event.resource.partition("/")
    return shown(name if kind in ("topic", "topicfilter", "client", "thing") else event.resource)


def _topic(event: ClientRefused, offer: Offer) -> str:
    name = _resource(event)
    why = wrong_with(name, offer.thing, offer.namespace_id) or f"is not served: {shown(event.why)}"
    did = "subscribes to" if event.action == "iot:Subscribe" else "publishes to"
    return f"{_who(event)} {did} {name}, which {why}"


def _otherwise(event: ClientRefused, offer: Offer) -> str:
    hint = f"; {shown(event.hint)}" if event.hint else ""
    return f"{_who(event)} was refused, {shown(event.code)}: {shown(event.why)}{hint}"


_SENTENCES: Final[dict[str, str]] = {
    "certificate-missing": "shows no client certificate: give it {files}",
    "certificate-foreign": "shows a certificate of another CA: give it {files}",
    "certificate-expired": "shows a certificate that is not valid now: give it {files};"
    " if it has these, remove both files and start again, and they are made anew",
    "certificate-bad": "shows a certificate that is not accepted ({why}): give it {files}",
    "protocol-version": "speaks another version ({why}): set its client to MQTT 3.1.1 or 5",
    "malformed": "sends a packet that AWS IoT does not take ({why}), and its connection ended",
    "qos-2": "uses QoS 2 ({resource}), which AWS IoT does not have: use QoS 0 or 1",
    "client-id": "has a client id that AWS IoT does not take ({why}): use {client_id}",
    "connect-timeout": "connects and sends no CONNECT ({why}): have its client speak MQTT there",
    "quota": "asks for more than AWS IoT gives ({why})",
}
"""By the code of the refusal, what is said behind who it was."""
_SAY: Final[dict[str, Say]] = {
    "certificate-unregistered": _unregistered,
    "certificate-inactive": _inactive,
    "server-not-trusted": _distrusts,
    "tls-failed": _tls,
    "not-mqtt": _no_mqtt,
    "not-http": _no_http,
    "not-allowed": _not_allowed,
    "topic": _topic,
}
"""Where more than that decides; of any other code, it is what the cloud says."""
