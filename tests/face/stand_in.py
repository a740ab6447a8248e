"""Where tests put a stand-in in the place of `ghostjob certify`, and what it was asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

SCRIPT: Final = Path(__file__).with_name("certify_stand_in.py")
LOG: Final = "STAND_IN_LOG"
Log: TypeAlias = Callable[[], list[dict[str, Any]]]


def read(path: Path) -> list[dict[str, Any]]:
    """What stand-ins have written."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
