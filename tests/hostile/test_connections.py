"""A short form of the attack by holding connections."""

from tests.hostile.connections import HALF_WAY, attack
from tests.hostile.report import Bounds


async def test_who_holds_connections_costs_little_and_nobody_else():
    report = await attack(Bounds(seed=0, count=3, seconds=2))
    assert report.findings == []
    assert report.tried == 3 * len(HALF_WAY) + 3
