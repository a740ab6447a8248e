"""What devices in other languages need before they run: compiled, or installed."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.devices.commands import HERE, Needs

PROGRAMS: dict[Needs, tuple[str, ...]] = {
    "paho-c": ("cc",),
    "node": ("node", "npm"),
    "mosquitto": ("mosquitto_sub", "mosquitto_pub", "mosquitto_rr", "jq"),
}
PACKAGES: dict[Needs, str] = {
    "paho-c": "Debian's gcc, libc6-dev, libpaho-mqtt-dev, libcjson-dev",
    "node": "Debian's nodejs and npm, and npm's registry",
    "mosquitto": "Debian's mosquitto-clients and jq",
}


def built(needs: Needs | None, directory: Path) -> Path:
    """Where the device is; skips if it cannot be, and fails where everything must be there, in CI."""
    if needs is None:
        return directory
    if missing := [program for program in PROGRAMS[needs] if shutil.which(program) is None]:
        _give_up(needs, f"no {', '.join(missing)}")
    try:
        return {"paho-c": _compiled, "node": _installed}.get(needs, lambda directory: directory)(directory)
    except subprocess.CalledProcessError as error:
        _give_up(needs, error.stderr[-500:])
        raise


def _give_up(needs: Needs, why: str) -> None:
    reason = f"needs {PACKAGES[needs]}: {why}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _compiled(directory: Path) -> Path:
    source, program = HERE / "paho_c" / "device.c", directory / "device"
    _run("cc", "-O1", "-Wall", "-Werror", "-o", str(program), str(source), "-lpaho-mqtt3cs", "-lcjson", "-lpthread")
    return directory


def _installed(directory: Path) -> Path:
    """In a directory that stays, as it takes seconds."""
    sources = [HERE / "node" / name for name in ("package.json", "device.js")]
    digest = hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ghostjob-tests"
    there = cache / f"node-{digest}"
    if not there.exists():
        cache.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=cache))
        for source in sources:
            shutil.copy(source, new)
        _run("npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(new))
        try:
            new.rename(there)
        except OSError:  # another process was quicker
            shutil.rmtree(new)
    return there


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
