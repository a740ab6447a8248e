"""What a cloud that stands alone holds its clients to, and one that plays a scenario."""

from simulator.cloud.settings import CloudSettings
from simulator.scenario import load


def test_a_cloud_that_stands_alone_has_the_account_quotas_of_aws():
    alone = CloudSettings.model_validate_json('{"cloud": {"deletion_seconds": 1}}').cloud.jobs_settings()
    assert (alone.requests_per_second, alone.targets, alone.deletion_seconds) == (200, 100, 1)


def test_a_scenario_has_none_unless_it_asks_for_them():
    main, fleet = (load(name).cloud.jobs_settings() for name in ("main", "fleet-hinted-at-once"))
    assert (main.requests_per_second, main.targets) == (None, None)
    assert fleet.requests_per_second == 200


def test_what_a_scenario_asks_of_its_cloud_reaches_the_process_that_is_its_cloud():
    sent = CloudSettings(cloud=load("main").cloud).model_dump_json()
    assert CloudSettings.model_validate_json(sent).cloud.jobs_settings() == load("main").cloud.jobs_settings()
