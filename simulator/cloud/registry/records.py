"""What the registry remembers, as frozen records of plain values; times are epoch seconds.

Principals and targets of policies stand as at the end of their ARN, such as `cert/ID` or `thinggroup/NAME`: whose
account and region it is, only the API knows.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Attributes: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""
CertificateStatus: TypeAlias = Literal[
    "ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE", "PENDING_ACTIVATION"
]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing, and what was said of it."""

    name: str
    thing_id: str
    thing_type: str | None = None
    billing_group: str | None = None
    attributes: Attributes = ()
    version: int = 1


GroupStatus: TypeAlias = Literal["ACTIVE", "BUILDING", "REBUILDING", "EMPTYING"]
"""Whether all things have been asked a dynamic group's first query, or its new one. EMPTYING is our own, and told to
nobody: the group is deleted, and its last members are about to leave."""


@dataclass(frozen=True, slots=True)
class ThingGroup:
    """A thing group; `parent` is the name of the group that it stands in. A dynamic one has a `query` and no parent."""

    name: str
    group_id: str
    created_at: float
    parent: str | None = None
    description: str | None = None
    attributes: Attributes = ()
    version: int = 1
    query: str | None = None
    status: GroupStatus = "ACTIVE"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate; its id is the SHA-256 of its DER, in hex."""

    certificate_id: str
    pem: str
    status: CertificateStatus
    created_at: float
    last_modified_at: float
    not_before: float
    not_after: float
    mode: Literal["DEFAULT", "SNI_ONLY"] = "DEFAULT"
    ca_certificate_id: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class DeletedCertificate:
    """One that was deleted, so that nobody takes it for one that has not come yet; `at` is when."""

    certificate_id: str
    at: float


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One document of a policy, as it was given."""

    number: int
    document: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with its versions, of which there are at most five; numbers are never used again."""

    name: str
    versions: tuple[PolicyVersion, ...]
    default: int
    created_at: float
    last_modified_at: float
    generation: int = 1

    @property
    def document(self) -> str:
        """The text of the default version: the one that is in force."""
        return self.version(self.default).document

    def version(self, number: int) -> PolicyVersion:
        """Raises LookupError."""
        for version in self.versions:
            if version.number == number:
                return version
        raise LookupError(number)


@dataclass(frozen=True, slots=True)
class Link:
    """Something attached to something: a thing in a group, a principal of a thing, a policy on a target."""

    left: str
    right: str
    mode: str | None = None
    """thingPrincipalType, or whether a membership overrides dynamic groups; None where AWS knows no such thing."""


@dataclass(frozen=True, slots=True)
class JobTemplate:
    """A job template; `config` are its members as JSON text, under the names that CreateJob gives them."""

    template_id: str
    description: str
    document: str
    created_at: float
    document_source: str | None = None
    config: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one resource, as it stands at the end of its ARN, such as `job/ID`."""

    resource: str
    tags: Attributes


@dataclass(frozen=True, slots=True)
class IndexingConfiguration:
    """Whether things, and thing groups, are indexed: modes of UpdateIndexingConfiguration."""

    things: str = "OFF"
    thing_groups: str = "OFF"


@dataclass(frozen=True, slots=True)
class EventConfigurations:
    """Which event types are enabled in this account."""

    enabled: tuple[str, ...]
    created_at: float
    last_modified_at: float
