"""Presigned URLs: what a device gets in the place of a placeholder, and what it leads to."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from agent.values import Describe, ExecutionTold, JobDocument
from simulator.cloud.jobs import Jobs, JobsError, NewJob, PresignedUrls
from simulator.cloud.jobs.commands import CreateJob
from simulator.cloud.local import LocalCloud
from simulator.cloud.s3.presigned import FileUrls, object_of
from simulator.cloud.settings.cloud import CloudSettings

NOW = 1_700_000_000.0
URLS = FileUrls("http://lab:4566/-/files/", b"secret")
S3 = "https://s3.eu-west-1.amazonaws.com/firmware/v2/image.bin"


def placeholder(url: str) -> str:
    return "${aws:iot:s3-presigned-url:" + url + "}"


def checked(url: str, now: float) -> str:
    parts = urlsplit(url)
    return URLS.check(parts.path.removeprefix("/-/files/"), dict(parse_qsl(parts.query)), now)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (S3, "firmware/v2/image.bin"),
        ("https://s3.amazonaws.com/firmware/image.bin", "firmware/image.bin"),
        ("https://s3-us-west-2.amazonaws.com/firmware/image.bin", "firmware/image.bin"),
        ("https://firmware.s3.amazonaws.com/v2/image.bin", "firmware/v2/image.bin"),
        ("https://my.firm.ware.s3.eu-west-1.amazonaws.com/image.bin", "my.firm.ware/image.bin"),
        ("https://files.example/image.bin", "files.example/image.bin"),
        ("firmware/v2/image.bin", "firmware/v2/image.bin"),
    ],
)
def test_both_forms_of_an_s3_url_name_bucket_and_key(url: str, name: str):
    assert object_of(url) == name


def test_every_placeholder_is_replaced_and_nothing_else():
    document = JobDocument.of({"a": placeholder(S3), "b": [f"see {placeholder(S3)}"], "c": "${other}"})
    value = json.loads(URLS.document(document, NOW, 60).text)
    assert value["a"].startswith("http://lab:4566/-/files/firmware/v2/image.bin?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert value["b"] == [f"see {value['a']}"]
    assert value["c"] == "${other}"


def test_two_deliveries_differ_and_are_the_same_document_to_a_device():
    document = JobDocument.of({"url": placeholder(S3)})
    first, second = (URLS.document(document, NOW + later, 60) for later in (0, 1))
    assert first != second
    assert first.digest == second.digest


@pytest.mark.parametrize(("later", "verdict"), [(0, "good"), (60, "good"), (61, "expired"), (10_000_000, "expired")])
def test_a_url_holds_for_so_long(later: int, verdict: str):
    assert checked(URLS.url(S3, NOW, 60), NOW + later) == verdict


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("v2", "v3"),
        lambda url: url.replace("Expires=60", "Expires=3600"),
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.partition("?")[0],
        lambda url: url.replace("Expires=60", "Expires=x"),
    ],
    ids=["another file", "more time", "another signature", "no signature", "nonsense"],
)
def test_a_url_that_was_tampered_with_is_forged(change):
    assert checked(change(URLS.url(S3, NOW, 60)), NOW) == "forged"


def test_a_device_gets_urls_that_hold_as_long_as_the_job_says_and_the_control_plane_shows_placeholders():
    jobs = Jobs()
    jobs.presign = URLS.document
    document = JobDocument.of({"url": placeholder(S3)})
    outcome = jobs.do(CreateJob(NewJob("fw", ("a",), document, presigned_urls=PresignedUrls(None, 120))), NOW)
    heard = outcome.hints[-1][1].execution.document  # type: ignore[union-attr]  # it is a notify-next
    answer = jobs.device_request("a", Describe("fw"), NOW + 5).answer
    assert isinstance(answer, ExecutionTold)
    assert answer.execution is not None
    assert answer.execution.document is not None
    told = [json.loads(each.text)["url"] for each in (heard, answer.execution.document)]
    assert [checked(url, NOW + 121) for url in told] == ["expired", "good"]
    assert jobs.job("fw").new.document is document


def test_a_document_asks_for_ten_urls_at_most():
    jobs, many = Jobs(), JobDocument.of([placeholder(S3)] * 11)
    with pytest.raises(JobsError, match="at most 10 URLs"):
        jobs.do(CreateJob(NewJob("fw", ("a",), many)), NOW)


# ── the file server ───────────────────────────────────────────────────────────────────────────────────────────


async def test_the_cloud_serves_files_to_who_has_a_url(tmp_path: Path):
    files = tmp_path / "files"
    (files / "firmware").mkdir(parents=True)
    (files / "firmware" / "a image.bin").write_bytes(bytes(range(256)))
    (tmp_path / "secret").write_text("not below")
    (files / "firmware" / "link").symlink_to(tmp_path / "secret")
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, files=files)
    async with LocalCloud(options) as cloud, aiohttp.ClientSession() as session:
        presign = cloud.core.jobs.presign
        assert presign is not None

        async def get(key: str, *, signed_ago: float = 0, method: str = "GET", **headers: str) -> tuple[int, bytes]:
            document = JobDocument.of(placeholder(f"https://s3.amazonaws.com/{key}"))
            url = json.loads(presign(document, time.time() - signed_ago, 60).text)
            async with session.request(method, URL(url, encoded=True), headers=headers) as response:
                return response.status, await response.read()

        assert await get("firmware/a image.bin") == (200, bytes(range(256)))
        assert await get("firmware/a image.bin", Range="bytes=250-") == (206, bytes(range(250, 256)))
        assert await get("firmware/a image.bin", method="HEAD") == (200, b"")
        for status, code, asked in (
            (403, b"AccessDenied", get("firmware/a image.bin", signed_ago=62)),
            (404, b"NoSuchKey", get("firmware/none.bin")),
            (404, b"NoSuchKey", get("firmware")),
            (404, b"NoSuchKey", get("firmware/link")),
            (404, b"NoSuchKey", get("../secret")),
            (404, b"NoSuchKey", get("firmware/" + "x" * 300)),
            (405, b"MethodNotAllowed", get("firmware/a image.bin", method="PUT")),
        ):
            answered, body = await asked
            assert (answered, code in body) == (status, True)
        async with session.get(f"{cloud.endpoints['api']}/-/files/firmware/a%20image.bin") as response:
            assert response.status == 403
            assert b"SignatureDoesNotMatch" in await response.read()


@pytest.mark.parametrize("url", ["http://[x/y", "http://a]b/", "//\u2100/x", "[", "https://s3" + "-a" * 40 + "!/k"])
def test_what_is_no_url_can_be_delivered(url: str):
    document = JobDocument.of({"url": placeholder(url)})
    assert json.loads(URLS.document(document, NOW, 60).text)["url"].startswith(URLS.base)


def test_no_host_is_slow_to_read():
    # Were each hyphen tried as the end of a part, this would take longer than the world has.
    assert object_of("https://" + "s3-a." * 2000 + "!/k").endswith("/k")
    assert object_of("https://s3" + "-a" * 120 + "!/k").endswith("/k")


@pytest.mark.parametrize(
    "change", [{"X-Amz-Signature": "\u00e9"}, {"X-Amz-Date": "\ud800"}, {"X-Amz-Signature": "\udcff"}]
)
def test_a_signature_of_any_characters_is_forged(change):
    assert URLS.check("firmware/\udcff", change, NOW) == "forged"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.text()
    | st.lists(st.sampled_from(("http://", "s3", ".", "-", "[", "]", "@", ":", "/", "%", "\ud800"))).map("".join)
)
def test_whatever_stands_in_a_placeholder_becomes_a_url_of_ours(url: str):
    name = object_of(url)
    if name.isprintable():
        assert checked(URLS.url(url, NOW, 60), NOW) == "good"
