"""The device core: `step(machine, event) -> (machine, effects)`, without clock, randomness, sockets or files.

`events` is what goes in and out, `state` what a device knows, `machine` where to start reading.
"""

from agent.core.machine import start, step
from agent.core.state import DevicePolicy, Machine

__all__ = ["DevicePolicy", "Machine", "start", "step"]
