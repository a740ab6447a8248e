"""What came of a cell, in words: the text of a test's failure."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pytest_ghostjob._device import DeviceUnderTest

if TYPE_CHECKING:
    from ghostjob.certification import CellResult, Evidence

SHOWN: Final = 40
"""Packets that a text tells; the rest is in the trace."""


def words(result: "CellResult", device: DeviceUnderTest) -> str:
    """What it did, which invariants that breaks, the packets that show it, and how to play it again."""
    lines = [f"{device.name} {_head(result)} {result.id}: {result.why}", f"  {result.shows}"]
    for invariant in result.invariants:
        found = (("violated", invariant.violations), ("undecided", invariant.doubts))
        lines += [f"  {invariant.id} {how}: {each.message}" for how, all_ in found for each in all_]
    lines += map(_packet, result.evidence[:SHOWN])
    if (more := len(result.evidence) - SHOWN) > 0:
        lines.append(f"  … and {more} more")
    if result.afterwards is not None and result.afterwards.left != "ready":
        lines.append(f"  afterwards {result.afterwards.left}: {result.afterwards.why}")
    if result.directory is not None:
        lines.append(f"  trace: {result.directory}")
    return "\n".join((*lines, f"  again: {again(result.id, device)}"))


def _head(result: "CellResult") -> str:
    match result.outcome:
        case "inconclusive":
            return "could not be shown to pass"
        case "passed":
            return "passed, but did not come back after"
        case _:
            return "failed"


def _packet(evidence: "Evidence") -> str:
    at = "" if evidence.at is None else f"{evidence.at:.3f} s"
    return f"  {'→' if evidence.pointed_at else ' '}{at:>10}  {evidence.id}  {evidence.text}"


def again(cell: str, device: DeviceUnderTest) -> str:
    """The command that plays it without pytest."""
    thing = () if device.thing is None else ("--thing", device.thing)
    command = ("--", *device.command) if device.command else ()
    return shlex.join(("ghostjob", "certify", "--only", cell, *thing, *device.options, *command))


def offered(offer: Mapping[str, Any]) -> str:
    """What is to be put on a device, in a line."""
    texts = {name: " ".join(it) if isinstance(it, list) else it for name, it in offer.items() if it is not None}
    return ", ".join(f"{name} {text}" for name, text in texts.items())
