"""What both cores speak: identities of documents, and what statusDetails can say."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from agent.values import (
    ErrorCode,
    ExecutionTold,
    JobDocument,
    PendingListed,
    Rejected,
    UpdateAccepted,
    details_text,
)

SIGNED = (
    "https://bucket.s3.amazonaws.com/fw.bin?{extra}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F{0}%2Fs3"
    "&X-Amz-Date={0}T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=a%2Fb{0}&X-Amz-Signature={0}"
)
SIGNED_OLD = "https://bucket.s3.amazonaws.com/fw.bin?{extra}AWSAccessKeyId=AKIA{0}&Expires={0}&Signature=%2B{0}="


def delivered(url: str, when: str, *, extra: str = "", **more: object) -> JobDocument:
    return JobDocument.of(
        {"url": url.format(when, extra=extra), "words": f"curl,{url.format(when, extra=extra)},-o,x"} | more
    )


@pytest.mark.parametrize("url", [SIGNED, SIGNED_OLD], ids=["signature version 4", "signature version 2"])
def test_a_document_is_the_same_whenever_its_urls_were_signed(url: str):
    first, second = delivered(url, "20260101"), delivered(url, "20260102")
    assert first != second
    assert first.digest == second.digest


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(delivered(SIGNED, "20260101", extra="versionId=2&"), id="another parameter"),
        pytest.param(delivered(SIGNED.replace("fw.bin", "fw2.bin"), "20260101"), id="another file"),
        pytest.param(delivered(SIGNED, "20260101", words="curl,-o,y"), id="something else beside the URL"),
        pytest.param(delivered(SIGNED.replace(",", "%2C"), "20260101", more=1), id="a further key"),
    ],
)
def test_a_document_is_another_one_if_anything_but_the_signature_differs(other: JobDocument):
    assert other.digest != delivered(SIGNED, "20260101").digest


def test_what_follows_a_signed_url_in_the_same_text_counts():
    texts = [JobDocument.of({"command": f"curl,{SIGNED.format('2', extra='')},-o,{name}"}) for name in "ab"]
    assert texts[0].digest != texts[1].digest


def test_the_order_of_keys_counts_for_nothing():
    assert JobDocument.of({"a": 1, "b": 2}) == JobDocument.of({"b": 2, "a": 1})


@pytest.mark.parametrize(
    "text",
    [
        '{"b":[1000.0,1.1],"a":"é/"}',
        ' {"a" : "\\u00e9\\/",\n"b": [1E3, 1.10] }\t',
        '{"b":[1.0e+3,11e-1],"a":"\\u00E9/"}',
    ],
)
def test_a_document_is_the_same_however_it_is_spelled(text: str):
    assert JobDocument(text).digest == JobDocument.of({"a": "é/", "b": [1000.0, 1.1]}).digest
    assert JobDocument(text).text == text


def test_half_of_a_surrogate_pair_has_a_digest_too():
    assert JobDocument.of({"a": "\ud800"}).digest != JobDocument.of({"a": "\ud801"}).digest


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("\x00\x7f\x85", "   "),
        ("a\u200bb\u202ec", "a b c"),
        ("\ud800", " "),
        ("é 漢 🙂", "é 漢 🙂"),
        ("x" * 1024, "x" * 1024),
        ("x" * 1025, "x" * 1023 + "…"),
    ],
)
def test_a_detail_has_no_control_characters_and_is_cut_to_length(text: str, plain: str):
    assert details_text(text) == plain


@given(st.text(max_size=2000))
def test_a_detail_that_fits_stays_as_it_is(text: str):
    assert details_text(details_text(text)) == details_text(text)


def test_no_answer_equals_one_of_another_kind_however_little_is_in_them():
    emptiest = [
        PendingListed(0, (), ()),
        ExecutionTold(0, None),
        UpdateAccepted(0),
        Rejected(0, ErrorCode.INVALID_JSON),
    ]
    assert len(set(emptiest)) == len(emptiest)
