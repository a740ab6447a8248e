"""`ghostjob cloud --settings`: what is given there has its effect, and an option overrides only if it was given."""

import pytest

from simulator.cli.cloud import cloud, options_of
from simulator.cloud.local import CloudOptions


def options(*args: str) -> CloudOptions:
    """What the command would serve with."""
    return options_of(cloud.make_context("cloud", list(args)).params)


@pytest.mark.parametrize(
    ("args", "seconds", "per_execution"),
    [
        pytest.param((), 3, 0.001, id="neither: the default"),
        pytest.param(("--settings", '{"cloud": {"deletion_seconds": 30}}'), 30, 0.001, id="the setting alone"),
        pytest.param(("--deletion-seconds", "4"), 4, 0, id="the option alone: however many the executions"),
        pytest.param(
            ("--deletion-seconds", "3", "--settings", '{"cloud": {"deletion_seconds": 30}}'), 3, 0, id="the option wins"
        ),
    ],
)
def test_an_option_overrides_a_setting_only_if_it_was_given(args: tuple[str, ...], seconds: float, per_execution: float):
    jobs = options(*args).jobs
    assert (jobs.deletion_seconds, jobs.deletion_seconds_per_execution) == (seconds, per_execution)
