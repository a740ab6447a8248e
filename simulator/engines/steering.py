"""What somebody does to a play while it goes on: by a button, by a key.

    who presses ──► Steering ──► the controller's hand     delete, cancel, create
                             ──► a device's hardware       its power
                             ──► the cloud's network       cuts of it
                             ──► the play's time           slower, held, on
                             ──► the casting               one device more

None of that is held against a device: a deletion is one like the scenario's, a power cut is the hardware's own, and
what else happens stands in the trace, with `WHY`.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from agent.errors import GhostjobError
from simulator.controller.controller import ControllerCommand
from simulator.controller.hand import Refused
from simulator.devices.device import SimulatedDevice
from simulator.engines.cues import Cue
from simulator.engines.ensemble import Ensemble
from simulator.engines.jobs_there import JobsThere, Standing
from simulator.engines.next_job import next_jobs
from simulator.engines.play_time import SLOWEST, PlayTime
from simulator.engines.standing_still import StandingStill, at_work
from simulator.pace import Pace
from simulator.scenario import Group, Intervention, JobSpec, thing_of_agent
from simulator.trace import DeviceJoined, Entry

WHY: Final = "asked for on the page"
FAULT: Final = "asked-for-on-the-page"
"""What the trace calls a network that was cut so."""
CUT_SECONDS: Final = 5.0
"""So long the network stays away if nobody says how long."""
REST_SECONDS: Final = 5.0
MADE: Final = 100
"""So many jobs are remembered that were made: the last of them."""
MOST_JOINED: Final = 100
"""So many devices may join."""
STANDS: Final[dict[Standing, str]] = {
    "open": "has yet to be done by some device",
    "cancelled": "is cancelled already",
    "over": "is over",
    "going": "is being deleted",
    "gone": "is gone",
}
NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class NotDone(GhostjobError):  # noqa: N818 - an answer, no fault
    """It cannot be done; the message is a sentence that says why."""


class Means(Protocol):
    """What a venue has for it."""

    @property
    def time(self) -> PlayTime:
        """What the play goes by."""

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing for so long, by the machine's time; `name` is what the trace calls that."""


class Steering:
    """Of one play. `pauses`: it stops where it is dangerous. `is_open`: it goes on until somebody ends it.

    Then devices that have done all they had to rest for `rest_seconds` of the play's time before their next job comes.
    """

    def __init__(
        self, means: Means, *, pauses: bool = False, is_open: bool = False, rest_seconds: float = REST_SECONDS
    ) -> None:
        self.rest_seconds = rest_seconds
        self._means = means
        self._pauses = pauses
        self.is_open = is_open
        self.has_ended = False
        """Somebody has ended the play."""
        self.jobs = JobsThere()
        self._all: Ensemble | None = None
        self._standing: StandingStill | None = None
        self._is_over = False
        self._taken_away: set[str] = set()
        """Jobs that somebody deleted before the scenario did."""
        self._joined: set[str] = set()
        """Devices that have joined, or are about to."""

    # ── what the play says ────────────────────────────────────────────────────────────────────────────────────

    def begin(self, ensemble: Ensemble) -> None:
        """The play goes on."""
        self._all = ensemble
        self._standing = StandingStill(self._means.time, ensemble.stage.changed, ensemble.record)

    def close(self) -> None:
        """Nothing more can be done to it."""
        self._is_over = True
        if self._standing is not None and self._standing.at:
            self._standing.go_on("the play is over")

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        self.jobs.feed(entry)

    async def before(self, cue: Cue, pace: Pace) -> bool:
        """Wait where it is dangerous, if that is wanted; whether the cue is still to be carried out."""
        if self._pauses and self._standing is not None:
            await self._standing.before(cue, pace, lambda: self._is_due(cue))
        return self._is_due(cue)

    def _is_due(self, cue: Cue) -> bool:
        """Whether nobody did it already."""
        return isinstance(cue.what, Intervention) or cue.what.job not in self._taken_away

    # ── what is there ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def can_act(self) -> bool:
        """Whether the play has begun, and is not over."""
        return self._all is not None and self._all.players.fleet is not None and not self._is_over

    @property
    def stands_at(self) -> str:
        """Where it stands still, in words; empty while it goes on."""
        return "" if self._standing is None else self._standing.at

    @property
    def slow(self) -> float:
        """How many times slower than by itself it goes."""
        return self._means.time.slow

    @property
    def things(self) -> tuple[tuple[str, bool], ...]:
        """Every thing, and whether it has power, as far as that is in somebody's hand."""
        if not self.can_act:
            return ()
        unplugged = {thing_of_agent(device.thing) for device in self._devices() if device.is_unplugged}
        return tuple((thing, thing not in unplugged) for thing, _ in self._ensemble.casting.things)

    @property
    def namespaces(self) -> tuple[str | None, ...]:
        """Those in which devices listen."""
        return tuple(dict.fromkeys(group.namespace for _, group in self._ensemble.casting.agents))

    def things_in(self, namespace: str | None) -> tuple[tuple[str, bool], ...]:
        """The things with an agent in that namespace, and whether each has power."""
        there = {thing_of_agent(name) for name, group in self._ensemble.casting.agents if group.namespace == namespace}
        return tuple(each for each in self.things if each[0] in there)

    def open_jobs(self, namespace: str | None) -> Counter[str]:
        """How many jobs of that namespace each thing has yet to do, what was asked for but not queued among them."""
        stage = self._ensemble.stage
        found = Counter(thing for thing, key in stage.open if key.namespace_id == namespace)
        if stage.to_come:
            found.update(thing for thing, _ in self.things_in(namespace))
        return found

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until a change of the play after which that holds."""
        await self._ensemble.stage.until(holds)

    async def sleep(self, seconds: float) -> None:
        """Wait so long by the play's time."""
        await self._ensemble.pace.sleep(seconds)

    @property
    def _ensemble(self) -> Ensemble:
        if self._all is None or self._all.players.fleet is None:
            raise NotDone("The play has not begun yet.")
        if self._is_over:
            raise NotDone("The play is over.")
        return self._all

    def _devices(self, thing: str = "") -> list[SimulatedDevice]:
        """Those of a thing, or all. Raises NotDone."""
        fleet = self._ensemble.players.fleet
        assert fleet is not None, "there are devices by now"
        found = [device for device in fleet.devices if not thing or thing_of_agent(device.thing) == thing]
        if not found:
            raise NotDone(f"There is no device {thing}.")
        return found

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def take_away(self, job_id: str, why: str = WHY) -> None:
        """Force-delete a job. Raises NotDone."""
        spec = self._there(job_id, "open", "cancelled", "over")
        self._taken_away.add(job_id)
        try:
            await self._carry_out(ControllerCommand("delete-job", job_id, True, spec.namespace), why)
        except NotDone:
            self._taken_away.discard(job_id)
            raise

    async def cancel(self, job_id: str, *, force: bool) -> None:
        """Cancel a job: what is queued of it, or, by force, what is in progress, too. Raises NotDone."""
        spec = self._there(job_id, "open")
        await self._carry_out(ControllerCommand("cancel-job", job_id, force, spec.namespace), WHY)
        for cue in self._ensemble.cues.all:
            if cue.what.job == job_id and cue.holding is not None and not cue.is_done:
                cue.holding.end()  # what they are held for may never come now

    async def create_again(self, job_id: str) -> int:
        """Create a job that is gone, under the same id and with the same document; for how many. Raises NotDone."""
        return await self._create(self._there(job_id, "gone"))

    async def create_next(
        self, job_id: str = "", namespaces: tuple[str | None, ...] | None = None
    ) -> tuple[JobSpec, ...]:
        """Create an update for all devices, in each of the namespaces one job; which. Raises NotDone."""
        if job_id and not NAME.fullmatch(job_id):
            raise NotDone("A job's id here is up to 64 letters, digits, hyphens and underscores.")
        all_ = self._ensemble
        wanted = self.namespaces if namespaces is None else namespaces
        groups = [group for _, group in all_.casting.agents if group.namespace in wanted]
        specs = next_jobs(all_.made.values(), groups, job_id)
        for spec in specs:
            if self.jobs.standing(spec.id) not in (None, "gone"):
                raise NotDone(f"There is a job {spec.id} already.")
        for spec in specs:
            await self._create(spec)
        return specs

    async def _create(self, spec: JobSpec) -> int:
        all_ = self._ensemble
        targets = all_.casting.targets(spec)
        if not targets:
            raise NotDone(f"There is no device for {spec.id}.")
        all_.stage.join(job=spec.id)
        all_.casting.jobs |= {spec.id}
        all_.stage.ask_for(spec.id, len(targets))  # before it is asked for, so that nobody finds the play over
        try:
            document, rate = spec.job_document(), spec.rollout_per_minute
            await all_.controller.create_job(spec.id, targets, document, spec.namespace, spec.by, rate)
        except Refused as refused:
            all_.stage.ask_for(spec.id, -len(targets))
            all_.stage.changed.set()
            raise NotDone(f"The service refused {spec.id}: {refused}") from None
        all_.made.pop(spec.id, None)
        all_.made[spec.id] = spec
        for job_id in tuple(all_.made)[:-MADE]:
            del all_.made[job_id]
        self._taken_away.discard(spec.id)
        return len(targets)

    def _there(self, job_id: str, *wanted: Standing) -> JobSpec:
        spec, standing = self._ensemble.made.get(job_id), self.jobs.standing(job_id)
        if spec is None or standing is None:
            raise NotDone(f"There is no job {job_id}.")
        if standing not in wanted:
            raise NotDone(f"{job_id} {STANDS[standing]}.")
        return spec

    async def _carry_out(self, command: ControllerCommand, why: str) -> None:
        try:
            await self._ensemble.controller.carry_out(command, why=why)
        except Refused as refused:
            raise NotDone(f"The service refused: {refused}") from None

    # ── devices ───────────────────────────────────────────────────────────────────────────────────────────────

    def cut_power(self, thing: str) -> None:
        """Take a device's power away, at whatever it is. Raises NotDone."""
        for device in (devices := self._devices(thing)):
            if device.is_unplugged:
                raise NotDone(f"{thing} has no power as it is.")
        for device in devices:
            device.unplug(WHY)
        self._ensemble.stage.changed.set()

    def restore_power(self, thing: str) -> None:
        """Give it back. Raises NotDone."""
        for device in (devices := self._devices(thing)):
            if not device.is_unplugged:
                raise NotDone(f"{thing} has power.")
        for device in devices:
            device.plug_in()
        self._ensemble.stage.changed.set()

    def cut_network(self, thing: str, seconds: float = CUT_SECONDS) -> None:
        """Have nothing come through to or from a thing for so long. Raises NotDone."""
        self._devices(thing)
        self._means.cut_off(thing, seconds, FAULT)

    async def add_device(self, name: str = "") -> str:
        """Have one more play, which takes the next job; its name. Raises NotDone."""
        all_ = self._ensemble
        there = list(dict.fromkeys([*(thing for thing, _ in all_.casting.things), *sorted(self._joined)]))
        thing, (like, group) = name or _next_name(there), self._to_be_like(len(there))
        if not NAME.fullmatch(thing):
            raise NotDone("A device's name here is up to 64 letters, digits, hyphens and underscores.")
        if thing in there:
            raise NotDone(f"There is a {thing} already.")
        if len(self._joined) == MOST_JOINED:
            raise NotDone(f"{MOST_JOINED} devices have joined, and no more may.")
        self._joined.add(thing)  # before it is asked for, so that of two presses at once each has its own
        try:
            await all_.hand.create_thing(thing)
        except BaseException as error:
            self._joined.discard(thing)
            if isinstance(error, Refused):
                raise NotDone(f"The service refused {thing}: {error}") from None
            raise
        all_.record(DeviceJoined(thing, like, WHY))
        all_.stage.join(thing=thing)
        all_.casting.join(thing, group)
        all_.players.join(thing, group)
        return thing

    def _to_be_like(self, number: int) -> tuple[str, Group]:
        """In whose part the device of that number plays: those that share their thing with others are left out."""
        alone = [each for each in self._ensemble.casting.things if not each[1].beside]
        if not alone:
            raise NotDone("The devices of this play share their things with others, and none can join.")
        groups = list(dict.fromkeys(group.group for _, group in alone))
        wanted = groups[number % len(groups)]
        return next(each for each in alone if each[1].group == wanted)

    # ── the play ──────────────────────────────────────────────────────────────────────────────────────────────

    def pause(self) -> None:
        """Have it stand still. Raises NotDone."""
        devices = self._devices()
        assert self._standing is not None, "it has begun"
        if self._standing.at:
            raise NotDone("It stands still already.")
        self._standing.stop(at_work(devices), WHY)

    def go(self, why: str = WHY) -> None:
        """Have it go on. Raises NotDone."""
        if self._standing is None or not self._standing.at:
            raise NotDone("It does not stand still.")
        self._standing.go_on(why)

    @property
    def is_cut_short(self) -> bool:
        """Whether somebody has ended a play that has an end of its own."""
        return self.has_ended and not self.is_open

    @property
    def must_go_on(self) -> bool:
        """Whether the play cannot be over yet: nobody has ended it, it stands still, or a device has no power."""
        if self.has_ended or not self.can_act:
            return False
        return self.is_open or bool(self.stands_at) or any(device.is_unplugged for device in self._devices())

    def slow_down(self, slow: float) -> None:
        """Have it go so many times slower than by itself. Raises NotDone."""
        if not 1 <= slow <= SLOWEST:
            raise NotDone(f"It can go 1 to {SLOWEST:g} times slower.")
        if not self.can_act or self._standing is None:
            raise NotDone("The play has not begun yet, or is over.")
        self._standing.slow_down(slow, WHY)

    def end(self) -> None:
        """End it. Raises NotDone."""
        stage = self._ensemble.stage
        self.has_ended = True
        stage.changed.set()


def _next_name(there: list[str]) -> str:
    """As the others are called that count: the next number."""
    numbers = [int(found[1]) for thing in there if (found := re.fullmatch(r"thing-(\d{1,9})", thing)) is not None]
    return f"thing-{max(numbers, default=-1) + 1}"
