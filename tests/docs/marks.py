"""Where in the pages generated parts stand: between `<!-- NAME -->` and `<!-- /NAME -->`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import simulator.docs

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
DIRECTORY: Final = Path(simulator.docs.__file__).parent
PART: Final = re.compile(r"<!-- ([a-z0-9 -]+) -->\n(.*?)<!-- /\1 -->", re.DOTALL)


def pages() -> tuple[Path, ...]:
    """The README and the pages that ship."""
    return (README, *(DIRECTORY / f"{name}.md" for name in simulator.docs.PAGES))


def parts(text: str) -> dict[str, str]:
    """What stands between marks, by their name."""
    return {found[1]: found[2] for found in PART.finditer(text)}


def replaced(text: str, new: Mapping[str, str]) -> str:
    """With some parts anew."""

    def part(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- {name} -->\n{new[name]}<!-- /{name} -->" if name in new else found[0]

    return PART.sub(part, text)
