"""`ghostjob certify` on an endpoint that is not ours: what its options come to there, and what is said of it."""

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from agent.errors import InputError
from simulator.certify.aws.budget import DEPTH, budget
from simulator.certify.aws.desk import AccountSettings
from simulator.certify.aws.ledger import Ledger
from simulator.certify.cell import Cell
from simulator.certify.telling import ToScripts
from simulator.controller.hand import check_endpoint
from simulator.report.hanging import hanging

CERTS: Final = Path("certify-certs")
LOCAL_ONLY: Final = {
    "mqtts_port": "--mqtts-port",
    "data_port": "--data-port",
    "api_port": "--api-port",
    "address": "--address",
    "allow_topics": "--allow-topic",
    "artifacts": "--artifact",
}
"""What is about the local cloud, which is not started here."""


@dataclass(slots=True, kw_only=True)
class Account:
    """What the command line says of an account, by the names of its options. `is_meant`: it says something of one."""

    endpoint_url: str | None
    profile: str | None
    region: str | None
    allow_aws: bool
    make_certificate: bool
    dry_run: bool

    @classmethod
    def taken_from(cls, given: dict[str, Any]) -> "Account":
        """The options that are its own, which `given` has no more."""
        return cls(**{name: given.pop(name) for name in cls.__slots__})

    @property
    def is_meant(self) -> bool:
        """Whether certifying is to be done there."""
        return any(getattr(self, name) for name in self.__slots__)

    def check(self, options: dict[str, Any]) -> None:
        """Raises InputError for what does not go together, or is not allowed."""
        for name, option in LOCAL_ONLY.items():
            if options[name] not in (None, ()):
                raise InputError(f"{option}: is for the local cloud, and none is started with --endpoint-url")
        check_endpoint(self.endpoint_url, self.allow_aws or self.dry_run)

    def settings(self, thing: str, namespace_id: str | None, certs: Path | None) -> AccountSettings:
        """Of the session there."""
        return AccountSettings(
            thing=thing,
            namespace_id=namespace_id,
            endpoint_url=self.endpoint_url,
            profile=self.profile,
            region=self.region,
            certs=certs or CERTS,
            makes_certificate=self.make_certificate,
        )

    def words(self) -> tuple[str, ...]:
        """The same as words of a command line; what allows it, its owner says again himself."""
        return (*self._which(), *(["--make-certificate"] if self.make_certificate else []))

    def _which(self) -> tuple[str, ...]:
        named = {"--endpoint-url": self.endpoint_url, "--profile": self.profile, "--region": self.region}
        return tuple(word for option, value in named.items() if value is not None for word in (option, value))

    @property
    def again(self) -> str:
        """What a command of the AWS CLI needs to mean the same account."""
        return "".join(f" {shlex.quote(word)}" for word in self._which())


@dataclass(slots=True)
class Remains:
    """What a session leaves in an account, said however it ends, with `is_json` for scripts too. A context."""

    account: Account
    ledger: Ledger
    is_json: bool = False
    say: Callable[[str], None] = field(default=lambda line: click.echo(line, err=True))

    def __enter__(self) -> Ledger:
        return self.ledger

    def __exit__(self, *_: object) -> None:
        if going := sorted(self.ledger.going):
            self.say(
                f"ghostjob: certify: the service is still deleting {', '.join(going)}, which needs nobody any more"
            )
        if left := self.ledger.left(self.account.again):
            self.say("ghostjob: certify: this session made what could not be removed; these commands do it:")
            for line in left:
                self.say(f"  {line}")
            if self.is_json:
                ToScripts(click.echo).left(left)


def dry_run(cells: Sequence[Cell], settings: AccountSettings, *, is_json: bool) -> int:
    """Say what would be done."""
    found = budget(cells, settings)
    if is_json:
        members = {name: getattr(found, name) for name in found.__slots__}
        sys.stdout.write(json.dumps({"event": "dry-run", **members}) + "\n")
        return 0
    console = Console(highlight=False)
    for line in found.lines(settings):
        if console.is_terminal:
            console.print(hanging(Text(line), DEPTH if line.startswith(" ") else 0))
        else:
            click.echo(line)
    return 0
