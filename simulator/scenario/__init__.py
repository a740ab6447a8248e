"""A scenario: which devices, which jobs, which deletions, and what is expected.

Scenarios are YAML files, parsed once into these models; nothing downstream checks them again. The ones that ship
are in `simulator/scenarios/`. A wrong key or value is an InputError that names file, line, key and the choices.
"""

from simulator.scenario.differences import Connection, Differences, DutyCycle, Reboots
from simulator.scenario.parts import (
    After,
    Deletion,
    Group,
    ImageProperties,
    Instant,
    Intervention,
    JobSpec,
    Name,
    Outage,
    Owner,
    PowerCut,
    Timings,
    When,
)
from simulator.scenario.places import Place
from simulator.scenario.reading import load, parse, shipped
from simulator.scenario.spread import Spread
from simulator.scenario.whole import Scenario, agents, thing_names, thing_of_agent
from simulator.verdict.bounds import Bounds
from simulator.verdict.model import PlaceName

__all__ = [
    "After",
    "Bounds",
    "Connection",
    "Deletion",
    "Differences",
    "DutyCycle",
    "Group",
    "ImageProperties",
    "Instant",
    "Intervention",
    "JobSpec",
    "Name",
    "Outage",
    "Owner",
    "Place",
    "PlaceName",
    "PowerCut",
    "Reboots",
    "Scenario",
    "Spread",
    "Timings",
    "When",
    "agents",
    "load",
    "parse",
    "shipped",
    "thing_names",
    "thing_of_agent",
]
