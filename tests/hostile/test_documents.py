"""The short form of `python -m tests.hostile documents`."""

import pytest

from tests.hostile import documents
from tests.hostile.report import Bounds


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no finding: how long things take is a figure of the command."""
    monkeypatch.setattr(documents, "SLOW_SECONDS", 60.0)


async def test_no_document_is_a_traceback_a_wedge_or_neither_taken_nor_refused():
    report = await documents.attack(Bounds(seed=1, count=150, seconds=600))
    assert report.findings == []
    assert report.tried == 150
    assert {"plan: planned", "plan: rejected", "device: rejected", "cloud: refused", "cloud: told"} <= {*report.figures}


async def test_a_reader_that_breaks_is_found():
    def breaks(text: str, rng: object) -> str:
        raise RecursionError(text[:1])

    report = await documents.attack(Bounds(seed=1, count=3, seconds=600), (breaks,))
    assert len(report.findings) == 3
    assert "RecursionError" in report.findings[0]
