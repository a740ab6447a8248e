"""What the page is made of: nothing is missing, nothing is left over, and libraries are as they were published."""

import hashlib
import re
from pathlib import Path
from typing import get_args

from simulator.verdict.explored import DOUBTS, FindingSort

STATIC = Path(__file__).parents[3] / "simulator" / "page" / "static"
MOST_BYTES = 900_000
NAMED = re.compile(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"')


def test_the_page_names_each_of_its_files_once() -> None:
    named = NAMED.findall((STATIC / "page.html").read_text("utf-8"))
    there = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.suffix in {".js", ".css"}}
    assert sorted(named) == sorted(there)


def test_libraries_are_what_was_published_and_have_their_licences() -> None:
    rows = [
        line.split()
        for line in (STATIC / "vendor" / "VENDORED.txt").read_text("utf-8").splitlines()
        if ".min.js" in line
    ]
    assert {name for _, _, _, _, name, _ in rows} == {path.name for path in (STATIC / "vendor").glob("*.js")}
    for _, _, _, _, name, digest in rows:
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name
        assert (STATIC / "vendor" / f"{name.partition('.')[0]}.LICENSE").read_text("utf-8").startswith("Copyright"), (
            name
        )


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) < MOST_BYTES


def test_no_file_ends_a_script_that_it_is_put_into() -> None:
    for path in STATIC.rglob("*.js"):
        assert not re.search(r"</script|<!--", path.read_text("utf-8"), re.IGNORECASE), path.name


def test_nothing_comes_from_anywhere_else() -> None:
    """Addresses in the libraries are names of XML and of documents; ours have none."""
    for path in (*STATIC.glob("*.js"), *STATIC.glob("*.css"), STATIC / "page.html"):
        assert not re.search(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+\.[a-z]", path.read_text("utf-8")), path.name


def test_of_a_search_only_what_is_wrong_is_shown_as_failed() -> None:
    (table,) = re.findall(r"const SORTS = \{(.*?)\};", (STATIC / "explored.js").read_text("utf-8"), re.DOTALL)
    outcomes = dict(re.findall(r'(\w+): \["(\w+)", "[a-z ]+"\]', table))
    assert outcomes == {sort: "inconclusive" if sort in DOUBTS else "failed" for sort in get_args(FindingSort)}
