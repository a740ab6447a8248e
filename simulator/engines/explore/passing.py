"""What processes tell each other: pickled, but for arrays, which go as they lie in memory.

So a process that hands over all that it knows needs no room for it a second time, nor does the one that gets it.
"""

import pickle
from multiprocessing.connection import Connection
from typing import Any


def pass_on(connection: Connection, message: Any) -> None:
    """Send it; raises OSError if nobody is at the other end."""
    buffers: list[pickle.PickleBuffer] = []
    packed = pickle.dumps(message, pickle.HIGHEST_PROTOCOL, buffer_callback=buffers.append)
    arrays = [buffer.raw() for buffer in buffers]
    connection.send([len(array) for array in arrays])
    connection.send_bytes(packed)
    for array in arrays:
        connection.send_bytes(array)


def passed(connection: Connection) -> Any:
    """What was sent; raises EOFError or OSError if nobody is at the other end any more."""
    sizes: list[int] = connection.recv()
    packed = connection.recv_bytes()
    arrays = [bytearray(size) for size in sizes]
    for array in arrays:
        connection.recv_bytes_into(array)
    return pickle.loads(packed, buffers=arrays)  # noqa: S301 - from a process that this one forked, or that forked it
