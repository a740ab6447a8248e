"""What will be gone with a job, saved first: the job, its document, every execution, as one JSON file."""

import itertools
import json
from dataclasses import asdict
from pathlib import Path

from agent.errors import InputError
from simulator.controller.hand import Hand


async def save_job(hand: Hand, job_id: str, directory: Path) -> Path:
    """Write `directory`/`job_id`-N.json, whole; N keeps earlier jobs of that id. Raises InputError or Refused."""
    gone = {
        "job": await hand.describe_job(job_id),
        "document": await hand.job_document(job_id),
        "executions": [asdict(await hand.execution(e.thing, job_id)) for e in await hand.executions(job_id)],
    }
    return _write(directory, job_id, json.dumps(gone, indent=2))


def _write(directory: Path, job_id: str, text: str) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        numbered = (directory / f"{job_id}-{number}.json" for number in itertools.count(1))
        path = next(path for path in numbered if not path.exists())
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(text + "\n", "utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"--save {directory}: cannot write there: {error.strerror}; nothing was deleted") from None
    return path
