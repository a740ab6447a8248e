"""What those mutants share that keep quiet where the reference device asks."""

from agent.account import RequestSent
from agent.core.events import Effect, Publish, Tell


def without_requests(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """The effects without the requests among them, and without what tells of those."""
    return tuple(effect for effect in effects if not _asks(effect))


def _asks(effect: Effect) -> bool:
    return isinstance(effect, Publish) or (isinstance(effect, Tell) and isinstance(effect.event, RequestSent))
