"""What befalls packets, power and connection when a job goes: each is a change to a cell's draft.

Of the packet that is the mark: it is held, lost, doubled, or the connection is cut with it. Of what follows the
deletion: notifications lost, doubled, late or behind younger ones, requests throttled, reads stale. Of the service:
what it answers while a job is DELETION_IN_PROGRESS, and what is asked of it.
"""

from typing import Final

from simulator.certify.draft import HOLD_SECONDS, MARK, PATIENCE_SECONDS, Draft, Move
from simulator.cloud.jobs.settings import WhileDeleting
from simulator.cloud.settings.service import Fault, MessageKind
from simulator.scenario import After, Deletion, JobSpec, Place, PowerCut, When

HINTS: Final[tuple[MessageKind, ...]] = ("notify", "notify-next", "notify-documented")
REQUESTS: Final[tuple[MessageKind, ...]] = ("get-pending", "start-next", "describe", "update")
FOR_WORK: Final[tuple[MessageKind, ...]] = ("get-pending", "start-next", "describe")
"""Requests that name no job: what a device asks for work by."""
AWAY_SECONDS: Final = 2.0
"""How long the network stays away."""
POWER_SECONDS: Final = 3.0
"""How long the power is off; the job goes when a third of that is over."""
LATE_SECONDS: Final = 1.0
BEHIND_SECONDS: Final = 0.1
"""How long after its job is gone an update arrives: when the next execution under its id has been queued."""
STALE_SECONDS: Final = 0.3
"""How long reads lag behind: a device that asks once more finds what is there, or does at its next turn."""
THROTTLED: Final = 3
"""Requests in a row that are throttled: a device that waits ten seconds each time is still back in a minute."""
THROTTLED_SECONDS: Final = 1.5
"""And so long, all of them."""
NOBODY: Final = "ghostjob-nobody"
"""A namespace in which nobody listens."""


# ── the packet that is the mark ───────────────────────────────────────────────────────────────────────────────


def calm(draft: Draft) -> Draft:
    """Nothing."""
    return draft


def held(draft: Draft) -> Draft:
    """It waits at the gateway until the job's record is removed."""
    return draft.marked(do="hold", job=draft.lost.id, until="removed", seconds=HOLD_SECONDS)


def held_until_deleting(draft: Draft) -> Draft:
    """It waits at the gateway until the job is DELETION_IN_PROGRESS."""
    return draft.marked(do="hold", job=draft.lost.id, until="deletion-began", seconds=HOLD_SECONDS)


def lost(draft: Draft) -> Draft:
    """It does not arrive."""
    return draft.marked(do="lose", seconds=None).taking(patience_seconds=PATIENCE_SECONDS)


def doubled(draft: Draft) -> Draft:
    """It arrives twice."""
    return draft.marked(do="duplicate", seconds=None)


def cut(draft: Draft) -> Draft:
    """It is lost, and the connection with it."""
    assert draft.mark is not None, "the point comes first"
    job = draft.mark.job if any(kind not in FOR_WORK for kind in draft.mark.messages) else None
    drawn = draft.marked(do="cut", job=job, until=None, seconds=AWAY_SECONDS)
    return drawn.but(goes_offline=True, when=_later(draft, AWAY_SECONDS / 4)).taking(AWAY_SECONDS, PATIENCE_SECONDS)


def _later(draft: Draft, seconds: float) -> When | None:
    """The deletion, so long after the mark: when it has befallen the device."""
    return draft.when and draft.when.model_copy(update={"later_seconds": seconds})


def power_cut(draft: Draft) -> Draft:
    """The power goes as it passes."""
    cuts = (PowerCut(fault=MARK, off_seconds=POWER_SECONDS),)
    drawn = draft.but(power_cuts=cuts, when=_later(draft, POWER_SECONDS / 3))
    return drawn.taking(POWER_SECONDS, PATIENCE_SECONDS)


def as_request(then: Move) -> Move:
    """What befalls the request, where the mark is the answer to it."""

    def move(draft: Draft) -> Draft:
        assert draft.mark is not None, "the point comes first"
        kinds = tuple(kind.removesuffix("-answer") for kind in draft.mark.messages)
        return then(draft.marked(messages=kinds))

    return move


def kept(draft: Draft) -> Draft:
    """The job is not deleted: it is there, and must be done."""
    return draft.keeping()


# ── what follows the deletion ─────────────────────────────────────────────────────────────────────────────────


def notification_lost(draft: Draft) -> Draft:
    """Nobody tells of the deletion; of the next job, they do."""
    return draft.with_faults(*_first_hints(draft, "lose"))


def notification_doubled(draft: Draft) -> Draft:
    """What tells of the deletion, and of the next job, arrives twice."""
    fault = Fault(do="duplicate", messages=HINTS, after_deletion_of=draft.lost.id)
    return draft.with_faults(fault)


def notification_late(draft: Draft) -> Draft:
    """What tells of the deletion comes a second later, and before what tells of the next job."""
    faults = (
        Fault(
            name=f"late-{kind}",
            do="hold",
            messages=(kind,),
            job=draft.lost.id,
            nth=1,
            after_deletion_of=draft.lost.id,
            until="gone",
            seconds=HOLD_SECONDS,
        )
        for kind in HINTS
    )
    return draft.with_faults(*faults).serving(deletion_seconds=LATE_SECONDS).taking(LATE_SECONDS)


def notification_reordered(draft: Draft) -> Draft:
    """What tells of the deletion comes when the device is at work on the next job, of which it says nothing."""
    learned = draft.learned
    seconds = learned.take_seconds + learned.longest_gap_seconds + learned.work_seconds / 3
    return draft.with_faults(*_first_hints(draft, "delay", round(seconds, 3)))


def _first_hints(draft: Draft, do: str, seconds: float | None = None) -> tuple[Fault, ...]:
    """The first notification of each kind after the deletion."""
    return tuple(
        Fault.model_validate(
            {"do": do, "messages": (kind,), "nth": 1, "after_deletion_of": draft.lost.id, "seconds": seconds}
        )
        for kind in HINTS
    )


def _heard(draft: Draft) -> tuple[MessageKind, ...]:
    """The notifications that the device hears; all, if that is not known."""
    return tuple(kind for kind in HINTS if kind in draft.learned.listens) or HINTS


def announcement_lost(draft: Draft) -> Draft:
    """Nobody tells of the job before it is gone."""
    return _announcement(draft, "lose")


def announcement_late(draft: Draft) -> Draft:
    """What tells of the job comes when it is gone."""
    return _announcement(draft, "hold", job=draft.lost.id, seconds=HOLD_SECONDS)


def announcement_overtaken(draft: Draft) -> Draft:
    """What tells of the job comes when it is gone, and after what tells of that."""
    return _announcement(draft, "delay", seconds=LATE_SECONDS).taking(LATE_SECONDS)


def _announcement(draft: Draft, do: str, **more: object) -> Draft:
    """The notifications of a job that is deleted as soon as it is queued: the first of each kind.

    Who asks for work just then, of his own accord, is answered when it is gone.
    """
    first, *others = (Fault.model_validate({"do": do, "messages": (kind,), "nth": 1, **more}) for kind in _heard(draft))
    drawn = draft.but(mark=first.model_copy(update={"name": MARK}), when=When(status="QUEUED"), at_seconds=0.0)
    asks = Fault(do="hold", messages=FOR_WORK, job=draft.lost.id, until="removed", seconds=HOLD_SECONDS)
    return drawn.with_faults(*others, asks).reaching(Place(place="deleted-before-start", job=draft.lost.id))


def throttled(draft: Draft) -> Draft:
    """After the deletion, the device's next requests are refused for the moment, and all while the job is not gone.

    Of three in a row nobody can say whether it waits before each; of a second and a half one can.
    """
    fault = Fault(name="throttled", do="throttle", messages=REQUESTS, first=THROTTLED, after_deletion_of=draft.lost.id)
    others = Fault(do="throttle", messages=REQUESTS, after_deletion_of=draft.lost.id, until="gone")
    struck = Place(place="fault-struck", job=draft.lost.id, fault="throttled")
    drawn = draft.with_faults(fault, others).serving(deletion_seconds=THROTTLED_SECONDS)
    return drawn.taking(LATE_SECONDS * THROTTLED, PATIENCE_SECONDS).reaching(struck)


def stale(draft: Draft) -> Draft:
    """For a moment after the deletion, reads show what was; and for a moment, nothing of the next job."""
    return draft.serving(stale_reads_seconds=STALE_SECONDS).taking(STALE_SECONDS, PATIENCE_SECONDS)


# ── the deletion itself ───────────────────────────────────────────────────────────────────────────────────────


def while_deleting(mode: WhileDeleting) -> Move:
    """The record stays for a while in DELETION_IN_PROGRESS: long enough for the device's next report to meet it."""

    def move(draft: Draft) -> Draft:
        seconds = min(max(1.0, 1.5 * draft.learned.longest_gap_seconds), 120.0)
        settings = {"while_deleting": mode, "removal_delay_seconds": seconds, "deletion_seconds": seconds + 0.1}
        met = Fault(name="met", do="delay", seconds=0, messages=REQUESTS, first=1, after_deletion_of=draft.lost.id)
        drawn = draft.but(is_overtaken=True).serving(**settings).taking(seconds, seconds).with_faults(met)
        return drawn.reaching(Place(place="fault-struck", job=draft.lost.id, fault="met"))

    return move


def execution_deleted(draft: Draft) -> Draft:
    """DeleteJobExecution, of this thing alone; the job stays."""
    return draft.but(ending="delete-execution")


def cancelled(draft: Draft) -> Draft:
    """CancelJob with force: the record stays, and says CANCELED."""
    return draft.but(ending="cancel-job")


def cancelled_and_deleted(draft: Draft) -> Draft:
    """Cancelled, and deleted a moment later."""
    assert draft.when is not None, "the point comes first"
    later = draft.when.model_copy(update={"later_seconds": draft.when.later_seconds + 0.3})
    deletion = Deletion(job=draft.lost.id, do="delete-job", when=later)
    return draft.but(ending="cancel-job", deletions=(deletion,))


def same_again(draft: Draft) -> Draft:
    """The id is used again with the same document."""
    return draft.again(other_document=False)


def other_again(draft: Draft) -> Draft:
    """The id is used again with another document, if there is more than one."""
    return draft.again(other_document=True)


def stale_update(draft: Draft) -> Draft:
    """The packet arrives once the id has been used again: it was meant for what is gone."""
    held = draft.marked(do="hold", until="gone", seconds=HOLD_SECONDS)
    assert held.mark is not None, "the point comes first"
    behind = held.mark.model_copy(update={"name": None, "do": "delay", "until": None, "seconds": BEHIND_SECONDS})
    drawn = held.with_faults(behind).taking(BEHIND_SECONDS, PATIENCE_SECONDS)
    return drawn.reaching(Place(place="stale-update-after-recreation", job=draft.lost.id))


# ── provocations, which must change nothing ───────────────────────────────────────────────────────────────────


def other_namespace(draft: Draft) -> Draft:
    """A job of a namespace in which nobody listens comes as the device takes its own, and is deleted under it."""
    other = draft.names.job("provocation", NOBODY, After(taken=draft.lost.id), provokes=True)
    return _provoked(draft, other)


def other_job(draft: Draft) -> Draft:
    """Another job is queued behind the device's own, and deleted before its turn."""
    other = draft.names.job("other", draft.learned.namespace_id, After(taken=draft.lost.id))
    places = (Place(place="deleted-before-start", job=other.id), Place(place="recovered", job=other.id))
    return _provoked(draft, other).reaching(*places)


def _provoked(draft: Draft, other: JobSpec) -> Draft:
    assert draft.when is not None, "the point comes first"
    deletion = Deletion(job=other.id, when=draft.when)
    then = draft.then.model_copy(update={"after": After(deletion_of=other.id)})
    return draft.keeping().but(then=then, between=(other,), deletions=(deletion,))


def other_head(draft: Draft) -> Draft:
    """The notification that another job is next comes late: that one is gone as well, and a third is in hand."""
    learned = draft.learned
    other = draft.names.job("other", learned.namespace_id, After(taken=draft.lost.id))
    reach = learned.take_seconds + learned.longest_gap_seconds
    late = Fault(
        name="late",
        do="delay",
        messages=("notify-next",),
        nth=1,
        after_deletion_of=draft.lost.id,
        seconds=round(2 * reach + learned.work_seconds / 3, 3),
    )
    deletion = Deletion(job=other.id, when=When(status="IN_PROGRESS"))
    then = draft.then.model_copy(update={"after": After(deletion_of=other.id)})
    drawn = draft.but(then=then, between=(other,), deletions=(deletion,)).with_faults(late).taking(2 * reach)
    return drawn.reaching(
        Place(place="fault-struck", job=draft.lost.id, fault="late"), Place(place="recovered", job=other.id)
    )
