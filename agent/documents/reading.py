"""From the text of a job document to its plan, or to why this device cannot or must not carry it out."""

import json
from collections.abc import Mapping
from functools import lru_cache
from posixpath import join, normpath
from typing import Any, Final

from pydantic import ValidationError

from agent.abilities import DEFAULT_ABILITIES, Abilities
from agent.causes import Cause
from agent.documents.conditions import unmet
from agent.documents.device_client import read_theirs
from agent.documents.ours import read_ours
from agent.plan import MISSING, Planned, Step, Unusable
from agent.values import JobDocument, details_text
from agent.wording import first_wrong

LONGEST_NAME: Final = 255
"""Bytes (NAME_MAX of every usual file system)."""
LONGEST_PLAN: Final = 96 * 1024
"""Bytes: what stands beside it in a record of the journal, which has at most 128 KiB, is less than the rest."""
REMEMBERED_TEXT: Final = 4096
"""Characters of the longest document whose plan is remembered: all of them come to a few MiB."""


def plan_of(document: JobDocument | None, abilities: Abilities = DEFAULT_ABILITIES) -> Planned:
    """The plan of a document for a device with these abilities."""
    if document is None:
        return MISSING
    read = _plan_of if len(document.text) <= REMEMBERED_TEXT else _read_plan
    return read(document.text, abilities)


@lru_cache(maxsize=256)
def _plan_of(text: str, abilities: Abilities) -> Planned:
    """A fleet is told the same document again and again."""
    return _read_plan(text, abilities)


def _read_plan(text: str, abilities: Abilities) -> Planned:
    try:
        value = _object(text)
        plan = read_ours(value, abilities) or read_theirs(value, abilities)
    except ValidationError as error:
        return _unusable(str(first_wrong(error)))
    except ValueError as error:
        return _unusable(str(error))
    if why := unmet(value.get("conditions"), abilities.systems):
        return _unusable(why, Cause.CONDITION_NOT_MET)
    allowed = abilities.actions | ({"download", "reboot"} if plan.version and "write" in abilities.actions else set())
    length = len(json.dumps([[step.name, step.action, step.args] for step in plan.steps], ensure_ascii=False).encode())
    if length > LONGEST_PLAN:
        return _unusable(f"its plan has {length} bytes, and at most {LONGEST_PLAN} go on record")
    refusals = (_refusal(step, allowed, abilities) for step in plan.steps)
    return next((_unusable(reason, cause) for cause, reason in filter(None, refusals)), plan)


def _unusable(reason: str, cause: Cause = Cause.MALFORMED_DOCUMENT) -> Unusable:
    return Unusable(details_text(reason) or "no plan", cause)


def _object(text: str) -> Mapping[str, Any]:
    """The document. Raises ValueError."""
    try:
        value = JobDocument(text).value
    except ValueError as error:
        raise ValueError(f"the job document cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("the job document is no JSON object")
    return value


def _refusal(step: Step, allowed: frozenset[str], abilities: Abilities) -> tuple[Cause, str] | None:
    """Why this device must not do a step; None if it may."""
    args = dict(step.args)
    if any(len(part.encode()) > LONGEST_NAME for part in args.get("to", "").split("/")):
        return Cause.REFUSED_PATH, f"{step.name}: {args['to'][:200]}: a name in it has more than {LONGEST_NAME} bytes"
    if step.action not in allowed:
        return Cause.NOT_ALLOWED, f"{step.name}: this device does not allow '{step.action}'"
    if "to" in args and not _is_below(abilities.root, args["to"]):
        words = f"{step.name}: {args['to'][:200]}: not below the directory that documents may write to"
        return Cause.REFUSED_PATH, words
    if step.action == "run" and not _is_same(abilities.scripts, args.get("path", abilities.scripts)):
        words = f"{step.name}: {args['path'][:200]}: not the directory that scripts may come from"
        return Cause.REFUSED_PATH, words
    return None


def _is_below(root: str, name: str) -> bool:
    inside = normpath(root).rstrip("/") + "/"
    return normpath(join(root, name)).startswith(inside)


def _is_same(one: str, other: str) -> bool:
    return normpath(one) == normpath(other)
