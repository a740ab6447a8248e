"""Every entry of a session passes here: the cloud's and the probes', to whoever listens at that moment."""

from collections.abc import Callable

from simulator.cloud.contained import contained
from simulator.trace import Entry, Sink


class Wiretap:
    """Listeners are told in the order in which they joined; one that fails keeps nobody else from hearing."""

    def __init__(self) -> None:
        self.faults = 0
        """How often one has failed, which is a fault of ours, and told in the log."""
        self._listeners: list[Sink] = []

    def feed(self, entry: Entry) -> None:
        """Tell everybody who listens."""
        for listen in tuple(self._listeners):
            self.faults += not contained("listening", listen, entry)

    def join(self, listen: Sink) -> Callable[[], None]:
        """Listen from now on; call what comes back to stop."""
        self._listeners.append(listen)
        return lambda: self._listeners.remove(listen)
