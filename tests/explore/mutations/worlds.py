"""Where a mutation is tried: worlds in which our agent holds, each with other trouble, the smallest first."""

from typing import Any, Final

from simulator.engines.explore.setup import Bounds, Setup


def world(bounds: dict[str, int], **settings: Any) -> Setup:
    """One, by what is not as usual."""
    return Setup.model_validate(settings | {"bounds": Bounds.model_validate(bounds)})


WORLDS: Final = (
    world({}, flaw="hash"),
    world({}, asks="program"),
    world({"fail": 1}, reports="end"),
    world({"fail": 2}, reports="end", layout="single"),
    world({"lose-hint": 2}),
    world({"delay": 1}, reports="end"),
    world({"lose-request": 1}, reports="end"),
    world({"lose-hint": 2}, namespace="lab"),
    world({"duplicate": 1}, reports="end"),
    world({"duplicate": 1}, namespace="lab", reports="end"),
    world({"lose-answer": 1}, namespace="lab", reports="end"),
    world({"delete-execution": 1}, reports="end"),
    world({"disconnect": 1}, namespace="lab", reports="end"),
    world({"lose-answer": 1}),
    world({"disconnect": 1}, asks="program"),
    world({"cancel": 1}, asks="program", reports="progress"),
    world({"power-cut": 1}, asks="program"),
    world({"power-cut": 1}, asks="restart"),
    world({"power-cut": 1}, asks="reboot"),
    world({"power-cut": 1, "journal-lost": 1}, asks="program"),
    world({"power-cut": 1, "journal-lost": 1}, asks="reboot"),
    world({"power-cut": 1}, asks="program", namespace="lab"),
    world({"power-cut": 1, "journal-lost": 1}, asks="program", namespace="lab"),
    world({"power-cut": 1, "journal-back": 1}, asks="program"),
    world({"lose-answer": 1}, reports="progress"),
    world({"delete": 1}, asks="program"),
    world({"early": 1}),
    world({"power-cut": 1}, asks="configuration"),
    world({"delete": 1}, asks="reboot"),
    world({"power-cut": 1}, layout="single"),
    world({"power-cut": 1}, layout="single", flaw="self-test"),
    world({"disconnect": 1}, layout="single", reports="end"),
    world({"power-cut": 1, "journal-lost": 1}, layout="single", flaw="self-test"),
    world({"power-cut": 1, "journal-lost": 1}, layout="single"),
    world({"power-cut": 1}, flaw="boot"),
    world({"delete": 1}, reports="end"),
    world({"delete": 1}, reports="end", while_deleting="reads-answer"),
    world({"power-cut": 1}),
    world({"power-cut": 1}, flaw="self-test"),
    world({"power-cut": 1, "journal-lost": 1}),
    world({"power-cut": 1, "journal-lost": 1}, namespace="lab"),
    world({"other-namespace": 1}, namespace="lab", hears="everything"),
    world({"power-cut": 1}, layout="swap", flaw="self-test"),
    world({"power-cut": 1, "journal-lost": 1}, layout="swap"),
    world({"power-cut": 1, "journal-lost": 1}, flaw="self-test"),
    world({"power-cut": 1, "journal-lost": 1}, layout="swap", flaw="self-test"),
    world({"disconnect": 1}),
    world({"disconnect": 1}, leap_when_unreachable="proceed"),
    world({"delete": 1}, asks="configuration"),
    world({"disconnect": 1, "lose-answer": 1}, reports="end"),
    world({"disconnect": 1, "lose-hint": 2}, reports="end"),
    world({"power-cut": 1, "lose-answer": 1, "journal-lost": 1}, asks="program"),
    world({"power-cut": 1, "cancel": 1, "journal-lost": 1}, asks="program"),
    world({"power-cut": 1, "lose-answer": 1, "journal-back": 1}, asks="program"),
    world({"delete": 1}, layout="single"),
    world({"delete": 1}),
    world({"delete": 1}, layout="swap", policy="finish-after-switch", flaw="self-test"),
    world({"fail": 1, "power-cut": 1}, reports="end"),
    world({"power-cut": 2}, asks="program"),
    world({"power-cut": 1, "disconnect": 1, "journal-lost": 1}, asks="program"),
    world({"cancel": 1, "lose-answer": 1}),
    world({"delete": 1}, namespace="lab"),
    world({"delete": 1, "create-again": 1}, reports="end"),
    world({"power-cut": 2}, reports="end"),
    world({"cancel": 1, "disconnect": 1}, reports="end"),
    world({"fail": 1, "delete": 1}, reports="end", layout="swap", policy="finish-after-switch"),
    world({"delete": 1, "lose-answer": 1}, asks="program"),
    world({"delete": 1, "create-again": 1}, again="other document", layout="single"),
    world({"delete": 1, "delay": 1}, reports="end"),
    world({"delete": 1, "lose-answer": 1}, reports="end"),
    world({"delete": 1, "create-again": 1}, namespace="lab", reports="end"),
    world({"delete": 1, "disconnect": 1}, reports="end"),
    world({"delete": 1, "power-cut": 1}, asks="reboot"),
    world({"delete": 1, "power-cut": 1, "journal-lost": 1}, asks="program"),
    world({"delete": 1, "power-cut": 1, "journal-lost": 1}, asks="reboot"),
    world({"delete": 1, "power-cut": 1}, policy="finish-after-switch", reports="end"),
    world({"delete": 1, "create-again": 1, "lose-hint": 2}, reports="end"),
    world({"delete": 1}, reports="end", next=True),
    world({"delete": 1, "lose-hint": 2}, namespace="lab", reports="end"),
    world({"delete": 1, "create-again": 1, "power-cut": 1, "journal-lost": 1}, asks="program"),
    world({"delete": 1, "power-cut": 1}, layout="single", reports="end"),
)


def called(setup: Setup) -> str:
    """What is not as it is elsewhere, as the command line has it."""
    settings = setup.model_dump(mode="json", exclude_defaults=True, exclude={"bounds"})
    bounds = setup.bounds.model_dump(by_alias=True, exclude_defaults=True)
    return " ".join(f"{key}={value}" for key, value in (settings | bounds).items())
