"""Values for the members of AWS's service models, drawn from a seed: most would do, many are odd, some are of no type.

Names are few, so that requests meet what earlier ones made.
"""

import json
import string
from base64 import b64encode
from collections.abc import Sequence
from random import Random
from typing import Any, Final
from urllib.parse import quote

from simulator.cloud.api.service_model import ListShape, MapShape, OperationModel, Shape, StructureShape
from tests.simulator.cloud.api.requests_from_models import ARN, CERTIFICATE_ID, KINDS, LIKELY, ODD_ARNS, TEXTS

NAMES: Final = ("a", "b", "a", "b", "t")
ODD_NAMES: Final = (
    "$next", "AWS-Reboot", "0" * 64, "1", "", "a/b", "é", "..", ".", "a b", "%", "%2F", "#", "?", "+", "\x00",
    "\ud800", "a" * 129, "a" * 5_000, "-1", "null", "\u202e", "\U0001f600", "a\r\nX: y", "a;b", "ﬀ", "İ", "\x7f",
    "\\", "'", '"',
)  # fmt: skip
ODD_TEXTS: Final = (
    *ODD_NAMES,
    "x" * 70_000,
    "9" * 5_000,
    "1e400",
    "0x10",
    "٣",
    "${a}",
    "{",
    "[]",
    "<a>",
    "NaN",
    "\ufeff",
)
ODD_NUMBERS: Final = (
    0, -1, 1, 1 << 31, -(1 << 31), 1 << 63, (1 << 63) - 1, 1 << 64, -(1 << 200), 10**400, 0.5, 1e308, -0.0, 5e-324,
    253402300800, 253402300799, 8.64e15, 2**53 + 1,
)  # fmt: skip
ODD_TIMES: Final = (*ODD_NUMBERS, "9999-12-31T23:59:59-14:00", "0000-00-00", "2030-01-01T00:00:00Z", "1e99", "now")
DEPTHS: Final = (3, 100, 60_000)
"""How deep lists and objects are nested where that is what is odd; JSON that Python reads ends at about a thousand."""
MORE_TEXTS: Final[dict[str, Sequence[str]]] = {
    "document": (
        "{}", '{"a":1}', "[]", '"x"', '{"a":NaN}', '{"a":1e400}', "9" * 5_000,
        "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}",
        '{"u":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"}',
        '{"u":"${aws:iot:s3-presigned-url:http://[}"}', '{"a":"\\ud800"}',
    ),
    "documentSource": (
        "https://s3.amazonaws.com/b/k", "http://[", "s3://b/k", "https://s3.amazonaws.com/b/../..",
        "arn:aws:iot:us-east-1::jobtemplate/AWS-Reboot:1.0",
    ),
    "queryString": (
        "thingName:a", "thingName:a*", "attributes.x:[1 TO 2]", "(", "a AND", "NOT", "*", '"', "thingName:/x/",
        "a~2", "a^9999999999", "[* TO *]", "((((((((a))))))))", "thingGroupNames:b", "attributes.a>1",
        "a:" + "9" * 5_000, "\\", "thingName:\\", "a OR " * 50 + "a",
    ),
    "nextToken": (
        "", "x", "e30=", "W10=", "bnVsbA==", "WyJhIl0=", "eyJhIjoxfQ==", "\ud800", "=", "IkxpPQ==",
    ),
    "marker": (
        "", "x", "e30=", "W10=", "WyJhIl0=",
    ),
    "startTime": (
        "2030-01-01 00:00", "9999-12-31 23:59", "0001-01-01 00:00", "cron(0 3 * * ? *)", "cron(* * * * * *)",
        "cron(0 0 31 2 ? *)", "cron()", "cron(" + "9" * 500 + " * * * ? *)", "cron(0/0 * * * ? *)",
        "cron(0 0 L * ? *)",
    ),
    "endTime": (
        "2030-01-01 00:00", "9999-12-31 23:59", "0001-01-01 00:00", "",
    ),
    "policyDocument": (
        *TEXTS["policyDocument"], "[]", "1", "{}", '{"Version":[],"Statement":[]}', '{"Version":{},"Statement":{}}',
        '{"Version":"2012-10-17","Statement":[[]]}',
        '{"Statement":[{"Effect":["Allow"],"Action":"iot:*","Resource":"*"}]}',
        '{"Statement":{"Effect":{},"Action":{},"Resource":{}}}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":["1.2.3.4/99",9]}}}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"${iot:Certificate.Subject.CommonName.9999999999999999999999}"}]}',
    ),
}  # fmt: skip


class Values:
    """Draws from `rng`; one value in `odd` of them is odd."""

    def __init__(self, rng: Random, odd: int = 25) -> None:
        self._rng = rng
        self._odd = odd

    def of(self, shape: Shape, name: str = "", depth: int = 0) -> Any:
        """A value for a member of that shape and name."""
        if self._rng.randrange(self._odd * 4) == 0:
            return self.anything()
        if isinstance(shape, StructureShape):
            return self._structure(shape, depth)
        if isinstance(shape, ListShape):
            return [self.of(shape.member, name, depth + 1) for _ in range(self._size(shape))]
        if isinstance(shape, MapShape):
            return {
                str(self._text(shape.key, "key")): self.of(shape.value, name, depth + 1)
                for _ in range(self._size(shape))
            }
        return self._scalar(shape, name)

    def _structure(self, shape: StructureShape, depth: int) -> dict[str, Any]:
        wanted = 0.5 if depth < 2 else 0.2
        given: dict[str, Any] = {}
        for name, member in shape.members.items():
            if name in shape.required_members or name in LIKELY or self._rng.random() < wanted:
                given[member.serialization.get("name", name)] = self.of(member, name, depth + 1)
        return given

    def _size(self, shape: Shape) -> int:
        if self._rng.randrange(self._odd) == 0:
            return self._rng.choice((0, 11, 101))
        return self._rng.randint(min(1, shape.metadata.get("min", 0)), 2)

    def _scalar(self, shape: Shape, name: str) -> Any:
        is_odd = self._rng.randrange(self._odd) == 0
        match shape.type_name:
            case "boolean":
                return self._rng.choice((True, False))
            case "timestamp":
                return self._rng.choice(ODD_TIMES)
            case "integer" | "long" | "float" | "double":
                low, high = shape.metadata.get("min", -1), shape.metadata.get("max", 100)
                return (
                    self._rng.choice((*ODD_NUMBERS, low, low - 1, high, high + 1))
                    if is_odd
                    else self._rng.randint(int(low), int(high))
                )
            case _:
                return self._rng.choice(ODD_TEXTS) if is_odd else self._text(shape, name)

    def _text(self, shape: Shape, name: str) -> str:
        rng = self._rng
        if choices := shape.metadata.get("enum"):
            return rng.choice(choices)
        if name in KINDS:
            kind = rng.choice(KINDS[name])
            arn = ARN.format(f"{kind}/{CERTIFICATE_ID if kind == 'cert' else rng.choice(NAMES)}")
            return rng.choice(ODD_ARNS) if rng.randrange(self._odd) == 0 else arn
        if (some := MORE_TEXTS.get(name) or TEXTS.get(name)) is not None:
            return self._garbled(rng.choice(some), name) if rng.randrange(3) == 0 else rng.choice(some)
        if name.lower().endswith(("name", "id", "key", "group", "groupstoadd", "groupstoremove")):
            return rng.choice(NAMES)
        high = min(shape.metadata.get("max", 12), 12)
        return "".join(
            rng.choices(
                string.ascii_letters + string.digits + "_-",
                k=rng.randint(min(shape.metadata.get("min", 0), high), high),
            )
        )

    def _garbled(self, text: str, name: str) -> str:
        """A text that somebody else reads once more: JSON with something odd in it, or a few characters changed."""
        rng = self._rng
        if name.endswith(("Token", "marker")):
            return b64encode(json.dumps(self.anything()).encode()).decode()
        try:
            return json.dumps(self._with_something_odd(json.loads(text)))
        except ValueError:
            odd = list(text)
            for _ in range(rng.randint(1, 3)):
                at = rng.randrange(len(odd) + 1)
                odd[at : at + rng.randrange(3)] = rng.choice(("", "\0", "9" * 30, *'()[]{}"*?:/\\ANDOR~^é', *odd))
            return "".join(odd)

    def _with_something_odd(self, told: Any) -> Any:
        """The same, but for one place, which may be the whole."""
        rng = self._rng
        if not told or not isinstance(told, dict | list) or rng.randrange(5) == 0:
            return self.anything()
        if isinstance(told, list):
            at = rng.randrange(len(told))
            return [*told[:at], self._with_something_odd(told[at]), *told[at + 1 :]]
        name = rng.choice(list(told))
        return told | {name: self._with_something_odd(told[name])}

    def anything(self) -> Any:
        """Any JSON at all."""
        rng = self._rng
        match rng.randrange(8):
            case 0:
                return None
            case 1:
                return rng.choice(ODD_NUMBERS)
            case 2:
                return [self.anything() for _ in range(rng.randrange(3))]
            case 3:
                return {rng.choice(ODD_TEXTS[:20]): self.anything() for _ in range(rng.randrange(3))}
            case 4:
                return rng.choice((True, False))
            case _:
                return rng.choice(ODD_TEXTS)

    def body(self, told: Any) -> bytes:
        """JSON, or nearly."""
        rng = self._rng
        raw = json.dumps(told).encode()
        match rng.randrange(self._odd * 5):
            case 0:
                return raw[: rng.randrange(len(raw) + 1)]
            case 1:
                return rng.randbytes(rng.randrange(200))
            case 2:
                return json.dumps(self.anything()).encode()
            case 3:
                depth, (begin, end) = rng.choice(DEPTHS), rng.choice((("[", "]"), ('{"a":', "}")))
                return (begin * depth + "1" + end * rng.choice((0, depth))).encode()
            case 4:
                return raw.replace(b'"', b'"\xff', 1)
            case 5:
                return b"\xef\xbb\xbf" + raw
            case 6:
                return json.dumps(told).encode("utf-16")
            case 7:
                return raw.replace(b":", b":" + b"9" * 5_000 + b",", 1)
            case 8:
                return raw.replace(b"1", b"1e400")
            case 9:
                return raw[:-1] + b"," + raw[1:]
            case _:
                return raw

    def request(self, operation: OperationModel, prefix: str = "") -> tuple[str, str, dict[str, str], bytes]:
        """Method, target, headers and body of a request for an operation."""
        path = operation.http["requestUri"].partition("?")[0]
        query: list[str] = []
        headers: dict[str, str] = {}
        sent: dict[str, Any] = {}
        shape = operation.input_shape
        payload = None if shape is None else shape.serialization.get("payload")
        raw: bytes | None = None
        for name, member in (shape.members if shape else {}).items():
            location, wire = member.serialization.get("location"), member.serialization.get("name", name)
            is_needed = location == "uri" or name in shape.required_members or name in LIKELY
            if not is_needed and self._rng.random() > 0.3:
                continue
            told = self.of(member, name)
            if name == payload:
                raw = on_the_wire(told).encode(errors="surrogatepass")
            elif location == "uri":
                text = quote(on_the_wire(told) or "a", safe="", errors="surrogatepass")
                path = path.replace(f"{{{wire}}}", text).replace(f"{{{wire}+}}", text)
            elif location == "querystring":
                query += [
                    f"{wire}={quote(on_the_wire(each), errors='surrogatepass')}"
                    for each in (told if isinstance(told, list) else [told])
                ]
            elif location == "header":
                headers[wire] = on_the_wire(told)
            else:
                sent[wire] = told
        body = raw if raw is not None else self.body(sent) if sent or self._rng.randrange(20) == 0 else b""
        return operation.http["method"], prefix + path + ("?" + "&".join(query) if query else ""), headers, body


def on_the_wire(told: Any) -> str:
    """How a value stands in a path, a query or a header."""
    return told if isinstance(told, str) else json.dumps(told)
