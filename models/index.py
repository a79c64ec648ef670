"""The inverted index over what was said and over everything that a complaint is filtered by.

A filter's value ("held in 5101", "status ready", "shown to this account") is a term like a word. On
SQLite the index is FTS5, on PostgreSQL a GIN index over the same terms.

Whoever changes a complaint, a medium or a transcript through a session keeps the index right
without knowing of it: `watch` renews the entry in the same transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
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

from models import clocks, division, masking, terms
from models.complaint import Complaint
from models.medium import Medium, Purpose
from models.status import CLOSED
from models.transcript import Transcript

TABLE = "complaint_terms"
FTS = table(TABLE, column("rowid", Integer))
# Raised when entries are written otherwise than before; a database of another is written anew.
VERSION = "4"
REBUILT_AT_ONCE = 500
INDEXED = ("complaint_id", "kind", "purpose", "text", "page")  # of a medium
LOW = 0.7
# PostgreSQL's index knows no order. So each entry also has a term for each block of neighbours
# that it lies in, by which the newest can be asked for first: 131,072, 16,384 and 2,048 entries.
BLOCKS = (17, 14, 11)
# When something is due is told by the day and by ever longer stretches of days, up to 256.
DUE_LEVELS = range(9)
# What PostgreSQL keeps of one tsvector.
_POSITIONS = 14_000
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


def renew(session: Session, complaint_id: UUID) -> None:
    """Write a complaint's entry anew from what its tables say now."""
    complaint = session.get(Complaint, complaint_id)
    if complaint is None:
        return
    entry = session.exec(select(Entry).where(Entry.complaint_id == complaint_id)).first()
    wanted = _written(session, complaint)
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
    now_wanted = in_blocks(seq, wanted)
    connection.execute(
        update(Entry)
        .where(col(Entry.seq) == seq, col(Entry.terms) != now_wanted)
        .values(terms=now_wanted)
    )


def rebuild(engine: Engine) -> int:
    """Write every entry anew, oldest first, and give how many there are; others may go on working.

    What is right already costs a comparison: one that was interrupted is simply begun again.
    """
    done, last = 0, -1
    while True:
        with Session(engine, expire_on_commit=False) as session:
            rows = session.exec(
                select(Entry.seq, Entry.complaint_id)
                .where(col(Entry.seq) > last)
                .order_by(col(Entry.seq))
                .limit(REBUILT_AT_ONCE)
            ).all()
            for seq, complaint_id in rows:
                renew(session, complaint_id)
                last = seq or 0
            session.commit()
        done += len(rows)
        if len(rows) < REBUILT_AT_ONCE:
            return done


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


def _written(session: Session, complaint: Complaint) -> str:
    """Write the terms of a complaint: its filters first, then its words."""
    media = session.exec(select(Medium).where(Medium.complaint_id == complaint.id)).all()
    media = [medium for medium in media if medium.purpose is not Purpose.IDENTITY]
    transcripts = session.exec(
        select(Transcript).where(col(Transcript.medium_id).in_([medium.id for medium in media]))
    ).all()
    newest: dict[UUID, Transcript] = {}
    for transcript in sorted(transcripts, key=lambda one: one.version):
        newest[transcript.medium_id] = transcript
    masker = masking.read(complaint.masks, media, transcripts)
    texts = [
        complaint.title,
        complaint.description,
        complaint.subject_name,
        complaint.subject_unit,
        complaint.subject_post,
        complaint.place,
        *(str(one.get("text", "")) for one in complaint.translations),
    ]
    for medium in media:
        read = newest.get(medium.id)
        texts.append(masking.passage_text(medium, read))
        if read is not None:
            texts.append(" ".join(segment.tidy for segment in read.read_segments()))
    return written(complaint, [masker.hide(one) for one in dict.fromkeys(texts) if one])


def written(complaint: Complaint, texts: Sequence[str]) -> str:
    """Write what the index holds for a complaint with these texts."""
    words: list[str] = []
    heads: set[str] = set()
    for one in texts:
        said, begun = terms.read(one)
        heads |= begun
        words += said
        words.append("_")  # no phrase reaches from one text into the next
    return " ".join([*tags(complaint), *sorted(heads), *words[:_POSITIONS]])


def tags(complaint: Complaint) -> list[str]:
    """Give the terms of everything that a complaint can be filtered or shown by."""
    shared = division.prefix(complaint.held_by)
    found = [
        "_all",
        terms.tag("s", complaint.status.value),
        terms.tag("c", complaint.channel_code),
        terms.tag("u", complaint.subject_unit_code or complaint.subject_unit),
        terms.tag("uc", complaint.subject_unit_code or ""),
        terms.tag("d", complaint.domain),
        terms.tag("k", complaint.conduct),
        terms.tag("m", complaint.medium.value),
        terms.tag("r", complaint.round),
        terms.tag("a", complaint.assignee_id or ""),
        *(terms.tag("h", shared[:end]) for end in range(2, len(shared) + 1, 2)),
        *(terms.tag("x", account) for account in complaint.shut_out),
    ]
    if complaint.status not in CLOSED:
        day = clocks.midnight(complaint.due_at).toordinal()
        found += ["_open", *(_due(level, day) for level in DUE_LEVELS)]
    if is_low(complaint):
        found.append("_low")
    if complaint.upward_only:
        found.append(terms.tag("up", complaint.jurisdiction))
    heard = {complaint.language, *(str(one.get("tag", "")) for one in complaint.languages)}
    for language in heard:
        parts = language.split("-")
        found += [terms.tag("l", "-".join(parts[: n + 1])) for n in range(len(parts))]
    if complaint.declared_language:
        found.append(terms.tag("ld", complaint.declared_language))
    return list(dict.fromkeys(found))


def is_low(complaint: Complaint) -> bool:
    """Tell whether the machine was unsure of the language, the domain or the conduct."""
    languages = [float(one.get("confidence", 0)) for one in complaint.languages]
    sources = complaint.provenance
    fields = [
        float(source.get("confidence", 0))
        for name in ("domain", "conduct")
        for source in sources.get(name, ())
    ]
    return any(confidence < LOW for confidence in [*languages, *fields])


def due_from(moment: datetime) -> tuple[str, ...]:
    """Give the terms of what is due on a moment's day or later; no clock runs for a year."""
    here, found = clocks.midnight(moment).toordinal(), []
    for _ in range(len(DUE_LEVELS) + 2):
        level = max(one for one in DUE_LEVELS if here % (1 << one) == 0)
        found.append(_due(level, here))
        here += 1 << level
    return tuple(found)


def _due(level: int, day: int) -> str:
    """Give the term of the 2 ** level days that a day lies in: few terms then say "from then"."""
    return terms.tag("due", f"{level}x{day >> level}")


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
