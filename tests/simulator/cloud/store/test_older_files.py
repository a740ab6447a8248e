"""A file that an earlier ghostjob wrote, with its documents in one spelling and their own text beside it."""

import sqlite3
from pathlib import Path

from simulator.cloud.jobs import JobStatus
from simulator.cloud.store import Store
from simulator.cloud.store.database import APPLICATION_ID

DUMP = Path(__file__).with_name("one_spelling.sql")
"""What SQLite's `.dump` says of it: a job as it was written, one being deleted, one made from a managed template."""
AS_WRITTEN = '{"b": 1E3,\n"a": [1.10, "\\u00e9"], "inf": 1e400}'


async def test_an_older_file_opens_and_its_documents_are_as_they_were_written(tmp_path: Path):
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as file:
        file.executescript(DUMP.read_text("utf-8"))
        file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        file.execute("PRAGMA user_version = 1")
    file.close()
    for _ in range(2):  # the first time it is written anew
        store = Store(path)
        jobs = {job.job_id: job for job in store.remembered().jobs}
        await store.close()
        assert jobs["fw"].new.document.text == AS_WRITTEN
        assert jobs["fw"].new.config == ()
        assert jobs["plain"].new.document.text == '{"a":1}'
        assert jobs["plain"].status is JobStatus.DELETION_IN_PROGRESS
        assert jobs["managed"].new.document.text.startswith('{"version":"1.0","steps":[{"action":{"name":"Reboot",')
        assert [name for name, _ in jobs["managed"].new.config] == [
            "jobTemplateArn",
            "documentParameters",
            "documentBeforeSubstitution",
        ]
