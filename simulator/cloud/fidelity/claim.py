"""One thing that the local service claims of AWS IoT Jobs, and how it is known."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias, get_args

Tag: TypeAlias = Literal["documented", "observed", "inferred"]
"""documented: AWS's documentation or service model states it. observed: a client's source, or a report from the live
service, shows it. inferred: nobody outside AWS has said so; it follows from what is known, or had to be decided."""
TAGS: Final[tuple[Tag, ...]] = get_args(Tag)
HONEST_LINE: Final = "No live AWS account has checked any of it."
"""What must not be missing wherever claims are counted."""


class Section(Enum):
    """What a claim is about; the value is its number in every table."""

    TOPICS = 1
    DEVICE_API = 2
    NOTIFICATIONS = 3
    GATEWAY = 4
    CONTROL_PLANE = 5
    DATA_PLANE = 6
    STATE_MACHINES = 7
    FORCE_DELETE = 8
    EVENTS_AND_QUOTAS = 9

    @property
    def title(self) -> str:
        """In words."""
        return TITLES[self]


TITLES = {
    Section.TOPICS: "topics and namespaces",
    Section.DEVICE_API: "the device API over MQTT",
    Section.NOTIFICATIONS: "notifications",
    Section.GATEWAY: "the device gateway",
    Section.CONTROL_PLANE: "the control plane",
    Section.DATA_PLANE: "the data plane over HTTP",
    Section.STATE_MACHINES: "jobs, executions, timers, rollouts",
    Section.FORCE_DELETE: "force delete",
    Section.EVENTS_AND_QUOTAS: "events and quotas",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a user can have otherwise; `name` is that of a field of the settings, `default` its value there."""

    name: str
    default: object
    alternatives: tuple[str, ...]
    """What else it may be, and what the service does then, a sentence each."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`text` is one sentence that a test proves; `source` a page of AWS by its title, or a public thread."""

    id: str
    section: Section
    tag: Tag
    text: str
    source: str
    setting: Setting | None = None
