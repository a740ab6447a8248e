"""What every operation works on."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from simulator.cloud.api.authority import CertificateAuthority
from simulator.cloud.arns import AccountRegion
from simulator.cloud.jobs import Jobs, Outcome
from simulator.cloud.registry import Registry
from simulator.cloud.settings.http import HttpSettings

Parameters: TypeAlias = dict[str, Any]
"""An operation's input, already valid by the model, or its output: members by their names in the model."""
Paused: TypeAlias = Generator[None, None, Parameters]
"""An operation that is under way: it pauses wherever others may have their turn, and ends with its output."""
Operation: TypeAlias = Callable[[Parameters], Parameters | Paused]
"""One that may take long pauses after so little that nobody has waited for it: a few hundred microseconds."""


@dataclass(frozen=True, slots=True)
class Backing:
    """One account's state. `publish` gets the outcome of each command, to carry its changes and hints on.

    `by_aws`: an AWS service calls, for which the namespaces `aws-…` are its own.
    """

    jobs: Jobs
    registry: Registry
    account: AccountRegion
    clock: Callable[[], float]
    publish: Callable[[Outcome], None]
    by_aws: bool = False
    settings: HttpSettings = field(default_factory=HttpSettings)
    authority: CertificateAuthority = field(default_factory=CertificateAuthority)
    files: Path | None = None
    """The directory whose files stand for S3's objects; None if there is none."""

    def arn(self, kind: str, name: str) -> str:
        """An ARN of this account."""
        return self.account.arn(kind, name)
