"""What staff do to a transcript: hear it, correct it, say what it is, and accept it.

A correction never overwrites: it is a new version. The times of words that were not touched are
kept, and whoever accepts a version has heard all of it, which the server knows from the seconds
that were played and the seconds that passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, col, select

from models import access, alignment, audit, dossier
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.columns import now
from models.complaint import Complaint
from models.errors import Conflict, Invalid, NotFound
from models.event import Draft, Heard
from models.keys import Keys
from models.medium import Kind, Medium, Purpose
from models.status import MediumState
from models.transcript import (
    UNKNOWN_LANGUAGE,
    Evidence,
    Flag,
    Frozen,
    Language,
    Likely,
    Segment,
    Transcript,
)

# A player runs at up to twice the speed, and its reports arrive a little late.
SPEED_MOST = 2.0
SLACK_SECONDS = 1.5
# Ends of segments are set in quiet; that much of one may be unheard.
UNHEARD_SECONDS = 0.35
LISTENING = timedelta(minutes=2)
SEGMENTS_MOST = 4_000
CHARACTERS_MOST = 20_000
MARK = "marked_"
TAG = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"


class Mark(StrEnum):
    """What a person says of a stretch that has no words to write down."""

    NONE = ""
    NO_SPEECH = "no_speech"
    NOISE = "noise"
    CANNOT_TELL = "cannot_tell"


class Edited(Frozen):
    """One segment as the reviewer left it.

    of : numbers of the segments of the base version that it was made from; two that came from one
    name the same, one that was joined from two names both, and a new one names none
    start, end : seconds, for a new one
    """

    of: tuple[int, ...] = Field((), max_length=SEGMENTS_MOST)
    text: str = Field("", max_length=CHARACTERS_MOST)
    language: str = Field(UNKNOWN_LANGUAGE, max_length=35, pattern=TAG)
    mark: Mark = Mark.NONE
    start: float | None = Field(None, ge=0)
    end: float | None = Field(None, ge=0)


class Correction(Frozen):
    """A whole transcript as the reviewer left it. base : version it was made from, or 0"""

    base: int = Field(ge=0)
    segments: tuple[Edited, ...] = Field(max_length=SEGMENTS_MOST)


def voice(session: Session, account: Account, complaint_id: UUID, medium_id: UUID) -> Medium:
    """Give a recording of a complaint that the account sees, or raise NotFound."""
    access.find(session, account, complaint_id)
    medium = session.get(Medium, medium_id)
    if medium is None or medium.complaint_id != complaint_id or medium.kind is not Kind.VOICE:
        raise _no_recording()
    if medium.purpose is Purpose.IDENTITY:
        access.require(account, Act.SEE_IDENTITY)
    return medium


def newest(session: Session, medium_id: UUID) -> Transcript | None:
    """Give the newest version of a recording's transcript."""
    return session.exec(
        select(Transcript)
        .where(Transcript.medium_id == medium_id)
        .order_by(col(Transcript.version).desc())
        .limit(1)
    ).first()


def correct(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    medium_id: UUID,
    correction: Correction,
) -> Transcript:
    """Add a version; raise Conflict if somebody else added one since the base was read."""
    access.require(account, Act.TRANSCRIBE)
    complaint = access.find(session, account, complaint_id, locked=True)
    medium = voice(session, account, complaint_id, medium_id)
    base = newest(session, medium_id)
    _require_base(base, correction.base)
    before = base.read_segments() if base is not None else ()
    shown = before
    if not access.may(account, Act.SEE_IDENTITY):
        masker = dossier.gather(session, complaint).masker
        shown = masker.hide_segments(medium_id, before)
    segments = rewrite(before, shown, correction.segments, medium.seconds or 0.0)
    languages = spoken(segments)
    version = Transcript(
        medium_id=medium_id,
        version=correction.base + 1,
        segments=[segment.model_dump(mode="json") for segment in segments],
        languages=[language.model_dump(mode="json") for language in languages],
        evidence=[*(base.evidence if base else ()), *_by_person(before, segments)],
        by=str(account.id),
        model=base.model if base else "",
    )
    session.add(version)
    drop_draft(session, account, medium_id)
    _touch(complaint)
    session.add(complaint)
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.CORRECTED,
        complaint_id,
        {"medium": str(medium_id), "version": version.version},
    )
    return version


def accept(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    medium_id: UUID,
    version: int,
) -> Transcript:
    """Accept the newest version, all of which the account has heard."""
    access.require(account, Act.TRANSCRIBE)
    complaint = access.find(session, account, complaint_id, locked=True)
    medium = voice(session, account, complaint_id, medium_id)
    transcript = newest(session, medium_id)
    if transcript is None:
        raise NotFound(
            "还没有文字稿，请先写下听到的内容或作标记。",
            "There is no transcript yet: write what you hear, or mark what it is.",
            code="no_transcript",
        )
    _require_base(transcript, version)
    missing = unheard(transcript.read_segments(), ranges(session, account.id, medium_id))
    if missing:
        raise Conflict(
            f"还有 {len(missing)} 段没有听完，听完后才能确认。",
            f"{len(missing)} segments were not played to their end: hear them first, then accept.",
            code="not_heard",
        )
    transcript.accepted_by, transcript.accepted_at = account.id, now()
    medium.state, medium.reason = MediumState.DONE, ""
    medium.settled_at = medium.settled_at or now()
    drop_draft(session, account, medium_id)
    _touch(complaint)
    session.add_all([transcript, medium, complaint])
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.TRANSCRIPT_ACCEPTED,
        complaint_id,
        {"medium": str(medium_id), "version": version},
    )
    return transcript


def rewrite(
    before: Sequence[Segment],
    shown: Sequence[Segment],
    edits: Sequence[Edited],
    seconds: float,
) -> tuple[Segment, ...]:
    """Make the segments of the new version.

    before : of the base version; shown : the same as the reviewer saw them, private words hidden
    seconds : of the recording
    """
    if any(number >= len(before) for edit in edits for number in edit.of):
        raise Invalid(
            "提交的修改与文字稿对不上，请刷新页面。",
            "The correction does not fit the transcript: reload the page.",
            code="bad_correction",
        )
    made: list[Segment] = []
    for group in _groups(edits):
        numbers = sorted({number for edit in group for number in edit.of})
        if len(group) == len(numbers) == 1 and _untouched(group[0], shown[numbers[0]]):
            made.append(_marked(before[numbers[0]], group[0]))
            continue
        made += _remade([before[n] for n in numbers], [shown[n] for n in numbers], group, seconds)
    made.sort(key=lambda segment: (segment.start, segment.end))
    return tuple(made)


def spoken(segments: Iterable[Segment]) -> tuple[Language, ...]:
    """Give the languages of a transcript that a person wrote, by their share of the seconds."""
    seconds: dict[str, float] = {}
    certain: dict[str, float] = {}
    for one in segments:
        if one.text.strip():
            seconds[one.language] = seconds.get(one.language, 0.0) + (one.end - one.start)
            certain[one.language] = min(certain.get(one.language, 1.0), one.confidence)
    whole = sum(seconds.values()) or 1.0
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    return tuple(
        Language(tag=tag, confidence=certain[tag], by="person", share=min(1.0, spent / whole))
        for tag, spent in ordered
    )


def hear(
    session: Session, account: Account, medium: Medium, start: float, end: float
) -> tuple[tuple[float, float], ...]:
    """Record that seconds were played, as far as they can have been in the time that passed.

    A report of no length begins a listening. Give everything that the account has heard.
    """
    if not (0 <= start <= end) or (medium.seconds is not None and start > medium.seconds + 1):
        raise Invalid("播放区间不对。", "That is no stretch of this recording.", code="bad_range")
    rows = session.exec(
        select(Heard).where(Heard.medium_id == medium.id, Heard.account_id == account.id)
    ).all()
    moment = now()
    last = max((row.at for row in rows), default=None)
    passed = 0.0 if last is None else (moment - last).total_seconds()
    if end - start > min(passed, LISTENING.total_seconds()) * SPEED_MOST + SLACK_SECONDS:
        # What cannot have been heard is not recorded; the listening goes on from here.
        end = start
    reached = [row for row in rows if row.start <= end + 0.05 and start <= row.end + 0.05]
    merged = Heard(
        medium_id=medium.id,
        account_id=account.id,
        start=min([start, *(row.start for row in reached)]),
        end=max([end, *(row.end for row in reached)]),
        at=moment,
    )
    for row in reached:
        session.delete(row)
    # What was begun and not played says only when that was.
    for row in rows:
        if row not in reached and row.start == row.end:
            session.delete(row)
    session.add(merged)
    session.flush()
    return ranges(session, account.id, medium.id)


def ranges(session: Session, account_id: UUID, medium_id: UUID) -> tuple[tuple[float, float], ...]:
    """Give the stretches that an account has heard, in order."""
    rows = session.exec(
        select(Heard)
        .where(Heard.medium_id == medium_id, Heard.account_id == account_id)
        .order_by(col(Heard.start))
    )
    return tuple((row.start, row.end) for row in rows if row.end > row.start)


def unheard(segments: Sequence[Segment], heard: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Give the numbers of the segments that were not played to their end."""
    missing = []
    for number, segment in enumerate(segments):
        covered = sum(
            max(0.0, min(segment.end, end) - max(segment.start, start)) for start, end in heard
        )
        if segment.end - segment.start - covered > UNHEARD_SECONDS:
            missing.append(number)
    return tuple(missing)


def save_draft(session: Session, account: Account, medium_id: UUID, correction: Correction) -> None:
    """Keep what is being written, for its writer alone."""
    known = session.get(Draft, (account.id, medium_id))
    draft = known or Draft(account_id=account.id, medium_id=medium_id, base_version=0)
    draft.base_version = correction.base
    draft.body = correction.model_dump(mode="json")
    draft.at = now()
    session.add(draft)


def draft_of(session: Session, account: Account, medium_id: UUID) -> Draft | None:
    """Give what the account had begun to write."""
    return session.get(Draft, (account.id, medium_id))


def drop_draft(session: Session, account: Account, medium_id: UUID) -> None:
    """Forget what was being written."""
    known = session.get(Draft, (account.id, medium_id))
    if known is not None:
        session.delete(known)


def mark_of(segment: Segment) -> Mark:
    """Tell what a person said of a segment without words."""
    for flag in segment.flags:
        if flag.name.startswith(MARK):
            return Mark(flag.name.removeprefix(MARK))
    return Mark.NONE


def _touch(complaint: Complaint) -> None:
    complaint.version += 1


def _require_base(base: Transcript | None, version: int) -> None:
    there = base.version if base is not None else 0
    if there != version:
        raise Conflict(
            "别人已经保存了新的版本。您的修改还在，请与新版本对照后再保存。",
            "Somebody saved a newer version. Yours is kept: compare the two and save again.",
            code="transcript_moved_on",
        )


def _groups(edits: Sequence[Edited]) -> list[list[Edited]]:
    """Put together the segments that were cut from, or joined of, the same ones."""
    groups: list[list[Edited]] = []
    for edit in edits:
        together = groups and edit.of and set(edit.of) & {n for e in groups[-1] for n in e.of}
        if together:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _untouched(edit: Edited, shown: Segment) -> bool:
    return edit.text.strip() == shown.text.strip()


def _remade(
    before: Sequence[Segment],
    shown: Sequence[Segment],
    group: Sequence[Edited],
    seconds: float,
) -> list[Segment]:
    """Spread the words of some segments over what was made of them."""
    start = before[0].start if before else _given(group[0].start, 0.0)
    end = before[-1].end if before else _given(group[-1].end, seconds)
    start, end = min(start, seconds or start), max(end, start + 0.01)
    old = [word for segment in before for word in segment.words]
    seen = [word for segment in shown for word in segment.words]
    texts = ["" if edit.mark in (Mark.NO_SPEECH, Mark.NOISE) else edit.text for edit in group]
    lines = alignment.align(old, seen, texts, start, end)
    made: list[Segment] = []
    for place, (edit, words, text) in enumerate(zip(group, lines, texts, strict=True)):
        first = start if place == 0 else _given(words[0].start if words else None, made[-1].end)
        last = end if place == len(group) - 1 else _given(words[-1].end if words else None, first)
        source = before[min(place, len(before) - 1)] if before else None
        unsaid = Segment(start=first, end=max(last, first + 0.01), text="")
        made.append(
            _marked(
                (source or unsaid).model_copy(
                    update={
                        "start": first,
                        "end": max(last, first + 0.01),
                        "text": alignment.text_of(words) if words else text.strip(),
                        "tidy": alignment.text_of(words) if words else text.strip(),
                        "words": words,
                        "average_logprob": None,
                        "compression_ratio": None,
                        "flags": (),
                        "trusted": True,
                    }
                ),
                edit,
            )
        )
    return made


def _marked(segment: Segment, edit: Edited) -> Segment:
    """Put on a segment what the reviewer said of its language and of its sound."""
    changed: dict[str, Any] = {}
    if edit.language != segment.language:
        changed |= {"language": edit.language, "confidence": 1.0}
    if edit.mark is not mark_of(segment):
        kept = tuple(flag for flag in segment.flags if not flag.name.startswith(MARK))
        if edit.mark is Mark.NONE:
            changed |= {"flags": kept, "trusted": True}
        else:
            changed |= {
                "flags": (*kept, Flag(name=MARK + edit.mark.value, value=1.0)),
                "trusted": False,
            }
        if edit.mark in (Mark.NO_SPEECH, Mark.NOISE):
            changed |= {"text": "", "tidy": "", "words": ()}
    return segment.model_copy(update=changed) if changed else segment


def _by_person(before: Sequence[Segment], after: Sequence[Segment]) -> list[dict[str, Any]]:
    """Write down which languages a person gave, as evidence beside the machine's."""
    said = {(segment.start, segment.end): segment.language for segment in before}
    return [
        Evidence(
            by="person",
            candidates=(Likely(tag=segment.language, probability=1.0),),
            start=segment.start,
            end=segment.end,
        ).model_dump(mode="json")
        for segment in after
        if said.get((segment.start, segment.end)) != segment.language
    ]


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _no_recording() -> NotFound:
    return NotFound(
        "没有这段录音，或者您无权收听。",
        "There is no such recording, or it is not yours to hear.",
        code="no_recording",
    )
