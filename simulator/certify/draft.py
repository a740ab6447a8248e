"""A cell's scenario on its way: what is drawn of it so far, and what may still be added.

A draft begins with one job that is lost and one that comes next. A point says which packet is the mark, and how the
first job goes when that passes the gateway; a condition says what befalls this packet and others. Both are functions
from draft to draft, so that a cell is a row of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from simulator.certify.learning import Learned
from simulator.certify.names import GROUP, Names
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.settings.service import PLAYED, Fault
from simulator.scenario import After, Bounds, Deletion, Group, JobSpec, Place, PowerCut, Scenario, When
from simulator.verdict.bounds import LONGEST_SECONDS

MARK: Final = "mark"
"""The fault that strikes the packet which a cell is about."""
SOON_GONE_SECONDS: Final = 0.05
"""How long a deletion takes where a cell is not about that."""
APART_SECONDS: Final = 1.2
"""How long it takes where the id is used again: queue times count seconds, and two within one look alike."""
HOLD_SECONDS: Final = 3.0
"""A packet is held until it has happened, which is milliseconds; no longer than this, which any time-out bears."""
PATIENCE_SECONDS: Final = 60.0
"""What a device may wait for an answer that got lost, or before it connects or asks again: nobody knows its own.

AWS's SDKs for requests and responses wait for 60 s, unless told otherwise (`operationTimeoutInSeconds`).
"""
MARGIN_SECONDS: Final = 10.0

Ending: TypeAlias = Literal["delete-job", "delete-execution", "cancel-job"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What is drawn. `lost` goes when the mark is struck, unless it is `kept`; `then` ends the cell.

    `at_seconds` is how long it takes until the mark, `more_seconds` what the cell takes besides, `patience_seconds`
    what a device may take besides. `service` are settings of the cloud. `goes_offline`: its connection is lost with the
    mark; `is_overtaken`: it may be at work on the next job before the record of this one is removed.
    """

    learned: Learned
    names: Names
    lost: JobSpec
    then: JobSpec
    mark: Fault | None = None
    when: When | None = None
    ending: Ending = "delete-job"
    kept: bool = False
    goes_offline: bool = False
    is_overtaken: bool = False
    between: tuple[JobSpec, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    faults: tuple[Fault, ...] = ()
    power_cuts: tuple[PowerCut, ...] = ()
    places: tuple[Place, ...] = ()
    moments: tuple[str, ...] = ()
    service: tuple[tuple[str, Any], ...] = ()
    at_seconds: float = 0.0
    more_seconds: float = 0.0
    patience_seconds: float = 0.0

    # ── what points and conditions add ────────────────────────────────────────────────────────────────────────

    def but(self, **changes: Any) -> "Draft":
        """The same but for that."""
        return replace(self, **changes)

    def struck(self, mark: Fault, at_seconds: float, later_seconds: float = 0.0) -> "Draft":
        """With a mark, and the deletion so long after it."""
        when = When(fault=MARK, later_seconds=round(later_seconds, 3))
        return self.but(mark=mark, when=when, at_seconds=at_seconds + later_seconds)

    def marked(self, **changes: Any) -> "Draft":
        """With something else befalling the packet that is the mark."""
        assert self.mark is not None, "the point comes first"
        return self.but(mark=self.mark.model_copy(update=changes))

    def with_faults(self, *faults: Fault) -> "Draft":
        """With more faults."""
        return self.but(faults=(*self.faults, *faults))

    def reaching(self, *places: Place) -> "Draft":
        """With more places that prove that it was played."""
        return self.but(places=(*self.places, *places))

    def serving(self, **settings: Any) -> "Draft":
        """With other settings of the cloud."""
        return self.but(service=(*self.service, *settings.items()))

    def taking(self, more_seconds: float = 0.0, patience_seconds: float = 0.0) -> "Draft":
        """Taking longer, and letting the device take longer."""
        patience = max(self.patience_seconds, patience_seconds)
        return self.but(more_seconds=self.more_seconds + more_seconds, patience_seconds=patience)

    def keeping(self) -> "Draft":
        """Nothing is deleted: the job stands, and is to be done."""
        after = After(taken=self.lost.id)
        return self.but(kept=True, when=None, then=self.then.model_copy(update={"after": after}))

    def again(self, *, other_document: bool) -> "Draft":
        """The next job has the id of the one that is lost."""
        then = self.names.again(self.lost, other_document=other_document)
        drawn = self.but(then=then).serving(deletion_seconds=APART_SECONDS).taking(APART_SECONDS)
        return drawn.reaching(Place(place="reused-id", job=then.id))

    # ── what it comes to ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def seconds(self) -> float:
        """About how long it takes with a device that is as it was learned."""
        learned = self.learned
        done = learned.take_seconds + learned.work_seconds
        first = max(done, self.at_seconds) if self.kept else self.at_seconds + learned.longest_gap_seconds
        first += done if self.kept and self.power_cuts else 0.0  # it may have to begin anew
        return round(first + self.more_seconds + done + SOON_GONE_SECONDS, 3)

    @property
    def bounds(self) -> Bounds:
        """What the device is judged by."""
        return self.learned.bounds(self.patience_seconds)

    def scenario(self, name: str, about: str) -> Scenario:
        """The scenario of the cell of that name."""
        bounds, learned = self.bounds, self.learned
        return Scenario(
            name=name.replace("/", "--"),
            about=about,
            devices=(Group(group=GROUP, namespace=learned.namespace_id),),
            jobs=(self.lost, *self.between, self.then),
            deletions=self._deletions(),
            faults=(*(() if self.mark is None else (self.mark,)), *self.faults),
            power_cuts=self.power_cuts,
            must_reach=self._places(),
            steps=learned.steps,
            moments=self.moments,
            step_key=learned.step_key or "step",
            cloud=JobsSettings(**{**PLAYED, "deletion_seconds": SOON_GONE_SECONDS, **dict(self.service)}),
            bounds=bounds,
            time_limit_seconds=min(LONGEST_SECONDS, round(self.seconds + longest_wait(bounds) + MARGIN_SECONDS, 3)),
            play_with=1,
        )

    def _deletions(self) -> tuple[Deletion, ...]:
        if self.when is None:
            return self.deletions
        forced = self.ending != "cancel-job" or not self.kept
        return (Deletion(job=self.lost.id, do=self.ending, when=self.when, force=forced), *self.deletions)

    def _places(self) -> tuple[Place, ...]:
        """The mark was struck, the device went on, and did what nobody took from it."""
        struck = () if self.mark is None else (Place(place="fault-struck", job=self.lost.id, fault=MARK),)
        stands = [self.then.id, *([self.lost.id] if self.kept and not self.power_cuts else [])]
        done = tuple(Place(place="succeeded", job=job) for job in stands)
        if self.kept or self.ending == "cancel-job":
            return (*struck, *self.places, *done)
        absent = self.goes_offline and self.learned.carrier != "http"
        offline = (Place(place="deleted-while-offline", job=self.lost.id),) if absent else ()
        is_last = self.then.id != self.lost.id and not self.is_overtaken
        went_on = (Place(place="recovered", job=self.lost.id),) if is_last else ()
        return (*struck, *offline, *self.places, *went_on, *done)


def longest_wait(bounds: Bounds) -> float:
    """When the last of these bounds has run out, in seconds."""
    ready = bounds.ready_seconds + bounds.uninterruptible_seconds
    return max(ready, bounds.lost_job_seconds, bounds.silence_seconds)


Move: TypeAlias = Callable[[Draft], Draft]


def begin(learned: Learned, names: Names) -> Draft:
    """A job that is to be lost, and another one once its deletion was accepted."""
    lost = names.job("lost", learned.namespace_id)
    then = names.job("next", learned.namespace_id, After(deletion_of=lost.id))
    return Draft(learned, names, lost, then)


def undisturbed(names: Names, namespace_id: str | None, limit_seconds: float, bounds: Bounds | None = None) -> Scenario:
    """One job that nobody disturbs: to learn from, and to bring a device back. `limit_seconds` is all it may take."""
    limit = min(limit_seconds, LONGEST_SECONDS)
    patient = Bounds(ready_seconds=limit, lost_job_seconds=limit, silence_seconds=limit, retry_gap_seconds=0)
    return Scenario(
        name="undisturbed",
        about="one job that nobody disturbs",
        devices=(Group(group=GROUP, namespace=namespace_id),),
        jobs=(names.job("undisturbed", namespace_id),),
        bounds=bounds or patient,
        cloud=JobsSettings(**{**PLAYED, "deletion_seconds": SOON_GONE_SECONDS}),
        time_limit_seconds=limit,
        play_with=1,
    )
