"""The local cloud: the service behind its listeners, MQTT gateway and control plane."""

import errno
import secrets
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Final, Literal, Self

from agent.errors import InputError
from agent.log import get_logger
from simulator.certificate_files import exposed, server_context
from simulator.cloud.access.certificate_holders import CertificateHolders
from simulator.cloud.access.principals import Gatekeeper
from simulator.cloud.arns import AccountRegion
from simulator.cloud.background import Every
from simulator.cloud.contained import contained
from simulator.cloud.device_api.network import Network
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.listeners.file_server import PREFIX as FILES
from simulator.cloud.listeners.file_server import FileServer
from simulator.cloud.listeners.http_ports import HttpPorts, in_url
from simulator.cloud.listeners.websockets import WebSockets
from simulator.cloud.mqtt.shells import handshake
from simulator.cloud.mqtt.shells.gateway import BACKLOG
from simulator.cloud.mqtt.shells.listening import bound
from simulator.cloud.notices.strangers import Strangers
from simulator.cloud.notices.telling import Notices
from simulator.cloud.s3.presigned import FileUrls
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import Fault
from simulator.cloud.store import Store
from simulator.cloud.tenant import Tenant, Tenants, account_of, owner
from simulator.cloud.workers import Crew, Door
from simulator.trace import AccountEnded, CloudEvent, CloudListening

_log = get_logger("ghostjob.cloud")
ALPN: Final = (handshake.MQTT, handshake.HTTP)
"""What may be spoken on the MQTT port with TLS."""
SWEEP_SECONDS: Final = 1.0
"""How often it is looked whether there is more to tell of who was refused."""


class LocalCloud:
    """A local AWS IoT, up while the context lasts. `observers` get the trace events of its own account and region."""

    def __init__(self, settings: CloudSettings, *observers: Callable[[CloudEvent], None] | None) -> None:
        self._settings = settings
        self.observe = observe = _contained(observers)
        """All of those that there are, as one; None costs nothing."""
        self._urls: FileUrls | None = None
        self._store = None if settings.state is None else Store(settings.state)
        for remark in () if self._store is None else self._store.remarks:
            _log.warning(remark.event, **remark.fields)
        self._notices = Notices(observe, time.monotonic)
        self._sweeper = Every(SWEEP_SECONDS, "telling notices", self._notices.sweep)
        self._strangers = Strangers()
        account = AccountRegion(settings.region, settings.account)
        home = self._tenant(account, observe)
        self._tenants = Tenants(home, self._tenant)
        self.core, self._gateway = home.core, home.gateway
        """The service itself, of its own account and region, for who is in this process."""
        if self._store is not None:
            self._store.committed = self._committed
        enrolled_from = settings.certs if settings.gateway.own_certificates == "registered" else None
        holders = CertificateHolders(self.core.registry, account, time.time, enrolled_from)
        self._gatekeeper = Gatekeeper(holders, self._notices.tell)
        self._websockets = WebSockets(lambda claim: self._tenants.of(claim).gateway)
        files = None if settings.files is None else FileServer(settings.files, lambda: self._urls, time.time)
        self._http = HttpPorts(
            self._tenants,
            time.time,
            certs=settings.certs,
            holders=holders,
            settings=settings.http,
            access_keys=dict(settings.access_keys),
            settled=None if self._store is None else self._store.settled,
            elsewhere=(self._websockets.route, *(() if files is None else (files.route,))),
            files=settings.files,
            tell=self._notices.tell,
            strangers=self._strangers,
        )
        self._crew = Crew(settings.workers, self._notices.tell) if settings.workers else None
        """Who holds MQTT's connections, if this process does not do so itself."""
        self.endpoints: dict[str, str | None] = dict.fromkeys(("api", "mqtt", "mqtts", "data"))

    def _tenant(self, account: AccountRegion, observe: Callable[[CloudEvent], None] | None = None) -> Tenant:
        shelf = None if self._store is None else self._store.shelf(owner(account))
        made = Tenant(account, self._settings, shelf, observe, self._notices.tell)
        made.gateway.broker.context.strangers = self._strangers
        if self._urls is not None:
            made.core.jobs.presign = self._urls.document
        return made

    def _committed(self, ticket: int) -> None:
        for tenant in self._tenants:
            contained("letting go what waited", tenant.gateway.broker.context.commits.commit, ticket)

    @property
    def accounts(self) -> tuple[AccountRegion, ...]:
        """Whom it serves by now."""
        return tuple(tenant.account for tenant in self._tenants)

    async def __aenter__(self) -> Self:
        for sentence in () if self._settings.certs is None else exposed(self._settings.certs):
            _log.warning("certs.exposed", why=sentence)
        for name, needed in self._settings.ignored():
            _log.warning("setting.ignored", setting=name, why=f"there is no {needed}")
        try:
            self._tenants.home.start()
            self._register(self._settings.things)
            await self._listen()
            if self._store is not None:
                await self._store.settled()
        except BaseException:
            await self._close()
            raise
        if self.observe is not None:
            self.observe(CloudListening(self.endpoints))
        self.core.resume()
        for left in () if self._store is None else self._store.owners():
            self._http.serve(self._tenants.open(account_of(left)))
        self._sweeper.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sweeper.stop()
        await self._close()
        self._notices.close()
        if self.observe is not None:
            self.observe(AccountEnded())

    def _register(self, things: Iterable[str]) -> None:
        control_plane, registry = self.core.control_plane(), self.core.registry
        for name in things:
            if registry.things.get(name) is None:  # one that was remembered stays as it is
                control_plane.call("CreateThing", {"thingName": name})

    async def _listen(self) -> None:
        settings = self._settings
        tls = self._tls()
        if settings.mqtt_port is not None:
            self.endpoints["mqtt"] = await self._listen_mqtt("mqtt", settings.mqtt_port, None)
        if settings.mqtts_port is not None and tls is not None:
            self.endpoints["mqtts"] = await self._listen_mqtt("mqtts", settings.mqtts_port, tls)
        if settings.data_port is not None and settings.certs is not None:
            self.endpoints["data"] = await self._listen_http("data", settings.data_port)
        if settings.api_port is not None:
            url = self.endpoints["api"] = await self._listen_http("api", settings.api_port)
            self._offer_files((settings.files_url or url).replace("{port}", url.rpartition(":")[2]))
        if self._crew is not None:
            await self._crew.begin()

    def _offer_files(self, url: str) -> None:
        if self._settings.files is not None:
            # Kept, so that a URL which a device was given holds as long as it says.
            secret = secrets.token_bytes(32) if self._store is None else self._store.secret("presigned-urls")
            urls = self._urls = FileUrls(f"{url.rstrip('/')}{FILES}", secret)
            self.core.jobs.presign = urls.document

    def _tls(self) -> ssl.SSLContext | None:
        """The server's certificate; without --certs there is no TLS listener."""
        if self._settings.mqtts_port is None or self._settings.certs is None:
            return None
        tls = server_context(self._settings.certs)
        tls.set_alpn_protocols(ALPN)
        self._gatekeeper.listens_with(tls)
        return tls

    async def _listen_mqtt(self, name: str, port: int, tls: ssl.SSLContext | None) -> str:
        host, gateway = self._settings.host, self._gateway
        identify = None if tls is None else self._gatekeeper.admit
        others = {} if tls is None else {handshake.HTTP: self._http.data_connections()}
        try:
            if self._crew is None:
                found = await gateway.listen(host, port, tls=tls, identify=identify, others=others)
            else:
                sockets = await bound(host, port, BACKLOG)
                certs = None if tls is None else self._settings.certs
                self._crew.open(Door(sockets, gateway.connections(identify, others), certs, ALPN))
                found = sockets[0].getsockname()[1]
        except OSError as error:
            raise _cannot_listen(name, host, port, error) from None
        return f"{in_url(host)}:{found}"

    async def _listen_http(self, name: Literal["api", "data"], port: int) -> str:
        settings = self._settings
        try:
            if name == "data":
                return await self._http.listen_data(settings.host, port)
            return await self._http.listen_api(
                settings.host, port, self.endpoints["mqtts"] or self.endpoints["mqtt"] or ""
            )
        except OSError as error:
            raise _cannot_listen(name, settings.host, port, error) from None

    async def _close(self) -> None:
        for tenant in self._tenants:
            tenant.put_behind((), "")  # while what comes of it can still be carried out
            tenant.core.close()
        self._websockets.close()
        if self._crew is not None:
            self._crew.shut()
        await self._http.close()
        if self._store is not None:
            await self._store.rest()
        for tenant in self._tenants:
            await tenant.gateway.close()
        if self._crew is not None:
            await self._crew.end()
        if self._store is not None:
            await self._store.close()

    def retune(self, cloud: JobsSettings, faults: tuple[Fault, ...], seed: str) -> None:
        """Have other settings of the Jobs service, and other faults, while it runs; nothing of the old ones is left.

        What is held goes on first, in order, and whoever was cut off is let in again.
        """
        self._settings = self._settings.model_copy(update={"cloud": cloud, "faults": faults, "seed": seed})
        for tenant in self._tenants:
            tenant.retune(cloud, faults, seed)

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing of its own account for so long; `name` is what the trace calls that."""
        self._tenants.home.cut_off(thing, seconds, name)

    def have_carried_by(self, network: Network) -> None:
        """From now on that carries the messages of its own account, whatever the settings have."""
        self._tenants.home.have_carried_by(network)

    def overhear(self, topic: str, hear: Callable[[bytes], None]) -> Callable[[], None]:
        """Have `hear` called with every message that is published on a topic, until the result is called.

        What is retained there comes first, at once.
        """
        return self._gateway.broker.router.overhear(topic, hear)

    def when_it_fails(self, act: Callable[[InputError], None]) -> None:
        """Have `act` told if nothing can be kept any more. Nothing is answered from then on."""

        def fail(failure: InputError) -> None:
            if failure.__cause__ is not None:  # a fault of ours: its traceback is for whoever mends it
                _log.error("state.failed", exc_info=failure.__cause__)
            act(failure)

        if self._store is not None:
            self._store.failed = fail


def _contained(observers: tuple[Callable[[CloudEvent], None] | None, ...]) -> Callable[[CloudEvent], None] | None:
    """Who cannot take an event stops nobody who has one to tell, nor who else is told."""
    there = [each for each in observers if each is not None]
    if not there:
        return None

    def tell(event: CloudEvent) -> None:
        for each in there:
            contained("tracing", each, event)

    return tell


def _cannot_listen(name: str, host: str, port: int, error: OSError) -> InputError:
    option = f"--{name}-port"
    if error.errno == errno.EADDRINUSE:
        return InputError(f"{name} port {port}: in use; choose another with {option}, or 0 for any free one")
    reason = error.strerror or str(error)
    return InputError(f"{name} port {port}: cannot listen on {host}: {reason}; see --host and {option}")
