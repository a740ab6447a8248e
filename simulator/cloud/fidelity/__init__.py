"""Every claim that the local service makes of AWS IoT Jobs, as data: what, how it is known, and what can be set.

A module an area. Each claim is proven by a test in `tests/fidelity`, which names it: `@proves("claim-id")`.
"""

from typing import Final

from simulator.cloud.fidelity import (
    control_plane,
    data_plane,
    deletion,
    deletion_calls,
    device_api,
    events,
    gateway,
    jobs,
    notifications,
    topics,
)
from simulator.cloud.fidelity.claim import HONEST_LINE, TAGS, Claim, Section, Setting

CLAIMS: Final[tuple[Claim, ...]] = (
    *topics.CLAIMS,
    *device_api.CLAIMS,
    *notifications.CLAIMS,
    *gateway.CLAIMS,
    *control_plane.CLAIMS,
    *deletion_calls.CLAIMS,
    *data_plane.CLAIMS,
    *jobs.CLAIMS,
    *deletion.CLAIMS,
    *events.CLAIMS,
)

__all__ = ["CLAIMS", "HONEST_LINE", "TAGS", "Claim", "Section", "Setting"]
