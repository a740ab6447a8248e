"""Who plays: every device, what an entry tells of which, where their clocks lie on the axis, and who has a lane."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from simulator.page.axis import When, shift, uncertainty
from simulator.page.device import Device
from simulator.report.device_row import URGENCY
from simulator.trace import CLOUD, PROBE, DeviceJoined, Entry, RunStarted, device_source
from simulator.verdict.bounds import Bounds
from simulator.verdict.clocks import SAME_CLOCK, Offset, common
from simulator.verdict.limits import Limits
from simulator.verdict.seen import seen_in
from simulator.verdict.sharing import CONNECTIONS, Share

MANY: Final = 100
"""From so many devices on not every one has a lane."""
SHOWN: Final = 20
"""So many of them have."""
DRAWN: Final = 4_000
"""So many spans, and so many marks, are drawn of all lanes together; of each at least LEAST, and at most MOST."""
LEAST: Final = 200
MOST: Final = 2_000
KEPT: Final = 200_000
"""So many entries are remembered of a crowd, of each device at least LEAST."""
FEWEST: Final = 16
"""The same of each that comes by where nobody said who plays: there is no end of those."""
DEVICES: Final = 100_000
"""So many devices are told apart; of others nothing is shown."""
DEVICE: Final = "device/"
WORRYING: Final = URGENCY["off"]
"""From this state on something is wrong."""


class Roster:
    """`zero` is where the axis begins, on the cloud's clock."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self._own: dict[str, Device] = {}
        self.shown: tuple[str, ...] = ()
        self.zero = 0.0
        self.started: RunStarted | None = None
        self._began: When | None = None
        self._shares: dict[str, dict[str, Share]] = {}
        self._agents: frozenset[str] = frozenset()
        self._common: Offset = SAME_CLOCK
        self._shifts: dict[str, float] = {}
        self._last_at = 0.0
        self._clients: dict[str, str] = {}
        """The things of MQTT clients that have names of their own: those of devices that are not ours may."""

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, started: RunStarted, when: When) -> None:
        """A run begins, with all who play in it."""
        if self.started is not None:
            return
        self.started, self._began = started, when
        for agent, (thing, namespace) in started.shared.items():
            self._shares.setdefault(thing, {})[agent] = Share(namespace)
        self._agents = frozenset(started.shared)
        bounds = bounds_of(started)
        for name in [name for name in self.devices if name not in started.things]:
            self._drop(name)
        for thing in started.things[:DEVICES]:
            limits = Limits.of(thing, started, bounds)
            device = self.devices.get(thing) or self._new(thing, limits, len(started.things))
            device.recoveries.bound = limits.ready
            device.is_cast, device.group = True, started.groups.get(thing, "")
            if started.are_foreign and not started.tells_presence:
                device.was_there()

    def join(self, joined: DeviceJoined) -> None:
        """A further one comes, and is judged as the one is that it is like."""
        started = self.started
        if started is None or joined.thing in self.devices or len(self.devices) >= DEVICES:
            return
        limits = Limits.of(joined.like, started, bounds_of(started))
        self._new(joined.thing, limits, len(self.devices) + 1).group = started.groups.get(joined.like, "")

    def _new(self, name: str, limits: Limits, of: int) -> Device:
        least = FEWEST if self.started is None else LEAST
        kept = max(least, KEPT // of) if of >= MANY else max(LEAST, min(MOST, DRAWN // max(of, 4)))
        device = self.devices[name] = self._own[device_source(name)] = Device(name, limits, min(kept, MOST))
        if len(self.devices) < MANY and of < MANY:
            self._show(device, of)
        elif len(self.devices) == MANY:
            self.choose(())
        return device

    def _show(self, device: Device, of: int) -> None:
        device.show(max(LEAST, min(MOST, DRAWN // max(of, 4))))
        self.shown = (*self.shown, device.name)

    def feed(self, entry: Entry) -> None:
        """Take in an entry that is about a device."""
        source = entry.source
        if (device := self._own.get(source)) is not None:
            device.told(entry)
            return
        if source.startswith(DEVICE):
            self._at(source[len(DEVICE) :]).told(entry)
            return
        event = entry.event
        if (thing := getattr(event, "thing", None)) is None:
            self._about_a_client(entry)
        elif source != CLOUD:
            self._at(thing).seen_by_others(entry)
        else:
            self._last_at = entry.at
            self._at_cloud(thing, entry)

    def _about_a_client(self, entry: Entry) -> None:
        """What a client did not get concerns a device if it is one's; anybody may ask under any name."""
        self.passes(entry)
        client = getattr(entry.event, "client_id", "")
        if (device := self.devices.get(self._clients.get(client, client))) is not None:
            device.at_cloud(entry)

    def _at_cloud(self, thing: str, entry: Entry) -> None:
        if self._began is None:
            self._began = When(entry.at)
        client = getattr(entry.event, "client", None)
        if client is not None and client not in self._clients:
            self._is_client_of(client, thing)
        thing = self._clients.get(thing, thing)
        if self._shares and (shares := self._shares.get(thing)):
            self._shared(shares, entry)
        if self._agents and thing in self._agents and not isinstance(entry.event, CONNECTIONS):
            return
        if (device := self.devices.get(thing)) is not None:
            device.at_cloud(entry)
        elif self.started is None:
            self._at(thing).at_cloud(entry)

    def _is_client_of(self, client: str, thing: str) -> None:
        """A client by another name asks for a thing: what was told of it is told of that."""
        if len(self._clients) >= DEVICES or client in self._agents or client == thing:
            return
        known = self.devices.get(client)
        if known is not None and known.has_worked:
            return
        self._clients[client] = thing
        if known is not None and (self.started is None or client not in self.started.things):
            self._drop(client)
            for entry in known.kept:
                self._at(thing).at_cloud(entry)

    def _drop(self, name: str) -> None:
        """It was no device."""
        del self.devices[name], self._own[device_source(name)]
        self.shown = tuple(each for each in self.shown if each != name)

    def _at(self, name: str) -> Device:
        """The device of that name, be it the first that is heard of it."""
        device = self.devices.get(name)
        if device is not None:
            return device
        has_room = len(self.devices) < DEVICES
        return self._new(name, NOBODYS, len(self.devices) + 1) if has_room else Device(name, NOBODYS, 1)

    def _shared(self, shares: dict[str, Share], entry: Entry) -> None:
        seen = seen_in(entry)
        namespace = getattr(entry.event, "namespace_id", None)
        for agent, share in shares.items():
            shares[agent], mine = share.of(seen)
            is_hint = entry.event.type == "hint.published" and namespace != share.namespace_id
            if mine is not None and not is_hint and agent in self.devices:
                self.devices[agent].at_cloud(entry, mine)

    def passes(self, entry: Entry) -> None:
        """Time has passed by an entry that is about no device."""
        if self._began is None and entry.source in (CLOUD, PROBE):
            self._began = When(entry.at)
        if entry.source == CLOUD:
            self._last_at = entry.at

    # ── the axis ──────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self) -> None:
        """Look anew how the clocks lie; until the next time, `lay` goes by that."""
        started = self.started
        if started is not None and started.one_clock:
            self._common = common(device.talk.offset for device in self.devices.values())
            both = shift(self._common)
            self._shifts = {}
        else:
            both = 0.0
            self._shifts = {name: shift(device.talk.offset) for name, device in self.devices.items()}
        self._both = both
        began = self._began or When(0.0)
        self.zero = began.at + (both if began.is_own else 0.0)

    _both = 0.0

    def shift_of(self, device: Device) -> float:
        """The seconds to add to what it tells."""
        return self._shifts.get(device.name, self._both)

    def lay(self, device: Device, when: When) -> float:
        """An instant of a device on the axis."""
        return round(when.at - self.zero + (self.shift_of(device) if when.is_own else 0.0), 6)

    def lay_run(self, when: When) -> float:
        """An instant of the cloud's, or of who plays."""
        return round(when.at - self.zero + (self._both if when.is_own else 0.0), 6)

    @property
    def note(self) -> str:
        """How far the axis can be off; empty if nothing speaks against one clock."""
        offsets = [device.talk.offset for device in self.devices.values()]
        if self.started is not None and self.started.one_clock:
            offsets = [self._common]
        most = max(map(uncertainty, offsets), default=0.0)
        if not most:
            return ""
        return (
            "What devices tell stands where it lies by who answered whom: their clocks are not the cloud's. "
            f"It can be off by up to {most * 1000:.1f} ms."
        )

    @property
    def now(self) -> float:
        """Where the axis ends: the last that anybody told."""
        lasts = [self.lay(device, device.last) for device in self.devices.values() if device.last is not None]
        return max([self.lay_run(When(self._last_at)) if self._last_at else 0.0, 0.0, *lasts])

    # ── who has a lane ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_crowd(self) -> bool:
        """Whether not every device has a lane."""
        return len(self.devices) >= MANY

    def choose(self, broken: Sequence[str]) -> None:
        """Of a crowd, who has a lane: those that broke something, then what is in trouble, the slowest, the first."""
        if not self.is_crowd:
            return
        worst = {name: rank for rank, name in enumerate(dict.fromkeys(broken))}
        names = sorted(self.devices, key=lambda name: _rank(self.devices[name], worst))[:SHOWN]
        for name in set(self.shown) - set(names):
            self.devices[name].hide()
        for name in names:
            self.devices[name].show(max(LEAST, DRAWN // SHOWN))
        self.shown = tuple(names)


NOBODYS: Final = Limits(Bounds())
"""What a device is held to that nobody judges."""


def _rank(device: Device, worst: dict[str, int]) -> tuple[float, bool, float]:
    """Less is shown first."""
    is_fine = URGENCY[device.row.state] > WORRYING
    slowness = -max(device.recoveries.seconds, default=0.0) - (1e9 if device.recoveries.is_waited_for else 0.0)
    return worst.get(device.name, len(worst)), is_fine, slowness


def bounds_of(started: RunStarted) -> Bounds:
    """The numbers that a run judges by; what cannot be read counts as not given."""
    try:
        return Bounds.model_validate({name: n for name, n in started.bounds.items() if name in Bounds.model_fields})
    except ValidationError:
        return Bounds()
