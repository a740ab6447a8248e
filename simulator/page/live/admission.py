"""Who may see the live page and press its buttons: whoever has its address, in which there is a secret; and no other
site that this one's browser has open.

Another site can have a browser send requests here, and can give its own name our address (DNS rebinding), but it can
neither choose what the browser says of it in `Host` and `Origin`, nor know the token.
"""

import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final

TOKEN_BYTES: Final = 16
"""128 bits."""
AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::[0-9]{1,5})?", re.IGNORECASE)
ANYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - to be recognised, not to be bound to
"""Hosts that mean every address of this machine."""


def new_token() -> str:
    """One that nobody can guess."""
    return secrets.token_hex(TOKEN_BYTES)


def below(token: str, path: str) -> str | None:
    """What a request asks for below the token, without the slash before it; None if it does not have the token.

    `/TOKEN` itself is "/". How long the comparison takes tells nothing of the token.
    """
    _, _, rest = path.partition("/")
    given, slash, rest = rest.partition("/")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
        return None
    return rest if slash else "/"


def stranger(hosts: Sequence[str], names: frozenset[str]) -> str | None:
    """Why a request with these `Host` headers is none for us, None if it is: it has one, which is one of `names`, or
    an address: nobody else's name can stand for that.
    """
    if len(hosts) != 1 or (found := AUTHORITY.fullmatch(hosts[0])) is None:
        return "the request does not say which host it is for"
    name = found[1].lower().strip("[]")
    if name in names or _is_address(name):
        return None
    return f"this is not {name}: open the page by the address that ghostjob printed"


def from_elsewhere(headers: Mapping[str, str], host: str) -> str | None:
    """Why a browser's request comes from another site than this one, None if it does not.

    Who is no browser says nothing of where it comes from, and has no other sites open.
    """
    origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return "the request comes from another site"
    if site not in (None, "same-origin", "none"):
        return "the request comes from another site"
    return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
