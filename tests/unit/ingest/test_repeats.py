from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlmodel import func, select

from ingest.fingerprint import RECORD, alike, fingerprint
from ingest.repeats import Facts, Proposal, Trace, bulk, file, filed
from ingest.repeats.trace import entry
from models.columns import uuid7
from models.complaint import Complaint, Repeat
from models.database import reading, writing
from models.keys import Keys
from models.record import Amount
from models.repeats import LINKED
from models.trace import TraceKey
from tests import cases
from tests.cases import COUNTY

NO_FACTS = Facts()
WELL = (
    "我们石桥村的自来水停了三个月，水管破了没有人修，"
    "打电话给水厂说等配件，等到现在还是要去河里挑水吃"
)
# the same report as a recogniser may hear it: other characters, some sounds gone
HEARD = "我们十桥村的自来水停了三个月水管破了没有人休打电话给水长说等配见等到现在还是要去和里挑水吃"
ROAD = (
    "镇上修到我们组的水泥路不到半年就开裂了，厚度不够，"
    "下雨全是坑，卖菜的三轮车翻了两回，找包工头不接电话"
)


Put = Callable[..., tuple[UUID, tuple[Proposal, ...]]]


@pytest.fixture
def put(engine: Engine, keys: Keys) -> Put:
    return putting(engine, keys)


@pytest.fixture(params=["engine", pytest.param("postgres", marks=pytest.mark.postgres)])
def put_anywhere(request: pytest.FixtureRequest, keys: Keys) -> Put:
    """File reports in each kind of database."""
    return putting(request.getfixturevalue(request.param), keys)


def putting(engine: Engine, keys: Keys) -> Put:
    """Give what files one report that exists, and gives its id with what was proposed."""

    def made(
        text: str = "",
        jurisdiction: str = COUNTY,
        facts: Facts = NO_FACTS,
        recordings: tuple[tuple[str, bytes], ...] = (),
    ) -> tuple[UUID, tuple[Proposal, ...]]:
        with writing(engine) as session:
            one = cases.complaint(session, keys, jurisdiction=jurisdiction)
            for content, marks in recordings:
                cases.medium(session, one, content_hash=content, fingerprint=marks)
            trace = Trace(
                id=one.id,
                jurisdiction=jurisdiction,
                text=text,
                facts=facts,
                recordings=recordings,
            )
            return one.id, file(session, trace)

    return made


def kinds(proposals: tuple[Proposal, ...]) -> set[str]:
    return {reason.kind for one in proposals for reason in one.reasons}


def tune(seed: int, seconds: float = 8.0) -> NDArray[np.float32]:
    """Tones and pauses like syllables, the same for a seed."""
    dice = np.random.default_rng(seed)
    parts = []
    while sum(map(len, parts)) < seconds * 16_000:
        time = np.arange(int(16_000 * dice.uniform(0.08, 0.25))) / 16_000
        tones = [np.sin(2 * np.pi * hz * time) for hz in dice.uniform(300, 3000, 3)]
        parts.append(np.sum(tones, axis=0) * np.hanning(len(time)) * 0.2)
    return np.concatenate(parts).astype(np.float32)


def test_a_spoken_report_meets_the_typed_one(put: Put) -> None:
    first, none = put(WELL)
    assert none == ()
    _, proposals = put(HEARD)
    assert [one.other for one in proposals] == [first]
    assert proposals[0].reasons[0].kind == "same_matter"
    assert "text" in proposals[0].reasons[0].agree


def test_another_matter_of_the_same_county_is_not_proposed(put: Put) -> None:
    put(WELL)
    assert put(ROAD)[1] == ()


def test_nothing_is_proposed_across_jurisdictions(put: Put) -> None:
    put(WELL)
    assert put(WELL, jurisdiction="510729")[1] == ()


def test_the_same_file_is_proposed_whatever_was_read_of_it(put: Put) -> None:
    first, _ = put(WELL, recordings=(("a" * 64, b""),))
    _, proposals = put(ROAD, recordings=(("b" * 64, b""), ("a" * 64, b"")))
    assert [(one.other, kinds((one,))) for one in proposals] == [(first, {"same_recording"})]


def test_a_recording_sent_again_in_another_form_is_proposed(put: Put) -> None:
    whole = tune(3)
    first, _ = put(recordings=(("a" * 64, fingerprint(whole)),))
    put(recordings=(("c" * 64, fingerprint(tune(4))),))
    _, proposals = put(recordings=(("b" * 64, fingerprint(whole[8_000:] * 0.5)),))
    assert [(one.other, kinds((one,))) for one in proposals] == [(first, {"same_sound"})]


def test_the_same_sound_is_found_quieter_cut_and_with_noise() -> None:
    whole = tune(1)
    noise = np.random.default_rng(9).normal(0, 0.004, len(whole) - 24_000).astype(np.float32)
    cut = whole[16_000:-8_000] * 0.4 + noise
    one, other, stranger = (
        entry(Trace(id=uuid7(), jurisdiction=COUNTY, recordings=((str(n), fingerprint(pcm)),)))
        for n, pcm in enumerate((whole, cut, tune(2)))
    )
    found = tuple(bulk.pairs([one, stranger, other]))
    assert [(each.id, each.other) for each in found] == [(other.id, one.id)]
    assert found[0].reasons[0].kind == "same_sound"


def test_body_matter_and_two_facts_are_enough_without_a_common_word(put: Put) -> None:
    facts = Facts(
        unit="qx-wsy",
        domain="medical",
        start=date(2026, 3, 1),
        end=date(2026, 3, 31),
        amounts=(Amount(value=380, unit="元", text="三百八"),),
    )
    first, _ = put("ئاممىۋى دوختۇرخانا", facts=facts)
    _, proposals = put(ROAD, facts=facts)
    assert [one.other for one in proposals] == [first]
    assert set(proposals[0].reasons[0].agree) == {"unit", "domain", "occurred", "amounts"}


def test_a_key_of_too_many_says_nothing(put_anywhere: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filed, "MOST_OWNERS", 3)
    first, second, third, fourth = (put_anywhere(WELL) for _ in range(4))
    assert {one.other for one in third[1]} == {first[0], second[0]}
    assert fourth[1] == ()


def test_the_newest_of_a_body_are_compared(
    put_anywhere: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The report itself is the newest.
    monkeypatch.setattr(filed, "SAME_BODY_CAP", 2)
    facts = Facts(
        unit="qx-wsy",
        domain="medical",
        start=date(2026, 3, 1),
        end=date(2026, 3, 31),
        amounts=(Amount(value=387, unit="元", text="三百八十七"),),
    )
    _, second, third, fourth = (put_anywhere(facts=facts) for _ in range(4))
    assert {one.other for one in fourth[1]} == {second[0], third[0]}


@pytest.mark.parametrize(("common", "apart", "share"), [(12, 0, 1.0), (11, 0, 0.0), (12, 1, 0.0)])
def test_sounds_are_alike_from_enough_marks_at_one_offset(
    common: int, apart: int, share: float
) -> None:
    one = np.zeros(common, dtype=RECORD)
    one["key"], one["frame"] = np.arange(common) * 7, np.arange(common) * 10
    other = one.copy()
    # Later by three frames, and in the last case each mark by ten more than the one before.
    other["frame"] = one["frame"] + 3 + apart * one["frame"]
    assert alike(one, other) == alike(other, one) == share


def test_filing_again_replaces_the_keys_and_keeps_what_a_person_decided(
    engine: Engine, put: Put
) -> None:
    first, _ = put(WELL)
    second, _ = put(HEARD)
    third, _ = put(WELL)
    with writing(engine) as session:
        row = session.get_one(Repeat, (third, second))
        row.decided = LINKED
        session.add(row)
    with writing(engine) as session:
        file(session, Trace(id=third, jurisdiction=COUNTY, text=ROAD))
    with reading(engine) as session:
        left = {(row.complaint_id, row.other_id) for row in session.exec(select(Repeat))}
        keys = session.exec(select(func.count()).select_from(TraceKey)).one()
    assert left == {(second, first), (third, second)}
    wanted = sum(
        len(filed.all_keys(entry(Trace(id=uuid7(), jurisdiction=COUNTY, text=text))))
        for text in (WELL, HEARD, ROAD)
    )
    assert keys == wanted


def test_a_proposal_changes_no_report(engine: Engine, put: Put) -> None:
    first, _ = put(WELL)
    second, _ = put(WELL)
    with reading(engine) as session:
        for one in (first, second):
            row = session.get_one(Complaint, one)
            assert row.duplicate_of is None
            assert row.version == 1


def test_all_at_once_proposes_what_one_by_one_does(put: Put) -> None:
    texts = [WELL, ROAD, HEARD, ROAD + WELL, "路", ""]
    single = set()
    entries = []
    for text in texts:
        one, proposals = put(text)
        single |= {(one, each.other) for each in proposals}
        entries.append(entry(Trace(id=one, jurisdiction=COUNTY, text=text)))
    assert {(each.id, each.other) for each in bulk.pairs(entries)} == single
    assert single
