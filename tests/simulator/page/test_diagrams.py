"""Sequence diagrams: what is in them, and that their text is Mermaid's whatever devices call things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.page.data import Arrow
from simulator.page.diagrams import ARROWS, mermaid
from tests.simulator.page.samples import run

LINE = re.compile(r"    (?:participant p\d+ as .+|p\d+(?:->>|-x)p\d+: \d+\.\d{3} s: .*)")
TURNS = ("is recovering", "is done with fw", "is idle")
PLAIN = re.compile(r"(?:[A-Za-z0-9 .,:_/()%+=?!'*-]|#\d+;)*")
"""What Mermaid takes as it stands, and its entities."""


def arrow(text: str, **more: object) -> Arrow:
    return Arrow.model_validate({"at": 1.0, "from": "a", "to": "b", "text": text, "id": "cloud#1"} | more)


@given(st.text(), st.text(min_size=1))
def test_whatever_is_said_it_stays_in_its_line(text: str, name: str):
    told = mermaid([name, "cloud"], [arrow(text, **{"from": name, "to": "cloud"})])
    first, *lines = told.removesuffix("\n").split("\n")
    assert first == "sequenceDiagram"
    assert len(lines) == 3
    for line in lines:
        assert LINE.fullmatch(line), line
        assert PLAIN.fullmatch(line.partition("as " if "participant" in line else ": ")[2]), line


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("update fw: SUCCEEDED", "update fw: SUCCEEDED"),
        ("a; b # c", "a#59; b #35; c"),
        ("the end", "the #101;nd"),
        ("end", "#101;nd"),
        ("sent, resend", "sent, resend"),
        ("<b>&amp;</b>", "#60;b#62;#38;amp#59;#60;/b#62;"),
        ("a\nb", "a#92;nb"),
    ],
)
def test_what_mermaid_would_misread_is_written_otherwise(text: str, stands: str):
    assert mermaid(["a", "b"], [arrow(text)]).endswith(f"p0->>p1: 1.000 s: {stands}\n")


def test_a_message_that_is_lost_has_a_cross():
    assert "p0-xp1" in mermaid(["a", "b"], [arrow("describe fw", ok=False)])


def test_a_violation_is_shown_with_the_deletion_and_the_device_and_what_came_of_it():
    page = run("delete-in-write", "recovers-without-undoing", 2).picture.whole()
    (bootable,) = (each for each in page.invariants if each.id == "bootable")
    found = bootable.violations[0]
    assert found.diagram.participants == ("operator", "cloud", "thing-0")
    texts = [arrow.text for arrow in found.diagram.arrows]
    assert any("fw is force-deleted" in text for text in texts)
    assert "describe fw: rejected, ResourceNotFound" in texts
    assert {event.id for event in found.events} <= {arrow.id for arrow in found.diagram.arrows}
    assert len(texts) <= ARROWS
    recovering, done, idle = (next(n for n, text in enumerate(texts) if text.startswith(each)) for each in TURNS)
    assert recovering < done < idle
    assert [arrow.at for arrow in found.diagram.arrows] == sorted(arrow.at for arrow in found.diagram.arrows)
    assert found.diagram.mermaid.count("\n") == 1 + 3 + len(texts)
