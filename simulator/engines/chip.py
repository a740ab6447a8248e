"""A simulated device's flash in a file, so that SIGKILL of its process is a power cut of the device.

`THING.flash` holds the hardware, what the journal's disk had made durable, and how often the device has booted. It is
written at every sector and every write of the journal, before whatever comes of it leaves the device, and replaced as a
whole: a process that dies in between leaves the one or the other. That holds for a process; of a machine that loses its
power nothing is promised, as nothing waits for its disk. `THING.version` beside it is what a probe may look at: the
version that runs, empty while nothing does.
"""

import json
import os
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from agent.errors import InputError
from simulator.devices.device import Kept
from simulator.devices.hardware import Area, Hardware, Image

FORMAT: Final = 1


@dataclass(slots=True)
class ChipFile:
    """See `simulator.devices.device.Chip`."""

    directory: Path
    thing: str
    _kept: Kept | None = None

    def read(self) -> Kept | None:
        """What stands in it; None if there is none yet. Raises InputError."""
        path = self._path("flash")
        try:
            return _kept(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError):
            raise InputError(
                f"{path}: no simulated device's flash that this version reads; without it, the device is as it left "
                f"the factory"
            ) from None

    def write(self, kept: Kept) -> None:
        """Have it hold that, if it does not."""
        if kept == self._kept:
            return
        version = None if self._kept is None else self._kept.hardware.version
        self._replace("flash", _written(kept))
        if kept.hardware.version != version:
            self._replace("version", kept.hardware.version.encode() + b"\n")
        self._kept = kept

    def _path(self, what: str) -> Path:
        return self.directory / f"{self.thing}.{what}"

    def _replace(self, what: str, data: bytes) -> None:
        path = self._path(what)
        new = path.with_name(path.name + "-new")
        new.write_bytes(data)
        os.replace(new, path)


def _written(kept: Kept) -> bytes:
    body = {
        "format": FORMAT,
        "boots": kept.boots,
        "journal": b64encode(kept.journal).decode(),
        "hardware": asdict(kept.hardware),
    }
    return json.dumps(body).encode()


def _kept(body: Any) -> Kept:
    """Raises ValueError, TypeError, KeyError."""
    if body["format"] != FORMAT:
        raise ValueError("of another version")
    hardware = body["hardware"]
    areas = {name: _area(hardware[name]) for name in ("download", "file")}
    slots = (_area(hardware["slots"][0]), _area(hardware["slots"][1]))
    files = tuple(hardware["files"])
    whole = Hardware(**(hardware | areas | {"slots": slots, "files": files}))
    return Kept(whole, b64decode(body["journal"], validate=True), int(body["boots"]))


def _area(body: Any) -> Area:
    image = body["image"]
    return Area(**(body | {"image": None if image is None else Image(**image)}))
