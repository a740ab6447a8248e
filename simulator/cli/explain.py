"""`ghostjob explain`: the pages that ship, or the place in them where a word is explained."""

import re
import shutil
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import click

from agent.errors import InputError
from simulator.cli.listing import print_list

if TYPE_CHECKING:
    from simulator.docs.topics import Topic

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
    from simulator.cli import VERBS
    from simulator.docs.topics import close_to, found, topics

    if topic is None:
        _list_pages()
        return 0
    known = topics()
    matches = found(topic, known)
    if not matches:
        close = close_to(topic, known)
        meant = f"; did you mean {', or '.join(close)}?" if close else ""
        where = f"`ghostjob {topic} --help` explains it" if topic in VERBS else "`ghostjob explain` lists the pages"
        raise InputError(f"explain: no topic {topic!r}{meant}; {where}")
    if len({match.name for match in matches}) == 1:
        _page(_shown(matches) + _of_verb(topic))
    else:
        click.echo(f"{topic} is the end of several names; `ghostjob explain NAME` explains one:")
        for line in dict.fromkeys(f"  {match.name}  (page {match.page})" for match in matches):
            click.echo(line)
        click.echo(_of_verb(topic), nl=False)
    return 0


def _of_verb(topic: str) -> str:
    from simulator.cli import VERBS

    return f"\nThe verb: ghostjob {topic} --help\n" if topic in VERBS else ""


def _page(text: str) -> None:
    """Print it; what a terminal cannot show at once begins at its beginning, in the user's pager."""
    if sys.stdout.isatty() and sys.stdin.isatty() and text.count("\n") >= shutil.get_terminal_size().lines:
        click.echo_via_pager(text)
    else:
        click.echo(text, nl=False)


def _list_pages() -> None:
    from simulator.docs.topics import listed

    print_list(listed())
    click.echo(
        "\nTopics are these pages, and the words that they explain: invariants, settings,\n"
        "keys of scenarios, events of traces, exit codes, device models, shipped\n"
        "scenarios, errors."
    )


def _shown(matches: list["Topic"]) -> str:
    """What the page says of a word that says most of it, and on which others more is said."""
    from simulator.cli.markdown import rendered

    topic = matches[0]
    elsewhere = dict.fromkeys(f"`{other.page}/{other.name}`" for other in matches if other.page != topic.page)
    parts = [other.text for other in matches if (other.page, other.kind) == (topic.page, topic.kind)]
    if topic.kind == "item":
        parts.insert(0, f"## {topic.name}")
    if topic.kind != "page":
        parts.append(f"Page: `{topic.page}`")
    if elsewhere:
        parts.append(f"Also: {', '.join(elsewhere)}")
    text = rendered(LINK.sub(r"\1 (`ghostjob explain \2`)", "\n\n".join(parts)))
    if topic.page == "scenarios" and topic.kind == "item":  # as it stands, to be copied
        text += "\n" + (files("simulator.scenarios") / f"{topic.name}.yaml").read_text("utf-8")
    return text
