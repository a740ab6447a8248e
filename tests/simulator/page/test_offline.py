"""The report: one file with everything inside, which cannot ask for anything."""

import gzip
import json
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simulator.page.data import PageData
from simulator.page.offline import report_html
from tests.simulator.page.samples import certification, empty, run

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>t</title>
<link rel="stylesheet" href="page.css"></head>
<body><p id="sentence"></p>
<script id="data" type="application/json"></script>
<script src="vendor/lib.js"></script>
<script src="page.js"></script>
</body></html>
"""
NASTY = "</script><script>alert(1)</script><!-- \u2028 \u2029 & ]]> é 🦴"


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "vendor").mkdir()
    for name, text in {
        "page.html": PAGE,
        "page.css": "p > b { color: red }",
        "page.js": "if (1 < 2 && \"a\") { draw('\\\\1 \\\\g<0>'); }",
        "vendor/lib.js": "/* lib */ var a = 1;",
        "vendor/lib.LICENSE": "Copyright <somebody> -- as it is",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


class Elements(HTMLParser):
    """The elements of a page as a browser reads them: scripts with their text, and what is asked for from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.asked: list[str] = []
        self.policy = ""
        self.styles: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._inside = tag
        if tag == "script":
            self.scripts.append((found, ""))
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found.get("content") or ""
        self.asked += [each for name in ("src", "href") if (each := found.get(name)) and each[0] not in "#d"]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self._inside == "style":
            self.styles.append(data)

    @property
    def data(self) -> PageData:
        (text,) = (text for attributes, text in self.scripts if attributes.get("id") == "data")
        return PageData.model_validate(json.loads(text))

    @property
    def programs(self) -> list[str]:
        return [text for attributes, text in self.scripts if "type" not in attributes]


def test_everything_is_inside_and_in_its_order(static: Path):
    page = Elements(report_html(empty(), static))
    assert page.programs == [(static / name).read_text() for name in ("vendor/lib.js", "page.js")]
    assert page.styles == [(static / "page.css").read_text()]
    assert page.asked == []
    assert page.data == empty()


def test_the_policy_lets_these_scripts_run_and_nothing_be_fetched(static: Path):
    page = Elements(report_html(empty(), static))
    directives = dict(each.partition(" ")[::2] for each in page.policy.split("; "))
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in page.programs]
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == " ".join(hashes)
    assert set(directives) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert "http" not in page.policy


def test_what_a_device_says_stays_data(static: Path):
    data = empty().model_copy(update={"sentence": NASTY, "story": (NASTY,)})
    text = report_html(data, static)
    page = Elements(text)
    assert page.data.sentence == NASTY
    assert len(page.programs) == 2
    assert "\u2028" not in text
    assert NASTY not in text


def test_of_much_the_data_is_packed_and_the_same_bytes_every_time(static: Path):
    data = empty().model_copy(update={"story": (NASTY * 100_000,)})
    text = report_html(data, static)
    ((attributes, packed),) = (each for each in Elements(text).scripts if each[0].get("id") == "data")
    assert attributes["type"] == "application/gzip"
    assert PageData.model_validate_json(gzip.decompress(b64decode(packed))) == data
    assert len(text) < 100_000
    assert report_html(data, static) == text


def test_licences_of_libraries_are_in_the_file(static: Path):
    page = Elements(report_html(empty(), static))
    (licence,) = (text for attributes, text in page.scripts if "data-licence" in attributes)
    assert licence.strip() == "Copyright (somebody) -- as it is"


@pytest.mark.parametrize("text", ["var a = '</script>';", "// </STYLE >", "var b = '<!--';"])
def test_a_script_that_would_end_its_element_is_not_made_part_of_it(static: Path, text: str):
    (static / "page.js").write_text(text)
    with pytest.raises(AssertionError, match=r"page\.js can stand inside"):
        report_html(empty(), static)


def test_the_page_that_ships_asks_for_nothing():
    page = Elements(report_html(run().picture.whole()))
    assert page.asked == []
    assert page.data.state == "passed"
    assert len(page.programs) > 3


@pytest.mark.parametrize(
    ("page", "megabytes"),
    [
        pytest.param(lambda: run(), 3, id="ten devices"),
        pytest.param(lambda: run(model="recovers-without-undoing"), 3, id="ten that break something"),
        pytest.param(lambda: run("delete-in-self-test", "undoes-in-the-wrong-order", 2), 3, id="who restarts for ever"),
    ],
)
def test_a_report_stays_small(page, megabytes: float):
    libraries = 0.7
    text = page().picture.whole().model_dump_json(by_alias=True)
    assert len(text.encode()) / 1e6 + libraries < megabytes


def test_a_certification_stays_small():
    assert len(certification().model_dump_json().encode()) < 1_000_000
