"""What may be given to training, and what stays."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from models import corpus
from models.account import Account, Permission, Role
from models.audit import Deed
from models.channel import Channel
from models.columns import now
from models.complaint import Complaint
from models.corpus import Corpus, Why
from models.database import writing
from models.errors import NotAllowed
from models.event import Event
from models.keys import Keys
from models.medium import Medium, Purpose
from models.status import Status
from models.transcript import Transcript
from tests import cases

GIVES = (Permission.EXPORT, Permission.ORIGINALS)


class Bench:
    """Reports of which some were accepted."""

    def __init__(self, session: Session, keys: Keys) -> None:
        self.session, self.keys = session, keys
        self.lead = cases.account(session, Role.LEAD, cases.COUNTY, *GIVES, rounds=["*"])

    def report(self, *texts: str, accepted: bool = True, **more: Any) -> Complaint:
        made = cases.complaint(self.session, self.keys, **{"training_consent": True, **more})
        medium = cases.medium(self.session, made, seconds=60.0)
        self.say(medium, *texts, accepted=accepted)
        return made

    def say(
        self, medium: Medium, *texts: str, accepted: bool = True, version: int = 1
    ) -> Transcript:
        said = cases.transcript(self.session, medium, *texts, version=version)
        if accepted:
            said.accepted_by, said.accepted_at = self.lead.id, now()
            self.session.add(said)
            self.session.flush()
        return said

    def gather(self, account: Account | None = None, *languages: str) -> Corpus:
        return corpus.gather(self.session, self.keys, account or self.lead, languages)

    def medium(self, of: Complaint) -> Medium:
        return self.session.exec(select(Medium).where(Medium.complaint_id == of.id)).one()


@pytest.fixture
def session(engine: Engine):  # type: ignore[no-untyped-def]
    with writing(engine) as session:
        yield session


@pytest.fixture
def bench(session: Session, keys: Keys) -> Bench:
    return Bench(session, keys)


def test_an_accepted_transcript_of_who_agreed_is_given(bench: Bench) -> None:
    made = bench.report("村里的路没有修", "请来看一看")
    found = bench.gather()
    (lesson,) = found.lessons
    assert [(one.text, one.start, one.end) for one in lesson.utterances] == [
        ("村里的路没有修", 0.0, 7.0),
        ("请来看一看", 7.0, 12.0),
    ]
    assert lesson.original == bench.medium(made).original
    assert found.minutes() == {"zh": 0.2}
    told = " ".join(corpus.summary(found).split())
    assert told == "zh 0.2 min 2 clips of 1 recordings in 1 reports"
    # Neither the report nor the recording is found by its name without the key.
    assert str(made.id)[:8] not in lesson.speaker + lesson.name


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"training_consent": False}, Why.NO_CONSENT),
        ({"status": Status.WITHDRAWN}, Why.WITHDRAWN),
    ],
)
def test_a_report_that_may_not_teach_stays(bench: Bench, more: dict[str, Any], why: Why) -> None:
    bench.report("村里的路没有修", **more)
    found = bench.gather()
    assert (found.lessons, dict(found.kept_back)) == ((), {why: 1})
    assert corpus.SAID[why] in corpus.summary(found)


def test_what_nobody_accepted_stays_without_a_word(bench: Bench) -> None:
    bench.report("村里的路没有修", accepted=False)
    found = bench.gather()
    assert not found.lessons and not found.kept_back
    assert "没有可导出的录音" in corpus.summary(found)


def test_a_newer_version_that_nobody_accepted_is_a_doubt(bench: Bench) -> None:
    made = bench.report("村里的路没有修")
    bench.say(bench.medium(made), "村里的路修了", accepted=False, version=2)
    assert dict(bench.gather().kept_back) == {Why.NEWER_VERSION: 1}
    bench.say(bench.medium(made), "村里的路修好了", version=3)
    (lesson,) = bench.gather().lessons
    assert [one.text for one in lesson.utterances] == ["村里的路修好了"]


def test_a_channel_that_disguises_voices_keeps_them(bench: Bench) -> None:
    bench.session.get_one(Channel, "xsl-clinic").mask_voice = True
    bench.report("村里的路没有修")
    assert dict(bench.gather().kept_back) == {Why.DISGUISED: 1}


def test_a_spoken_name_is_never_given(bench: Bench) -> None:
    made = bench.report("村里的路没有修")
    bench.medium(made).purpose = Purpose.IDENTITY
    assert not bench.gather().lessons


def test_a_stretch_with_something_private_stays_as_a_whole(bench: Bench) -> None:
    made = bench.report("我叫张某某", "电话一三八零零零零一二三四", "村里的路没有修")
    mask = {"kind": "reporter", "medium": str(bench.medium(made).id)}
    made.masks = [{**mask, "from_character": 2, "to_character": 5, "start": 2.0, "end": 5.0}]
    found = bench.gather()
    assert [one.text for one in found.lessons[0].utterances] == ["村里的路没有修"]
    assert found.kept_back[Why.PRIVATE] == 2


def test_a_private_value_stays_wherever_it_is_said_again(bench: Bench) -> None:
    made = bench.report("我叫张某某", "找村长", "张某某家")
    mask = {"kind": "reporter", "medium": str(bench.medium(made).id)}
    made.masks = [{**mask, "from_character": 2, "to_character": 5, "start": None, "end": None}]
    assert [u.text for one in bench.gather().lessons for u in one.utterances] == ["找村长"]


@pytest.mark.parametrize("number", ["139 0000 1234", "十一位 ١٢٣٤٥٦٧", "三三三三三三"])
def test_a_long_number_stays_in_any_script(bench: Bench, number: str) -> None:
    bench.report(f"打这个{number}")
    assert dict(bench.gather().kept_back) == {Why.PRIVATE: 1}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"text": " "}, Why.NO_WORDS),
        ({"flags": [{"name": "marked_cannot_tell", "value": 1.0}]}, Why.NO_WORDS),
        ({"language": "und"}, Why.NO_LANGUAGE),
        ({"end": 40.0}, Why.TOO_LONG),
        ({"end": 0.2}, Why.TOO_SHORT),
    ],
)
def test_a_stretch_that_teaches_nothing_stays(
    bench: Bench, change: dict[str, Any], why: Why
) -> None:
    made = bench.report("村里的路没有修")
    said = bench.session.exec(
        select(Transcript).where(Transcript.medium_id == bench.medium(made).id)
    ).one()
    said.segments = [{**said.segments[0], **change}]
    bench.session.add(said)
    assert dict(bench.gather().kept_back) == {why: 1}


def test_only_the_languages_asked_for_are_given(bench: Bench) -> None:
    bench.report("村里的路没有修")
    assert not bench.gather(None, "ii").lessons
    assert len(bench.gather(None, "ii", "zh").lessons) == 1


def test_recordings_of_one_report_are_of_one_speaker_and_so_are_its_repeats(bench: Bench) -> None:
    made = bench.report("村里的路没有修")
    bench.say(cases.medium(bench.session, made, seconds=9.0), "桥也坏了")
    bench.report("村里的路还没有修", duplicate_of=made.id)
    other = bench.report("学校的饭不好")
    lessons = bench.gather().lessons
    assert len({one.name for one in lessons}) == 4
    assert len({one.speaker for one in lessons}) == 2
    assert lessons[-1].original == bench.medium(other).original


@pytest.mark.parametrize("missing", GIVES)
def test_both_permissions_are_needed(bench: Bench, missing: Permission) -> None:
    kept = [one for one in GIVES if one is not missing]
    account = cases.account(bench.session, Role.LEAD, cases.COUNTY, *kept)
    with pytest.raises(NotAllowed):
        bench.gather(account)


def test_nobody_gives_away_what_they_do_not_see(bench: Bench) -> None:
    bench.report("村里的路没有修")
    neighbour = cases.account(bench.session, Role.LEAD, cases.NEIGHBOUR, *GIVES)
    found = bench.gather(neighbour)
    assert not found.lessons and not found.kept_back


def test_giving_away_is_an_event(bench: Bench) -> None:
    bench.report("村里的路没有修")
    corpus.record(bench.session, bench.keys, bench.lead, bench.gather())
    event = bench.session.exec(select(Event).where(Event.deed == Deed.EXPORTED)).one()
    assert event.actor == str(bench.lead.id)
    assert event.details == {"form": "recordings", "recordings": 1, "minutes": "zh:0.1"}
