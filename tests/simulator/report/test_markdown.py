"""Markdown: what a device sends is shown, and does nothing; a page is never too long."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from simulator.report.markdown import APART, Page, block, code, prose, table
from simulator.report.plain import plain

READ = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "`code`", "``", "a | b", r"\|", "<script>alert(1)</script>", "<!-- -->", "&lt;", "*b* _i_ ~~s~~", "[a](http://x)",
    "![a](b)", "# h", "> q", "- item", "1. item", "=====", "```", "@everyone", "GH-1 #2", "$x$", "\\", "\n\n# h",
    "\x1b[2J", "https://evil.example/", "www.evil.example", "\u202e", "    x", "---", "+ a",
)  # fmt: skip
TEXTS = st.text(max_size=30) | st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join)


def inner(tokens: list[Token]) -> list[Token]:
    return [each for token in tokens for each in (token, *(token.children or ()))]


def shown(tokens: list[Token]) -> str:
    """The text that a reader sees."""
    return "".join(each.content for each in inner(tokens) if each.type in ("text", "code_inline", "text_special"))


def active(text: str) -> list[str]:
    """What in a text GitHub would make a mention, a reference or a link of, after the Markdown is read."""
    return re.findall(r"@\w|#\d|GH-\d|\w://|www\.", text, re.IGNORECASE)


@settings(deadline=None)
@given(TEXTS)
def test_prose_is_one_paragraph_of_text_and_nothing_else(text: str):
    tokens = READ.parse(prose(text))
    allowed = {"paragraph_open", "inline", "paragraph_close", "text", "text_special"}
    assert {each.type for each in inner(tokens)} <= allowed
    assert shown(tokens).replace(APART, "").strip() == plain(text.strip()).strip()
    assert active(shown(tokens)) == []


@settings(deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=3))
def test_a_table_has_the_cells_that_it_is_given(rows: list[list[str]]):
    tokens = READ.parse(table(("a", "b"), [(prose(one), code(other)) for one, other in rows]))
    cells = [token for before, token in pairwise(tokens) if before.type == "td_open"]
    told = [shown([cell]).replace(APART, "").strip() for cell in cells]
    assert told == [
        plain(text.strip()).strip() if n == 0 else plain(text).strip() for row in rows for n, text in enumerate(row)
    ]
    assert not any(each.type in ("html_inline", "link_open", "image") for each in inner(tokens))


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_a_block_holds_its_lines(lines: list[str]):
    (fence,) = READ.parse(block(lines))
    assert fence.type == "fence"
    assert fence.content == "".join(f"{plain(line)}\n" for line in lines)


@settings(deadline=None)
@given(TEXTS, st.integers(2, 50))
def test_a_plain_text_is_one_bounded_line_that_can_be_seen(text: str, longest: int):
    told = plain(text, longest)
    assert len(told) <= longest
    assert told.isprintable()
    assert told == text or not text.isprintable() or len(text) > longest


@pytest.mark.parametrize("text", ["a", "ä" * 10, "😀" * 10])
def test_a_page_takes_what_fits_by_its_bytes_and_counts_the_rest(text: str):
    page = Page(100)
    left = page.add_while([text] * 50, keep=20)
    size = len(page.text().encode())
    assert 79 - len(text.encode()) - 2 < size < 80
    assert page.text().count(text) + left == 50
    assert not page.add("b" * (98 - size))
    assert page.add("b" * (97 - size))
    assert len(page.text().encode()) == 99
