"""The places in the README where tables about the claims stand."""

from pathlib import Path
from typing import Final

from simulator.cloud.fidelity import summary

README: Final = Path(__file__).parent.parent.parent / "README.md"
TABLES: Final = {"fidelity-table": summary.table, "not-carried-out": summary.not_carried_out}
"""By the name of their marks."""


def with_tables(text: str) -> str:
    """The README's text with the tables as they are now; there is one place for each."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        assert found, f"the README has a place for {name}"
        assert ended, "the place has an end"
        assert begin not in after, "there is one place"
        text = f"{before}{begin}{table()}{end}{after}"
    return text
