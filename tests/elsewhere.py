"""What code says here, and in another process, in which all hashes are others: it ought to be the same."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[1]


def said_here(code: str) -> str:
    """What it prints in this process, whatever was done in it before."""
    with redirect_stdout(io.StringIO()) as said:
        exec(code, {})
    return said.getvalue()


def said_elsewhere(code: str) -> str:
    """What it prints in one that has just begun, under another hash seed than this one's."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    env = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout
