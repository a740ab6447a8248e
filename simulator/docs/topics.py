"""What can be asked for: a page, and in it each heading, each item `- **`name`**`, each row that begins with code.

A name below a heading that is itself a name belongs to it: the item `step` below `deletions.when` is the topic
`deletions.when.step`.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple, TypeAlias

from simulator.docs import PAGES, page, title

Kind: TypeAlias = Literal["page", "section", "item"]
"""From what says most of a word to what says least."""
KINDS: Final[tuple[Kind, ...]] = ("page", "section", "item")
HEADING: Final = re.compile(r"(#+) (.+)")
ITEM: Final = re.compile(r"- ((?:(?:, )?\*\*`[^`]+`\*\*)+)")
ROW: Final = re.compile(r"\|((?: `[^`|]+`,?)+) \|")
CODE: Final = re.compile(r"`([^`]+)`")
CELL: Final = re.compile(r"(?<!\\)\|")


class Topic(NamedTuple):
    """One thing that is explained: its name, the page it is on, and what stands there, as Markdown."""

    name: str
    page: str
    kind: Kind
    text: str


def topics() -> tuple[Topic, ...]:
    """All of them, in the order of the pages."""
    return tuple(topic for name in PAGES for topic in (Topic(name, name, "page", page(name)), *_of_page(name)))


def found(word: str, among: Iterable[Topic]) -> list[Topic]:
    """Those that a word means: of that very name, else whose name ends in it; what says most of it first.

    `PAGE/NAME` asks one page only.
    """
    where, slash, name = word.rpartition("/")
    asked = (name if slash and where in PAGES else word).lower().lstrip("-")
    here = [topic for topic in among if topic.page == where or where not in PAGES]
    exact = [topic for topic in here if topic.name.lower().lstrip("-") == asked]  # an option's, too
    ending = [topic for topic in here if topic.name.lower().endswith(f".{asked}")]
    return sorted(exact or ending, key=lambda topic: KINDS.index(topic.kind))


def close_to(word: str, among: Iterable[Topic]) -> list[str]:
    """Names that were perhaps meant, with whole ones and the ends of dotted ones compared: begun so, or alike."""
    names: dict[str, str] = {}
    for topic in among:
        for name in (topic.name, topic.name.rpartition(".")[2]):
            names.setdefault(name.lower(), topic.name)
    asked = word.lower()
    begun = [name for name in names if asked and name.startswith(asked)]
    return list(dict.fromkeys(names[name] for name in (*begun, *get_close_matches(asked, names, 3))))[:3]


def _of_page(name: str) -> Iterator[Topic]:
    lines = page(name).splitlines()
    above: list[str] = []
    header, is_code = "", False
    for number, line in enumerate(lines):
        is_code ^= line.startswith("```")
        if is_code:
            continue
        if heading := HEADING.fullmatch(line):
            above = _codes(heading[2])
            if len(heading[1]) > 1:
                text = _section(lines[number:], len(heading[1]))
                names = above or [re.sub(r"\W+", "-", heading[2].lower()).strip("-")]
                yield from (Topic(each, name, "section", text) for each in names)
        elif item := ITEM.match(line):
            text = _item(lines[number:])
            yield from (Topic(each, name, "item", text) for each in _below(above, CODE.findall(item[1])))
        elif line.startswith("|"):
            header = header or line
            if row := ROW.match(line):
                text = _row(header, line)
                yield from (Topic(each, name, "item", text) for each in _below(above, CODE.findall(row[1])))
        else:
            header = ""


def _codes(heading: str) -> list[str]:
    """The names of a heading that is made of names; none if it is a sentence."""
    return [] if CODE.sub("", heading).strip(" ,") else CODE.findall(heading)


def _below(above: list[str], names: list[str]) -> list[str]:
    return [f"{each}.{name}" for each in above for name in names] if above else names


def _section(lines: list[str], level: int) -> str:
    """From a heading to the next that is not below it."""
    taken, is_code = [lines[0]], False
    for line in lines[1:]:
        is_code ^= line.startswith("```")
        heading = None if is_code else HEADING.fullmatch(line)
        if heading and len(heading[1]) <= level:
            break
        taken.append(line)
    return "\n".join(taken)


def _item(lines: list[str]) -> str:
    """An item of a list, with what is indented below it."""
    more = next((n for n, line in enumerate(lines[1:], 1) if not line.startswith("  ")), len(lines))
    return "\n".join(lines[:more])


def _row(header: str, row: str) -> str:
    """A row of a table as a list, which is easier to read alone."""
    cells = [[cell.strip() for cell in CELL.split(line)[1:-1]] for line in (header, row)]
    told = ((name.replace("`", ""), value) for name, value in zip(*cells, strict=True) if value)
    return "\n".join(f"- {name}: {value}" if name else f"- {value}" for name, value in told)


def listed() -> tuple[tuple[str, str], ...]:
    """Each page with the question that it answers."""
    return tuple((name, title(name)) for name in PAGES)
