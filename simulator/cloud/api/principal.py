"""Who asks on the data port: the holder of a client certificate that is registered and ACTIVE, and may do what the
policies on it allow (Developer Guide, "Authorizing your devices to use AWS IoT Jobs securely on the data plane").
"""

from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from simulator.cloud.api.wire import Refusal
from simulator.cloud.denials import denial_of
from simulator.cloud.holders import Holders
from simulator.cloud.policies import Context, allows
from simulator.cloud.refusals import Notice


@dataclass(frozen=True, slots=True)
class Holder:
    """One certificate's holder, for one request from `address`."""

    holders: Holders
    certificate_id: str
    address: str
    context: Context

    def must(self, action: str, resource: str) -> None:
        """Whether policies allow it. Raises Refusal."""
        holders, arn = self.holders, self.holders.account.arn_of(resource)
        if allows(holders.registry.policy_documents(self.certificate_id), action, arn, self.context):
            return
        refusal = Refusal(403, "ForbiddenException", "Forbidden")
        refusal.notice = Notice(
            "not-allowed",
            action,
            resource,
            "",
            principal=self.certificate_id,
            address=self.address,
            explain=lambda: denial_of(holders, self.certificate_id, action, arn, self.context),
        )
        raise refusal


@dataclass(frozen=True, slots=True)
class Guard:
    """Knows certificates, and what policies say of them, by `holders`."""

    holders: Holders

    def holder(self, request: web.BaseRequest) -> Holder | None:
        """Whoever holds the certificate of this connection; None if it is not registered, or not ACTIVE."""
        der, address = _certificate(request), request.remote or ""
        certificate = None if der is None else self.holders.certificate(der)
        if certificate is None:
            return None
        certificate_id = certificate.certificate_id
        return Holder(self.holders, certificate_id, address, self.holders.context(certificate_id, address, None))

    def turned_away(self, request: web.BaseRequest, refusal: Refusal) -> Refusal:
        """The refusal of somebody who is no holder, with what there is to tell of it."""
        der = _certificate(request)
        if der is not None:
            what = f"{request.method} {request.path}"
            refusal.notice = replace(self.holders.turned_away(der, "http", request.remote or ""), resource=what)
        return refusal


def _certificate(request: web.BaseRequest) -> bytes | None:
    tls: Any = None if request.transport is None else request.transport.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)
