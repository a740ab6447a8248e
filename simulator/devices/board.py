"""The first device's hardware, as pure state: a running image, a spare slot, a download area.

    download   fills the download area               undone by clearing it
    write      fills the spare slot                  undone by clearing it
    switch     runs the spare slot, at once          cannot be undone: the old image is overwritten by the switch

The switch flips one selector, so the board can boot at every instant of a right order of work. Taking a switch back
leaves it with nothing whole to boot from. At rest both the download area and the spare slot are empty.
"""

from dataclasses import dataclass, replace

from agent.account import HardwareChanged


@dataclass(frozen=True, slots=True)
class Board:
    """What is where: `running` is the version in use, None once nothing whole is left to boot from."""

    running: str | None = "1.0"
    downloaded: str | None = None
    spare: str | None = None

    def begin(self, step: str, version: str) -> "Board":
        """The board once `step` has begun to change it."""
        match step:
            case "download":
                return replace(self, downloaded=version)
            case "write":
                return replace(self, spare=version)
            case _:
                return self

    def finish(self, step: str) -> "Board":
        """The board once `step` is done. Switching to an empty slot leaves nothing to boot."""
        return Board(running=self.spare) if step == "switch" else self

    def undo(self, step: str) -> "Board":
        """The board once `step` was taken back."""
        match step:
            case "download":
                return replace(self, downloaded=None)
            case "write":
                return replace(self, spare=None)
            case _:
                return replace(self, running=None)

    @property
    def is_whole(self) -> bool:
        """Bootable, and nothing half done."""
        return self.running is not None and self.downloaded is None and self.spare is None

    def describe(self) -> HardwareChanged:
        """What the trace says of it."""
        pending = tuple(
            f"{area} {version}"
            for area, version in (("download", self.downloaded), ("spare", self.spare))
            if version is not None
        )
        return HardwareChanged(self.running is not None, self.running or "", pending)
