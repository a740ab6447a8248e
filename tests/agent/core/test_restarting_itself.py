"""A program that is to restart the agent, or the machine, has done it when another agent begins, and not before."""

import pytest

from agent.abilities import Abilities
from agent.core import DevicePolicy
from agent.core.events import BeginStep, Booted, Verified
from agent.core.record import Record, Work
from agent.core.state import Executing, Reporting
from agent.device_events import ExecutionTaken
from agent.documents import plan_of
from agent.plan import Plan
from agent.values import JobDocument, Status, Update
from tests.agent.core.driver import Driver, execution, key

ABILITIES = Abilities(service="ghost")


def document(*commands: str) -> JobDocument:
    actions = [{"name": f"step {n}", "type": "runCommand", "input": {"command": c}} for n, c in enumerate(commands)]
    return JobDocument.of({"version": "1.0", "steps": [{"action": action} for action in actions]})


def interrupted(told: JobDocument, *, begun: int, rebooted: bool) -> Driver:
    """A device that comes back with this document in hand, of which so many steps had begun, the last one not ended."""
    plan = plan_of(told, ABILITIES)
    assert isinstance(plan, Plan)
    device = Driver()
    work = Work(key(), plan, told.digest, 0, begun - 1, begun)
    device(Booted(Record(work), "1.0", rebooted=rebooted))
    device.connect()
    device.tell(execution(key(), document=told))
    return device


@pytest.mark.parametrize(
    ("command", "rebooted", "status"),
    [
        pytest.param("systemctl,restart,ghost", False, Status.SUCCEEDED, id="the agent, which was restarted"),
        pytest.param("systemctl,restart,ghost", True, Status.FAILED, id="the agent, which the whole machine took down"),
        pytest.param("reboot", True, Status.SUCCEEDED, id="the machine, which was rebooted"),
        pytest.param("reboot", False, Status.FAILED, id="the machine, of which only the agent was restarted"),
        pytest.param("systemctl,restart,other", False, Status.FAILED, id="another service"),
    ],
)
def test_the_next_agent_finds_that_it_was_done_or_that_it_may_not_be_done_twice(
    command: str, rebooted: bool, status: Status
):
    device = interrupted(document(command), begun=1, rebooted=rebooted)
    if status is Status.FAILED:
        device(Verified(True))
    assert isinstance(device.phase, Reporting)
    assert isinstance(device.request, Update)
    assert device.request.status is status
    assert device.all(BeginStep) == [], "nothing is done twice"


@pytest.mark.parametrize(
    ("action", "may_befall"),
    [
        pytest.param({"type": "runHandler", "input": {"handler": "reboot.sh"}}, True, id="a reboot"),
        pytest.param({"type": "runCommand", "input": {"command": "reboot"}}, True, id="a program that reboots"),
        pytest.param({"type": "runCommand", "input": {"command": "systemctl,restart,ghost"}}, False, id="of the agent"),
        pytest.param({"type": "runCommand", "input": {"command": "true"}}, False, id="any other program"),
    ],
)
def test_what_a_restart_does_by_itself_is_told_as_it_is_taken(action: dict[str, object], may_befall: bool):
    told = JobDocument.of({"version": "1.0", "steps": [{"action": {"name": "now", **action}}]})
    device = Driver(DevicePolicy(abilities=ABILITIES))
    device(Booted(Record(), "1.0"))
    device.connect()
    device.tell(execution(key(), document=told))
    (taken,) = device.told(ExecutionTaken)
    assert taken.restarts == (("now",) if may_befall else ())


def test_the_steps_after_it_are_done_by_the_next_agent():
    device = interrupted(document("true", "systemctl,restart,ghost", "echo,done"), begun=2, rebooted=False)
    device.accept(3)
    device.accept(4)
    device.tell(execution(key(), version=4, document=None))
    assert isinstance(device.phase, Executing)
    assert [begin.step.name for begin in device.all(BeginStep)] == ["step 2"]


def test_a_restart_that_had_not_begun_is_yet_to_be_done():
    told = document("systemctl,restart,ghost")
    plan = plan_of(told, ABILITIES)
    assert isinstance(plan, Plan)
    device = Driver()
    device(Booted(Record(Work(key(), plan, told.digest, 0)), "1.0", rebooted=False))
    device.connect()
    device.tell(execution(key(), document=told))
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    assert [begin.step.name for begin in device.all(BeginStep)] == ["step 0"]
