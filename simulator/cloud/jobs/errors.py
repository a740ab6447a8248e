"""How the control plane refuses."""

from typing import Literal, TypeAlias

ErrorKind: TypeAlias = Literal[
    "InvalidRequest",
    "ResourceNotFound",
    "ResourceAlreadyExists",
    "LimitExceeded",
    "InvalidStateTransition",
    "Throttling",
    "VersionConflict",
]


class JobsError(Exception):
    """The control plane refuses; `kind` is the exception's name in AWS's model, without the suffix."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
