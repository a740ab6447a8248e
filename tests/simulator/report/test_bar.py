"""The bar that tells how far a play in virtual time has come."""

import io

from rich.console import Console

from simulator.report.bar import Bar
from simulator.scenario import load
from tests.bench.world import play


def test_a_play_that_is_over_has_all_its_executions_over():
    scenario, bar = load("main"), Bar(16, Console(file=io.StringIO()))
    played = play(scenario, 8, bar.feed)
    assert bar.over == sum(len(played.casting.targets(job)) for job in scenario.jobs) == 16


def test_it_is_drawn_on_a_terminal_and_gone_at_the_end():
    drawn = io.StringIO()
    with Bar(16, Console(file=drawn, force_terminal=True, width=80)):
        pass
    assert "executions over" in drawn.getvalue()
    assert drawn.getvalue().endswith("\x1b[2K"), "the line is taken back"
