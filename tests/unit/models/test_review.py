"""Hearing, correcting and accepting a transcript."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from models import review
from models.account import Account, Role
from models.columns import now
from models.complaint import Complaint
from models.database import writing
from models.errors import Conflict, Invalid, NotAllowed
from models.event import Draft, Heard
from models.keys import Keys
from models.masking import BLOT
from models.medium import Medium
from models.review import Correction, Edited, Mark
from models.status import MediumState
from tests import cases


class Bench:
    """One recording of two segments on a listener's bench."""

    def __init__(self, session: Session, keys: Keys) -> None:
        self.session, self.keys = session, keys
        self.account = cases.account(session, Role.LISTENER, languages=["ii", "zh"])
        self.complaint = cases.complaint(session, keys)
        self.medium = cases.medium(
            session, self.complaint, seconds=9.0, state=MediumState.NEEDS_LISTENER
        )
        cases.transcript(session, self.medium, "抵保没有", "请查一查吧")

    def correct(self, *edits: Edited, base: int = 1, account: Account | None = None) -> None:
        review.correct(
            self.session,
            self.keys,
            account or self.account,
            self.complaint.id,
            self.medium.id,
            Correction(base=base, segments=edits),
        )

    def hear(self, start: float, end: float) -> None:
        """Play a stretch, and let the time pass that this takes."""
        review.hear(self.session, self.account, self.medium, start, start)
        for row in self.session.exec(select(Heard)):
            row.at = now() - timedelta(seconds=end - start)
        self.session.flush()
        review.hear(self.session, self.account, self.medium, start, end)

    def accept(self, version: int = 1) -> None:
        review.accept(
            self.session, self.keys, self.account, self.complaint.id, self.medium.id, version
        )


@pytest.fixture
def session(engine: Engine):  # type: ignore[no-untyped-def]
    with writing(engine) as session:
        yield session


@pytest.fixture
def bench(session: Session, keys: Keys) -> Bench:
    return Bench(session, keys)


def edits(first: str = "抵保没有", second: str = "请查一查吧") -> tuple[Edited, Edited]:
    return (
        Edited(of=(0,), text=first, language="zh"),
        Edited(of=(1,), text=second, language="zh"),
    )


def test_a_correction_is_a_new_version_and_the_old_one_stays(bench: Bench) -> None:
    bench.correct(*edits("低保没有"))
    newest = review.newest(bench.session, bench.medium.id)
    assert newest is not None and newest.version == 2
    assert newest.by == str(bench.account.id)
    first, second = newest.read_segments()
    assert first.text == "低保没有"
    assert [(word.text, word.start) for word in first.words][1:] == [
        ("保", 1),
        ("没", 2),
        ("有", 3),
    ]
    assert second.text == "请查一查吧"


def test_nobody_overwrites_somebody_else(bench: Bench) -> None:
    other = cases.account(bench.session, Role.INSPECTOR)
    bench.correct(*edits("低保没有"), account=other)
    with pytest.raises(Conflict) as raised:
        bench.correct(*edits("地保没有"))
    assert raised.value.code == "transcript_moved_on"


def test_an_edit_of_segments_that_are_not_there_is_refused(bench: Bench) -> None:
    with pytest.raises(Invalid):
        bench.correct(Edited(of=(7,), text="x"))


def test_segments_are_cut_and_joined_with_their_times(bench: Bench) -> None:
    bench.correct(
        Edited(of=(0,), text="抵保", language="zh"),
        Edited(of=(0,), text="没有", language="zh"),
        Edited(of=(1,), text="请查一查吧", language="zh"),
    )
    cut = review.newest(bench.session, bench.medium.id)
    assert cut is not None
    assert [(s.start, s.end, s.text) for s in cut.read_segments()] == [
        (0, 2, "抵保"),
        (2, 4, "没有"),
        (4, 9, "请查一查吧"),
    ]
    bench.correct(Edited(of=(0, 1, 2), text="抵保没有请查一查吧", language="zh"), base=2)
    joined = review.newest(bench.session, bench.medium.id)
    assert joined is not None
    (segment,) = joined.read_segments()
    assert (segment.start, segment.end, len(segment.words)) == (0, 9, 9)


def test_a_person_gives_a_segment_its_language(bench: Bench) -> None:
    bench.correct(
        Edited(of=(0,), text="抵保没有", language="zh"),
        Edited(of=(1,), text="请查一查吧", language="ii"),
    )
    newest = review.newest(bench.session, bench.medium.id)
    assert newest is not None
    assert [one.tag for one in newest.read_languages()] == ["ii", "zh"]
    assert newest.evidence[-1]["by"] == "person"


def test_what_is_marked_as_noise_has_no_words(bench: Bench) -> None:
    bench.correct(
        Edited(of=(0,), text="抵保没有", language="zh", mark=Mark.NOISE),
        Edited(of=(1,), text="请查一查吧", language="zh", mark=Mark.CANNOT_TELL),
    )
    newest = review.newest(bench.session, bench.medium.id)
    assert newest is not None
    noise, unclear = newest.read_segments()
    assert (noise.text, noise.words, review.mark_of(noise)) == ("", (), Mark.NOISE)
    assert (unclear.text, unclear.trusted) == ("请查一查吧", False)


def test_a_recording_without_transcript_is_written_down(session: Session, keys: Keys) -> None:
    bench = Bench(session, keys)
    medium = cases.medium(session, bench.complaint, seconds=4.0)
    review.correct(
        session,
        keys,
        bench.account,
        bench.complaint.id,
        medium.id,
        Correction(base=0, segments=(Edited(text="ꆈꌠ", language="ii", start=0.0, end=4.0),)),
    )
    newest = review.newest(session, medium.id)
    assert newest is not None
    assert newest.read_segments()[0].words[-1].end == 4.0


def test_nothing_is_accepted_that_was_not_heard(bench: Bench) -> None:
    bench.hear(0, 4)
    with pytest.raises(Conflict) as raised:
        bench.accept()
    assert raised.value.code == "not_heard"
    bench.hear(4, 9)
    bench.accept()
    medium = bench.session.get_one(Medium, bench.medium.id)
    assert (medium.state, medium.reason) == (MediumState.DONE, "")


def test_what_somebody_else_heard_does_not_count(bench: Bench) -> None:
    bench.hear(0, 9)
    other = cases.account(bench.session, Role.INSPECTOR)
    with pytest.raises(Conflict):
        review.accept(bench.session, bench.keys, other, bench.complaint.id, bench.medium.id, 1)


def test_more_than_the_time_that_passed_is_not_heard(bench: Bench) -> None:
    review.hear(bench.session, bench.account, bench.medium, 0, 0)
    heard = review.hear(bench.session, bench.account, bench.medium, 0, 9)
    assert heard == ()
    assert review.hear(bench.session, bench.account, bench.medium, 0, 1) == ((0, 1),)


def test_stretches_that_touch_become_one(bench: Bench) -> None:
    bench.hear(0, 2)
    bench.hear(6, 8)
    bench.hear(2, 6)
    found = review.ranges(bench.session, bench.account.id, bench.medium.id)
    assert found == ((0, 8),)


def test_a_draft_survives_until_it_is_saved(bench: Bench) -> None:
    draft = Correction(base=1, segments=edits("低保没有"))
    review.save_draft(bench.session, bench.account, bench.medium.id, draft)
    kept = review.draft_of(bench.session, bench.account, bench.medium.id)
    assert kept is not None and Correction.model_validate(kept.body) == draft
    bench.correct(*edits("低保没有"))
    assert bench.session.exec(select(Draft)).all() == []


def test_an_overseer_corrects_nothing(bench: Bench) -> None:
    overseer = cases.account(bench.session, Role.OVERSEER)
    with pytest.raises(NotAllowed):
        bench.correct(*edits("低保没有"), account=overseer)


def test_a_hidden_number_stays_what_it_is_through_a_correction(
    session: Session, keys: Keys
) -> None:
    bench = Bench(session, keys)
    medium = cases.medium(session, bench.complaint, seconds=15.0)
    cases.transcript(session, medium, "电话13800000000没人接")
    complaint = session.get_one(Complaint, bench.complaint.id)
    complaint.masks = [
        {
            "kind": "phone",
            "medium": str(medium.id),
            "from_character": 2,
            "to_character": 13,
            "start": 2.0,
            "end": 13.0,
        }
    ]
    review.correct(
        session,
        keys,
        bench.account,
        complaint.id,
        medium.id,
        Correction(
            base=1,
            segments=(Edited(of=(0,), text=f"电话{BLOT * 11}没有人接", language="zh"),),
        ),
    )
    newest = review.newest(session, medium.id)
    assert newest is not None
    assert newest.read_segments()[0].text == "电话13800000000没有人接"
