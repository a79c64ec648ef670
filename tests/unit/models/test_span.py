"""A span is parted without gap or overlap, and days lead to the entries of just those days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from models import clocks, index, indexed, search, span
from models.account import Role
from models.columns import now
from models.complaint import Complaint, ReportMedium
from models.database import reading, writing
from models.keys import Keys
from models.search import Query
from models.span import Span
from models.status import Status
from tests import cases

FEW = 300_000
NUMBERS = st.integers(0, FEW)


@given(NUMBERS, NUMBERS, st.booleans())
def test_pieces_hold_every_entry_once_and_the_nearest_are_the_shortest(
    one: int, other: int, ascending: bool
) -> None:
    whole = Span(min(one, other), max(one, other))
    pieces = list(whole.pieces(ascending=ascending))
    in_order = pieces if ascending else pieces[::-1]
    borders = [whole.low, *(piece.high for piece in in_order)]
    assert [piece.low for piece in in_order] == borders[:-1]
    assert whole.empty or borders[-1] == whole.high
    assert all(not piece.empty for piece in pieces)
    for number, piece in enumerate(pieces):
        assert piece.high - piece.low <= span.shortest() << number
    assert whole.small or all(piece.high - piece.low < whole.high - whole.low for piece in pieces)


@given(NUMBERS, st.integers(1, FEW))
def test_blocks_hold_all_of_a_span_and_little_more(low: int, length: int) -> None:
    held: list[int] = []
    known = {
        index.block(size, number): range(number << size, (number + 1) << size)
        for size in index.BLOCKS
        for number in range((2 * FEW >> size) + 2)
    }
    for term in Span(low, low + length).blocks():
        held += [known[term].start, known[term].stop]
    assert held[1:-1:2] == held[2::2]
    edge = 1 << index.BLOCKS[-1]
    assert low - edge < held[0] <= low and low + length <= held[-1] < low + length + edge


@given(st.integers(-400, 400))
def test_what_is_due_today_or_later_is_told_by_few_terms(days: int) -> None:
    moment = now()
    due = clocks.midnight(moment + timedelta(days=days)) + timedelta(hours=23)
    complaint = Complaint(
        receipt_hash="", medium=ReportMedium.TEXT, channel_code="", jurisdiction=cases.COUNTY,
        held_by=cases.COUNTY, status=Status.READY, due_at=due, retention_until=due.date(),
    )  # fmt: skip
    wanted = indexed.due_from(moment)
    assert len(wanted) < 16
    assert bool(set(wanted) & set(indexed.tags(complaint))) == (days >= 0)


def assert_days_find_their_reports(engine: Engine, keys: Keys) -> None:
    moment = now()
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        # Entries are numbered in another order than reports came in.
        ages = [5, 1, 9, 3, 3, 0, 7, 8, 2, 6, 4, 10]
        for days in ages:
            at = moment - timedelta(days=days)
            cases.complaint(session, keys, received_at=at, due_at=at + timedelta(days=5))
    with reading(engine) as session:
        for first, last in ((8, 3), (10, 0), (2, 2), (30, 20), (3, 8), (-5, -9)):
            since = moment - timedelta(days=first, hours=1)
            until = moment - timedelta(days=last) + timedelta(hours=1)
            query = Query(since=since, until=until)
            wanted = sum(last <= days <= first for days in ages)
            assert len(search.find(session, lead, query).complaints) == wanted
            assert search.count(session, lead, query) == wanted
        late = Query(overdue_at=moment)
        wanted = sum(days > 5 for days in ages)
        assert len(search.find(session, lead, late).complaints) == wanted
        each = [late, Query(since=moment - timedelta(days=4, hours=1)), Query(), late]
        assert search.counts(session, lead, each) == [wanted, 6, len(ages), wanted]


def test_days_find_the_reports_that_came_in_on_them(engine: Engine, keys: Keys) -> None:
    assert_days_find_their_reports(engine, keys)


@pytest.mark.postgres
def test_days_find_the_same_on_postgresql(postgres: Engine, keys: Keys) -> None:
    assert_days_find_their_reports(postgres, keys)


def test_open_and_closed_exclude_each_other(engine: Engine, keys: Keys) -> None:
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD)
        for status in (Status.ARCHIVED, Status.CONCLUDED):
            cases.complaint(session, keys, status=status, due_at=now() - timedelta(days=3))
    with reading(engine) as session:
        for query in (Query(open_only=True), Query(overdue_at=now())):
            assert search.count(session, lead, query) == 1
            assert search.count(session, lead, query.but(statuses=("archived",))) == 0
            assert search.count(session, lead, query.but(statuses=("archived", "concluded"))) == 1
