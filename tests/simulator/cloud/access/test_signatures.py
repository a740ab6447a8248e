"""Signatures that botocore made, checked; and everything that can be wrong with one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simulator.cloud.access.signatures import SignatureRefused, Signatures, SignedRequest

KEYS = {"AKID": "secret"}


class Clock:
    """As many seconds from now as it is told."""

    def __init__(self) -> None:
        self.shift = 0.0

    def __call__(self) -> float:
        return datetime.now(UTC).timestamp() + self.shift


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signatures(clock: Clock) -> Signatures:
    return Signatures(KEYS, clock)


def signed(
    method="PUT",
    url="http://127.0.0.1:4566/things/a%3Ab/jobs/%24next?executionNumber=1&b=c%20d",
    body=b'{"a":1}',
    key="AKID",
    secret="secret",
    service="iot-jobs-data",
    token=None,
    signer=SigV4Auth,
    **more,
) -> SignedRequest:
    request = AWSRequest(method, url, headers={"Content-Type": "application/json", "Host": "127.0.0.1:4566"}, data=body)
    signer(Credentials(key, secret, token), service, "us-east-1", **more).add_auth(request)
    target = request.url.removeprefix("http://127.0.0.1:4566")
    return SignedRequest(method, target, tuple(request.headers.items()), body)


def without(request: SignedRequest, name: str) -> SignedRequest:
    return replace(request, headers=tuple(pair for pair in request.headers if pair[0].lower() != name))


def with_header(request: SignedRequest, name: str, value: str) -> SignedRequest:
    return replace(without(request, name), headers=(*without(request, name).headers, (name, value)))


def websocket(**more) -> SignedRequest:
    url = "http://127.0.0.1:4566/mqtt"
    return signed("GET", url, b"", service="iotdevicegateway", signer=SigV4QueryAuth, **more)


def refusal(signatures: Signatures, request: SignedRequest, *services: str) -> str:
    with pytest.raises(SignatureRefused) as caught:
        signatures.check(request, services or ("iot-jobs-data",))
    assert caught.value.message
    return caught.value.name


def test_a_signature_of_botocores_passes_with_path_query_and_body(signatures: Signatures):
    claim = signatures.check(signed(), ("iot-jobs-data",))
    assert claim is not None
    assert (claim.access_key, claim.region, claim.service) == ("AKID", "us-east-1", "iot-jobs-data")


@pytest.mark.parametrize("expires", [1, 86_400])
def test_a_query_signed_url_passes_while_it_lasts(signatures: Signatures, clock: Clock, expires: int):
    request = websocket(expires=expires)
    assert signatures.check(request, ("iotdevicegateway",)) is not None
    clock.shift = expires + 2
    assert refusal(signatures, request, "iotdevicegateway") == "InvalidSignatureException"


def test_a_session_token_may_have_been_added_to_a_websocket_url_after_it_was_signed(signatures: Signatures):
    inside = websocket(token="session/+=")
    assert "X-Amz-Security-Token" in inside.target
    assert signatures.check(inside, ("iotdevicegateway",)) is not None
    plain = websocket()
    after = replace(plain, target=f"{plain.target}&X-Amz-Security-Token=session%2F%2B%3D")
    assert signatures.check(after, ("iotdevicegateway",)) is not None
    elsewhere = signed(signer=SigV4QueryAuth)
    after = replace(elsewhere, target=f"{elsewhere.target}&X-Amz-Security-Token=session")
    assert refusal(signatures, after) == "InvalidSignatureException"


AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential=AKID/{datetime.now(UTC):%Y%m%d}/us-east-1/iot/aws4_request,"
    " SignedHeaders={}, Signature={}"
)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        pytest.param(lambda r: without(r, "authorization"), "MissingAuthenticationTokenException", id="none at all"),
        pytest.param(lambda r: replace(r, body=b'{"a":2}'), "InvalidSignatureException", id="another body"),
        pytest.param(lambda r: replace(r, method="POST"), "InvalidSignatureException", id="another method"),
        pytest.param(
            lambda r: replace(r, target=r.target.replace("a%3Ab", "a%3Ac")),
            "InvalidSignatureException",
            id="another path",
        ),
        pytest.param(lambda r: replace(r, target=f"{r.target}&x=y"), "InvalidSignatureException", id="a longer query"),
        pytest.param(lambda r: with_header(r, "host", "elsewhere"), "InvalidSignatureException", id="another host"),
        pytest.param(lambda r: without(r, "content-type"), "InvalidSignatureException", id="a signed header has gone"),
        pytest.param(
            lambda r: with_header(r, "x-amz-content-sha256", "0" * 64),
            "InvalidSignatureException",
            id="the digest of another body",
        ),
        pytest.param(lambda r: without(r, "x-amz-date"), "IncompleteSignatureException", id="no date"),
        pytest.param(
            lambda r: with_header(r, "x-amz-date", "yesterday"), "IncompleteSignatureException", id="no date as AWS's"
        ),
        pytest.param(
            lambda r: with_header(r, "x-amz-date", "20200101T000000Z"), "InvalidSignatureException", id="another date"
        ),
        pytest.param(
            lambda r: with_header(r, "authorization", "Bearer x"), "IncompleteSignatureException", id="a bearer"
        ),
        pytest.param(
            lambda r: with_header(r, "authorization", "AWS4-HMAC-SHA256"), "IncompleteSignatureException", id="no parts"
        ),
        pytest.param(
            lambda r: with_header(r, "authorization", AUTHORIZATION.format("host", "") + "x" * 9999),
            "InvalidSignatureException",
            id="a signature of ten thousand letters",
        ),
        pytest.param(
            lambda r: with_header(r, "authorization", AUTHORIZATION.format("host", "\udce9")),
            "InvalidSignatureException",
            id="a signature that is not ASCII",
        ),
        pytest.param(
            lambda r: with_header(r, "content-type", "\udce9"), "InvalidSignatureException", id="a header of no UTF-8"
        ),
        pytest.param(
            lambda r: with_header(r, "authorization", AUTHORIZATION.format("x-amz-date", "0")),
            "InvalidSignatureException",
            id="the host unsigned",
        ),
        pytest.param(
            lambda r: with_header(r, "authorization", AUTHORIZATION.format("host", "0").replace("/iot/", "/")),
            "IncompleteSignatureException",
            id="a credential of four parts",
        ),
        pytest.param(
            lambda r: replace(without(r, "authorization"), target="/jobs?X-Amz-Signature=0"),
            "IncompleteSignatureException",
            id="half a query signature",
        ),
    ],
)
def test_a_request_that_was_not_signed_so_is_refused(signatures: Signatures, change, name: str):
    assert refusal(signatures, change(signed()), "iot-jobs-data", "iot") == name


@pytest.mark.parametrize(
    ("how", "name"),
    [
        pytest.param({"secret": "guessed"}, "InvalidSignatureException", id="with another secret"),
        pytest.param({"key": "AKOTHER"}, "UnrecognizedClientException", id="with an unknown key"),
        pytest.param({"service": "s3"}, "InvalidSignatureException", id="for another service"),
    ],
)
def test_a_request_signed_otherwise_is_refused(signatures: Signatures, how, name: str):
    assert refusal(signatures, signed(**how)) == name


@pytest.mark.parametrize(
    ("shift", "passes"),
    [
        pytest.param(-299, True, id="almost five minutes early"),
        pytest.param(-302, False, id="more than five minutes early"),
        pytest.param(298, True, id="almost five minutes late"),
        pytest.param(302, False, id="more than five minutes late"),
    ],
)
def test_a_signature_holds_five_minutes_either_way(signatures: Signatures, clock: Clock, shift: float, passes: bool):
    request = signed()
    clock.shift = shift
    if passes:
        assert signatures.check(request, ("iot-jobs-data",)) is not None
    else:
        assert refusal(signatures, request) == "InvalidSignatureException"


def test_without_keys_a_signature_need_only_be_well_formed(clock: Clock):
    lenient = Signatures({}, clock)
    assert not lenient.are_required
    assert lenient.check(without(signed(), "authorization"), ("iot",)) is None
    clock.shift = 1e6
    claim = lenient.check(signed(key="anybody", secret="anything", service="execute-api"), ("iot",))
    assert claim is not None
    assert claim.service == "execute-api"
    assert refusal(lenient, without(signed(), "x-amz-date")) == "IncompleteSignatureException"


SCOPE = "AKID/20260101/us-east-1/iot/aws4_request"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "AWS4-HMAC-SHA256 " + " " * 8000 + "x"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=" + "a" * 4000 + " " * 4000 + "x"},
        {
            "authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0",
            "date": "Fri, 31 Dec 9999 23:59:59 -1400",
        },
        {
            "authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0",
            "date": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        },
    ],
    ids=["spaces", "a credential before spaces", "a date that UTC does not have", "a year that nobody has"],
)
def test_a_header_that_nobody_means_is_refused(signatures: Signatures, headers: dict[str, str]):
    with pytest.raises(SignatureRefused) as caught:
        signatures.check(SignedRequest("GET", "/things", tuple(headers.items())), ("iot",))
    assert caught.value.name == "IncompleteSignatureException"


def test_a_span_of_any_number_of_digits_is_refused(signatures: Signatures):
    request = signed(signer=SigV4QueryAuth, body=b"", method="GET", expires=60)
    longer = replace(request, target=request.target.replace("Expires=60", "Expires=" + "9" * 5000))
    with pytest.raises(SignatureRefused) as caught:
        signatures.check(longer, ("iot-jobs-data",))
    assert caught.value.name == "IncompleteSignatureException"
