"""Records in the journal: read back as they were written, by the agent of another firmware slot too."""

import json

import pytest

from agent.core.events import BeginStep, Booted, UndoStep
from agent.core.record import Finished, Record, Work
from agent.core.state import Safe
from agent.documents import plan_of
from agent.journal import LONGEST_SNAPSHOT
from agent.plan import Plan, Step
from agent.record_json import RecordError, number_of, numbered, read_record, write_record
from agent.values import ErrorCode, ExecutionKey, JobDocument, Status
from tests.agent.core.driver import UPDATE, Driver, execution, key


def update() -> Plan:
    plan = plan_of(UPDATE)
    assert isinstance(plan, Plan)
    return plan


LAST = Finished(key("last"), "d0", Status.SUCCEEDED, "n0", 9, "why")


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Record(), id="nothing in hand"),
        pytest.param(Record(unaccounted="2.0", finished=LAST), id="something to tell"),
        pytest.param(Record(safe="could not undo write"), id="safe"),
        pytest.param(Record(Work(key(namespace_id="lab"), update(), UPDATE.digest, 0, 1, 2)), id="working"),
        pytest.param(Record(Work(key(), update(), "d", 0, before="1.0")), id="working, and what ran before is known"),
        pytest.param(Record(Work(key(), update(), "d", 0, 2, 2), "restoring", "gone"), id="restoring"),
        pytest.param(Record(Work(key(), update(), "d", 0, 2, 2), "restoring", None, reason="no"), id="failed"),
        pytest.param(Record(Work(key(), update(), "d", 0, 5, 6), "finishing", "cancelled"), id="finishing"),
        pytest.param(
            Record(Work(key(), update(), "d", 0, 6, 6), "reporting", None, Status.FAILED, "n", "no"), id="reporting"
        ),
        pytest.param(
            Record(Work(key(), update(), "d", 0, 2, 2), "reporting", None, Status.FAILED, "n", "no", safe="why"),
            id="reporting, and safe then",
        ),
    ],
)
def test_a_record_is_read_back(record: Record):
    assert read_record(write_record(record)) == record


def test_the_identity_is_on_record():
    record = Record(Work(ExecutionKey("lab", "fw", 3, 1_700_000_000), update(), UPDATE.digest, 0))
    work = json.loads(write_record(record))["work"]
    assert work["key"] == {"namespace_id": "lab", "job_id": "fw", "execution_number": 3, "queued_at": 1_700_000_000}
    assert work["digest"] == UPDATE.digest


def test_the_longest_document_leads_to_a_record_that_the_journal_takes():
    args = ['"' * 160] * 99
    document = JobDocument.of({"operation": "x.sh", "args": args})
    assert 31_000 < len(document.text) < 32_768
    plan = plan_of(document)
    assert isinstance(plan, Plan)
    assert len(write_record(Record(Work(key(), plan, document.digest, 0)))) < LONGEST_SNAPSHOT


NEWER = {
    "work": {
        "key": {"namespace_id": None, "job_id": "fw", "execution_number": 1, "queued_at": 1_700_000_000, "tenant": 7},
        "plan": {
            "version": "",
            "operation": "defragment",
            "steps": [
                {"name": "fetch", "action": "download", "args": [["url", "http://x"]], "priority": 1},
                {"name": "defragment", "action": "defragment", "args": []},
            ],
        },
        "digest": "d",
        "version_number": 0,
        "done": 1,
        "begun": 2,
        "estimated_seconds": 30,
    },
    "colour": "green",
}
"""What a newer agent wrote in the other slot: with fields, an operation and an action that this one does not know."""


def test_what_a_newer_agent_wrote_is_read():
    work = read_record(json.dumps(NEWER).encode()).work
    assert work is not None
    assert work.key == key()
    assert work.plan.steps == (
        Step("fetch", "download", (("url", "http://x"),)),
        Step("defragment", "defragment"),
    )
    assert (work.done, work.begun) == (1, 2)


def test_what_a_newer_agent_began_is_undone_step_by_step_by_the_older_one():
    device = Driver()
    device(Booted(read_record(json.dumps(NEWER).encode()), "1.0"))
    device.connect()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert [undo.step.name for undo in device.all(UndoStep)] == ["defragment"]
    assert not device.all(BeginStep)
    device.undone()
    assert [undo.step.name for undo in device.all(UndoStep)] == ["defragment", "fetch"]


def test_a_step_that_the_older_agent_cannot_undo_ends_safe():
    device = Driver()
    device(Booted(read_record(json.dumps(NEWER).encode()), "1.0"))
    device.connect()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device.undone(ok=False)
    assert device.phase == Safe("could not undo defragment")


def test_what_a_newer_agent_began_goes_on_if_its_job_still_lives():
    device = Driver()
    device(Booted(read_record(json.dumps(NEWER).encode()), "1.0"))
    device.connect()
    device.tell(execution(key(), document=None))
    device.accept()
    assert [begun.step.name for begun in device.all(BeginStep)] == ["defragment"]


@pytest.mark.parametrize(
    ("snapshot", "where"),
    [
        (b'{"work": {"key": 3}}', "work.key"),
        (b'{"doing": "dreaming"}', "doing"),
        (b"{", ""),
        (b"\xff", ""),
        (b"[]", ""),
    ],
)
def test_what_means_nothing_is_said_so_with_its_place(snapshot: bytes, where: str):
    with pytest.raises(RecordError, match=f"^journal: {where}.*; was it written by a newer agent"):
        read_record(snapshot)


@pytest.mark.parametrize("record", [Record(), Record(safe="no way back")], ids=["empty", "with something in it"])
def test_a_numbered_record_reads_the_same_also_for_an_agent_that_knows_no_numbers(record: Record):
    written = numbered(write_record(record), 17)
    assert number_of(written) == 17
    assert read_record(written) == record
    assert number_of(write_record(record)) == 0
