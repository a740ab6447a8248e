"""A schedule: a file that is written, read and played again, or says where it is wrong."""

import subprocess
import sys

import pytest

from agent.errors import InputError
from simulator.engines.explore.playing import held_to, in_world
from simulator.engines.explore.schedule import Expected, Schedule, Unplayable, parse
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.world import choices, first, system_of
from simulator.trace import write_line

GOOD = """\
format: 1
about: the job goes before the device has taken it
world: {layout: single, bounds: {delete: 1}}
choices:
- create fw
- deliver notify
- delete fw
"""


def home(setup: Setup, *forced: str) -> tuple[str, ...]:
    """A way on which these happen as soon as they can, and else whatever costs nothing and is there first."""
    system, world, way, left = system_of(setup), first(setup), list[str](), list(forced)
    for _ in range(120):
        if not left and all(system.is_home(side.device, side.net, world.service) for side in world.sides):
            return tuple(way)
        there = [str(each) for each in choices(setup, world)]
        wanted = left.pop(0) if left and left[0] in there else _first_free(there)
        way.append(wanted)
        *_, last = held_to(system, way)
        world = last.world
    raise AssertionError(way)


def _first_free(there: list[str]) -> str:
    order = ("deliver ", "arrive ", "work ", "reboot", "power on", "connect", "records go", "job gone", "timer ")
    free = [each for each in there if " twice" not in each and "power-cut" not in each]
    return next(each for begins in order for each in free if each.startswith(begins))


@pytest.mark.parametrize(
    "setup",
    [
        pytest.param(Setup(), id="the standard world, of which nothing is said"),
        pytest.param(Setup(bounds=Bounds()), id="no trouble at all, which is not the standard"),
        pytest.param(
            Setup(
                model="poller",
                layout="swap",
                namespace="lab",
                reports="end",
                flaw="boot",
                next=True,
                bounds=Bounds(delete=2, power_cut=1, lose_hint=3),
            ),
            id="another in all",
        ),
    ],
)
def test_what_is_written_is_what_is_read(setup: Setup):
    schedule = Schedule.of(
        setup, ("create fw", "deliver notify"), "what: it shows, 'quoted' – ü", Expected(violated=("bootable",))
    )
    read = parse(schedule.yaml(), "kept.yaml")
    assert read.schedule == schedule
    assert parse(read.schedule.yaml(), "kept.yaml").schedule.yaml() == schedule.yaml()
    lines = schedule.yaml().splitlines()
    assert [lines[number - 1] for number in read.lines] == ["- create fw", "- deliver notify"]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("deliver notify", "devlier notify", "a.yaml:6: choices.1: a choice begins otherwise: give one of arrive, "),
        ("deliver notify", "devlier notify", "not 'devlier'; did you mean deliver?"),
        ("layout: single", "layuot: single", "a.yaml:3: world.layuot: unknown key; the keys here are model, layout, "),
        ("layout: single", "layout: one", "a.yaml:3: world.layout: give one of ab, swap, single, not 'one'"),
        ("delete: 1", "deletes: 1", "a.yaml:3: world.bounds.deletes: unknown key; the keys here are delete, "),
        ("delete: 1", "delete: 10", "a.yaml:3: world.bounds.delete: give 9 or less, not 10"),
        ("delete: 1", "delete: true", "a.yaml:3: world.bounds.delete: give a whole number, not true"),
        ("format: 1", "format: 2", "a.yaml:1: format: give 1, not 2"),
        ("- create fw", "- {}", "a.yaml:5: choices.0: give text, not a mapping"),
        ("choices:", "chocies:", "a.yaml:4: chocies: unknown key; the keys here are format, about, world, expects, "),
        ("about: the job", "about: [the job", "a.yaml:3: cannot read the YAML: "),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(was: str, becomes: str, told: str):
    with pytest.raises(InputError) as error:
        parse(GOOD.replace(was, becomes), "a.yaml")
    assert told in str(error.value)


def test_choices_that_are_merged_in_have_their_lines_too():
    merged = GOOD.replace("choices:", "<<:\n  choices:").replace("- ", "  - ")
    read = parse(merged, "a.yaml")
    assert [read.place(number) for number in range(3)] == ["a.yaml:6", "a.yaml:7", "a.yaml:8"]
    with pytest.raises(InputError, match=r"^a\.yaml:7: choices\.1: a choice begins otherwise"):
        parse(merged.replace("deliver notify", "devlier notify"), "a.yaml")


def test_a_text_that_is_no_mapping_is_told_what_a_schedule_is():
    with pytest.raises(InputError, match="a schedule is a YAML mapping with format, world and choices"):
        parse("- create fw\n", "a.yaml")


def test_what_can_no_longer_be_played_tells_where_it_parted_and_what_there_was():
    schedule = parse(GOOD.replace("deliver notify", "deliver notify-nxt"), "a.yaml").schedule
    with pytest.raises(Unplayable) as parted:
        in_world(schedule, "x")
    assert (parted.value.number, parted.value.of, parted.value.wanted) == (2, 3, "deliver notify-nxt")
    assert parted.value.there == ("deliver notify", "delete fw")
    assert str(parted.value) == (
        "choice 2 of 3, 'deliver notify-nxt', cannot be played here; did you mean deliver notify?; "
        "there are: deliver notify, delete fw"
    )


def test_a_way_home_passes_and_one_that_is_under_way_is_inconclusive():
    setup = Setup(layout="single", bounds=Bounds(delete=1))
    whole = in_world(Schedule.of(setup, home(setup, "create fw", "delete fw"), ""), "whole")
    assert (whole.is_home, whole.verdict.outcome, whole.broken) == (True, "passed", ())
    half = in_world(parse(GOOD, "a.yaml").schedule, "half")
    assert (half.is_home, half.verdict.outcome) == (False, "inconclusive")


def test_each_entry_of_a_trace_belongs_to_the_choice_that_made_it_be_told():
    schedule = parse(GOOD, "a.yaml").schedule
    told = [[] for _ in range(4)]  # type: list[list[str]]
    for placed in in_world(schedule, "x").entries:
        told[placed.choice].append(placed.entry.event.type)
    assert told[0][:2] == ["run.started", "cloud.listening"]
    assert told[1] == ["job.created", "execution.queued", "hint.published", "hint.published"]
    assert told[2] == ["hint.received"]
    assert told[3][:3] == ["deletion.requested", "job.deletion_began", "deletion.accepted"]


TWICE = """
from simulator.engines.explore.playing import in_world
from simulator.engines.explore.schedule import parse
from simulator.trace import write_line
import sys
played = in_world(parse(sys.stdin.read(), "x").schedule, "x")
print("\\n".join(f"{placed.choice} {write_line(placed.entry)}" for placed in played.entries))
"""


def test_a_replay_is_byte_for_byte_the_same_under_two_hash_seeds():
    setup = Setup(layout="ab", bounds=Bounds(delete=1, power_cut=1))
    text = Schedule.of(setup, home(setup, "create fw", "delete fw", "power-cut"), "").yaml()
    played = in_world(parse(text, "x").schedule, "x")
    here = "\n".join(f"{placed.choice} {write_line(placed.entry)}" for placed in played.entries) + "\n"
    assert "power.lost" in here
    for seed in ("1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", TWICE],
            input=text,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == here


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("choices: " + "[" * 100_000, r"^it:1: lists and mappings are more than 50 deep"),
        ("choices:\n" + "- " * 90 + "a", r"^it:2: lists and mappings are more than 50 deep"),
        ("choices: [" + "9" * 5_000 + "]", r"^it: cannot read the YAML: a value is not what it looks like"),
        ("about: 2024-13-45\nchoices: []", r"^it: cannot read the YAML: a value is not what it looks like"),
        ("about: !!timestamp soon\nchoices: []", r"^it: cannot read the YAML: a value is not what it looks like"),
        ("choices: [create " + "x" * 1_000_000 + "]", r"^it:1: choices\.0: give 200 characters or less"),
        ('choices: ["create \\e[31mfw"]', r"^it:1: choices\.0: give one line of text, without control"),
        ('choices: ["create \\u202efw"]', r"^it:1: choices\.0: give one line of text, without control"),
        (
            "expects: {violated: [bootabel]}\nchoices: []",
            r"^it: expects\.violated: no .*'bootabel'; did you mean bootable",
        ),
        (
            "expects: {undecided: [stuck]}\nchoices: []",
            r"^it: expects\.undecided: no invariant is called 'stuck' \(see",
        ),
        ('about: "\\e]0;mine\\a"\nchoices: []', r"^it:1: about: give one line of text, without control"),
    ],
    ids=[
        "deep",
        "deep in blocks",
        "a long number",
        "no date",
        "no moment",
        "a long choice",
        "colour",
        "turned around",
        "a typo",
        "a sort of finding",
        "a title",
    ],
)
def test_a_hostile_file_is_refused_in_a_line_that_is_short(text: str, complaint: str):
    with pytest.raises(InputError, match=complaint) as refused:
        parse(text, "it")
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_what_a_finding_says_steers_no_terminal_when_it_is_kept():
    assert Schedule.of(Setup(), (), "it said \x1b[31m\nno").about == "it said  [31m no"
