"""The HTTP listeners of the local cloud: the API port and, with certificates, the data port."""

import asyncio
import ssl
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from aiohttp import web

from simulator.certificate_files import server_context
from simulator.cloud.access.certificate_holders import CertificateHolders
from simulator.cloud.access.signatures import Signatures
from simulator.cloud.api import CertificateAuthority, ControlPlane
from simulator.cloud.api.api_port import HttpApi, Planes
from simulator.cloud.api.data_plane import DataPlane
from simulator.cloud.api.data_port import DataPort
from simulator.cloud.api.gate import Route
from simulator.cloud.api.http import HttpListener
from simulator.cloud.api.publishing import Publisher
from simulator.cloud.api.rate import OperationRate
from simulator.cloud.api.retained import RetainedMessages
from simulator.cloud.api.wire import Server
from simulator.cloud.listeners.http_messages import HttpMessages
from simulator.cloud.mqtt.shells.handshake import HTTP, TlsServer
from simulator.cloud.mqtt.shells.listening import KEPT_FOR_FILES, Listener, bound
from simulator.cloud.notices.refusals import Tell
from simulator.cloud.notices.strangers import Strangers
from simulator.cloud.settings.http import HttpSettings
from simulator.cloud.tenant import Tenant, Tenants

GRACE_SECONDS: Final = 1.0
"""How long a request under way may take to end when the cloud is stopped."""
ALPN: Final = ("http/1.1", HTTP)


class HttpPorts:
    """Both ports of one cloud. The API port serves all tenants, the data port `home`'s devices."""

    def __init__(
        self,
        tenants: Tenants,
        clock: Callable[[], float],
        *,
        certs: Path | None,
        holders: CertificateHolders,
        settings: HttpSettings,
        access_keys: Mapping[str, str],
        settled: Callable[[], Awaitable[None]] | None,
        elsewhere: tuple[Route, ...],
        files: Path | None,
        tell: Tell,
        strangers: Strangers,
    ) -> None:
        self._tell = tell
        self._strangers = strangers
        self._tenants = tenants
        self._clock = clock
        self._certs = certs
        self._holders = holders
        self._settings = settings
        self._settled = settled
        self._elsewhere = elsewhere
        self._files = files
        self._signatures = Signatures(access_keys, clock)
        self._devices = {tenants.home: self._for_devices(tenants.home)}
        self._authority = CertificateAuthority(certs)
        self._planes: dict[Tenant, Planes] = {}
        self._api_endpoint = self._data_endpoint = ""
        self._servers: list[tuple[Listener, web.Server]] = []
        self._guests: list[web.Server] = []
        self.listeners: dict[str, HttpListener] = {}
        """What serves HTTP, by the name of the port that it does it on."""

    def _for_devices(self, tenant: Tenant) -> tuple[DataPlane, Publisher, RetainedMessages]:
        core = tenant.core
        data_plane = DataPlane(core.device_api, core.answer, core.knows, self._settings)
        messages = HttpMessages(tenant.gateway.broker.router, self._clock, tenant.gateway.time)
        publisher = Publisher(messages, lambda: str(uuid.uuid4()), self._tell)
        return data_plane, publisher, RetainedMessages(messages, self._settings.page_size)

    def serve(self, tenant: Tenant) -> Planes:
        """What stands behind the API port for one account and region, made when it is first asked for.

        Only devices at home find their broker on ports of its own; others come by WebSocket.
        """
        found = self._planes.get(tenant)
        if found is None:
            data = self._data_endpoint if tenant is self._tenants.home else self._api_endpoint
            account = replace(tenant.account, data_endpoint=data, jobs_endpoint=self._api_endpoint)
            its = replace(tenant.core.backing(), account=account, settings=self._settings)
            plane = ControlPlane(replace(its, authority=self._authority, files=self._files))
            devices = self._devices.get(tenant) or self._for_devices(tenant)
            rate = OperationRate(self._settings.operations_per_second, self._clock)
            found = self._planes[tenant] = Planes(plane, plane.in_the_hand_of_aws(), *devices, rate)
        return found

    async def listen_api(self, host: str, port: int, data_endpoint: str) -> str:
        """Serve the control plane and, with signatures, the data plane; the URL. Raises OSError."""

        def connections(address: str) -> Server:
            self._api_endpoint, self._data_endpoint = address, data_endpoint
            self.listeners["api"] = HttpApi(
                lambda claim: self.serve(self._tenants.of(claim)),
                self._signatures,
                settled=self._settled,
                elsewhere=self._elsewhere,
                tell=self._tell,
            )
            return self.listeners["api"].server()

        return f"http://{await self._listen(host, port, None, connections)}"

    async def listen_data(self, host: str, port: int) -> str:
        """Serve the data plane to the holders of certificates; the URL. Raises OSError, InputError."""
        assert self._certs is not None, "mutual TLS needs certificates"
        tls = server_context(self._certs)
        tls.set_alpn_protocols(ALPN)
        return f"https://{await self._listen(host, port, tls, lambda _: self._data_port('data'))}"

    def data_connections(self) -> Callable[[], asyncio.BaseProtocol]:
        """What serves the data plane on a listener of somebody else's that has mutual TLS."""
        connections = self._data_port("mqtts")
        connections.strangers = self._strangers
        self._guests.append(connections)
        return connections

    def _data_port(self, on: str) -> Server:
        devices = self._devices[self._tenants.home]
        listener = DataPort(*devices, self._holders, settled=self._settled, tell=self._tell)
        self.listeners[on] = listener
        return listener.server()

    async def _listen(
        self, host: str, port: int, tls: ssl.SSLContext | None, connections: Callable[[str], Server]
    ) -> str:
        """HOST:PORT as bound; `connections` is told it, and makes what serves there.

        Where no TLS is asked for, both are spoken if there are certificates.
        """
        is_optional = tls is None
        if tls is None and self._certs is not None:
            tls = server_context(self._certs, is_mutual=False)
        sockets, kept = await bound(host, port), KEPT_FOR_FILES
        address = f"{in_url(host)}:{sockets[0].getsockname()[1]}"
        made = connections(address)
        if tls is None:
            server = Listener(sockets, made, self._tell, kept)
        else:
            server = TlsServer(sockets, made, self._tell, tls, kept=kept, is_optional=is_optional)
        server.strangers = made.strangers = self._strangers
        self._servers.append((server.started(), made))
        return address

    async def close(self) -> None:
        """Stop listening, and let requests under way end; who does not read by then is cut off."""
        for server, _ in self._servers:
            await server.close()
        servers = (*(each for _, each in self._servers), *self._guests)
        await asyncio.gather(*(each.shutdown(GRACE_SECONDS) for each in servers))
        self._servers.clear()


def in_url(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
