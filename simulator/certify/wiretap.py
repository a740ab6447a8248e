"""Entries pass here to whoever listens at that moment: a desk's, and with the probes' and the output's a session's."""

from collections.abc import Callable

from simulator.cloud.contained import contained
from simulator.trace import Entry, Sink


class Wiretap:
    """Listeners are told in the order in which they joined; one that fails keeps nobody else from hearing."""

    def __init__(self) -> None:
        self.faults = 0
        """How often one has failed, which is a fault of ours, and told in the log."""
        self._listeners: dict[object, Sink] = {}

    def feed(self, entry: Entry) -> None:
        """Tell everybody who listens."""
        for listen in tuple(self._listeners.values()):
            self.faults += not contained("listening", listen, entry)

    def join(self, listen: Sink) -> Callable[[], None]:
        """Listen from now on; call what comes back to stop. Who joins twice is told twice."""
        place = object()
        self._listeners[place] = listen

        def leave() -> None:
            self._listeners.pop(place, None)

        return leave
