"""Every generated part of the pages, by the name of its marks."""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

from pydantic import TypeAdapter

import simulator.cloud.settings.service as settings
import simulator.devices.models
from agent.causes import MEANINGS, Cause
from agent.recovery import TABLE
from agent.values import ErrorCode
from simulator import scenario, trace
from simulator.certify import telling
from simulator.certify.matrix import CELLS
from simulator.cloud.api.not_carried_out import NOT_CARRIED_OUT
from simulator.cloud.fidelity import CLAIMS, HONEST_LINE, TAGS, Section
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.notices.refusals import CODES
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.http import HttpSettings
from simulator.devices.models import MODELS
from simulator.engines.explore import monitors
from simulator.scenario import Place, PlaceName, Scenario
from simulator.verdict import INVARIANTS, SEEN_FROM_THE_WIRE, SEEN_WITH_A_PROBE
from tests.devices import outcomes
from tests.devices.paho_options import FLAWS
from tests.devices.recording import SCENES, recorded
from tests.explore.table import bad_models, mutations
from tests.simulator.certify.from_outside import table as from_outside
from tests.simulator.devices.models.table import table as who_breaks_what
from tests.test_architecture import RULES

from .marks import pages, parts, replaced
from .walks import walk
from .words import about, fields_of, filled, in_words, one_line, wrapped

Schema: TypeAlias = Mapping[str, Any]
SETTINGS: Final = {"cloud": JobsSettings, "http": HttpSettings, "gateway": GatewaySettings}
"""By the key under which `--settings` takes them."""
CODE: Final = re.compile(r"\$\{[^}]*\}|--[a-z]+(?: DIR)?|DIR/[A-Z/]+|\b[a-z]+[A-Z][A-Za-z]+\b|\b[A-Z]+(?:_[A-Z]+)+\b")


def table(head: str, rows: Iterable[Iterable[object]]) -> str:
    """As Markdown; numbers are in columns whose head ends with a colon."""
    names = head.split(" | ")
    rule = " | ".join("-:" if name.endswith(":") else "-" for name in names)
    shown = (" | ".join(map(str, row)) for row in rows)
    lines = [" | ".join(name.removesuffix(":") for name in names), rule, *shown]
    return "".join(f"| {line} |\n" for line in lines)


def code(names: Iterable[object]) -> str:
    """Names as code, with commas between them."""
    return ", ".join(f"`{name}`" for name in names)


# ── scenarios ─────────────────────────────────────────────────────────────────────────────────────────────────


def scenario_keys() -> str:
    """Every key that a scenario may have."""
    schema = Scenario.model_json_schema()
    definitions = schema["$defs"]
    top = "\n".join(field.item() for field in fields_of(Scenario, schema, definitions))
    return "\n".join((f"### At the top\n\n{about(Scenario)}\n{top}\n", *_below(schema, definitions)))


def _below(schema: Schema, definitions: Schema) -> Iterator[str]:
    for name, paths in _paths(schema, definitions).items():
        yield f"### {code(paths)}\n"
        if name == "JobsSettings":
            yield "Those of [`cloud` in the settings](settings.md). In a scenario these have other defaults:\n"
            yield "".join(
                f"- `{key}`: {'none' if value is None else value}\n" for key, value in settings.PLAYED.items()
            )
            continue
        kind = getattr(settings if name == "Fault" else scenario, name)
        yield about(kind) if kind is not Place else about(kind).partition("\n\n")[0] + "\n"
        yield "\n".join(field.item() for field in fields_of(kind, definitions[name], definitions)) + "\n"
        if kind is Place:
            yield _places()


def _paths(schema: Schema, definitions: Schema) -> dict[str, list[str]]:
    """Where each kind of mapping stands, from the outside to the inside, in the order of the keys."""
    found: dict[str, list[str]] = {}

    def walk(here: Schema, path: tuple[str, ...]) -> None:
        for name, property_ in here["properties"].items():
            for ref in re.findall(r"'\$ref': '#/\$defs/(\w+)'", str(property_)):
                is_new = ref not in found
                found.setdefault(ref, []).append(".".join((*path, name)))
                if is_new and "properties" in definitions[ref]:
                    walk(definitions[ref], (*path, name))

    walk(schema, ())
    return found


def _places() -> str:
    told = {
        name: one_line(text)
        for names, text in re.findall(r"^ *([a-z, -]+): (.+?)[;.]$", Place.__doc__ or "", re.MULTILINE)
        for name in names.split(", ")
    }
    items = (wrapped(f"- **`{name}`**: {told[name]}") for name in get_args(PlaceName))
    begin = "The `deleted-…` tell where the device was when the record of an execution of `job` was removed."
    return "#### `must_reach.place`\n\n" + begin + "\n\n" + "\n".join(items) + "\n"


def shipped_scenarios() -> str:
    """What ships, and what each shows."""
    return table("scenario | shows", ((f"`{name}`", scenario.load(name).about) for name in scenario.shipped()))


def cells() -> str:
    """What a device of one's own is put through."""
    when = {"quick": "quick", "default": "", "full": "full"}
    rows = ((f"`{each.id}`", when[each.level], each.shows, each.mistake) for each in CELLS)
    return table("cell | played | shows | the mistake that it finds", rows)


# ── the trace ─────────────────────────────────────────────────────────────────────────────────────────────────

SOURCES: Final = {
    "`device/THING`: a device's own account": trace.DeviceAccount,
    "`cloud`: the service's account": trace.CloudEvent,
    "`controller`: who deletes": trace.ControllerEvent,
    "`engine`: the run": trace.EngineEvent,
    "`probe`: what a device that is not ours is seen to be": trace.ProbeSampled,
}


def events() -> str:
    """Every event, by who tells it."""
    definitions = TypeAdapter(trace.Event).json_schema()["$defs"]
    told = {who: get_args(kinds) or (kinds,) for who, kinds in SOURCES.items()}
    return "\n".join(f"### {who}\n\n" + _events(kinds, definitions) for who, kinds in told.items())


def _events(kinds: Iterable[type], definitions: Schema) -> str:
    names = {kind: definitions[kind.__name__]["properties"]["type"]["const"] for kind in kinds}
    return "\n".join(f"#### `{name}`\n\n{about(kind)}\n{_members(kind, definitions)}" for kind, name in names.items())


def _members(kind: type, definitions: Schema) -> str:
    properties: Schema = definitions[kind.__name__]["properties"]
    told = [f"`{name}` ({in_words(value, definitions)})" for name, value in properties.items() if name != "type"]
    return filled(f"Members: {', '.join(told)}.") + "\n" if told else ""


# ── verdicts and devices ──────────────────────────────────────────────────────────────────────────────────────


def invariants() -> str:
    """All of them."""
    return table("invariant | broken by a device that", ((f"`{each.id}`", each.broken_by) for each in INVARIANTS))


def invariant(name: str) -> str:
    """What is known of one."""
    (broken_by,) = (each.broken_by for each in INVARIANTS if each.id == name)
    models = code(model for model, each in MODELS.items() if name in each.breaks)
    seen, probed = SEEN_FROM_THE_WIRE[name], SEEN_WITH_A_PROBE[name]
    lines = (
        f"Broken by a device that {broken_by}.",
        f"Seen from the wire alone: {seen}.",
        *([f"With a probe: {probed}."] if probed != seen else []),
        f"Models that break it: {models}.",
    )
    return "\n".join(wrapped(f"- {line}") for line in lines) + "\n"


def judged_by_order() -> str:
    """What a search through every order of events decides of each, and who decides the rest."""
    rows = ((f"`{row.invariant}`", row.judged, row.leaves) for row in monitors.TABLE)
    return table("invariant | in every state | what is left, and to whom", rows)


def models() -> str:
    """Who they are, in the words of the modules that have them."""
    return "\n".join(f"### `{name}`\n\n{_story(name)}\n{_breaks(name)}" for name in MODELS)


def _breaks(name: str) -> str:
    broken = MODELS[name].breaks
    told = (
        f"Breaks {code(each.id for each in INVARIANTS if each.id in broken)}." if broken else "Correct: breaks nothing."
    )
    return filled(told) + "\n"


def _story(name: str) -> str:
    """What the module says of itself that is called like the model, or OTHER_STORIES."""
    if name in OTHER_STORIES:
        return filled(OTHER_STORIES[name]) + "\n"
    root = Path(simulator.devices.models.__file__).parent
    (module,) = root.rglob(f"{name.replace('-', '_')}.py")
    doc = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return doc + "\n"


OTHER_STORIES: Final = {
    "reference": "Our own agent.",
    "device-client-old": "An older AWS IoT Device Client: see `device-client`.",
}
"""Of those that have no module of that name."""


def recovery() -> str:
    """What is done with half-done work."""
    restarted = {None: "", True: "restarted", False: "not restarted"}
    return table(
        "the execution | the work | only if | what is done | because",
        (
            (
                ", ".join(row.ended),
                "any" if row.reached is None else ", ".join(row.reached),
                ", ".join(filter(None, (restarted[row.restarted], row.policy and f"policy {row.policy}"))),
                row.remedy.value,
                row.why,
            )
            for row in TABLE
        ),
    )


# ── real devices ──────────────────────────────────────────────────────────────────────────────────────────────

MOST_CELLS: Final = 4


def certified_devices() -> str:
    """What certify says of those that people write first."""
    told = outcomes.recorded()
    rows = (
        (f"`{name}`", f"`{invariant}`", _cells(cells), outcomes.MEANS[name, invariant])
        for name in outcomes.REAL
        for invariant, cells in outcomes.by_invariant(told[name]).items()
    )
    return table("device | violated | in | what it means", rows)


def flaws_found() -> str:
    """Which cells find which flaw."""
    rows = (
        (FLAWS[flaw], _cells(cells), f"`{invariant}`")
        for flaw, found in outcomes.flaws_found().items()
        for invariant, cells in outcomes.by_invariant(found).items()
    )
    return table("a device that | is found by | violated", rows)


def flaws_not_found() -> str:
    """Which flaws none finds."""
    return table("a device that | is not, as", ((FLAWS[flaw], why) for flaw, why in outcomes.NOT_FOUND.items()))


def _cells(cells: tuple[str, ...]) -> str:
    more = f" and {len(cells) - MOST_CELLS} more" if len(cells) > MOST_CELLS else ""
    return code(cells[:MOST_CELLS]) + more


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────


def causes() -> str:
    """Why work fails, is rejected, or waits."""
    return table("cause | means", ((f"`{cause}`", MEANINGS[cause]) for cause in Cause))


def refusals() -> str:
    """What a client did not get."""
    return table("code | means", ((f"`{word}`", text) for word, text in CODES.items()))


def rejections() -> str:
    """What the service answers to a device."""
    rows = (
        (f"`{each}`", "no: ask something else" if each.is_permanent else "yes: wait, and ask again")
        for each in ErrorCode
    )
    return table("code | passes by itself", rows)


# ── the local cloud ───────────────────────────────────────────────────────────────────────────────────────────


def all_settings() -> str:
    """Every setting, with the claim about AWS that it changes."""
    whole = CloudSettings.model_json_schema()
    definitions = whole["$defs"]
    alone = {name: each for name, each in whole["properties"].items() if name not in SETTINGS}
    first = _settings(CloudSettings, {"CloudSettings": whole | {"properties": alone}} | definitions)
    rest = (f"## `{key}`\n\n{_settings(kind, definitions)}" for key, kind in SETTINGS.items())
    return "\n".join((f"## Where it listens, and what it keeps\n\n{first}", *rest))


def _settings(kind: type, definitions: Schema) -> str:
    lines = (
        line
        for field in fields_of(kind, definitions[kind.__name__], definitions)
        for line in (field.item(), *_claimed(field.name))
    )
    return "\n".join(lines) + "\n"


def _claimed(setting: str) -> Iterator[str]:
    """What is claimed of AWS where it has its default, and what becomes of it where it has not."""
    for claim in CLAIMS:
        if claim.setting is not None and claim.setting.name == setting:
            yield filled(f"  - Claim `{claim.id}` ({claim.tag}): {claim.text}", "    ")
            yield from (filled(f"  - {alternative}", "    ") for alternative in claim.setting.alternatives)


def fidelity() -> str:
    """Claims by section and tag, with the line that must not be missing below them."""
    rows = [(f"{section.value} {section.title}", *_counted(section)) for section in Section]
    every = ("**all**", *_counted(*Section))
    return (
        table(f"claims about | {' | '.join(f'{tag}:' for tag in TAGS)} | settings:", [*rows, every])
        + f"\n{HONEST_LINE}\n"
    )


def _counted(*sections: Section) -> Iterator[int]:
    claims = [claim for claim in CLAIMS if claim.section in sections]
    yield from (sum(claim.tag == tag for claim in claims) for tag in TAGS)
    yield len({claim.setting.name for claim in claims if claim.setting})


def not_carried_out() -> str:
    """What operations take and nobody carries out as AWS would."""
    rows = ((", ".join(row.operations), _marked(row.what), row.instead, _marked(row.advice)) for row in NOT_CARRIED_OUT)
    return table("operation | takes | but | what to do", rows)


def _marked(text: str) -> str:
    """With what stands in code marked as such."""
    return CODE.sub(lambda found: f"`{found[0]}`", text)


def dependencies() -> str:
    """Which part is held to what, in the words of the test that does it."""
    return "".join(wrapped(f"- `{row.values[0]}`: {row.id}") + "\n" for row in RULES)


def certify_said() -> str:
    """What certify says to scripts, as the docstring of who says it has it."""
    rows = re.findall(r"^    ([a-z.]+) +(\{.*\})  +(.+)$", telling.__doc__ or "", re.MULTILINE)
    said = re.findall(r'_say\("([a-z.]+)"', inspect.getsource(telling.ToScripts))
    assert [event for event, _, _ in rows] == said
    return table(
        "event | members | ", ((code([event]), code(re.findall(r'"(\w+)"', has)), what) for event, has, what in rows)
    )


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "scenario-keys": scenario_keys,
    "scenarios": shipped_scenarios,
    "cells": cells,
    "events": events,
    "invariants": invariants,
    **{f"invariant {each.id}": lambda name=each.id: invariant(name) for each in INVARIANTS},
    "judged-by-order": judged_by_order,
    "models-named": models,
    "models": who_breaks_what,
    "models-explored": bad_models,
    "rules-switched-off": mutations,
    "from-outside": from_outside,
    "recovery-table": recovery,
    "certified-devices": certified_devices,
    "flaws-found": flaws_found,
    "flaws-not-found": flaws_not_found,
    "causes-table": causes,
    "rejections": rejections,
    "refusals": refusals,
    "settings": all_settings,
    "fidelity-table": fidelity,
    "not-carried-out": not_carried_out,
    "dependencies": dependencies,
    "certify-said": certify_said,
    **{f"wire {scene}": lambda scene=scene: recorded(scene) for scene in SCENES},
    "walk notify": lambda: walk("notify"),
    "walk delete": lambda: walk("delete"),
}
SLOW: Final = ("models",)
"""Those that take minutes: a test of their own holds them to what is played."""


def write(named: Iterable[str], but: Iterable[str] = ()) -> None:
    """Write the parts of these names anew in all pages, or all parts but some."""
    wanted = [name for name in (named or PARTS) if name not in but]
    for path in pages():
        text = path.read_text("utf-8")
        new = {name: PARTS[name]() for name in parts(text) if name in wanted}
        path.write_text(replaced(text, new), "utf-8")
