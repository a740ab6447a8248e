"""What could not be judged from outside is told with a reason, and nothing else is."""

import pytest

from simulator.certify.unseen import WHY, not_seen
from simulator.verdict import SEEN_FROM_THE_WIRE


@pytest.mark.parametrize(
    ("reports_steps", "more"), [(True, set()), (False, {"no-ghost-work", "stops-in-time"})], ids=["steps", "no steps"]
)
def test_what_the_wire_does_not_show_has_a_reason(reports_steps: bool, more: set[str]):
    hidden = {name for name, answer in SEEN_FROM_THE_WIRE.items() if not answer.startswith("yes")}
    assert set(not_seen(SEEN_FROM_THE_WIRE, reports_steps=reports_steps)) == hidden | more


def test_every_reason_is_of_an_invariant_that_may_be_out_of_sight():
    assert set(WHY) <= {name for name, answer in SEEN_FROM_THE_WIRE.items() if not answer.startswith("yes")}
