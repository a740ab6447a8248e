"""The report: the page in one file, with all that it is made of and all that it shows; it opens off line.

The page asks for its parts by `<link rel="stylesheet" href="…">` and `<script src="…"></script>`; here each stands in
the place of the element that asks for it. Nothing is fetched, and nothing could be: the file's own Content Security
Policy allows the very scripts that are in it, by their hashes, and no request at all.
"""

import gzip
import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from simulator.page.data import PageData

REPORT: Final = "report.html"
STATIC: Final[Traversable] = files("simulator.page") / "static"
PAGE: Final = "page.html"
STYLE: Final = re.compile(r'<link rel="stylesheet" href="([a-z0-9./-]+)">')
SCRIPT: Final = re.compile(r'<script src="([a-z0-9./-]+)"></script>')
HEAD: Final = '<meta charset="utf-8">'
DATA: Final = '<script id="data" type="application/json"></script>'
"""Where the page looks for its data, before it asks for a stream of it."""
PLAIN: Final = 1_000_000
"""Bytes of data that stand in the file as they are, for scripts to read; of more, packed as gzip in base64."""
LICENCES: Final = ".LICENSE"
ENDS_ITS_ELEMENT: Final = re.compile(r"</script|</style|<!--", re.IGNORECASE)
ESCAPES: Final = {ord("<"): "\\u003c", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Of JSON inside of HTML: what would end the element, and what JavaScript once took for the end of a line."""


def report_html(data: PageData, static: Traversable = STATIC) -> str:
    """The whole file."""
    before, after = _shell(static)
    return f"{before}{_data(data.model_dump_json(by_alias=True))}{after}"


def _data(text: str) -> str:
    if len(as_bytes := text.encode()) > PLAIN:
        packed = b64encode(gzip.compress(as_bytes, mtime=0)).decode()
        return f'<script id="data" type="application/gzip">{packed}</script>'
    return f'<script id="data" type="application/json">{text.translate(ESCAPES)}</script>'


def _shell(static: Traversable) -> tuple[str, str]:
    """What stands before and after the data."""
    page, hashes = _text(static, PAGE), list[str]()

    def script(text: str) -> str:
        hashes.append(b64encode(sha256(text.encode()).digest()).decode())
        return f"<script>{text}</script>"

    page = STYLE.sub(lambda found: f"<style>{_part(static, found[1])}</style>", page)
    page = SCRIPT.sub(lambda found: script(_part(static, found[1])), page)
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src " + (" ".join(f"'sha256-{each}'" for each in hashes) or "'none'"),
            "style-src 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = page.replace(HEAD, f'{HEAD}\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)
    page = page.replace("</body>", f"{_licences(static)}</body>", 1)
    before, data, after = page.partition(DATA)
    assert data, f"{PAGE} has a place for the data"
    return before, after


def _part(static: Traversable, name: str) -> str:
    """A file of the page's, fit to stand inside of an element."""
    text = _text(static, name)
    assert not ENDS_ITS_ELEMENT.search(text), f"{name} can stand inside of an element"
    return text


def _text(static: Traversable, name: str) -> str:
    return static.joinpath(*name.split("/")).read_text("utf-8")


def _licences(static: Traversable) -> str:
    """Those of the libraries that are in the file, which ask to be where they are."""
    vendor = static / "vendor"
    found = sorted(vendor.iterdir(), key=lambda each: each.name) if vendor.is_dir() else []
    return "".join(_licence(each) for each in found if each.name.endswith(LICENCES))


def _licence(file: Traversable) -> str:
    text = file.read_text("utf-8").replace("<", "(").replace(">", ")")
    return f'<script type="text/plain" data-licence="{file.name.removesuffix(LICENCES)}">\n{text}</script>\n'
