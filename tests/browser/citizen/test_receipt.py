"""What became of a report: by touch, by camera, aloud, in the person's language."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlmodel import select

from api.citizen.reports import picture
from models import following, receipt
from models.complaint import Message
from models.database import reading, writing
from models.medium import Kind, Medium, Purpose
from models.status import MediumState, Status
from tests.browser.citizen.conftest import STORED, phone_of
from tests.browser.conftest import CODE, Served
from tests.cases import complaint

pytestmark = pytest.mark.browser


@pytest.fixture
def digits(served: Served) -> str:
    """A report in Uyghur that waits for staff."""
    house = served.app.state.house
    number = receipt.draw()
    with writing(house.engine) as session:
        complaint(session, house.keys, receipt=number, channel_code=CODE, declared_language="ug")
    return number


@pytest.fixture
def lookup(page: Page, served: Served) -> Page:
    page.goto(f"{served.url}/receipt")
    page.click('[data-choose="zh"]')
    return page


def enter(page: Page, digits: str) -> None:
    for digit in digits:
        page.click(f'[data-digit="{digit}"]')


def prompts(page: Page) -> list[str]:
    """Collect the names of the prompts that the page asks for from now on."""
    asked: list[str] = []
    page.on(
        "request",
        lambda one: "/prompts/" in one.url and asked.append("/".join(one.url.split("/")[-2:])),
    )
    return asked


@pytest.mark.parametrize("fault", ["wrong", "swapped"])
def test_a_wrong_or_swapped_digit_is_caught_and_said_without_asking_the_server(
    lookup: Page, digits: str, fault: str
) -> None:
    if fault == "wrong":
        mistyped = digits[:5] + str((int(digits[5]) + 1) % 10) + digits[6:]
    else:
        at = next(i for i in range(15) if digits[i] != digits[i + 1])
        mistyped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    asked: list[str] = []
    lookup.on("request", lambda one: asked.append(one.url))
    said = prompts(lookup)
    enter(lookup, mistyped)
    expect(lookup.locator("#typed")).to_have_class("digits entry wrong")
    expect(lookup.locator("#caption")).to_contain_text("号码不对")
    lookup.wait_for_timeout(300)
    assert "zh/mistyped.mp3" in said
    assert not any("/receipt/state" in one for one in asked)


def test_the_state_is_told_in_the_persons_language_with_their_channels_prompts(
    lookup: Page, digits: str
) -> None:
    said = prompts(lookup)
    addresses: list[str] = []
    lookup.on("request", lambda one: addresses.append(one.url))
    enter(lookup, digits)
    lookup.wait_for_selector("#report:not([hidden])")
    assert lookup.get_attribute("html", "dir") == "rtl"
    expect(lookup.locator("#state")).to_contain_text("خادىملار")
    expect(lookup.locator("#caption")).not_to_be_empty()
    assert "ug/state_ready.mp3" in said
    assert any(f"/prompts/{CODE}/ug/state_ready.mp3" in one for one in addresses)


def test_a_receipt_that_nobody_was_given_is_said_to_be_unknown(lookup: Page) -> None:
    enter(lookup, receipt.draw())
    expect(lookup.locator("#caption")).to_contain_text("没有找到", timeout=5_000)
    assert lookup.is_visible("#enter")


def test_an_answer_of_the_office_is_played(lookup: Page, served: Served, digits: str) -> None:
    house = served.app.state.house
    sound = (Path(__file__).parents[3] / "api/citizen/prompts/zh/added.mp3").read_bytes()
    with house.blobs.writer(f"copies/{digits}") as writer:
        writer.write(sound)
        writer.commit()
    with writing(house.engine) as session:
        found = following.by_receipt(session, house.keys, digits)
        assert found is not None
        medium = Medium(
            complaint_id=found.id,
            kind=Kind.VOICE,
            purpose=Purpose.MESSAGE,
            state=MediumState.DONE,
            content_hash=digits * 4,
            mime="audio/mpeg",
            size=len(sound),
            original=f"copies/{digits}",
            copy_=f"copies/{digits}",
            copy_mime="audio/mpeg",
        )
        session.add(medium)
        session.flush()
        session.add(
            Message(complaint_id=found.id, by="office", text="已派人修水管", medium_id=medium.id)
        )
    enter(lookup, digits)
    lookup.wait_for_selector("#messages li")
    assert "已派人修水管" in lookup.inner_text("#messages")
    with lookup.expect_response("**/receipt/answers/*") as heard:
        lookup.click("#messages button")
    assert heard.value.status == 200
    assert heard.value.request.headers["authorization"] == f"Receipt {digits}"


def test_a_voice_note_and_a_photograph_are_added_once(
    lookup: Page, served: Served, digits: str, tmp_path: Path
) -> None:
    from PIL import Image

    pipe = tmp_path / "pipe.png"
    Image.new("RGB", (64, 64), "blue").save(pipe)
    enter(lookup, digits)
    lookup.wait_for_selector("#report:not([hidden])")
    lookup.click("#add-voice")
    lookup.click("#main")
    lookup.wait_for_selector('#adding[data-state="recording"]')
    lookup.wait_for_timeout(1500)
    lookup.click("#main")
    lookup.wait_for_selector('#adding[data-state="done"]')
    lookup.click("#main")
    lookup.wait_for_selector("#report:not([hidden])", timeout=20_000)
    lookup.set_input_files("#add-photo-file", pipe)
    lookup.wait_for_selector("#sending:not([hidden])")
    lookup.wait_for_selector("#report:not([hidden])", timeout=20_000)
    house = served.app.state.house
    with reading(house.engine) as session:
        found = following.by_receipt(session, house.keys, digits)
        assert found is not None
        media = session.exec(select(Medium).where(Medium.complaint_id == found.id)).all()
    kinds = sorted((one.kind.value, one.purpose.value) for one in media)
    assert kinds == [("image", "addition"), ("voice", "addition")]


def say_more(page: Page) -> None:
    page.click("#add-voice")
    page.click("#main")
    page.wait_for_selector('#adding[data-state="recording"]')
    page.wait_for_timeout(1500)
    page.click("#main")
    page.wait_for_selector('#adding[data-state="done"]')
    page.click("#main")


def test_what_the_server_refuses_is_offered_again_with_its_receipt(
    lookup: Page, served: Served, digits: str
) -> None:
    refusals = [422]

    def refuse(route: Route) -> None:
        if refusals:
            problem = {"status": refusals.pop(), "code": "too_much", "zh": "不对", "en": "no"}
            route.fulfill(status=422, json=problem)
        else:
            route.continue_()

    lookup.route("**/receipt/additions", refuse)
    enter(lookup, digits)
    lookup.wait_for_selector("#report:not([hidden])")
    say_more(lookup)
    lookup.wait_for_selector("#drafted:not([hidden])", timeout=20_000)
    stored = lookup.evaluate(STORED)
    assert (stored["drafts"], stored["outbox"]) == (1, 0) and stored["chunks"] > 0

    # Another day: nothing is shown before the receipt is entered, then it is offered.
    lookup.reload()
    lookup.click('[data-choose="zh"]')
    enter(lookup, digits)
    lookup.click("#draft-use")
    lookup.wait_for_selector('#adding:not([hidden])[data-state="done"]')
    lookup.click("#hear")
    lookup.click("#main")
    lookup.wait_for_selector("#report:not([hidden])", timeout=20_000)
    stored = lookup.evaluate(STORED)
    assert (stored["drafts"], stored["outbox"], stored["chunks"]) == (0, 0, 0)
    house = served.app.state.house
    with reading(house.engine) as session:
        found = following.by_receipt(session, house.keys, digits)
        assert found is not None
        media = session.exec(select(Medium).where(Medium.complaint_id == found.id)).all()
    assert [one.kind for one in media] == [Kind.VOICE]


def test_what_was_refused_can_be_deleted(lookup: Page, digits: str) -> None:
    problem = {"status": 422, "code": "too_much", "zh": "不对", "en": "no"}
    lookup.route("**/receipt/additions", lambda route: route.fulfill(status=422, json=problem))
    enter(lookup, digits)
    lookup.wait_for_selector("#report:not([hidden])")
    say_more(lookup)
    lookup.click("#draft-discard", timeout=20_000)
    lookup.wait_for_selector("#report:not([hidden])")
    stored = lookup.evaluate(STORED)
    assert (stored["drafts"], stored["outbox"], stored["chunks"]) == (0, 0, 0)


def test_a_report_that_is_refused_here_waits_on_its_own_page(
    lookup: Page, served: Served, digits: str
) -> None:
    # Whoever draws no random key is refused.
    record = {"key": "f" * 32, "channel": CODE, "language": "zh", "parts": [], "text": "水管坏了"}
    store = lookup.evaluate("new URL('store.js', document.querySelector('[type=module]').src).href")
    lookup.evaluate(
        "async ([store, record]) => (await import(store)).put('outbox', record)", [store, record]
    )
    lookup.reload()
    for _ in range(50):
        if lookup.evaluate(STORED)["drafts"]:
            break
        lookup.wait_for_timeout(100)
    lookup.goto(served.page)
    lookup.click("#draft-use")
    lookup.wait_for_selector("#speak:not([hidden])")
    assert lookup.input_value("#text") == "水管坏了"


def test_a_report_is_withdrawn_only_after_being_asked(
    lookup: Page, served: Served, digits: str
) -> None:
    enter(lookup, digits)
    lookup.wait_for_selector("#report:not([hidden])")
    lookup.click("#to-withdraw")
    lookup.click("#keep")
    lookup.wait_for_selector("#report:not([hidden])")
    lookup.click("#to-withdraw")
    lookup.click("#withdraw")
    lookup.wait_for_selector("#report:not([hidden])")
    expect(lookup.locator("#add-voice")).to_be_hidden()
    house = served.app.state.house
    with reading(house.engine) as session:
        found = following.by_receipt(session, house.keys, digits)
        assert found is not None and found.status is Status.WITHDRAWN


@pytest.fixture
def scanned(browser: Browser, served: Served, digits: str) -> Iterator[Callable[[], Page]]:
    context = phone_of(browser)

    def start() -> Page:
        page = context.new_page()
        page.add_init_script(CAMERA % json.dumps(picture(digits)))
        page.goto(f"{served.url}/receipt")
        page.click('[data-choose="zh"]')
        page.click("#scan")
        return page

    yield start
    context.close()


# A camera that looks at a code: a canvas as a stream, in place of Chromium's green test picture.
CAMERA = """(() => {
  const rows = %s;
  delete globalThis.BarcodeDetector;
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 480;
    const pen = canvas.getContext("2d");
    setInterval(() => {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, 480, 480);
      pen.fillStyle = "#000";
      const dot = Math.floor(400 / rows.length);
      rows.forEach((row, y) => [...row].forEach((bit, x) =>
        bit === "1" && pen.fillRect(40 + x * dot, 40 + y * dot, dot, dot)));
    }, 50);
    return canvas.captureStream(20);
  };
})();"""


def test_the_code_is_read_by_camera_and_the_reader_loads_only_then(
    scanned: Callable[[], Page],
) -> None:
    page = scanned()
    page.wait_for_selector("#report:not([hidden])", timeout=20_000)
