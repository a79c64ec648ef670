"""Phones give a page no microphone without HTTPS: with a certificate of one's own they do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright

from tests.browser.conftest import find_chromium
from tests.conftest import House
from tests.integration.server import Running, self_signed, start

pytestmark = [pytest.mark.browser, pytest.mark.processes]

HOST = "xiangyin.lan"
MICROPHONE = "() => [window.isSecureContext, Boolean(navigator.mediaDevices)]"


@pytest.fixture
def phone(playwright: Playwright) -> Iterator[Browser]:
    """A browser that knows the machine by a name on the local network."""
    browser = playwright.chromium.launch(
        executable_path=find_chromium(),
        args=["--no-sandbox", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"],
    )
    yield browser
    browser.close()


def look(phone: Browser, url: str) -> list[bool]:
    # On a phone of the office the certificate's authority is installed.
    with phone.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.goto(url)
        found: list[bool] = page.evaluate(MICROPHONE)
        return found


def test_the_page_has_a_microphone_over_https_and_none_without(
    house: House, phone: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    certificate, key = self_signed(tmp_path_factory.mktemp("certificate"), HOST)
    plain: Running = start(house.settings)
    try:
        assert look(phone, f"http://{HOST}:{plain.port}/") == [False, False]
    finally:
        plain.stop()
    secure = start(
        house.settings,
        XIANGYIN_TLS_CERTIFICATE=str(certificate),
        XIANGYIN_TLS_KEY=str(key),
    )
    try:
        assert look(phone, f"https://{HOST}:{secure.port}/") == [True, True]
    finally:
        secure.stop()
