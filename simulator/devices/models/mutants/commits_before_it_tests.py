"""A device that commits the new firmware as soon as it runs, and tests it then.

What boots at all is taken for good, lest the bootloader fall back (so Xerolux/HB-RF-ETH-ng, pull request 110). If the
self-test then fails, there is no way back any more: the device reports FAILED, and that it keeps what failed.
"""

from dataclasses import replace

from agent.plan import Plan
from simulator.devices.models.mutants.replanning import with_plans


def _commits_first(plan: Plan) -> Plan:
    test, commit = plan.index_of("self-test"), plan.index_of("commit")
    if not test < commit < len(plan.steps):
        return plan
    steps = list(plan.steps)
    steps.insert(test, steps.pop(commit))
    return replace(plan, steps=tuple(steps))


step = with_plans(_commits_first)
"""In its plans the commit comes before the self-test."""
