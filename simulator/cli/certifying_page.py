"""The live page of a certification: the play at hand, and the matrix as it fills in."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from simulator.certify.certificate import Bricked, CellResult, Certificate
from simulator.certify.desk import Offer
from simulator.certify.learning import Learned
from simulator.certify.matrix import Cell
from simulator.certify.telling import Planned, Telling
from simulator.page.contained import ContainedPicture
from simulator.trace import AccountEnded, ClientConnected, ClientSubscribed, Entry, RunStarted

if TYPE_CHECKING:
    from simulator.page.live.server import PageServer


class CertifyPage:
    """Served by `server`. Each play has a picture of its own, whose time begins with it; the last is `whole`, which is
    of the session. `tell` is as ContainedPicture has it.
    """

    def __init__(self, server: "PageServer", thing: str, whole: ContainedPicture, tell: Callable[[str], None]) -> None:
        self._server = server
        self._tell = cache(tell)  # by many plays, perhaps, and each time the same
        self._thing = thing
        self._whole = self._picture = whole
        self._certificate: Callable[[], Certificate] | None = None
        self._is_played = False
        self._standing: list[Entry] = []
        """By what the device is there as the next play begins: told before that does, since it is older."""
        self._has_connected = False
        """Whether it was ever seen to: one that works over HTTPS alone never is, and is there all the same."""

    def follow(self, certificate: Callable[[], Certificate]) -> None:
        """From now on there is a certificate of what is known so far."""
        self._certificate = certificate

    def feed(self, entry: Entry) -> None:
        """Take in the next entry of a play."""
        with self._picture.contained():
            self._feed(entry)

    def _feed(self, entry: Entry) -> None:
        event = entry.event
        self._has_connected = self._has_connected or isinstance(event, ClientConnected)
        self._is_played = self._is_played and not isinstance(event, AccountEnded)
        if isinstance(event, RunStarted):
            self._begin(entry, event)
        elif isinstance(event, ClientConnected | ClientSubscribed) and not self._is_played:
            self._standing.append(entry)
        else:
            self._picture.feed(entry)

    def _begin(self, entry: Entry, started: RunStarted) -> None:
        name = started.scenario.replace("--", "/")
        self._picture = ContainedPicture(f"certify {self._thing}", name, "certify", self._tell)
        self.refresh()
        self._picture.feed(entry._replace(event=replace(started, tells_presence=self._has_connected)))
        for each in self._standing:  # after it, lest time begins with these
            self._picture.feed(each)
        self._is_played, self._standing = True, []
        self._server.show(self._picture)

    def refresh(self) -> None:
        """Show what is known so far."""
        if self._certificate is not None:
            with self._picture.contained():
                self._picture.certified(self._certificate(), final=False)

    def certified(self, certificate: Certificate) -> None:
        """It is over."""
        self._whole.certified(certificate)
        self._server.show(self._whole)


class ToThePage:
    """Has `page` know what `telling` is told, too."""

    def __init__(self, telling: Telling, page: CertifyPage) -> None:
        self._telling, self._page = telling, page

    def ready(self, offer: Offer) -> None:
        """See Telling."""
        self._telling.ready(offer)

    def waits(self, says: str) -> None:
        """See Telling."""
        self._telling.waits(says)

    def missing(self, why: str) -> None:
        """See Telling."""
        self._telling.missing(why)

    def learned(self, learned: Learned) -> None:
        """See Telling."""
        self._telling.learned(learned)

    def planned(self, cells: Sequence[Planned], seconds: float) -> None:
        """See Telling."""
        self._telling.planned(cells, seconds)
        self._page.refresh()

    def began(self, cell: Cell) -> None:
        """See Telling."""
        self._telling.began(cell)

    def ended(self, result: CellResult) -> None:
        """See Telling."""
        self._telling.ended(result)
        self._page.refresh()

    def bricked(self, bricked: Bricked) -> None:
        """See Telling."""
        self._telling.bricked(bricked)
        self._page.refresh()

    def certified(self, certificate: Certificate) -> None:
        """See Telling."""
        self._telling.certified(certificate)
        self._page.certified(certificate)

    def shown(self) -> AbstractContextManager[object]:
        """See Telling."""
        return self._telling.shown()
