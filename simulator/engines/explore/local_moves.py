"""The moves of each part of a system, asked for once and kept as tables of integers.

Parts, messages, what is told, labels: whatever a table speaks of is a number here (`Parts`), and the number says
nothing but which part it is: two processes may number alike parts differently, and no result depends on it.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from simulator.engines.explore import packing
from simulator.engines.explore.index import Numbers
from simulator.engines.explore.searchable import (
    Broken,
    Choice,
    DeviceMove,
    Kind,
    NetMove,
    Searchable,
    ServiceMove,
    is_owed,
    is_violated,
)
from simulator.engines.explore.standing import AWAY, DONE, FAILED
from simulator.engines.explore.tables import Entry, Parts, Table, Trait

LINKS: Final = ("", "lost", "back")
NOBODY, DEVICE, SERVICE = range(3)
RECIPIENTS: Final = ("", "device", "service")
LABEL, COST, AFTER, HEARD, OUT, LINK, NAMES = range(7)
"""Fields of a device's and a service's entries; of a service's, OUT is the first of one a side, and the last.

A device is as it is called AFTER the move; NAMES are what it called its own until then.
"""
RECIPIENT, MESSAGE = 3, 4
"""Fields of a net's entries, beside LABEL, COST and AFTER."""
NO_SIDE: Final = 99
"""Instead of a position in `State.sides`: of what the service does by itself."""
WAITS_BITS, LINK_BITS, SIDE_BITS, KINDS_BITS = 2, 2, 7, 32
"""Of keys: what may yet come to a device, what became of its connection, a position, a mask of kinds of trouble."""


class Label(NamedTuple):
    """What a transition is called, who makes it, of which kinds it costs one each, and, if any, in which phase."""

    choice: Choice
    actor: str
    kinds: tuple[Kind, ...]
    phase: str


class LocalMoves:
    """The tables of one system, and the parts that they have met."""

    def __init__(self, system: Searchable) -> None:
        self.system = system
        self.side_count = len(system.first().sides)
        self.devices: Parts[Hashable] = Parts("device", packing.DEVICE_BITS)
        self.nets: Parts[Hashable] = Parts("net", packing.NET_BITS)
        self.watched: Parts[Hashable] = Parts("watched", packing.WATCHED_BITS)
        self.services: Parts[Hashable] = Parts("service", packing.SERVICE_BITS)
        self.budgets: Parts[Hashable] = Parts("budgets", packing.BUDGETS_BITS)
        self.labels: Parts[Label] = Parts("label", 31)
        self.broken: Parts[tuple[Broken, ...]] = Parts("broken invariants", 31)
        self.phases: Parts[str] = Parts("phase", 16)
        self._several: Parts[Any] = Parts("what is sent or told", 20)
        self._awaited: Parts[Hashable] = Parts("what is waited for", 31)
        self._names: Parts[Hashable] = Parts("names", 20)
        self._tokens: Parts[Hashable] = Parts("tokens", 31)
        self._messages: Parts[Hashable] = Parts("message", 31)
        self._costs: Parts[tuple[Kind, ...]] = Parts("costs", 16)
        self._most = system.left(system.first().budgets)
        self._spent: dict[int, tuple[Kind, ...]] = {}
        self._net_kinds: dict[Kind, int] = {}
        self._masks, self._masks_of = np.zeros(0, np.int64), (0, 0)
        self._known_names: dict[tuple[Choice, str, Kind | None, Kind | None], tuple[int, int]] = {}
        self._number_nothing()
        self._make_traits(system)
        self._make_tables()

    def _number_nothing(self) -> None:
        """0 is nothing: nothing sent, told or broken, no cost, no phase."""
        self._several.number(())
        self.broken.number(())
        self._costs.number(())
        self.phases.number("")

    def _make_traits(self, system: Searchable) -> None:
        self.names_of = Trait(self.devices, np.int64, lambda device: self._names.number(system.named_device(device)[1]))
        self.tokens_of = Trait(self.watched, np.uint64, system.tokens)
        self.unchanged = Trait(self._tokens, np.uint64, system.unchanged)
        self.awaited = Trait(self.devices, np.int64, lambda device: self._awaited.number(system.awaited(device)))
        self.homely = Trait(self.devices, np.bool_, system.can_be_home)
        self.phase = Trait(self.devices, np.int64, lambda device: self.phases.number(system.phase(device)))
        self.costly = Trait(self.labels, np.bool_, lambda label: bool(label.kinds))
        self.owed = Trait(self.labels, np.bool_, lambda label: is_owed(label.kinds, label.actor))
        self.violated = Trait(self.broken, np.bool_, is_violated)

    def _make_tables(self) -> None:
        self.device_moves = self._table((self.devices, WAITS_BITS), 7, self._ask_device)
        self.waits = self._table((self.nets, self._awaited), 1, self._ask_waits)
        self.heard = self._table((self.devices, self._messages, 1), 7, self._ask_hearing)
        self.net_moves = self._table((self.nets, KINDS_BITS), 5, self._ask_net)
        self.service_moves = self._table((self.services,), 4 + self.side_count, self._ask_service)
        self.served = self._table((self.services, self._messages), 4 + self.side_count, self._ask_serving)
        self.nets_after = self._table((self.nets, self._several, self._several, LINK_BITS), 1, self._ask_net_after)
        self.watched_after = self._table((self.watched, self._several), 2, self._ask_watched)
        self.named_nets = self._table((self.nets, SIDE_BITS, self._names), 2, self._ask_named_net)
        self.named_services = self._table((self.services, SIDE_BITS, self._names), 1, self._ask_named_service)
        self.named_watched = self._table((self.watched, self._tokens), 1, self._ask_named_watched)
        self.at_rest = self._table((self.watched,), 1, self._ask_at_rest)
        self.both_broken = self._table((self.broken, self.broken), 1, self._ask_both_broken)
        self.paid = self._table((self.budgets, self._costs), 1, self._ask_paid)
        self.home = self._table((self.devices, self.nets, self.services), 1, self._ask_home)
        self.joined = self._table((self.labels, self.labels), 1, self._ask_joined)
        self.full_labels = self._table((self.labels, self.phases, SIDE_BITS), 1, self._ask_full_label)

    @staticmethod
    def _table(key: tuple[Parts[Any] | int, ...], fields: int, asked: Callable[..., Iterable[Entry]]) -> Table:
        """By the numbers of such parts, and integers of so many bits."""
        return Table(tuple(each if isinstance(each, int) else each.bits for each in key), fields, asked)

    @property
    def asked_seconds(self) -> float:
        """For so long the system was asked."""
        return sum(table.asked_seconds for table in vars(self).values() if isinstance(table, Table))

    # ── what the tables ask ───────────────────────────────────────────────────────────────────────────────────────

    def _ask_device(self, device: int, waits: int) -> Iterator[Entry]:
        return map(self._device_entry, self.system.device_moves(self.devices[device], waits))

    def _ask_waits(self, net: int, awaited: int) -> tuple[Entry]:
        return ((self.system.waits(self.nets[net], self._awaited[awaited]),),)

    def _ask_hearing(self, device: int, message: int, is_taken: int) -> Iterator[Entry]:
        moves = self.system.device_hears(self.devices[device], self._messages[message], bool(is_taken))
        return map(self._device_entry, moves)

    def _device_entry(self, move: DeviceMove) -> Entry:
        device, names = self.system.named_device(move.device)
        after, heard, out = self.devices.number(device), self._heard(move), self._listed(move.out)
        return *self._called(move, move.also), after, heard, out, LINKS.index(move.link), self._names.number(names)

    def _heard(self, move: DeviceMove | ServiceMove) -> int:
        heard = self.system.heard_of(move)
        return 0 if heard is None else self._several.number(heard)

    def _listed(self, several: tuple[Any, ...]) -> int:
        """The number of several; mostly they are none."""
        return self._several.number(several) if several else 0

    def affordable(self, budgets: Numbers) -> Numbers:
        """What a net's moves may cost with such budgets, as far as is known: a mask.

        Nets that nobody could pay for are half of all that there might be; so they are asked for by what can be paid.
        """
        if (len(self.budgets), len(self._net_kinds)) != self._masks_of:
            left = [self.system.left(part) for part in self.budgets.parts]
            masks = [sum(1 << bit for kind, bit in self._net_kinds.items() if each.get(kind, 0)) for each in left]
            self._masks, self._masks_of = np.array(masks, np.int64), (len(masks), len(self._net_kinds))
        return self._masks[budgets]

    def spent(self, budgets: int) -> tuple[Kind, ...]:
        """The kinds of which something is gone, in order."""
        spent = self._spent.get(budgets)
        if spent is None:
            left = self.system.left(self.budgets[budgets])
            spent = tuple(sorted(kind for kind, most in self._most.items() if left[kind] < most))
            self._spent[budgets] = spent
        return spent

    def _ask_net(self, net: int, affordable: int) -> Iterator[Entry]:
        for move in self.system.net_moves(self.nets[net]):
            if move.cost is not None:
                bit = self._net_kinds.setdefault(move.cost, len(self._net_kinds))
                # What was unknown when the mask was made is not in it, and is kept: whether it is paid is seen later.
                if bit < self._masks_of[1] and not affordable >> bit & 1:
                    continue
            to = RECIPIENTS.index(move.to)
            message = 0 if to == NOBODY else self._messages.number(move.message)
            yield *self._called(move), self.nets.number(move.net), to, message

    def _ask_service(self, service: int) -> Iterator[Entry]:
        return map(self._service_entry, self.system.service_moves(self.services[service]))

    def _ask_serving(self, service: int, message: int) -> tuple[Entry]:
        return (self._service_entry(self.system.service_hears(self.services[service], self._messages[message])),)

    def _service_entry(self, move: ServiceMove) -> Entry:
        sent: list[list[Hashable]] = [[] for _ in range(self.side_count)]
        for message in move.out:
            sent[self.system.side_of(message)].append(message)
        out = (self._listed(tuple(messages)) for messages in sent)
        return *self._called(move), self.services.number(move.service), self._heard(move), *out

    def _called(self, move: DeviceMove | NetMove | ServiceMove, also: Kind | None = None) -> tuple[int, int]:
        """Of a move, its label and its costs."""
        names = (move.choice, move.actor, move.cost, also)
        known = self._known_names.get(names)
        if known is None:
            kinds = tuple(kind for kind in (move.cost, also) if kind is not None)
            label = self.labels.number(Label(move.choice, move.actor, kinds, ""))
            known = self._known_names[names] = label, self._costs.number(kinds)
        return known

    def _ask_net_after(self, net: int, up: int, down: int, link: int) -> tuple[Entry]:
        after = self.system.net_after(self.nets[net], self._several[up], self._several[down], LINKS[link])
        return ((self.nets.number(after),),)

    def _ask_watched(self, watched: int, heard: int) -> tuple[Entry]:
        after, broken = self.system.watch(self.watched[watched], self._several[heard])
        return ((self.watched.number(after), self.broken.number(tuple(broken))),)

    def _ask_named_net(self, net: int, side: int, names: int) -> tuple[Entry]:
        after, tokens = self.system.named_net(self.nets[net], side, self._names[names])
        return ((self.nets.number(after), self._tokens.number(tokens)),)

    def _ask_named_service(self, service: int, side: int, names: int) -> tuple[Entry]:
        after = self.system.named_service(self.services[service], side, self._names[names])
        return ((self.services.number(after),),)

    def _ask_named_watched(self, watched: int, tokens: int) -> tuple[Entry]:
        return ((self.watched.number(self.system.named_watched(self.watched[watched], self._tokens[tokens])),),)

    def _ask_at_rest(self, watched: int) -> tuple[Entry]:
        return ((self.broken.number(tuple(self.system.at_rest(self.watched[watched]))),),)

    def _ask_both_broken(self, one: int, other: int) -> tuple[Entry]:
        return ((self.broken.number((*self.broken[one], *self.broken[other])),),)

    def _ask_paid(self, budgets: int, costs: int) -> tuple[Entry]:
        paid = self.system.paid(self.budgets[budgets], self._costs[costs])
        return ((-1 if paid is None else self.budgets.number(paid),),)

    def _ask_home(self, device: int, net: int, service: int) -> tuple[Entry]:
        """How a device stands."""
        known, at = self.devices[device], self.services[service]
        if not self.system.is_home(known, self.nets[net], at):
            return ((AWAY,),)
        return ((FAILED if self.system.has_failed(known, at) else DONE,),)

    def _ask_joined(self, carried: int, heard: int) -> tuple[Entry]:
        """The label of a message's delivery and of what comes of it, in one."""
        first, then = self.labels[carried], self.labels[heard]
        choice = self.system.joined(first.choice, then.choice)
        actor = then.actor if then.kinds else first.actor
        joined = Label(choice, actor, (*first.kinds, *then.kinds), "")
        return ((self.labels.number(joined),),)

    def _ask_full_label(self, label: int, phase: int, side: int) -> tuple[Entry]:
        """With the phase of whose cost it was; of several devices, each one's actors are others."""
        known = self.labels[label]
        actor = known.actor if side == NO_SIDE or self.side_count == 1 else f"{known.actor} {side}"
        return ((self.labels.number(known._replace(phase=self.phases[phase], actor=actor)),),)
