"""The thread that commits, so that the loop never waits for a disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from agent.errors import InputError
from simulator.cloud.store.database import Batch, Database

STOP: Final = None


class Writer:
    """Commits batches one after the other; `done` is called on the loop, with what went wrong if something did."""

    def __init__(self, database: Database, done: Callable[[int, InputError | None], None]) -> None:
        self._database = database
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._batches: SimpleQueue[tuple[int, Batch] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ghostjob-store", daemon=True)
        self._thread.start()

    def commit(self, ticket: int, batch: Batch) -> None:
        """Have a batch committed, under that number."""
        self._batches.put((ticket, batch))

    def stop(self) -> None:
        """Finish what was handed over, and end."""
        self._batches.put(STOP)
        self._thread.join()

    def _run(self) -> None:
        while (task := self._batches.get()) is not STOP:
            ticket, batch = task
            failure = None
            try:
                self._database.write(batch)
            except sqlite3.Error as error:
                failure = self._database.refusal(error)
            except OSError as error:
                failure = self._database.unmarked(error)
            except Exception as error:  # whatever it is: everybody waits for this batch, and would wait for ever
                failure = self._database.fault(error)
            self._tell(ticket, failure)

    def _tell(self, ticket: int, failure: InputError | None) -> None:
        self._loop.call_soon_threadsafe(self._done, ticket, failure)
