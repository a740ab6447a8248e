"""`python -m tests.bench`: the gateway's table; with `--all` every benchmark that has an aim, on one page."""

import sys

import click
from rich.console import Console

from tests.bench import gateway
from tests.bench.all import PARTS, page


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "is_all", is_flag=True, help="Measure all parts, one after the other, in twenty minutes.")
@click.option("--part", "names", multiple=True, type=click.Choice([part.name for part in PARTS]), help="Only these.")
@click.argument("given", nargs=-1, type=click.UNPROCESSED)
def main(is_all: bool, names: tuple[str, ...], given: tuple[str, ...]) -> None:
    """Measure, and print the table. What else is given is for the gateway's."""
    if not is_all and not names:
        gateway.main(given)
    parts = tuple(part for part in PARTS if not names or part.name in names)
    table, is_whole = page(parts, Console(stderr=True))
    Console(width=180).print(table)
    sys.exit(0 if is_whole else 1)


if __name__ == "__main__":
    main()
