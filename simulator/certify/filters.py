"""Whether a topic filter of a device brings a topic of Jobs."""

import re
from typing import Final

_SHARED: Final = re.compile(r"\$share/[^/]*/")


def unshared(text: str) -> str:
    """A filter without what makes it a shared subscription (MQTT 5, 4.8.2)."""
    return _SHARED.sub("", text, count=1)


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a filter, shared or not, matches a topic of the Jobs service (MQTT 5, 4.7)."""
    wanted, levels = unshared(topic_filter).split("/"), topic.split("/")
    if wanted[0] in ("+", "#"):
        return False  # topics that begin with $ are not for wildcards
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(levels) or level not in ("+", levels[at]):
            return False
    return len(wanted) == len(levels)
