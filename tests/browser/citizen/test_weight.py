"""A cheap phone on a bad line: what it loads and how long that takes before one can speak."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.citizen.conftest import phone_of
from tests.browser.conftest import Served

pytestmark = pytest.mark.browser

SLOWER = 4
LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
}
MOST_BYTES = 60_000
# The page, its style and its script: no request waits for another but for the first.
MOST_REQUESTS = 3
MOST_SECONDS = 3.0
# The runner's own slowness is not the phone's: where it is busy, the time is shown, not judged.
JUDGED_UNDER_MS = 40.0
LABOUR = """() => {
  const began = performance.now();
  let sum = 0;
  for (let i = 0; i < 1e6; i++) sum = (sum + i * i) % 1000003;
  return performance.now() - began + sum * 0;
}"""


def test_one_can_speak_after_60_kilobytes_and_3_seconds(
    browser: Browser, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    context = phone_of(browser, service_workers="block")
    page = context.new_page()
    page.goto("about:blank")
    idle = page.evaluate(LABOUR)
    wire = context.new_cdp_session(page)
    received: list[float] = []
    asked: list[str] = []
    wire.on("Network.requestWillBeSent", lambda one: asked.append(one["request"]["url"]))
    wire.on("Network.loadingFinished", lambda one: received.append(one["encodedDataLength"]))
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    wire.send("Network.emulateNetworkConditions", LINE)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(served.page, wait_until="commit")
    page.wait_for_function("() => performance.getEntriesByName('usable').length > 0")
    usable = page.evaluate("performance.getEntriesByName('usable')[0].startTime") / 1000
    needed = [one for one in asked if not one.endswith("/icon.svg")]
    page.wait_for_load_state("networkidle")
    opened = sum(received)
    with page.expect_event("requestfinished", lambda one: "welcome.mp3" in one.url):
        page.click('[data-choose="ug"]')
    page.wait_for_selector("#speak:not([hidden])")
    spoken = sum(received)
    context.close()
    with capsys.disabled():
        print(
            f"\n  usable after {usable:.2f} s, {len(needed)} requests and {opened / 1024:.1f} KiB; "
            f"with the language's words and welcome {spoken / 1024:.1f} KiB "
            f"({SLOWER}x slower processor, 400 kbit/s, 150 ms; this machine's pace {idle:.0f} ms)"
        )
    assert spoken <= MOST_BYTES
    assert len(needed) <= MOST_REQUESTS, needed
    assert usable <= MOST_SECONDS or idle > JUDGED_UNDER_MS
