"""Whether a text can be read as YAML, asked of a process that may take so long and so much memory, and no more.

A few hundred bytes of aliases and merge keys name more than any memory holds, and PyYAML has no bound of its own. So
the bounds are the kernel's, set before the process begins, and the agent's clock; whatever happens in there, the
agent and its work go on. The process reads one file, and says what is wrong.
"""

import os
import sys
from pathlib import Path
from typing import Final

from agent.handlers.handler import Context, say
from agent.handlers.processes import Processes, Program

TEXT: Final = "to-be-checked"
CHECK: Final = """
import sys, yaml
try:
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        yaml.safe_load(file.read())
except MemoryError:
    sys.exit(3)
except RecursionError:
    sys.exit(4)
except Exception as error:
    print(" ".join(str(error).split())[-900:], file=sys.stderr)
    sys.exit(2)
"""
TOO_BIG, TOO_DEEP = 3, 4


async def check_yaml(processes: Processes, context: Context, aside: Path, text: str) -> str:
    """Why it is none, in words; empty if it is. Raises StepError, OSError if nobody can tell."""
    file = aside / TEXT
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as written:
        written.write(text.encode())
    # -P: nothing is imported from the directory that it begins in.
    command = (sys.executable, "-P", "-c", CHECK, str(file))
    seconds, memory = context.check_seconds, context.check_memory_bytes
    try:
        ended = await processes.run(Program(command, aside, seconds, {}, memory_bytes=memory))
    finally:
        file.unlink(missing_ok=True)
    if ended.code == 0:
        return ""
    if ended.code is None:
        return f"reading it takes longer than {seconds:g} s"
    if ended.code == TOO_BIG:
        return f"reading it takes more than {memory} bytes of memory"
    if ended.code == TOO_DEEP:
        return "nested too deeply"
    return say(ended.stderr.strip().rpartition("\n")[2]) or f"reading it ended with {ended.code}"
