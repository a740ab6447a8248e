"""When a run is over, how long it may take, and what one that met its limit was waiting for."""

import asyncio
from collections.abc import Callable, Sequence

from simulator.engines.casting import Casting
from simulator.engines.cues import Cues
from simulator.engines.outlets import Outlets
from simulator.engines.players import Players
from simulator.engines.stage import Stage
from simulator.scenario import After, JobSpec


def is_over(casting: Casting, stage: Stage, cues: Cues, now: float) -> bool:
    """Whether every deletion that is due is done, every job made that can be made, and no execution is open."""
    if stage.open or stage.to_come:
        return False
    jobs = casting.scenario.jobs
    waiting = any(index not in stage.created and may_come(job, stage, casting) for index, job in enumerate(jobs))
    deleting = any(not cue.is_done and cue.in_vain is None and cue.trigger.due(now) for cue in cues.all)
    return not waiting and not deleting


def may_come(job: JobSpec, stage: Stage, casting: Casting) -> bool:
    """Whether a job that is not made yet has nothing more to wait for, or only what comes by itself."""
    match job.after:
        case None:
            return True
        case After(deletion_of=str() as deleted):
            return deleted in stage.deletions_accepted
        case After(taken=str() as taken):
            return is_taken(taken, job, stage, casting)
        case After(fault=fault):
            return all((thing, fault) in stage.struck for thing in casting.targets(job))


def is_taken(taken: str, job: JobSpec, stage: Stage, casting: Casting) -> bool:
    """Whether each device that has both jobs has taken that one."""
    things = casting.targets_of(taken)
    return all((thing, taken) in stage.taken for thing in casting.targets(job) if thing in things)


def missed(casting: Casting, stage: Stage, cues: Cues, outlets: Outlets) -> tuple[str, ...]:
    """What the scenario wants and never came, each in a sentence: then the run has not shown what it was to show."""
    late = [why for cue in cues.all if (why := cue.missed()) is not None]
    jobs = enumerate(casting.scenario.jobs)
    unmade = [
        f"job {job.id} was never made, for what it is to come after did not come"
        for index, job in jobs
        if index not in stage.created
    ]
    return (*late, *outlets.missed(), *unmade)


async def within(
    acting: asyncio.Task[None], seconds: float, running_time: Callable[[], float] | None, lost: Callable[[], float]
) -> bool:
    """Wait for it, so many seconds at most; whether it came to its end.

    Time in which a process did not run is not counted, that of the one that lost more: a machine that lets nobody run
    is not in a hurry. `running_time` is that of this process, and `lost` how much the cloud's has lost.
    """
    time = asyncio.get_running_loop().time
    running_time = running_time or time
    until, running_until = (now() + seconds for now in (time, running_time))
    while (left := max(until + lost() - time(), running_until - running_time())) > 0:
        done, _ = await asyncio.wait({acting}, timeout=left)
        if done:
            return True
    return False


def waited_for(stage: Stage, cues: Cues, casting: Casting, players: Players | None) -> str:
    """What a run that met its limit was waiting for, with the first thing that is concerned."""
    if players is None:
        return "the things to be registered"
    if not players.are_there:
        return f"every device to connect: {_first_of(players.away())}"
    if unmade := stage.to_come:
        return f"the service to queue {unmade} more executions"
    for cue in cues.all:
        if cue.holding is not None and (held := cue.holding.hold.held):
            job, step = cue.what.job, cue.what.when.step
            late = [thing for thing in casting.targets_of(job) if not cue.trigger.has(thing)]
            if late and not cue.is_done:
                return f"every device to be at {step} of job {job}, others being held there: {_first_of(late)}"
            return f"job {job} to be removed from who is held in {step}: {_first_of(held)}"
    if stage.open:
        thing, key = next(iter(stage.open))
        return f"the execution of {key.job_id} on {thing} to be over, and {len(stage.open) - 1} more"
    restless = players.restless()
    return f"every device to rest: {_first_of(restless)}" if restless else "the deletions that are due"


def _first_of(names: Sequence[str]) -> str:
    """The first, and how many more there are."""
    return names[0] if len(names) == 1 else f"{names[0]}, and {len(names) - 1} more"
