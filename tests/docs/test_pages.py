"""The pages and the README: what is generated is as it would be now, and what they name is there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import simulator.docs
from simulator.cli.certify import certify
from simulator.cloud.api import Backing, ControlPlane
from simulator.cloud.arns import AccountRegion
from simulator.cloud.jobs import Jobs
from simulator.cloud.registry import Registry
from simulator.devices.models import MODELS
from simulator.docs import title
from simulator.scenario import shipped
from simulator.verdict import INVARIANTS

from .generated import PARTS, SLOW
from .marks import DIRECTORY, README, ROOT, pages, parts

CHANGELOG = ROOT / "CHANGELOG.md"
FIRST_SCREEN = 24
COLUMNS = 78
"""What a block of code may have, so that a terminal of 80 does not break its lines."""
PAGES = pytest.mark.parametrize("page", [page for page in pages() if page != README], ids=lambda page: page.stem)
QUICK = [name for name in PARTS if name not in SLOW]


def text(page: Path) -> str:
    return page.read_text("utf-8")


def test_every_generated_part_has_one_place():
    places = [name for page in pages() for name in parts(text(page))]
    assert sorted(places) == sorted(PARTS)


@pytest.mark.parametrize("name", QUICK)
def test_a_generated_part_is_as_it_would_be_now(name: str):
    (shown,) = (parts(text(page))[name] for page in pages() if name in parts(text(page)))
    assert shown == PARTS[name](), f"run python -m tests.docs '{name}'"


def test_every_page_ships_and_stands_in_the_readme():
    assert sorted(path.stem for path in DIRECTORY.glob("*.md")) == sorted(simulator.docs.PAGES)
    linked = re.findall(r"\(simulator/docs/([a-z-]+)\.md\)", text(README))
    assert sorted(linked) == sorted(simulator.docs.PAGES)


def test_the_readme_is_read_in_five_minutes():
    assert len(text(README).splitlines()) <= 150


@PAGES
def test_a_page_asks_a_question_and_begins_with_an_example(page: Path):
    assert title(page.stem).endswith("?")
    assert "```" in "\n".join(text(page).splitlines()[:FIRST_SCREEN])


@PAGES
def test_code_fits_into_a_terminal(page: Path):
    code = re.findall(r"^```.*?^```", text(page), re.MULTILINE | re.DOTALL)
    assert [line for block in code for line in block.splitlines() if len(line) > COLUMNS] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path):
    for link in re.findall(r"\]\(([^)#:]+)\)", text(page)):
        assert (page.parent / link).exists(), link


NAMES = sorted({name for page in pages() for name in re.findall(r"`((?:agent|simulator)(?:\.\w+)+)`", text(page))})
PATHS = sorted({name for page in pages() for name in re.findall(r"`((?:agent|simulator|tests)/[\w/.-]*)`", text(page))})


@pytest.mark.parametrize("name", NAMES)
def test_a_module_or_function_that_is_named_exists(name: str):
    found, *rest = name.split(".")
    thing: object = import_module(found)
    while rest:
        found = f"{found}.{rest[0]}"
        try:
            thing = import_module(found)
        except ModuleNotFoundError:
            break
        rest.pop(0)
    for part in rest:
        thing = getattr(thing, part)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_is_named_exists(path: str):
    assert (ROOT / path).exists()


def test_every_invariant_is_explained():
    page = text(DIRECTORY / "invariants.md")
    for invariant in INVARIANTS:
        section = page.partition(f"\n## `{invariant.id}`\n")[2].partition("\n## ")[0]
        for what in ("How it is judged", "Opportunities", "What to do"):
            assert f"**{what}.** " in section, f"{invariant.id}: {what}"


@pytest.mark.parametrize("part", ["scenario-keys", "settings"])
def test_every_key_has_a_meaning(part: str):
    items = re.findall(r"^- \*\*`(\w+)`\*\* \((.+?)\)(:?)", PARTS[part](), re.MULTILINE | re.DOTALL)
    assert items
    assert [name for name, _, colon in items if not colon] == []


def test_every_option_of_certify_is_explained():
    said = text(DIRECTORY / "certify.md") + text(DIRECTORY / "aws.md")
    options = [name for each in certify.params for name in each.opts if name.startswith("--")]
    assert [name for name in options if f"`{name}" not in said and not name.startswith("--log-")] == []


def test_the_texts_count_what_there_is():
    plane = ControlPlane(Backing(Jobs(), Registry(str), AccountRegion(), float, lambda outcome: None))
    served, bad = len(plane.operations), sum(bool(model.breaks) for model in MODELS.values())
    assert f"serves {served} operations" in text(DIRECTORY / "cloud.md")
    assert "fourteen invariants" in text(README)
    assert len(INVARIANTS) == 14
    changes = " ".join(text(CHANGELOG).split())
    for said in (f"{served} operations", f"{len(shipped())} scenarios ship", f"names {bad} bad ones"):
        assert said in changes, said
