"""The desk that a device under test is put on: the local cloud with its thing, its certificate and its policy.

The cloud runs in this process and this loop. It stays up for as long as the desk is open, whatever is played on it.

    async with Desk(DeskSettings("pump-7", certs=Path("certs"))) as desk:
        print(desk.offer.as_json())
        stop = desk.listen(arrival.feed)

Who is let in: whoever holds this device's certificate, over TLS. The port without TLS is off unless asked for, because
anybody may do anything there, also another device that is on the same network. Where others than this machine can
connect, the control plane takes signatures of a key that nobody has; files by presigned URLs are served all the same.
"""

import fcntl
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from agent.errors import InputError
from agent.hosts import is_loopback
from simulator.certify.enrolment import enrol
from simulator.certify.offer import Offer, topics_that_count
from simulator.certify.standing import Standing
from simulator.certify.wiretap import Wiretap
from simulator.certs import DEFAULT_HOSTS, make_certificates
from simulator.cloud.contained import contained
from simulator.cloud.listeners.http_ports import in_url
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.serving import odd_names_unheard
from simulator.cloud.settings.cloud import CloudSettings
from simulator.controller.hand import Hand
from simulator.controller.in_process import InProcess
from simulator.heartbeat import Heartbeat
from simulator.trace import CLOUD, AccountEnded, CloudEvent, Entry, Recorder, Sink

__all__ = ["Desk", "DeskSettings", "Offer"]

EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - asked for by name
ELSEWHERE: Final = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}  # noqa: S104
"""Addresses that stand for any on the network (RFC 5737, RFC 3849); nothing is sent there."""
NAMESPACE: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""As CreateJob takes it (API reference, NamespaceId), and as long as job ids may be."""
CONNECT_SECONDS: Final = 30.0
"""How long a device may take from its connection to its CONNECT; small ones are slow."""


@dataclass(frozen=True)
class DeskSettings:
    """Ports as `ghostjob cloud` has them: 0 for any free one, None for none.

    `certs` is a directory as `ghostjob certs` makes; what is there is kept. `files` is what presigned URLs lead to.
    `address` is how a device reaches us, if not by `host`; None: found out. `allow` are topics, with MQTT's wildcards,
    that this device may use besides those of Jobs and `dut/THING/#`.
    """

    thing: str
    certs: Path
    namespace_id: str | None = None
    host: str = "127.0.0.1"
    address: str | None = None
    mqtt_port: int | None = None
    mqtts_port: int | None = 0
    data_port: int | None = 0
    api_port: int = 0
    files: Path | None = None
    allow: tuple[str, ...] = ()


class Desk:
    """A context: what `settings` ask for is up while it lasts. Raises InputError if it cannot be."""

    offer: Offer
    cloud: LocalCloud

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._address = settings.address or _reached_at(settings.host)
        self._stack = AsyncExitStack()
        self._wiretap = Wiretap()
        self._standing = Standing(settings.thing)
        self._record = Recorder(CLOUD, time.monotonic, self._tell)
        self._heartbeat = Heartbeat("cloud", self._heard)

    async def __aenter__(self) -> Self:
        settings, certs = self._settings, self._settings.certs
        if settings.namespace_id is not None and not NAMESPACE.fullmatch(settings.namespace_id):
            raise InputError(f"--namespace-id {settings.namespace_id}: 1 to 64 of a-z A-Z 0-9 _ -")
        hosts = (*DEFAULT_HOSTS, *(() if self._address in DEFAULT_HOSTS else (self._address,)))
        with _alone_in(certs, settings.address):
            make_certificates(certs, [settings.thing], hosts)
            pem = _checked(certs, settings.thing)
        self.cloud = LocalCloud(_cloud_settings(settings, self._address), self._record)
        enrol(self.cloud.core.registry, settings.thing, pem, settings.allow)
        try:
            await self._stack.enter_async_context(odd_names_unheard())
            await self._stack.enter_async_context(self.cloud)
            self._stack.enter_context(self._heartbeat)
        except BaseException:
            await self._stack.aclose()
            raise
        self.offer = _offer(settings, self._address, self.cloud.endpoints)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def listen(self, sink: Sink) -> Callable[[], None]:
        """Have `sink` told of every entry of the cloud's trace from now on, until the result is called."""
        return self._wiretap.join(sink)

    def standing(self) -> tuple[Entry, ...]:
        """What a new judge has to know: this device's connections and subscriptions that last, as they were told."""
        return self._standing.entries()

    def watched_until_now(self) -> None:
        """Tell in the trace that what the cloud has not told by now did not happen: a play with it is over."""
        self._heard(AccountEnded())

    def running_time(self) -> float:
        """Seconds in which this process ran, by the clock of the trace."""
        return self._heartbeat.running_time()

    def hand(self) -> Hand:
        """What a controller acts through."""
        return Hand(InProcess(self.cloud.core.control_plane()))

    def _heard(self, event: CloudEvent) -> None:
        contained("tracing", self._record, event)

    def _tell(self, entry: Entry) -> None:
        self._standing.feed(entry)
        self._wiretap.feed(entry)


# ── what the cloud is told ────────────────────────────────────────────────────────────────────────────────────


def _cloud_settings(settings: DeskSettings, address: str) -> CloudSettings:
    # Power comes back in less than the second that AWS wants between two connections of one client id, and what a
    # device does about being throttled then is no question of Jobs. Other certificates are nobody's here.
    gateway = GatewaySettings(
        connects_per_second=None, own_certificates="unknown", connect_limit_seconds=CONNECT_SECONDS
    )
    is_private = is_loopback(settings.host)
    return CloudSettings(
        host=settings.host,
        api_port=settings.api_port,
        mqtt_port=settings.mqtt_port,
        mqtts_port=settings.mqtts_port,
        data_port=settings.data_port,
        certs=settings.certs,
        files=settings.files,
        files_url=f"http://{in_url(address)}:{{port}}" if settings.files is not None else None,
        access_keys=() if is_private else ((f"GHOSTJOB{secrets.token_hex(8)}", secrets.token_urlsafe(32)),),
        gateway=gateway,
    )


def _offer(settings: DeskSettings, address: str, endpoints: dict[str, str | None]) -> Offer:
    def port(name: str) -> int | None:
        bound = endpoints[name]
        return None if bound is None else int(bound.rpartition(":")[2])

    directory, thing = settings.certs.absolute(), settings.thing
    return Offer(
        thing=thing,
        client_id=thing,
        host=address,
        mqtt_port=port("mqtt"),
        mqtts_port=port("mqtts"),
        data_port=port("data"),
        api_url=f"http://{in_url(address)}:{port('api')}",
        ca=directory / "ca.pem",
        cert=directory / f"{thing}.pem",
        key=directory / f"{thing}.key",
        topics=topics_that_count(thing, settings.namespace_id),
        namespace_id=settings.namespace_id,
    )


# ── what is there ─────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _alone_in(certs: Path, address: str | None) -> Iterator[None]:
    """Nobody else makes certificates there meanwhile: where tests run side by side, several desks open at once.

    What is wrong there is told by the options of this command.
    """
    try:
        certs.mkdir(parents=True, exist_ok=True)
        directory = os.open(certs, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"--certs {certs}: cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)  # which others have for some milliseconds
        yield
    except InputError as error:
        told = str(error).replace("--dir ", "--certs ", 1)
        raise InputError(told if address is None else told.replace("--host ", "--address ", 1)) from None
    finally:
        os.close(directory)


def _checked(certs: Path, thing: str) -> str:
    """The device's certificate, which may be older than this. Raises InputError if nobody could use it."""
    cert, key = certs / f"{thing}.pem", certs / f"{thing}.key"
    anew = f"remove {cert} and {key}, and both are made anew"
    if not key.exists():
        raise InputError(f"{key}: missing beside its certificate; {anew}")
    try:
        pem = cert.read_text("utf-8")
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((certs / "ca.pem").read_bytes()))
    except (OSError, ValueError, TypeError, InvalidSignature):
        raise InputError(f"{cert}: no certificate of the CA beside it, ca.pem; {anew}") from None
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise InputError(f"{cert}: it has expired; {anew}")
    return pem


def _reached_at(host: str) -> str:
    """By which address a device on the network reaches who listens on `host`. Raises InputError."""
    if host not in EVERYWHERE:
        return host
    family, somewhere = ELSEWHERE[host]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((somewhere, 9))  # of UDP: it only chooses a way
            return str(asked.getsockname()[0])
    except OSError:
        raise InputError(f"--host {host}: this machine has no address on a network; give one with --address") from None
