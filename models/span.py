"""A stretch of the search index: entries between two numbers, parted into pieces and blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from models import index
from models.complaint import Complaint
from models.index import Entry

NO_END = 2**62
# Entries are numbered as they are first written, a little after the report came in.
OUT_OF_ORDER = 1_000


@dataclass(frozen=True)
class Span:
    """Numbers of entries, the last one excluded. without : some between that do not belong to it"""

    low: int = 0
    high: int = NO_END
    without: tuple[int, ...] = ()

    def within(self, low: int, high: int) -> Span:
        """Give the part that lies between two numbers."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))

    @property
    def empty(self) -> bool:
        return self.low >= self.high

    @property
    def small(self) -> bool:
        """Tell whether everything in it can be asked for at once, whatever matches."""
        return self.high - self.low <= shortest()

    def pieces(self, *, ascending: bool) -> Iterator[Span]:
        """Part it from one end on at borders of blocks, each piece twice as long as the last.

        So whoever stops at what he looked for has looked through little more than he had to.
        """
        rest, length = self, shortest()
        while not rest.empty:
            size = max(one for one in index.BLOCKS if 1 << one <= length)
            if ascending:
                border = (rest.low + length) >> size << size
                yield rest.within(0, border)
                rest = rest.within(border, NO_END)
            else:
                border = (rest.high - length + (1 << size) - 1) >> size << size
                yield rest.within(border, NO_END)
                rest = rest.within(0, border)
            length *= 2

    def blocks(self) -> tuple[str, ...]:
        """Give the terms of the fewest blocks of neighbours that hold all of it."""
        smallest = index.BLOCKS[-1]
        here, found = self.low >> smallest << smallest, []
        while here < self.high:
            size = next(
                one
                for one in index.BLOCKS
                if one == smallest or (here % (1 << one) == 0 and here + (1 << one) <= self.high)
            )
            found.append(index.block(size, here >> size))
            here += 1 << size
        return tuple(found)


def shortest() -> int:
    """Give how many entries the first piece of a span holds."""
    return 2 << index.BLOCKS[-1]


def end(session: Session) -> int:
    """Give the number after the last entry."""
    last = session.exec(select(Entry.seq).order_by(col(Entry.seq).desc()).limit(1)).first()
    return (last or 0) + 1


def of_dates(session: Session, since: datetime | None, until: datetime | None) -> Span:
    """Give the entries of what came in between two moments, so that a search starts there."""
    span = Span()
    if since is not None and until is not None and since >= until:
        return Span(0, 0)
    if since is not None:
        low = session.exec(select(func.min(Entry.seq)).select_from(_after(since))).one()
        if low is None:
            return Span(0, 0)
        span = _lacking(session, span.within(low, NO_END), _before(since))
    if until is not None:
        last = session.exec(select(func.max(Entry.seq)).select_from(_before(until))).one()
        if last is None:
            return Span(0, 0)
        span = _lacking(session, span.within(0, last + 1), _after(until))
    return span


def _lacking(session: Session, span: Span, neighbours: Any) -> Span:
    """Leave out of a span those neighbours that lie in it but came in on the other side."""
    # Were it the bare column, a planner might read all entries of the span.
    number = col(Entry.seq) + 0
    strays = session.exec(
        select(Entry.seq).select_from(neighbours).where(number >= span.low, number < span.high)
    )
    return replace(span, without=(*span.without, *(seq for seq in strays if seq is not None)))


def _before(moment: datetime) -> Any:
    """Join entries with the last complaints that came in before a moment."""
    newest = col(Complaint.received_at).desc(), col(Complaint.id).desc()
    return _joined(select(Complaint.id).where(Complaint.received_at < moment).order_by(*newest))


def _after(moment: datetime) -> Any:
    """Join entries with the first complaints that came in at a moment or after it."""
    oldest = col(Complaint.received_at), col(Complaint.id)
    return _joined(select(Complaint.id).where(Complaint.received_at >= moment).order_by(*oldest))


def _joined(ids: Any) -> Any:
    near = ids.limit(OUT_OF_ORDER).subquery()
    return near.join(Entry, col(Entry.complaint_id) == near.c.id)
