"""The registry: things, groups, certificates, policies, templates, tags. No I/O, clock or randomness."""

from simulator.cloud.registry.records import (
    Attributes,
    Certificate,
    EventConfigurations,
    IndexingConfiguration,
    JobTemplate,
    Link,
    Policy,
    PolicyVersion,
    Tags,
    Thing,
    ThingGroup,
)
from simulator.cloud.registry.registry import Registry
from simulator.cloud.registry.registry_errors import RegistryError
from simulator.cloud.registry.tables import KINDS, RegistryChange, RegistryRecord

__all__ = [
    "KINDS",
    "Attributes",
    "Certificate",
    "EventConfigurations",
    "IndexingConfiguration",
    "JobTemplate",
    "Link",
    "Policy",
    "PolicyVersion",
    "Registry",
    "RegistryChange",
    "RegistryError",
    "RegistryRecord",
    "Tags",
    "Thing",
    "ThingGroup",
]
