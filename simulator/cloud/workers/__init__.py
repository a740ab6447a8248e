"""Processes that hold MQTT clients' connections for the one that has the broker: they accept, do TLS, read and write.

link        what the two say to each other, many things in one write
holder      the process that holds connections
carried     one of them, as the cloud's own process has it: a transport of asyncio's
crew        those processes: how they begin and end, and what becomes of one that dies
"""

from simulator.cloud.workers.crew import Crew, Door

__all__ = ["Crew", "Door"]
