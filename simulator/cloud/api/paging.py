"""Lists in pages. A token says which list it is of and after which item to go on, so that it holds whatever comes or
goes in between; it holds for the same operation with the same filters only, and a forged one is refused.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Iterable, Iterator
from hashlib import sha256
from heapq import nlargest, nsmallest
from itertools import islice
from typing import Any, Final, TypeAlias, TypeVar

from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Parameters

T = TypeVar("T")
Key: TypeAlias = tuple[float | str, ...]
"""An item's place in the order of its list: unlike all others', and the same as long as the item is there."""

LONGEST_PAGE: Final = 250
DOCUMENTED_PAGES: Final = {"ListCertificates": 25}
"""What a page holds for who asks for no number, where the API reference says it: of the lists served here, in one."""
TOKENS: Final = ("nextToken", "marker")
SIZES: Final = ("maxResults", "pageSize")
_PAGING: Final = frozenset((*TOKENS, *SIZES))
_SEAL: Final = 12


def sized(operation: str, given: Parameters, otherwise: int) -> Parameters:
    """The same, with the size that a page has by itself if none is asked for; `otherwise`: where none is documented."""
    if not operation.startswith("List") or any(name in given for name in SIZES):
        return given
    return {**given, SIZES[0]: DOCUMENTED_PAGES.get(operation, otherwise)}


def page(
    operation: str, given: Parameters, items: Iterable[T], key: Callable[[T], Key], *, newest_first: bool = False
) -> tuple[list[T], str | None]:
    """One page in the order of `key`, and the token of the next; None if it is the last. Raises ApiError.

    `given` says how many entries it may have (see `sized`); otherwise it is as long as a page may be.
    """

    def walk(after: Key | None, count: int) -> Iterable[T]:
        left = items
        if after is not None:
            left = (item for item in items if _follows(key(item), after, newest_first=newest_first))
        return (nlargest if newest_first else nsmallest)(count, left, key=key)

    return page_of_many(operation, given, walk, key)


def page_of_many(
    operation: str, given: Parameters, walk: Callable[[Key | None, int], Iterable[T]], key: Callable[[T], Key]
) -> tuple[list[T], str | None]:
    """The same of a list that is too long to look at whole: `walk` gives so many items after a key, in order."""
    size, token = _size(given), _token(given)
    of = _list_of(operation, given)
    found = list(islice(walk(None if token is None else _open(token, of), size + 1), size + 1))
    if len(found) <= size:
        return found, None
    return found[:size], _seal(of, key(found[size - 1]))


def page_in_turns(
    operation: str, given: Parameters, walk: Callable[[Key | None], Iterator[T | None]], key: Callable[[T], Key]
) -> Generator[None, None, tuple[list[T], str | None]]:
    """The same of a list of which much has to be looked at for little: `walk` gives None where it may pause."""
    size, token = _size(given), _token(given)
    of, found = _list_of(operation, given), list[T]()
    for item in walk(None if token is None else _open(token, of)):
        if item is None:
            yield
        elif len(found) == size:
            return found, _seal(of, key(found[-1]))
        else:
            found.append(item)
    return found, None


def _size(given: Parameters) -> int:
    size: int = next((given[name] for name in SIZES if name in given), LONGEST_PAGE)
    return size


def _token(given: Parameters) -> Any:
    return next((given[name] for name in TOKENS if name in given), None)


def _follows(key: Key, after: Key, *, newest_first: bool) -> bool:
    try:
        return key < after if newest_first else key > after
    except TypeError:  # text where the list has a number
        raise invalid("Invalid nextToken.") from None


def _list_of(operation: str, given: Parameters) -> str:
    filters = {name: value for name, value in given.items() if name not in _PAGING}
    return sha256(json.dumps([operation, filters], sort_keys=True).encode()).hexdigest()[:_SEAL]


def _seal(of: str, key: Key) -> str:
    """In the alphabet that the model gives a `marker`."""
    text = json.dumps([of, *key]).encode()
    return b64encode(sha256(text).digest()[:_SEAL] + text).decode()


def _open(token: Any, of: str) -> Key:
    try:
        raw = b64decode(token.encode(), validate=True)
        seal, text = raw[:_SEAL], raw[_SEAL:]
        if sha256(text).digest()[:_SEAL] != seal:
            raise invalid("Invalid nextToken.")
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("Invalid nextToken.") from None
    # The seal is no secret: whoever has read this can make one.
    if not isinstance(told, list) or len(told) < 2 or not all(type(part) in (str, int, float) for part in told):
        raise invalid("Invalid nextToken.")
    its, *key = told
    if its != of:
        raise invalid("Invalid nextToken: it belongs to another list.")
    return tuple(key)
