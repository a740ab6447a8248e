"""At which packet of its first job a device is struck, and how that job goes then.

    asking            its question for work is on its way           (before it asks: the job is QUEUED)
    reading           the description of the job is on its way back (only who describes before taking)
    taking            the answer by which it takes the job is on its way back
    step-first, step-middle, step-last    a report between the beginning and the end
    report            the report of the end is on its way
    report-accepted   the answer to that report is on its way

A mark is a fault of a name. By itself it is no fault: a delay of no time. What befalls the packet, a condition says.
"""

from typing import Final, Literal, TypeAlias

from simulator.certify.draft import HOLD_SECONDS, MARK, Draft
from simulator.certify.learning import Learned
from simulator.cloud.settings.service import Fault, MessageKind
from simulator.scenario import Place

Which: TypeAlias = Literal["first", "middle", "last"]
ASKS: Final[dict[str, tuple[MessageKind, ...]]] = {
    "start-next": ("start-next",),
    "describe-update": ("describe",),
    "update": ("update",),
}
"""By which request a device asks for its job, by how it takes it."""


def asking(draft: Draft) -> Draft:
    """Its question waits at the gateway until the job is gone, so that it was QUEUED to the last.

    Who hears of no job asks all the time: what he asked before there was one is not about this.
    """
    kinds = ASKS[draft.learned.takes_by]
    since = None if draft.learned.listens else draft.lost.id
    mark = _mark(kinds, None, nth=1, after_queueing_of=since).model_copy(update=_held(draft))
    drawn = draft.struck(mark, draft.learned.take_seconds)
    return drawn.reaching(Place(place="deleted-before-start", job=draft.lost.id))


def reading(draft: Draft) -> Draft:
    """What it was told of a QUEUED job waits until that is gone."""
    mark = _mark(("describe-answer",), draft.lost.id, nth=1, **_since(draft)).model_copy(update=_held(draft))
    drawn = draft.struck(mark, draft.learned.take_seconds)
    return drawn.reaching(Place(place="deleted-before-start", job=draft.lost.id))


def taking(draft: Draft) -> Draft:
    """It is IN_PROGRESS by the service's account; the device does not know yet."""
    return draft.struck(_taking(draft), draft.learned.take_seconds)


def step_first(draft: Draft) -> Draft:
    """At the first report after the beginning."""
    return _at_step(draft, "first")


def step_middle(draft: Draft) -> Draft:
    """At the report in the middle; of a device that reports nothing there, at half of its time."""
    return _at_step(draft, "middle")


def step_last(draft: Draft) -> Draft:
    """At the last report before the end."""
    return _at_step(draft, "last")


def report(draft: Draft) -> Draft:
    """The report of its success arrives at the gateway."""
    learned = draft.learned
    mark = _mark(("update",), draft.lost.id, status="SUCCEEDED", nth=1)
    return draft.struck(mark, learned.take_seconds + learned.work_seconds)


def report_accepted(draft: Draft) -> Draft:
    """The answer to that leaves: it was accepted."""
    learned = draft.learned
    mark = _mark(("update-answer",), draft.lost.id, status="SUCCEEDED", nth=1)
    return draft.struck(mark, learned.take_seconds + learned.work_seconds)


# ── marks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _taking(draft: Draft) -> Fault:
    """The answer by which it takes the job leaves."""
    if draft.learned.takes_by == "start-next":
        return _mark(("start-next-answer",), draft.lost.id, nth=1, **_since(draft))
    return _mark(("update-answer",), draft.lost.id, status="IN_PROGRESS", nth=1)


def _at_step(draft: Draft, which: Which) -> Draft:
    learned = draft.learned
    if not learned.progress:
        return draft.struck(_taking(draft), learned.take_seconds, learned.work_seconds / 2)
    index = _index(which, len(_choices(learned)))
    step, number = _choices(learned)[index]
    named = {"nth": number} if step is None else {"nth": 1, "step": step, "step_key": learned.step_key}
    mark = _mark(("update-answer",), draft.lost.id, status="IN_PROGRESS", **named)
    return draft.struck(mark, learned.progress[number - _before(learned) - 1].seconds)


def _choices(learned: Learned) -> list[tuple[str | None, int]]:
    """Its reports between: the steps that they name first, or else each; and which update to IN_PROGRESS each is."""
    numbers = range(_before(learned) + 1, _before(learned) + 1 + len(learned.progress))
    named: dict[str | None, int] = {}
    if learned.step_key is not None:
        for number, said in zip(numbers, learned.progress, strict=True):
            step = dict(said.details).get(learned.step_key)
            if step in learned.steps:
                named.setdefault(step, number)
    return list(named.items()) or [(None, number) for number in numbers]


def _before(learned: Learned) -> int:
    """How many updates to IN_PROGRESS there are before those between: one, if it takes by such."""
    return 0 if learned.takes_by == "start-next" else 1


def _index(which: Which, count: int) -> int:
    return {"first": 0, "middle": count // 2, "last": count - 1}[which]


def _mark(kinds: tuple[MessageKind, ...], job_id: str | None, **which: object) -> Fault:
    given = {"name": MARK, "do": "delay", "seconds": 0, "messages": kinds, "job": job_id, **which}
    return Fault.model_validate(given)


def _since(draft: Draft) -> dict[str, object]:
    """Once there is the job: of what a device asks of its own accord just before, the answer tells of none."""
    return {"after_queueing_of": draft.lost.id}


def _held(draft: Draft) -> dict[str, object]:
    """Held at the gateway until the job's record is removed."""
    return {"do": "hold", "job": draft.lost.id, "until": "removed", "seconds": HOLD_SECONDS}
