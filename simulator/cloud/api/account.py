"""Whose cloud it is, and how its resources are called."""

from dataclasses import dataclass

from simulator.cloud.api.errors import invalid


@dataclass(frozen=True, slots=True)
class Account:
    """Whose cloud it is; the endpoints are HOST:PORT, what DescribeEndpoint tells."""

    region: str = "us-east-1"
    account_id: str = "000000000000"
    data_endpoint: str = ""
    jobs_endpoint: str = ""

    def arn(self, kind: str, name: str) -> str:
        """An ARN as AWS IoT has them, such as `arn:aws:iot:us-east-1:000000000000:thing/NAME`."""
        return f"arn:aws:iot:{self.region}:{self.account_id}:{kind}/{name}"

    def arn_of(self, resource: str) -> str:
        """The ARN of what stands at its end, such as `thing/NAME`."""
        return f"arn:aws:iot:{self.region}:{self.account_id}:{resource}"

    def resource(self, arn: str, *kinds: str) -> str:
        """What stands at the end of an ARN of this account, such as `thing/NAME`. Raises ApiError.

        `kinds` are those that it may be of; none: any.
        """
        prefix, resource = self.arn_of(""), arn
        if arn.startswith(prefix):
            resource = arn.removeprefix(prefix)
            kind, slash, name = resource.partition("/")
            if slash and name and (not kinds or kind in kinds):
                return resource
        expected = " or ".join(f"{prefix}{kind}/…" for kind in kinds) or f"{prefix}…"
        raise invalid(f"Invalid ARN {arn[:200]}: expected {expected}")

    def name(self, arn: str, kind: str) -> str:
        """The name at the end of an ARN of this account. Raises ApiError."""
        return self.resource(arn, kind).partition("/")[2]
