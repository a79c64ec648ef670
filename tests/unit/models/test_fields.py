"""Filling the record by hand, and linking repeats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from models import codes, fields, presence, repeats
from models.account import Account, Role
from models.channel import Unit
from models.columns import now
from models.complaint import Complaint, Repeat
from models.database import writing
from models.errors import Conflict, Invalid, NotFound
from models.fields import Source
from models.keys import Keys
from models.masking import BLOT
from tests import cases
from tests.cases import CITY, COUNTY, NEIGHBOUR


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with writing(engine) as session:
        yield session


@pytest.fixture
def lead(session: Session) -> Account:
    return cases.account(session, Role.LEAD)


def decide(
    session: Session, keys: Keys, account: Account, made: Complaint, name: str, value: str
) -> Complaint:
    return fields.decide(
        session, keys, account, made.id, made.version, name, value, codes.load(), Source(text="字")
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "修路款没有公示"),
        ("domain", "works"),
        ("conduct", "dereliction"),
        ("subject.unit", "unknown"),
        ("occurred", "2026-03-01/2026-03-31"),
        ("amounts", "3000 元; 5 户"),
        ("place", "杏树岭"),
        ("description", ""),
    ],
)
def test_a_value_is_kept_as_it_was_written_and_says_who_gave_it(
    session: Session, keys: Keys, lead: Account, name: str, value: str
) -> None:
    made = decide(session, keys, lead, cases.complaint(session, keys), name, value)
    assert fields.written(made, name) == value
    assert made.confirmed == [name]
    assert made.provenance[name][0]["by"] == "staff"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domain", "nonsense"),
        ("subject.rank", "emperor"),
        ("occurred", "yesterday"),
        ("occurred", "2026-05-01/2026-03-01"),
        ("amounts", "many"),
        ("title", "长" * 61),
        ("place", BLOT * 3),
        ("reporter_sealed", "x"),
    ],
)
def test_what_does_not_follow_the_rules_is_refused(
    session: Session, keys: Keys, lead: Account, name: str, value: str
) -> None:
    with pytest.raises(Invalid):
        decide(session, keys, lead, cases.complaint(session, keys), name, value)


def test_confirming_a_value_keeps_where_it_came_from(
    session: Session, keys: Keys, lead: Account
) -> None:
    found = {"domain": [{"by": "model", "confidence": 0.8, "text": "路"}]}
    made = cases.complaint(session, keys, domain="works", provenance=found)
    fields.decide(session, keys, lead, made.id, 1, "domain", "works", codes.load())
    assert made.provenance == found and made.confirmed == ["domain"]


def test_a_version_that_moved_on_is_a_conflict(session: Session, keys: Keys, lead: Account) -> None:
    made = cases.complaint(session, keys)
    with pytest.raises(Conflict):
        fields.decide(session, keys, lead, made.id, 7, "title", "x", codes.load())


def test_a_report_about_the_body_itself_moves_up_as_soon_as_that_is_said(
    session: Session, keys: Keys, lead: Account
) -> None:
    session.add(Unit(code="u-county", name="某县民政局", division=COUNTY, rank="county"))
    session.flush()
    made = decide(session, keys, lead, cases.complaint(session, keys), "subject.unit", "某县民政局")
    assert (made.subject_unit_code, made.subject_rank, made.held_by) == ("u-county", "county", CITY)
    with pytest.raises(NotFound):
        decide(session, keys, lead, made, "title", "x")


def test_the_later_of_two_repeats_points_at_the_first(
    session: Session, keys: Keys, lead: Account
) -> None:
    first = cases.complaint(session, keys, received_at=now() - timedelta(days=9))
    second = cases.complaint(session, keys, received_at=now() - timedelta(days=5))
    third = cases.complaint(session, keys)
    session.add(Repeat(complaint_id=second.id, other_id=first.id, score=0.8))
    session.flush()
    repeats.decide(session, keys, lead, first.id, second.id, same=True)
    repeats.decide(session, keys, lead, third.id, second.id, same=True)
    assert (first.duplicate_of, second.duplicate_of, third.duplicate_of) == (
        None,
        first.id,
        first.id,
    )
    assert [one.id for one in repeats.family(session, lead, first)] == [second.id, third.id]
    repeats.decide(session, keys, lead, second.id, first.id, same=False)
    assert second.duplicate_of is None


def test_a_repeat_elsewhere_does_not_exist_for_us(
    session: Session, keys: Keys, lead: Account
) -> None:
    ours = cases.complaint(session, keys)
    theirs = cases.complaint(session, keys, held_by=NEIGHBOUR)
    session.add(Repeat(complaint_id=ours.id, other_id=theirs.id, score=0.9))
    session.flush()
    assert repeats.of(session, lead, ours.id) == ()
    with pytest.raises(NotFound):
        repeats.decide(session, keys, lead, ours.id, theirs.id, same=True)


def test_whoever_left_is_not_here(session: Session, keys: Keys, lead: Account) -> None:
    made = cases.complaint(session, keys)
    other = cases.account(session, name="周明远")
    presence.arrive(session, made.id, other.id)
    session.flush()
    assert list(presence.others(session, made.id, lead.id)) == ["周明远"]
    assert list(presence.others(session, made.id, other.id)) == []
    presence.leave(session, made.id, other.id)
    session.flush()
    assert list(presence.others(session, made.id, lead.id)) == []
