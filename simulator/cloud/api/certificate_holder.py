"""Who asks on the data port: the holder of a client certificate that is registered and ACTIVE, and may do what the
policies on it allow (Developer Guide, "Authorizing your devices to use AWS IoT Jobs securely on the data plane").
"""

from dataclasses import dataclass

from simulator.cloud.access.certificate_holders import CertificateHolders
from simulator.cloud.access.denials import denial_of
from simulator.cloud.access.policies import RequestContext, allows
from simulator.cloud.api.wire import Refusal
from simulator.cloud.notices.refusals import Notice


@dataclass(frozen=True, slots=True)
class CertificateHolder:
    """One certificate's holder, for one request from `address`."""

    holders: CertificateHolders
    certificate_id: str
    address: str
    context: RequestContext

    def must(self, action: str, resource: str) -> None:
        """Whether policies allow it; `resource` is the end of an ARN, or `*` of what is about none. Raises Refusal.

        What is about no resource is allowed by statements about `*` alone, and not by those about all of an account's.
        """
        holders = self.holders
        arn = resource if resource == "*" else holders.account.arn_of(resource)
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
