"""Stories of `alive`."""

from agent.device_events import BootReason, DeviceBooted, DeviceCrashed, ExecutionLeft
from tests.simulator.verdict.stories.scenes import at_work
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, Tale


@story("alive", "held", opportunities=1)
def keeps_talking(tale: Tale) -> None:
    at_work(tale)
    for _ in range(4):
        tale.wait(20)
        tale.update(FW)


@story("alive", "held")
def has_nothing_to_say(tale: Tale) -> None:
    tale.connect()
    tale.wait(100)


@story("alive", "held")
def loses_power_as_planned(tale: Tale) -> None:
    tale.connect()
    tale.disconnect("MQTT_KEEP_ALIVE_TIMEOUT", planned=True)


@story("alive", "violated", "device.crashed")
def crashes(tale: Tale) -> None:
    tale.connect()
    tale.device(DeviceCrashed("KeyError: 'c7'"))


@story("alive", "violated", "client.disconnected")
def lets_its_keep_alive_lapse(tale: Tale) -> None:
    tale.connect()
    tale.disconnect("MQTT_KEEP_ALIVE_TIMEOUT")


@story("alive", "violated", "request.received")
def falls_silent_at_work(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)
    tale.wait(31)


@story("alive", "not-exercised")
def never_connects(tale: Tale) -> None:
    tale.queue(FW)


def restarts(tale: Tale, times: int, why: BootReason = "reboot") -> None:
    for _ in range(times):
        tale.disconnect(planned=True)
        tale.device(DeviceBooted("1.0", why))
        tale.connect()


@story("alive", "held", opportunities=1)
def restarts_a_few_times_for_each_job(tale: Tale) -> None:
    at_work(tale)
    restarts(tale, 8)
    tale.device(ExecutionLeft(FW, "recovered"))
    restarts(tale, 8)


@story("alive", "held", opportunities=1)
def loses_its_power_again_and_again(tale: Tale) -> None:
    at_work(tale)
    restarts(tale, 20, "power-lost")


@story("alive", "violated", "device.booted", "device.booted")
def restarts_without_end(tale: Tale) -> None:
    at_work(tale)
    restarts(tale, 11)
