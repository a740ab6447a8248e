"""`ghostjob cloud --fidelity`: what the local service claims of AWS, how each claim is known, and what can be set."""

import json
from dataclasses import fields

import click
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from simulator.cloud.api.not_carried_out import NOT_CARRIED_OUT, NotCarriedOut
from simulator.cloud.fidelity import CLAIMS, HONEST_LINE, TAGS, Claim, Section, Setting
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.http import HttpSettings

HOW_TO_SET = """Settings are given as JSON: ghostjob cloud --settings '{"cloud": {"removal_delay_seconds": 5}}'"""
PARTS = {
    "cloud": frozenset(field.name for field in fields(JobsSettings)),
    "http": frozenset(field.name for field in fields(HttpSettings)),
    "gateway": frozenset(field.name for field in fields(GatewaySettings)),
}
"""The parts of what `--settings` takes, and the names in each."""
NOT_DONE = "taken, and not carried out as AWS would"
COLOURS = {"documented": "green", "observed": "yellow", "inferred": "magenta"}


def show(form: str) -> None:
    """Print the tables; or, with the form `json`, one JSON object a row, for machines."""
    if form == "json":
        for claim in CLAIMS:
            click.echo(json.dumps(_as_json(claim)))
        for row in NOT_CARRIED_OUT:
            click.echo(json.dumps(_row_as_json(row)))
    else:
        console = Console()
        for section in Section:
            claims = [claim for claim in CLAIMS if claim.section is section]
            if claims:
                console.print(_table(section, claims))
        console.print(_not_carried_out())
        console.print(_counts())
        console.print(HOW_TO_SET, soft_wrap=True, markup=False)


def _table(section: Section, claims: list[Claim]) -> Table:
    table = Table(
        title=f"{section.value} {section.title}", title_justify="left", title_style="bold", box=box.SIMPLE, expand=True
    )
    table.add_column("known how", no_wrap=True)
    table.add_column("claim, source, setting", ratio=1)
    for claim in claims:
        parts = [Text(claim.text), Text(claim.source, "dim")]
        if claim.setting is not None:
            parts.append(_setting(claim.setting))
        table.add_row(Text(claim.tag, COLOURS[claim.tag]), Group(*parts))
    return table


def _not_carried_out() -> Table:
    table = Table(title=NOT_DONE, title_justify="left", title_style="bold", box=box.SIMPLE, expand=True)
    table.add_column("operation, what it takes, what happens, what to do", ratio=1)
    for row in NOT_CARRIED_OUT:
        operations = Text(", ".join(row.operations), "bold")
        table.add_row(Group(operations, Text(row.what), Text(row.instead), Text(row.advice, "dim")))
    return table


def place(setting: Setting) -> str:
    """Where it stands in what `--settings` takes."""
    name = setting.name
    part = next(part for part, kind in PARTS.items() if name in kind)
    return f"{part}.{name}"


def given(setting: Setting) -> object:
    """Its default, as `--settings` takes it."""
    return dict(setting.default) if isinstance(setting.default, tuple) else setting.default


def _setting(setting: Setting) -> Text:
    shown = Text.assemble((f"{place(setting)} = {json.dumps(given(setting))}", "bold"))
    for alternative in setting.alternatives:
        shown.append(f"\n  {alternative}")
    return shown


def _counts() -> str:
    counted = ", ".join(f"{sum(claim.tag == tag for claim in CLAIMS)} {tag}" for tag in TAGS)
    return f"{len(CLAIMS)} claims, each with a test: {counted}. {HONEST_LINE}"


def _as_json(claim: Claim) -> dict[str, object]:
    setting = claim.setting
    return {
        "id": claim.id,
        "section": claim.section.value,
        "about": claim.section.title,
        "tag": claim.tag,
        "text": claim.text,
        "source": claim.source,
        "setting": setting
        and {"name": place(setting), "default": given(setting), "alternatives": list(setting.alternatives)},
    }


def _row_as_json(row: NotCarriedOut) -> dict[str, object]:
    """With the members that a claim has, and its own."""
    text = f"{row.what}: {row.instead}."
    claim = {"id": row.id, "section": None, "about": NOT_DONE, "tag": None, "text": text, "source": None}
    return claim | {"setting": None, "operations": list(row.operations), "advice": row.advice}
