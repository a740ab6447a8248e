"""What certify finds of each bad model, and what of it cannot be seen from outside, and why not.

FOUND is held to plays in virtual time, judged from the wire alone, and by `python -m tests.certify_sessions models` to
the models as processes of their own. All else that a model breaks is UNSEEN, or told by a general reason.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from simulator.certify.unseen import WHY
from simulator.devices.models import MODELS
from simulator.verdict import INVARIANTS

FOUND: Final[Mapping[str, Mapping[str, str]]] = {
    "greengrass-nucleus": {
        "no-cross-incarnation": "report/recreated",
        "ready-in-time": "step-middle/throttled",
    },
    "greengrass-nucleus-lite": {
        "no-cross-incarnation": "report/recreated",
        "no-lost-job": "step-middle/stale",
    },
    "device-client": {
        "no-cross-incarnation": "report/recreated",
        "no-lost-job": "report-accepted/cut-kept",
        "ready-in-time": "step-middle/throttled",
        "no-hammering": "report-accepted/cut-kept",
    },
    "device-client-old": {
        "no-ghost-update": "report/held",
        "no-cross-incarnation": "report/recreated",
        "no-lost-job": "report-accepted/cut-kept",
        "ready-in-time": "step-middle/throttled",
        "no-hammering": "report-accepted/cut-kept",
    },
    "embedded-crash": {
        "no-ghost-update": "provoked/other-head",
        "no-cross-incarnation": "recreated/cut-same-document",
        "no-lost-job": "asking/recreated",
        "ready-in-time": "taking/recreated",
        "no-hammering": "provoked/other-head",
    },
    "old-name": {
        "no-ghost-update": "provoked/other-head",
        "no-cross-incarnation": "recreated/cut-same-document",
        "ready-in-time": "provoked/other-head",
        "no-hammering": "provoked/other-head",
    },
    "waits-for-ever": {
        "no-ghost-update": "provoked/other-head",
        "no-cross-incarnation": "recreated/cut-same-document",
        "ready-in-time": "step-middle/throttled",
        "no-hammering": "provoked/other-head",
    },
    "over-eager": {
        "no-ghost-update": "provoked/other-head",
        "no-cross-incarnation": "recreated/cut-same-document",
        "no-hammering": "provoked/other-head",
    },
    "ota-self-test-flag": {
        "no-ghost-update": "provoked/other-head",
        "no-hammering": "provoked/other-head",
    },
    "drops-the-next-job": {
        "ready-in-time": "step-middle/calm",
    },
    "hammering": {
        "no-ghost-update": "report/held",
        "no-hammering": "report/held",
    },
    "rests-after-a-success": {
        "no-lost-job": "provoked/other-namespace",
    },
    "sends-no-expected-version": {
        "no-cross-incarnation": "report/recreated",
    },
}
"""By model, each invariant that certify finds violated, with a cell in which it does."""

AGENTS: Final = ("embedded-crash", "old-name", "waits-for-ever", "over-eager", "ota-self-test-flag")
NEEDS_RECEIPT: Final = frozenset(
    {("device-client-old", "no-ghost-update")}
    | {(agent, what) for agent in AGENTS for what in ("no-ghost-update", "no-hammering")}
)
"""Found only of a device that subscribes to answers with QoS 1, or whose reports are more than two seconds apart.

With QoS 0 nothing proves that it had read the refusal when it went on; in virtual time, receipts are told.
"""

SILENT: Final = "it works on in silence, or its one report of a step may have crossed with the answer that forbade it"
CROSSED: Final = "it reports once more, and that may have crossed with the answer that forbade it"
PACED: Final = "it may take as long to stop as between two reports; `--bound detection_seconds=` says less"
MEANT: Final = "it could have heard of the later job of that id by then, and so may have meant that one"
ELSEWHERE: Final = "the job that it leaves is the next one, which `ready-in-time` and `alive` speak of"
JITTERED: Final = "what passes by itself may be asked again at any moment: with full jitter no wait is too short"
RESTARTED: Final = "it comes back by itself, and a lost connection is no proof of a crash"
BRICKED: Final = "it never comes back to work, so that the certificate says `bricked`, and is failed"
EARLIER: Final = "that it leaves the next job is told sooner, as `ready-in-time`, and ends the cell"
RESTING: Final = "it is slow, within what a correct device may take; `--bound ready_seconds=` says less"
TAKEN: Final = "that needs a flash which does not boot any more, and is shown by a device that stays away"
UNSEEN: Final[Mapping[str, str | Mapping[str, str]]] = {
    "no-ghost-work": SILENT,
    "no-ghost-update": CROSSED,
    "stops-in-time": PACED,
    "no-cross-incarnation": MEANT,
    "no-lost-job": ELSEWHERE,
    "no-hammering": JITTERED,
    "alive": {
        "reboots-while-recovering": BRICKED,
        "greengrass-nucleus": EARLIER,
        "embedded-crash": EARLIER,
        "drops-the-next-job": EARLIER,
        "": RESTARTED,
    },
    "ready-in-time": {"rests-after-a-loss": RESTING, "": TAKEN},
}
"""Of what is on the wire in principle: why it is not seen of models that break it; by model where that differs."""


def bad_models() -> list[str]:
    """Those that break something."""
    return [name for name, model in MODELS.items() if model.breaks]


def unseen(model: str) -> dict[str, str]:
    """What it breaks and certify does not find, with the reason."""
    found = FOUND.get(model, {})
    missed = (each.id for each in INVARIANTS if each.id in MODELS[model].breaks and each.id not in found)
    return {invariant: _why(invariant, model) for invariant in missed}


def _why(invariant: str, model: str) -> str:
    reason = UNSEEN.get(invariant) or WHY[invariant]
    return reason if isinstance(reason, str) else reason.get(model, reason[""])


def table() -> str:
    """As Markdown: what is found, and then what is not."""
    return "\n".join((*_found(), "", *_unseen())) + "\n"


def _found() -> Iterator[str]:
    yield "| model | certify finds, for one in the cell |"
    yield "| - | - |"
    for model, found in FOUND.items():
        yield f"| `{model}` | {', '.join(_cell(model, *each) for each in found.items())} |"
    nothing = [name for name in bad_models() if name not in FOUND]
    yield f"| {', '.join(f'`{name}`' for name in nothing)} | nothing |"


def _cell(model: str, invariant: str, cell: str) -> str:
    return f"`{invariant}` ({cell}{', if receipt is proven' if (model, invariant) in NEEDS_RECEIPT else ''})"


def _unseen() -> Iterator[str]:
    yield "| not seen | of | because |"
    yield "| - | - | - |"
    for invariant in (each.id for each in INVARIANTS):
        of: dict[str, list[str]] = {}
        for model in bad_models():
            if (why := unseen(model).get(invariant)) is not None:
                of.setdefault(why, []).append(model)
        for why, models in of.items():
            yield f"| `{invariant}` | {', '.join(f'`{model}`' for model in models)} | {why} |"
