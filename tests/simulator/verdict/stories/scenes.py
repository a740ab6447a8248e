"""Scenes that stories of several invariants begin with, or consist of."""

from agent.device_events import DeviceBooted, ExecutionLeft, ExecutionTaken, PhaseChanged, VersionCommitted
from agent.values import ExecutionKey
from simulator.trace import ExecutionChanged
from tests.simulator.verdict.tale import FW, FW_AGAIN, Tale

RNF = "ResourceNotFound"
CANCELED = {"code": "InvalidStateTransition", "status": "CANCELED"}
LAB = ExecutionKey("lab", "fw-lab", 1, 100)


def at_work(tale: Tale) -> None:
    """Connected, and through the first step of its job."""
    tale.queue(FW)
    tale.connect()
    tale.take(FW)
    tale.step(FW, "download")


def silently_at_work(tale: Tale) -> None:
    """The same, by a device that tells nothing of itself but what its hardware and its network see."""
    tale.queue(FW)
    tale.connect()
    token = tale.send("start-next")
    tale.arrive(token, found=FW)
    tale.cloud(ExecutionChanged(tale.thing, FW, "IN_PROGRESS", 2, "device"))
    tale.answer(token, found=FW, status="IN_PROGRESS")
    tale.step(FW, "download")


def lost_in_write(tale: Tale) -> None:
    """The record is removed in the middle of the second step."""
    at_work(tale)
    tale.begin(FW, "write")
    tale.wait(0.05)
    tale.update(FW)
    tale.remove(FW)


def recovers_from_write(tale: Tale) -> None:
    lost_in_write(tale)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write", "download")


def leapt(tale: Tale, version: str = "2.0") -> None:
    """Past the point of no return, not reported."""
    tale.hardware("1.0", "download")
    at_work(tale)
    tale.step(FW, "write")
    tale.leap(FW, version)


def on_trial(tale: Tale, key: ExecutionKey = FW, version: str = "2.0") -> None:
    """Through the download, written to the other slot, and booted, but not committed."""
    if key == FW:
        tale.hardware("1.0", "download")
        at_work(tale)
    tale.step(key, "write")
    tale.begin(key, "reboot")
    tale.disconnect(planned=True)
    tale.device(DeviceBooted(version, "reboot", on_trial=True))
    tale.hardware(version, "trial running")
    tale.connect()


def falls_back(tale: Tale) -> None:
    """Booted anew from what ran before the trial, with nothing left of it."""
    tale.disconnect(planned=True)
    tale.device(DeviceBooted("1.0", "reboot"))
    tale.hardware("1.0")
    tale.connect()


def writes_the_only_slot(tale: Tale) -> None:
    """The new image written over the old one, and booted."""
    tale.hardware("1.0", "download")
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "write", reversible=False)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.finish(FW, "write")
    tale.begin(FW, "reboot")
    tale.disconnect(planned=True)
    tale.device(DeviceBooted("2.0", "reboot"))
    tale.hardware("2.0")
    tale.connect()


def ends_its_test(tale: Tale, outcome: str = "done", key: ExecutionKey = FW) -> None:
    """The self-test of whatever runs."""
    tale.begin(key, "self-test")
    tale.finish(key, "self-test", outcome)


def commits_what_is_on_trial(tale: Tale, key: ExecutionKey = FW, version: str = "2.0") -> None:
    """With leave, the new image is made to stay."""
    tale.ask(key)
    tale.begin(key, "commit", reversible=False)
    tale.hardware(version)
    tale.device(VersionCommitted(key, version))
    tale.finish(key, "commit")


def keeps_without_a_job(tale: Tale) -> None:
    """The update was installed; its execution is gone."""
    leapt(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW), ExecutionLeft(FW, "kept"))
    tale.device(PhaseChanged("idle", "recovering"))


def main_job(tale: Tale) -> None:
    """The main job: lost in mid-write, recovered, and the next one under the same id brought to its end."""
    tale.hardware("1.0", "download 2.0")
    lost_in_write(tale)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.hardware("1.0")
    tale.undo(FW, "write", "download")
    tale.queue(FW_AGAIN)
    tale.device(ExecutionTaken(FW_AGAIN))
    tale.take(FW_AGAIN)
    tale.step(FW_AGAIN, "download")
    on_trial(tale, FW_AGAIN, "2.1")
    ends_its_test(tale, key=FW_AGAIN)
    commits_what_is_on_trial(tale, FW_AGAIN, "2.1")
    tale.report(FW_AGAIN)
