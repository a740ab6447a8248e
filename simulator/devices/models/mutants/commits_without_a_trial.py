"""A device that commits the new firmware before that has ever booted: it leaves its bootloader no way back.

MCUboot takes a confirmed image in the secondary slot for an upgrade that stays, and MCUmgr confirms any slot that it is
asked to (zephyrproject-rtos/zephyr, issue 56734): if the image then does not boot, the device is bricked. Of two slots
the bootloader still has the other one; a swap bootloader has nothing.
"""

from dataclasses import replace
from typing import Any

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Remember
from agent.core.record import Work
from agent.plan import Plan, in_order


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but in its plans the commit comes before the reboot."""
    machine, effects = reference(machine, event)
    work = getattr(machine.phase, "work", None)
    if isinstance(work, Work):
        phase: Any = machine.phase
        machine = replace(machine, phase=replace(phase, work=_reordered(work)))
    return machine, tuple(_remembering(effect) for effect in effects)


def _remembering(effect: Effect) -> Effect:
    if isinstance(effect, Remember) and effect.record.work is not None:
        return Remember(replace(effect.record, work=_reordered(effect.record.work)))
    return effect


def _reordered(work: Work) -> Work:
    return replace(work, plan=_commits_first(work.plan))


def _commits_first(plan: Plan) -> Plan:
    reboot, commit = plan.index_of("reboot"), plan.index_of("commit")
    if not reboot < commit < len(plan.steps):
        return plan
    steps = list(plan.steps)
    steps.insert(reboot, steps.pop(commit))
    return replace(plan, steps=in_order(steps))
