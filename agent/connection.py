"""The way to the cloud: an endpoint, its certificates, and one of the two MQTT clients that carry requests there.

Either client is imported only if it is asked for.
"""

import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from agent.errors import InputError
from agent.hosts import is_loopback
from agent.jitter import Jitter
from agent.log import get_logger
from agent.runner import Transport
from agent.tls import load_certificates
from agent.topics import subscriptions

TLS_PORT: Final = 8883
PLAIN_PORT: Final = 1883
ALPN_PORT: Final = 443
ALPN_MQTT: Final = "x-amzn-mqtt-ca"
"""How MQTT is told from HTTPS on port 443 (Developer Guide, "Device communication protocols")."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A device's certificate and private key, PEM; `ca` signs the other side's, None: an authority the system knows."""

    cert: Path
    key: Path
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to, as whom, and by what. `identity` is None for plain MQTT."""

    thing: str
    host: str
    port: int
    identity: Identity | None
    namespace_id: str | None = None
    client_id: str | None = None
    by: Literal["paho", "awsiot"] = "paho"

    @property
    def is_local(self) -> bool:
        """Whether that is this machine."""
        return is_loopback(self.host)


@asynccontextmanager
async def transport_of(connection: Connection, seed: str) -> AsyncIterator[Transport]:
    """What carries the device's messages; it is the runner that starts and stops it. Raises InputError."""
    filters = subscriptions(connection.thing, connection.namespace_id)
    if connection.identity is not None:
        _check_files(connection.identity)
    if connection.by == "awsiot":
        from agent.transports.awsiot import AwsIotEndpoint, AwsIotTransport, Certificates

        identity = connection.identity
        certificates = None if identity is None else Certificates(identity.ca, identity.cert, identity.key)
        endpoint = AwsIotEndpoint(connection.host, connection.port, certificates)
        yield AwsIotTransport(connection.thing, endpoint, filters, client_id=connection.client_id)
        return
    from agent.transports.endpoint import Endpoint
    from agent.transports.paho import PahoFleet
    from agent.transports.upkeep import Shared

    tls = client_context(connection.identity) if connection.identity is not None else None
    if tls is not None and connection.port == ALPN_PORT:
        tls.set_alpn_protocols([ALPN_MQTT])
    fleet = PahoFleet(Shared(Jitter(f"{seed}/connection")))
    await fleet.start()
    try:
        where = Endpoint(connection.host, connection.port, tls)
        yield fleet.transport(connection.thing, where, filters, client_id=connection.client_id)
    finally:
        await fleet.stop()


def client_context(identity: Identity) -> ssl.SSLContext:
    """TLS for a device. Raises InputError naming the file."""
    context = ssl.create_default_context() if identity.ca is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificates(context, identity.ca, identity.cert, identity.key)
    return context


def _check_files(identity: Identity) -> None:
    """Raise InputError for a file that is not there; warn of a key that others may read."""
    for option, path in (("--cert", identity.cert), ("--key", identity.key), ("--ca", identity.ca)):
        if path is not None and not path.is_file():
            raise InputError(f"{option} {path}: no such file")
    if identity.key.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
        get_logger("ghostjob.agent").warning(
            "key.exposed", key=str(identity.key), advice=f"others may read it; chmod 600 {identity.key}"
        )
