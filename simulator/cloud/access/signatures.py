"""Signature Version 4, as a service checks it: botocore's own signer makes the signature again, and the two must agree.

    header  Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, …
    query   X-Amz-Algorithm, -Credential, -Date, -Expires, -SignedHeaders, -Signature   (WebSocket and presigned URLs)

Without access keys nobody is asked for a signature and none is made again, as other local AWS tools do; what claims to
be one must be well-formed all the same. Names of errors and their status, 403, are those that clients of the control
plane report: InvalidSignatureException (aws/aws-sdk-js-v3#1569) and UnrecognizedClientException
(aws/amazon-freertos#841); those of a signature that is missing or incomplete are API Gateway's, which the scope
`execute-api` of older clients shows to stand before it.
"""

import hmac
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final
from urllib.parse import unquote

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SKEW: Final = timedelta(minutes=5)
"""Documented in the IAM User Guide: a request must arrive within five minutes of its time stamp."""
LONGEST: Final = timedelta(days=7)
MOST_DIGITS: Final = 20
"""Of a number of seconds; Python does not read any number."""
STAMP: Final = "%Y%m%dT%H%M%SZ"
STATUS: Final = 403
_PARTS: Final = ("Credential", "Signature", "SignedHeaders")
"""What an Authorization header says of a signature."""
_SECURITY_TOKEN: Final = "X-Amz-Security-Token"
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"


class SignatureRefused(Exception):  # noqa: N818 - what the client sent
    """AWS's refusal of a signature: the name of its exception, and what it says. The status is STATUS."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """An HTTP request as it came in; `target` is path and query as they stood on the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((value for each, value in self.headers if each.lower() == name), None)


@dataclass(frozen=True, slots=True)
class ClaimedSignature:
    """What a request says of its own signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    stamp: datetime
    lasts: timedelta | None = None
    """How long a query signature holds; None for a header, or where the query does not say."""


class Signatures:
    """Checks signatures against `access_keys`, ids to secrets; `clock` gives epoch seconds."""

    def __init__(self, access_keys: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._access_keys = access_keys
        self._clock = clock
        if access_keys:
            import simulator.cloud.access.signer  # noqa: F401 - now, and not while a client waits

    @property
    def are_required(self) -> bool:
        """Whether there are keys to check with."""
        return bool(self._access_keys)

    def check(self, request: SignedRequest, services: Collection[str]) -> ClaimedSignature | None:
        """The claim of a request that may pass; None if it makes none. Raises SignatureRefused.

        `services` are the names that its credential may be scoped to, the one to tell of first.
        """
        claim = read_claim(request)
        if not self._access_keys:
            return claim
        if claim is None:
            raise SignatureRefused("MissingAuthenticationTokenException", "Missing Authentication Token")
        secret = self._access_keys.get(claim.access_key)
        if secret is None:
            message = "The security token included in the request is invalid."
            raise SignatureRefused("UnrecognizedClientException", message)
        self._check_scope(claim, services)
        self._check_time(claim)
        _check_signature(request, claim, secret)
        return claim

    def _check_scope(self, claim: ClaimedSignature, services: Collection[str]) -> None:
        if claim.service not in services:
            service = next(iter(services))
            raise _invalid(f"Credential should be scoped to correct service: '{service}'.")
        if claim.date != (day := claim.stamp.strftime("%Y%m%d")):
            message = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
            raise _invalid(f"{message}: '{claim.date}' != '{day}'.")

    def _check_time(self, claim: ClaimedSignature) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        lasts, allowed = (claim.lasts, "") if claim.lasts is not None else (SKEW, " - 5 min.")
        if claim.stamp - now > SKEW:
            latest, shown = now + SKEW, claim.stamp.strftime(STAMP)
            raise _invalid(
                f"Signature not yet current: {shown} is still later than {latest.strftime(STAMP)}"
                f" ({now.strftime(STAMP)} + 5 min.)"
            )
        if now - claim.stamp > lasts:
            earliest, shown = now - lasts, claim.stamp.strftime(STAMP)
            raise _invalid(
                f"Signature expired: {shown} is now earlier than {earliest.strftime(STAMP)}"
                f" ({now.strftime(STAMP)}{allowed})"
            )


def _invalid(message: str) -> SignatureRefused:
    return SignatureRefused("InvalidSignatureException", message)


def _incomplete(message: str) -> SignatureRefused:
    return SignatureRefused("IncompleteSignatureException", message)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────


def read_claim(request: SignedRequest) -> ClaimedSignature | None:
    """What a request says of its signature; None if it says nothing. Raises SignatureRefused if it is half said."""
    query = dict(_pairs(request.target.partition("?")[2]))
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        return _query_claim(query)
    authorization = request.header("authorization")
    if authorization is None:
        return None
    algorithm, _, rest = authorization.strip().partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm[:100]}'.")
    parts = _parts(rest)
    missing = [name for name in _PARTS if name not in parts]
    stamp = _header_stamp(request)
    said = [f"Authorization header requires '{name}' parameter." for name in missing]
    if stamp is None:
        said.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if stamp is None or missing:
        raise _incomplete(" ".join((*said, f"Authorization={algorithm}")))
    return _claim(parts["Credential"], parts["SignedHeaders"], parts["Signature"], stamp, None)


def _parts(text: str) -> dict[str, str]:
    """`NAME=VALUE, NAME=VALUE`: those that are meant, and have a value without a space in it."""
    pairs = (part.strip().partition("=") for part in text.split(","))
    return {name: value for name, _, value in pairs if name in _PARTS and value.split() == [value]}


def _query_claim(query: Mapping[str, str]) -> ClaimedSignature:
    needed = ("Algorithm", "Credential", "Date", "Signature", "SignedHeaders")
    missing = [name for name in needed if not query.get(f"X-Amz-{name}")]
    if missing:
        raise _incomplete(" ".join(f"AWS query-string parameters must include 'X-Amz-{name}'." for name in missing))
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{query['X-Amz-Algorithm'][:100]}'.")
    stamp = _stamp(query["X-Amz-Date"])
    if stamp is None:
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{query['X-Amz-Date'][:100]}'.")
    lasts = None
    if (expires := query.get("X-Amz-Expires")) is not None:
        is_number = expires.isascii() and expires.isdigit() and len(expires) <= MOST_DIGITS
        if not is_number or int(expires) > LONGEST.total_seconds():
            raise _incomplete(f"'X-Amz-Expires' must be from 0 to {LONGEST.total_seconds():.0f}.")
        lasts = timedelta(seconds=int(expires))
    return _claim(query["X-Amz-Credential"], query["X-Amz-SignedHeaders"], query["X-Amz-Signature"], stamp, lasts)


def _claim(credential: str, headers: str, signature: str, stamp: datetime, lasts: timedelta | None) -> ClaimedSignature:
    parts = credential.split("/")
    if len(parts) != 5 or not all(parts) or parts[4] != "aws4_request":
        raise _incomplete(f"Credential must have exactly 5 slash-delimited elements, got '{credential[:200]}'.")
    names = tuple(headers.lower().split(";"))
    if "host" not in names:
        raise _invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    return ClaimedSignature(parts[0], parts[1], parts[2], parts[3], names, signature, stamp, lasts)


def _header_stamp(request: SignedRequest) -> datetime | None:
    if (basic := request.header("x-amz-date")) is not None:
        return _stamp(basic)
    try:
        return parsedate_to_datetime(request.header("date") or "").astimezone(UTC)
    except (ValueError, OverflowError):  # the last hours of the year 9999, west of Greenwich
        return None


def _stamp(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _pairs(query: str) -> Iterable[tuple[str, str]]:
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        yield unquote(name), unquote(value)


# ── making it again ───────────────────────────────────────────────────────────────────────────────────────────


def _check_signature(request: SignedRequest, claim: ClaimedSignature, secret: str) -> None:
    present = {name.lower() for name, _ in request.headers}
    if any(name not in present for name in claim.signed_headers) or not _is_text(request):
        raise _does_not_match()
    said = request.header("x-amz-content-sha256")
    if said not in (None, _UNSIGNED, sha256(request.body).hexdigest()):
        raise _does_not_match()
    from simulator.cloud.access.signer import Terms, signature

    stamp = claim.stamp.strftime(STAMP)
    terms = Terms(claim.access_key, secret, claim.region, claim.service, claim.signed_headers, stamp)
    path, _, query = request.target.partition("?")
    for left_out in _left_out(claim):
        kept = "&".join(pair for pair in query.split("&") if unquote(pair.partition("=")[0]) not in left_out)
        try:
            url = f"http://{request.header('host')}{path}?{kept}"
            again = signature(request.method, url, request.headers, request.body, terms)
        except ValueError:  # a Host, or a target, with which there is no URL: nobody signed that
            break
        if hmac.compare_digest(again.encode(), claim.signature.encode(errors="surrogateescape")):
            return
    raise _does_not_match()


def _is_text(request: SignedRequest) -> bool:
    """Bytes that are no UTF-8 were never signed by a client of AWS's, and botocore's signer trips over them."""
    try:
        "".join((request.target, *(value for _, value in request.headers))).encode()
    except UnicodeError:
        return False
    return True


def _left_out(claim: ClaimedSignature) -> tuple[tuple[str, ...], ...]:
    """What the signed query does not hold; the gateway's clients add the session token before or after signing."""
    plain = ("X-Amz-Signature",)
    return (plain, (*plain, _SECURITY_TOKEN)) if claim.service == "iotdevicegateway" else (plain,)


def _does_not_match() -> SignatureRefused:
    return _invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access"
        " Key and signing method. Consult the service documentation for details."
    )
