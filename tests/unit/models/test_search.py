"""Finding words in every script, and never what is not one's to see."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from models import access, hits, index, search, terms
from models.account import Role
from models.complaint import Complaint
from models.database import open_database, reading, writing
from models.event import Deployment
from models.index import Entry
from models.keys import Keys
from models.medium import Kind, Medium
from models.search import Query
from models.settings import Settings
from models.status import Status
from tests import cases
from tests.cases import CITY, COUNTY, NATION, NEIGHBOUR
from tests.conftest import furnish

TEXTS = {
    "relief": "去年冬天低保没有发下来",
    "water": "饮水工程修了三年还没有通水",
    "uyghur": "كەنتىمىزدىكى سۇ تۇرۇبىسى بۇزۇق",
    "kazakh": "Ауылдағы су құбыры бұзылды",
    "latin": "The Water pipe is broken",
    "tibetan": "ཆུ་ཡི་སྦུ་གུ་ཆག་སོང་།",
    "yi": "ꆈꌠꉙꄙꀉꂿ",
}


@pytest.fixture
def found(engine: Engine, keys: Keys):  # type: ignore[no-untyped-def]
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        made = {
            name: cases.complaint(session, keys, title=text[:20], description=text).id
            for name, text in TEXTS.items()
        }
    by_id = {one: name for name, one in made.items()}

    def find(words: str, **more: Any) -> set[str]:
        with reading(engine) as session:
            page = search.find(session, lead, Query(words=words, **more))
            assert search.count(session, lead, Query(words=words, **more)) == len(page.complaints)
            return {by_id[one.id] for one in page.complaints}

    return find


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("低保", {"relief"}),
        ("饮水", {"water"}),
        ("饮水工程", {"water"}),
        ("工程饮水", set()),
        ("水", {"water"}),
        ("来", {"relief"}),
        ("没有", {"relief", "water"}),
        ("没有 三年", {"water"}),
        ("سۇ", {"uyghur"}),
        ("س", {"uyghur"}),
        ("تۇر", {"uyghur"}),
        ("wa", {"latin"}),
        ("在", set()),
        ("تۇرۇ", {"uyghur"}),
        ("құб", {"kazakh"}),
        ("ҚҰБЫР", {"kazakh"}),
        ("water", {"latin"}),
        ("ＷＡＴ", {"latin"}),
        ("ater", set()),
        ("སྦུ", {"tibetan"}),
        ("ꌠꉙ", {"yi"}),
        ("", set(TEXTS)),
        ("！？", set()),
        ('"; DROP TABLE complaint; --', set()),
        ("NOT OR AND", set()),
        ("*", set()),
    ],
)
def test_words_are_found(found: Any, words: str, names: set[str]) -> None:
    assert found(words) == names


def test_a_correction_is_found_at_once_and_the_mistake_no_more(engine: Engine, keys: Keys) -> None:
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        made = cases.complaint(session, keys, title="", description="")
        medium = cases.medium(session, made)
        cases.transcript(session, medium, "抵保没有发")
    with writing(engine) as session:
        assert search.count(session, lead, Query(words="抵保")) == 1
        cases.transcript(session, medium, "低保没有发", version=2)
    with reading(engine) as session:
        assert search.count(session, lead, Query(words="低保")) == 1
        assert search.count(session, lead, Query(words="抵保")) == 0


def test_a_change_of_status_is_counted_at_once(engine: Engine, keys: Keys) -> None:
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        made = cases.complaint(session, keys)
    with writing(engine) as session:
        session.get_one(Complaint, made.id).status = Status.IN_REVIEW
    with reading(engine) as session:
        each = [Query(statuses=(one,)) for one in ("ready", "in_review")]
        assert search.counts(session, lead, each) == [0, 1]


def test_an_entry_is_renewed_by_what_it_holds_of_a_medium_and_by_nothing_else(
    engine: Engine, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        made = cases.complaint(session, keys, title="", description="")
        medium = cases.medium(session, made, kind=Kind.TEXT, text="抵保没有发")
    renewed: list[UUID] = []
    renew = index.renew
    monkeypatch.setattr(index, "renew", lambda *said: (renewed.append(said[1]), renew(*said)))
    with writing(engine) as session:
        held = session.get_one(Medium, medium.id)
        held.attempts, held.seconds = 1, 2.5
    assert renewed == []
    with writing(engine) as session:
        session.get_one(Medium, medium.id).text = "低保没有发"
    assert renewed == [made.id]
    with reading(engine) as session:
        assert search.count(session, lead, Query(words="低保")) == 1
        assert search.count(session, lead, Query(words="抵保")) == 0


def test_an_index_of_another_version_is_written_anew(settings: Settings) -> None:
    engine, keys = open_database(settings)
    furnish(engine)
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        cases.complaint(session, keys, description="低保没有发")
    with writing(engine) as session:
        session.get_one(Deployment, "index").value = "1"
        (entry,) = session.exec(select(Entry))
        index.replace(session, entry, "_all")
    with reading(engine) as session:
        assert search.count(session, lead, Query(words="低保")) == 0
    engine.dispose()
    engine, _ = open_database(settings)
    with reading(engine) as session:
        assert search.count(session, lead, Query(words="低保")) == 1
    engine.dispose()


def test_numbers_that_are_shown_masked_are_not_found_by_trying() -> None:
    assert terms.of("电话13800000000") == ["电话"]
    assert terms.heads("电话13800000000") == terms.heads("电话")
    assert "3600" in terms.of("少了3600元")


@given(st.text(max_size=60))
def test_no_text_can_pass_for_a_filter(text: str) -> None:
    assert not any("_" in one or '"' in one or "'" in one for one in terms.of(text))


@given(st.text(max_size=40))
def test_whatever_was_written_is_found_again(text: str) -> None:
    written, heads = terms.of(text), terms.heads(text)
    for phrase in terms.phrases(text):
        head, last = list(phrase.terms[:-1]), phrase.terms[-1]
        ends = str.startswith if phrase.begun else str.__eq__
        assert last in heads or any(
            written[at : at + len(head)] == head and ends(written[at + len(head)], last)
            for at in range(len(written) - len(head))
        )


def test_pages_follow_each_other_without_gap_or_repeat(engine: Engine, keys: Keys) -> None:
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        for number in range(25):
            cases.complaint(session, keys, description=f"第{number}件修路")
    seen: list[Any] = []
    before = None
    with reading(engine) as session:
        while True:
            page = search.find(session, lead, Query(words="修路"), before=before, size=10)
            seen += [one.id for one in page.complaints]
            if page.following is None:
                break
            before = page.following
    assert len(seen) == len(set(seen)) == 25


def scatter(session: Session, keys: Keys) -> None:
    """Put complaints of every kind of visibility, and accounts of every kind of sight."""
    dice = random.Random(7)
    accounts = [
        cases.account(
            session,
            dice.choice(list(Role)),
            dice.choice([NATION, CITY, COUNTY, NEIGHBOUR]),
            rounds=dice.choice([[], ["r1"], ["*"]]),
            languages=dice.choice([[], ["ii"], ["zh", "ug"]]),
            unit_code=dice.choice([None, "u-one"]),
        )
        for _ in range(24)
    ]
    for _ in range(120):
        language = dice.choice(["ii", "zh", "zh-u-sd-cnsc", "ug", "und"])
        cases.complaint(
            session,
            keys,
            held_by=dice.choice([NATION, CITY, COUNTY, NEIGHBOUR]),
            jurisdiction=dice.choice([CITY, COUNTY, NEIGHBOUR]),
            upward_only=dice.random() < 0.3,
            round=dice.choice(["", "r1", "r2"]),
            subject_unit_code=dice.choice([None, "u-one", "u-two"]),
            language=language,
            languages=[{"tag": language, "confidence": 0.9, "by": "x", "share": 1.0}],
            declared_language=dice.choice(["", "ii", "ug"]),
            shut_out=[str(dice.choice(accounts).id)] if dice.random() < 0.3 else [],
        )


def assert_terms_see_what_the_rules_see(engine: Engine) -> None:
    from models.account import Account

    with reading(engine) as session:
        for account in session.exec(select(Account)):
            ruled = set(session.exec(select(Complaint.id).where(access.visible(account))))
            page = search.find(session, account, Query(), size=500)
            assert {one.id for one in page.complaints} == ruled
            assert search.count(session, account, Query()) == len(ruled), account.role


def test_the_terms_see_exactly_what_the_rules_see(engine: Engine, keys: Keys) -> None:
    with writing(engine) as session:
        scatter(session, keys)
    assert_terms_see_what_the_rules_see(engine)


@pytest.mark.postgres
def test_postgresql_finds_the_same(postgres: Engine, keys: Keys) -> None:
    engine = postgres
    with writing(engine) as session:
        scatter(session, keys)
    assert_terms_see_what_the_rules_see(engine)
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD, rounds=["*"])
        for text in TEXTS.values():
            cases.complaint(session, keys, title="", description=text)
    with reading(engine) as session:
        for words, count in {
            "低保": 1,
            "饮水工程": 1,
            "工程饮水": 0,
            "水": 1,
            "تۇرۇ": 1,
            "құб": 1,
        }.items():
            assert search.count(session, lead, Query(words=words)) == count, words
            assert len(search.find(session, lead, Query(words=words)).complaints) == count


@pytest.mark.postgres
def test_postgresql_walks_by_blocks_in_order(
    postgres: Engine, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Blocks and bounds so small that every way through them is taken.
    monkeypatch.setattr(index, "BLOCKS", (5, 3, 1))
    monkeypatch.setattr(hits, "HITS_AT_ONCE", 3)
    monkeypatch.setattr(hits, "COUNTED_AMONG", (12, 24))
    engine, dice = postgres, random.Random(5)
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD, rounds=["*"])
        made = []
        for number in range(90):
            status = Status.ARCHIVED if number < 40 else dice.choice(list(Status))
            made.append((cases.complaint(session, keys, status=status).id, status))
    with reading(engine) as session:
        for statuses in ([Status.ARCHIVED], [Status.READY], [Status.ARCHIVED, Status.WITHDRAWN]):
            wanted = [one for one, status in reversed(made) if status in statuses]
            query = Query(statuses=tuple(one.value for one in statuses))
            for size in (1, 4, 50):
                found: list[Any] = []
                before = None
                while True:
                    page = search.find(session, lead, query, before=before, size=size)
                    found += [one.id for one in page.complaints]
                    if page.following is None:
                        break
                    before = page.following
                assert found == wanted
            assert search.count(session, lead, query) == len(wanted)
            assert search.count(session, lead, query, 2) == min(3, len(wanted))
            for place in range(1, len(wanted) - 1):
                around = search.neighbours(session, lead, query, wanted[place])
                assert around == (wanted[place - 1], wanted[place + 1])
        both = Query(statuses=("archived",), open_only=True)
        assert search.find(session, lead, both).complaints == ()
