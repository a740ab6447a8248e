"""How much memory a process has, from /proc."""

from pathlib import Path


def resident_kib(process_id: int | str = "self") -> int:
    """Resident set size in KiB."""
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/{process_id}/status has no VmRSS")
