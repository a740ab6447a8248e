"""Evidence: what a violation points at and what is around it, as packets, bounded whatever a device sends."""

from typing import Any

import pytest

from agent.values import ExecutionKey
from simulator.certify.evidence import (
    MOST_AROUND,
    MOST_AT_THE_END,
    MOST_MOMENTS,
    MOST_POINTED_AT,
    UNTOLD,
    Packets,
    evidence,
    last_seen,
)
from simulator.certify.result import probes_seen
from simulator.trace import (
    PROBE,
    Entry,
    HintPublished,
    JobDeletionBegan,
    ProbeSampled,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict import InvariantVerdict, Violation

from .played import played, result

KEY = ExecutionKey(None, "fw", 1, 1700)
ASKED = RequestReceived("lamp", "update", "t-1", None, "fw", "FAILED", {"reason": "x"}, expected_version=3)
POLL = RequestReceived("lamp", "start-next", None)


def test_a_failed_cell_has_what_it_points_at_among_what_happened_around_it():
    found = result("hammering").evidence
    shown = [each for each in found if each.pointed_at]
    named = [event for each in played("hammering").verdict.invariants for v in each.violations for event in v.events]
    assert [each.id for each in shown] == sorted(named, key=lambda each: int(each.partition("#")[2]))
    around = " ".join(each.text for each in found if not each.pointed_at)
    for what in (
        "asked for delete-job of fw",
        "began to delete job fw, by force",
        "removed the record of fw",
        "jobs/notify",
    ):
        assert what in around
    assert [each.at for each in found if each.id.startswith("cloud#")] == sorted(
        each.at for each in found if each.id.startswith("cloud#") and each.at is not None
    )


def test_a_passed_cell_tells_the_moments_at_which_it_was_played():
    found = result("reference").evidence
    assert not any(each.pointed_at for each in found)
    assert any("began to delete job fw, by force" in each.text for each in found)


@pytest.mark.parametrize(
    ("event", "carrier", "says"),
    [
        (
            ASKED,
            "mqtt",
            'lamp to $aws/things/lamp/jobs/fw/update: {"status":"FAILED","statusDetails":{"reason":"x"},'
            '"expectedVersion":3,"clientToken":"t-1"}',
        ),
        (
            RequestReceived("lamp", "describe", "t", "lab", "$next", dup=True, client="other"),
            "mqtt",
            'other to $aws/things/lamp/jobs/$next/namespace-lab/get: {"clientToken":"t"}, a copy',
        ),
        (POLL, "mqtt", "lamp to $aws/things/lamp/jobs/start-next: {}"),
        (RequestReceived("lamp", "get-pending"), "mqtt", "lamp to $aws/things/lamp/jobs/get: {}"),
        (POLL, "http", "lamp PUT /things/lamp/jobs/$next: {}"),
        (
            RequestReceived("lamp", "update", job_id="fw", status="FAILED"),
            "http",
            'lamp POST /things/lamp/jobs/fw: {"status":"FAILED"}',
        ),
        (RequestReceived("lamp", "describe", job_id="fw"), "both", "lamp asked for describe fw: {}"),
        (
            HintPublished("lamp", "notify-next", "lab", (KEY,)),
            "mqtt",
            "the cloud to $aws/things/lamp/jobs/notify-next-namespace-lab: fw (1@1700)",
        ),
        (
            HintPublished("lamp", "notify", None),
            "mqtt",
            "the cloud to $aws/things/lamp/jobs/notify: nothing is pending",
        ),
        (JobDeletionBegan("fw", True), "mqtt", "the cloud began to delete job fw, by force"),
    ],
)
def test_a_packet_is_told_with_where_it_went_and_what_it_says(event: Any, carrier: Any, says: str):
    entry = Entry("cloud", 1, 0.5, event)
    assert Packets([entry], carrier).told(entry) == says


@pytest.mark.parametrize(
    ("answer", "carrier", "says"),
    [
        (
            RequestAnswered("lamp", "update", False, "t-1", "VersionMismatch", None, "IN_PROGRESS"),
            "mqtt",
            "the cloud to $aws/things/lamp/jobs/fw/update/rejected: VersionMismatch, it is IN_PROGRESS",
        ),
        (
            RequestAnswered("lamp", "start-next", True, None, None, KEY, "IN_PROGRESS"),
            "mqtt",
            "the cloud to $aws/things/lamp/jobs/start-next/accepted: fw (1@1700) is IN_PROGRESS",
        ),
        (
            RequestAnswered("lamp", "start-next", True),
            "mqtt",
            "the cloud to $aws/things/lamp/jobs/start-next/accepted: {}",
        ),
        (
            RequestAnswered("lamp", "update", True, "t-1"),
            "http",
            "the cloud answered POST /things/lamp/jobs/fw: accepted",
        ),
        (RequestAnswered("lamp", "update", False, "t-1", "X"), "both", "the cloud answered update fw: rejected with X"),
        (RequestAnswered("lamp", "update", True, "lost"), "mqtt", "the cloud answered update: accepted"),
    ],
)
def test_an_answer_is_told_with_the_topic_of_what_was_asked(answer: RequestAnswered, carrier: Any, says: str):
    trace = [Entry("cloud", n, 0.5, event) for n, event in enumerate((ASKED, POLL, answer), 1)]
    assert Packets(trace, carrier).told(trace[-1]) == says


def test_evidence_is_bounded_and_can_be_read_whatever_a_device_sends():
    details = {"\ud800\x1b[2J\n": "x" * 5_000}
    loud = RequestReceived("lamp", "update", "t-1", None, "fw", "FAILED", details)
    trace = [Entry("cloud", n, n, loud if n < 900 else JobDeletionBegan(f"fw-{n}")) for n in range(1_000)]
    events = tuple(f"cloud#{n}" for n in range(0, 901, 2))
    violated = InvariantVerdict(
        id="alive",
        outcome="violated",
        opportunities=1,
        violations=(Violation(thing="lamp", job="fw", message="is loud", events=events),) * 50,
    )
    verdict = played("hammering").verdict.model_copy(update={"invariants": (violated,)})
    found = evidence(verdict, trace)
    assert sum(each.pointed_at for each in found) == MOST_POINTED_AT
    assert next(each for each in found if each.id == "cloud#900").pointed_at, "in which it ends"
    assert len(found) <= MOST_POINTED_AT + MOST_AROUND + MOST_MOMENTS
    assert all(len(each.text) <= 400 and each.text.isprintable() for each in found)
    assert r"\ud800" in next(each.text for each in found if each.pointed_at)


def test_a_flooded_trace_is_told_in_no_time_but_for_what_is_far_away():
    bad = played("hammering")
    flood = [Entry("cloud", n, 90.0, POLL) for n in range(1_000, 21_000)]
    found = evidence(bad.verdict, (*bad.entries, *flood))
    assert [each.id for each in found] == [each.id for each in evidence(bad.verdict, bad.entries)]


def test_what_was_seen_last_is_told_without_what_says_little():
    entries = played("reference").entries
    found = last_seen(entries)
    assert len(found) == MOST_AT_THE_END
    assert [each.id for each in found] == [each.id for each in entries if each.event.type not in UNTOLD][-len(found) :]
    assert last_seen(()) == ()


def test_what_the_trace_does_not_have_is_named_all_the_same():
    found = evidence(played("hammering").verdict, ())
    assert found
    assert {(each.at, each.text, each.pointed_at) for each in found} == {(None, "not in this trace", True)}


def test_a_probe_is_told_by_its_changes():
    def sampled(probe: str, alive: bool | None, version: str | None, why: str = "") -> ProbeSampled:
        return ProbeSampled("lamp", probe, alive, version, why)

    events = [
        sampled("cmd:x", True, "1"),
        sampled("cmd:x", True, "1"),
        sampled("file:y", True, None),
        sampled("cmd:x", False, None, "exit code\n7"),
        sampled("cmd:x", True, "2"),
        sampled("cmd:x", None, "9", "no such file"),
        sampled("cmd:x", True, "1"),
    ]
    trace = [Entry(PROBE, n, n, event) for n, event in enumerate(events, 1)]
    first, second = probes_seen(trace)
    assert first.model_dump() == {
        "probe": "cmd:x", "samples": 6, "alive": 4, "unknown": 1, "versions": ("1", "2", "1"), "why": r"exit code\n7"
    }  # fmt: skip
    assert (second.probe, second.samples, second.versions) == ("file:y", 1, ())
    flapping = [Entry(PROBE, n, n, sampled("cmd:x", True, str(n % 2))) for n in range(500)]
    assert len(probes_seen(flapping)[0].versions) == 24
