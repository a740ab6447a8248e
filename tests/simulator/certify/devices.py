"""What may be learned of devices, for tests of what is made of that; none of them runs."""

from typing import Any, Final

from simulator.certify.learning import Learned, Report


def _reports(*said: tuple[str, str, float]) -> tuple[Report, ...]:
    """Status, step (empty: none) and seconds of each."""
    return tuple(Report(status, (("step", step),) if step else (), seconds) for status, step, seconds in said)


STEPS: Final = ("download", "write", "verify", "commit")


def stepping(gap: float = 1.0, take: float = 0.05, key: str = "step") -> tuple[Report, ...]:
    """A report of each step as it begins, and of the end, so many seconds apart."""
    reports = [("IN_PROGRESS", "", take), *(("IN_PROGRESS", step, take + gap * n) for n, step in enumerate(STEPS, 0))]
    told = _reports(*reports, ("SUCCEEDED", "", take + gap * len(STEPS)))
    return tuple(Report(said.status, tuple((key, text) for _, text in said.details), said.seconds) for said in told)


def learned(**more: Any) -> Learned:
    """Start-next over MQTT, four steps of a second, all of them reported."""
    usual: dict[str, Any] = {
        "carrier": "mqtt",
        "takes_by": "start-next",
        "namespace_id": None,
        "clients": ("pump",),
        "asks_on_connect": ("start-next",),
        "listens": ("notify", "notify-next"),
        "polls_seconds": None,
        "take_seconds": 0.05,
        "work_seconds": 4.0,
        "longest_gap_seconds": 1.0,
        "reports": stepping(),
        "step_key": "step",
        "sends_tokens": True,
        "sends_expected_version": True,
    }
    return Learned(**usual | more)


SILENT: Final = _reports(("IN_PROGRESS", "", 0.05), ("SUCCEEDED", "", 4.05))
POLLING: Final[dict[str, Any]] = {"listens": (), "polls_seconds": 30.0, "take_seconds": 20.0}

DEVICES: Final[dict[str, Learned]] = {
    "start-next": learned(),
    "describe-update": learned(takes_by="describe-update", asks_on_connect=("describe",), listens=("notify",)),
    "update": learned(takes_by="update", listens=("notify-next",)),
    "poller": learned(takes_by="describe-update", asks_on_connect=("describe",), **POLLING),
    "http-only": learned(carrier="http", clients=("pump",), sends_tokens=False, **POLLING),
    "silent": learned(reports=SILENT, step_key=None, longest_gap_seconds=4.0),
    "namespaced": learned(namespace_id="lab", listens=("notify", "notify-next", "notify-documented")),
    "greengrass": learned(namespace_id="aws-gg-deployment", takes_by="describe-update", listens=("notify",)),
    "slow": learned(reports=stepping(40.0, 5.0), take_seconds=5.0, work_seconds=160.0, longest_gap_seconds=40.0),
    "other-words": learned(reports=stepping(key="phase"), step_key="phase"),
    "one-report": learned(
        reports=_reports(("IN_PROGRESS", "", 0.05), ("IN_PROGRESS", "", 2.0), ("SUCCEEDED", "", 4.05)), step_key=None
    ),
}
