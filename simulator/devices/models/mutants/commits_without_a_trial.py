"""A device that commits the new firmware before that has ever booted: it leaves its bootloader no way back.

MCUboot takes a confirmed image in the secondary slot for an upgrade that stays, and MCUmgr confirms any slot that it is
asked to (zephyrproject-rtos/zephyr, issue 56734): if the image then does not boot, the device is bricked. Of two slots
the bootloader still has the other one; a swap bootloader has nothing.
"""

from dataclasses import replace

from agent.plan import Plan, in_order
from simulator.devices.models.mutants.replanning import with_plans


def _commits_first(plan: Plan) -> Plan:
    reboot, commit = plan.index_of("reboot"), plan.index_of("commit")
    if not reboot < commit < len(plan.steps):
        return plan
    steps = list(plan.steps)
    steps.insert(reboot, steps.pop(commit))
    return replace(plan, steps=in_order(steps))


step = with_plans(_commits_first)
"""In its plans the commit comes before the reboot."""
