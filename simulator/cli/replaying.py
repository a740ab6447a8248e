"""Replaying a schedule before somebody's eyes: the diagram, what monitors and judge say, the files of `--out`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

import click

from agent.errors import InputError
from simulator.cli.kept_exploration import steps_of
from simulator.cli.listing import talk
from simulator.cli.schedule_files import schedule_in
from simulator.devices.models import model_named
from simulator.engines.explore.describing import world_in_words
from simulator.engines.explore.placing import Placed
from simulator.engines.explore.playing import Played, entries_of, in_world
from simulator.engines.explore.schedule import ReadSchedule, Schedule, Unplayable
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.report.exploration import OUTCOMES, wrapped
from simulator.report.ladder import ladder
from simulator.trace import Entry
from simulator.verdict import Verdict

PLACES: Final = {
    "explore": "in the explorer's world",
    "virtual": "in virtual time",
    "live": "over real MQTT",
}


class Told(NamedTuple):
    """What was played, and where an engine went another way; empty if it did not."""

    played: Played
    parted: str = ""


def replayed(path: Path, model: str | None, out: Path | None, engine: str, *, is_json: bool) -> int:
    """Play it, say what came of it, keep it; the exit code. Raises InputError."""
    read = schedule_in(path)
    schedule = _with_model(read.schedule, model)
    name = path.name.removesuffix(path.suffix)
    try:
        told = Told(in_world(schedule, name))
    except Unplayable as parted:
        raise InputError(_parted(read, parted)) from None
    if engine != "explore":
        told = _on_engine(schedule, name, cast('Literal["virtual", "live"]', engine), told.played)
    if is_json:
        click.echo(told.played.verdict.model_dump_json(indent=2))
    else:
        for line in lines(schedule, told, engine):
            click.echo(line)
    if out is not None:
        _keep(out, told.played, f"replay {name}", schedule.about)
        talk(f"kept: {out.as_posix()}, with report.html", 6)
    return exit_code(schedule, told)


def _on_engine(schedule: Schedule, name: str, engine: Literal["virtual", "live"], in_world: Played) -> Told:
    """Held to it on that engine, as far as it can be. Raises InputError."""
    from simulator.cli.options import run_loop
    from simulator.engines.conductor.replaying import play_schedule
    from simulator.engines.virtual_time import run_virtually

    entries, at = list[Placed](), [0]

    def sink(entry: Entry) -> None:
        entries.append(Placed(at[0], entry))

    def on_choice(number: int, choice: str) -> None:
        at[0] = number

    run = run_virtually if engine == "virtual" else run_loop
    done = run(play_schedule(schedule.world, schedule.choices, engine, sink, name=name, on_choice=on_choice))
    parted = "" if done.parted is None else str(done.parted)
    return Told(in_world._replace(entries=tuple(entries), verdict=done.verdict, broken=done.broken), parted)


def _with_model(schedule: Schedule, model: str | None) -> Schedule:
    """Played by another model; what is expected of its own is not expected of that."""
    wanted = model or schedule.world.model
    model_named(wanted)
    if wanted == schedule.world.model:
        return schedule
    world = schedule.world.model_copy(update={"model": wanted})
    return schedule.model_copy(update={"world": world, "expects": type(schedule.expects)()})


def _parted(read: ReadSchedule, parted: Unplayable) -> str:
    return f"{read.place(parted.number - 1)}: {parted}"


def violated_in(played: Played) -> list[str]:
    """By the judge of all runs, and by the world's own monitors."""
    judged = [each.id for each in played.verdict.invariants if each.outcome == "violated"]
    return list(dict.fromkeys((*judged, *(broken.invariant for broken in played.broken))))


def missing_from(played: Played, schedule: Schedule) -> list[str]:
    """What it was kept for, and does not show."""
    undecided = {each.id for each in played.verdict.invariants if each.outcome == "undecided"}
    expects, violated = schedule.expects, violated_in(played)
    return [
        *(each for each in expects.violated if each not in violated),
        *(each for each in expects.undecided if each not in undecided),
    ]


def exit_code(schedule: Schedule, told: Told) -> int:
    """By what is violated; by what should be, and is not."""
    if told.parted:
        return ExitCode.INCONCLUSIVE
    if violated_in(told.played):
        return ExitCode.FAILED
    return ExitCode.INCONCLUSIVE if missing_from(told.played, schedule) else OF_OUTCOME[told.played.verdict.outcome]


def lines(schedule: Schedule, told: Told, engine: str) -> Iterator[str]:
    """All that is said of it."""
    played, where = told.played, PLACES[engine]
    yield from wrapped(f"replayed {where}: {world_in_words(schedule.world)}.", "")
    if schedule.about:
        yield from wrapped(f"about: {schedule.about}", "")
    yield ""
    before, steps = steps_of(played, schedule.choices)
    yield from ladder(steps, before)
    yield ""
    if told.parted:
        yield from wrapped(f"PARTED: it could not be held to its order here: {told.parted}", "")
    else:
        yield "in the end " + ("all is well and nothing is to be done" if played.is_home else "it is under way yet")
    for broken in played.broken:
        yield from wrapped(f"VIOLATED {broken.invariant}: {broken.why}", "")
    yield from wrapped(f"{OUTCOMES[played.verdict.outcome]}: {played.verdict.why}", "")
    missing = missing_from(played, schedule)
    if missing and not told.parted:
        yield from wrapped(f"it was kept for {', '.join(missing)}, and shows no such thing any more", "")


def _keep(out: Path, played: Played, title: str, about: str) -> None:
    from simulator.cli.listing import tell_fault
    from simulator.engines.output import OutputDirectory
    from simulator.page.offline import REPORT, report_html
    from simulator.page.picture import Picture
    from simulator.report.junit import JUNIT
    from simulator.report.markdown import SUMMARY
    from simulator.report.run_files import junit_of_run, markdown_of_run

    def report(verdict: Verdict) -> str:
        picture = Picture(title, about, "run")
        for entry in entries_of(played):
            picture.feed(entry)
        picture.judged(verdict, final=True)
        return report_html(picture.whole())

    faces = {JUNIT: junit_of_run, SUMMARY: markdown_of_run, REPORT: report}
    with OutputDirectory(out, faces, tell_fault) as directory:
        for entry in entries_of(played):
            directory.write(entry)
        directory.finish(played.verdict)
