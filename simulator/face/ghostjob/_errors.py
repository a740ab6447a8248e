"""What can go wrong, split by whose fault it is.

GhostjobError ─┬─ InputError   a scenario, a setting, a path: the message says where, what, and what to do
               └─ Refused      the cloud said no; has .code
"""


class GhostjobError(Exception):
    """The root of everything that is raised on purpose; itself a fault of ghostjob's own, which its message tells."""


class InputError(GhostjobError):
    """Something that you gave is wrong."""


class Refused(GhostjobError):  # noqa: N818 - an answer of the service, no fault
    """The control plane refused; `code` is the name of AWS's exception."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
