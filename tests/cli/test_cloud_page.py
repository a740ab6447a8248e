"""The buttons of a cloud's page, pressed over HTTP: what they do to it, and to whoever has come by over MQTT."""

import json
from pathlib import Path

from simulator.trace import DeletionRequested, FaultOver, FaultStruck, JobDeletionBegan
from tests.cli.cloud_with_page import Shown, shown_cloud
from tests.cli.served import Device, served_by_the_command
from tests.within import within

NOTIFY = "$aws/things/t/jobs/notify"
SECONDS = 20.0
DOCUMENT = '{"operation": "beep", "times": 3}'


async def at_work(shown: Shown) -> Device:
    """A device that is at work on `fw`."""
    assert await shown.cloud.job("fw", document=DOCUMENT) is None
    device = await shown.cloud.device()
    assert (await device.ask("start-next"))["execution"]["jobId"] == "fw"
    return device


async def test_a_job_is_force_deleted_under_a_device_and_created_again_as_it_was():
    async with shown_cloud("--deletion-seconds", "0") as shown:
        device, watcher = await at_work(shown), await shown.cloud.device("watcher")
        await watcher.subscribe(NOTIFY)
        assert await shown.press(do="force-delete", job="fw") == "200: fw is being force-deleted."
        while await shown.cloud.status() is not None:
            pass
        refused = await device.ask("fw/update", {"status": "SUCCEEDED"})
        assert refused["code"] == "ResourceNotFound"
        again = await shown.press(do="create-again", job="fw")
        assert again == "200: fw was created again, with the same document, for 1 device."
        assert (await device.ask("start-next"))["execution"]["jobDocument"] == json.loads(DOCUMENT)
        assert [(topic, sum(map(len, told["jobs"].values()))) for topic, told in await watcher.heard()] == [
            (NOTIFY, 0),
            (NOTIFY, 1),
        ]
    events = [entry.event for entry in shown.trace]
    assert DeletionRequested("fw", True, "asked for on the page", "delete-job") in events
    assert JobDeletionBegan("fw", True) in events


async def test_a_job_is_cancelled_politely_and_by_force():
    async with shown_cloud() as shown:
        device = await at_work(shown)
        polite = "200: fw is cancelled where it had not begun; who is at work on it may finish."
        assert await shown.press(do="cancel", job="fw") == polite
        assert (await device.ask("fw/get"))["execution"]["status"] == "IN_PROGRESS"
        assert await shown.press(do="cancel-force", job="fw") == "409: fw is cancelled already."
        assert "code" not in await device.ask("fw/update", {"status": "SUCCEEDED"})
        assert await shown.cloud.job("next") is None
        await device.ask("start-next")
        assert await shown.press(do="cancel-force", job="next") == "200: next is cancelled, by force."
        assert (await device.ask("next/update", {"status": "SUCCEEDED"}))["code"] == "InvalidStateTransition"


async def test_a_network_is_cut_and_back_again():
    async with shown_cloud() as shown:
        device = await at_work(shown)
        cut = await shown.press(do="cut-network", thing="t", number=0.3)
        assert cut == "200: Nothing comes through to t for 0.3 s."
        await within(device.bare.rest(), SECONDS)
        again = await shown.cloud.bare()
        await within(again.rest(), SECONDS)  # it is not answered, and dropped when the network is back
        await (await shown.cloud.device()).ask("fw/get")
    assert [entry.event for entry in shown.trace if isinstance(entry.event, FaultStruck | FaultOver)] == [
        FaultStruck("t", "asked-for-on-the-page", "cut", ""),
        FaultOver("t", "asked-for-on-the-page", "done"),
    ]


REFUSED = [
    ({"do": "force-delete", "job": "nothing"}, "There is no job nothing."),
    ({"do": "create-again", "job": "fw"}, "fw has yet to be done by some device."),
    ({"do": "cut-network", "thing": "nobody"}, "No thing nobody has come by."),
    ({"do": "cut-network", "thing": "t", "number": 0}, "A network can be cut for up to 3600 s."),
    ({"do": "cut-power", "thing": "t"}, "That is nothing that a cloud can do to devices that are not its own."),
]


async def test_what_cannot_be_done_says_why():
    async with shown_cloud() as shown:
        await at_work(shown)
        for order, why in REFUSED:
            assert await shown.press(**order) == f"409: {why}"


async def test_what_is_offered_is_what_may_be_done():
    async with shown_cloud("--deletion-seconds", "0") as shown:
        assert shown.page.controls is not None
        await at_work(shown)
        (offered,) = shown.page.controls.offered().jobs
        assert (offered.job, offered.may) == ("fw", ("force-delete", "cancel", "cancel-force"))
        assert [(thing.thing, thing.may) for thing in shown.page.controls.offered().things] == [("t", ("cut-network",))]
        assert await shown.cloud.delete() is None  # by somebody else, over REST
        while await shown.cloud.status() is not None:
            pass
        assert [each.may for each in shown.page.controls.offered().jobs] == [("create-again",)]


async def test_jobs_that_were_kept_from_an_earlier_cloud_have_buttons_too(tmp_path: Path):
    state = ("--state", str(tmp_path / "state"))
    async with shown_cloud(*state) as shown:
        assert await shown.cloud.job("old") is None
    async with shown_cloud(*state) as shown:
        assert shown.page.controls is not None
        assert [each.job for each in shown.page.controls.offered().jobs] == ["old"]
        assert (await shown.press(do="force-delete", job="old")).startswith("200: ")


async def test_many_jobs_are_not_all_offered_and_the_open_ones_are():
    async with shown_cloud() as shown:
        assert await shown.cloud.job("first") is None
        for number in range(110):
            body = {"targets": ["arn:aws:iot:us-east-1:000000000000:thing/t"], "document": "{}"}
            assert (await shown.cloud.ask(f"PUT /jobs/j-{number}", body)).error is None
            assert (await shown.cloud.ask(f"PUT /jobs/j-{number}/cancel?force=true")).error is None
        assert shown.page.controls is not None
        offered = [each.job for each in shown.page.controls.offered().jobs]
        assert (len(offered), offered[0], offered[-1]) == (100, "first", "j-109")


async def test_the_command_has_them(tmp_path: Path):
    ready = tmp_path / "ready.json"
    async with served_by_the_command({}, "--page", "--ready-file", str(ready)) as cloud:
        assert await cloud.job("fw") is None
        page = json.loads(ready.read_text())["page"]
        async with cloud.http.post(f"{page}orders", json={"do": "force-delete", "job": "fw"}) as answer:
            assert await answer.json() == {"said": "fw is being force-deleted."}
        assert await cloud.status() in ("DELETION_IN_PROGRESS", None)
