"""The sentence for a room: short, with no ids and no payloads in it; what it leaves out stands below."""

import pytest

from simulator.certify.certificate import Evidence
from simulator.page.brief import LONGEST, brief, outcome_of_run, outcome_of_session
from tests.simulator.page.samples import run
from tests.simulator.page.test_certification import FAILED, PASSED, certificate

SAID = [
    ("is idle with download half done; see device/thing-0#40; and 2 more", "is idle with download half done"),
    ("no-x is undecided; see cloud#7; and one more finding", "no-x is undecided"),
    ("'recovered fw' was reached by 0 of 1 device; the first of them is pump-7 on job fw; see cloud#6823",
     "'recovered fw' was reached by 0 of 1 device; the first of them is pump-7 on job fw"),
    ('reported again: {"status": "IN_PROGRESS", "statusDetails": {}}', "reported again"),
    ('it sent fw/update {"status":"FAILED"} at once', "it sent fw/update at once"),
    ('it reported FAILED with {"a": {"b": "c"}}; it must be able', "it reported FAILED; it must be able"),
    ('it reported FAILED with {"a": {"b": "c', "it reported FAILED"),
    ("started although told (ResourceNotFound)", "started although told (ResourceNotFound)"),
    ("holds {version}, and [both] slots", "holds {version}, and [both] slots"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), SAID)
def test_it_says_what_happened_and_not_where_that_stands(text: str, said: str):
    assert brief(text) == said


def test_what_is_long_ends_at_a_word():
    assert brief("word " * 100) == "word " * 30 + "word…"
    assert len(brief("w" * 10_000)) == LONGEST


def test_what_is_long_ends_with_a_clause_if_one_ends_late_enough():
    assert brief("1 of 2 cells failed; the first is " + "a" * 60 + "; and " + "b" * 100) == (
        "1 of 2 cells failed; the first is " + "a" * 60
    )


def test_a_failed_run_names_the_first_device_and_counts_the_others():
    verdict = run("delete-in-write", "recovers-without-undoing", 2).verdict
    assert outcome_of_run(verdict) == (
        "Failed: bootable was violated by thing-0 and 1 more device: is idle with download, spare slot half done."
    )


def test_the_verdicts_own_sentence_stands_below():
    played = run("delete-in-write", "recovers-without-undoing", 2)
    page = played.picture.whole()
    assert page.sentence == outcome_of_run(played.verdict)
    assert page.why == played.verdict.why


def test_a_certification_quotes_no_packet():
    packet = Evidence(id="cloud#7", at=1.0, text='pump-7 sent update of fw: {"status": "IN_PROGRESS"}')
    failed = FAILED.model_copy(update={"evidence": (*FAILED.evidence, packet)})
    what = "1 of 2 cells failed; it is a/b: no-x was violated: the device went on"
    why = f"{what}: {packet.text} [cloud#7]; and 2 more findings"
    kept = certificate(PASSED, failed).model_copy(update={"why": why})
    assert outcome_of_session(kept) == (
        "Failed: 1 of 2 cells failed; it is a/b: no-x was violated: the device went on."
    )
