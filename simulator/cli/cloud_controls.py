"""What may be pressed on the page of a cloud, whose devices are somebody else's: nothing is done to a device itself."""

from typing import Final

from simulator.cli.cloud_steering import CloudSteering
from simulator.cli.controls import ASKS, MOST_THINGS, jobs_offered, to_job, to_network
from simulator.engines.steering import NotDone
from simulator.page.orders import Deed, Offered, Order, Refused, ThingOffered

ASKED: Final[dict[Deed, str]] = {do: ASKS[do] for do in ("force-delete", "cancel-force")}


class CloudControls:
    """Carries orders out on a cloud (see `simulator.page.orders.Controls`)."""

    def __init__(self, steering: CloudSteering) -> None:
        self._steering = steering

    def offered(self) -> Offered:
        """What may be pressed now; nothing before the cloud listens, and when it is over."""
        steering = self._steering
        if not steering.can_act:
            return Offered()
        return Offered(
            jobs=jobs_offered(steering.jobs()),
            things=tuple(ThingOffered(thing=thing, may=("cut-network",)) for thing in steering.things()[:MOST_THINGS]),
            asks=ASKED,
        )

    async def carry_out(self, order: Order) -> str:
        """Do it; one sentence that says what was done. Raises Refused."""
        try:
            match order.do:
                case "force-delete" | "cancel" | "cancel-force" | "create-again":
                    return await to_job(self._steering, order)
                case "cut-network":
                    return to_network(self._steering, order)
                case _:
                    raise Refused("That is nothing that a cloud can do to devices that are not its own.")
        except NotDone as why:
            raise Refused(str(why)) from None
