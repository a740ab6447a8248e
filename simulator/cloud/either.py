"""One port for TLS and for plain bytes: the first byte that a client sends tells which it means.

AWS's SDKs speak to their endpoints by TLS only, people with curl rarely do, and the API has one port.
"""

import ssl

from simulator.cloud.mqtt.handshake import TLS_HANDSHAKE, TlsServer


class EitherServer(TlsServer):
    """The same, and without TLS for who begins without."""

    def tls_for(self, first: bytes) -> ssl.SSLContext | None:
        """What a client means that begins with this byte."""
        return super().tls_for(first) if first == TLS_HANDSHAKE else None
