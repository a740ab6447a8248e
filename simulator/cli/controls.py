"""What may be pressed on the page of a run, and what a press does: orders to its steering, and what is said to them."""

from collections.abc import Iterable
from typing import Final, Protocol, assert_never

from simulator.engines.jobs_there import JobThere, Standing
from simulator.engines.steering import CUT_SECONDS, NotDone, Steering
from simulator.page.orders import Deed, JobOffered, Offered, Order, Refused, ThingOffered

OF_JOBS: Final[dict[Standing, tuple[Deed, ...]]] = {
    "open": ("force-delete", "cancel", "cancel-force"),
    "cancelled": ("force-delete",),
    "over": ("force-delete",),
    "going": (),
    "gone": ("create-again",),
}
MOST_THINGS: Final = 100
"""So many devices have buttons: the first, and before them those without power."""
LONGEST_CUT_SECONDS: Final = 3600.0
ASKS: Final[dict[Deed, str]] = {
    "force-delete": "It is gone at once, whatever devices are at, and they have to find out.",
    "cancel-force": "Whoever is at work on it is to stop.",
    "cut-power": "What it has in memory is lost. It stays off until you give the power back.",
    "end": "Nobody can go on with this run.",
}


class OfJobs(Protocol):
    """Who does something to jobs; each raises NotDone."""

    async def take_away(self, job_id: str) -> None:
        """Force-delete it."""

    async def cancel(self, job_id: str, *, force: bool) -> None:
        """Cancel it: what is queued of it, or, by force, what is in progress, too."""

    async def create_again(self, job_id: str) -> int:
        """Create it under the same id and with the same document; for how many devices."""


class OfNetworks(Protocol):
    """Who cuts networks."""

    def cut_network(self, thing: str, seconds: float) -> None:
        """Have nothing come through to or from a thing for so long. Raises NotDone."""


def jobs_offered(jobs: Iterable[JobThere]) -> tuple[JobOffered, ...]:
    """Those to which something may be done."""
    return tuple(
        JobOffered(job=each.job, namespace=each.namespace, may=OF_JOBS[each.standing])
        for each in jobs
        if OF_JOBS[each.standing]
    )


async def to_job(jobs: OfJobs, order: Order) -> str:
    """Do one of `OF_JOBS`; what was done. Raises NotDone."""
    job = order.job
    match order.do:
        case "force-delete":
            await jobs.take_away(job)
            return f"{job} is being force-deleted."
        case "cancel":
            await jobs.cancel(job, force=False)
            return f"{job} is cancelled where it had not begun; who is at work on it may finish."
        case "cancel-force":
            await jobs.cancel(job, force=True)
            return f"{job} is cancelled, by force."
        case _:
            count = await jobs.create_again(job)
            return f"{job} was created again, with the same document, for {_devices(count)}."


def to_network(networks: OfNetworks, order: Order) -> str:
    """Cut it; what was done. Raises NotDone, Refused."""
    seconds = CUT_SECONDS if order.number is None else order.number
    if not 0 < seconds <= LONGEST_CUT_SECONDS:
        raise Refused(f"A network can be cut for up to {LONGEST_CUT_SECONDS:g} s.")
    networks.cut_network(order.thing, seconds)
    return f"Nothing comes through to {order.thing} for {seconds:g} s."


class RunControls:
    """Carries orders out on a run (see `simulator.page.orders.Controls`)."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering

    def offered(self) -> Offered:
        """What may be pressed now; nothing before the run has begun, and when it is over."""
        steering = self._steering
        if not steering.can_act:
            return Offered(slow=steering.slow)
        return Offered(
            jobs=jobs_offered(steering.jobs.all()),
            things=tuple(
                ThingOffered(thing=thing, may=("cut-power", "cut-network") if has_power else ("restore-power",))
                for thing, has_power in sorted(steering.things, key=_without_power_first)[:MOST_THINGS]
            ),
            also=("go" if steering.stands_at else "pause", "slow", "create-job", "add-device", "end"),
            paused_at=steering.stands_at,
            slow=steering.slow,
            asks=ASKS,
        )

    async def carry_out(self, order: Order) -> str:
        """Do it; one sentence that says what was done. Raises Refused."""
        try:
            return await self._done(order)
        except NotDone as why:
            raise Refused(str(why)) from None

    async def _done(self, order: Order) -> str:
        match order.do:
            case "force-delete" | "cancel" | "cancel-force" | "create-again":
                return await to_job(self._steering, order)
            case "create-job":
                made = await self._steering.create_next(order.job)
                return f"Created {' and '.join(each.id for each in made)}, version {made[0].version}."
            case "cut-power" | "restore-power" | "cut-network" | "add-device":
                return await self._to_device(order)
            case "pause" | "go" | "slow" | "end":
                return self._to_run(order)
            case _:
                assert_never(order.do)

    async def _to_device(self, order: Order) -> str:
        steering, thing = self._steering, order.thing
        match order.do:
            case "cut-power":
                steering.cut_power(thing)
                return f"{thing} has no power."
            case "restore-power":
                steering.restore_power(thing)
                return f"{thing} has power again, and boots."
            case "cut-network":
                return to_network(steering, order)
            case _:
                return f"{await steering.add_device(thing)} joins, and takes the next job."

    def _to_run(self, order: Order) -> str:
        steering = self._steering
        match order.do:
            case "pause":
                steering.pause()
                return "It stands still."
            case "go":
                steering.go()
                return "It goes on."
            case "slow":
                if order.number is None:
                    raise Refused("Say how many times slower.")
                steering.slow_down(order.number)
                return "It goes as by itself." if order.number == 1 else f"It goes {order.number:g} times slower."
            case _:
                steering.end()
                return "It ends."


def _without_power_first(each: tuple[str, bool]) -> bool:
    return each[1]


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count} devices"
