"""Requests that no client of AWS's would send: drawn from the service models, and then made odder still.

who      unsigned, signed right, signed wrong in some way, with a signature that nobody could have made
what     all operations of `iot`, `iot-data` and `iot-jobs-data`, files by presigned URLs, WebSocket upgrades
how      odd methods, paths, queries, headers, framings and bodies
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simulator.cloud.api.schema import schema_of
from simulator.cloud.api.service_model import OperationModel
from tests.hostile.shapes import ODD_TEXTS, Values

KEY, SECRET = "AKEXAMPLE", "secret"
SLOW: Final = "CreateKeysAndCertificate"
"""Makes an RSA key, which takes longer than a hundred other calls."""
ODD_DATES: Final = (
    "Fri, 31 Dec 9999 23:59:59 -1400", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT", "99991231T235959Z",
    "00010101T000000Z", "", "now", "Mon, 01 Jan 0001 00:00:00 +1400", "20260230T000000Z",
    "Thu, 01 Jan 1970 00:00:00 -9999", "٢٠٢٦1231T235959Z", "1 Jan 99 1:1:1 +999999999999",
)  # fmt: skip
ODD_HEADERS: Final[tuple[tuple[str, bytes], ...]] = (
    ("Content-Encoding", b"gzip"), ("Content-Encoding", b"deflate"), ("Content-Encoding", b"br"),
    ("Content-Encoding", b"x" * 5_000), ("Content-Type", b"\xff"), ("Content-Type", b"text/plain; charset=utf-7"),
    ("Content-Type", b"multipart/form-data; boundary="), ("Content-Type", b";" * 500), ("Expect", b"100-continue"),
    ("Expect", b"200-ok"), ("Host", b""), ("Host", b"[::"), ("Host", b"\xff"), ("Host", b"a:99999999"),
    ("Host", b"x.jobs.iot.us-east-1.amazonaws.com"), ("Upgrade", b"h2c"), ("Upgrade", b"websocket"),
    ("Connection", b"close"), ("Connection", b"upgrade"), ("Connection", b"\xff,,"), ("Range", b"bytes=0-"),
    ("Range", b"bytes=-1"), ("Range", b"bytes=" + b"9" * 5_000 + b"-"), ("Range", b"bytes=1-0"),
    ("Range", b"bytes=0-1,2-3"), ("Range", b"octets=x"), ("If-Range", b"\xff"),
    ("If-Modified-Since", b"Fri, 31 Dec 9999 23:59:59 -1400"), ("If-Modified-Since", b"9" * 99),
    ("If-Unmodified-Since", b"Mon, 01 Jan 0001 00:00:00 +1400"), ("If-None-Match", b"*"),
    ("If-None-Match", b'W/"' + b"x" * 300), ("If-Match", b'"\xff"'), ("Accept-Encoding", b"gzip"),
    ("Accept-Encoding", b"\xff"), ("Cookie", b"a=\xff; $Version=1"), ("Forwarded", b"for=127.0.0.1"),
    ("X-Forwarded-For", b"127.0.0.1"), ("X-Amz-Content-Sha256", b"0" * 64),
    ("X-Amz-Content-Sha256", b"UNSIGNED-PAYLOAD"), ("X-Amz-Content-Sha256", b"\xe9"),
    ("X-Amz-Security-Token", b"\xc3\x28"), ("X-HTTP-Method-Override", b"DELETE"), ("X-Long", b"x" * 7_000),
    ("x-amz-mqtt5-user-properties", b"W3siYSI6MX1d"), ("x-amz-mqtt5-user-properties", b"W1tbW1tbW1tdXV1dXV1d"),
    ("x-amz-mqtt5-user-properties", b"\xff"), ("x-amz-mqtt5-correlation-data", b"===="),
    ("x-amz-mqtt5-correlation-data", b"a"), ("x-amz-mqtt5-payload-format-indicator", b"UTF8_DATA"),
    ("x-amz-mqtt5-payload-format-indicator", b"\xff"), ("Sec-WebSocket-Key", b"\xff"),
    ("Sec-WebSocket-Key", b"AAAA"), ("Sec-WebSocket-Version", b"13, 8"), ("Sec-WebSocket-Protocol", b"mqtt,\xff"),
    ("Sec-WebSocket-Extensions", b"permessage-deflate; server_max_window_bits=" + b"9" * 50),
    ("Sec-WebSocket-Extensions", b"permessage-deflate; server_max_window_bits=1"), ("Bad Name", b"x"), ("", b"x"),
    ("X-Nul", b"a\x00b"), ("X-Bare", b"a\rb"), ("Transfer-Encoding", b"gzip"),
)  # fmt: skip
ODD_QUERIES: Final = (
    "X-Amz-Expires=" + "9" * 5_000, "X-Amz-Expires=-1", "X-Amz-Expires=%D9%A3", "X-Amz-Expires=1e3",
    "X-Amz-Signature=", "X-Amz-Signature=%E9", "X-Amz-Signature=%FF%FE", "X-Amz-Signature=%ED%A0%80",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Date=99991231T235959Z", "X-Amz-Date=%FF",
    "X-Amz-Credential=a/b/c/d/e", "maxResults=" + "9" * 5_000, "maxResults=%D9%A3", "maxResults=", "maxResults=1.5",
    "nextToken=%ED%A0%80", "nextToken=%FF", "namespaceId=%FF", "namespaceId=" + "x" * 5_000, "qos=%D9%A1", "qos=2",
    "retain=TRUE", "messageExpiry=" + "9" * 5_000, "contentType=%ED%A0%80", "contentType=%00", "responseTopic=%23",
    "force=yes", "a=b&" * 300, "%", "%zz=%zz", "=", "&&&", "a;b", "\udcff", "executionNumber=" + "9" * 5_000,
    "expectedVersion=99999999999999999999", "includeJobDocument=%FF",
)  # fmt: skip
ODD_TARGETS: Final = (
    "/", "//", "*", "http://elsewhere/things", "http://[/", "/things/%FF", "/things/%ED%A0%80", "/things/%00",
    "/../../etc/passwd", "/-/files/../../etc/passwd", "/-/files/%2e%2e/%2e%2e/etc/passwd", "/-/files/bucket/%00",
    "/-/files/bucket/%FF", "/-/files/" + "a/" * 3_000, "/-/files/" + "a" * 5_000, "/-/greengrass/",
    "/-/greengrass//jobs", "/mqtt/", "/mqtt?", "/topics/", "/topics/%FF", "/topics/%23",
    "/topics/$aws/rules/r/" + "x/" * 200, "/topics/$aws/things/a/jobs/get", "/retainedMessage/%FF",
    "/retainedMessage/", "/retainedMessage?nextToken=x", "/things/a/jobs/$next?x", "/things/a/jobs/%24next",
    "/things//jobs", "/things/" + "%41" * 200 + "/jobs", "/" + "a/" * 3_000, "/jobs/a#b", "/jobs/a?b?c", "/jobs/ä",
    "/jobs/a b",
)  # fmt: skip
METHODS: Final = (
    "GET",
    "PUT",
    "POST",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "HEAD",
    "TRACE",
    "CONNECT",
    "BREW",
    "get",
    "PRI",
    "M" * 300,
)
VERSIONS: Final = ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1 ", "HTTP/1.10", "HTCPCP/1.0", "")
UPGRADE: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "mqtt",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it goes out. `is_odd`: its bytes may be no HTTP, so that its connection ends with it."""

    operation: str
    method: str
    target: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes = b""
    is_odd: bool = False
    version: str = "HTTP/1.1"
    framing: bytes | None = None
    """What stands in the place of Content-Length and body, if anything does."""

    def wire(self) -> bytes:
        """Its bytes."""
        lines = [f"{self.method} {self.target} {self.version}".encode("utf-8", "surrogateescape")]
        lines += [name.encode("latin-1", "replace") + b": " + value for name, value in self.headers]
        if self.framing is not None:
            return b"\r\n".join(lines) + b"\r\n" + self.framing
        lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body

    def __str__(self) -> str:
        shown = self.wire()
        return f"{self.operation}: {shown[:600]!r}{'…' if len(shown) > 600 else ''}"


@dataclass(frozen=True, slots=True)
class Port:
    """Where calls go to. `authority` is HOST:PORT; `keys`: whether signatures are checked; `file_url` gives a URL."""

    authority: str
    keys: bool = False
    is_tls: bool = False
    file_url: Callable[[], str] | None = None


@dataclass(slots=True)
class Caller:
    """Draws calls to `port` from a seed; `served` are the operations that are carried out."""

    rng: Random
    served: frozenset[str]
    values: Values = field(init=False)
    _control: list[OperationModel] = field(init=False)
    _others: list[OperationModel] = field(init=False)
    _messages: list[OperationModel] = field(init=False)
    _jobs: list[OperationModel] = field(init=False)

    def __post_init__(self) -> None:
        self.values = Values(self.rng)
        models = {each: schema_of(each).model for each in ("iot", "iot-data", "iot-jobs-data")}
        of = {each: [model.operation_model(name) for name in model.operation_names] for each, model in models.items()}
        self._control = [each for each in of["iot"] if each.name in self.served and each.name != SLOW]
        self._others = [each for each in of["iot"] if each.name not in self.served or each.name == SLOW]
        self._messages, self._jobs = of["iot-data"], of["iot-jobs-data"]

    def draw(self, port: Port) -> Call:
        """The next call."""
        whole, service = self._whole(port)
        call = self._signed(whole, service, port) if not port.is_tls else whole
        return self._odder(call) if self.rng.randrange(5) == 0 else call

    def _whole(self, port: Port) -> tuple[Call, str]:
        rng, kind = self.rng, self.rng.randrange(100)
        if port.is_tls:
            return self._of(rng.choice((*self._messages, *self._jobs * 2)), port), ""
        if kind < 6 and port.file_url is not None:
            url = port.file_url()
            path = "/" + url.partition("://")[2].partition("/")[2]
            return Call("file", "GET", path, self._host(port)), ""
        if kind < 10:
            headers = (*self._host(port), *((name, text.encode()) for name, text in UPGRADE.items()))
            return Call("websocket", "GET", "/mqtt", headers), "iotdevicegateway"
        if kind < 22:
            return self._of(rng.choice(self._jobs), port), "iot-jobs-data"
        if kind < 32:
            return self._of(rng.choice(self._messages), port), "iotdata"
        if kind < 36:
            return self._of(rng.choice(self._control), port, "/-/greengrass"), "iot"
        return self._of(rng.choice(self._others) if rng.randrange(300) < 20 else rng.choice(self._control), port), "iot"

    def _of(self, operation: OperationModel, port: Port, prefix: str = "") -> Call:
        if operation.name == SLOW and self.rng.randrange(20):
            operation = self._control[0]
        method, target, headers, body = self.values.request(operation, prefix)
        told = ((name, text.encode("utf-8", "surrogatepass")) for name, text in headers.items() if text.isprintable())
        return Call(operation.name, method, target, (*self._host(port), *told), body)

    def _host(self, port: Port) -> tuple[tuple[str, bytes], ...]:
        return (("Host", port.authority.encode()),)

    # ── signatures ────────────────────────────────────────────────────────────────────────────────────────────

    def _signed(self, call: Call, service: str, port: Port) -> Call:
        rng = self.rng
        if not service or (roll := rng.randrange(100)) < (6 if port.keys else 60):
            return call
        region = "us-east-1" if rng.randrange(50) else rng.choice(("eu-west-1", "x", "é", "", "a" * 99, "us-east-1-"))
        how = SigV4QueryAuth if not call.body and rng.randrange(4) == 0 else SigV4Auth
        key, secret = (
            (KEY, SECRET) if roll < 93 else rng.choice(((KEY, "guessed"), ("AKOTHER", SECRET), ("000000000001", "x")))
        )
        request: Any = AWSRequest(call.method, f"http://{port.authority}{call.target}", data=call.body)
        for name, value in call.headers:
            request.headers[name] = value.decode("utf-8", "replace")
        try:
            how(
                Credentials(key, secret), service if rng.randrange(40) else rng.choice(("s3", "", "é")), region
            ).add_auth(request)
        except (ValueError, TypeError):
            return call
        target = request.url.partition(port.authority)[2] if how is SigV4QueryAuth else call.target
        headers = tuple((name, str(value).encode("utf-8", "surrogatepass")) for name, value in request.headers.items())
        made = replace(call, target=target, headers=headers)
        return self._botched(made) if rng.randrange(9) == 0 else made

    def _botched(self, call: Call) -> Call:
        """Its signature made into none."""
        rng, headers = self.rng, list(call.headers)
        odd = (
            rng.choice(ODD_TEXTS)
            .encode("utf-8", "surrogatepass")
            .replace(b"\r", b"")
            .replace(b"\n", b"")
            .replace(b"\0", b"")[:7_000]
        )
        for at, (name, value) in enumerate(headers):
            if name.lower() == "authorization":
                match rng.randrange(6):
                    case 0:
                        value = value.rpartition(b"=")[0] + b"=" + odd
                    case 1:
                        value = value.replace(b"host", odd)
                    case 2:
                        value = value.replace(b"/", odd[:50], 1)
                    case 3:
                        value = value[: rng.randrange(len(value))]
                    case 4:
                        value = odd
                    case _:
                        value = value.replace(b"Signature=", b"Signature=\xe9\xff")
                headers[at] = (name, value)
            elif name.lower() == "x-amz-date" and rng.randrange(3) == 0:
                headers[at] = (rng.choice(("Date", name)), rng.choice(ODD_DATES).encode())
        target = call.target
        if "X-Amz-Signature=" in target:
            target = self._botched_query(target)
        return replace(call, headers=tuple(headers), target=target, is_odd=True)

    def _botched_query(self, target: str) -> str:
        path, _, query = target.partition("?")
        pairs = query.split("&")
        at = self.rng.randrange(len(pairs))
        name = pairs[at].partition("=")[0]
        pairs[at] = self.rng.choice(
            (
                f"{name}=%E9",
                f"{name}=",
                name,
                f"{name}={'9' * 5_000}",
                f"{name}=%FF%FE",
                f"{name}=%ED%A0%80",
                f"{name}=-1",
                pairs[at] + "&" + pairs[at],
            )
        )
        return f"{path}?{'&'.join(pairs)}"

    # ── odder ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _odder(self, call: Call) -> Call:
        rng = self.rng
        match rng.randrange(19) // 2:
            case 9:
                call = replace(call, version=rng.choice(VERSIONS))
            case 0:
                call = replace(call, method=rng.choice(METHODS))
            case 1:
                call = replace(call, target=rng.choice(ODD_TARGETS))
            case 2 | 3:
                joined = "&" if "?" in call.target else "?"
                call = replace(call, target=call.target + joined + rng.choice(ODD_QUERIES))
            case 4:
                call = replace(
                    call,
                    headers=tuple((name, value) for name, value in call.headers if name != rng.choice(call.headers)[0]),
                )
            case 5:
                call = replace(call, target=self._flipped(call.target))
            case 6:
                call = replace(call, framing=self._framing(call.body))
            case _:
                odd = rng.choices(ODD_HEADERS, k=rng.choice((1, 1, 2, 3)))
                kept = [each for each in call.headers if each[0] not in {name for name, _ in odd}]
                call = replace(call, headers=tuple(rng.sample(kept + odd, len(kept + odd))))
        return replace(call, is_odd=True)

    def _flipped(self, target: str) -> str:
        """One character of it another one."""
        at = self.rng.randrange(1, max(2, len(target)))
        return target[:at] + self.rng.choice("%/?&=#+;\\\xe9\udcff .:@[]{}|<>^`\"'") + target[at + 1 :]

    def _framing(self, body: bytes) -> bytes:
        rng = self.rng
        size = b"%x" % len(body)
        return rng.choice(
            (
                b"\r\n",
                b"Transfer-Encoding: chunked\r\n\r\n"
                + (size + b"\r\n" + body + b"\r\n" if body else b"")
                + b"0\r\n\r\n",
                b"Transfer-Encoding: chunked\r\n\r\nnone\r\n\r\n",
                b"Transfer-Encoding: chunked\r\n\r\n2;x=" + b"y" * 9_000 + b"\r\n{}\r\n0\r\n\r\n",
                b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: \xff\r\n\r\n",
                b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\nno gzi",
                b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\3" + b"\xff" * 10,
                b"Content-Encoding: deflate\r\nContent-Length: 4\r\n\r\nxxxx",
                b"Content-Length: -1\r\n\r\n",
                b"Content-Length: 0\r\nContent-Length: 1\r\n\r\nx",
                b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
                b"Content-Length: +0\r\n\r\n",
                b"Content-Length: 1048577\r\n\r\n" + b"x" * 1_048_577,
                b"".join(b"X-%d: y\r\n" % number for number in range(300)) + b"Content-Length: 0\r\n\r\n",
            )
        )
