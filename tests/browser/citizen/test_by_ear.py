"""For ears and fingers: the first touch, hints while one speaks, a screen reader, a keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from models import following
from models.database import reading
from tests.browser.citizen.conftest import SAMPLE_RATE, phone_of, receipt, speak
from tests.browser.conftest import Served

pytestmark = pytest.mark.browser

# Notes what was really played: a browser refuses to, before the page was touched.
LISTEN = """(() => {
  window.heard = [];
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const name = this.src.split("/").slice(-2).join("/");
    const answer = play.call(this);
    answer.then(() => window.heard.push(name), () => window.heard.push(`refused ${name}`));
    return answer;
  };
})();"""


@pytest.fixture(scope="module")
def shy(launch: Callable[..., Browser]) -> Browser:
    """A browser that lets a page speak only after a touch."""
    return launch(mute=True)


@pytest.fixture
def shy_page(shy: Browser) -> Iterator[Page]:
    context = phone_of(shy)
    page = context.new_page()
    page.add_init_script(LISTEN)
    yield page
    context.close()


def test_the_first_touch_anywhere_speaks_the_welcome_and_then_the_languages(
    shy_page: Page, served: Served
) -> None:
    shy_page.goto(served.page)
    # Between two round buttons of the bar.
    shy_page.touchscreen.tap(110, 20)
    shy_page.wait_for_function("() => window.heard.length > 0")
    assert shy_page.evaluate("window.heard[0]") == "ug/welcome.mp3"
    shy_page.wait_for_function("() => window.heard.includes('zh/name.mp3')", timeout=60_000)
    shy_page.wait_for_function("() => window.heard.includes('zh/another.mp3')", timeout=60_000)
    assert not shy_page.evaluate("window.heard.filter((one) => one.startsWith('refused'))")


def test_a_language_speaks_at_once_even_while_its_words_are_still_on_their_way(
    shy_page: Page, served: Served
) -> None:
    shy_page.route("**/words/*.json", lambda route: None)
    shy_page.goto(served.page)
    shy_page.tap('[data-choose="zh"]')
    shy_page.wait_for_function("() => window.heard.length > 0")
    assert shy_page.evaluate("window.heard[0]") == "zh/welcome.mp3"


def _sound(path: Path, samples: np.ndarray) -> Path:
    sf.write(path, samples.astype(np.float32), SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Nothing at all; a whisper with breaths; shouting with breaths."""
    folder = tmp_path_factory.mktemp("sounds")
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 300 * time)
    breath = (time % 6) < 4.5
    return {
        "silent": _sound(folder / "silent.wav", 0 * time),
        "quiet": _sound(folder / "quiet.wav", 0.008 * tone * breath),
        "clipping": _sound(folder / "loud.wav", np.clip(3 * tone, -1, 1) * breath),
    }


@pytest.mark.parametrize(
    ("hint", "picture"), [("silent", "unheard"), ("quiet", "nearer"), ("clipping", "farther")]
)
def test_a_picture_at_once_and_a_voice_at_a_breath_tell_what_is_wrong_with_the_sound(
    launch: Callable[..., Browser],
    served: Served,
    sounds: dict[str, Path],
    hint: str,
    picture: str,
) -> None:
    context = phone_of(launch(sounds[hint]))
    page = context.new_page()
    page.add_init_script(LISTEN)
    # What a browser's own gain would do to a whisper is not what is tested here.
    page.add_init_script(
        """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = () => ask({ audio: {
          autoGainControl: false, echoCancellation: false, noiseSuppression: false } });"""
    )
    page.goto(served.page)
    page.click('[data-choose="zh"]')
    page.click("#main")
    page.wait_for_selector("#hint:not([hidden])", timeout=20_000)
    assert page.get_attribute("#hint use", "href") == f"#i-{picture}"
    page.wait_for_function(f"() => window.heard.includes('zh/{hint}.mp3')", timeout=20_000)
    assert page.get_attribute("#speak", "data-state") == "recording"
    # What the hint says is not recorded: the clock stands meanwhile, and goes on afterwards.
    before = page.inner_text("#elapsed")
    page.wait_for_function(
        "(before) => document.getElementById('elapsed').textContent > before", arg=before
    )
    page.click("#main")
    page.wait_for_selector('#speak[data-state="done"]')
    assert page.is_hidden("#hint")
    context.close()


def nodes(wire: CDPSession, *roles: str) -> list[dict[str, Any]]:
    """Give what a screen reader finds on the page now."""
    tree = wire.send("Accessibility.getFullAXTree")["nodes"]
    return [one for one in tree if not one["ignored"] and one.get("role", {}).get("value") in roles]


CONTROLS = "button", "link", "textbox", "meter", "progressbar", "timer", "region", "image", "img"
# Chinese, or what is the same in every language.
READABLE = re.compile(r"[一-鿿]|^[0-9 ]+$")


def readable(page: Page, wire: CDPSession, where: str) -> None:
    """Check that all of a screen has a Chinese name, and that reading goes on within it."""
    assert page.get_attribute("html", "lang") == "zh"
    found = nodes(wire, *CONTROLS)
    nameless = [
        one["role"]["value"]
        for one in found
        if one["role"]["value"] not in ("timer",)
        and not READABLE.search(one.get("name", {}).get("value", ""))
    ]
    assert not nameless, where
    assert nodes(wire, "status"), where
    inside = "document.activeElement.closest('.screen')?.id === document.body.dataset.screen"
    assert page.evaluate(inside), where


def press_until(page: Page, wanted: str, key: str = "Tab") -> None:
    """Go on with the keyboard until something is focused."""
    for _ in range(40):
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} is not reached")


def test_the_whole_journey_by_keyboard_and_by_what_a_screen_reader_says(
    phone: BrowserContext, page: Page, served: Served
) -> None:
    wire = phone.new_cdp_session(page)
    wire.send("Accessibility.enable")
    status = page.get_by_role("status")

    def go(wanted: str) -> None:
        press_until(page, wanted)
        page.keyboard.press("Enter")

    page.goto(served.page)
    names = [one["name"]["value"] for one in nodes(wire, "button")]
    assert any("普通话" in name for name in names) and any("维吾尔语" in name for name in names)
    go('[data-choose="zh"]')
    page.wait_for_function("() => document.documentElement.lang === 'zh'")
    expect(status).not_to_be_empty()
    readable(page, wire, "speak")
    # The first thing after the screen's name is the one huge button.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Enter")
    page.wait_for_selector('#speak[data-state="recording"]')
    page.wait_for_timeout(1500)
    readable(page, wire, "recording")
    page.keyboard.press("Enter")
    page.wait_for_selector('#speak[data-state="done"]')
    expect(status).to_contain_text("送出去")
    readable(page, wire, "done")
    go("#who")
    expect(status).to_contain_text("不留姓名")
    readable(page, wire, "who")
    go("#be-named")
    readable(page, wire, "named")
    go("#be-anonymous")
    go("#name-done")
    go("#upward")
    expect(status).to_contain_text("上一级")
    assert [one for one in nodes(wire, "button") if one["name"]["value"] == "只给上一级"]
    go("#upward")
    press_until(page, "#help", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("帮忙")
    readable(page, wire, "help")
    press_until(page, "#back", "Shift+Tab")
    page.keyboard.press("Enter")
    readable(page, wire, "back")
    go("#main")
    digits = receipt(page)
    readable(page, wire, "receipt")
    image = next(one for one in nodes(wire, "image", "img"))
    assert digits in image["name"]["value"].replace(" ", "")
    go("#to-consent")
    expect(status).to_contain_text("教机器")
    readable(page, wire, "consent")
    go("#consent-no")
    page.wait_for_selector("#finished:not([hidden])")
    readable(page, wire, "finished")
    go("#check-receipt")
    page.wait_for_url("**/receipt")
    go('[data-choose="zh"]')
    readable(page, wire, "enter")
    page.keyboard.type(digits)
    page.wait_for_selector("#report:not([hidden])", timeout=20_000)
    expect(status).not_to_be_empty()
    readable(page, wire, "report")
    go("#to-withdraw")
    expect(status).to_contain_text("撤回")
    readable(page, wire, "withdrawing")


def test_the_end_of_the_time_is_seen_and_heard_and_nothing_is_lost(
    browser: Browser, serve: Callable[..., Served]
) -> None:
    short = serve(recording_seconds=4)
    context = phone_of(browser)
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(short.page)
    page.click('[data-choose="zh"]')
    page.click("#main")
    page.wait_for_selector("#speak.ending")
    expect(page.locator("#caption")).to_contain_text("时间快到了")
    page.wait_for_selector('#speak[data-state="done"]', timeout=20_000)
    page.wait_for_function("() => window.heard.includes('zh/ended.mp3')")
    assert int(page.inner_text("#elapsed").split(":")[1]) >= 4
    page.click("#main")
    receipt(page)
    context.close()


def test_another_language_is_the_last_of_the_list_and_goes_to_a_listener(
    page: Page, served: Served
) -> None:
    page.goto(served.page)
    tags = page.eval_on_selector_all("[data-choose]", "all => all.map((one) => one.dataset.choose)")
    assert tags == ["ug", "zh", "yue", "kk", "ko", "bo", "ii", "en", "und"]
    speak(page, language="und")
    page.click("#main")
    house = served.app.state.house
    digits = receipt(page)
    with reading(house.engine) as session:
        report = following.by_receipt(session, house.keys, digits)
        assert report is not None and report.declared_language == "und"
