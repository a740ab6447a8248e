"""The local cloud put together: jobs core, registry, gateway and control plane behind their listeners."""

import asyncio
import errno
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web

from agent.errors import InputError
from simulator.certs import server_context
from simulator.cloud.api import Account, ControlPlane
from simulator.cloud.api.http import HttpApi
from simulator.cloud.device_api import DeviceApi
from simulator.cloud.jobs import Jobs, JobsSettings, Outcome
from simulator.cloud.mqtt import Gateway
from simulator.cloud.registry import Registry
from simulator.trace import AccountEnded, CloudEvent, CloudListening

HTTP_GRACE_SECONDS = 1.0
"""How long a request under way may take to end when the cloud is stopped."""


@dataclass(frozen=True, slots=True)
class CloudOptions:
    """Where it listens; a port of None is off, 0 any free one. `certs` is what `ghostjob certs` made."""

    host: str = "127.0.0.1"
    api_port: int | None = 4566
    mqtt_port: int | None = 1883
    mqtts_port: int | None = 8883
    data_port: int | None = 8443
    certs: Path | None = None
    jobs: JobsSettings = field(default_factory=JobsSettings)


class LocalCloud:
    """A local AWS IoT, up while the context lasts. `observe` gets its trace events."""

    def __init__(self, options: CloudOptions, observe: Callable[[CloudEvent], None] | None = None) -> None:
        self._options = options
        self._observe = observe
        self._jobs = Jobs(options.jobs)
        self._device_api = DeviceApi(self._jobs, time.time, observe)
        self._gateway = Gateway(self._device_api)
        self._http: asyncio.Server | None = None
        self._http_connections: web.Server | None = None
        self._tick: asyncio.TimerHandle | None = None
        self.endpoints: dict[str, str | None] = dict.fromkeys(("api", "mqtt", "mqtts", "data"))

    async def __aenter__(self) -> Self:
        try:
            await self._listen()
        except BaseException:
            await self._close()
            raise
        if self._observe is not None:
            self._observe(CloudListening(self.endpoints))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()
        if self._observe is not None:
            self._observe(AccountEnded())

    async def _listen(self) -> None:
        options = self._options
        tls = self._tls()
        if options.mqtt_port is not None:
            self.endpoints["mqtt"] = await self._listen_mqtt("mqtt", options.mqtt_port, None)
        if options.mqtts_port is not None and tls is not None:
            self.endpoints["mqtts"] = await self._listen_mqtt("mqtts", options.mqtts_port, tls)
        if options.api_port is not None:
            account = Account(data_endpoint=self.endpoints["mqtts"] or self.endpoints["mqtt"] or "")
            registry = Registry(lambda: str(uuid.uuid4()))
            control_plane = ControlPlane(self._jobs, registry, account, time.time, self._carry)
            loop = asyncio.get_running_loop()
            try:
                self._http_connections = HttpApi(control_plane).server()
                self._http = await loop.create_server(self._http_connections, options.host, options.api_port)
            except OSError as error:
                raise _cannot_listen("api", options.host, options.api_port, error) from None
            self.endpoints["api"] = f"http://{_in_url(options.host)}:{self._http.sockets[0].getsockname()[1]}"

    def _tls(self) -> ssl.SSLContext | None:
        """The server's certificate; without --certs there is no TLS listener."""
        if self._options.mqtts_port is None or self._options.certs is None:
            return None
        return server_context(self._options.certs)

    async def _listen_mqtt(self, name: str, port: int, tls: ssl.SSLContext | None) -> str:
        try:
            bound = await self._gateway.listen(self._options.host, port, tls=tls)
        except OSError as error:
            raise _cannot_listen(name, self._options.host, port, error) from None
        return f"{_in_url(self._options.host)}:{bound}"

    async def _close(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        if self._http is not None:
            self._http.close()
        if self._http_connections is not None:
            await self._http_connections.shutdown(HTTP_GRACE_SECONDS)
        await self._gateway.close()

    # ── what the control plane brings about ───────────────────────────────────────────────────────────────────

    def _carry(self, outcome: Outcome) -> None:
        """Trace a command's changes, publish its hints, and set the clock for what it left to be done."""
        self._device_api.record(outcome)
        for topic, payload in self._device_api.publications(outcome):
            self._gateway.publish(topic, payload)
        self._set_tick()

    def _set_tick(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        due = self._jobs.next_due()
        if due is not None:
            wait = max(0.0, due - time.time())
            self._tick = asyncio.get_running_loop().call_later(wait, self._do_due)

    def _do_due(self) -> None:
        self._tick = None
        self._carry(self._jobs.tick(time.time()))


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _cannot_listen(name: str, host: str, port: int, error: OSError) -> InputError:
    option = f"--{name}-port"
    if error.errno == errno.EADDRINUSE:
        return InputError(f"{name} port {port}: in use; choose another with {option}, or 0 for any free one")
    reason = error.strerror or str(error)
    return InputError(f"{name} port {port}: cannot listen on {host}: {reason}; see --host and {option}")
