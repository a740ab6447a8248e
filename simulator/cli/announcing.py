"""What `ghostjob cloud` says once everything listens: what it serves and to whom, what it keeps, how to see more."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from simulator.cloud.settings.cloud import CloudSettings

NAME: Final = 7
"""Characters with which a line begins: what it is about."""
WIDTH: Final = 28
"""Of the addresses."""
DATA: Final = "Jobs data plane, publishing, retained messages"
CERTIFICATES: Final = "who holds a client certificate, for what its policies allow"
SHOWN: Final = 5
"""Certificates that are named."""


def announcement(settings: CloudSettings, endpoints: Mapping[str, str | None]) -> Iterator[str]:
    """Line by line."""
    served = {
        "api": f"control plane, {DATA}, MQTT over WebSocket at /mqtt; {_signers(settings)}",
        "mqtt": "MQTT 3.1.1 and 5; anybody, for everything",
        "mqtts": f"MQTT 3.1.1 and 5 with TLS, and HTTPS by ALPN x-amzn-http-ca; {CERTIFICATES}",
        "data": f"HTTPS: {DATA}; {CERTIFICATES}",
    }
    for name, what in served.items():
        address = endpoints[name]
        off = "off" if name in ("api", "mqtt") or settings.certs is not None else "off: it needs --certs DIR"
        yield f"{name:<{NAME}}{address:<{WIDTH}} {what}" if address else f"{name:<{NAME}}{off}"
    yield f"certs  {_certificates(settings.certs)}"
    yield f"state  {settings.state or 'nothing is kept when this ends (--state FILE)'}"
    yield f"files  {settings.files or 'none: S3 placeholders in job documents stay as they are (--files DIR)'}"
    yield f"here   region {settings.region}, account {settings.account}"
    yield (
        "log    who is refused, and messages that are dropped, with the reason; more with --log-level info or debug, "
        "and everything that happens with --trace FILE"
    )
    yield "Ctrl-C stops it."


def _signers(settings: CloudSettings) -> str:
    if not settings.access_keys:
        return "anybody: signatures are not checked (--access-key-file FILE)"
    return f"who signs with {', '.join(key for key, _ in settings.access_keys)}"


def _certificates(directory: Path | None) -> str:
    if directory is None:
        return "none, so no TLS (ghostjob certs --dir certs --thing THING, then --certs certs)"
    things = sorted(path.stem for path in directory.glob("*.pem") if path.stem not in ("ca", "server"))
    shown = ", ".join(things[:SHOWN]) + (", …" if len(things) > SHOWN else "")
    number = "1 thing" if len(things) == 1 else f"{len(things)} things"
    return f"{directory}, with {number}: {shown}" if things else f"{directory}, with no thing's certificate"
