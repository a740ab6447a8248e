"""`ghostjob cloud` as a user starts it: a process of its own, on free ports."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def running_cloud(
    *options: str, certs: Path | None = None, stderr: IO[str] | None = None, most_files: int | None = None
) -> Iterator[dict[str, str]]:
    """The endpoints of a cloud that is up while the context lasts; its log goes to `stderr`, or to ours.

    `most_files` is how many it may open.
    """
    limited = () if most_files is None else ("sh", "-c", f'ulimit -n {most_files} && exec "$0" "$@"')
    tls = ["--mqtts-port", "0", "--certs", str(certs)] if certs else ["--mqtts-port", "off"]
    command = [
        *limited,
        sys.executable,
        "-P",
        "-m",
        "simulator.cli",
        "cloud",
        "--api-port",
        "0",
        "--mqtt-port",
        "0",
        *tls,
    ]
    with subprocess.Popen(
        [*command, "--data-port", "off", "--trace", "-", "--until-stdin-closes", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            first = process.stdout.readline()
            assert first, "the cloud did not start"
            yield json.loads(first)["endpoints"]
        finally:
            process.stdin.close()
            process.stdout.read()
        assert process.wait() == 0
