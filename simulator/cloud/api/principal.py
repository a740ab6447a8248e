"""Who asks on the data port: the holder of a client certificate that is registered and ACTIVE, and may do what the
policies on it allow (Developer Guide, "Authorizing your devices to use AWS IoT Jobs securely on the data plane").
"""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.cloud.api.account import Account
from simulator.cloud.api.wire import Refusal
from simulator.cloud.holders import Holders
from simulator.cloud.policies import Context, allows


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
    """Knows certificates, and what policies say of them, by `holders`."""

    holders: Holders

    def holder(self, request: web.BaseRequest) -> Holder | None:
        """Whoever holds the certificate of this connection; None if it is not registered, or not ACTIVE."""
        tls: Any = None if request.transport is None else request.transport.get_extra_info("ssl_object")
        der = None if tls is None else tls.getpeercert(binary_form=True)
        certificate = None if der is None else self.holders.certificate(der)
        if certificate is None:
            return None
        certificate_id = certificate.certificate_id
        documents = self.holders.registry.policy_documents(certificate_id)
        context = self.holders.context(certificate_id, request.remote or "", None)
        return Holder(documents, context, self.holders.account)
