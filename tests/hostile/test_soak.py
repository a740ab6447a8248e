"""The soak in short: that the lives are lived, and what is said of them. Growth is for the long form."""

from tests.hostile import soak
from tests.hostile.report import Bounds


async def test_half_the_load_is_kept_up_and_memory_looked_at():
    report = await soak.attack(Bounds(seed=3, count=60, seconds=4))
    assert [finding for finding in report.findings if "memory grew" not in finding] == []
    assert report.tried == 60
    assert report.figures.keys() >= {
        "the cloud can carry",
        "kept up",
        "resident at the end",
        "growth after warm-up",
        "what grew",
    }
