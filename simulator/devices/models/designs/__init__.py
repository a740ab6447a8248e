"""Correct devices that share nothing with our own agent's core: other ways to be right.

                    hears         finds work by              goes on when
    start-next      notify-next   start-next                 the report of the last step was accepted
    describe-update notify        $next, update, describe    a describe found the execution
    poller          nothing       $next, update, describe    the same, and asks while a step runs
    http-data-plane nothing       $next, update, describe    the same, from answers that say less

Each file of that name is a device's whole conversation. They have in common what any device must do with its hardware
(`working`), what an answer means (`conversation`), and what there is to know (`state`).
"""

from typing import Final

from simulator.devices.models.designs.describe_update import describe_update
from simulator.devices.models.designs.http_data_plane import http_data_plane
from simulator.devices.models.designs.poller import poller
from simulator.devices.models.designs.start_next import start_next
from simulator.devices.models.designs.state import start
from simulator.devices.models.model import Model

DESIGNS: Final[dict[str, Model]] = {
    "start-next": Model(start_next, start),
    "describe-update": Model(describe_update, start),
    "poller": Model(poller, start),
    "http-data-plane": Model(http_data_plane, start),
}
