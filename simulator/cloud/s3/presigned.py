"""Presigned URLs: what takes the place of `${aws:iot:s3-presigned-url:URL}` in a job document when it is delivered.

A placeholder (see `simulator.cloud.jobs.placeholders`) names an object of S3, by either form of S3's URLs; what a
device gets is a URL below our own file server, for BUCKET/KEY, with the query that S3 would have: when it was signed,
for how long it holds, and the signature. So two deliveries of one document differ, as on AWS. The signature is our own,
an HMAC over path, time and span: nobody but the local cloud checks it, and it says what AWS's would, that this object
may be read until then.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, urlsplit

from agent.values import JobDocument
from simulator.cloud.jobs import placeholders
from simulator.cloud.jobs.maintenance import DAY, civil

_HOST: Final = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-][a-z0-9-]+(?:\.[a-z0-9-]+)*)?\.amazonaws\.com(?:\.cn)?")
LONGEST_HOST: Final = 253
"""Characters of a host name (RFC 1035); what is longer is none."""
ALGORITHM: Final = "X-Amz-Algorithm"
DATE: Final = "X-Amz-Date"
EXPIRES: Final = "X-Amz-Expires"
SIGNATURE: Final = "X-Amz-Signature"

UrlCheck: TypeAlias = Literal["good", "expired", "forged"]


@dataclass(frozen=True, slots=True)
class FileUrls:
    """URLs of a file server: `base` is what they begin with, `secret` what they are signed with."""

    base: str
    secret: bytes

    def document(self, document: JobDocument, now: float, expires_seconds: int) -> JobDocument:
        """The document as it is delivered at that time."""
        return JobDocument(placeholders.with_urls(document.text, lambda s3_url: self.url(s3_url, now, expires_seconds)))

    def url(self, s3_url: str, now: float, expires_seconds: int) -> str:
        """A URL that lets its holder read what the S3 URL names, for so long."""
        path, date = quote(object_of(s3_url)), _date(now)
        signature = self._sign(path, date, str(expires_seconds))
        query = f"{ALGORITHM}=AWS4-HMAC-SHA256&{DATE}={date}&{EXPIRES}={expires_seconds}&{SIGNATURE}={signature}"
        return f"{self.base}{path}?{query}"

    def check(self, path: str, query: Mapping[str, str], now: float) -> UrlCheck:
        """Whether a request for that path, as it stood in the URL, may read it now."""
        date, expires = query.get(DATE, ""), query.get(EXPIRES, "")
        told = query.get(SIGNATURE, "").encode(errors="surrogatepass")
        if not hmac.compare_digest(self._sign(path, date, expires).encode(), told):
            return "forged"
        return "good" if _date(now - int(expires)) <= date else "expired"

    def _sign(self, path: str, date: str, expires: str) -> str:
        # A path that was asked for may be anything.
        signed = f"{path}\n{date}\n{expires}".encode(errors="surrogatepass")
        return hmac.new(self.secret, signed, "sha256").hexdigest()


def object_of(s3_url: str) -> str:
    """BUCKET/KEY of an S3 URL, or of what is no URL; of another URL, its host and path."""
    try:
        parts = urlsplit(s3_url)
        host, key = parts.hostname or "", parts.path.lstrip("/")
    except ValueError:  # a bracket that is not closed, a host that is none
        return s3_url.lstrip("/")
    found = _HOST.fullmatch(host) if len(host) <= LONGEST_HOST else None
    if found is None:
        return f"{host}/{key}" if host else key
    return f"{found['bucket']}/{key}" if found["bucket"] else key


def _date(seconds: float) -> str:
    """As AWS writes it, in UTC: 20261126T013000Z. Text of two times compares as they do."""
    days, second = divmod(int(seconds), DAY)
    year, month, day = civil(days)
    return f"{year:04}{month:02}{day:02}T{second // 3600:02}{second // 60 % 60:02}{second % 60:02}Z"
