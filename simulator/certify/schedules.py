"""Cells of schedules: one order that the explorer found, to which a device is held as far as the gateway can hold it.

What somebody does to the job, and the power, is cued by moments of the schedule's own, which `held_to_schedule.py`
tells when it is their turn. What becomes of each packet it does itself. The schedule is played in the explorer's world
first: that tells which packet each of its choices is about.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from agent.errors import InputError
from agent.values import NEXT, Request, Update
from simulator.certify.cell import Cell, Need
from simulator.certify.conditions import NOBODY, POWER_SECONDS
from simulator.certify.draft import PATIENCE_SECONDS, Draft, Ending, Move
from simulator.certify.turns import HELD, OVER, Turn, Turns, role
from simulator.engines.conductor.expected import kind_of
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.net import Net
from simulator.engines.explore.playing import held_to
from simulator.engines.explore.schedule import ReadSchedule, Schedule, Unplayable
from simulator.engines.explore.setup import NEXT_JOB, OTHER, Setup
from simulator.engines.explore.world import system_of
from simulator.scenario import After, Deletion, JobSpec, Place, PowerCut, When

POINT: Final = "schedule"
ENDINGS: Final[dict[str, Ending]] = {
    "delete": "delete-job",
    "cancel": "cancel-job",
    "delete execution": "delete-execution",
}
OF_PACKETS: Final = ("arrive", "arrive twice", "deliver", "deliver twice", "lose", "delay")


def cell_of(read: ReadSchedule) -> Cell:
    """The cell of a schedule that was read. Raises InputError for one that no device could be put through."""
    schedule, name = read.schedule, Path(read.where).name.partition(".")[0]
    turns = turns_of(read)
    needs: tuple[Need, ...] = ("mqtt", *(("power",) if turns.power_cuts else ()))
    return Cell(
        f"{POINT}/{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-') or 'unnamed'}",
        "default",
        (drawn_from(turns),),
        shows=schedule.about or f"the order of {Path(read.where).name}, as far as it can be held",
        mistake=", ".join(schedule.expects.violated) or "none is known",
        needs=needs,
        turns=turns,
    )


def turns_of(read: ReadSchedule) -> Turns:
    """A schedule turn by turn. Raises InputError where it cannot be played, and if it has several devices."""
    schedule = read.schedule
    if len(schedule.world.seats) > 1:
        raise InputError(f"{read.where}: world.devices: there is one device to be put through it, not two")
    try:
        turns = Turns(schedule.world, tuple(_turns(schedule)))
    except Unplayable as parted:
        raise InputError(f"{read.place(parted.number - 1)}: {parted}") from None
    if (turn := next(turns.doing("create"), None)) is None or turn.choice.what in (NEXT_JOB, OTHER):
        raise InputError(f"{read.where}: choices: no job is made, so there is nothing to put a device through")
    return turns


def _turns(schedule: Schedule) -> Iterator[Turn]:
    system = system_of(schedule.world)
    net = system.first().sides[0].net
    for number, played in enumerate(held_to(system, schedule.choices), 1):
        yield _turn(number, played.choice, net)
        net = played.world.sides[0].net


def _turn(number: int, choice: Choice, net: Net) -> Turn:
    if choice.do not in OF_PACKETS:
        return Turn(number, choice)
    goes_up = bool(net.up) and choice.what == net.up[0].name
    message = (net.up if goes_up else net.down)[0]
    if not isinstance(message.body, Request):
        return Turn(number, choice, kind_of(message))
    status = message.body.status if isinstance(message.body, Update) else None
    job_id = getattr(message.body, "job_id", None)
    its_role = role(kind_of(message), None if job_id == NEXT else job_id)
    return Turn(number, choice, kind_of(message), goes_up, status, its_role)


# ── what is drawn of it ───────────────────────────────────────────────────────────────────────────────────────


def drawn_from(turns: Turns) -> Move:
    """The scenario's jobs, deletions and power cuts, each when it is its turn."""

    def move(draft: Draft) -> Draft:
        drawn = _with_service(draft, turns.setup)
        drawn = _with_jobs(drawn, turns)
        drawn = _with_endings(drawn, turns)
        cuts = tuple(PowerCut(fault=turn.moment, off_seconds=POWER_SECONDS) for turn in turns.power_cuts)
        if cuts:
            drawn = drawn.but(power_cuts=cuts).taking(POWER_SECONDS * len(cuts))
        moments = (*dict.fromkeys(_cues(drawn)), HELD, OVER)
        # Its packets are held now and then, which it is not charged with; one that does not come is waited for once.
        drawn = drawn.but(moments=moments).taking(draft.learned.usual_seconds, PATIENCE_SECONDS)
        return drawn.reaching(Place(place="fault-struck", job=draft.lost.id, fault=HELD))

    return move


def _with_service(draft: Draft, setup: Setup) -> Draft:
    service = setup.jobs_settings
    names = ("deletion_seconds", "removal_delay_seconds", "while_deleting", "head_across_namespaces")
    settings: dict[str, Any] = {name: getattr(service, name) for name in names}
    return draft.serving(**settings)


def _with_jobs(draft: Draft, turns: Turns) -> Draft:
    """The job that is lost from the beginning on, others at their turn, and the last one when all is over."""
    then = draft.then.model_copy(update={"after": After(fault=OVER)})
    drawn = draft.but(then=then)
    for turn in turns.doing("create", "create again"):
        after = After(fault=turn.moment)
        if turn.choice.do == "create again":
            again = draft.names.again(draft.lost, other_document=turns.setup.again == "other document")
            again = again.model_copy(update={"after": after})
            drawn = drawn.but(between=(*drawn.between, again)).reaching(Place(place="reused-id", job=draft.lost.id))
        elif turn.choice.what == NEXT_JOB:
            other = draft.names.job("between", draft.learned.namespace_id, after)
            drawn = drawn.but(between=(*drawn.between, other))
        elif turn.choice.what == OTHER:
            other = draft.names.job("provocation", NOBODY, after, provokes=True)
            drawn = drawn.but(between=(*drawn.between, other))
    return drawn


def _with_endings(draft: Draft, turns: Turns) -> Draft:
    """What somebody does to the job, or to that of others."""
    # Of a job that fails as the schedule has it nobody wants that it succeeds.
    deletions, kept = list[Deletion](), turns.setup.flaw is None and not any(turns.doing("fail"))
    for turn in turns.doing(*ENDINGS):
        others = next((job for job in draft.between if job.provokes), None)
        job = others if turn.choice.what == OTHER else draft.lost
        assert job is not None, "it was made before"
        deletions.append(Deletion(job=job.id, do=ENDINGS[turn.choice.do], when=When(fault=turn.moment)))
        kept &= job is not draft.lost
    return draft.but(deletions=tuple(deletions), kept=kept, is_overtaken=True)


def _cues(draft: Draft) -> Iterable[str]:
    """The moments by which something is cued."""
    jobs: tuple[JobSpec, ...] = (*draft.between, draft.then)
    named = [
        *(deletion.when.fault for deletion in draft.deletions),
        *(cut.fault for cut in draft.power_cuts),
        *(None if job.after is None else job.after.fault for job in jobs),
    ]
    return (name for name in named if name is not None)
