"""The whole journey in Uyghur: spoken into a phone, prepared, transcribed, ready for staff."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, expect
from rapidfuzz.distance import Levenshtein
from sqlmodel import col, select

from models import following
from models.complaint import Complaint
from models.database import reading
from models.medium import Medium
from models.status import Status
from models.transcript import Transcript
from tests.browser.citizen.conftest import phone_of, receipt, speak
from tests.browser.conftest import Served
from transcribe.audio import decode
from transcribe.speech import SAMPLE_RATE
from workers.environment import as_environment

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DEMO = Path(__file__).parents[3] / "samples" / "demo"
CLIP = "ug-browser.webm"
READY_SECONDS = 180
# Share of letters. The pack's own errors on this clip, and a second encoding on top of them.
MOST_ERRORS = 0.25


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The sample as a microphone hears it, with a pause after it; and its seconds."""
    sound = decode(DEMO / CLIP, max_seconds=60)
    # The fake microphone begins anew at the end of its file, and a busy machine stops late.
    pause = np.zeros(60 * SAMPLE_RATE, np.float32)
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    sf.write(path, np.concatenate([sound.samples, pause]), SAMPLE_RATE)
    return path, sound.seconds


@pytest.fixture(scope="module")
def worked(serve: Callable[..., Served]) -> Iterator[Served]:
    """The application with both workers behind it."""
    served = serve()
    settings = served.app.state.house.settings
    environment = {**os.environ, **as_environment(settings)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "xiangyin", "worker", stage],
            env=environment,
            cwd=DEMO.parents[1],
        )
        for stage in ("prepare", "transcribe")
    ]
    yield served
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait(60)


def expected_text() -> str:
    listed = tomllib.loads((DEMO / "expected.toml").read_text("utf-8"))["files"]
    text: str = next(one["text"] for one in listed if one["file"] == CLIP)
    return text


def letters(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", text)


def settled(served: Served, digits: str) -> Complaint:
    house = served.app.state.house
    until = time.monotonic() + READY_SECONDS
    while True:
        with reading(house.engine) as session:
            found = following.by_receipt(session, house.keys, digits)
        assert found is not None
        if found.status is not Status.RECEIVED or time.monotonic() > until:
            return found
        time.sleep(1)


def test_a_report_spoken_in_uyghur_ends_ready_and_says_what_was_said(
    launch: Callable[..., Browser], worked: Served, clip: tuple[Path, float]
) -> None:
    sound, seconds = clip
    context = phone_of(launch(sound))
    page = context.new_page()
    page.goto(worked.page)
    speak(page, seconds=seconds + 0.5)
    page.click("#main")
    digits = receipt(page)
    report = settled(worked, digits)
    assert (report.status, report.language) == (Status.READY, "ug")
    with reading(worked.app.state.house.engine) as session:
        transcript = session.exec(
            select(Transcript)
            .join(Medium, col(Transcript.medium_id) == col(Medium.id))
            .where(Medium.complaint_id == report.id)
        ).one()
    heard = letters("".join(segment.text for segment in transcript.read_segments()))
    said = letters(expected_text())
    errors = Levenshtein.distance(heard, said) / len(said)
    assert errors <= MOST_ERRORS, (heard, said)
    page.click("#to-consent")
    page.click("#consent-no")
    page.goto(f"{worked.url}/receipt")
    page.click('[data-choose="ug"]')
    for digit in digits:
        page.click(f'[data-digit="{digit}"]')
    expect(page.locator("#state")).to_contain_text("خادىملار", timeout=10_000)
    context.close()
