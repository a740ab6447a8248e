"""Whose cloud it is, where, and the ARNs of what is in it."""

import re
from dataclasses import dataclass
from typing import Final

REGION: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""Anything that can be part of a host's name, which AWS's SDKs make of it."""
ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")
PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""By what a region's name begins with; all others are of `aws` (AWS General Reference, "ARNs")."""


class InvalidArn(ValueError):  # noqa: N818 - named for what is the case
    """What was given is no ARN of this account and region, or of another kind; the message says which."""


@dataclass(frozen=True, slots=True)
class AccountRegion:
    """One account in one region: what is in it is in no other.

    The endpoints are HOST:PORT, what DescribeEndpoint tells.
    """

    region: str = "us-east-1"
    account_id: str = "000000000000"
    data_endpoint: str = ""
    jobs_endpoint: str = ""

    @property
    def partition(self) -> str:
        """The beginning of its ARNs, after `arn:`."""
        return next((name for prefix, name in PARTITIONS.items() if self.region.startswith(prefix)), "aws")

    def arn(self, kind: str, name: str) -> str:
        """An ARN as AWS IoT has them, such as `arn:aws:iot:us-east-1:000000000000:thing/NAME`."""
        return self.arn_of(f"{kind}/{name}")

    def arn_of(self, resource: str) -> str:
        """The ARN of what stands at its end, such as `thing/NAME`."""
        return f"arn:{self.partition}:iot:{self.region}:{self.account_id}:{resource}"

    def resource(self, arn: str, *kinds: str) -> str:
        """What stands at the end of an ARN of this account and region, such as `thing/NAME`. Raises InvalidArn.

        `kinds` are those that it may be of; none: any.
        """
        prefix, resource = self.arn_of(""), arn
        if arn.startswith(prefix):
            resource = arn.removeprefix(prefix)
            kind, slash, name = resource.partition("/")
            if slash and name and (not kinds or kind in kinds):
                return resource
        expected = " or ".join(f"{prefix}{kind}/…" for kind in kinds) or f"{prefix}…"
        raise InvalidArn(f"Invalid ARN {arn[:200]}: {self._difference(arn)}expected {expected}")

    def _difference(self, arn: str) -> str:
        """Why an ARN cannot be meant, if it is one of AWS IoT's."""
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[2] != "iot":
            return ""
        if parts[3] != self.region:
            return f"it is of the region {parts[3][:30]}, and the request of {self.region}; "
        if parts[4] != self.account_id:
            return f"it is of the account {parts[4][:30]}, and the request of {self.account_id}; "
        return ""

    def name(self, arn: str, kind: str) -> str:
        """The name at the end of an ARN of this account. Raises InvalidArn."""
        return self.resource(arn, kind).partition("/")[2]
