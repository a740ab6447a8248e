"""The live page of a certification: each play begins with the device as it is by then."""

from dataclasses import dataclass, field

import pytest

from simulator.cli.certifying_page import CertifyPage
from simulator.page.contained import ContainedPicture
from simulator.page.picture import Picture
from simulator.trace import (
    CLOUD,
    ENGINE,
    AccountEnded,
    ClientConnected,
    ClientDisconnected,
    CloudEvent,
    Entry,
    RequestReceived,
    RunStarted,
)

BEGINS = 1_000.0
"""When the second play begins, long after the device connected."""


@dataclass(slots=True)
class Served:
    """What a server shows."""

    pictures: list[Picture] = field(default_factory=list)

    def show(self, picture: Picture) -> None:
        """That one from now on."""
        self.pictures.append(picture)


def second_play(before: tuple[CloudEvent, ...], standing: tuple[CloudEvent, ...]) -> Picture:
    """As it is when it has begun: `before` came in the first one, and what is `standing` is older than the second."""
    served = Served()
    page = CertifyPage(served, "pump-7", ContainedPicture("certify pump-7", "", "certify"), pytest.fail)  # type: ignore[arg-type]
    started = RunStarted("calm", "certify", ("pump-7",), are_foreign=True)
    page.feed(Entry(ENGINE, 1, 1.0, started))
    for number, event in enumerate((*before, AccountEnded(), *standing), 1):
        page.feed(Entry(CLOUD, number, 1.0 + number, event))
    page.feed(Entry(ENGINE, 2, BEGINS, started))
    assert len(served.pictures) == 2
    return served.pictures[1]


ASKED = RequestReceived("pump-7", "get-pending", None, None, "token")
CONNECTED = ClientConnected("pump-7")
LOST = ClientDisconnected("pump-7", "CONNECTION_LOST")


@pytest.mark.parametrize(
    ("before", "standing", "is_there"),
    [
        pytest.param((CONNECTED,), (CONNECTED,), True, id="connected"),
        pytest.param((CONNECTED, LOST), (), False, id="off line"),
        pytest.param((ASKED,), (), True, id="over HTTPS alone"),
    ],
)
def test_a_play_begins_with_the_device_as_it_is(
    before: tuple[CloudEvent, ...], standing: tuple[CloudEvent, ...], is_there: bool
) -> None:
    page = second_play(before, standing).whole()
    assert [thing.online for thing in page.things] == [is_there]
    assert page.sentence == ("pump-7 waits for a job." if is_there else "pump-7 is off line.")
    assert page.now == 0.0, "its time begins with it"
