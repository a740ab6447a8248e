"""What a device can do, and what its owner lets documents ask of it."""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Layout: TypeAlias = Literal["ab", "swap", "single"]

ALL_ACTIONS: Final = frozenset(
    {"download", "write", "switch", "reboot", "self-test", "commit", "stage", "validate", "swap", "restart", "run"}
)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a device can do: its flash layout, and the actions that its owner allows.

    Files that a document names must lie below `root`, scripts in `scripts`; both are absolute paths. Here that is
    judged by the names alone; the handlers look at what is really there. `plug_ins` are actions of other packages,
    which documents name as an operation or a handler; each with whether it can be undone. Whoever may write firmware
    may also fetch the image, and reboot into it. `systems` are the names of the operating system that conditions are
    held against. `service` is what the service manager calls this agent; `restart_is_ours` says that the restart after
    a change of configuration is the agent's own.
    """

    layout: Layout = "ab"
    actions: frozenset[str] = field(default=ALL_ACTIONS)
    plug_ins: tuple[tuple[str, bool], ...] = ()
    root: str = "/"
    scripts: str = "/"
    systems: tuple[str, ...] = ()
    service: str = ""
    restart_is_ours: bool = False


DEFAULT_ABILITIES: Final = Abilities()
