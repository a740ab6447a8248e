"""Who asks on the data port: the holder of a client certificate that is registered and ACTIVE, and may do what the
policies on it allow (Developer Guide, "Authorizing your devices to use AWS IoT Jobs securely on the data plane").
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from aiohttp import web

from simulator.cloud.api.account import Account
from simulator.cloud.api.wire import Refusal
from simulator.cloud.policies import Context, allows
from simulator.cloud.registry import Registry


@dataclass(frozen=True, slots=True)
class Holder:
    """One certificate's holder, for one request."""

    documents: tuple[str, ...]
    context: Context
    account: Account

    def must(self, action: str, resource: str) -> None:
        """Whether policies allow it. Raises Refusal."""
        if not allows(self.documents, action, self.account.arn_of(resource), self.context):
            raise Refusal(403, "ForbiddenException", "Forbidden")


@dataclass(frozen=True, slots=True)
class Guard:
    """Knows certificates by what `registry` says."""

    registry: Registry
    account: Account

    def holder(self, request: web.BaseRequest) -> Holder:
        """Whoever holds the certificate of this connection. Raises Refusal."""
        tls: Any = None if request.transport is None else request.transport.get_extra_info("ssl_object")
        der = None if tls is None else tls.getpeercert(binary_form=True)
        certificate_id = sha256(der or b"").hexdigest()
        certificate = self.registry.certificate(certificate_id)
        if certificate is None or certificate.status != "ACTIVE":
            raise Refusal(400, "CertificateValidationException", "The certificate is not registered, or not active.")
        documents = self.registry.policy_documents(certificate_id)
        return Holder(documents, self._context(certificate_id, request), self.account)

    def _context(self, certificate_id: str, request: web.BaseRequest) -> Context:
        """Variables of policies. Over HTTP there is no client id: a thing's name is known if it is the only one."""
        things = self.registry.things_of(certificate_id)
        context: dict[str, str] = {
            "aws:SourceIp": request.remote or "",
            "iot:Connection.Thing.IsAttached": "true" if things else "false",
        }
        if len(things) == 1:
            thing = self.registry.things.get(things[0])
            context["iot:Connection.Thing.ThingName"] = things[0]
            for name, value in () if thing is None else thing.attributes:
                context[f"iot:Connection.Thing.Attributes[{name}]"] = value
        return context
