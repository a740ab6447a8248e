"""What AWS does not say of its HTTP APIs, or says otherwise than clients have seen: named settings."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Defaults follow the documentation where it speaks, and clients' observations where it does not.

    jobs_endpoint: what DescribeEndpoint answers to `iot:Jobs`: an address, as documented, or a refusal with a hint at
        `iot:Data-ATS`, as observed of late, though at second hand.
    operations_per_second: how often each operation of the control plane may be called (documented: 10); None: as often
        as you like.
    version_mismatch_over_http: the error of UpdateJobExecution over HTTP with a wrong expectedVersion; the model has
        none of that name (observed: 400, InvalidRequestException).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}  # they also come in as JSON

    jobs_endpoint: Literal["served", "refused"] = "refused"
    version_mismatch_over_http: Literal["InvalidRequestException", "InvalidStateTransitionException"] = (
        "InvalidRequestException"
    )
    operations_per_second: int | None = field(default=None, metadata={"ge": 1})
