"""Placeholders in job documents: where they stand, however they are spelled, and that nothing else is touched."""

import json

import pytest
from hypothesis import given

from simulator.cloud.jobs import placeholders
from simulator.cloud.jobs.placeholders import names, with_urls
from tests.properties.json_texts import json_texts

OPEN = "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"
URL = "https://s3.amazonaws.com/b/k"


def signed(url: str) -> str:
    return f"<{url}>"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        pytest.param(f'{{"b": "{OPEN}" , "a":1E3}}', f'{{"b": "<{URL}>" , "a":1E3}}', id="a whole string"),
        pytest.param(f'["\\u00e9\\/ {OPEN}\\n{OPEN}"]', f'["\\u00e9\\/ <{URL}>\\n<{URL}>"]', id="two among escapes"),
        pytest.param(
            '"${aws:iot:s3-presigned-url:https:\\/\\/s3.amazonaws.com\\/b\\/k}"', f'"<{URL}>"', id="slashes escaped"
        ),
        pytest.param(
            '"\\u0024\\u007Baws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k\\u007d"', f'"<{URL}>"', id="escapes"
        ),
        pytest.param(f'"{OPEN.replace("url:", "url-v2:")}"', f'"<{URL}>"', id="the second version"),
        pytest.param(f'{{"{OPEN}":1}}', f'{{"<{URL}>":1}}', id="the name of a member"),
        pytest.param('"${aws:iot:s3-presigned-url:k\\ud83d\\ude00}"', '"<k\\ud83d\\ude00>"', id="a pair of surrogates"),
        pytest.param('"${aws:iot:s3-presigned-url:a\\"b}"', '"<a\\"b>"', id="a quotation mark"),
    ],
)
def test_a_placeholder_is_replaced_in_the_text(text: str, filled: str):
    assert with_urls(text, signed) == filled


@pytest.mark.parametrize(
    "text",
    [
        '"\\\\u0024{aws:iot:s3-presigned-url:k}"',
        '"${aws:iot:s3-presigned-url:never closed"',
        '["${aws:iot:s3-presigned-url:in one", "string}"]',
        '"${aws:iot:s3-presigned-url-upload:https://s3.amazonaws.com/b/k}"',
        '"${aws:iot:code-sign-signature:s3://region.b/k@v}"',
        '"${other}"',
    ],
)
def test_what_is_no_placeholder_of_a_url_stays(text: str):
    assert with_urls(text, signed) == text


def test_what_a_document_leaves_open_is_known_by_name():
    text = (
        f'{{"a": "{OPEN} \\u0024{{aws:iot:code-sign-signature:s3://r.b/k@v}}", "${{aws:iot:package:p:version:1}}": 0}}'
    )
    assert names(text) == ("s3-presigned-url", "code-sign-signature", "package")


@given(json_texts())
def test_whatever_surrounds_a_placeholder_stays_as_it_was_written(text: str):
    assert with_urls(text, signed) == text
    document = f'{{"around": {text}, "open\\u0021": "\\u00e9{OPEN}\\/"}}'
    filled = with_urls(document, signed)
    assert filled == document.replace(OPEN, json.dumps(signed(URL))[1:-1])


def test_a_document_is_cut_once_for_a_whole_fleet():
    text = json.dumps(["\u00e9" * 5000, OPEN, OPEN])
    assert [with_urls(text, lambda url, n=number: f"{n}") for number in range(3)] == [
        text.replace(OPEN, str(number)) for number in range(3)
    ]
    assert with_urls(text, lambda url: '"\\') == text.replace(OPEN, '\\"\\\\')


@pytest.mark.parametrize(
    ("text", "times"),
    [
        pytest.param('["${aws:iot:a}","${aws:iot:b}"]', 0, id="without an escape: never"),
        pytest.param('["\\u0024{aws:iot:a}","${aws:iot:b}"]', 1, id="with one: once, and that string alone"),
    ],
)
def test_who_asks_again_what_a_document_leaves_open_has_it_not_read_again(
    monkeypatch: pytest.MonkeyPatch, text: str, times: int
):
    read: list[list[str]] = []
    spelled_out = placeholders._meant
    monkeypatch.setattr(placeholders, "_meant", lambda spelled: (read.append(spelled), spelled_out(spelled))[1])
    names.cache_clear()
    assert {names(text) for _ in range(8)} == {("a", "b")}
    assert len(read) == times
