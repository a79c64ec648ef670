"""A phone, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import Served

PHONE = {"width": 360, "height": 740}
SAMPLE_RATE = 16_000
SECONDS = 12


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of something as loud as speech, rising and falling like syllables."""
    time = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * pitch * time) / pitch for pitch in (140, 280, 700, 1400))
    sound = tone * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * time))
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    sf.write(path, 0.4 * sound / np.abs(sound).max(), SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser], voice: Path) -> Browser:
    return launch(voice)


@pytest.fixture(scope="module")
def served(serve: Callable[..., Served]) -> Served:
    return serve(help_name="李医生", help_phone="0834 555 0100")


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = phone_of(browser)
    yield context
    context.close()


@pytest.fixture
def page(phone: BrowserContext) -> Iterator[Page]:
    page = phone.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert not errors


def phone_of(browser: Browser, **more: object) -> BrowserContext:
    """Give a context like a small phone that may use its microphone."""
    context = browser.new_context(
        viewport=PHONE, is_mobile=True, has_touch=True, locale="zh-CN", **more
    )
    context.grant_permissions(["microphone", "camera"])
    return context


def speak(page: Page, seconds: float = 2.5, language: str = "ug") -> None:
    """Choose a language and record, up to the choice to hear or send."""
    page.click(f'[data-choose="{language}"]')
    page.click("#main")
    page.wait_for_selector('#speak[data-state="recording"]')
    page.wait_for_timeout(seconds * 1000)
    page.click("#main")
    page.wait_for_selector('#speak[data-state="done"]')


def receipt(page: Page, seconds: float = 20) -> str:
    """Wait for the receipt and read its digits."""
    page.wait_for_selector("#receipt:not([hidden])", timeout=seconds * 1000)
    return page.inner_text("#receipt-digits").replace(" ", "")


STORED = """async () => {
  const database = await new Promise((resolve) => {
    const request = indexedDB.open("xiangyin");
    request.onsuccess = () => resolve(request.result);
  });
  const counts = {};
  for (const name of database.objectStoreNames) {
    counts[name] = await new Promise((resolve) => {
      const request = database.transaction(name).objectStore(name).count();
      request.onsuccess = () => resolve(request.result);
    });
  }
  database.close();
  return counts;
}"""
