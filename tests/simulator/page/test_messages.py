"""Messages: each once in its lane, and whether it arrived, as far as anybody can know."""

from collections import Counter

import pytest

from agent.device_events import AnswerReceived, HintReceived, RequestSent
from simulator.page.axis import When
from simulator.page.data import Mark
from simulator.page.lanes import LaneFold
from simulator.trace import AnswerDelivered, Entry, HintPublished, RequestAnswered, RequestReceived
from tests.simulator.page.test_picture import few

SENT, RECEIVED = RequestSent("t1", "describe", None, "fw"), RequestReceived("thing-0", "describe", "t1", None, "fw")
SAID, READ = RequestAnswered("thing-0", "describe", True, "t1", number=1), AnswerReceived("t1", True)
LATER = (RequestSent("t2", "start-next"), RequestReceived("thing-0", "start-next", "t2"))
OTHER = RequestAnswered("thing-0", "update", True, "x", number=2)
HINT, HEARD = HintPublished("thing-0", "notify", None), HintReceived("notify", None)


def marks(*events: object) -> list[Mark]:
    """What is drawn of these on the wire, told in this order."""
    lane = LaneFold(100)
    for number, event in enumerate(events, 1):
        is_own = isinstance(event, RequestSent | AnswerReceived | HintReceived)
        lane.feed(Entry("device/thing-0" if is_own else "cloud", number, float(number), event))  # type: ignore[arg-type]

    def lay(when: When) -> float:
        return when.at

    return [mark for mark in lane.lane(lay, ()).marks if mark.track == "wire"]


@pytest.mark.parametrize(
    ("events", "arrived"),
    [
        pytest.param((SENT,), [None], id="a request that left"),
        pytest.param((SENT, RECEIVED), [True], id="it arrived"),
        pytest.param((RECEIVED, SENT), [True], id="whoever tells first"),
        pytest.param((SENT, *LATER), [False, True], id="lost: one that was sent later arrived"),
        pytest.param((SENT, RECEIVED, SAID), [True, None], id="an answer on its way"),
        pytest.param((SENT, RECEIVED, SAID, READ), [True, True], id="it was read"),
        pytest.param((SENT, RECEIVED, READ, SAID), [True, True], id="the device tells first"),
        pytest.param((SENT, SAID, AnswerDelivered("thing-0", 1)), [None, True], id="it was acknowledged"),
        pytest.param(
            (SENT, SAID, AnswerDelivered("thing-0", 1, acknowledged=False), HINT, HEARD),
            [None, None, True],
            id="it was written to the connection, and not awaited any more",
        ),
        pytest.param(
            (SENT, SAID, OTHER, AnswerDelivered("thing-0", 2), HINT, HEARD),
            [None, False, True, True],
            id="an answer that was never given to the connection",
        ),
        pytest.param((HINT, HEARD), [True], id="a notification that was heard"),
        pytest.param(
            (HINT, HintPublished("thing-0", "notify-next", None), HintReceived("notify-next", None)),
            [False, True],
            id="one that was not",
        ),
        pytest.param(
            (HintPublished("thing-0", "notify", "lab"), HINT, HEARD), [None, True], id="one for others on this thing"
        ),
        pytest.param((RECEIVED, SAID), [True, None], id="of a device that tells nothing"),
        pytest.param((RECEIVED, RECEIVED), [True, True], id="twice"),
    ],
)
def test_a_message_has_arrived_or_not_or_nobody_knows(events: tuple[object, ...], arrived: list[bool | None]):
    assert [mark.ok for mark in marks(*events)] == arrived


def test_an_answer_says_what_was_asked():
    refused = RequestAnswered("thing-0", "describe", False, "t1", "ResourceNotFound")
    (asked, answer) = marks(SENT, RECEIVED, refused)
    assert (asked.text, asked.job) == ("describe fw", "fw")
    assert (answer.text, answer.job) == ("describe fw: rejected, ResourceNotFound", "fw")
    assert answer.events == ("cloud#3",)


@pytest.mark.parametrize(
    ("scenario", "lost"), [("main", False), ("messages-lost", True), ("messages-duplicated", False)]
)
def test_in_a_run_messages_are_lost_where_some_are(scenario: str, lost: bool):
    page = few(scenario).picture.whole()
    counts = Counter(mark.ok for lane in page.lanes.values() for mark in lane.marks if mark.track == "wire")
    assert bool(counts[False]) is lost
    assert counts[True] > 10 * counts[None]
