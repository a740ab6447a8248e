"""The store: what the local cloud must not forget, in a SQLite file. It knows records, not what they are for."""

from simulator.cloud.store.kinds import OWN, Remembered
from simulator.cloud.store.salvage import salvage
from simulator.cloud.store.store import Shelf, Store

__all__ = ["OWN", "Remembered", "Shelf", "Store", "salvage"]
