"""What those mutants share that keep quiet where the reference device asks."""

from agent.core.events import Effect, Publish


def without_requests(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """The effects without the requests among them."""
    return tuple(effect for effect in effects if not isinstance(effect, Publish))
