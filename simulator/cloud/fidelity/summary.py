"""The claims, counted, and what is taken and not carried out: the README's tables."""

import re
from typing import Final, get_args

from simulator.cloud.api.not_carried_out import NOT_CARRIED_OUT
from simulator.cloud.fidelity import CLAIMS, Section, Tag

_CODE: Final = re.compile(r"\$\{[^}]*\}|--[a-z]+(?: DIR)?|DIR/[A-Z/]+|\b[a-z]+[A-Z][A-Za-z]+\b|\b[A-Z]+(?:_[A-Z]+)+\b")
TAGS: Final[tuple[Tag, ...]] = get_args(Tag)
HONEST_LINE: Final = "No live AWS account has checked any of it."


def table() -> str:
    """Claims by section and tag, as Markdown, with the line that must not be missing below it."""
    rows = [
        f"| {section.value} {section.title} | "
        + " | ".join(str(_count(section, tag)) for tag in TAGS)
        + f" | {len({claim.setting.name for claim in CLAIMS if claim.section is section and claim.setting})} |"
        for section in Section
    ]
    sums = " | ".join(str(sum(claim.tag == tag for claim in CLAIMS)) for tag in TAGS)
    settings = len({claim.setting.name for claim in CLAIMS if claim.setting})
    return "\n".join(
        [
            f"| claims about | {' | '.join(TAGS)} | settings |",
            f"| - |{' -: |' * (len(TAGS) + 1)}",
            *rows,
            f"| **all** | {sums} | {settings} |",
            "",
            HONEST_LINE,
            "",
        ]
    )


def not_carried_out() -> str:
    """What operations take and nobody carries out as AWS would, as Markdown."""
    rows = [
        f"| {', '.join(row.operations)} | {_marked(row.what)} | {row.instead} | {_marked(row.advice)} |"
        for row in NOT_CARRIED_OUT
    ]
    return "\n".join(["| operation | takes | but | what to do |", "| - | - | - | - |", *rows, ""])


def _marked(text: str) -> str:
    """With what stands in code marked as such."""
    return _CODE.sub(lambda found: f"`{found[0]}`", text)


def _count(section: Section, tag: Tag) -> int:
    return sum(claim.section is section and claim.tag == tag for claim in CLAIMS)
