"""The whole loop once: heard wrongly, corrected, accepted, given to training, heard rightly."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import soundfile
from rapidfuzz.distance import Levenshtein
from sqlmodel import col, select
from typer.testing import CliRunner

pytest.importorskip("torch", reason="the train extra is not installed")

import xiangyin
from ingest.accept import About
from ingest.settle import settle
from models import packs, review
from models.account import Account, Permission, Role
from models.audit import Deed
from models.columns import now
from models.complaint import Complaint
from models.database import reading, writing
from models.event import Event, Heard
from models.medium import Kind, Medium
from models.review import Correction, Edited
from models.status import MediumState, Status
from models.transcript import Transcript
from tests import cases
from tests.conftest import House
from transcribe.train import espeak, plan, recipe, synthetic
from transcribe.train.grammar import bare
from transcribe.train.synthetic import Line
from workers import warm
from workers.environment import as_environment
from workers.house import House as Workshop
from workers.house import open_house
from workers.prepare import prepare
from workers.transcribe import open_warm, transcribe

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

# Kyrgyz, which the demo pack has never heard. Not checked by a native speaker.
SAID = (
    "Биздин айылда жол үч жылдан бери бузук",
    "Мугалимдер айлыгын эки айдан бери ала элек",
    "Айыл башчысы суу үчүн акча чогултту",
    "Ооруканада дары жок деп айтышат",
)
VOICES = ("m1", "m2", "f1", "f2", "klatt", "Alex")
NEVER_TRAINED = ("f3", "m4")
STEPS, FRAMES = 150, 2_500


def spoken(text: str, variant: str) -> bytes:
    rng = random.Random(f"{text}|{variant}")
    sound = synthetic.speak(Line("ky", "ky", text), espeak.Voice("ky", variant, 140), rng)
    file = io.BytesIO()
    soundfile.write(file, sound.pcm, espeak.SAMPLE_RATE, format="WAV")
    return file.getvalue()


class County:
    """An office with its machine."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.workshop: Workshop = open_house(house.settings)
        self.warm = open_warm(house.settings)
        with writing(house.engine) as session:
            # Whoever teaches the machine may fetch originals and give them away.
            permissions = (Permission.EXPORT, Permission.ORIGINALS)
            self.lead = cases.account(
                session, Role.LEAD, cases.PROVINCE, *permissions, username="lead", rounds=["*"]
            )

    def report(self, sounds: Sequence[bytes], agreed: bool = True) -> list[UUID]:
        """Take reports in, and hear them with the pack that is in use now."""
        media = []
        for sound in sounds:
            writer = self.house.intake.receive(Kind.VOICE)
            writer.write(sound)
            part = writer.finish()
            self.house.intake.accept([part], About(channel="default", declared_language="ky"))
            prepare(self.workshop, part.medium_id)
            media.append(part.medium_id)
        assert transcribe(self.workshop, self.warm.engine(), media) == {}
        with writing(self.house.engine) as session:
            for medium_id in media:
                medium = session.get_one(Medium, medium_id)
                session.get_one(Complaint, medium.complaint_id).training_consent = agreed
        return media

    def heard(self, medium_id: UUID) -> tuple[Medium, Complaint, Transcript]:
        with reading(self.house.engine) as session:
            medium = session.get_one(Medium, medium_id)
            version = review.newest(session, medium_id)
            assert version is not None
            return medium, session.get_one(Complaint, medium.complaint_id), version

    def wrong(self, medium_id: UUID, text: str) -> int:
        """Count the letters that the newest version has wrong."""
        said = "".join(one.text for one in self.heard(medium_id)[2].read_segments())
        return Levenshtein.distance(bare(said), bare(text))

    def correct(self, medium_id: UUID, text: str) -> None:
        """Do what the review page does: hear it all, write what was said, accept it."""
        medium, complaint, before = self.heard(medium_id)
        whole = Edited(text=text, language="ky", start=0.0, end=medium.seconds)
        with writing(self.house.engine) as session:
            lead = session.get_one(Account, self.lead.id)
            session.add(
                Heard(
                    medium_id=medium_id,
                    account_id=lead.id,
                    start=0.0,
                    end=medium.seconds or 0.0,
                    at=now() - timedelta(seconds=60),
                )
            )
            at = (session, self.house.keys, lead, complaint.id, medium_id)
            made = review.correct(*at, Correction(base=before.version, segments=(whole,)))
            session.flush()
            review.accept(*at, made.version)
            settle(session, self.house.keys, complaint.id, self.workshop.normaliser, again=True)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(xiangyin.app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def held_out(folder: Path) -> Path:
    """Write recordings that nothing is trained on, by voices that never report."""
    folder.mkdir()
    rows = []
    for number, text in enumerate(SAID):
        name = f"{number}.wav"
        (folder / name).write_bytes(spoken(text, NEVER_TRAINED[number % 2]))
        rows.append({"audio": name, "text": text, "language": "ky", "speaker": "never"})
    (folder / "manifest.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    return folder


@pytest.fixture
def county(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[County]:
    """An office whose commands and workers belong to one installation."""
    for name, value in as_environment(house.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(warm, "LOOK_SECONDS", 0.0)
    made = County(house)
    with made.workshop.nursery:
        yield made


def test_a_language_grows_from_what_staff_corrected(
    house: House, county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert county.warm.engine().pack.name == "demo"

    texts = [text for text in SAID for _ in VOICES]
    media = county.report([spoken(text, voice) for text in SAID for voice in VOICES])
    refused = county.report([spoken(SAID[0], "m3")], agreed=False)
    before = [county.wrong(medium_id, text) for medium_id, text in zip(media, texts, strict=True)]
    assert sum(before) > len(bare("".join(texts))) / 10
    for medium_id, text in zip([*media, *refused], [*texts, SAID[0]], strict=True):
        county.correct(medium_id, text)
        medium, _, version = county.heard(medium_id)
        assert (medium.state, version.accepted_by) == (MediumState.DONE, county.lead.id)

    data = tmp_path / "recordings"
    told = run("pack", "data", "--out", str(data), "--as", "lead", "--password", cases.PASSWORD)
    assert "clips of 24 recordings in 24 reports" in told
    assert "1 stay: recordings whose reporter did not agree" in told
    with reading(house.engine) as session:
        event = session.exec(select(Event).where(col(Event.deed) == Deed.EXPORTED)).one()
    assert (event.actor, event.details["recordings"]) == (str(county.lead.id), 24)

    # As many steps as it takes, each from less, so that slow machines end in time.
    monkeypatch.setattr(recipe, "tuning", lambda s: replace(plan.tuning(s), batch_frames=FRAMES))
    grown = tmp_path / "kyrgyz"
    run(
        *("pack", "train", str(data), "--out", str(grown), "--base", str(packs.demo_pack())),
        *("--steps", str(STEPS), "--threads", "1", "--called", "ky=Kyrgyz=кыргызча"),
    )
    told = run("pack", "install", str(grown), "--heldout", str(held_out(tmp_path / "held")))
    assert "not known ->" in told

    assert county.warm.engine().pack.name == "kyrgyz"
    again = county.report([spoken(text, VOICES[0]) for text in SAID])
    wrong = [county.wrong(medium_id, text) for medium_id, text in zip(again, SAID, strict=True)]
    assert wrong == [0] * len(SAID)
    for medium_id in again:
        _, complaint, version = county.heard(medium_id)
        assert complaint.status is Status.READY
        assert (complaint.language, version.model) == ("ky", "kyrgyz 1")
