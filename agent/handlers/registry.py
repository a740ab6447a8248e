"""Which handler does which action: what packages offer under the entry point group `ghostjob.handlers`."""

from collections.abc import Callable, Collection, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeVar, cast

from agent.abilities import Layout
from agent.errors import InputError
from agent.handlers.handler import Context, Firmware, Handler

T = TypeVar("T")
GROUP: Final = "ghostjob.handlers"
OURS: Final = "ghostjob"


def load_handlers(context: Context, actions: Collection[str]) -> dict[str, Handler]:
    """A handler for each of `actions`; whatever else is installed is not even imported. Raises InputError."""
    offered = _offered(entry_points(group=GROUP))
    missing = sorted(set(actions) - set(offered))
    if missing:
        raise InputError(
            f"nothing that is installed does '{missing[0]}'; there are {', '.join(sorted(offered)) or 'no handlers'}"
        )
    made: dict[str, Handler] = {}
    return {action: _made(offered[action], context, made) for action in sorted(actions)}


def offered_actions() -> frozenset[str]:
    """What installed packages have handlers for."""
    return frozenset(point.name for point in entry_points(group=GROUP))


def plug_ins(actions: Collection[str]) -> tuple[tuple[str, bool], ...]:
    """Those actions, with whether each can be undone. Raises InputError."""
    offered = _offered(entry_points(group=GROUP))
    return tuple((action, bool(getattr(_loaded(offered[action]), "reversible", True))) for action in sorted(actions))


def _offered(points: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    """By action; ours give way to another package's, and two others are one too many. Raises InputError."""
    offered: dict[str, EntryPoint] = {}
    for point in points:
        other = offered.get(point.name)
        if other is None or _package(other) == OURS:
            offered[point.name] = point
        elif _package(point) not in (OURS, _package(other)):
            packages = " and ".join(sorted((_package(point), _package(other))))
            raise InputError(f"both {packages} bring a handler '{point.name}'; uninstall one of them")
    return offered


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""


def _made(point: EntryPoint, context: Context, made: dict[str, Handler]) -> Handler:
    """One handler for all the actions that name it."""
    if point.value not in made:
        made[point.value] = _guarded(point, lambda: _loaded(point)(context))
    return made[point.value]


def _loaded(point: EntryPoint) -> Callable[[Context], Handler]:
    return cast("Callable[[Context], Handler]", _guarded(point, point.load))


def _guarded(point: EntryPoint, act: Callable[[], T]) -> T:
    """A stranger's code may fail in any way. Raises InputError."""
    try:
        return act()
    except InputError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise InputError(f"handler '{point.name}' of {_package(point)}: cannot be loaded: {why}") from None


def firmware_of(handlers: dict[str, Handler], layout: Layout) -> Firmware:
    """The one that writes firmware, and so knows what runs. Raises InputError."""
    handler = handlers["write"]
    where = type(handler).__module__
    if not all(hasattr(handler, name) for name in ("booted", "revert", "bootable", "layouts")):
        raise InputError(f"{where}: its handler of 'write' lacks booted, revert, bootable or layouts")
    firmware = cast("Firmware", handler)
    if layout not in firmware.layouts:
        raise InputError(
            f"--layout {layout}: {where} writes {', '.join(sorted(firmware.layouts))}; "
            "another one needs a plug-in of yours for 'write'"
        )
    return firmware
