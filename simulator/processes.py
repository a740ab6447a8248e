"""How ghostjob starts another process of its own."""

import sys
from pathlib import Path


def command(*arguments: str) -> tuple[str, ...]:
    """`ghostjob` with these arguments, of this very ghostjob: neither PYTHONPATH nor where one works changes that."""
    return (sys.executable, "-P", str(Path(__file__).parent / "cli" / "__main__.py"), *arguments)
