"""The pages that ship: each answers a question, in Markdown; `ghostjob explain` prints them, whole or by the word.

They are written for a reader of the file; what in them is a topic of its own stands in `simulator.docs.topics`.
"""

from importlib.resources import files
from typing import Final

PAGES: Final = (
    "verdict",
    "report",
    "forecast",
    "lab",
    "exit-codes",
    "invariants",
    "scenario",
    "scenarios",
    "explore",
    "ray",
    "trace",
    "probes",
    "devices",
    "models",
    "force-delete",
    "recovery",
    "agent",
    "certify",
    "cloud",
    "settings",
    "fidelity",
    "security",
    "errors",
    "python",
    "pytest",
    "greengrass",
    "aws",
    "benchmarks",
    "architecture",
    "contributing",
)
"""In the order in which a newcomer may want them."""


def page(name: str) -> str:
    """The text of a page, one of PAGES."""
    return (files("simulator.docs") / f"{name}.md").read_text("utf-8")


def title(name: str) -> str:
    """The question that a page answers."""
    return page(name).partition("\n")[0].removeprefix("# ")
