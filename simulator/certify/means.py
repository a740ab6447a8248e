"""By what means cells are played: what can be done where the device is, and how much of it is seen there.

            cells                         seen                                     judged
AtTheDesk   all, by the gateway's faults  every packet, and what probes show       all that the wire shows
elsewhere   see simulator.certify.aws     records of executions, its connection    what these decide
"""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Protocol

from simulator.certify.cell import Cell, Need
from simulator.certify.desk import Desk
from simulator.certify.held_to_schedule import HeldToSchedule
from simulator.certify.learning import Learned, learn
from simulator.certify.matrix import not_applicable
from simulator.certify.names import Names
from simulator.certify.probes import Sampling
from simulator.certify.turns import Turns
from simulator.certify.unseen import not_seen
from simulator.certify.venue import AnyDesk, DeskVenue
from simulator.certify.wiretap import Wiretap
from simulator.engines.venue import Venue
from simulator.scenario import Scenario
from simulator.trace import Entry


class Means(Protocol):
    """`skip` are the invariants that cannot be judged there; `sees_requests`: the device shows itself by coming."""

    @property
    def desk(self) -> AnyDesk:
        """Where the device is."""

    @property
    def wiretap(self) -> Wiretap:
        """Where every entry of the session passes."""

    @property
    def sampling(self) -> Sampling | None:
        """The device's probes; None without any."""

    @property
    def skip(self) -> frozenset[str]:
        """Their ids."""

    @property
    def sees_requests(self) -> bool:
        """Whether it is waited for before its first job."""

    def venue(self, scenario: Scenario, conducting: HeldToSchedule | None) -> Venue:
        """Where one scenario is played; `conducting` holds what is on its way there."""

    def conducting(self, turns: Turns, scenario: Scenario, usual_seconds: float) -> HeldToSchedule:
        """What holds the device to a schedule, in a play of `scenario`; not asked where `why_not` says no."""

    def learn(self, entries: Iterable[Entry], thing: str, job_id: str) -> Learned:
        """What an undisturbed job showed. Raises NotLearned."""

    def why_not(self, cell: Cell, learned: Learned, abilities: frozenset[Need]) -> str | None:
        """Why a cell cannot be played; None if it can."""

    def scenario(self, cell: Cell, learned: Learned, names: Names) -> Scenario:
        """A cell as it is played there."""

    def seconds(self, cell: Cell, learned: Learned) -> float:
        """About how long it takes."""

    def not_seen(self, learned: Learned | None, seen: Mapping[str, str]) -> dict[str, str]:
        """Of each invariant that cannot be seen to be violated, why not; `seen` is what a desk of ours would show."""


class AtTheDesk:
    """On the local cloud."""

    skip: Final = frozenset[str]()
    sees_requests: Final = True

    def __init__(self, desk: Desk, wiretap: Wiretap, sampling: Sampling | None, seed: int) -> None:
        self.desk = desk
        self.wiretap = wiretap
        self.sampling = sampling
        self._seed = str(seed)

    def venue(self, scenario: Scenario, conducting: HeldToSchedule | None) -> Venue:
        """See Means."""
        return DeskVenue(self.desk, self.wiretap, self.sampling, partial(self._tune, scenario, conducting))

    def conducting(self, turns: Turns, scenario: Scenario, usual_seconds: float) -> HeldToSchedule:
        """See Means."""
        desk = self.desk
        return HeldToSchedule(turns, scenario, desk.offer.thing, desk.cloud, self.wiretap.feed, usual_seconds)

    def _tune(self, scenario: Scenario, conducting: HeldToSchedule | None, stack: AsyncExitStack) -> None:
        retune = self.desk.cloud.retune
        stack.callback(retune, scenario.cloud, (), self._seed)
        retune(scenario.cloud, scenario.faults, self._seed)
        if conducting is not None:
            conducting.begin(stack, self.desk.standing())

    def learn(self, entries: Iterable[Entry], thing: str, job_id: str) -> Learned:
        """See Means."""
        return learn(entries, thing, job_id)

    def why_not(self, cell: Cell, learned: Learned, abilities: frozenset[Need]) -> str | None:
        """See Means."""
        return not_applicable(cell, learned, abilities)

    def scenario(self, cell: Cell, learned: Learned, names: Names) -> Scenario:
        """See Means."""
        return cell.scenario(learned, names)

    def seconds(self, cell: Cell, learned: Learned) -> float:
        """See Means."""
        return cell.seconds(learned)

    def not_seen(self, learned: Learned | None, seen: Mapping[str, str]) -> dict[str, str]:
        """See Means."""
        return not_seen(seen, reports_steps=learned is not None and bool(learned.steps))
