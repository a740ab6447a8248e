r"""What a job document leaves open until it is delivered to a device: `${aws:iot:s3-presigned-url:URL}` and its like.

    ${aws:iot:s3-presigned-url:URL}        a URL that its holder may read from
    ${aws:iot:s3-presigned-url-v2:URL}     the same (Developer Guide, "Managing jobs")
    ${aws:iot:NAME…                        whatever else AWS IoT fills in; nobody does here

Placeholders stand in the strings of a document. There JSON spells a character in more than one way, and `https:\/\/s3…`
is what some encoders write; so a string is read character by character, and what takes a placeholder's place is put
among the characters as they were spelled. Everything else stays as it was written.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

MARK: Final = "${aws:iot:"
"""What every placeholder begins with."""
URLS: Final = ("s3-presigned-url", "s3-presigned-url-v2")
"""The names of those that become URLs."""
_URL: Final = re.compile(r"\$\{aws:iot:s3-presigned-url(?:-v2)?:([^}]+)\}")
_NAME: Final = re.compile(r"\$\{aws:iot:([a-z0-9-]+)")
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_CHARACTER: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]")
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@lru_cache(maxsize=1)
def names(text: str) -> tuple[str, ...]:
    """What the document leaves open, by the name after `aws:iot:`, as often as it stands there.

    One document is remembered: several ask about the same one when it comes in, and reading 32 KiB character by
    character each time held everybody up for 30 ms.
    """
    strings = (string if "\\" not in string else _meant(_CHARACTER.findall(string)) for string in _strings(text))
    return tuple(found for string in strings for found in _NAME.findall(string))


def with_urls(text: str, url_of: Callable[[str], str]) -> str:
    """The document with `url_of(URL)` in the place of each placeholder of a presigned URL."""
    pieces = list(_cut(text))
    pieces[1::2] = (json.dumps(url_of(url))[1:-1] for url in pieces[1::2])
    return "".join(pieces)


def unwrapped(link: str) -> str:
    """The URL in a placeholder that stands alone, as CreateJob's documentSource may; another text as it is."""
    found = _URL.fullmatch(link)
    return link if found is None else found[1]


def _may_have_some(text: str) -> bool:
    return MARK in text or "\\u00" in text


def _strings(text: str) -> Iterator[str]:
    if _may_have_some(text):
        yield from _STRING.findall(text)


@lru_cache(maxsize=64)
def _cut(text: str) -> tuple[str, ...]:
    """What stays as it is, and between two such pieces the URL of a placeholder.

    Remembered, because a document goes to a whole fleet, and is looked at character by character.
    """
    pieces, end = list[str](), 0
    for string in _STRING.finditer(text) if _may_have_some(text) else ():
        if not _may_have_some(string[0]):
            continue
        spelled = list(_CHARACTER.finditer(string[0]))
        for found in _URL.finditer(_meant([each[0] for each in spelled])):
            first, last = spelled[found.start()], spelled[found.end() - 1]
            url = found[1].encode("utf-16", "surrogatepass")  # two escapes may be one character
            pieces += (text[end : string.start() + first.start()], url.decode("utf-16", "replace"))
            end = string.start() + last.end()
    return (*pieces, text[end:])


def _meant(spelled: list[str]) -> str:
    """The characters that are spelled so, one for one; of a pair of surrogates each half is one."""
    return "".join(each if len(each) == 1 else _unescaped(each[1:]) for each in spelled)


def _unescaped(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) == 5 else _ESCAPED.get(escape, escape)
