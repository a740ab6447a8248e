"""Topics and topic filters that a device uses: which are those of Jobs, and what is wrong with the others.

Pure. `text` is always a topic, or a filter, as it came from a client.
"""

from collections.abc import Callable, Iterator
from typing import Final

from agent.topics import AnswerTopic, HintTopic, RequestTopic, hint_topic, parse
from simulator.certify.filters import matches, unshared

OTHER_BEGINNINGS: Final = ("$aws/things/", "$aws/events/", "$aws/rules/")
"""What AWS IoT has, and where a level may be called job for another reason."""
LONGEST_SHOWN: Final = 100
"""Characters of a text from outside."""


def shown(text: str) -> str:
    """A text from outside, as it may be printed: short, and without control characters."""
    plain = "".join(each if each.isprintable() else "\ufffd" for each in text[: LONGEST_SHOWN + 1])
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[:LONGEST_SHOWN]}…"


def prefix_of(thing: str) -> str:
    """What all topics of Jobs begin with."""
    return f"$aws/things/{thing}/jobs/"


def notifications(thing: str, namespace_id: str | None) -> tuple[str, str]:
    """The topics on which a device hears of its jobs; one of them is enough."""
    return (
        hint_topic(HintTopic(thing, "notify", namespace_id)),
        hint_topic(HintTopic(thing, "notify-next", namespace_id)),
    )


def hears(text: str, thing: str, namespace_id: str | None) -> tuple[str, ...]:
    """Which of `notifications` a filter brings."""
    return tuple(topic for topic in notifications(thing, namespace_id) if matches(text, topic))


def wrong_with(text: str, thing: str, namespace_id: str | None) -> str | None:
    """What is wrong with it, and what it should be; None for a right one, or one that has nothing to do with Jobs."""
    plain = unshared(text)
    return next((why for look in _LOOKS if (why := look(plain, thing, namespace_id)) is not None), None)


def _without_aws(text: str, thing: str, _namespace: str | None) -> str | None:
    levels = text.split("/")
    if levels[0] == "$aws" or "things" not in levels:
        return None
    if "jobs" not in levels[levels.index("things") :]:
        return None
    return f"does not begin with $aws/: topics of Jobs are {prefix_of(thing)}…"


def _misspelt(text: str, thing: str, _namespace: str | None) -> str | None:
    """Something like `$aws/thing/…`."""
    levels = text.split("/")
    if levels[0] != "$aws" or text.startswith(OTHER_BEGINNINGS) or not {"jobs", "job"} & set(levels):
        return None
    return f"is misspelt: topics of Jobs are {prefix_of(thing)}…"


def _of_another_thing(text: str, thing: str, _namespace: str | None) -> str | None:
    levels = text.split("/")
    if len(levels) < 4 or levels[:2] != ["$aws", "things"] or levels[2] == thing:
        return None
    return f"is about the thing {shown(levels[2])}, and this one is {thing}: use {prefix_of(thing)}…"


def _without_jobs(text: str, thing: str, _namespace: str | None) -> str | None:
    own = f"$aws/things/{thing}/"
    if not text.startswith(own) or text.startswith(prefix_of(thing)):
        return None
    if text.startswith(f"{own}shadow"):
        return "is about a shadow, which this cloud does not have"
    return f"is no topic of Jobs, which are {prefix_of(thing)}…"


def _of_another_namespace(text: str, thing: str, namespace_id: str | None) -> str | None:
    wanted = " or ".join(notifications(thing, namespace_id))
    match parse(text):
        case HintTopic(kind="notify-documented"):
            return f"is a form that AWS documents, and on which no known client relies: subscribe to {wanted}"
        case HintTopic(namespace_id=used) if used != namespace_id:
            return (
                f"is of {_namespace(used)}, and this session is of {_namespace(namespace_id)}: {_other(used, wanted)}"
            )
        case RequestTopic(namespace_id=used) | AnswerTopic(request=RequestTopic(namespace_id=used)) if (
            used != namespace_id
        ):
            return f"is of {_namespace(used)}, and this session is of {_namespace(namespace_id)}: {_option(used)}"
        case _:
            return None


def _no_notification(text: str, thing: str, namespace_id: str | None) -> str | None:
    """Something like `notify-next/` or `notifyNext`."""
    prefix = prefix_of(thing)
    if not text.startswith(prefix) or parse(text) is not None or hears(text, thing, namespace_id):
        return None
    if set(text) & set("+#") and "notif" not in text:
        return None
    return f"is no topic of Jobs: notifications come on {' and '.join(notifications(thing, namespace_id))}"


def _namespace(namespace_id: str | None) -> str:
    return "the default namespace" if namespace_id is None else f"the namespace {shown(namespace_id)}"


def _option(used: str | None) -> str:
    said = "without --namespace-id" if used is None else f"with --namespace-id {shown(used)}"
    return f"start ghostjob certify {said}, or change the device"


def _other(used: str | None, wanted: str) -> str:
    return f"subscribe to {wanted}, or {_option(used).removesuffix(', or change the device')}"


_LOOKS: Final[tuple[Callable[[str, str, str | None], str | None], ...]] = (
    _without_aws,
    _misspelt,
    _of_another_thing,
    _without_jobs,
    _of_another_namespace,
    _no_notification,
)
"""Asked in this order; the first that knows something is told."""


def wrongs(texts: Iterator[str], thing: str, namespace_id: str | None) -> Iterator[str]:
    """Of each that is wrong: the text, and what is wrong with it."""
    for text in texts:
        why = wrong_with(text, thing, namespace_id)
        if why is not None:
            yield f"{shown(text)}, which {why}"
