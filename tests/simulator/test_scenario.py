"""Scenarios: parsed once, refused in one line that says where and what."""

from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.scenario import PowerCut, Timings, agents, load, parse, shipped, thing_names, thing_of_agent

GOOD = """\
name: flash
devices:
  - group: a
  - group: b
    namespace: lab
jobs:
  - {id: fw, to: [a], version: "2.0"}
  - {id: fw-2, to: [a], version: "2.1", after: {deletion_of: fw}}
deletions:
  - job: fw
    when: {step: write, progress: 50}
    hold: true
"""


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_loads_and_says_what_it_shows(name: str):
    scenario = load(name)
    assert scenario.name == name
    assert scenario.about
    assert scenario.must_reach, "a scenario that ships names the places it reaches"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(GOOD.replace("group: b", "gruop: b"), "flash.yaml:4: devices.1.", id="unknown key"),
        pytest.param(
            GOOD.replace('to: [a], version: "2.0"', 'to: [c], version: "2.0"'),
            "flash.yaml:7: jobs.0.to: no group 'c'; there are a, b",
            id="no such group",
        ),
        pytest.param(
            GOOD.replace('to: [a], version: "2.0"', 'to: [b], version: "2.0"'),
            "flash.yaml:7: jobs.0.to: group 'b' listens in another namespace",
            id="wrong namespace",
        ),
        pytest.param(
            GOOD.replace("step: write", "step: fly"), "flash.yaml:11: deletions.0.when.step:", id="no such step"
        ),
        pytest.param(
            GOOD.replace('version: "2.0"', 'version: "2.0", image: {flaw: rust}'),
            "flash.yaml:7: jobs.0.image.flaw:",
            id="a flaw that no image has",
        ),
        pytest.param(GOOD.replace("{step: write, progress: 50}", "{}"), "exactly one of step, status", id="no instant"),
        pytest.param(
            GOOD.replace("when: {step: write, progress: 50}", "when: {status: QUEUED}"),
            "hold: needs when.step",
            id="hold without a place",
        ),
        pytest.param(
            GOOD.replace("deletion_of: fw", "deletion_of: fx"),
            "flash.yaml:8: jobs.1.after.deletion_of",
            id="after no job's deletion",
        ),
        pytest.param(
            GOOD.replace("deletion_of: fw", "taken: fx"), "flash.yaml:8: jobs.1.after.taken", id="after no job's start"
        ),
        pytest.param(
            GOOD.replace("deletion_of: fw", "deletion_of: fw, taken: fw"),
            "exactly one of deletion_of, taken",
            id="after two things",
        ),
        pytest.param(
            GOOD.replace("job: fw\n", "job: fw-2\n"),
            "flash.yaml:10: deletions.0.job: no job 'fw-2' made",
            id="deletion of a job that comes later",
        ),
        pytest.param(
            GOOD + "power_cuts:\n  - {step: write, occurrence: 2}\n",
            "flash.yaml:14: power_cuts.0: after, occurrence: say which instant",
            id="the second of what has no name",
        ),
        pytest.param(
            GOOD.replace("namespace: lab", "namespace: lab\n    beside: [{group: c, namespace: lab}]"),
            "flash.yaml:4: devices.1: beside: agents on one thing listen in different namespaces",
            id="two agents in one namespace",
        ),
        pytest.param(GOOD.replace("group: b", "group: a"), "every group has a name of its own", id="a name used twice"),
        pytest.param(
            GOOD.replace("group: a\n", "group: a\n    namespace: aws-gg\n").replace(
                "to: [a],", "namespace: aws-gg, to: [a],"
            ),
            "by: namespaces that begin with aws- are Greengrass's",
            id="a namespace of AWS's",
        ),
        pytest.param("name: a\ndevices: [}\n", "flash.yaml:2: cannot read the YAML", id="no YAML"),
        pytest.param(GOOD + "jobs: []\n", "flash.yaml:13: jobs: it stands here a second time", id="a key twice"),
        pytest.param(
            GOOD.replace("group: a\n", "group: a\n    group: c\n"),
            "flash.yaml:4: group: it stands here a second time",
            id="a key twice in a part",
        ),
        pytest.param(GOOD + "hardware: &a [*a]\n", "flash.yaml:13: hardware: give a mapping", id="a list in itself"),
        pytest.param(
            GOOD + "power_cuts: [{step: write, groups: [c]}]\n",
            "flash.yaml:13: power_cuts.0.groups: no group 'c'; there are a, b",
            id="power cuts of nobody",
        ),
        pytest.param(
            GOOD + "outages: [{step: write, groups: [c]}]\n",
            "flash.yaml:13: outages.0.groups: no group 'c'; there are a, b",
            id="outages of nobody",
        ),
        pytest.param(
            GOOD + "faults: [{do: lose, messages: [update], after_deletion_of: fx}]\n",
            "flash.yaml:13: faults.0.after_deletion_of: no job 'fx'; there are fw",
            id="a fault after no job's deletion",
        ),
        pytest.param(
            GOOD + "faults: [{do: throttle, messages: [notify]}]\n",
            "flash.yaml:13: faults.0: messages: throttle is for requests, not for notify",
            id="a throttled notification",
        ),
        pytest.param(
            GOOD + "faults: [{do: lose, messages: [update], first: 1, nth: 1}]\n",
            "flash.yaml:13: faults.0: first, nth: one of these",
            id="a fault of the first and of one",
        ),
        pytest.param(
            GOOD.replace('version: "2.0"}', "document: {operation: run, parts: {released: 2026-01-31}}}"),
            "flash.yaml:7: jobs.0.document.parts.",
            id="a document that JSON cannot say",
        ),
        pytest.param(
            GOOD.replace('version: "2.0"}', "document: {parts: {1: one, two: 2}}}"),
            "flash.yaml:7: jobs.0.document.parts.",
            id="a key in a document that is a number",
        ),
        pytest.param(
            GOOD.replace('version: "2.0"}', "document: &a {parts: [*a]}}"),
            "flash.yaml:7: jobs.0.document.parts.",
            id="a document in itself",
        ),
        pytest.param(
            GOOD + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 1}]\n" for n in range(12)),
            "flash.yaml:19: with its aliases written out, it has more than 200000 values",
            id="aliases of aliases",
        ),
        pytest.param(
            GOOD + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9 if n else [])}]}}\n" for n in range(12)),
            "flash.yaml:19: with its aliases written out, it has more than 200000 values",
            id="merges of merges",
        ),
        pytest.param(
            GOOD + "".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else 1}]\n" for n in range(60)),
            "with its aliases written out, it is more than 50 deep",
            id="aliases that go deep",
        ),
        pytest.param("- a\n- b\n", "flash.yaml: a scenario is a YAML mapping", id="a list"),
        pytest.param("", "flash.yaml: a scenario is a YAML mapping", id="an empty file"),
    ],
)
def test_a_bad_scenario_is_refused_in_one_line(text: str, says: str):
    with pytest.raises(InputError) as caught:
        parse(text, "flash.yaml")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_more_is_read_of_a_file_than_a_scenario_can_be(tmp_path: Path):
    endless = tmp_path / "endless.yaml"
    endless.write_text(GOOD + "#" * 2_000_001, "utf-8")
    with pytest.raises(InputError, match="larger than any scenario, which has 2000000 bytes at most"):
        load(str(endless))


def test_what_a_part_takes_from_another_it_may_have_in_its_own_way():
    scenario = parse(GOOD + "power_cuts:\n  - &cut {step: write, progress: 10}\n  - {<<: *cut, progress: 20}\n")
    assert [cut.progress for cut in scenario.power_cuts] == [10, 20]


def test_of_an_unknown_name_it_is_told_which_scenarios_are_near_and_where_all_are():
    with pytest.raises(
        InputError, match="no shipped scenario of that name; `ghostjob run --list` tells which there are"
    ):
        load("xyz")
    with pytest.raises(InputError, match="did you mean main"):
        load("mian")


def test_ten_devices_are_dealt_half_to_the_namespace_and_half_to_the_reused_id():
    groups = load("main").deal(10)
    assert sum(group.namespace == "lab" for group in groups) == 5
    assert sum(group.group.endswith("-same") for group in groups) == 5


@pytest.mark.parametrize(("action", "seconds"), [("self-test", 0.1), ("validate", 0.4), ("stage", 0.4)])
def test_an_action_takes_the_time_of_its_name_or_of_any_other(action: str, seconds: float):
    assert Timings(self_test=0.1, other=0.4).seconds(action) == seconds


@pytest.mark.parametrize(
    ("cut", "name", "step", "last_step", "applies"),
    [
        ({"instant": "journal synced"}, "journal synced", "", "", True),
        ({"instant": "journal synced", "after": "commit"}, "journal synced", "", "commit", True),
        ({"instant": "journal synced", "after": "commit"}, "journal synced", "", "write", False),
        ({"instant": "journal synced", "after": "commit"}, "commit 1/1", "commit", "commit", False),
        ({"step": "write", "progress": 50}, "write 16/32", "write", "write", True),
        ({"nth": 7}, "anything", "", "", True),
    ],
)
def test_when_the_power_goes(cut: dict[str, object], name: str, step: str, last_step: str, applies: bool):
    assert PowerCut.model_validate(cut).applies(name, 7, step, 50, last_step) is applies


def test_agents_that_share_a_thing_are_recast_and_named_together():
    scenario = load("greengrass-held-back").cast("deaf")
    assert [group.model for group in scenario.groups] == ["deaf", "deaf"]
    names = [name for name, _ in agents("thing-0", scenario.devices[0])]
    assert names == ["thing-0", "thing-0@aws-gg-deployment"]
    assert {thing_of_agent(name) for name in names} == {"thing-0"}


def test_thing_names_sort_as_they_count():
    names = thing_names(1000)
    assert list(names) == sorted(names)
    assert names[7] == "thing-007"
