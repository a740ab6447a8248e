"""Who is connected over mutual TLS, and what policies let it do: what the gateway asks of certificates.

Decisions are remembered for as long as nothing changes in the registry that they could depend on.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from simulator.cloud.holders import Holders
from simulator.cloud.mqtt.authority import Action, Visitor
from simulator.cloud.policies import allows

RESOURCES: Final[dict[Action, str]] = {
    "Connect": "client",
    "Publish": "topic",
    "RetainPublish": "topic",
    "Receive": "topic",
    "Subscribe": "topicfilter",
}
MOST_REMEMBERED: Final = 512


class Gatekeeper:
    """What a TLS listener asks: `admit` is its `Identify`, `listens_with` prepares its context."""

    def __init__(self, holders: Holders) -> None:
        self._holders = holders
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
        if der is None or self._holders.certificate(der) is None:
            return None
        return CertificateCredential(self._holders, der, self._names.get(tls))


@dataclass(frozen=True, slots=True)
class CertificateCredential:
    """A certificate that was proven; `domain` is the server name that its holder asked for."""

    holders: Holders
    der: bytes
    domain: str | None

    def principal(self, visitor: Visitor) -> "CertificatePrincipal":
        """Its holder, now that its client id is known."""
        return CertificatePrincipal(self, visitor)


class CertificatePrincipal:
    """Somebody connected with a certificate."""

    __slots__ = (
        "_context",
        "_credential",
        "_decisions",
        "_documents",
        "_revision",
        "_visitor",
        "_welcome",
        "identifier",
    )

    def __init__(self, credential: CertificateCredential, visitor: Visitor) -> None:
        self._credential = credential
        self._visitor = visitor
        self._decisions: dict[tuple[Action, str], bool] = {}
        self._documents: tuple[str, ...] = ()
        self._context: dict[str, str | tuple[str, ...]] = {}
        self._welcome = True
        self._revision = -1
        self.identifier = credential.holders.identifier(credential.der)

    def may(self, action: Action, name: str) -> bool:
        """Whether policies allow it."""
        if self._revision != self._credential.holders.registry.revision:
            self._look_again()
        key = (action, name)
        found = self._decisions.get(key)
        if found is None:
            if len(self._decisions) >= MOST_REMEMBERED:
                self._decisions.clear()
            resource = self._credential.holders.account.arn(RESOURCES[action], name)
            found = allows(self._documents, f"iot:{action}", resource, self._context)
            self._decisions[key] = found
        return found

    def is_welcome(self) -> bool:
        """Whether the certificate is still ACTIVE. AWS disconnects its holder within minutes if not
        (API reference, UpdateCertificate)."""
        if self._revision != self._credential.holders.registry.revision:
            self._look_again()
        return self._welcome

    def _look_again(self) -> None:
        """Something has changed in the registry, perhaps nothing that matters here."""
        holders, der, visitor = self._credential.holders, self._credential.der, self._visitor
        self._revision = holders.registry.revision
        certificate = holders.registry.certificate(self.identifier)
        self._welcome = certificate is not None and certificate.status == "ACTIVE"
        documents = holders.registry.policy_documents(self.identifier)
        context = holders.context(der, visitor.address, visitor.client_id)
        if self._credential.domain is not None:
            context["iot:DomainName"] = self._credential.domain
        used = [("PersistentConnect", visitor.is_persistent), ("LastWill", visitor.will_topic is not None)]
        context["iot:ConnectAttributes"] = tuple(name for name, is_used in used if is_used)
        if visitor.will_topic is not None:
            context["iot:LastWillTopic"] = holders.account.arn("topic", visitor.will_topic)
        if documents != self._documents or context != self._context:
            self._documents, self._context = documents, context
            self._decisions.clear()
