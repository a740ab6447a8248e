"""The dangerous places that a run is told to reach."""

from typing import Literal, Self

from pydantic import model_validator

from simulator.scenario.parts import Name, OtherStep, Part, StepName
from simulator.verdict.model import PlaceName


class Place(Part):
    """A dangerous place that the run must reach, on every device that `job` targets (or on at least one).

    When the record of an execution of `job` was removed, the device
    deleted-before-start: had not begun it: the record was QUEUED to the last;
    deleted-in-step: was between the start and the end of `step`, then or when the service first said that it is gone;
    deleted-before-leap: had asked whether it may pass the point of no return, and not been answered;
    deleted-after-leap: had begun an irreversible step, and not reported the end;
    deleted-after-report-left: had sent its last report, whether that had arrived or not;
    deleted-while-offline: was not connected;
    deleted-while-rebooting: had begun a reboot, and was not up again;
    deleted-while-powerless: had no power;
    deleted-beside-another: had another execution in progress.

    deletion-refused: the service refused to delete `job` for the time being;
    fault-struck: the `fault` of that name struck a message of the device, whatever `job` that was about;
    cancelled-in-step: an execution of `job` was CANCELED between the start and the end of `step`;
    recovered: with `job` removed or being deleted, the device went IN_PROGRESS on another, or SUCCEEDED without that;
    succeeded: an execution of `job` ended SUCCEEDED;
    reused-id: it went IN_PROGRESS on a later incarnation of `job`, or SUCCEEDED without that;
    stale-update-after-recreation: an update meant for an earlier incarnation of `job` arrived once a later was queued;
    power-lost-in: the power went, with `job` in hand or just left, in `step`, or at `instant`;
    power-lost-before-publishing: it went between the journal's record of the report's being due, and the report;
    throttled-while-suspect: a question about `job` was throttled after a notification had left it out;
    failed-in-step: `step` of `job` failed: the image was refused, or did not pass its self-test;
    rolled-back: after the reboot into the new firmware of `job`, what had run before came up again;
    failed-unchanged: the device reported `job` FAILED, and ran what it had run when it took it;
    told-stale: the device was told that `job` is still there, after it was removed;
    told-too-early: it asked for work, and was told of none, although `job` was queued;
    answer-lost: the service answered a request about `job`, and the device never got to know;
    delivered-twice: one and the same update for `job` arrived twice;
    announced-after-deletion: a notification named `job` although the device had been told that it is gone;
    heard, never-heard: a notification of kind `hint` named `job`, or none did although the device was connected;
    heard-absence: a notification of kind `hint` left `job` out, after the device had heard of it or had taken it.

    Of devices that are not ours the wire shows less. They are in a step from when they first report it, until they
    report the end; their last report left when it arrived, less what the network kept it; what was published while they
    were connected they heard. Of places inside the device, leap, reboot, rollback, the wire shows nothing.
    """

    place: PlaceName
    """Which one."""
    job: Name
    """The id of the job that it is about."""
    step: StepName | OtherStep | None = None
    """Of a place in a step: which."""
    instant: str | None = None
    """Of power that is lost: at which instant."""
    hint: Literal["notify", "notify-next"] | None = None
    """Of what is heard, or not: which notification."""
    fault: Name | None = None
    """Of a fault that strikes: which."""
    devices: Literal["all", "any"] = "all"
    """Whether every device must reach it, or one is enough."""
    groups: tuple[Name, ...] = ()
    """Which groups must reach it; empty: all that the (first) job of this id targets."""
    models: tuple[str, ...] = ()
    """Which device models must reach it, where others may never get there; empty: all."""

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.hint is None) == (self.place in ("heard", "heard-absence", "never-heard")):
            raise ValueError("hint: needed where something is heard, or not, and only there")
        if (self.fault is None) == (self.place == "fault-struck"):
            raise ValueError("fault: needed of the place fault-struck, and only there")
        return self
