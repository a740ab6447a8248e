"""A short form of `python -m tests.hostile states`."""

from tests.hostile.report import Bounds
from tests.hostile.states import attack

SEED, DAMAGES = 11, 60


async def test_damaged_state_files_are_told_and_salvaged_and_never_begin_as_if_nothing_were():
    report = await attack(Bounds(SEED, DAMAGES, 120))
    assert report.findings == []
    assert report.tried == DAMAGES
    assert {"opened, with everything", "refused as damaged"} <= set(report.figures)
