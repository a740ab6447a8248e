"""The store: what the local cloud must not forget, in a SQLite file. It knows records, not what they are for."""

from simulator.cloud.store.kinds import Remembered
from simulator.cloud.store.store import Store

__all__ = ["Remembered", "Store"]
