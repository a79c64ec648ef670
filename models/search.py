"""Finding complaints by words and filters, newest first, among a million.

Words and filters are terms of one index (`models.index`), so any combination of them is an
intersection of posting lists, and the newest fifty come off the end of it, whether a word is in
three reports or in 700,000. The terms only narrow down: what an account sees is decided by
`models.access.visible` on the row itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from models import access, clocks, division, hits, indexed, span, terms
from models.account import Account, Role
from models.complaint import Complaint
from models.hits import Match, Question
from models.index import Entry
from models.span import NO_END, OUT_OF_ORDER, Span
from models.status import CLOSED
from models.transcript import UNKNOWN_LANGUAGE

PAGE = 50
EXACT = 1_000


@dataclass(frozen=True)
class Query:
    """What is looked for. Every field narrows; an empty one does not.

    words : as typed; all must be there
    statuses, channels ... : any of the values
    since, until : when it came in, the end excluded
    overdue_at : open and due on a day, of the offices', before this moment's
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
    question = _question(session, account, query)
    if before is not None:
        question = question.among(question.span.within(0, before))
    rows = _rows(session, account, query, question, size + 1)
    following = rows[size - 1][0] if len(rows) > size else None
    return Page(tuple(complaint for _, complaint in rows[:size]), following)


def neighbours(
    session: Session, account: Account, query: Query, complaint_id: UUID
) -> tuple[UUID | None, UUID | None]:
    """Give the complaints newer and older than one, for going on without going back to the list."""
    here = session.exec(select(Entry.seq).where(Entry.complaint_id == complaint_id)).first()
    if here is None:
        return None, None
    question = _question(session, account, query)
    below = question.among(question.span.within(0, here))
    above = question.among(question.span.within(here + 1, NO_END))
    older = _rows(session, account, query, below, 1)
    newer = _rows(session, account, query, above, 1, ascending=True)
    return (newer[0][1].id if newer else None, older[0][1].id if older else None)


def count(session: Session, account: Account, query: Query, most: int = EXACT) -> int:
    """Count what a query finds, at most one more than `most`."""
    return counts(session, account, [query], most)[0]


def counts(
    session: Session, account: Account, queries: Sequence[Query], most: int = EXACT
) -> list[int]:
    """Count what each query finds, at most one more than `most`."""
    newest = span.end(session)
    known: dict[tuple[datetime | None, datetime | None], Span] = {}
    asked = []
    for query in queries:
        dates = query.since, query.until
        if dates not in known:
            known[dates] = span.of_dates(session, *dates).within(0, newest)
        asked.append(Question(_match(account, query), known[dates]))
    with hits.by_terms(session):
        return hits.counts(session, asked, most)


def _question(session: Session, account: Account, query: Query) -> Question:
    dates = span.of_dates(session, query.since, query.until)
    return Question(_match(account, query), dates.within(0, span.end(session)))


def _match(account: Account, query: Query) -> Match:
    """Write a query and what the account sees as one expression over terms."""
    groups, excluded = _sight(account)
    statuses = query.statuses
    if query.open_only or query.overdue_at is not None:
        groups.append(("_open",))
        # Two terms that exclude each other take long to be found nowhere.
        statuses = tuple(one for one in statuses if one not in CLOSED)
        if query.statuses and not statuses:
            groups.append(("_none",))
    for kind, values in (
        ("s", statuses),
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
    if query.overdue_at is not None:
        excluded += indexed.due_from(query.overdue_at)
    phrases = terms.phrases(query.words)
    if query.words.strip() and not phrases:
        groups.append(("_none",))
    return Match(tuple(groups), tuple(phrases), tuple(excluded))


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
    """Write what the terms say of days as conditions on `Complaint`: a page is never wrong."""
    found: list[ColumnElement[bool]] = []
    if query.since is not None:
        found.append(col(Complaint.received_at) >= query.since)
    if query.until is not None:
        found.append(col(Complaint.received_at) < query.until)
    if query.overdue_at is not None:
        found.append(col(Complaint.due_at) < clocks.midnight(query.overdue_at))
    return found


def _rows(
    session: Session,
    account: Account,
    query: Query,
    question: Question,
    size: int,
    *,
    ascending: bool = False,
) -> list[tuple[int, Complaint]]:
    """Fetch complaints that match, in the order of their entries."""
    conditions = access.visible(account), *_conditions(query)
    numbered = hits.walk(session, question, ascending=ascending)
    rows: list[tuple[int, Complaint]] = []
    chunk = size
    while len(rows) < size:
        with hits.by_terms(session):
            numbers = list(islice(numbered, chunk))
        if not numbers:
            break
        found = session.execute(
            select(col(Entry.seq), Complaint)
            .join(Complaint, col(Complaint.id) == col(Entry.complaint_id))
            .where(col(Entry.seq).in_(numbers), *conditions)
        )
        by_number = {int(seq): complaint for seq, complaint in found}
        rows += [(one, by_number[one]) for one in numbers if one in by_number]
        # What the terms let through and the row does not lies together, at the edge of a day.
        chunk = OUT_OF_ORDER
    return rows[:size]
