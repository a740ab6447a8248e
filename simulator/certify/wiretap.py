"""Every entry of a session passes here: the cloud's and the probes', to whoever listens at that moment."""

from collections.abc import Callable

from simulator.trace import Entry, Sink


class Wiretap:
    """Listeners are told in the order in which they joined."""

    def __init__(self) -> None:
        self._listeners: list[Sink] = []

    def feed(self, entry: Entry) -> None:
        """Tell everybody who listens."""
        for listen in tuple(self._listeners):
            listen(entry)

    def join(self, listen: Sink) -> Callable[[], None]:
        """Listen from now on; call what comes back to stop."""
        self._listeners.append(listen)
        return lambda: self._listeners.remove(listen)
