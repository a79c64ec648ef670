"""Which entries of the index match: asked of either database's, and never further than needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, cast, func, literal, literal_column, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import Session, col, select

from models import index, span
from models.index import FTS, TABLE, Entry
from models.span import Span
from models.terms import Phrase

# What is asked for first where an index gives numbers in order, and then at a time.
FIRST, FURTHER = 51, 1_000
# So many PostgreSQL may fetch and sort at once; where there are more, it is asked for less.
HITS_AT_ONCE = 600
# Most of what is worth more than "1,000+" is so already among the newest: PostgreSQL's index
# reads all that matches before it counts any, so it counts among so many, and goes on if need be.
COUNTED_AMONG = (3 << 14, 3 << 16)
# So many counts go into one statement.
COUNTS_AT_ONCE = 32
# What PostgreSQL's planner would take instead of the index of terms, and what helps it with that:
# a bitmap that fits keeps it from reading terms again, and no plan here is worth compiling.
PLANS = {
    "enable_seqscan": "off",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "jit": "off",
    "work_mem": "64MB",
}


@dataclass(frozen=True)
class Match:
    """An expression over terms: of each group one, all phrases, and none of the excluded."""

    groups: tuple[tuple[str, ...], ...] = ()
    phrases: tuple[Phrase, ...] = ()
    excluded: tuple[str, ...] = ()

    def fts5(self) -> str:
        """Write it for SQLite. Every complaint has the term `_all`."""
        parts = ["(" + " OR ".join(f'"{one}"' for one in group) + ")" for group in self.groups]
        parts += [f'"{" ".join(one.terms)}"' + " *" * one.begun for one in self.phrases]
        wanted = " AND ".join(parts or ['"_all"'])
        if not self.excluded:
            return wanted
        excluded = " OR ".join(f'"{one}"' for one in self.excluded)
        return f"({wanted}) NOT ({excluded})"

    def tsquery(self) -> str:
        """Write it for PostgreSQL."""
        parts = ["(" + " | ".join(f"'{one}'" for one in group) + ")" for group in self.groups]
        for phrase in self.phrases:
            neighbours = " <-> ".join(f"'{one}'" for one in phrase.terms)
            parts.append("(" + neighbours + ":*" * phrase.begun + ")")
        parts = parts or ["'_all'"]
        parts += [f"!'{one}'" for one in self.excluded]
        return " & ".join(parts)


@dataclass(frozen=True)
class Question:
    """What is looked for, and among which entries; on PostgreSQL no further than the last one."""

    match: Match
    span: Span

    def among(self, part: Span) -> Question:
        """Give the same for a part of the span."""
        return replace(self, span=part)


def walk(session: Session, question: Question, *, ascending: bool) -> Iterator[int]:
    """Give the numbers of the entries that match, in order, asking no further than is needed."""
    if not index.is_postgresql(session):
        yield from _in_order(session, question, ascending=ascending)
        return
    # A GIN index gives all that match or nothing, and in no order. So what is asked of it at once
    # must be little: ever longer pieces, and what holds too much of them in pieces again.
    for piece in question.span.pieces(ascending=ascending):
        part = question.among(piece)
        if piece.small:
            yield from _in_order(session, part, ascending=ascending)
            continue
        found = _fetch(session, part, HITS_AT_ONCE + 1)
        if len(found) > HITS_AT_ONCE:
            yield from walk(session, part, ascending=ascending)
        else:
            yield from sorted(found, reverse=not ascending)


def _in_order(session: Session, question: Question, *, ascending: bool) -> Iterator[int]:
    rest, size = question.span, FIRST
    while not rest.empty:
        numbers = _fetch(session, question.among(rest), size, ascending=ascending)
        yield from numbers
        if len(numbers) < size:
            return
        last = numbers[-1]
        rest = rest.within(last + 1, span.NO_END) if ascending else rest.within(0, last)
        size = FURTHER


def _fetch(
    session: Session, question: Question, size: int, *, ascending: bool | None = None
) -> list[int]:
    """Ask the index for numbers of entries. ascending : None for any order"""
    seq = _number(session)
    statement = _matching(session, question, seq).limit(size)
    if ascending is not None:
        statement = statement.order_by(seq.asc() if ascending else seq.desc())
    return [int(one) for one in session.connection().execute(statement).scalars()]


def counts(session: Session, questions: Sequence[Question], most: int) -> list[int]:
    """Count what matches each, at most one more than `most`."""
    found = [0] * len(questions)
    left = dict(enumerate(questions))
    stages = (*COUNTED_AMONG, None) if index.is_postgresql(session) else (None,)
    for length in stages:
        asked: dict[int, Question] = {}
        rest: dict[int, Question] = {}
        for place, question in left.items():
            whole = question.span
            border = whole.low if length is None else _border(whole.high - length)
            asked[place] = question.among(whole.within(border, span.NO_END))
            rest[place] = question.among(whole.within(0, border))
        for place, count in _counted(session, asked, most):
            found[place] = min(most + 1, found[place] + count)
        left = {
            place: question
            for place, question in rest.items()
            if found[place] <= most and not question.span.empty
        }
    return found


def _border(number: int) -> int:
    """Move a number to where a middle block begins, so that few blocks hold what follows."""
    return max(0, number >> index.BLOCKS[1] << index.BLOCKS[1])


def _counted(
    session: Session, questions: dict[int, Question], most: int
) -> Iterator[tuple[int, int]]:
    """Count many in one statement, from the index alone: the terms say who sees what."""
    places = list(questions)
    for first in range(0, len(places), COUNTS_AT_ONCE):
        some = places[first : first + COUNTS_AT_ONCE]
        each = []
        for place in some:
            inner = _matching(session, questions[place], literal(1).label("one"))
            limited = inner.limit(most + 1).subquery()
            each.append(select(func.count()).select_from(limited).scalar_subquery())
        told = session.connection().execute(select(*each)).one()
        yield from zip(some, (int(one) for one in told), strict=True)


@contextmanager
def by_terms(session: Session) -> Iterator[None]:
    """Have PostgreSQL ask the index of terms, whatever it expects to find.

    Where many hits are expected it would rather read entries from the oldest on until there are
    enough; of two terms that exclude each other, open and archived, that is every one.
    """
    if not index.is_postgresql(session) or session.info.get("by_terms"):
        yield
        return
    before = _plan(session, PLANS)
    session.info["by_terms"] = True
    try:
        yield
    finally:
        session.info.pop("by_terms")
    # After an error the transaction ends, and these with it.
    _plan(session, before)


def _plan(session: Session, wanted: dict[str, str]) -> dict[str, str]:
    """Set what the planner goes by until the transaction ends, and give what it was."""
    connection = session.connection()
    shown = ", ".join(f"current_setting('{name}')" for name in wanted)
    chosen = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in wanted.items())
    row = connection.execute(text(f"SELECT {shown}, {chosen}")).one()
    return dict(zip(wanted, row, strict=False))


def _number(session: Session) -> Any:
    """Give the column that orders the index: an order by any other would be a sort."""
    return col(Entry.seq) if index.is_postgresql(session) else FTS.c.rowid


def _matching(session: Session, question: Question, what: Any) -> Any:
    """Select from the index alone."""
    match, part = question.match, question.span
    wanted: Any
    if index.is_postgresql(session):
        blocks = part.blocks()
        inside = replace(match, groups=(*match.groups, blocks)) if blocks else match
        wanted = cast(bindparam(None, inside.tsquery()), TSQUERY)
        statement = select(what).select_from(Entry).where(col(Entry.terms).op("@@")(wanted))
        # Were it the bare column, the planner would read all entries between the two.
        number = col(Entry.seq) + 0
    else:
        wanted = bindparam(None, match.fts5())
        statement = select(what).select_from(FTS).where(literal_column(TABLE).op("MATCH")(wanted))
        number = FTS.c.rowid
    if part.low > 0:
        statement = statement.where(number >= part.low)
    if part.high < span.NO_END:
        statement = statement.where(number < part.high)
    return statement.where(number.not_in(part.without)) if part.without else statement
