from __future__ import annotations

import pytest
from sqlmodel import Session

from models import jurisdiction
from models.account import Role
from models.division import Level
from models.errors import Invalid, NotAllowed
from models.jurisdiction import Barred
from models.keys import Keys
from tests import cases
from tests.cases import CITY, COUNTY, NATION, NEIGHBOUR, PROVINCE


@pytest.mark.parametrize(
    ("barred", "holder"),
    [
        (Barred(), COUNTY),
        (Barred(rank=Level.VILLAGE), COUNTY),
        (Barred(rank=Level.TOWN), COUNTY),
        (Barred(rank=Level.COUNTY), CITY),
        (Barred(rank=Level.CITY), PROVINCE),
        (Barred(rank=Level.PROVINCE), NATION),
        (Barred(rank=Level.NATION), NATION),
        (Barred(past=COUNTY), CITY),
        (Barred(past=CITY), PROVINCE),
        (Barred(past=NATION), COUNTY),
        (Barred(employers=frozenset({COUNTY})), CITY),
        (Barred(employers=frozenset({COUNTY, CITY})), PROVINCE),
        (Barred(past=COUNTY, rank=Level.CITY, employers=frozenset({PROVINCE})), NATION),
    ],
)
def test_a_report_climbs_to_the_first_body_that_may_hold_it(barred: Barred, holder: str) -> None:
    assert barred.lowest(COUNTY) == holder


@pytest.mark.parametrize(
    ("written", "rank"),
    [("county", Level.COUNTY), (" Town ", Level.TOWN), ("", None), ("科员", None)],
)
def test_a_rank_that_says_nothing_bars_nobody(written: str, rank: Level | None) -> None:
    assert jurisdiction.rank_of(written) == rank


def test_a_report_about_the_bodys_own_staff_moves_up(session: Session, keys: Keys) -> None:
    named = cases.account(session, Role.LEAD, COUNTY, name="曲木阿呷")
    report = cases.complaint(session, keys, subject_name=" 曲木阿呷 ")
    placing = jurisdiction.place(session, report)
    assert placing.held_by == CITY
    assert placing.shut_out == (str(named.id),)


def test_staff_above_who_are_named_are_shut_out_and_their_body_too(
    session: Session, keys: Keys
) -> None:
    named = cases.account(session, Role.LEAD, CITY, name="曲木阿呷")
    report = cases.complaint(session, keys, subject_name="曲木阿呷", held_by=CITY)
    placing = jurisdiction.place(session, report)
    assert placing.held_by == PROVINCE
    assert placing.shut_out == (str(named.id),)


def test_all_staff_of_the_unit_complained_of_are_shut_out(session: Session, keys: Keys) -> None:
    inside = cases.account(session, Role.LISTENER, COUNTY, unit_code="u-1")
    cases.account(session, Role.LISTENER, COUNTY, unit_code="u-2")
    report = cases.complaint(session, keys, subject_unit_code="u-1")
    assert jurisdiction.place(session, report).shut_out == (str(inside.id),)


def test_who_was_shut_out_once_stays_so(session: Session, keys: Keys) -> None:
    report = cases.complaint(session, keys, shut_out=["someone"])
    assert jurisdiction.place(session, report).shut_out == ("someone",)


def test_a_report_is_never_moved_down(session: Session, keys: Keys) -> None:
    report = cases.complaint(session, keys, held_by=PROVINCE, subject_rank="village")
    assert jurisdiction.place(session, report).held_by == PROVINCE


def test_a_body_that_is_barred_cannot_be_given_the_report(session: Session, keys: Keys) -> None:
    report = cases.complaint(session, keys, upward_only=True, held_by=CITY)
    with pytest.raises(NotAllowed):
        jurisdiction.require_may_hold(session, report, COUNTY)
    jurisdiction.require_may_hold(session, report, NEIGHBOUR)
    with pytest.raises(Invalid):
        jurisdiction.require_may_hold(session, report, "51")
