"""Where a mutation is tried: worlds in which our agent holds, each with other trouble, the smallest first."""

from typing import Any, Final

from simulator.engines.explore.setup import Bounds, Setup


def _world(bounds: dict[str, int], **settings: Any) -> Setup:
    return Setup.model_validate(settings | {"bounds": Bounds.model_validate(bounds)})


WORLDS: Final = (
    _world({}, flaw="hash"),
    _world({}, asks="program"),
    _world({"fail": 1}, reports="end"),
    _world({"lose-hint": 2}),
    _world({"lose-answer": 1}),
    _world({"disconnect": 1}, asks="program"),
    _world({"power-cut": 1}, asks="program"),
    _world({"power-cut": 1}, asks="restart"),
    _world({"power-cut": 1}, asks="reboot"),
    _world({"power-cut": 1}, asks="program", namespace="lab"),
    _world({"lose-answer": 1}, reports="progress"),
    _world({"delete": 1}, asks="program"),
    _world({"early": 1}),
    _world({"power-cut": 1}, asks="configuration"),
    _world({"delete": 1}, asks="reboot"),
    _world({"power-cut": 1}, layout="single"),
    _world({"power-cut": 1}, layout="single", flaw="self-test"),
    _world({"power-cut": 1}, flaw="boot"),
    _world({"delete": 1}, reports="end"),
    _world({"delete": 1}, reports="end", while_deleting="reads-answer"),
    _world({"power-cut": 1}),
    _world({"power-cut": 1}, flaw="self-test"),
    _world({"other-namespace": 1}, namespace="lab", hears="everything"),
    _world({"disconnect": 1}),
    _world({"disconnect": 1}, leap_when_unreachable="proceed"),
    _world({"delete": 1}, asks="configuration"),
    _world({"disconnect": 1, "lose-answer": 1}, reports="end"),
    _world({"delete": 1}, layout="single"),
    _world({"delete": 1}),
    _world({"delete": 1}, layout="swap", policy="finish-after-switch", flaw="self-test"),
    _world({"fail": 1, "power-cut": 1}, reports="end"),
    _world({"power-cut": 2}, asks="program"),
    _world({"cancel": 1, "lose-answer": 1}),
    _world({"delete": 1}, namespace="lab"),
    _world({"delete": 1, "create-again": 1}, reports="end"),
    _world({"power-cut": 2}, reports="end"),
    _world({"fail": 1, "delete": 1}, reports="end", layout="swap", policy="finish-after-switch"),
    _world({"delete": 1, "lose-answer": 1}, asks="program"),
    _world({"delete": 1, "create-again": 1}, again="other document", layout="single"),
    _world({"delete": 1, "delay": 1}, reports="end"),
    _world({"delete": 1, "lose-answer": 1}, reports="end"),
    _world({"delete": 1, "create-again": 1}, namespace="lab", reports="end"),
    _world({"delete": 1, "disconnect": 1}, reports="end"),
    _world({"delete": 1, "power-cut": 1}, policy="finish-after-switch", reports="end"),
    _world({"delete": 1, "create-again": 1, "lose-hint": 2}, reports="end"),
    _world({"delete": 1, "power-cut": 1}, layout="single", reports="end"),
)


def called(setup: Setup) -> str:
    """What is not as it is elsewhere, as the command line has it."""
    settings = setup.model_dump(mode="json", exclude_defaults=True, exclude={"bounds"})
    bounds = setup.bounds.model_dump(by_alias=True, exclude_defaults=True)
    return " ".join(f"{key}={value}" for key, value in (settings | bounds).items())
