"""What the registry refuses, under the names of AWS's exceptions."""

from typing import Literal, TypeAlias

ErrorKind: TypeAlias = Literal[
    "InvalidQuery",
    "InvalidRequest",
    "ResourceNotFound",
    "ResourceAlreadyExists",
    "VersionConflict",
    "DeleteConflict",
    "CertificateState",
    "CertificateConflict",
    "CertificateValidation",
    "MalformedPolicy",
    "VersionsLimitExceeded",
    "LimitExceeded",
    "Conflict",
]


class RegistryError(Exception):
    """A refusal; `kind` is the exception's name in AWS's model, without the suffix.

    `resource` is what exists already, as it stands at the end of its ARN, such as `thing/NAME`.
    """

    def __init__(self, kind: ErrorKind, message: str, resource: str | None = None) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.resource = resource
