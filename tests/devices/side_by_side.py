"""Several devices of one script by one start of Python: each is a fork, which has imported already what all import.

python side_by_side.py '[["FLASH", "SCRIPT", "--host", …], …]'
"""

import json
import os
import runpy
import sys

import paho_device  # noqa: F401 - so that no fork has to


def begin(flash, *argv):
    """Run one, with its log in its flash."""
    os.makedirs(flash, exist_ok=True)
    log = os.open(f"{flash}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = list(argv)
    runpy.run_path(argv[0], run_name="__main__")


if __name__ == "__main__":
    for words in json.loads(sys.argv[1]):
        if os.fork() == 0:
            begin(*words)
            sys.exit()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
