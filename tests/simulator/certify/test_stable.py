"""`certificate.json` keeps what readers go by."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.certify.certificate import Certificate
from simulator.docs import page

from .stable import broken, members, recorded

KEPT = Path(__file__).with_name("certificate-1.json")
"""A certificate of the first version, as it was written then."""


def test_no_member_goes_or_changes_its_type_within_a_version():
    assert broken(members()) == [], "readers go by it: raise SCHEMA_VERSION, tell them, and record (see stable.py)"


def test_a_member_that_comes_is_recorded():
    assert sorted(members()) == sorted(recorded()), "run `python -m tests.simulator.certify.stable`"


@pytest.mark.parametrize(
    ("name", "now"),
    [("CellResult.outcome", None), ("Certificate.seconds", {"type": "string"})],
    ids=["gone", "changed"],
)
def test_a_breach_is_noticed(name: str, now: Any):
    changed = members() | ({name: now} if now else {})
    if now is None:
        del changed[name]
    assert broken(changed) == [name]


def test_a_certificate_of_the_first_version_is_read():
    kept = json.loads(KEPT.read_text("utf-8"))
    read = Certificate.model_validate(kept)
    assert (read.schema_version, read.outcome, len(read.cells)) == (1, "failed", 4)


def test_a_reader_is_told_of_every_member():
    text = page("certify")
    own = [name.partition(".")[2] for name in members() if name.partition(".")[0] in ("Certificate", "CellResult")]
    assert [name for name in own if f"`{name}`" not in text] == []
