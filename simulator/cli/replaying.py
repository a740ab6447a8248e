"""Replaying a schedule before somebody's eyes: the diagram, what monitors and judge say, the files of `--out`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from agent.errors import InputError
from simulator.cli.kept_exploration import steps_of
from simulator.cli.listing import talk
from simulator.devices.models import model_named
from simulator.engines.explore.describing import world_in_words
from simulator.engines.explore.playing import Played, Plays, entries_of, in_world
from simulator.engines.explore.schedule import Parted, ReadSchedule, Schedule, parse
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.report.exploration import OUTCOMES, wrapped
from simulator.report.ladder import ladder
from simulator.verdict import Verdict

LARGEST_BYTES: Final = 2_000_000
PLAYERS: Final[Mapping[str, Plays]] = {"explore": in_world}
"""Who plays a schedule, by engine."""


def replayed(path: Path, model: str | None, out: Path | None, *, is_json: bool, engine: str = "explore") -> int:
    """Play it, say what came of it, keep it; the exit code. Raises InputError."""
    read = parse(_text(path), str(path))
    schedule = _with_model(read.schedule, model)
    name = path.name.removesuffix(path.suffix)
    try:
        played = PLAYERS[engine](schedule, name)
    except Parted as parted:
        raise InputError(_parted(read, parted)) from None
    if is_json:
        click.echo(played.verdict.model_dump_json(indent=2))
    else:
        for line in told(schedule, played):
            click.echo(line)
    if out is not None:
        _keep(out, played, f"replay {name}", schedule.about)
        talk(f"kept: {out.as_posix()}, with report.html", 6)
    return exit_code(schedule, played)


def _text(path: Path) -> str:
    """What is in a file. Raises InputError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"{path}: cannot read the schedule: {reason}") from None
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path}: larger than any schedule, which has {LARGEST_BYTES} bytes at most")
    return text


def _with_model(schedule: Schedule, model: str | None) -> Schedule:
    """Played by another model; what is expected of its own is not expected of that."""
    wanted = model or schedule.world.model
    model_named(wanted)
    if wanted == schedule.world.model:
        return schedule
    world = schedule.world.model_copy(update={"model": wanted})
    return schedule.model_copy(update={"world": world, "expects": type(schedule.expects)()})


def _parted(read: ReadSchedule, parted: Parted) -> str:
    return f"{read.place(parted.number - 1)}: {parted}"


def violated_in(played: Played) -> list[str]:
    """By the judge of all runs, and by the world's own monitors."""
    judged = [each.id for each in played.verdict.invariants if each.outcome == "violated"]
    return list(dict.fromkeys((*judged, *(broken.invariant for broken in played.broken))))


def exit_code(schedule: Schedule, played: Played) -> int:
    """By what is violated; by what should be, and is not."""
    violated = violated_in(played)
    if violated:
        return ExitCode.FAILED
    return ExitCode.INCONCLUSIVE if schedule.expects.violated else OF_OUTCOME[played.verdict.outcome]


def told(schedule: Schedule, played: Played) -> Iterator[str]:
    """All that is said of it."""
    yield from wrapped(f"replayed in {world_in_words(schedule.world)}.", "")
    if schedule.about:
        yield from wrapped(f"about: {schedule.about}", "")
    yield ""
    before, steps = steps_of(played, schedule.choices)
    yield from ladder(steps, before)
    yield ""
    yield "in the end " + ("all is well and nothing is to be done" if played.is_home else "it is under way yet")
    for broken in played.broken:
        yield from wrapped(f"VIOLATED {broken.invariant}: {broken.why}", "")
    yield from wrapped(f"{OUTCOMES[played.verdict.outcome]}: {played.verdict.why}", "")
    missing = [each for each in schedule.expects.violated if each not in violated_in(played)]
    if missing:
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
