"""Which entries of the index match: asked of either database's, and never further than needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, text
from sqlmodel import Session, col, select

from models import index
from models.index import FTS, TABLE, Entry
from models.terms import Phrase

# What SQLite is asked for first, and then at a time.
FIRST, FURTHER = 51, 1_000
# So many PostgreSQL may fetch and sort at once; where there are more, block by block.
HITS_AT_ONCE = 600
NO_END = 2**62
# What PostgreSQL's planner would take instead of the index of terms.
PLANS = ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan")


@dataclass(frozen=True)
class Match:
    """An expression over terms: of each group one, all phrases, and none of the excluded.

    conditions : on `Complaint`, which the terms do not say quite exactly
    """

    groups: tuple[tuple[str, ...], ...] = ()
    phrases: tuple[Phrase, ...] = ()
    excluded: tuple[str, ...] = ()
    conditions: tuple[ColumnElement[bool], ...] = field(default=())

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

    def inside(self, block: str) -> Match:
        """Give the same within a block of neighbours."""
        return replace(self, groups=(*self.groups, (block,)))


@dataclass(frozen=True)
class Span:
    """Numbers of entries, the last one excluded."""

    low: int = 0
    high: int = NO_END

    def within(self, low: int, high: int) -> Span:
        """Give the part that lies between two numbers."""
        return Span(max(self.low, low), min(self.high, high))

    def __contains__(self, number: int) -> bool:
        return self.low <= number < self.high

    @property
    def empty(self) -> bool:
        return self.low >= self.high

    def blocks(self, size: int, *, ascending: bool) -> Iterator[tuple[int, Span]]:
        """Give the blocks of 2 ** size entries that it reaches into, with its part of each."""
        first, last = self.low >> size, (self.high - 1) >> size
        numbers = range(first, last + 1)
        for number in numbers if ascending else reversed(numbers):
            yield number, self.within(number << size, (number + 1) << size)


def walk(session: Session, match: Match, span: Span, *, ascending: bool) -> Iterator[int]:
    """Give the numbers of the entries that match, in order, asking no further than is needed.

    span : on PostgreSQL, no further than the last entry
    """
    if span.empty:
        return
    if index.is_postgresql(session):
        yield from _by_blocks(session, match, span, ascending=ascending)
        return
    size = FIRST
    while numbers := _fetch(session, match, span, size, ascending=ascending):
        yield from numbers
        last = numbers[-1]
        span = span.within(last + 1, NO_END) if ascending else span.within(0, last)
        if len(numbers) < size or span.empty:
            return
        size = FURTHER


def _by_blocks(session: Session, match: Match, span: Span, *, ascending: bool) -> Iterator[int]:
    """Walk through PostgreSQL's index: the nearest first, then all if that is little, else blocks.

    A GIN index gives all that match or nothing, so what is asked of it at once must be little: a
    rare word in the whole of it, a common one in a block at a time.
    """
    smallest = index.BLOCKS[-1]
    nearest = list(islice(span.blocks(smallest, ascending=ascending), 2))
    for number, part in nearest:
        yield from _divide(
            session, match, part, (), block=index.block(smallest, number), ascending=ascending
        )
    edge = nearest[-1][1]
    rest = span.within(edge.high, NO_END) if ascending else span.within(0, edge.low)
    if not rest.empty:
        yield from _divide(session, match, rest, index.BLOCKS, ascending=ascending)


def _divide(
    session: Session,
    match: Match,
    span: Span,
    sizes: Sequence[int],
    *,
    block: str = "",
    ascending: bool,
) -> Iterator[int]:
    """Fetch what matches in a span at once if it is little, else by smaller and smaller blocks.

    block : that the span is a part of. Asked for by number, PostgreSQL would read every entry of it
    """
    inside, asked = (match.inside(block), Span()) if block else (match, span)
    found = _fetch(session, inside, asked, HITS_AT_ONCE + 1 if sizes else None)
    if not sizes or len(found) <= HITS_AT_ONCE:
        yield from sorted((one for one in found if one in span), reverse=not ascending)
        return
    for number, part in span.blocks(sizes[0], ascending=ascending):
        smaller = index.block(sizes[0], number)
        yield from _divide(session, match, part, sizes[1:], block=smaller, ascending=ascending)


def _fetch(
    session: Session,
    match: Match,
    span: Span,
    size: int | None = None,
    *,
    ascending: bool = False,
) -> list[int]:
    """Ask the index for numbers of entries. SQLite's gives them in order, and stops at `size`."""
    seq = number_of(session)
    statement = matching(session, match, span, seq).limit(size)
    if not index.is_postgresql(session):
        statement = statement.order_by(seq.asc() if ascending else seq.desc())
    return [int(one) for one in session.connection().execute(statement).scalars()]


@contextmanager
def by_terms(session: Session) -> Iterator[None]:
    """Have PostgreSQL ask the index of terms, whatever it expects to find.

    Where many hits are expected it would rather read entries from the oldest on until there are
    enough; of two terms that exclude each other, open and archived, that is every one.
    """
    if not index.is_postgresql(session):
        yield
        return
    _plan(session, "off")
    yield
    # After an error the transaction ends, and these with it.
    _plan(session, "on")


def _plan(session: Session, state: str) -> None:
    chosen = ", ".join(f"set_config('{name}', '{state}', true)" for name in PLANS)
    session.connection().execute(text(f"SELECT {chosen}"))


def end(session: Session) -> int:
    """Give the number after the last entry."""
    last = session.exec(select(Entry.seq).order_by(col(Entry.seq).desc()).limit(1)).first()
    return (last or 0) + 1


def number_of(session: Session) -> Any:
    """Give the column that orders the index: an order by any other would be a sort."""
    return col(Entry.seq) if index.is_postgresql(session) else FTS.c.rowid


def matching(session: Session, match: Match, span: Span, what: Any) -> Any:
    """Select from the index alone."""
    if index.is_postgresql(session):
        holds = text("search_entry.terms @@ CAST(:matching AS tsquery)")
        statement = select(what).select_from(Entry)
        written = match.tsquery()
    else:
        holds = text(f"{TABLE} MATCH :matching")
        statement = select(what).select_from(FTS)
        written = match.fts5()
    seq = number_of(session)
    statement = statement.where(holds.bindparams(matching=written))
    if span.low > 0:
        statement = statement.where(seq >= span.low)
    if span.high < NO_END:
        statement = statement.where(seq < span.high)
    return statement
