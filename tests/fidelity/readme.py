"""The place in the README where the summary of the claims stands."""

from pathlib import Path
from typing import Final

from simulator.cloud.fidelity import summary

README: Final = Path(__file__).parent.parent.parent / "README.md"
BEGIN, END = "<!-- fidelity-table -->\n", "<!-- /fidelity-table -->"


def with_summary(text: str) -> str:
    """The README's text with the summary as it is now; there is one place for it."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, "the README has a place for the summary"
    assert end, "the place has an end"
    assert BEGIN not in after, "there is one place"
    return f"{before}{BEGIN}{summary.table()}{END}{after}"
