"""What may be pressed on the page of a certification: to stop between two cells, and to end it. Nothing that would
touch a cell while it is being played, lest the certificate says of the device what somebody's hand did.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from simulator.certify.matrix import Cell
from simulator.page.orders import Deed, Offered, Order, Refused

ENDED: Final = "somebody ended the session on its page"
"""Why cells were not played, as the certificate has it."""
ASKS: Final[dict[Deed, str]] = {
    "end": "The cell at hand is not judged, and no other is played. What was certified by now is kept."
}


class CertifyControls:
    """Carries orders out on a session (see `simulator.page.orders.Controls`)."""

    def __init__(self) -> None:
        self._playing: asyncio.Task[None] | None = None
        self._cell: Cell | None = None
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self._next: Cell | None = None
        """What comes once somebody says go, while it stands."""
        self._has_ended = False

    # ── what the session says ─────────────────────────────────────────────────────────────────────────────────

    async def unless_ended(self, play: Coroutine[Any, Any, None]) -> bool:
        """Have that played; whether it was until its end. Raises what that raises."""
        self._playing = asyncio.ensure_future(play)
        try:
            await asyncio.wait({self._playing})
            if self._has_ended and self._playing.cancelled():
                return False
            self._playing.result()
            return True
        finally:
            playing, self._playing = self._playing, None
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    async def before(self, cell: Cell) -> None:
        """The next cell is about to be played: wait as long as somebody wants."""
        self._cell = None
        if not self._goes_on.is_set():
            self._next = cell
            await self._goes_on.wait()
            self._next = None
        self._cell = cell

    # ── who presses ───────────────────────────────────────────────────────────────────────────────────────────

    def offered(self) -> Offered:
        """What may be pressed now; nothing before the session has begun, and when it is over."""
        if self._playing is None or self._has_ended:
            return Offered()
        first: Deed = "pause" if self._goes_on.is_set() else "go"
        return Offered(also=(first, "end"), paused_at=self._stands_at(), asks=ASKS)

    def _stands_at(self) -> str:
        if self._goes_on.is_set():
            return ""
        if self._next is not None:
            return f"between two cells; {self._next.id} is next"
        return f"not yet, but {self._as_soon_as()}"

    def _as_soon_as(self) -> str:
        """When it stops, of what is being played."""
        return f"as soon as {'the first job' if self._cell is None else self._cell.id} is done"

    async def carry_out(self, order: Order) -> str:
        """Do it; one sentence that says what was done. Raises Refused."""
        if self._playing is None or self._has_ended:
            raise Refused("There is no session that goes on.")
        match order.do:
            case "pause" if self._goes_on.is_set():
                self._goes_on.clear()
                return f"It stops {self._as_soon_as()}."
            case "pause":
                raise Refused("It stops already.")
            case "go" if not self._goes_on.is_set():
                self._goes_on.set()
                return "It goes on."
            case "go":
                raise Refused("It goes on as it is.")
            case "end":
                self._has_ended = True
                self._playing.cancel()
                return "It ends; what was certified by now is kept."
            case _:
                raise Refused("That would touch the cell that is being played: nothing could be certified by it.")
