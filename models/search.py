"""Finding complaints by words and filters, newest first, among a million.

Words and filters are terms of one index (`models.index`), so any combination of them is an
intersection of posting lists, and the newest fifty come off the end of it, whether a word is in
three reports or in 700,000. The terms only narrow down: what an account sees is decided by
`models.access.visible` on the row itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal
from sqlmodel import Session, col, select

from models import access, division, hits, index, terms
from models.account import Account, Role
from models.complaint import Complaint
from models.hits import NO_END, Match, Span
from models.index import Entry
from models.transcript import UNKNOWN_LANGUAGE

PAGE = 50
EXACT = 1_000
# Entries are numbered as they are first written, a little after the report came in.
OUT_OF_ORDER = 1_000
# So many of the middle blocks are counted before everything is.
COUNTED_FIRST = 3


@dataclass(frozen=True)
class Query:
    """What is looked for. Every field narrows; an empty one does not.

    words : as typed; all must be there
    statuses, channels ... : any of the values
    since, until : when it came in, the end excluded
    overdue_at : open and due before this moment
    """

    words: str = ""
    statuses: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    conducts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    low_confidence: bool = False
    open_only: bool = False
    since: datetime | None = None
    until: datetime | None = None
    overdue_at: datetime | None = None

    def but(self, **changes: Any) -> Query:
        """Give the same query with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Page:
    """Some complaints, newest first. following : give it as `before` for the next page."""

    complaints: tuple[Complaint, ...]
    following: int | None


def find(
    session: Session,
    account: Account,
    query: Query,
    *,
    before: int | None = None,
    size: int = PAGE,
) -> Page:
    """Give a page of what the account sees and the query names, newest first."""
    match = _match(account, query)
    span = _span(session, query)
    if before is not None:
        span = span.within(0, before)
    rows = _rows(session, account, match, span, size + 1)
    following = rows[size - 1][0] if len(rows) > size else None
    return Page(tuple(complaint for _, complaint in rows[:size]), following)


def neighbours(
    session: Session, account: Account, query: Query, complaint_id: UUID
) -> tuple[UUID | None, UUID | None]:
    """Give the complaints newer and older than one, for going on without going back to the list."""
    here = session.exec(select(Entry.seq).where(Entry.complaint_id == complaint_id)).first()
    if here is None:
        return None, None
    match, span = _match(account, query), _span(session, query)
    older = _rows(session, account, match, span.within(0, here), 1)
    newer = _rows(session, account, match, span.within(here + 1, NO_END), 1, ascending=True)
    return (newer[0][1].id if newer else None, older[0][1].id if older else None)


def count(session: Session, account: Account, query: Query, most: int = EXACT) -> int:
    """Count what a query finds, at most one more than `most`."""
    match, span = _match(account, query), _span(session, query)
    if span.empty:
        return 0
    if not index.is_postgresql(session):
        return _counted(session, account, match, span, most)
    # Most of what is worth more than "1,000+" is so already among the newest.
    newest = span.within(0, hits.end(session))
    near, size = 0, index.BLOCKS[1]
    with hits.by_terms(session):
        for number, part in islice(newest.blocks(size, ascending=False), COUNTED_FIRST):
            inside = match.inside(index.block(size, number))
            near += _counted(session, account, inside, part, most)
            if near > most:
                return most + 1
        return _counted(session, account, match, span, most)


def tally(
    session: Session, account: Account, query: Query, name: str, values: Iterable[str]
) -> dict[str, int]:
    """Count for each value of a filter what choosing it would show, other filters kept."""
    return {value: count(session, account, query.but(**{name: (value,)})) for value in values}


def _match(account: Account, query: Query) -> Match:
    """Write a query and what the account sees as one expression over terms."""
    groups, excluded = _sight(account)
    for kind, values in (
        ("s", query.statuses),
        ("c", query.channels),
        ("u", query.units),
        ("d", query.domains),
        ("k", query.conducts),
        ("l", query.languages),
        ("m", query.media),
        ("a", query.assignees),
    ):
        if values:
            groups.append(tuple(terms.tag(kind, value) for value in values))
    below = tuple(division.prefix(code) for code in query.divisions)
    if below and all(below):
        groups.append(tuple(terms.tag("h", prefix) for prefix in below))
    if query.low_confidence:
        groups.append(("_low",))
    if query.open_only:
        groups.append(("_open",))
    if query.overdue_at is not None:
        groups.append(index.overdue(query.overdue_at))
    phrases = terms.phrases(query.words)
    if query.words.strip() and not phrases:
        groups.append(("_none",))
    return Match(tuple(groups), tuple(phrases), tuple(excluded), tuple(_conditions(query)))


def _sight(account: Account) -> tuple[list[tuple[str, ...]], list[str]]:
    """Write `access.visible` as terms."""
    if not access.may(account, access.Act.READ):
        return [("_none",)], []
    groups: list[tuple[str, ...]] = []
    shared = division.prefix(account.division)
    if shared:
        groups.append((terms.tag("h", shared),))
    if access.EVERY_ROUND not in account.rounds:
        groups.append(tuple(terms.tag("r", one) for one in dict.fromkeys(["", *account.rounds])))
    excluded = [terms.tag("x", account.id)]
    if account.unit_code:
        excluded.append(terms.tag("uc", account.unit_code))
    code = account.division
    while code != division.NATION:
        excluded.append(terms.tag("up", code))
        code = division.parent(code)
    if account.role is Role.LISTENER:
        spoken = dict.fromkeys([*account.languages, UNKNOWN_LANGUAGE])
        declared = [terms.tag("ld", one) for one in spoken if one != UNKNOWN_LANGUAGE]
        groups.append((*(terms.tag("l", one) for one in spoken), *declared))
    return groups, excluded


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.since is not None:
        found.append(col(Complaint.received_at) >= query.since)
    if query.until is not None:
        found.append(col(Complaint.received_at) < query.until)
    if query.overdue_at is not None:
        found.append(col(Complaint.due_at) < query.overdue_at)
    return found


def _span(session: Session, query: Query) -> Span:
    """Turn the days into numbers of entries, so that a search among old reports starts there."""
    if query.since is not None and query.until is not None and query.since >= query.until:
        return Span(0, 0)
    low, high = 0, NO_END
    if query.since is not None:
        first = _first_after(session, query.since)
        low, high = (0, 0) if first is None else (max(0, first - OUT_OF_ORDER), high)
    if query.until is not None and high:
        after = _first_after(session, query.until)
        high = NO_END if after is None else after + OUT_OF_ORDER
    return Span(low, high)


def _first_after(session: Session, moment: datetime) -> int | None:
    return session.exec(
        select(Entry.seq)
        .join(Complaint, col(Complaint.id) == col(Entry.complaint_id))
        .where(col(Complaint.received_at) >= moment)
        .order_by(col(Complaint.received_at), col(Complaint.id))
        .limit(1)
    ).first()


def _rows(
    session: Session,
    account: Account,
    match: Match,
    span: Span,
    size: int,
    *,
    ascending: bool = False,
) -> list[tuple[int, Complaint]]:
    """Fetch complaints that match, in the order of their entries."""
    if span.empty:
        return []
    if index.is_postgresql(session):
        span = span.within(0, hits.end(session))
    with hits.by_terms(session):
        return _filled(session, account, match, span, size, ascending=ascending)


def _filled(
    session: Session,
    account: Account,
    match: Match,
    span: Span,
    size: int,
    *,
    ascending: bool,
) -> list[tuple[int, Complaint]]:
    numbered = hits.walk(session, match, span, ascending=ascending)
    rows: list[tuple[int, Complaint]] = []
    chunk = size
    while len(rows) < size and (numbers := list(islice(numbered, chunk))):
        found = session.execute(
            select(col(Entry.seq), Complaint)
            .join(Complaint, col(Complaint.id) == col(Entry.complaint_id))
            .where(col(Entry.seq).in_(numbers), access.visible(account), *match.conditions)
        )
        by_number = {int(seq): complaint for seq, complaint in found}
        rows += [(one, by_number[one]) for one in numbers if one in by_number]
        # What the terms let through and the row does not lies together, at the edge of a day.
        chunk = OUT_OF_ORDER
    return rows[:size]


def _counted(session: Session, account: Account, match: Match, span: Span, most: int) -> int:
    """Count in a span, at most one more than `most`."""
    if not match.conditions:
        # Without conditions on the row, the terms alone say who sees what.
        inner = hits.matching(session, match, span, literal(1))
    else:
        # A limit keeps the planner from beginning at the other end.
        found = (
            hits.matching(session, match, span, hits.number_of(session).label("seq"))
            .limit(NO_END)
            .subquery()
        )
        inner = (
            select(literal(1))
            .select_from(found)
            .join(Entry, col(Entry.seq) == found.c.seq)
            .join(Complaint, col(Complaint.id) == col(Entry.complaint_id))
            .where(access.visible(account), *match.conditions)
        )
    counted = select(func.count()).select_from(inner.limit(most + 1).subquery())
    return int(session.connection().execute(counted).scalar_one())
