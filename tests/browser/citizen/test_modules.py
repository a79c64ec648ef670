"""The page's pure functions, asked in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from models import receipt
from tests.browser.citizen.conftest import phone_of
from tests.browser.conftest import Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def modules(browser: Browser, served: Served) -> Iterator[Page]:
    context = phone_of(browser)
    page = context.new_page()
    page.goto(served.page)
    page.evaluate(
        """async (base) => {
          window.damm = await import(`${base}/damm.js`);
          window.levels = await import(`${base}/levels.js`);
          window.outbox = await import(`${base}/outbox.js`);
          window.store = await import(`${base}/store.js`);
        }""",
        served.app.state.citizen.assets.base,
    )
    yield page
    context.close()


def test_the_page_and_the_server_agree_on_check_digits(modules: Page) -> None:
    right = [receipt.draw() for _ in range(200)]
    wrong = [one[:-1] + str((int(one[-1]) + 3) % 10) for one in right]
    assert modules.evaluate("(all) => all.every(damm.isReceipt)", right)
    assert not modules.evaluate("(all) => all.some(damm.isReceipt)", wrong)
    assert modules.evaluate("damm.grouped('1234567812345678')") == "1234 5678 1234 5678"


@pytest.mark.parametrize(
    ("rms", "peak", "hint"),
    [(0.0, 0.0, "silent"), (0.008, 0.02, "quiet"), (0.1, 0.4, ""), (0.5, 1.0, "clipping")],
)
def test_a_level_leads_to_its_hint(modules: Page, rms: float, peak: float, hint: str) -> None:
    history = [{"rms": rms, "peak": peak}] * 40
    assert modules.evaluate("(history) => levels.hint(history)", history) == hint


def test_nobody_is_told_to_speak_up_in_the_first_seconds(modules: Page) -> None:
    assert modules.evaluate("levels.hint([{rms: 0, peak: 0}])") == ""


def test_a_measure_is_that_of_the_samples(modules: Page) -> None:
    measured: dict[str, Any] = modules.evaluate("levels.measure([0.5, -0.5, 0.5, -0.5])")
    assert measured == {"rms": 0.5, "peak": 0.5}
    assert modules.evaluate("levels.loudness(1)") == 1
    assert modules.evaluate("levels.loudness(0)") == 0


@pytest.mark.parametrize(
    ("status", "code", "then"),
    [
        (401, "ticket_unknown", "anew"),
        (404, "upload_gone", "anew"),
        (409, "upload_unfinished", "anew"),
        (409, "idempotency_key_reused", "never"),
        (415, "not_media", "never"),
        (422, "channel_closed", "never"),
        (429, "too_many", "later"),
        (503, "busy", "later"),
    ],
)
def test_what_follows_a_failure(modules: Page, status: int, code: str, then: str) -> None:
    asked = "([status, code]) => outbox.after(new outbox.Refusal(status, {code}))"
    assert modules.evaluate(asked, [status, code]) == then


def test_no_network_means_later(modules: Page) -> None:
    assert modules.evaluate("outbox.after(new TypeError('no network'))") == "later"


def test_pieces_are_joined_in_order_and_forgotten_together(modules: Page) -> None:
    joined = modules.evaluate(
        """async () => {
          const bytes = (n) => new Uint8Array([n, n]).buffer;
          for (const n of [2, 0, 11, 1]) await store.keep("one", n, bytes(n));
          await store.keep("two", 0, bytes(9));
          const blob = await store.blobOf("one", "audio/webm");
          await store.forget(["one"]);
          const left = await store.blobOf("one", "audio/webm");
          const other = await store.blobOf("two", "");
          return [[...new Uint8Array(await blob.arrayBuffer())], left.size, other.size];
        }"""
    )
    assert joined == [[0, 0, 1, 1, 2, 2, 11, 11], 0, 2]


def test_a_key_has_128_random_bits(modules: Page) -> None:
    drawn = modules.evaluate("Array.from({length: 100}, store.draw)")
    assert len(set(drawn)) == 100
    assert all(len(one) == 32 for one in drawn)
