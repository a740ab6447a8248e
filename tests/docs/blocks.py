"""The blocks of shell in a page: what stands before each, and the commands in it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

BLOCK: Final = re.compile(r"(?:<!-- (?P<mark>[^\n]+) -->\n)?```sh\n(?P<script>.*?)```", re.DOTALL)
FILE: Final = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
EXITS: Final = re.compile(r" +# exits (\d+)$", re.MULTILINE)


class Block(NamedTuple):
    """`mark` says how it is run: nothing, each command by itself; `cloud`, while one is up; `not run: WHY`."""

    mark: str
    script: str

    def commands(self) -> Iterator[tuple[list[str], int]]:
        """Each command's words, with the exit code that it ends with."""
        for line in self.script.replace("\\\n", " ").splitlines():
            exits = EXITS.search(line)
            if words := shlex.split(line, comments=True):
                yield words, int(exits[1]) if exits else 0

    def for_bash(self) -> str:
        """The script, which goes on after a command that ends as it says."""
        return EXITS.sub(r" || test $? = \1", self.script)


def blocks(page: Path) -> list[Block]:
    """Those of a page."""
    return [Block(found["mark"] or "", found["script"]) for found in BLOCK.finditer(page.read_text("utf-8"))]


def files(page: Path) -> dict[str, str]:
    """What a page tells its reader to write into files, by their names."""
    return dict(FILE.findall(page.read_text("utf-8")))
