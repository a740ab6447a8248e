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
    page_size: entries in a page of a list whose request gives no number (documented: 25 certificates; of the others
        AWS tells only that one may ask for 250, so this is ours: few, so that who forgets the token finds out).
    version_mismatch_over_http: the error of UpdateJobExecution over HTTP with a wrong expectedVersion; the model has
        none of that name (observed: 400, InvalidRequestException).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}  # they also come in as JSON

    jobs_endpoint: Literal["served", "refused"] = "refused"
    version_mismatch_over_http: Literal["InvalidRequestException", "InvalidStateTransitionException"] = (
        "InvalidRequestException"
    )
    operations_per_second: int | None = field(default=None, metadata={"ge": 1})
    page_size: int = field(default=25, metadata={"ge": 1, "le": 250})
