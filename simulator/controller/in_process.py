"""To a cloud in the same process: the control plane's operations, called as functions."""

from collections.abc import Mapping
from typing import Any

from simulator.cloud.api import ApiError, ControlPlane
from simulator.controller.hand import Refused
from simulator.scenario import Owner


class InProcess:
    """Calls `control_plane` (see `simulator.controller.hand.Carrier`)."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._planes: dict[Owner, ControlPlane] = {
            "customer": control_plane,
            "greengrass": control_plane.in_the_hand_of_aws(),
        }

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """Carry it out at once."""
        try:
            return dict(self._planes[by].call(operation, dict(parameters)))
        except ApiError as error:
            raise Refused(error.name, error.message) from None

    async def close(self) -> None:
        """Nothing to let go of."""
