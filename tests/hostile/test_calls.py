"""Odd REST calls from a fixed seed; `python -m tests.hostile calls --seed N` for more of them."""

from tests.hostile import calls
from tests.hostile.report import Bounds


async def test_no_call_is_a_fault_of_ours():
    report = await calls.attack(Bounds(seed=1, count=2_000, seconds=120))
    assert report.findings == []
    assert report.tried == 2_000
