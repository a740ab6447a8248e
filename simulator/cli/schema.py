"""`ghostjob schema`: the JSON Schemas of what ghostjob reads and writes."""

import click

from simulator.schemas import NAMES, shipped

EXAMPLE = """\b
Examples:
  ghostjob schema verdict
  ghostjob schema scenario > scenario.schema.json
"""


@click.command(epilog=EXAMPLE)
@click.argument("name", type=click.Choice(NAMES))
def schema(name: str) -> int:
    """Print the JSON Schema (2020-12) of a scenario, a schedule, a cloud's settings, verdict.json, certificate.json,
    the page or forecast.json.

    An editor with the YAML language server completes and checks a scenario that begins with
    `# yaml-language-server: $schema=scenario.schema.json`.
    """
    click.echo(shipped(name), nl=False)
    return 0
