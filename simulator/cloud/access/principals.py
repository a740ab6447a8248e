"""Who is connected over mutual TLS, and what policies let it do: what the gateway asks of certificates.

Decisions are remembered for as long as nothing changes in the registry that they could depend on.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from simulator.cloud.access.certificate_holders import CertificateHolders
from simulator.cloud.access.denials import denial_of
from simulator.cloud.access.policies import allows
from simulator.cloud.mqtt.authorization import RESOURCES, Action, Visitor
from simulator.cloud.notices.refusals import Denial, Tell, tell_nobody

BITS: Final[dict[Action, int]] = {action: 1 << number for number, action in enumerate(RESOURCES)}
MOST_REMEMBERED: Final = 128
"""Names that decisions are remembered for, of one connection; none is longer than a topic may be: 50 KiB at most."""


class Gatekeeper:
    """What a TLS listener asks: `admit` is its `Identify`, `listens_with` prepares its context."""

    def __init__(self, holders: CertificateHolders, tell: Tell = tell_nobody) -> None:
        self._holders = holders
        self._tell = tell
        self._names: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()

    def listens_with(self, context: ssl.SSLContext) -> None:
        """Note which server name each client asks for: policies may depend on it."""

        def note(tls: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            if name is not None:
                self._names[tls] = name

        context.sni_callback = note

    def admit(self, transport: asyncio.Transport) -> "CertificateCredential | None":
        """Whoever proved to hold a certificate that is registered and ACTIVE."""
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True)
        certificate = None if der is None else self._holders.certificate(der)
        if certificate is None:
            if der is not None:
                peer = transport.get_extra_info("peername")
                self._tell(self._holders.turned_away(der, "iot:Connect", str(peer[0]) if peer else ""))
            return None
        domain = self._names.get(tls) or transport.get_extra_info("server_name")
        return CertificateCredential(self._holders, certificate.certificate_id, domain)


@dataclass(frozen=True, slots=True)
class CertificateCredential:
    """A certificate that was proven; `domain` is the server name that its holder asked for."""

    holders: CertificateHolders
    certificate_id: str
    domain: str | None

    @property
    def identifier(self) -> str:
        """The certificate's id."""
        return self.certificate_id

    def principal(self, visitor: Visitor) -> "CertificatePrincipal":
        """Its holder, now that its client id is known."""
        return CertificatePrincipal(self, visitor)


class CertificatePrincipal:
    """Somebody connected with a certificate. There may be ten thousand, so each keeps little."""

    __slots__ = ("_credential", "_decisions", "_revision", "_standing", "_visitor")

    def __init__(self, credential: CertificateCredential, visitor: Visitor) -> None:
        self._credential = credential
        self._visitor = visitor
        self._decisions: dict[str, int] = {}
        """By the name of a client, topic or filter: which actions were decided, and which of them are allowed."""
        self._revision = credential.holders.registry.revision
        self._standing = credential.holders.standing(credential.certificate_id, visitor.client_id)

    @property
    def identifier(self) -> str:
        """The certificate's id."""
        return self._credential.certificate_id

    def may(self, action: Action, name: str) -> bool:
        """Whether policies allow it."""
        if self._revision != self._credential.holders.registry.revision:
            self._look_again()
        bit = BITS[action]
        known = self._decisions.get(name, 0)
        if not known & bit:
            if len(self._decisions) >= MOST_REMEMBERED:
                self._decisions.clear()
            known |= bit | (bit << len(BITS) if self._decide(action, name) else 0)
            self._decisions[name] = known
        return bool(known & bit << len(BITS))

    def denial(self, action: Action, name: str) -> Denial:
        """Why policies do not allow it."""
        holders, certificate_id = self._credential.holders, self._credential.certificate_id
        resource = holders.account.arn(RESOURCES[action], name)
        return denial_of(holders, certificate_id, f"iot:{action}", resource, self._context())

    def is_welcome(self) -> bool:
        """Whether the certificate is still ACTIVE. AWS disconnects its holder within minutes if not
        (API reference, UpdateCertificate)."""
        if self._revision != self._credential.holders.registry.revision:
            self._look_again()
        return self._standing.is_active

    def _look_again(self) -> None:
        """Something has changed in the registry, perhaps nothing that matters here."""
        holders = self._credential.holders
        self._revision = holders.registry.revision
        standing = holders.standing(self._credential.certificate_id, self._visitor.client_id)
        if standing != self._standing:
            self._standing = standing
            self._decisions.clear()

    def _decide(self, action: Action, name: str) -> bool:
        resource = self._credential.holders.account.arn(RESOURCES[action], name)
        return allows(self._standing.documents, f"iot:{action}", resource, self._context())

    def _context(self) -> dict[str, str | tuple[str, ...]]:
        holders, visitor = self._credential.holders, self._visitor
        context = holders.context(self._credential.certificate_id, visitor.address, visitor.client_id)
        if self._credential.domain is not None:
            context["iot:DomainName"] = self._credential.domain
        used = [("PersistentConnect", visitor.is_persistent), ("LastWill", visitor.will_topic is not None)]
        context["iot:ConnectAttributes"] = tuple(name for name, is_used in used if is_used)
        if visitor.will_topic is not None:
            context["iot:LastWillTopic"] = holders.account.arn("topic", visitor.will_topic)
        return context
