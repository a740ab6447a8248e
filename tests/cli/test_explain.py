"""`ghostjob explain`: a page, or what it says of a word, on any terminal."""

import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest

from agent.causes import Cause
from agent.device_events import PhaseName
from agent.values import ErrorCode
from simulator.cli import main
from simulator.cloud.notices.refusals import CODES
from simulator.devices.models import MODELS
from simulator.docs import PAGES, page
from simulator.docs.topics import topics
from simulator.scenario import Scenario, shipped
from simulator.trace import KNOWN_TYPES
from simulator.verdict import INVARIANTS
from tests.cli.command import complaint
from tests.cli.test_live_table import Terminal

COLUMNS = 80
NAMES = {topic.name for topic in topics()}


def explained(capsys: pytest.CaptureFixture[str], *topic: str) -> str:
    with pytest.raises(SystemExit) as exit_:
        main(["explain", *topic])
    assert exit_.value.code == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def test_without_a_topic_it_lists_the_pages_and_their_questions(capsys: pytest.CaptureFixture[str]):
    lines = explained(capsys).splitlines()
    assert [line.split()[0] for line in lines if line.endswith("?")] == list(PAGES)
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_into_eighty_columns_with_all_its_words(name: str, capsys: pytest.CaptureFixture[str]):
    shown = explained(capsys, name)
    assert max(map(len, shown.splitlines())) <= COLUMNS
    assert "\x1b" not in shown
    source = re.sub(r"<!--.*?-->|\]\([^)]*\)", "", page(name), flags=re.DOTALL)
    assert set(re.findall(r"[a-z]{5,}", source)) <= set(re.findall(r"[a-z]{5,}", shown))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("invariants", {each.id for each in INVARIANTS}),
        ("events of the trace", KNOWN_TYPES),
        ("keys of a scenario", set(Scenario.model_fields)),
        ("keys below them", {"deletions.when.step", "updates.when.step", "devices.beside.layout", "bounds.restarts"}),
        ("settings", {"cloud.removal_delay_seconds", "http.page_size", "gateway.subscriptions"}),
        ("places", {"must_reach.place.deleted-in-step", "must_reach.place.never-heard"}),
        ("exit codes", {"0", "1", "2", "3", "70", "130", "141"}),
        ("device models", set(MODELS)),
        ("shipped scenarios", set(shipped())),
        ("errors of the service", {code.value for code in ErrorCode}),
        ("causes", {cause.value for cause in Cause}),
        ("refusals", set(CODES)),
        ("flash layouts", {"ab", "swap", "single"}),
        ("phases of a device", set(get_args(PhaseName))),
        ("words of our own", {"ghost", "hint", "leap", "nonce"}),
    ],
)
def test_every_one_of_these_is_a_topic(kind: str, names: set[str]):
    assert names <= NAMES, kind


def test_an_invariant_is_explained_with_what_to_do(capsys: pytest.CaptureFixture[str]):
    shown = explained(capsys, "no-ghost-work")
    assert "Broken by a device that starts a step" in shown
    assert "What to do." in shown
    assert "Page: invariants" in shown
    assert "no-ghost-update" not in shown.splitlines()[0]


@pytest.mark.parametrize("word", ["lose-request", "lose-answer", "lose-hint", "stuck", "for ever", "undecidable"])
def test_of_words_that_are_explained_together_each_is_a_topic(word: str, capsys: pytest.CaptureFixture[str]):
    lines = explained(capsys, word).splitlines()
    assert (lines[0], lines[-1]) == (word, "Page: explore")


def test_a_key_is_explained_by_its_whole_name_and_by_its_end(capsys: pytest.CaptureFixture[str]):
    whole = explained(capsys, "power_cuts.occurrence")
    assert whole == explained(capsys, "occurrence")
    assert "At which one of that name." in whole


def test_several_keys_of_that_end_are_listed(capsys: pytest.CaptureFixture[str]):
    shown = explained(capsys, "step")
    assert "  deletions.when.step  (page scenario)\n" in shown
    assert "  outages.step  (page scenario)\n" in shown
    assert explained(capsys, "when").count("  deletions.when  (page scenario)\n") == 1


def test_a_word_of_several_pages_is_explained_by_the_one_that_says_most(capsys: pytest.CaptureFixture[str]):
    assert explained(capsys, "cloud").strip().startswith("What does the local cloud do?")
    assert "deletion_seconds" in explained(capsys, "settings/cloud")


def test_where_more_is_said_of_a_word_is_told_once(capsys: pytest.CaptureFixture[str]):
    assert explained(capsys, "cloud").count("scenario/cloud") == 1
    assert explained(capsys, "devices").count("scenario/devices") == 1


def test_a_word_that_is_two_things_on_a_page_is_explained_as_both(capsys: pytest.CaptureFixture[str]):
    shown = explained(capsys, "signature")
    assert "cause: signature" in shown
    assert "code: signature" in shown


def test_a_row_is_told_with_the_heads_of_its_columns(capsys: pytest.CaptureFixture[str]):
    shown = explained(capsys, "3")
    assert "outcome: inconclusive" in shown
    assert "what to do: " in shown


def test_a_shipped_scenario_is_printed_as_it_stands(capsys: pytest.CaptureFixture[str]):
    shown = explained(capsys, "delete-in-write")
    assert "\nname: delete-in-write\n" in shown


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("no-gost-work", "no-ghost-work"),
        ("deletions.when.stp", "deletions.when.step"),
        ("removal_delay_second", "cloud.removal_delay_seconds"),
        ("ResourceNotFoundd", "ResourceNotFound"),
        ("exit-code", "exit-codes"),
        ("exit", "exit-codes"),
        ("rollout", "jobs.rollout_per_minute"),
    ],
)
def test_an_unknown_topic_is_told_with_what_was_perhaps_meant(word: str, meant: str, capfd: pytest.CaptureFixture[str]):
    told = complaint(capfd, ["explain", word])
    assert told.startswith(f"ghostjob: explain: no topic '{word}'; did you mean ")
    assert meant in told


def test_a_verb_is_explained_by_its_own_help(capfd: pytest.CaptureFixture[str]):
    assert "\nThe verb: ghostjob run --help\n" in explained(capfd, "run")
    assert complaint(capfd, ["explain", "fleet"]).endswith("; `ghostjob fleet --help` explains it")


def test_an_unknown_topic_that_is_like_none_is_told_where_they_are_listed(capfd: pytest.CaptureFixture[str]):
    assert complaint(capfd, ["explain", "zzzz"]) == (
        "ghostjob: explain: no topic 'zzzz'; `ghostjob explain` lists the pages"
    )


def test_on_a_terminal_it_is_rendered(tmp_path: Path):
    terminal = Terminal([sys.executable, "-P", "-m", "simulator.cli", "explain", "exit-codes"], tmp_path, lines=80)
    terminal.read_until("the AWS CLI's exit codes")
    assert terminal.process.wait() == 0
    assert "\x1b[1" in terminal.seen
    assert "**" not in terminal.seen


def test_a_page_that_is_longer_than_the_terminal_begins_at_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PAGER", "head -n 3")
    terminal = Terminal([sys.executable, "-P", "-m", "simulator.cli", "explain", "certify"], tmp_path)
    terminal.read_until("Does my own device recover?")
    assert terminal.process.wait() == 0
    with pytest.raises(AssertionError, match="ended before"):
        terminal.read_until("A first walk")


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"ghostjob, version {version('ghostjob')}\n"
