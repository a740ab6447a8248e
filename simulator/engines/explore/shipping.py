"""States on their way from the process that met them to the one that keeps them.

A shipment has states by the sender's numbers of their parts, and each part with its number the first time that it is
sent to this receiver: pickled, but that the pieces of which it is made (`pieces.py`) are sent once as well. The
receiver learns which of its own numbers each part has, and calls the states by these.
"""

import io
import pickle
from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore import packing
from simulator.engines.explore.expansion import Moves
from simulator.engines.explore.index import Numbers, Words
from simulator.engines.explore.local_moves import LocalMoves
from simulator.engines.explore.pieces import Piece, piece
from simulator.engines.explore.tables import Parts


class Shipment(NamedTuple):
    """Moves whose states another process keeps. `news`: for each kind, the numbers and the parts not sent before."""

    source: NDArray[np.int32]
    words: tuple[Words, ...]
    label: NDArray[np.int32]
    news: bytes


def _kinds(known: LocalMoves) -> tuple[Parts[Any], ...]:
    """In the order in which shipments have them."""
    return known.devices, known.nets, known.watched, known.services, known.budgets, known.labels


def _used(moves: Moves) -> tuple[Numbers, ...]:
    """The numbers of the parts of each kind, in the same order."""
    sides = [packing.side_numbers(word) for word in moves.words[:-1]]
    return (*map(np.concatenate, zip(*sides, strict=True)), *packing.shared_numbers(moves.words[-1]), moves.label)


class Sender:
    """What was sent to one other process."""

    def __init__(self, known: LocalMoves) -> None:
        self._kinds = _kinds(known)
        self._sent = [np.zeros(0, np.bool_) for _ in self._kinds]
        self._pieces: dict[Piece[Any], int] = {}

    def pack(self, moves: Moves) -> Shipment:
        """These, for it."""
        news = [self._new(at, numbers) for at, numbers in enumerate(_used(moves))]
        packed = io.BytesIO()
        _Packer(packed, self._pieces).dump(news)
        return Shipment(moves.source.astype(np.int32), moves.words, moves.label.astype(np.int32), packed.getvalue())

    def _new(self, at: int, numbers: Numbers) -> tuple[Numbers, list[Hashable]]:
        parts, sent = self._kinds[at], self._sent[at]
        if len(sent) < len(parts):
            self._sent[at] = sent = np.concatenate([sent, np.zeros(len(parts) - len(sent), np.bool_)])
        new = np.unique(numbers[~sent[numbers]])
        sent[new] = True
        return new, [parts[number] for number in new.tolist()]


class Receiver:
    """What another process calls its parts."""

    def __init__(self, known: LocalMoves) -> None:
        self._kinds = _kinds(known)
        self._names: list[Numbers] = [np.zeros(0, np.int64) for _ in self._kinds]
        self._pieces: dict[int, Piece[Any]] = {}

    def unpack(self, shipment: Shipment) -> Moves:
        """By our own numbers."""
        news = _Unpacker(io.BytesIO(shipment.news), self._pieces).load()
        for at, (numbers, parts) in enumerate(news):
            self._learn(at, numbers, parts)
        devices, nets, watched, services, budgets, labels = self._names
        sides = [packing.side_numbers(word) for word in shipment.words[:-1]]
        words = [packing.side_word(devices[side.device], nets[side.net], watched[side.watched]) for side in sides]
        service, budget = packing.shared_numbers(shipment.words[-1])
        shared = packing.shared_word(services[service], budgets[budget])
        label = labels[shipment.label]
        return Moves(shipment.source.astype(np.int64), (*words, shared), label, np.zeros(len(label), np.int64))

    def _learn(self, at: int, numbers: Numbers, parts: list[Hashable]) -> None:
        if not len(numbers):
            return
        names = self._names[at]
        if numbers[-1] >= len(names):
            names = self._names[at] = np.concatenate([names, np.full(int(numbers[-1]) + 1 - len(names), -1, np.int64)])
        names[numbers] = [self._kinds[at].number(part) for part in parts]


class _Packer(pickle.Pickler):
    """Has a piece with a number the first time, and by that number alone from then on."""

    def __init__(self, content: io.BytesIO, sent: dict[Piece[Any], int]) -> None:
        super().__init__(content, pickle.HIGHEST_PROTOCOL)
        self._sent = sent

    def persistent_id(self, obj: Any) -> int | tuple[int, Any] | None:
        """What stands for a piece; None for all else, which is pickled as ever."""
        if type(obj) is not Piece:
            return None
        if obj in self._sent:
            return self._sent[obj]
        number = self._sent[obj] = len(self._sent)
        return number, obj.value


class _Unpacker(pickle.Unpickler):
    """Knows the pieces that came before."""

    def __init__(self, content: io.BytesIO, known: dict[int, Piece[Any]]) -> None:
        super().__init__(content)
        self._known = known

    def persistent_load(self, pid: int | tuple[int, Any]) -> Piece[Any]:
        """The piece for which that stands."""
        if isinstance(pid, int):
            return self._known[pid]
        number, value = pid
        found = self._known[number] = piece(value)
        return found
