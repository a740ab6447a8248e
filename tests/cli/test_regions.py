"""Regions and accounts: what is in every ARN, and who shares nothing with whom."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from tests.fidelity.proofs import proves
from tests.simulator.cloud.mqtt.packets import connect, subscribe, text
from tests.simulator.cloud.mqtt.peers import WAIT

from .command import complaint
from .served import SIGNED, Served, served, served_by_the_command

HOME: Final = "signed by nobody"
OTHERS: Final = {
    "another region": ("k", "eu-west-1", "arn:aws:iot:eu-west-1:000000000000:"),
    "another account": ("111111111111", "us-east-1", "arn:aws:iot:us-east-1:111111111111:"),
    "both": ("111111111111", "eu-west-1", "arn:aws:iot:eu-west-1:111111111111:"),
    "China": ("k", "cn-north-1", "arn:aws-cn:iot:cn-north-1:000000000000:"),
    "no region of AWS's": ("k", "local", "arn:aws:iot:local:000000000000:"),
}
"""By whom: an access key's id, a region, and how ARNs begin that both make."""
POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}],
}


def by(key: str, region: str, service: str = "iot") -> str:
    return SIGNED.format(key, region, service)


async def made(c: Served, request: str, body: Any = None, **more: str) -> dict[str, Any]:
    told = await c.ask(request, body, **more)
    assert told.status == 200, (request, told)
    return told.body


# ── in every ARN ──────────────────────────────────────────────────────────────────────────────────────────────


async def everything_that_has_an_arn(c: Served, arn: str) -> list[object]:
    """What a cloud tells of one of each kind; `arn` is how its ARNs begin."""
    device = await c.device("t")
    await device.subscribe("$aws/events/#")
    events = {kind: {"Enabled": True} for kind in ("JOB", "JOB_EXECUTION")}
    told: list[object] = [
        await made(c, "POST /things/t"),
        await made(c, "PATCH /event-configurations", {"eventConfigurations": events}),
        await made(c, "POST /thing-groups/g", {"tags": [{"Key": "k", "Value": "v"}]}),
        await made(c, "POST /thing-groups/low", {"parentGroupName": "g"}),
        await made(c, "PUT /thing-groups/addThingToThingGroup", {"thingArn": f"{arn}thing/t", "thingGroupName": "g"}),
        await made(c, "POST /policies/p", {"policyDocument": json.dumps(POLICY)}),
    ]
    certificate = await made(c, "POST /keys-and-certificate?setAsActive=true")
    target = {"target": certificate["certificateArn"]}
    told += [
        certificate["certificateArn"],
        await made(c, f"GET /certificates/{certificate['certificateId']}"),
        await made(c, "PUT /target-policies/p", target),
        await made(c, "PUT /things/t/principals", x_amzn_principal=certificate["certificateArn"]),
        await made(c, "PUT /jobs/fw", {"targets": [f"{arn}thing/t", f"{arn}thinggroup/g"], "document": "{}"}),
        await made(c, "PUT /job-templates/tpl", {"jobArn": f"{arn}job/fw", "description": "d"}),
        await made(
            c, "PUT /jobs/of-template", {"targets": [f"{arn}thing/t"], "jobTemplateArn": f"{arn}jobtemplate/tpl"}
        ),
        await made(c, f"GET /tags?resourceArn={arn}thinggroup/g"),
    ]
    gets = (
        *("things", "things/t", "things/t/principals", "thing-groups", "thing-groups/low", "policies", "policies/p"),
        *("jobs", "jobs/fw", "jobs/fw/things", "things/t/jobs", "things/t/jobs/fw", "job-templates/tpl"),
        *("job-templates", "managed-job-templates", "managed-job-templates/AWS-Reboot", "certificates"),
        *("endpoint?endpointType=iot:Data-ATS", "event-configurations"),
    )
    told += [await made(c, f"GET /{path}") for path in gets]
    again = await c.ask("PUT /jobs/fw", {"targets": [f"{arn}thing/t"], "document": "1"})
    assert again.error == "ResourceAlreadyExists"
    told += [await made(c, "POST /policy-targets/p"), again.body]
    await made(c, "DELETE /jobs/fw?force=true")
    heard = await device.heard()
    assert any("thingArn" in payload for _, payload in heard), "an event with an ARN"
    return [*told, heard]


def arns_in(told: object) -> list[str]:
    return re.findall(r"arn:aws[^\"\s]*", json.dumps(told))


@pytest.mark.parametrize(
    ("args", "arn", "managed"),
    [
        pytest.param((), "arn:aws:iot:us-east-1:000000000000:", "arn:aws:iot:us-east-1::", id="of itself"),
        pytest.param(
            ("--region", "eu-west-1", "--account", "123456789012"),
            "arn:aws:iot:eu-west-1:123456789012:",
            "arn:aws:iot:eu-west-1::",
            id="as the command line says",
        ),
        pytest.param(
            ("--region", "us-gov-west-1"),
            "arn:aws-us-gov:iot:us-gov-west-1:000000000000:",
            "arn:aws-us-gov:iot:us-gov-west-1::",
            id="in another partition",
        ),
    ],
)
async def test_region_and_account_are_in_every_arn(args: tuple[str, ...], arn: str, managed: str):
    async with served({}, *args) as cloud:
        found = arns_in(await everything_that_has_an_arn(cloud, arn))
    kinds = {each.removeprefix(arn).partition("/")[0] for each in found if each.startswith(arn)}
    assert kinds == {"thing", "thinggroup", "job", "jobtemplate", "policy", "cert"}
    assert [each for each in found if not each.startswith((arn, managed))] == []
    assert any(each.startswith(managed) for each in found)


async def test_policies_of_certificates_name_the_same_region_and_account(tmp_path: Path):
    make_certificates(tmp_path, ["t"])
    tls = client_context(tmp_path / "ca.pem", tmp_path / "t.pem", tmp_path / "t.key")
    args = ("--region", "eu-west-1", "--account", "123456789012", "--certs", str(tmp_path), "--data-port", "0")
    async with served({}, *args) as cloud:
        await made(cloud, "POST /things/t")
        url = f"{cloud.endpoints['data']}/things/t/jobs".replace("127.0.0.1", "localhost")
        async with cloud.http.get(url, ssl=tls) as response:
            assert response.status == 200
        document = (await made(cloud, "GET /policies/ghostjob-own-thing"))["policyDocument"]
    found = arns_in(document)
    assert len(found) > 3
    assert all(each.startswith("arn:aws:iot:eu-west-1:123456789012:") for each in found)


@proves("arns-of-elsewhere-are-refused")
@pytest.mark.parametrize(
    ("arn", "because"),
    [
        ("arn:aws:iot:eu-west-1:000000000000:thing/t", "of the region eu-west-1, and the request of us-east-1"),
        ("arn:aws:iot:us-east-1:111111111111:thing/t", "of the account 111111111111, and the request of 000000000000"),
        ("arn:aws-cn:iot:us-east-1:000000000000:thing/t", "expected arn:aws:iot:us-east-1:000000000000:thing/"),
        ("arn:aws:sns:us-east-1:000000000000:thing/t", "expected arn:aws:iot:us-east-1:000000000000:thing/"),
    ],
)
async def test_an_arn_of_elsewhere_is_refused_and_told_why(arn: str, because: str):
    async with served({}) as cloud:
        await made(cloud, "POST /things/t")
        told = await cloud.ask("PUT /jobs/fw", {"targets": [arn], "document": "{}"})
    assert (told.status, told.error) == (400, "InvalidRequest")
    assert because in told.body["message"]


# ── who shares nothing with whom ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, str]]:
    return OTHERS[request.param]


@proves("accounts-and-regions-share-nothing", "twelve-digits-are-an-account")
async def test_the_same_names_elsewhere_are_other_things_and_other_jobs(other: tuple[str, str, str]):
    key, region, arn = other
    there = by(key, region)
    async with served({}) as cloud:
        assert (await cloud.job()) is None
        assert (await cloud.ask("GET /things/t", signed=there)).error == "ResourceNotFound"
        assert (await cloud.ask("GET /jobs/fw", signed=there)).error == "ResourceNotFound"
        assert (await cloud.ask("POST /things/t", signed=there)).body["thingArn"] == f"{arn}thing/t"
        body = {"targets": [f"{arn}thing/t"], "document": '{"there":1}'}
        assert (await cloud.ask("PUT /jobs/fw", body, signed=there)).body["jobArn"] == f"{arn}job/fw"
        as_device = by(key, region, "iot-jobs-data")
        told = await cloud.ask("PUT /things/t/jobs/$next", signed=as_device)
        assert told.body["execution"]["jobDocument"] == '{"there":1}'
        assert (await cloud.ask("DELETE /jobs/fw?force=true", signed=there)).error is None
        assert (await cloud.as_device("GET /things/t/jobs/fw")).body["execution"]["status"] == "QUEUED"
        assert (await cloud.ask("GET /jobs/fw", signed=by("any", "us-east-1"))).body["job"]["status"] == "IN_PROGRESS"


async def test_quotas_and_endpoints_are_those_of_one_account_in_one_region():
    async with served({"cloud": {"deletions_at_once": 1}, "http": {"jobs_endpoint": "served"}}) as cloud:
        for signed in (None, by("k", "eu-west-1")):
            prefix = "arn:aws:iot:us-east-1" if signed is None else "arn:aws:iot:eu-west-1"
            body = {"targets": [f"{prefix}:000000000000:thing/t"], "document": "{}"}
            await cloud.ask("POST /things/t", signed=signed)
            for job_id in ("a", "b"):
                assert (await cloud.ask(f"PUT /jobs/{job_id}", body, signed=signed)).error is None
            deletions = [(await cloud.ask(f"DELETE /jobs/{job}?force=true", signed=signed)).error for job in ("a", "b")]
            assert deletions == [None, "LimitExceeded"]
        api = (cloud.endpoints["api"] or "").removeprefix("http://")
        home = await made(cloud, "GET /endpoint?endpointType=iot:Data-ATS")
        away = await made(cloud, "GET /endpoint?endpointType=iot:Data-ATS", signed=by("k", "eu-west-1"))
        assert (home["endpointAddress"], away["endpointAddress"]) == (cloud.endpoints["mqtt"], api)


def _socket_url(cloud: Served, region: str) -> URL:
    request = AWSRequest("GET", f"{cloud.endpoints['api']}/mqtt")
    SigV4QueryAuth(Credentials("k", "secret"), "iotdevicegateway", region).add_auth(request)
    return URL(str(request.url), encoded=True)


async def _until(socket: aiohttp.ClientWebSocketResponse, mark: bytes) -> bytes:
    """All that comes until a frame has the mark."""
    came = b""
    while mark not in came:
        came += await socket.receive_bytes(timeout=WAIT)
    return came


@proves("accounts-and-regions-share-nothing")
async def test_who_comes_by_websocket_hears_of_the_jobs_of_its_signatures_region():
    async with served({}) as cloud:
        device = await cloud.device()
        await device.subscribe("$aws/things/t/jobs/#", "news")
        async with cloud.http.ws_connect(_socket_url(cloud, "eu-west-1"), protocols=("mqtt",)) as socket:
            await socket.send_bytes(connect(4, rest=text("t")))
            await socket.send_bytes(subscribe("$aws/things/t/jobs/notify", "news", version=4, options=0))
            await _until(socket, b"\x90")
            there = by("k", "eu-west-1")
            arn = (await cloud.ask("POST /things/t", signed=there)).body["thingArn"]
            await cloud.job("home")
            await made(cloud, "POST /topics/news", {"from": "home"})
            await cloud.ask("PUT /jobs/there", {"targets": [arn], "document": "{}"}, signed=there)
            await made(cloud, "POST /topics/news", {"from": "there"}, signed=SIGNED.format("k", "eu-west-1", "iotdata"))
            heard_there = await _until(socket, b'{"from": "there"}')
        heard_at_home = json.dumps(await device.heard())
    assert b'"jobId":"there"' in heard_there
    assert b"home" not in heard_there
    assert '"home"' in heard_at_home
    assert '"there"' not in heard_at_home


async def test_whoever_begins_elsewhere_is_told_whose_the_mqtt_ports_are(capfd: pytest.CaptureFixture[str]):
    async with served_by_the_command({}, "--account", "123456789012", "--log-format", "json") as cloud:
        for _ in range(2):
            await cloud.ask("GET /things", signed=by("k", "eu-west-1"))
        await cloud.ask("GET /things", signed=by("k", "us-east-1"))
        await cloud.ask("GET /things")
    [line] = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (line["event"], line["level"]) == ("account.opened", "warning")
    assert (line["region"], line["account"]) == ("eu-west-1", "123456789012")
    assert "of us-east-1, account 123456789012" in line["hint"]
    assert line["hint"].endswith("`ghostjob cloud --region eu-west-1`")


@proves("a-region-that-cannot-be-is-refused")
async def test_a_region_that_is_no_name_is_refused():
    async with served({}) as cloud:
        told = await cloud.ask("GET /things", signed=by("k", "EU_WEST"))
    assert (told.status, told.error) == (403, "InvalidSignature")
    assert told.body["message"] == "Credential should be scoped to a valid region, not 'EU_WEST'."


async def test_there_is_a_bound_to_how_many_there_may_be():
    async with served({}) as cloud:
        told = [await cloud.ask("GET /things", signed=by("k", f"r-{number}")) for number in range(100)]
        assert [answer.status for answer in told] == [200] * 99 + [400]
        assert "keeps 100 accounts and regions" in told[-1].body["message"]
        assert (await cloud.ask("GET /things", signed=by("k", "r-0"))).status == 200


async def test_a_state_file_keeps_them_apart_and_each_goes_on(tmp_path: Path):
    state = ("--state", str(tmp_path / "cloud.db"))
    there = by("111111111111", "eu-west-1")
    arn = "arn:aws:iot:eu-west-1:111111111111:thing/t"
    slow = {"cloud": {"deletion_seconds": 86_400}}
    async with served(slow, *state) as cloud:
        await cloud.job()
        attributes = {"attributePayload": {"attributes": {"a": "1"}}}
        assert (await cloud.ask("POST /things/t", attributes, signed=there)).status == 200
        for job_id in ("fw", "more"):
            body = {"targets": [arn], "document": '{"there":1}'}
            assert (await cloud.ask(f"PUT /jobs/{job_id}", body, signed=there)).status == 200
        assert (await cloud.ask("DELETE /jobs/more?force=true", signed=there)).status == 200
        await made(cloud, "POST /topics/kept?retain=true", {"of": "home"})
    async with served(slow, *state) as cloud:
        assert cloud.local is not None, "in this process"
        assert len(cloud.local.accounts) == 2, "both go on before anybody asks"
        assert (await made(cloud, "GET /jobs/fw/job-document"))["document"] == "{}"
        assert (await cloud.ask("GET /jobs/fw/job-document", signed=there)).body == {"document": '{"there":1}'}
        assert (await cloud.ask("GET /things/t", signed=there)).body["attributes"] == {"a": "1"}
        assert (await cloud.ask("GET /jobs/more", signed=there)).body["job"]["status"] == "DELETION_IN_PROGRESS"
        assert (await cloud.ask("GET /jobs/more")).error == "ResourceNotFound"
    async with served(slow, *state, "--region", "eu-west-1", "--account", "111111111111") as cloud:
        assert (await made(cloud, "GET /things/t"))["thingArn"] == arn
        device = await cloud.device()
        await device.subscribe("$aws/things/t/jobs/fw/get/accepted", "kept")
        assert (await device.ask("fw/get"))["execution"]["jobDocument"] == {"there": 1}
        assert await device.heard() == [], "what was retained at home is not retained here"
        assert (await cloud.ask("GET /things/t", signed=by("000000000000", "us-east-1"))).status == 200


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--region", "Ireland!"), "--region Ireland!: is no region; give one such as eu-west-1"),
        (("--account", "12"), "--account 12: is no account; give its twelve digits"),
    ],
)
def test_a_region_or_account_that_cannot_be_is_bad_input(
    capfd: pytest.CaptureFixture[str], args: tuple[str, ...], says: str
):
    assert says in complaint(capfd, ["cloud", *args])
