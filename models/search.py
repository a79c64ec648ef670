"""Finding complaints: one inverted index over what was said and over every filter.

A filter's value ("held in 5101", "status ready", "shown to this account") is a term like a word, so
any combination of filters and words is an intersection of posting lists, and the newest fifty come
off the end of it, whether a word is in three reports or in 700,000. On SQLite the index is FTS5, on
PostgreSQL a GIN index over the same terms. The terms only narrow down: what an account sees is
decided by `models.access.visible` on the row itself.

Whoever changes a complaint, a medium or a transcript through a session keeps the index right
without knowing of it: `watch` renews the entry in the same transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    Uuid,
    column,
    event,
    func,
    literal,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, Session, SQLModel, col, select

from models import access, division, masking, terms
from models.account import Account, Role
from models.complaint import Complaint
from models.medium import Medium, Purpose
from models.status import Status
from models.transcript import UNKNOWN_LANGUAGE, Transcript

TABLE = "complaint_terms"
PAGE = 50
EXACT = 1_000
# On PostgreSQL the newest are looked through first; a search that finds fewer than a page there is
# rare enough for the GIN index to be quick.
WINDOW = 4_000
LOW = 0.7
CLOSED = frozenset({Status.CONCLUDED, Status.ARCHIVED, Status.WITHDRAWN})
# What PostgreSQL keeps of one tsvector.
_POSITIONS = 16_000
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


@dataclass(frozen=True)
class _Match:
    """An expression over terms: of each group one, all phrases, and none of the excluded."""

    groups: tuple[tuple[str, ...], ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    conditions: tuple[ColumnElement[bool], ...] = field(default=())

    def fts5(self) -> str:
        """Write it for SQLite. Every complaint has the term `_all`."""
        parts = ["(" + " OR ".join(f'"{one}"' for one in group) + ")" for group in self.groups]
        parts += [f'"{" ".join(phrase)}" *' for phrase in self.phrases]
        wanted = " AND ".join(parts or ['"_all"'])
        if not self.excluded:
            return wanted
        excluded = " OR ".join(f'"{one}"' for one in self.excluded)
        return f"({wanted}) NOT ({excluded})"

    def tsquery(self) -> str:
        """Write it for PostgreSQL."""
        parts = ["(" + " | ".join(f"'{one}'" for one in group) + ")" for group in self.groups]
        for phrase in self.phrases:
            *head, last = phrase
            parts.append("(" + " <-> ".join([*(f"'{one}'" for one in head), f"'{last}':*"]) + ")")
        parts += [f"!'{one}'" for one in self.excluded]
        return " & ".join(parts or ["'_all'"])


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
    seen = [access.visible(account), *match.conditions]
    seq = _seq(session)
    bounds = _bounds(session, query)
    if before is not None:
        bounds.append(seq < before)
    rows = _rows(session, match, seen, bounds, size + 1)
    following = rows[size - 1][0] if len(rows) > size else None
    return Page(tuple(complaint for _, complaint in rows[:size]), following)


def neighbours(
    session: Session, account: Account, query: Query, complaint_id: UUID
) -> tuple[UUID | None, UUID | None]:
    """Give the complaints newer and older than one, for going on without going back to the list."""
    here = session.exec(select(Entry.seq).where(Entry.complaint_id == complaint_id)).first()
    if here is None:
        return None, None
    older = find(session, account, query, before=here, size=1).complaints
    match = _match(account, query)
    seen = [access.visible(account), *match.conditions]
    newer = _rows(session, match, seen, [_seq(session) > here], 1, ascending=True)
    return (newer[0][1].id if newer else None, older[0].id if older else None)


def count(session: Session, account: Account, query: Query, most: int = EXACT) -> int:
    """Count what a query finds, at most one more than `most`."""
    match = _match(account, query)
    if match.conditions:
        seen = [access.visible(account), *match.conditions]
        inner = _joined(session, match, literal(1), seen, _bounds(session, query))
    else:
        # Without conditions on the row, the terms alone say who sees what.
        inner = _matching(session, match, literal(1))
    counted = select(func.count()).select_from(inner.limit(most + 1).subquery())
    return int(session.connection().execute(counted).scalar_one())


def tally(
    session: Session, account: Account, query: Query, name: str, values: Iterable[str]
) -> dict[str, int]:
    """Count for each value of a filter what choosing it would show, other filters kept."""
    return {value: count(session, account, query.but(**{name: (value,)})) for value in values}


def renew(session: Session, complaint_id: UUID) -> None:
    """Write a complaint's entry anew from what its tables say now."""
    complaint = session.get(Complaint, complaint_id)
    if complaint is None:
        return
    entry = session.exec(select(Entry).where(Entry.complaint_id == complaint_id)).first()
    written = _written(session, complaint)
    if entry is None:
        entry = Entry(complaint_id=complaint_id, terms=written)
        session.add(entry)
        session.flush()
    elif entry.terms == written:
        return
    else:
        _remove(session, entry)
        entry.terms = written
        session.flush()
    add_terms(session, [(entry.seq or 0, written)])


def add_terms(session: Session, entries: Sequence[tuple[int, str]]) -> None:
    """Put the terms of new entries into FTS5; PostgreSQL has them in the entries themselves."""
    if entries and not _is_postgresql(session):
        session.connection().execute(
            text(f"INSERT INTO {TABLE}(rowid, terms) VALUES (:seq, :terms)"),
            [{"seq": seq, "terms": terms_written} for seq, terms_written in entries],
        )


def forget(session: Session, complaint_id: UUID) -> None:
    """Take a complaint out of the index before it is deleted."""
    entry = session.exec(select(Entry).where(Entry.complaint_id == complaint_id)).first()
    if entry is not None:
        _remove(session, entry)
        session.delete(entry)


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
            noted[row.complaint_id] = None
        elif isinstance(row, Transcript):
            medium = session.get(Medium, row.medium_id)
            if medium is not None:
                noted[medium.complaint_id] = None


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
    for one in texts:
        words += terms.of(one)
        words.append("_")  # no phrase reaches from one text into the next
    return " ".join([*tags(complaint), *words[:_POSITIONS]])


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
        found.append("_open")
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


def _match(account: Account, query: Query) -> _Match:
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
    if query.open_only or query.overdue_at is not None:
        groups.append(("_open",))
    phrases = terms.phrases(query.words)
    if query.words.strip() and not phrases:
        groups.append(("_none",))
    return _Match(tuple(groups), tuple(phrases), tuple(excluded), tuple(_conditions(query)))


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


def _bounds(session: Session, query: Query) -> list[ColumnElement[bool]]:
    """Turn the last day into a number of an entry, so that a search among old reports starts there.

    Entries are numbered as they are first written, a little after the report came in.
    """
    if query.until is None:
        return []
    last = session.exec(
        select(Entry.seq)
        .join(Complaint, col(Complaint.id) == col(Entry.complaint_id))
        .where(col(Complaint.received_at) >= query.until)
        .order_by(col(Complaint.received_at), col(Complaint.id))
        .limit(1)
    ).first()
    return [] if last is None else [_seq(session) < last + EXACT]


def _rows(
    session: Session,
    match: _Match,
    seen: Sequence[ColumnElement[bool]],
    bounds: Sequence[ColumnElement[bool]],
    size: int,
    *,
    ascending: bool = False,
) -> list[tuple[int, Complaint]]:
    """Fetch complaints that match, in the order of their entries."""
    seq = _seq(session)
    order = seq.asc() if ascending else seq.desc()
    if not _is_postgresql(session):
        statement = _joined(session, match, seq, seen, bounds, whole=True)
        return _fetched(session, statement.order_by(order).limit(size))
    # The planner guesses badly how many entries hold a rare pair of common terms, and then sorts
    # half the table. So: look through the newest first, and ask the index only for what is rare.
    rows: list[tuple[int, Complaint]] = []
    edge = (
        session.connection()
        .execute(select(col(Entry.seq)).where(*bounds).order_by(order).limit(1))
        .scalar()
    )
    if edge is None:
        return rows
    near = seq < edge + WINDOW if ascending else seq > edge - WINDOW
    statement = _joined(session, match, seq, seen, [*bounds, near], whole=True)
    rows = _fetched(session, statement.order_by(order).limit(size))
    if len(rows) == size:
        return rows
    hits = (
        select(col(Entry.seq).label("seq"), col(Entry.complaint_id).label("complaint_id"))
        .where(_holds(session, match), *bounds)
        .cte("hits")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    everything = (
        select(hits.c.seq, Complaint)
        .join(Complaint, col(Complaint.id) == hits.c.complaint_id)
        .where(*seen)
        .order_by(hits.c.seq.asc() if ascending else hits.c.seq.desc())
        .limit(size)
    )
    return _fetched(session, everything)


def _fetched(session: Session, statement: Any) -> list[tuple[int, Complaint]]:
    return [(int(seq), complaint) for seq, complaint in session.execute(statement)]


_FTS = table(TABLE, column("rowid", Integer))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _seq(session: Session) -> Any:
    """Give the column that orders the index: an order by any other would be a sort."""
    return col(Entry.seq) if _is_postgresql(session) else _FTS.c.rowid


def _holds(session: Session, match: _Match) -> ColumnElement[bool]:
    if _is_postgresql(session):
        return text("search_entry.terms @@ CAST(:matching AS tsquery)").bindparams(  # type: ignore[return-value]
            matching=match.tsquery()
        )
    return text(f"{TABLE} MATCH :matching").bindparams(matching=match.fts5())  # type: ignore[return-value]


def _matching(session: Session, match: _Match, what: Any) -> Any:
    """Select from the index alone."""
    index = Entry if _is_postgresql(session) else _FTS
    return select(what).select_from(index).where(_holds(session, match))


def _joined(
    session: Session,
    match: _Match,
    what: Any,
    seen: Sequence[ColumnElement[bool]],
    bounds: Sequence[ColumnElement[bool]],
    *,
    whole: bool = False,
) -> Any:
    """Select from the index joined to the complaints. whole : with the complaint itself."""
    columns = (what, Complaint) if whole else (what,)
    statement = select(*columns)
    if _is_postgresql(session):
        statement = statement.select_from(Entry)
    else:
        statement = statement.select_from(_FTS).join(Entry, col(Entry.seq) == _FTS.c.rowid)
    return statement.join(Complaint, col(Complaint.id) == col(Entry.complaint_id)).where(
        _holds(session, match), *seen, *bounds
    )


def _remove(session: Session, entry: Entry) -> None:
    """Take an entry's terms out of FTS5, which must be told what they were."""
    if not _is_postgresql(session):
        session.connection().execute(
            text(f"INSERT INTO {TABLE}({TABLE}, rowid, terms) VALUES ('delete', :seq, :terms)"),
            {"seq": entry.seq, "terms": entry.terms},
        )


def _vector(terms_written: str) -> str:
    """Write terms as a tsvector with their places. No term holds a quote or a backslash."""
    places: dict[str, list[int]] = {}
    for place, term in enumerate(terms_written.split(), start=1):
        if term != "_":
            places.setdefault(term, []).append(place)
    return " ".join(
        f"'{term}':{','.join(map(str, at[:_PLACES_A_TERM]))}" for term, at in places.items()
    )
