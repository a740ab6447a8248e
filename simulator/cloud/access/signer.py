"""botocore's own signer, which makes a client's signature again.

Imported when the first signature is checked: it brings botocore's client with it, a tenth of a second.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials


class Terms(NamedTuple):
    """What a signature is made with, beside the request; `stamp` as the signature has it, such as 20261124T000000Z."""

    access_key: str
    secret: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    stamp: str


class _Signer(SigV4Auth):
    """For exactly the headers that the client said it signed."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(Credentials(terms.access_key, terms.secret), terms.service, terms.region)
        self._names = terms.signed_headers

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        """The signed headers, with all their values."""
        chosen = HTTPHeaders()
        for name, value in request.headers.items():
            if name.lower() in self._names:
                chosen[name.lower()] = value
        return chosen


def signature(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes, terms: Terms) -> str:
    """The signature that such a request has. Raises ValueError if `url` is none."""
    signer = _Signer(terms)
    again: Any = AWSRequest(method, url, data=body)
    for name, value in headers:
        again.headers[name] = value
    again.context["timestamp"] = terms.stamp
    return str(signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again))
