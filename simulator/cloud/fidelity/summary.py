"""The claims, counted: the README's table."""

from typing import Final, get_args

from simulator.cloud.fidelity import CLAIMS, Section, Tag

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


def _count(section: Section, tag: Tag) -> int:
    return sum(claim.section is section and claim.tag == tag for claim in CLAIMS)
