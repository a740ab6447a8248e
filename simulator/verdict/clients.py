"""Which MQTT client a device that is not ours is, of all that speak for its thing; told in the wire's own names.

A device may use any client id, and several connections. The first client that asks for the thing, or listens for its
Jobs messages, is the device, as if its id were the thing's name; the others are others, until that one is gone: then
the next that shows itself is the device, which may have a new id each time that it connects. Over HTTP nobody has one.
"""

from collections.abc import Iterable, Iterator

PREFIX = "$aws/things/"


def listened_to(filters: Iterable[str]) -> Iterator[str]:
    """The things of whose Jobs messages topic filters bring some. A filter for any thing is nobody's in particular."""
    for text in filters:
        thing, _, rest = text.removeprefix(PREFIX).partition("/")
        if text.startswith(PREFIX) and thing not in ("", "+", "#") and rest.split("/")[0] in ("jobs", "+", "#"):
            yield thing
