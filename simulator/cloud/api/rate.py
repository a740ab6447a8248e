"""How often the control plane may be called."""

from collections.abc import Callable

from simulator.cloud.api.api_errors import ApiError


class OperationRate:
    """So many calls of each operation a second; `limit` is None for any number. `clock` gives epoch seconds."""

    def __init__(self, limit: int | None, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._second = 0
        self._calls: dict[str, int] = {}

    def take(self, operation: str) -> None:
        """Count a call. Raises ApiError."""
        if self._limit is None:
            return
        second = int(self._clock())
        if second != self._second:
            self._second, self._calls = second, {}
        calls = self._calls[operation] = self._calls.get(operation, 0) + 1
        if calls > self._limit:
            raise ApiError("ThrottlingException", "Rate exceeded")
