"""The page of a cloud in a real browser, beside a real MQTT client: what a click does to its job."""

import pytest
from playwright.async_api import Browser

from tests.cli.cloud_with_page import shown_cloud
from tests.simulator.page.browser.tab import LARGE, Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_deletion_button_deletes_the_job_under_a_device_and_the_next_makes_it_again(browser: Browser) -> None:
    async with await browser.new_context(viewport=LARGE) as context, shown_cloud("--deletion-seconds", "0") as shown:
        assert await shown.cloud.job("fw") is None
        device = await shown.cloud.device()
        assert (await device.ask("start-next"))["execution"]["jobId"] == "fw"
        tab = Tab(await context.new_page())
        await tab.open(shown.page.url)
        await tab.at("button[data-do=force-delete][data-job=fw]").click()
        await tab.at("#ask button[value=yes]").click()
        again = tab.at("button[data-do=create-again][data-job=fw]")
        await again.wait_for()
        assert await tab.text("#said") == "fw is being force-deleted."
        assert (await device.ask("fw/update", {"status": "SUCCEEDED"}))["code"] == "ResourceNotFound"
        assert await tab.count("#other-buttons button") == 0
        await again.click()
        await tab.at("button[data-do=force-delete][data-job=fw]").wait_for()
        assert (await device.ask("start-next"))["execution"]["jobId"] == "fw"
        assert await tab.text("#thing-controls summary") == "Network of each device"
        await tab.at("#thing-controls summary").click()
        await tab.at("button[data-do=cut-network][data-thing=t]").click()
        assert await device.bare.rest() == b""
        assert tab.complaints == []
