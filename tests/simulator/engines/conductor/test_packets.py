"""What a conducted network holds, and how each of it goes on."""

from collections.abc import Callable

import pytest

from agent.topics import HintTopic, hint_topic
from simulator.cloud.device_api.fault_injection import NOTHING
from simulator.engines.conductor.packets import MOST, ConductedNetwork, Wire, swap
from simulator.engines.explore.setup import Setup


class Journey:
    """Who travels, and when: after how long, and whether again."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, float | None, bool]] = []

    def of(self, name: str) -> Callable[..., object]:
        def travel(delays: tuple[float, ...], held_seconds: float | None, again: bool = False) -> None:
            self.arrived.extend((name, held_seconds, again) for _ in delays)

        return travel


def never(seconds: float, act: Callable[[], object]) -> None:
    """Nothing is done later."""


class Stand:
    """A wire to a device, and a network around it."""

    def __init__(self, setup: Setup | None = None, *, answers_who_left: bool = True) -> None:
        self.seconds, self.changes = 0.0, 0
        setup = setup or Setup(namespace="lab")
        self.wire = Wire(lambda: self.seconds, self.change, answers_who_left)
        self.wire.is_linked = True
        self.journey = Journey()
        hears_all = setup.hears == "everything"
        self.network = ConductedNetwork({setup.seats[0]: self.wire}, lambda: self.seconds, never, hears_all=hears_all)

    def change(self) -> None:
        self.changes += 1

    def carry(self, kind: str, name: str, thing: str = "dev-1") -> bool:
        return self.network.carry(thing, kind, NOTHING, 1, self.journey.of(name))  # type: ignore[arg-type]


def test_what_is_sent_is_held_in_its_order_until_it_is_let_go():
    stand = Stand()
    assert all([stand.carry("update", "a"), stand.carry("describe", "b"), stand.carry("notify", "c")])
    assert stand.journey.arrived == []
    assert stand.changes == 3
    stand.seconds = 4.0
    stand.wire.let_up()
    stand.wire.let_down()
    assert stand.journey.arrived == [("a", 4.0, False), ("c", 4.0, False)]
    assert [packet.kind for packet in stand.wire.up] == ["describe"]


def test_what_comes_twice_comes_again_when_it_is_let_go_again_and_says_so():
    stand = Stand()
    stand.carry("update", "a")
    stand.wire.let_up(twice=True)
    stand.wire.let_up()
    assert stand.journey.arrived == [("a", 0.0, False), ("a", 0.0, True)]
    assert not stand.wire.up


def test_the_next_one_may_be_overtaken():
    stand = Stand()
    for name in "abc":
        stand.carry("notify", name)
    swap(stand.wire.down)
    for _ in "abc":
        stand.wire.let_down()
    assert [name for name, *_ in stand.journey.arrived] == ["b", "a", "c"]


def test_with_the_connection_goes_what_was_to_be_received_and_nothing_more_comes_down():
    stand = Stand()
    stand.carry("update", "a")
    stand.carry("notify", "b")
    stand.wire.lose_link()
    assert not stand.carry("notify-next", "c")
    assert [packet.kind for packet in stand.wire.up] == ["update"]
    assert not stand.wire.down


@pytest.mark.parametrize("answers_who_left", [True, False])
def test_the_answer_to_who_left_stands_in_the_line_and_is_for_nobody(answers_who_left: bool):
    stand = Stand(answers_who_left=answers_who_left)
    stand.carry("update", "a")
    stand.wire.lose_link()
    stand.wire.is_linked = True
    stand.wire.let_up()
    if answers_who_left:
        stand.carry("update-answer", "to a")
    stand.carry("notify", "b")
    assert [(packet.kind, packet.is_cut_off) for packet in stand.wire.down] == [
        ("update-answer", True),
        ("notify", False),
    ]
    stand.carry("describe-answer", "to another")
    assert not stand.wire.down[-1].is_cut_off
    stand.wire.let_down()
    stand.wire.let_down()
    assert stand.journey.arrived[-1][0] == "b"


def test_who_has_sent_something_is_cut_off_once_all_of_it_has_come():
    stand, cut = Stand(), list[str]()
    stand.wire.on_their_way = 2
    stand.wire.all_have_come = lambda: cut.append("now")
    stand.carry("update", "a")
    assert not cut
    stand.carry("update", "b")
    assert cut == ["now"]
    stand.wire.close()
    assert cut == ["now"]


def test_a_wire_holds_so_many_and_no_more():
    stand = Stand()
    assert all(stand.carry("update", "a") for _ in range(MOST))
    assert not stand.carry("update", "one more")


def test_others_and_what_nobody_listens_to_are_let_pass():
    stand = Stand()
    assert stand.carry("notify", "another thing's", thing="dev-7")
    for namespace in ("elsewhere", None):
        topic = hint_topic(HintTopic("dev-1", "notify", namespace, None))
        stand.network.carry_topic(topic, b"{}", stand.journey.of(f"of {namespace}"))
    stand.network.carry_topic("$aws/events/job/fw/deleted", b"{}", stand.journey.of("an event"))
    passed = ["another thing's", "of elsewhere", "of None", "an event"]
    assert stand.journey.arrived == [(name, None, False) for name in passed]
    stand.network.carry_topic(hint_topic(HintTopic("dev-1", "notify", "lab", None)), b"{}", stand.journey.of("its own"))
    assert [packet.kind for packet in stand.wire.down] == ["notify"]


def test_who_hears_everything_has_it_all_held():
    stand = Stand(Setup(namespace="lab", hears="everything"))
    stand.network.carry_topic(
        hint_topic(HintTopic("dev-1", "notify", None, None)), b"{}", stand.journey.of("another's")
    )
    assert [packet.kind for packet in stand.wire.down] == ["notify"]
