"""The inverted index over what was said and over everything that a complaint is filtered by.

A filter's value ("held in 5101", "status ready", "shown to this account") is a term like a word. On
SQLite the index is FTS5, on PostgreSQL a GIN index over the same terms.

Whoever changes a complaint, a medium or a transcript through a session keeps the index right
without knowing of it: `watch` renews the entry in the same transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    Uuid,
    bindparam,
    column,
    event,
    inspect,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, Session, SQLModel, col, select

from models import indexed, terms
from models.complaint import Complaint
from models.medium import Medium
from models.transcript import Transcript

TABLE = "complaint_terms"
FTS = table(TABLE, column("rowid", Integer))
# Raised when entries are written otherwise than before; a database of another is written anew.
VERSION = "4"
REBUILT_AT_ONCE = 500
INDEXED = ("complaint_id", "kind", "purpose", "text", "page")  # of a medium
# PostgreSQL's index knows no order. So each entry also has a term for each block of neighbours
# that it lies in, by which the newest can be asked for first: 131,072, 16,384 and 2,048 entries.
BLOCKS = (17, 14, 11)
# What PostgreSQL keeps of one term.
_PLACES_A_TERM = 255


class Terms(TypeDecorator[str]):
    """The terms of one complaint: compressed text on SQLite, a tsvector on PostgreSQL."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        kind = TSVECTOR() if dialect.name == "postgresql" else LargeBinary()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return _vector(value) if dialect.name == "postgresql" else zlib.compress(value.encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None or dialect.name == "postgresql":
            return None if value is None else str(value)
        return zlib.decompress(value).decode()


class Entry(SQLModel, table=True):
    """One complaint in the index. seq : in the order that they came in, so a page ends at one."""

    __tablename__ = "search_entry"
    seq: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    complaint_id: UUID = Field(
        sa_column=Column(
            Uuid, ForeignKey("complaint.id", ondelete="CASCADE"), unique=True, nullable=False
        )
    )
    terms: str = Field(sa_column=Column(Terms, nullable=False))


_STORED_AGAIN = (
    update(Entry)
    .where(
        col(Entry.seq) == bindparam("at"),
        col(Entry.terms) != bindparam("wanted", type_=Terms()),
    )
    .values(terms=bindparam("wanted", type_=Terms()))
)


def renew(session: Session, complaint_id: UUID) -> None:
    """Write a complaint's entry anew from what its tables say now."""
    complaint = session.get(Complaint, complaint_id)
    if complaint is None:
        return
    entry = session.exec(select(Entry).where(Entry.complaint_id == complaint_id)).first()
    wanted = indexed.read(session, [complaint])[complaint_id]
    if is_postgresql(session):
        _store(session, complaint_id, entry.seq if entry is not None else None, wanted)
        return
    if entry is None:
        entry = Entry(complaint_id=complaint_id, terms=wanted)
        session.add(entry)
        session.flush()
        add_terms(session, [(entry.seq or 0, wanted)])
    elif entry.terms != wanted:
        replace(session, entry, wanted)


def replace(session: Session, entry: Entry, wanted: str) -> None:
    """Put other terms in place of an entry's on SQLite: FTS5 must be told what it is to forget."""
    session.connection().execute(
        text(f"INSERT INTO {TABLE}({TABLE}, rowid, terms) VALUES ('delete', :seq, :terms)"),
        {"seq": entry.seq, "terms": entry.terms},
    )
    entry.terms = wanted
    session.flush()
    add_terms(session, [(entry.seq or 0, wanted)])


def _store(session: Session, complaint_id: UUID, seq: int | None, wanted: str) -> None:
    """Write an entry of PostgreSQL once, and not at all where it says the same already."""
    connection = session.connection()
    if seq is None:
        following = text("SELECT nextval(pg_get_serial_sequence('search_entry', 'seq'))")
        seq = int(connection.execute(following).scalar_one())
        session.add(Entry(seq=seq, complaint_id=complaint_id, terms=in_blocks(seq, wanted)))
        session.flush()
        return
    _store_again(session, [(seq, wanted)])


def rebuild(engine: Engine) -> int:
    """Write every entry anew, oldest first, and give how many there are; others may go on working.

    Who changes a complaint meanwhile waits for its entry, for what is read here may be older than
    the change. What is right already costs a comparison: one that was interrupted is simply begun
    again.
    """
    done, last = 0, -1
    while True:
        with Session(engine, expire_on_commit=False) as session:
            rows = session.exec(
                select(Entry.seq, Complaint)
                .join(Complaint, col(Complaint.id) == col(Entry.complaint_id))
                .where(col(Entry.seq) > last)
                .order_by(col(Entry.seq))
                .limit(REBUILT_AT_ONCE)
                .with_for_update(of=Entry)
            ).all()
            wanted = indexed.read(session, [complaint for _, complaint in rows])
            said = [(seq or 0, wanted[complaint.id]) for seq, complaint in rows]
            if is_postgresql(session):
                _store_again(session, said)
            else:
                _replace_others(session, dict(said))
            session.commit()
        done += len(rows)
        if len(rows) < REBUILT_AT_ONCE:
            return done
        last = rows[-1][0] or 0


def _replace_others(session: Session, wanted: dict[int, str]) -> None:
    """Put what is wanted in place of entries on SQLite that say otherwise."""
    for one in session.exec(select(Entry).where(col(Entry.seq).in_(wanted))):
        if one.terms != wanted[one.seq or 0]:
            replace(session, one, wanted[one.seq or 0])


def _store_again(session: Session, said: Sequence[tuple[int, str]]) -> None:
    """Write entries of PostgreSQL, in one statement, that say otherwise."""
    if said:
        session.connection().execute(
            _STORED_AGAIN, [{"at": seq, "wanted": in_blocks(seq, one)} for seq, one in said]
        )


def add_terms(session: Session, entries: Sequence[tuple[int, str]]) -> None:
    """Put the terms of new entries into FTS5; PostgreSQL has them in the entries themselves."""
    if entries and not is_postgresql(session):
        session.connection().execute(
            text(f"INSERT INTO {TABLE}(rowid, terms) VALUES (:seq, :terms)"),
            [{"seq": seq, "terms": terms_written} for seq, terms_written in entries],
        )


def in_blocks(seq: int, terms_written: str) -> str:
    """Add the terms of the blocks that an entry lies in."""
    return " ".join([*(block(size, seq >> size) for size in BLOCKS), terms_written])


def block(size: int, number: int) -> str:
    """Give the term of a block of 2 ** size entries."""
    return terms.tag("b", f"{size}x{number}")


def watch() -> None:
    """Keep the index right in every session of this process, from now on."""
    if not event.contains(OrmSession, "after_flush", _note):
        event.listen(OrmSession, "after_flush", _note)
        event.listen(OrmSession, "before_commit", _renew_noted)


def _note(session: OrmSession, _: object) -> None:
    noted: dict[UUID, None] = session.info.setdefault("search", {})
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Complaint):
            noted[row.id] = None
        elif isinstance(row, Medium):
            if row in session.new or _says_otherwise(row):
                noted[row.complaint_id] = None
        elif isinstance(row, Transcript):
            medium = session.get(Medium, row.medium_id)
            if medium is not None:
                noted[medium.complaint_id] = None


def _says_otherwise(medium: Medium) -> bool:
    """Tell whether what the index holds of a medium changed: a count of attempts is not in it."""
    changed = inspect(medium).attrs
    return any(changed[name].history.has_changes() for name in INDEXED)


def _renew_noted(session: OrmSession) -> None:
    if not isinstance(session, Session):
        return
    session.flush()
    for complaint_id in session.info.pop("search", ()):
        renew(session, complaint_id)
    session.flush()
    session.info.pop("search", None)


def is_postgresql(session: Session) -> bool:
    """Tell which of the two databases this is."""
    return session.get_bind().dialect.name == "postgresql"


def _vector(terms_written: str) -> str:
    """Write terms as a tsvector with their places. No term holds a quote or a backslash."""
    places: dict[str, list[int]] = {}
    for place, term in enumerate(terms_written.split(), start=1):
        if term != "_":
            places.setdefault(term, []).append(place)
    return " ".join(
        f"'{term}':{','.join(map(str, at[:_PLACES_A_TERM]))}" for term, at in places.items()
    )
