"""`ghostjob explain`: the pages that ship, or the place in them where a word is explained."""

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import click

from agent.errors import InputError

if TYPE_CHECKING:
    from simulator.docs.topics import Topic

COLUMNS: Final = 80
"""Of what is no terminal."""
WIDEST: Final = 100
"""Longer lines are hard to read."""
LINK: Final = re.compile(r"\[([^\]]+)\]\(([a-z-]+)\.md(?:#[^)]*)?\)", re.DOTALL)
EXAMPLE = """\b
Examples:
  ghostjob explain
  ghostjob explain scenario
  ghostjob explain no-ghost-work
  ghostjob explain deletions.when.step
  ghostjob explain 3
"""


def _topics(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """What the shell may complete a topic to."""
    from simulator.docs.topics import topics

    return list(dict.fromkeys(topic.name for topic in topics() if topic.name.startswith(incomplete)))


@click.command(epilog=EXAMPLE)
@click.argument("topic", required=False, shell_complete=_topics)
def explain(topic: str | None) -> int:
    """Explain TOPIC: a page, an invariant, a setting, a key of scenarios, an event of traces, an exit code, a device
    model, a shipped scenario, an error's name. Without one, list the pages.

    A key may be given by its end: `when.step` or `step`. PAGE/TOPIC looks on one page only.
    """
    from simulator.docs.topics import close_to, found, topics

    if topic is None:
        _list_pages()
        return 0
    known = topics()
    matches = found(topic, known)
    if not matches:
        close = close_to(topic, known)
        meant = f"; did you mean {', or '.join(close)}?" if close else ""
        raise InputError(f"explain: no topic {topic!r}{meant}; `ghostjob explain` lists the pages")
    best, *others = matches
    if best.name.lower().lstrip("-") == topic.rpartition("/")[2].lower().lstrip("-") or not others:
        _show(best, [other for other in others if other.page != best.page])
    else:
        click.echo(f"{topic} is the end of several names; `ghostjob explain NAME` explains one:")
        for match in matches:
            click.echo(f"  {match.name}  (page {match.page})")
    return 0


def _list_pages() -> None:
    from simulator.docs.topics import listed

    width = max(len(name) for name, _ in listed())
    for name, question in listed():
        click.echo(f"{name:<{width}}  {question}")
    click.echo(
        "\nTopics are these pages, and the words that they explain: invariants, settings,\n"
        "keys of scenarios, events of traces, exit codes, device models, shipped\n"
        "scenarios, errors."
    )


def _show(topic: "Topic", elsewhere: list["Topic"]) -> None:
    """Print it, and on which other pages more is said of the word."""
    parts = [topic.text]
    if topic.kind == "item":
        parts.insert(0, f"## {topic.name}")
    if topic.kind != "page":
        parts.append(f"Page: `{topic.page}`")
    if elsewhere:
        parts.append("Also: " + ", ".join(f"`{other.page}/{other.name}`" for other in elsewhere))
    _render(LINK.sub(r"\1 (`ghostjob explain \2`)", "\n\n".join(parts)))
    if topic.page == "scenarios" and topic.kind == "item":  # as it stands, to be copied
        click.echo("\n" + (files("simulator.scenarios") / f"{topic.name}.yaml").read_text("utf-8"), nl=False)


def _render(text: str) -> None:
    """Markdown for a terminal; the same as plain text, without blanks at the ends of its lines, for anything else."""
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(highlight=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else COLUMNS
    with console.capture() as captured:
        console.print(Markdown(text, hyperlinks=False))
    shown = captured.get()
    click.echo(shown if console.is_terminal else re.sub(r" +$", "", shown, flags=re.MULTILINE), nl=False)
