"""What is carried along of the verdict: as small as may be, and judged as the judge does."""

import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from agent.device_events import AnswerReceived, DeviceConnected, HintReceived, RequestSent
from agent.values import ExecutionKey
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.monitors import TABLE, Broken, Watched, Watcher
from simulator.engines.explore.pieces import Piece, piece
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.trace import ExecutionChanged, ExecutionQueued, ExecutionRemoved, RequestAnswered, RequestReceived
from simulator.verdict import INVARIANTS, Invariant
from simulator.verdict.frozen import EMPTY
from simulator.verdict.seen import Mark
from simulator.verdict.state import State
from simulator.verdict.watch import Watch
from tests.elsewhere import said_elsewhere, said_here
from tests.simulator.engines.explore import whole
from tests.simulator.engines.explore.told import BY_ORDER, Played, Step, differences, played, violated, watched_by

THING = "lamp"
FW = ExecutionKey(None, "fw", 1, 100)
AGAIN = ExecutionKey(None, "fw", 1, 200)

GOOD = ("reference", "start-next", "describe-update", "poller")
SCENARIOS = (
    "main",
    "command-deleted",
    "delete-in-self-test",
    "delete-while-asking-to-leap",
    "messages-lost",
    "messages-duplicated",
    "messages-reordered",
    "power-lost-before-the-report",
    "power-lost-while-undoing",
    "recreated-identically",
    "recreated-at-once",
    "stale-update-after-recreation",
    "stale-reads",
    "policy-leap-when-unreachable",
    "policy-finish-after-switch",
    "self-test-fails-in-the-only-slot",
    "two-in-progress-head-deleted",
)
BAD = [
    ("delete-in-write", "works-on-although-told", 1),
    ("messages-reordered", "reports-success-for-a-gone-job", 1),
    ("command-deleted", "leaps-without-asking", 1),
    ("self-test-fails-in-the-only-slot", "leaps-without-asking", 1),
    ("main", "acts-on-the-hint-alone", 2),
    ("recreated-while-offline", "keys-on-job-id-alone", 1),
    ("recreated-while-offline", "greengrass-nucleus", 1),
    ("stale-update-after-recreation", "sends-no-expected-version", 1),
    ("failing-self-test", "reports-success-of-what-it-took-back", 1),
    ("offline-after-the-leap", "applies-twice-after-reconnect", 1),
    ("power-lost-before-the-report", "commits-before-it-tests", 1),
    ("recreated-at-once", "recovers-without-undoing", 1),
    ("delete-in-the-middle-of-the-only-slot", "undoes-past-the-point-of-no-return", 1),
    ("greengrass-held-back", "crashes-on-an-empty-head", 1),
]
PLAYS = [*((scenario, GOOD[number % len(GOOD)], number) for number, scenario in enumerate(SCENARIOS)), *BAD]


# ── with the judge ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("scenario", "model", "seed"), PLAYS)
def test_a_path_is_judged_as_the_judge_does_after_every_step(scenario: str, model: str, seed: int):
    for watcher, steps in played(scenario, model, seed):
        assert list(differences(watcher, steps)) == []


def broken_in(play: Played) -> Iterator[Broken]:
    watched = play.watcher.start()
    for watched, broken in watched_by(*play):  # noqa: B007 - the last one rests
        yield from broken
    yield from play.watcher.at_rest(watched)


def test_these_plays_violate_all_that_is_judged():
    found = [each for names in BAD for play in played(*names) for each in broken_in(play)]
    assert violated(found) == {each.id for each in BY_ORDER}


def alike(plays: list[Played]) -> list[tuple[tuple[Step, ...], tuple[Step, ...]]]:
    """Beginnings of two plays, or two of one, that came to be one value, each with what followed in the other."""
    met: dict[tuple[Watched, int], list[tuple[Played, int]]] = defaultdict(list)
    for play in plays:
        for number, (watched, _) in enumerate(watched_by(*play), 1):
            met[watched, play.steps[number - 1].alive].append((play, number))
    pairs = [(places[0], places[-1]) for places in met.values() if len(places) > 1]
    return [
        (one.steps[:first] + other.steps[second:], other.steps[:second] + one.steps[first:])
        for (one, first), (other, second) in pairs
        if one.steps[:first] != other.steps[:second]
    ]


def test_what_comes_after_two_pasts_that_are_one_value_is_judged_alike_after_both():
    plain = ("main", "command-deleted", "delete-in-self-test", "messages-duplicated", "recreated-identically")
    models = ("reference", "leaps-without-asking", "keys-on-job-id-alone", "works-on-although-told")
    plays = [play for scenario in plain for model in models for play in played(scenario, model, 1)]
    spliced = alike(plays)
    assert len(spliced) > 200
    for both in spliced[:: len(spliced) // 25]:
        for steps in both:
            assert list(differences(plays[0].watcher, steps)) == []


# ── what is hidden from monitors, and asked once ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("scenario", "model", "seed"), [play for play in PLAYS if play[0] != "greengrass-held-back"])
def test_it_comes_to_what_it_would_if_each_monitor_were_fed_all_that_is_told(scenario: str, model: str, seed: int):
    for watcher, steps in played(scenario, model, seed):
        watched = watcher.start()
        for (told, alive), (after, broken) in zip(steps, watched_by(watcher, steps), strict=True):
            plain, said = whole.watch(watcher, watched, told)
            dead = [token for token in plain.testimony.value.exchanges if not alive >> int(token) & 1]
            assert (whole.forget(plain, frozenset(dead)), said) == (after, broken)
            watched = after


@pytest.mark.parametrize(
    ("model", "bounds"),
    [
        ("reference", {"delete": 1}),
        ("reference", {"power-cut": 1}),
        ("works-on-although-told", {"delete": 1}),
        ("keys-on-job-id-alone", {"delete": 1}),
    ],
)
def test_so_it_does_in_every_state_of_a_search(model: str, bounds: dict[str, int]):
    class Comparing(Watcher):
        def watch(self, watched: Watched, told: Piece[Heard]) -> tuple[Watched, tuple[Broken, ...]]:
            watched_after = Watcher.watch(self, watched, told)
            assert watched_after == whole.watch(self, watched, told.value)
            asked.append(told)
            return watched_after

    asked: list[Any] = []
    setup = Setup.model_validate({"model": model, "bounds": bounds})
    explore(System(setup, Comparing(setup.seats[0].name)))
    assert len(asked) > 300


# ── what is kept is needed ────────────────────────────────────────────────────────────────────────────────────


def heard(**blank: Any) -> Callable[[Watch], object]:
    return lambda watch: [each.becomes(**blank) for each in watch.testimony.executions.values()]


def exchanges(**blank: Any) -> Callable[[Watch], object]:
    return lambda watch: [each.becomes(**blank) for each in watch.testimony.exchanges.values()]


def state(invariant: str, **blank: Any) -> Callable[[Watch], object]:
    index = [each.id for each in BY_ORDER].index(invariant)
    return lambda watch: watch.states[index].becomes(**blank)


NEVER = Mark("", 0, 0)
NEEDED = [
    pytest.param(heard(over=None), ("announced-after-deletion", "reference"), id="that it was told of the end"),
    pytest.param(heard(alive_asked=0), ("main", "reference"), id="when its leave was asked for"),
    pytest.param(heard(alive_asked=5000), ("command-deleted", "leaps-without-asking"), id="whether that was too soon"),
    pytest.param(exchanges(sent=NEVER), ("main", "reference"), id="the order of questions and hints"),
    pytest.param(exchanges(said=()), ("announced-after-deletion", "reference"), id="what was said to a question"),
    pytest.param(heard(leapt=False), ("delete-in-the-middle-of-the-only-slot", "reference"), id="that it has leapt"),
    pytest.param(heard(standing=4 * (None,)), ("delete-in-write", "works-on-although-told"), id="what stands"),
    pytest.param(
        state("no-cross-incarnation", reuses=()),
        ("recreated-while-offline", "keys-on-job-id-alone"),
        id="that an id was used again",
    ),
    pytest.param(
        state("no-double-apply", standing=EMPTY),
        ("offline-after-the-leap", "applies-twice-after-reconnect"),
        id="what is committed",
    ),
    pytest.param(
        state("accounted-for", before_write=EMPTY),
        ("failing-self-test", "reports-success-of-what-it-took-back"),
        id="what ran before a write",
    ),
    pytest.param(
        state("tests-before-commit", on_trial=False),
        ("power-lost-before-the-report", "commits-before-it-tests"),
        id="that a boot was on trial",
    ),
    pytest.param(
        state("bootable", pending=()), ("recreated-at-once", "recovers-without-undoing"), id="what is half done"
    ),
]


@pytest.mark.parametrize(("blanks", "play"), NEEDED)
def test_without_something_that_is_kept_it_would_be_judged_otherwise(
    monkeypatch: pytest.MonkeyPatch, blanks: Callable[[Watch], object], play: tuple[str, str]
):
    watches = Watcher.watch

    def less(*given: Any) -> tuple[Watched, tuple[Broken, ...]]:
        watched, broken = watches(*given)
        watch = Watch(watched.testimony.value, tuple(each.value for each in watched.states)).twin()
        blanks(watch)
        return Watched(piece(watch.testimony), tuple(map(piece, watch.states)), watched.record), broken

    monkeypatch.setattr(Watcher, "watch", less)
    assert any(list(differences(*each)) for each in played(*play, 1))


# ── a value ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_watched_is_a_small_value_in_every_process():
    for play in played("main", "reference", 1):
        for watched, _ in watched_by(*play):
            copy = pickle.loads(pickle.dumps(watched))
            assert (copy, hash(copy), repr(copy)) == (watched, hash(watched), repr(watched))
            assert len(pickle.dumps(watched)) < 5_000


def test_a_twin_shares_no_state():
    def states(value: Any) -> Iterator[State]:
        parts: Iterable[Any] = ()
        if isinstance(value, State):
            yield value
            parts = (getattr(value, name) for name in value.__dataclass_fields__)
        elif isinstance(value, dict | tuple):
            parts = value.values() if isinstance(value, dict) else value
        yield from (each for part in parts for each in states(part))

    for play in played("recreated-while-offline", "keys-on-job-id-alone", 1):
        for watched, _ in watched_by(*play):
            for value in (watched.testimony.value, watched.record.value, *(each.value for each in watched.states)):
                twin = value.twin()
                assert twin == value
                assert not {id(each) for each in states(twin)} & {id(each) for each in states(value)}


def test_it_is_the_same_under_every_hash_seed():
    script = (
        "from tests.simulator.engines.explore.told import played, watched_by\n"
        "print([repr(watched) for play in played('main', 'reference', 1) for watched, _ in watched_by(*play)])"
    )
    assert said_here(script) == said_elsewhere(script) != ""


def by_device(*told: Any) -> Piece[Heard]:
    return piece(Heard((), told))


def test_nothing_that_is_kept_goes_with_the_next_step_that_tells_nothing_of_it():
    queued = ExecutionQueued("thing-0", ExecutionKey(None, "another", 1, 1))
    for play in (*played("main", "reference", 1), *played("recreated-while-offline", "keys-on-job-id-alone", 1)):
        for watched, _ in watched_by(*play):
            after, _ = play.watcher.watch(watched, piece(Heard((queued,))))
            assert after._replace(record=watched.record) == watched


def test_equal_pasts_are_one_value_whatever_happened_that_does_not_matter():
    watcher = Watcher(THING)
    plain, _ = watcher.watch(watcher.start(), by_device(DeviceConnected()))
    busy = plain
    for token in "0101":
        busy, broken = watcher.watch(busy, by_device(RequestSent(token, "get-pending"), HintReceived("notify", None)))
        assert broken == ()
        asked = RequestReceived(THING, "get-pending", token), RequestAnswered(THING, "get-pending", True, token)
        busy, _ = watcher.watch(busy, piece(Heard(asked)))
        busy, _ = watcher.watch(busy, by_device(AnswerReceived(token, accepted=True)))
    assert busy._replace(record=plain.record) == plain


def test_a_request_that_nobody_will_answer_is_forgotten_with_its_token():
    watcher = Watcher(THING)
    before, _ = watcher.watch(watcher.start(), by_device(DeviceConnected()))
    after, _ = watcher.watch(before, by_device(RequestSent("3", "start-next")))
    assert (watcher.places(before), watcher.places(after)) == (0, 1 << 3)
    assert watcher.forget(after, 1 << 3) == after
    assert watcher.forget(after, 1 << 2) == before


def test_what_nobody_could_tell_apart_is_told_once_as_undecided():
    """An update for one execution that a later one accepts, of which the device could not have heard."""
    watcher = Watcher(THING)
    sent = RequestSent("0", "update", None, "fw", FW, "IN_PROGRESS", 1)
    watched, _ = watcher.watch(watcher.start(), piece(Heard((ExecutionQueued(THING, FW),), (DeviceConnected(), sent))))
    again = ExecutionRemoved(THING, FW, "QUEUED"), ExecutionQueued(THING, AGAIN)
    watched, _ = watcher.watch(watched, piece(Heard(again)))
    accepted = (
        RequestReceived(THING, "update", "0", None, "fw", "IN_PROGRESS", expected_version=1),
        ExecutionChanged(THING, AGAIN, "IN_PROGRESS", 2, "device"),
        RequestAnswered(THING, "update", True, "0", None, AGAIN),
    )
    watched, broken = watcher.watch(watched, piece(Heard(accepted)))
    assert [(each.invariant, each.outcome) for each in broken] == [("no-cross-incarnation", "undecided")]
    watched, broken = watcher.watch(watched, by_device(AnswerReceived("0", accepted=True)))
    assert broken == watcher.at_rest(watched) == ()


# ── what is judged ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_says_of_every_invariant_what_is_judged_or_who_judges_it():
    assert [row.invariant for row in TABLE] == [each.id for each in INVARIANTS]
    assert all(row.judged or row.leaves for row in TABLE)
    assert {row.invariant for row in TABLE if not row.judged} == {
        "stops-in-time",
        "no-lost-job",
        "ready-in-time",
        "no-hammering",
    }


def test_no_invariant_can_be_written_without_saying_so():
    [field] = [each for each in fields(Invariant) if each.name == "without_time"]
    with pytest.raises(TypeError, match=field.name):
        Invariant("new", "breaks it", lambda: None, {}, INVARIANTS[0].rule)  # type: ignore[call-arg]
