"""One TLS port for several protocols: what the client names in the handshake (ALPN) decides which it gets."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

Make: TypeAlias = Callable[[], asyncio.BaseProtocol]

MQTT: Final = "x-amzn-mqtt-ca"
"""MQTT with a certificate, on a port that others share (Developer Guide, "Device communication protocols")."""
HTTP: Final = "x-amzn-http-ca"
"""HTTPS with a certificate, ditto."""


class ByName(asyncio.Protocol):
    """Gives way to what `others` has for the name that was agreed on, or to what `usual` makes."""

    def __init__(self, usual: Make, others: Mapping[str, Make]) -> None:
        self._usual = usual
        self._others = others

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        protocol = self._others.get(tls.selected_alpn_protocol() or "", self._usual)()
        cast("asyncio.Transport", transport).set_protocol(protocol)
        protocol.connection_made(transport)
