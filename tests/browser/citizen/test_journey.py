"""A person who does not read reports by voice; each test is one thing that may happen."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from sqlmodel import select

from models import following, receipt
from models.complaint import Complaint, IdentityMode
from models.database import reading
from models.medium import Kind, Medium, Purpose
from models.settings import Rates
from tests.browser.citizen.conftest import STORED, phone_of, speak
from tests.browser.citizen.conftest import receipt as receipt_on
from tests.browser.conftest import CODE, Served
from tests.browser.cutting import CuttingLine

pytestmark = pytest.mark.browser
SERIOUS = {"serious", "critical"}
CUT_FILE_BYTES = 500_000
BENCH_FILE_BYTES = 5_000_000


def complaint(served: Served, digits: str) -> tuple[Complaint, list[Medium]]:
    """Find what a receipt stands for."""
    house = served.app.state.house
    with reading(house.engine) as session:
        found = following.by_receipt(session, house.keys, digits)
        assert found is not None
        media = session.exec(select(Medium).where(Medium.complaint_id == found.id)).all()
    return found, list(media)


def content(served: Served, medium: Medium) -> bytes:
    return b"".join(served.app.state.house.blobs.read(medium.original))


def count(served: Served) -> int:
    with reading(served.app.state.house.engine) as session:
        return len(session.exec(select(Complaint.id)).all())


def test_four_touches_lead_from_the_scan_to_a_receipt(page: Page, served: Served) -> None:
    touches = "addEventListener('click', () => (window.touches = (window.touches ?? 0) + 1), true)"
    page.add_init_script(touches)
    page.goto(served.page)
    speak(page, seconds=10)
    page.click("#main")
    digits = receipt_on(page)
    assert page.evaluate("window.touches") <= 4
    assert receipt.parse(digits) == digits
    report, media = complaint(served, digits)
    assert report.declared_language == "ug"
    assert report.identity_mode is IdentityMode.ANONYMOUS
    assert not report.upward_only and not report.training_consent
    assert [medium.kind for medium in media] == [Kind.VOICE]
    assert content(served, media[0])[:4] == b"\x1a\x45\xdf\xa3"


def test_nothing_is_left_on_the_phone_once_the_receipt_was_seen(page: Page, served: Served) -> None:
    page.goto(served.page)
    speak(page)
    page.click("#main")
    digits = receipt_on(page)
    stored = page.evaluate(STORED)
    assert stored == {"drafts": 0, "outbox": 0, "receipts": 1, "chunks": 0}
    page.click("#to-consent")
    page.click("#consent-yes")
    page.wait_for_selector("#finished:not([hidden])")
    assert page.evaluate(STORED)["receipts"] == 0
    assert complaint(served, digits)[0].training_consent


def test_no_other_host_no_cookie_and_nothing_that_the_policy_forbids(
    phone: BrowserContext, page: Page, served: Served
) -> None:
    asked: list[Request] = []
    said: list[str] = []
    page.on("request", lambda one: asked.append(one))
    page.on("console", lambda message: said.append(message.text))
    page.goto(served.page)
    speak(page)
    page.click("#main")
    receipt_on(page)
    others = [one.url for one in asked if not one.url.startswith((served.url, "blob:", "data:"))]
    assert not others
    assert not phone.cookies()
    assert not [text for text in said if "Content Security Policy" in text]


def test_the_journey_works_by_the_names_that_a_screen_reader_says(
    page: Page, served: Served
) -> None:
    page.goto(served.page)
    page.get_by_role("button", name="普通话", exact=False).first.click()
    status = page.get_by_role("status")
    expect(status).to_contain_text("圆钮", timeout=15_000)
    page.get_by_role("button", name="开始说").click()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="说完了").click()
    expect(status).to_contain_text("送出去")
    page.get_by_role("button", name="送出去").click()
    picture = page.get_by_role("img", name="您的号码")
    expect(picture).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="好了").click()
    page.get_by_role("button", name="不可以").click()
    expect(page.get_by_role("link", name="查看")).to_be_visible()


def test_photographs_text_a_spoken_name_and_the_level_above(
    page: Page, served: Served, tmp_path: Path
) -> None:
    from PIL import Image

    letter = tmp_path / "letter.jpg"
    Image.new("RGB", (3000, 1500), "white").save(letter, exif=_with_place())
    page.goto(served.page)
    speak(page)
    page.set_input_files("#photo-file", letter)
    page.wait_for_selector("#photos img")
    page.click("#write")
    page.fill("#text", "水管坏了三个月")
    page.click("#text-done")
    page.click("#who")
    page.click("#be-named")
    page.click("#say-name")
    page.wait_for_timeout(1500)
    page.click("#say-name")
    page.wait_for_selector("#hear-name:not([hidden])")
    page.click("#name-done")
    page.click("#upward")
    expect(page.locator("#upward")).to_have_attribute("aria-pressed", "true")
    page.click("#main")
    report, media = complaint(served, receipt_on(page))
    assert report.upward_only and report.held_by != report.jurisdiction
    assert report.identity_mode is IdentityMode.REAL_NAME
    kinds = sorted((medium.kind.value, medium.purpose.value) for medium in media)
    assert kinds == [
        ("image", "complaint"),
        ("text", "complaint"),
        ("voice", "complaint"),
        ("voice", "identity"),
    ]
    sent = next(medium for medium in media if medium.kind is Kind.IMAGE)
    assert b"Exif" not in content(served, sent)


def _with_place() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "a phone"
    return exif.tobytes()


def test_a_line_that_is_cut_every_second_brings_all_bytes_once(
    page: Page, served: Served, tmp_path: Path
) -> None:
    line = CuttingLine(served.port, bytes_a_second=100_000, every=1.0)
    assert send_over(line, page, served, tmp_path / "talk.mp3", CUT_FILE_BYTES, 120) >= 3


@pytest.mark.skipif(
    "XIANGYIN_BENCH" not in os.environ, reason="takes five minutes: set XIANGYIN_BENCH=1"
)
@pytest.mark.timeout(1200)
def test_five_megabytes_arrive_over_20_kilobytes_a_second_cut_every_10_seconds(
    page: Page, served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = CuttingLine(served.port, bytes_a_second=20_000, every=10.0)
    began = time.monotonic()
    cuts = send_over(line, page, served, tmp_path / "talk.mp3", BENCH_FILE_BYTES, 1000)
    with capsys.disabled():
        print(f"\n  5 MB in {time.monotonic() - began:.0f} s over {cuts} cuts")
    assert cuts >= 10


def send_over(
    line: CuttingLine, page: Page, served: Served, file: Path, size: int, seconds: float
) -> int:
    """Send a recording of random bytes over a bad line; tell how often that was cut."""
    sound = b"ID3" + os.urandom(size - 3)
    file.write_bytes(sound)
    with line:
        page.goto(f"http://127.0.0.1:{line.port}/c/{CODE}")
        page.click('[data-choose="zh"]')
        page.set_input_files("#sound-file", file)
        page.wait_for_selector('#speak[data-state="done"]')
        before = count(served)
        line.bad = True
        page.click("#main")
        digits = receipt_on(page, seconds=seconds)
    assert count(served) == before + 1
    _, media = complaint(served, digits)
    assert hashlib.sha256(content(served, media[0])).digest() == hashlib.sha256(sound).digest()
    return line.cuts


def test_a_page_closed_while_recording_keeps_all_but_the_last_second(
    phone: BrowserContext, served: Served
) -> None:
    page = phone.new_page()
    page.goto(served.page)
    page.click('[data-choose="ug"]')
    page.click("#main")
    page.wait_for_selector('#speak[data-state="recording"]')
    page.wait_for_timeout(4300)
    page.close(run_before_unload=False)
    again = phone.new_page()
    again.goto(served.page)
    again.wait_for_selector("#drafted:not([hidden])")
    assert again.evaluate(STORED)["chunks"] >= 3
    again.click("#draft-use")
    again.wait_for_selector('#speak[data-state="done"]')
    assert float(again.inner_text("#elapsed").split(":")[1]) >= 3
    again.click("#main")
    _, media = complaint(served, receipt_on(again))
    assert media[0].size > 3_000


def test_a_refused_microphone_leads_to_the_phones_own_recorder(
    launch: Callable[..., Browser], served: Served, voice: Path
) -> None:
    browser = launch(allow=False)
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(served.page)
    page.click('[data-choose="zh"]')
    page.click("#main")
    page.wait_for_selector("#fallback:not([hidden])")
    expect(page.locator("#caption")).to_contain_text("录音机")
    page.set_input_files("#sound-file", voice)
    page.wait_for_selector('#speak[data-state="done"]')
    page.click("#main")
    _, media = complaint(served, receipt_on(page))
    assert media[0].mime == "audio/wav"
    context.close()


def test_a_browser_that_cannot_record_says_so_at_once_and_takes_the_phones_recording(
    page: Page, served: Served, voice: Path
) -> None:
    said: list[str] = []
    page.on("request", lambda one: "/prompts/" in one.url and said.append(one.url.split("/")[-1]))
    page.add_init_script("delete globalThis.MediaRecorder")
    page.goto(served.page)
    page.click('[data-choose="zh"]')
    expect(page.locator("#caption")).to_contain_text("录音机", timeout=20_000)
    assert "no_recording.mp3" in said and "record.mp3" not in said
    assert page.is_hidden("#main")
    page.set_input_files("#sound-file", voice)
    page.wait_for_selector('#speak[data-state="done"]')
    page.click("#main")
    _, media = complaint(served, receipt_on(page))
    assert media[0].mime == "audio/wav"


def test_a_browser_that_keeps_nothing_still_sends_a_report(page: Page, served: Served) -> None:
    page.add_init_script("Object.defineProperty(globalThis, 'indexedDB', { value: undefined })")
    page.goto(served.page)
    speak(page)
    page.click("#main")
    _, media = complaint(served, receipt_on(page))
    assert content(served, media[0])[:4] == b"\x1a\x45\xdf\xa3"
    assert media[0].size > 3_000


def test_what_is_refused_is_a_draft_again_and_loses_nothing(page: Page, served: Served) -> None:
    refusals = [422]

    def refuse(route: object) -> None:
        if refusals:
            problem = {"status": refusals.pop(), "code": "bad_channel", "zh": "不对", "en": "no"}
            route.fulfill(status=422, json=problem)  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/reports", refuse)
    page.goto(served.page)
    speak(page, language="zh")
    page.click("#write")
    page.fill("#text", "水管坏了三个月")
    page.click("#text-done")
    page.click("#main")
    page.wait_for_selector('#speak:not([hidden])[data-state="done"]')
    expect(page.locator("#caption")).to_contain_text("没有成功")
    stored = page.evaluate(STORED)
    assert (stored["drafts"], stored["outbox"]) == (1, 0) and stored["chunks"] > 0
    assert page.input_value("#text") == "水管坏了三个月"
    page.click("#main")
    _, media = complaint(served, receipt_on(page))
    assert sorted(medium.kind for medium in media) == [Kind.TEXT, Kind.VOICE]
    assert page.evaluate(STORED)["drafts"] == 0


def test_no_more_is_taken_than_a_report_may_hold(
    page: Page, served: Served, voice: Path, tmp_path: Path
) -> None:
    from PIL import Image

    files = []
    for number in range(12):
        files.append(tmp_path / f"{number}.png")
        Image.new("RGB", (8, 8), (number, 0, 0)).save(files[-1])
    page.goto(served.page)
    speak(page, language="zh")
    page.set_input_files("#photo-file", files)
    expect(page.locator("#photos img")).to_have_count(8)
    expect(page.locator("#caption")).to_contain_text("没有成功")
    assert page.is_hidden("#more") and page.is_hidden("#photo")
    page.click("#main")
    _, media = complaint(served, receipt_on(page))
    assert len(media) == 9


def test_offline_first_and_online_later(phone: BrowserContext, served: Served) -> None:
    page = phone.new_page()
    page.goto(served.page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("() => caches.keys().then((names) => names.length > 0)")
    page.reload()
    page.click('[data-choose="zh"]')
    page.wait_for_timeout(500)
    phone.set_offline(True)
    page.reload()
    speak(page, language="zh")
    page.click("#main")
    page.wait_for_selector("#offline:not([hidden])", timeout=20_000)
    assert page.evaluate(STORED)["outbox"] == 1
    page.close()
    phone.set_offline(False)
    later = phone.new_page()
    later.goto(served.page)
    complaint(served, receipt_on(later))
    later.close()


def test_sending_twice_by_impatience_makes_one_report(page: Page, served: Served) -> None:
    page.goto(served.page)
    speak(page)
    before = count(served)
    page.evaluate("for (let i = 0; i < 5; i++) document.getElementById('main').click()")
    receipt_on(page)
    assert count(served) == before + 1


def test_an_answer_that_was_lost_is_asked_for_again_and_is_the_same(
    page: Page, served: Served
) -> None:
    lost: list[str] = []

    def lose(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        if lost:
            route.fulfill(response=answer)  # type: ignore[attr-defined]
        else:
            lost.append(answer.json()["receipt"])
            route.abort()  # type: ignore[attr-defined]

    page.route("**/reports", lose)
    page.goto(served.page)
    speak(page)
    before = count(served)
    page.click("#main")
    assert receipt_on(page) == lost[0]
    assert count(served) == before + 1


def test_near_a_limit_the_phone_works_and_the_person_does_not(
    browser: Browser, serve: Callable[..., Served]
) -> None:
    strict = serve(rates=Rates(submissions_per_channel="1/hour"))
    context = phone_of(browser)
    page = context.new_page()
    asked: list[str] = []
    page.on("response", lambda one: asked.append(f"{one.status} {one.url}"))
    page.goto(strict.page)
    house = strict.app.state.house
    house.limiter.near = lambda channel, address: True
    speak(page)
    page.click("#main")
    receipt_on(page, seconds=60)
    assert any(one.startswith("428 ") for one in asked)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Browser, served: Served, scheme: str) -> None:
    context = phone_of(browser, color_scheme=scheme)
    page = context.new_page()
    axe = Axe()

    def clean(where: str) -> None:
        found = axe.run(page).response["violations"]
        bad = [
            (one["id"], [n["html"][:120] for n in one["nodes"]])
            for one in found
            if one["impact"] in SERIOUS
        ]
        assert not bad, where

    page.goto(served.page)
    clean("languages")
    speak(page, language="zh")
    clean("speak")
    page.click("#who")
    page.click("#be-named")
    clean("naming")
    page.click("#name-done")
    page.click("#main")
    receipt_on(page)
    clean("receipt")
    page.click("#to-consent")
    clean("consent")
    page.goto(f"{served.url}/receipt")
    page.click('[data-choose="zh"]')
    clean("enter")
    page.goto(f"{served.page}/poster")
    clean("poster")
    context.close()


def test_identity_is_never_content(page: Page, served: Served) -> None:
    page.goto(served.page)
    speak(page)
    page.click("#who")
    page.click("#be-named")
    page.fill("#name", "阿依某")
    page.click("#be-anonymous")
    page.click("#name-done")
    page.click("#main")
    report, media = complaint(served, receipt_on(page))
    assert report.reporter_sealed is None
    assert all(medium.purpose is Purpose.COMPLAINT for medium in media)


def test_a_receipt_is_shown_again_the_same_day_and_to_nobody_on_another(
    phone: BrowserContext, served: Served
) -> None:
    page = phone.new_page()
    page.goto(served.page)
    speak(page)
    page.click("#main")
    digits = receipt_on(page)
    page.reload()
    assert receipt_on(page) == digits
    page.clock.install()
    page.clock.fast_forward("25:00:00")
    page.reload()
    page.wait_for_selector("#languages:not([hidden])")
    page.wait_for_timeout(500)
    assert page.is_visible("#languages")
    assert page.evaluate(STORED)["receipts"] == 0
    page.close()
