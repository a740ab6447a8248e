"""HTTP requests drawn from AWS's service models: some right, most wrong in one place, some no requests at all."""

import json
import string
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import strategies as st

from simulator.certs import client_certificate, new_authority
from simulator.cloud.api.service_model import ListShape, MapShape, OperationModel, Shape, StructureShape

ARN = "arn:aws:iot:us-east-1:000000000000:{}"
ODD_NAMES = ("$next", "AWS-Reboot", "0" * 64, "1", "", "a/b", "é")
ODD_ARNS = ("arn:aws:iot:us-east-1:111111111111:thing/a", ARN.format("thing/"), ARN.format("cert/a/b"), "arn", "")
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'
_KEY = ec.derive_private_key(1, ec.SECP256R1())
_CERTIFICATE = client_certificate(new_authority(), x509.Name([]), _KEY.public_key())
PEM = _CERTIFICATE.public_bytes(serialization.Encoding.PEM).decode()
CERTIFICATE_ID = _CERTIFICATE.fingerprint(hashes.SHA256()).hex()
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(_KEY, hashes.SHA256())
KINDS = {
    "targets": ("thing", "thinggroup"),
    "target": ("thinggroup", "cert"),
    "principal": ("cert",),
    "jobArn": ("job",),
    "jobTemplateArn": ("jobtemplate",),
    "resourceArn": ("job", "jobtemplate", "thinggroup", "policy"),
    "thingArn": ("thing",),
    "thingGroupArn": ("thinggroup",),
}
"""Of which kinds the ARNs are that a member takes."""
LIKELY = frozenset({"document", "thingName", "thingGroupName"})
"""Optional by the model, without which little comes of a request."""
TEXTS = {
    "document": ("{}", '{"a":1}', "{}", "{", '"\\ud800"'),
    "policyDocument": (POLICY, POLICY, POLICY, '{"Version":"2012-10-17","Statement":[{"Effect":1}]}', "{"),
    "certificateId": (CERTIFICATE_ID, CERTIFICATE_ID, "0" * 64, "x"),
    "certificatePem": (PEM, PEM, "no PEM"),
    "caCertificatePem": (PEM, "no PEM"),
    "certificateSigningRequest": (REQUEST.public_bytes(serialization.Encoding.PEM).decode(), "no request"),
    "startTime": ("2030-01-01 00:00", "cron(0 3 * * ? *)", "cron(* * * * * *)", "9999-99-99 99:99"),
    "endTime": ("2030-01-01 00:00", "2030-06-01 00:00", ""),
    "policyVersionId": ("1", "2", "x"),
    "templateName": ("AWS-Reboot", "AWS-Download-File", "a"),
    "templateVersion": ("1.0", "2.0"),
    "endpointType": ("iot:Data-ATS", "iot:Jobs", "iot:CredentialProvider"),
    "namespaceId": ("lab", "aws-gg"),
}
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "x" * 3000, "\x00", "é", "\ud800", "-1", "true", "$next"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@dataclass(frozen=True)
class Drawn:
    """A request as it goes out; `operation` is what it was drawn from."""

    operation: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def _text(shape: Shape, name: str) -> st.SearchStrategy[Any]:
    choices = shape.metadata.get("enum")
    if choices:
        return st.sampled_from([*choices])
    if name in KINDS:
        arns = [
            ARN.format(f"{kind}/{CERTIFICATE_ID if kind == 'cert' else each}") for kind in KINDS[name] for each in "ab"
        ]
        return _mostly(st.sampled_from(arns), st.sampled_from(ODD_ARNS))
    if name in TEXTS:
        return st.sampled_from(TEXTS[name])
    if name.lower().endswith(("name", "id", "key", "group", "groupstoadd", "groupstoremove")):
        return _mostly(st.sampled_from("ab"), st.sampled_from(ODD_NAMES))
    high = min(shape.metadata.get("max", 20), 20)
    low = min(shape.metadata.get("min", 0), high)
    return st.text(string.ascii_letters + string.digits + "_-", min_size=low, max_size=high)


def _mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any], one_in: int = 20) -> st.SearchStrategy[Any]:
    return st.integers(1, one_in).flatmap(lambda roll: odd if roll == 1 else usual)


def _number(shape: Shape) -> st.SearchStrategy[Any]:
    low, high = shape.metadata.get("min", -2), shape.metadata.get("max", 100)
    if shape.type_name in ("float", "double"):
        return st.floats(low, high) | st.integers(int(low) + 1, int(high)).map(float)
    return st.integers(low, high)


def value(shape: Shape, name: str = "") -> st.SearchStrategy[Any]:
    """A value that fits a shape, or nearly, and now and then none that does."""
    return _mostly(_fitting(shape, name), ANYTHING, 60)


def _fitting(shape: Shape, name: str) -> st.SearchStrategy[Any]:
    if isinstance(shape, StructureShape):
        required = {
            each: value(member, each) for each, member in shape.members.items() if each in shape.required_members
        }
        optional = {each: value(member, each) for each, member in shape.members.items() if each not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if isinstance(shape, ListShape):
        return st.lists(value(shape.member, name), min_size=shape.metadata.get("min", 0), max_size=3)
    if isinstance(shape, MapShape):
        return st.dictionaries(_text(shape.key, "key"), value(shape.value, name), max_size=3)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name in ("integer", "long", "float", "double", "timestamp"):
        return _number(shape)
    return _text(shape, name)


def _on_the_wire(told: Any) -> str:
    return told if isinstance(told, str) else json.dumps(told)


@st.composite
def request_for(draw: st.DrawFn, operation: OperationModel) -> Drawn:
    """A request for an operation."""
    path, _, _ = operation.http["requestUri"].partition("?")
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    sent: dict[str, Any] = {}
    shape = operation.input_shape
    for name, member in (shape.members if shape else {}).items():
        location, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri":
            told = quote(_on_the_wire(draw(value(member, name))) or "a", safe="", errors="replace")
            path = path.replace(f"{{{wire}}}", told).replace(f"{{{wire}+}}", told)
        elif name in shape.required_members or draw(st.integers(0, 9)) <= (7 if name in LIKELY else 0):
            told = draw(value(member, name))
            if location == "querystring":
                query[wire] = _on_the_wire(told)
            elif location == "header":
                headers[wire] = _on_the_wire(told).encode("ascii", "ignore").decode().replace("\x00", "")
            else:
                sent[wire] = told
    target = path + (
        "?" + "&".join(f"{key}={quote(text, errors='replace')}" for key, text in query.items()) if query else ""
    )
    body = json.dumps(sent).encode() if sent else b""
    return draw(_perhaps_broken(Drawn(operation.name, operation.http["method"], target, headers, body)))


@st.composite
def _perhaps_broken(draw: st.DrawFn, whole: Drawn) -> Drawn:
    method, body = whole.method, whole.body
    match draw(st.integers(0, 59)):
        case 0:
            body = body[: draw(st.integers(0, len(body)))]
        case 1:
            body = draw(st.binary(max_size=20))
        case 2:
            body = json.dumps(draw(ANYTHING)).encode()
        case 3:
            method = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"]))
        case 4:
            body = b"[" * 60_000
        case _:
            pass
    return Drawn(whole.operation, method, whole.target, whole.headers, body)
