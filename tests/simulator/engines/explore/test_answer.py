"""What is said of a search: what was violated before it began, and of which world it is."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from agent.device_events import DeviceBooted
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.answer import Found, verdict_of
from simulator.engines.explore.choice import KINDS
from simulator.engines.explore.describing import bounds_in_words, left_out, world_in_words
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.pieces import Piece
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.sometimes import NO_SUCH, PLACES, STOPPED, At, Looking, Sometimes
from simulator.engines.explore.system import System
from simulator.scenario.places import Place

if TYPE_CHECKING:
    from simulator.engines.explore.searchable import Searchable


class FromTheBeginning(Looking):
    """Takes it amiss that a device boots at all."""

    def __init__(self) -> None:
        super().__init__(Place(place="succeeded", job="fw"), PLACES["succeeded"])

    def watch(self, watched: At, told: Piece[Heard]) -> tuple[At, tuple[Broken, ...]]:
        boots = any(isinstance(each, DeviceBooted) for each in told.value.by_device)
        return watched, (Broken("alive", "it boots"),) if boots else ()


def test_what_breaks_before_the_first_choice_is_told():
    system = System(Setup(bounds=Bounds()), FromTheBeginning())
    found = explore(cast("Searchable", system))
    verdict = verdict_of(system, Found(found), name="")
    assert verdict.outcome == "failed"
    assert verdict.explored is not None
    first = verdict.explored.findings[0]
    assert (first.sort, first.invariant, first.why, first.way) == ("violated", "alive", "it boots", ())


@pytest.mark.parametrize(
    ("why", "outcome", "said"),
    [
        pytest.param("", "inconclusive", "'heard fw' cannot be reached within these bounds, in ", id="out of reach"),
        pytest.param(
            STOPPED.format("time"),
            "inconclusive",
            "'heard fw' was not found before the search for it was stopped by time, in ",
            id="nobody knows",
        ),
        pytest.param(NO_SUCH, "passed", "within the bounds no order of events violates anything", id="nobody asks"),
    ],
)
def test_what_was_not_seen_to_be_reached_is_inconclusive(why: str, outcome: str, said: str):
    system = System(Setup(bounds=Bounds()))
    found = Found(explore(cast("Searchable", system)), [Sometimes("heard fw", None, why)])
    verdict = verdict_of(system, found, name="")
    assert verdict.outcome == outcome
    assert verdict.why.startswith(said)


OTHERWISE: dict[str, Any] = {
    "model": "poller",
    "layout": "single",
    "namespace": "lab",
    "hears": "everything",
    "policy": "finish-after-switch",
    "reports": "end",
    "leap_when_unreachable": "proceed",
    "sectors": 2,
    "asks": "reboot",
    "flaw": "boot",
    "again": "other document",
    "next": True,
    "same_second": True,
    "while_deleting": "answers",
    "records_go": "at once",
    "head_across_namespaces": False,
    "devices": "two things",
}


def said(setup: Setup) -> str:
    return " ".join((world_in_words(setup), *bounds_in_words(setup), *left_out(setup)))


@pytest.mark.parametrize("name", [name for name in Setup.model_fields if name != "bounds"])
def test_every_setting_of_a_world_is_told(name: str):
    usual = Setup(bounds=Bounds(create_again=1))
    assert said(Setup.model_validate({"bounds": usual.bounds, name: OTHERWISE[name]})) != said(usual)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_may_happen_is_told(kind: str):
    assert said(Setup(bounds=Bounds.model_validate({kind: 1}))) != said(Setup(bounds=Bounds()))


def test_what_the_other_settings_lead_to_is_said_to_be_left_out():
    assert any(each.startswith("settings of the device, the job and the service") for each in left_out(Setup()))


@pytest.mark.parametrize("kind", ["lose-request", "lose-answer", "lose-hint"])
def test_it_is_said_that_a_message_is_lost_with_its_connection_alone(kind: str):
    alone = [each for each in left_out(Setup(bounds=Bounds())) if "but with its connection" in each]
    assert len(alone) == 3
    also = [each for each in left_out(Setup(bounds=Bounds.model_validate({kind: 1}))) if each in alone]
    assert len(also) == 2
