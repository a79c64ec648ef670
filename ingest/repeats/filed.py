"""The index of reports in the database: one report is looked up and filed, whatever its number."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, insert, text
from sqlmodel import Session, col, select

from ingest import fingerprint
from ingest.repeats.bulk import LEAST_MARKS, LEAST_SHARED, MOST_OWNERS, SAME_BODY_CAP
from ingest.repeats.compare import Proposal, compare
from ingest.repeats.trace import (
    Entry,
    Facts,
    Trace,
    WideKeys,
    all_keys,
    body_keys,
    entry,
    hash_keys,
    sound_keys,
    text_keys,
)
from models.complaint import Repeat
from models.index import is_postgresql
from models.medium import CONTENT, Kind, Medium
from models.trace import StoredTrace, TraceKey

# The newest owners of each of many keys, by a statement that never changes and so is parsed once. A
# plain join would read all owners of a frequent key.
OWNERS_ON_POSTGRESQL = text(
    "SELECT wanted.key, found.trace "
    "FROM (SELECT CAST(value AS bigint) AS key FROM json_array_elements_text(CAST(:keys AS json)))"
    " AS wanted CROSS JOIN LATERAL (SELECT trace FROM repeat_key WHERE key = wanted.key "
    "ORDER BY trace DESC LIMIT :most) AS found"
)
OWNERS_ON_SQLITE = text(
    "SELECT wanted.value, found.value FROM json_each(:keys) AS wanted, json_each("
    "(SELECT json_group_array(trace) FROM (SELECT trace FROM repeat_key "
    "WHERE key = wanted.value ORDER BY trace DESC LIMIT :most))) AS found"
)


def file(session: Session, trace: Trace) -> tuple[Proposal, ...]:
    """Put a report into the index, anew if it is there, and propose what it may repeat.

    What a person decided stays; what the machine proposed before and no longer sees is dropped.
    Nothing but proposals is written: no report is changed.
    """
    one = entry(trace)
    put(session, [one])
    found = propose(session, one)
    _write(session, one.id, found)
    return found


def propose(session: Session, one: Entry) -> tuple[Proposal, ...]:
    """Propose what a report may repeat among those in the index, the likeliest first."""
    near, by_sound = _near(session, one)
    found = (
        compare(one, other, by_sound=seq in by_sound)
        for seq, other in _load(session, near)
        if other.id != one.id
    )
    proposals = [proposal for proposal in found if proposal is not None]
    return tuple(sorted(proposals, key=lambda each: (-each.score, str(each.other))))


def _near(session: Session, one: Entry) -> tuple[set[int], set[int]]:
    """Give the reports that share enough keys, and those that share enough of the sound's."""
    text, sound, same = text_keys(one), sound_keys(one), hash_keys(one)
    owners = _owners(session, np.concatenate([text, sound, same]), MOST_OWNERS + 1)
    by_sound = _sharing(owners, sound, LEAST_MARKS)
    near = by_sound | _sharing(owners, text, LEAST_SHARED) | _sharing(owners, same, 1)
    for those in _owners(session, body_keys(one), SAME_BODY_CAP + 1).values():
        near.update(those)
    return near, by_sound


def _sharing(owners: Mapping[int, Sequence[int]], keys: WideKeys, least: int) -> set[int]:
    """Give those that own at least so many of the keys; a key of too many says nothing."""
    each = (owners.get(key, ()) for key in keys.tolist())
    shared = Counter(owner for those in each if len(those) <= MOST_OWNERS for owner in those)
    return {owner for owner, times in shared.items() if times >= least}


def _owners(session: Session, keys: WideKeys, most: int) -> dict[int, list[int]]:
    """Give the reports of each key, the newest first, and no more than `most` of one key."""
    owners: dict[int, list[int]] = {}
    if len(keys):
        statement = OWNERS_ON_POSTGRESQL if is_postgresql(session) else OWNERS_ON_SQLITE
        wanted = {"keys": json.dumps(keys.tolist()), "most": most}
        for key, owner in session.connection().execute(statement, wanted):
            owners.setdefault(key, []).append(owner)
    return owners


def _load(session: Session, numbers: Iterable[int]) -> list[tuple[int, Entry]]:
    """Read reports of the index as they are compared, each with its `seq`."""
    wanted = sorted(numbers)
    if not wanted:
        return []
    rows = session.exec(select(StoredTrace).where(col(StoredTrace.seq).in_(wanted))).all()
    media = _recordings(session, [row.complaint_id for row in rows])
    return [(row.seq or 0, _stored(row, media.get(row.complaint_id, ()))) for row in rows]


def _stored(row: StoredTrace, recordings: Sequence[tuple[str, bytes]]) -> Entry:
    return Entry(
        id=row.complaint_id,
        jurisdiction=row.jurisdiction,
        sketch=np.frombuffer(row.sketch, dtype="<u4"),
        runs=row.runs,
        facts=Facts.model_validate(row.facts, strict=False),
        hashes=frozenset(content for content, _ in recordings),
        marks=tuple(fingerprint.read(marks) for _, marks in recordings if marks),
    )


def _recordings(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[tuple[str, bytes]]]:
    """Give keyed hash and fingerprint of every recording, by report."""
    found: dict[UUID, list[tuple[str, bytes]]] = {}
    rows = session.exec(
        select(Medium.complaint_id, Medium.content_hash, Medium.fingerprint).where(
            col(Medium.complaint_id).in_(ids),
            col(Medium.kind) != Kind.TEXT,
            col(Medium.purpose).in_(CONTENT),
        )
    )
    for complaint_id, content, marks in rows:
        found.setdefault(complaint_id, []).append((content, marks or b""))
    return found


def _blank(complaint_id: UUID) -> StoredTrace:
    return StoredTrace(complaint_id=complaint_id, jurisdiction="", sketch=b"", runs=0, facts={})


def put(session: Session, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Put reports into the index, or their newest state in place of what is there; give them."""
    ids = [one.id for one in entries]
    rows = session.exec(select(StoredTrace).where(col(StoredTrace.complaint_id).in_(ids))).all()
    stored = {row.complaint_id: row for row in rows}
    known = {one.id: _keys(one) for _, one in _load(session, [row.seq or 0 for row in rows])}
    for one in entries:
        row = stored.setdefault(one.id, _blank(one.id))
        row.jurisdiction = one.jurisdiction
        row.sketch, row.runs = one.sketch.astype("<u4").tobytes(), one.runs
        row.facts = one.facts.model_dump(mode="json")
        session.add(row)
    session.flush()
    fresh = []
    for one in entries:
        seq, keys, before = stored[one.id].seq, _keys(one), known.get(one.id, set())
        fresh += [{"key": key, "trace": seq} for key in sorted(keys - before)]
        if before - keys:
            session.connection().execute(
                delete(TraceKey).where(
                    col(TraceKey.trace) == seq, col(TraceKey.key).in_(before - keys)
                )
            )
    if fresh:
        session.connection().execute(insert(TraceKey), fresh)
    return entries


def _keys(one: Entry) -> set[int]:
    return set(all_keys(one).tolist())


def _write(session: Session, complaint_id: UUID, proposals: Sequence[Proposal]) -> None:
    """Bring the stored proposals of a report up to date."""
    rows = {
        row.other_id if row.complaint_id == complaint_id else row.complaint_id: row
        for row in session.exec(
            select(Repeat).where(
                (col(Repeat.complaint_id) == complaint_id) | (col(Repeat.other_id) == complaint_id)
            )
        )
    }
    for proposal in proposals:
        row = rows.pop(proposal.other, None)
        if row is None:
            row = Repeat(complaint_id=complaint_id, other_id=proposal.other, score=proposal.score)
        if not row.decided:
            row.score, row.reasons = proposal.score, told(proposal)
            session.add(row)
    for row in rows.values():
        if not row.decided:
            session.delete(row)


def told(proposal: Proposal) -> list[dict[str, Any]]:
    """Write the reasons as they are kept beside a proposal."""
    return [reason.model_dump(mode="json") for reason in proposal.reasons]
