"""The administrators' pages in a real browser: a channel and its poster, a prompt by microphone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from ingest.queue import Stage
from models.account import Role
from models.database import writing
from tests import cases
from tests.browser.citizen.conftest import phone_of
from tests.browser.conftest import CODE, Served
from workers.house import open_house
from workers.prepare import prepare

pytestmark = pytest.mark.browser
SERIOUS = {"serious", "critical"}
SHIPPED = Path(__file__).parents[3] / "api" / "citizen" / "prompts" / "kk" / "welcome.mp3"


AAC = "MediaRecorder.isTypeSupported('audio/mp4;codecs=mp4a.40.2') ? 'audio/mp4' : ''"


def prepare_all(served: Served) -> None:
    """Do what waits for the prepare worker."""
    workshop = open_house(served.app.state.house.settings)
    with workshop.nursery:
        for recording in workshop.queue.held(Stage.PREPARE):
            prepare(workshop, recording)
    workshop.engine.dispose()


@pytest.fixture
def desk(browser: Browser, served: Served) -> Iterator[Page]:
    """The console before somebody who looks after every channel."""
    house = served.app.state.house
    with writing(house.engine) as session:
        name = cases.account(session, Role.ADMINISTRATOR, cases.NATION).username
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    context.grant_permissions(["microphone"])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{served.url}/staff/login")
    page.fill('[name="username"]', name)
    page.fill('[name="password"]', cases.PASSWORD)
    page.press('[name="password"]', "Enter")
    page.wait_for_url("**/staff/*")
    yield page
    context.close()
    assert not errors


def clean(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS]


def test_a_channel_is_made_in_an_order_of_languages_and_its_poster_is_there(
    desk: Page, served: Served, browser: Browser
) -> None:
    desk.goto(f"{served.url}/staff/channels")
    clean(desk)
    desk.fill('#new [name="code"]', "qx-hall")
    desk.fill('#new [name="name"]', "青溪大厅")
    desk.fill('#new [name="jurisdiction"]', "510729")
    for _ in range(2):
        desk.click('#new li:has([value="ug"]) [data-up]')
    desk.uncheck('#new [value="en"]')
    desk.click("#new button.main")
    desk.wait_for_url("**/staff/channels/qx-hall")
    clean(desk)
    assert desk.evaluate("document.querySelector('.poster-card img').naturalWidth") > 0
    context = phone_of(browser)
    phone = context.new_page()
    phone.goto(f"{served.url}/c/qx-hall")
    shown = "all => all.map((one) => one.dataset.choose)"
    tags = phone.eval_on_selector_all("[data-choose]", shown)
    assert tags[0] == "ug" and "en" not in tags and tags[-1] == "und"
    context.close()


def test_a_prompt_is_recorded_uploaded_and_removed_and_phones_hear_it(
    desk: Page, served: Served
) -> None:
    desk.goto(f"{served.url}/staff/prompts?channel={CODE}&language=bo")
    clean(desk)
    row = desk.locator("#prompt-welcome")
    expect(row).to_contain_text("缺")
    row.locator("[data-record]").click()
    expect(row.locator("[data-record]")).to_contain_text("停止")
    desk.wait_for_timeout(1200)
    row.locator("[data-record]").click()
    address = f"{served.url}/prompts/{CODE}/bo/welcome.mp3"
    if "audio/mp4" not in desk.evaluate(AAC):
        expect(row).to_contain_text("正在转", timeout=15_000)
        assert desk.request.get(address).headers["content-type"] == "audio/mpeg"
        prepare_all(served)
    expect(row).to_contain_text("本渠道录的", timeout=15_000)
    assert desk.request.get(address).headers["content-type"] == "audio/mp4"
    row.locator('input[type="file"]').set_input_files(SHIPPED)
    expect(row).to_contain_text("8.4 s")
    expect(desk.locator("#notices")).to_contain_text("录好了")
    desk.wait_for_function(
        """async ([address, size]) => {
          const answer = await fetch(address, { cache: "no-store" });
          return (await answer.arrayBuffer()).byteLength === size;
        }""",
        arg=[address, SHIPPED.stat().st_size],
    )
    row.locator("[data-remove]").click()
    expect(row).to_contain_text("暂用汉语")
    row.locator('input[type="file"]').set_input_files(Path(__file__))
    expect(desk.locator("#notices")).to_contain_text("放不出来")
