"""A listener's day, in a real browser: find a report, hear it, mend it, accept it."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect
from sqlmodel import col, select

from models import audit, review
from models.account import Account
from models.database import reading, writing
from models.event import Event, Heard
from models.medium import Medium, Purpose
from models.status import MediumState
from tests import cases
from tests.browser.console.conftest import WAIT, Console
from workers.house import House as Workshop
from workers.prepare import prepare

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_listener_finds_hears_mends_and_accepts(console: Console) -> None:
    page, laid = console.page, console.laid
    console.log_in("listener")
    page.keyboard.press("/")
    page.keyboard.type("سۇ تۇرۇب")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=**")
    expect(page.locator(".row")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("html.scripted .segment")
    for empty in ("conduct", "occurred"):
        expect(page.locator(f"#f-{empty}")).to_have_text("—")

    page.click("[data-do=accept]")
    expect(page.locator("#notices")).to_contain_text("没有听完")

    # At twice the speed the lit word moves, and the server counts what was heard.
    for _ in range(10):
        page.keyboard.press("]")
    page.keyboard.press("Home")
    page.evaluate("document.querySelector('audio').currentTime = 0")
    page.evaluate(
        """() => { window.seen = []; setInterval(() => {
        const lit = document.querySelector('.w.lit')?.dataset.s;
        if (lit && window.seen.at(-1) !== lit) window.seen.push(lit) }, 20) }"""
    )
    page.keyboard.press(" ")
    expect(page.locator(".segment.heard")).to_have_count(5, timeout=WAIT)
    seen = [float(one) for one in page.evaluate("window.seen")]
    assert len(seen) > 5 and seen == sorted(seen)

    # The doubtful word is one key away, and is wrong in three places.
    page.keyboard.press("u")
    expect(page.locator(".w.target")).to_have_count(1)
    page.evaluate("document.querySelector('audio').pause()")
    page.locator(".segment").nth(1).locator(".words").dblclick()
    field = page.locator(".words[contenteditable]")
    expect(field).to_be_visible()
    wrong, right = "تۇرۇبىسى", "تۇربىسى"
    text = (field.text_content() or "").replace(wrong, right)
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("Escape")
    expect(page.locator("[data-do=everywhere]")).to_contain_text("还有 2 处")
    page.keyboard.press("f")
    page.keyboard.press("Control+s")
    expect(page.locator("#notices")).to_contain_text("新版本")
    expect(page.locator(".meta-line")).to_contain_text("第2 版")
    expect(page.locator(".segment.heard")).to_have_count(5)
    page.keyboard.press("a")
    expect(page.locator(".meta-line")).to_contain_text("已确认")

    with reading(console.house.engine) as session:
        newest = review.newest(session, laid.media["uyghur"])
        assert newest is not None
        assert (newest.version, newest.accepted_by) == (2, laid.staff["listener"])
        segments = newest.read_segments()
        assert sum(segment.text.count(right) for segment in segments) == 3
        assert all(segment.text.count(wrong) == 0 for segment in segments)
        medium = session.get_one(Medium, laid.media["uyghur"])
        assert medium.state is MediumState.DONE
        deeds = session.exec(
            select(Event.deed)
            .where(Event.complaint_id == laid.complaints["uyghur"])
            .order_by(col(Event.seq))
        ).all()
        assert [one for one in deeds if one in ("corrected", "transcript_accepted")] == [
            "corrected",
            "transcript_accepted",
        ]
        assert "looked" in deeds and "copy_played" in deeds
        assert audit.verify(session, console.house.keys).fault is None
        assert session.exec(select(Heard)).first() is not None
    assert [fault for fault in console.faults if "409" not in fault] == []


def test_a_click_before_the_last_script_has_come_is_not_lost(console: Console) -> None:
    page = console.page
    console.log_in("listener")

    def late(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/editor.js", late)
    page.goto(
        f"{console.address}/staff/complaints/{console.laid.complaints['uyghur']}",
        wait_until="commit",
    )
    page.click("[data-do=accept]")
    expect(page.locator("#notices")).to_contain_text("没有听完")


def write_and_log_in_again(page: Page) -> None:
    """Write on after the session has ended, and log in over the page when it asks."""
    page.keyboard.press("End")
    page.keyboard.insert_text(" يېڭى")
    expect(page.locator("#login-again")).to_be_visible()
    page.fill("#login-again [name=password]", cases.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#login-again")).to_be_hidden()


def end_session(console: Console) -> None:
    """Let the next request find that its session has ended, and no request of the page's start."""
    console.page.wait_for_load_state("networkidle")
    with writing(console.house.engine) as session:
        session.get_one(Account, console.laid.staff["listener"]).session_epoch += 1


def test_an_ended_session_loses_no_edit(console: Console) -> None:
    page = console.page
    console.log_in("listener")
    console.open("uyghur")
    page.locator(".segment").first.locator(".words").dblclick()
    end_session(console)
    write_and_log_in_again(page)
    expect(page.locator("[data-saved]")).to_contain_text("草稿已保存")
    page.reload()
    expect(page.locator(".notice.draft")).to_be_visible()
    page.click("[data-do=restore]")
    expect(page.locator(".segment").first.locator(".words")).to_contain_text("يېڭى")


def test_whoever_was_overtaken_finds_the_edit_again_beside_the_newer_version(
    console: Console,
) -> None:
    page, medium_id = console.page, console.laid.media["uyghur"]
    console.log_in("listener")
    console.open("uyghur")
    page.locator(".segment").first.locator(".words").dblclick()
    page.keyboard.press("End")
    page.keyboard.insert_text(" يېڭى")
    with writing(console.house.engine) as session:
        newest = review.newest(session, medium_id)
        assert newest is not None
        medium = session.get_one(Medium, medium_id)
        texts = [one.text for one in newest.read_segments()]
        cases.transcript(session, medium, *texts, version=newest.version + 1)
    page.keyboard.press("Control+s")
    expect(page.locator("#notices")).to_contain_text("您的修改还在")
    expect(page.locator("[data-saved]")).to_contain_text("草稿已保存")
    page.reload()
    page.click("[data-do=restore]")
    expect(page.locator(".segment").first.locator(".words")).to_contain_text("يېڭى")
    page.keyboard.press("Control+s")
    expect(page.locator(".meta-line")).to_contain_text("第3 版")
    with reading(console.house.engine) as session:
        newest = review.newest(session, medium_id)
        assert newest is not None
        assert "يېڭى" in newest.read_segments()[0].text


def test_a_spoken_answer_can_be_heard_as_soon_as_it_is_prepared(
    console: Console, workshop: Workshop
) -> None:
    page = console.page
    page.context.grant_permissions(["microphone"])
    console.log_in("inspector")
    console.open("chinese")
    page.fill("#answer", "写了一半")
    page.click("[data-do=speak]")
    page.wait_for_timeout(1500)
    page.click("[data-do=speak]")
    expect(page.locator(".turns")).to_contain_text("正在处理")
    page.fill("#answer", "写了一半")
    with reading(console.house.engine) as session:
        answers = session.exec(select(Medium.id).where(Medium.purpose == Purpose.MESSAGE)).all()
    prepare(workshop, answers[-1])
    expect(page.locator(".turns audio")).to_have_count(1, timeout=15_000)
    assert page.input_value("#answer") == "写了一半"
    assert console.faults == []


def test_a_login_in_another_window_lets_this_one_go_on(console: Console) -> None:
    page = console.page
    console.log_in("listener")
    console.open("uyghur")
    page.locator(".segment").first.locator(".words").dblclick()
    end_session(console)
    page.keyboard.press("End")
    page.keyboard.insert_text(" يېڭى")
    expect(page.locator("#login-again")).to_be_visible()
    answer = page.context.request.post(
        f"{console.address}/staff/login",
        form={"username": "listener", "password": cases.PASSWORD},
        headers={"Accept": "application/json"},
    )
    assert answer.status == 204
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#login-again")).to_be_hidden()
    expect(page.locator("[data-saved]")).to_contain_text("草稿已保存")


def test_a_late_answer_to_the_ended_session_asks_for_no_second_login(console: Console) -> None:
    page = console.page
    console.log_in("listener")
    console.open("uyghur")
    page.locator(".segment").first.locator(".words").dblclick()
    held: list[Route] = []
    page.route("**/staff/account?late", lambda route: held.append(route), times=1)
    end_session(console)
    source = page.evaluate("document.querySelector('script[src*=\"console\"]').src")
    page.evaluate(
        """async (source) => {
            const { ask } = await import(source);
            window.late = ask("/staff/account?late").then((answer) => answer.status);
        }""",
        source,
    )
    write_and_log_in_again(page)
    held[0].fulfill(status=401, body="{}")
    assert page.evaluate("() => window.late") == 200
    expect(page.locator("#login-again")).to_be_hidden()


def test_the_record_is_filled_from_words_that_were_said(console: Console) -> None:
    page = console.page
    console.log_in("inspector")
    console.open("chinese")
    page.click("[data-field='domain'] .tick")
    expect(page.locator(".field.confirmed")).to_have_count(1)
    page.evaluate(
        """() => { const words = document.querySelectorAll('.segment')[1].querySelectorAll('.w');
        getSelection().setBaseAndExtent(words[0].firstChild, 0, words[1].firstChild, 2) }"""
    )
    page.click("#assign-bar [data-field='occurred'] + [data-field='title']")
    expect(page.locator("[data-field='title'].confirmed")).to_have_count(1)
    page.click("[data-field='title'] .source")
    expect(page.locator(".w.cited").first).to_be_visible()
    page.click("text=开始审核")
    expect(page.locator(".state .status")).to_have_text("审核中")
    assert console.faults == []


@pytest.mark.parametrize("width", [1280, 820])
def test_axe_finds_no_serious_fault(console: Console, width: int) -> None:
    page = console.page
    page.set_viewport_size({"width": width, "height": 900})
    serious: list[str] = []

    def look(path: str) -> None:
        page.goto(f"{console.address}{path}")
        page.wait_for_selector("html.scripted")
        page.wait_for_timeout(500)
        found = Axe().run(page).response["violations"]
        serious.extend(
            f"{path}: {one['id']}: {node['html'][:120]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        )

    look("/staff/login")
    console.log_in("lead")
    for path in ("/staff/inbox", "/staff/audit", "/staff/exports", "/staff/figures"):
        look(path)
    for name in ("uyghur", "letter", "nuosu"):
        look(f"/staff/complaints/{console.laid.complaints[name]}")
    page.context.clear_cookies()
    console.log_in("admin")
    look("/staff/queue")
    assert serious == []


def test_a_transcript_is_readable_with_scripts_off(console: Console, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    plain = Console(page, console.address, console.house, console.laid, [])
    plain.log_in("listener")
    page.goto(f"{console.address}/staff/complaints/{console.laid.complaints['uyghur']}")
    expect(page.locator(".segment").nth(1)).to_contain_text("تۇرۇبىسى")
    expect(page.locator("audio")).to_be_visible()
    context.close()
