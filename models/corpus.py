"""What may teach a recogniser: what staff accepted, of reporters who agreed, and nothing private.

Only the newest version of a transcript counts, and only if it is the accepted one. A stretch in
which anything private is said stays where it is, as a whole: the sound of an identity number or of
a name is no lesson that a model needs. A channel that disguises voices promised that nobody hears
them, so its recordings stay as well. Nothing here looks at a voice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import exists
from sqlmodel import Session, col, select

from models import access, audit, dossier, review
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.channel import Channel
from models.complaint import Complaint
from models.dossier import Dossier
from models.keys import Keys
from models.masking import Masker
from models.medium import CONTENT, Kind, Medium
from models.review import Mark
from models.status import Status
from models.transcript import UNKNOWN_LANGUAGE, Segment, Transcript

SHORTEST_SECONDS = 0.3
LONGEST_SECONDS = 30.0
# Times of words are not exact: a private word this near to a stretch is taken to be in it.
NEAR_SECONDS = 0.3
PURPOSE = "corpus"
ROWS_AT_ONCE = 200
NAME_LENGTH = 12
# So many digits in a row are somebody's number, whatever the checks that masking makes say of them.
_DIGITS = "0-9０-９零〇一幺二两三四五六七八九洞拐勾٠-٩۰-۹"
_NUMBER = re.compile(rf"[{_DIGITS}](?:[\s\-－—]?[{_DIGITS}]){{5,}}")


class Why(StrEnum):
    """Why something that staff accepted is not given away."""

    NO_CONSENT = "no_consent"
    NEWER_VERSION = "newer_version"
    DISGUISED = "disguised"
    WITHDRAWN = "withdrawn"
    PRIVATE = "private"
    NO_WORDS = "no_words"
    NO_LANGUAGE = "no_language"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"


SAID = {
    Why.NO_CONSENT: "recordings whose reporter did not agree",
    Why.NEWER_VERSION: "recordings with a newer version that nobody accepted",
    Why.DISGUISED: "recordings of channels that disguise voices",
    Why.WITHDRAWN: "recordings of reports that were withdrawn",
    Why.PRIVATE: "stretches with private numbers or names in them",
    Why.NO_WORDS: "stretches without words",
    Why.NO_LANGUAGE: "stretches whose language nobody told",
    Why.TOO_LONG: f"stretches over {LONGEST_SECONDS:.0f} s: cut them on the review page",
    Why.TOO_SHORT: f"stretches under {SHORTEST_SECONDS} s",
}


@dataclass(frozen=True)
class Utterance:
    """One accepted stretch. start, end : seconds from the start of its recording"""

    start: float
    end: float
    text: str
    language: str


@dataclass(frozen=True)
class Lesson:
    """The stretches of one recording that may be given away.

    name : of the recording, and speaker : of its report, which one person is taken to have made;
    keyed hashes, so that nobody without the key finds a complaint by them
    """

    name: str
    speaker: str
    original: str
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True)
class Corpus:
    """Everything that one account may give away, and how much stays, by reason."""

    lessons: tuple[Lesson, ...]
    kept_back: Counter[Why]

    def minutes(self) -> dict[str, float]:
        """Give minutes of speech by language."""
        total: dict[str, float] = {}
        for lesson in self.lessons:
            for one in lesson.utterances:
                total[one.language] = total.get(one.language, 0.0) + (one.end - one.start) / 60
        return dict(sorted(total.items()))


def gather(session: Session, keys: Keys, account: Account, languages: Sequence[str] = ()) -> Corpus:
    """Collect what the account may give away; raise NotAllowed without both permissions.

    languages : BCP-47 tags to keep to, or none for all. Originals are what a recogniser must be
    taught with, so whoever gives them away must be allowed to fetch them.
    """
    access.require(account, Act.EXPORT)
    access.require(account, Act.FETCH_ORIGINAL)
    kept_back: Counter[Why] = Counter()
    lessons: list[Lesson] = []
    for complaint in _heard(session, account):
        lessons += _of(session, keys, complaint, frozenset(languages), kept_back)
    return Corpus(tuple(lessons), kept_back)


def summary(corpus: Corpus) -> str:
    """Say how much there is by language, and why the rest stays, as lines for people."""
    lines = []
    for tag, minutes in corpus.minutes().items():
        own = [one for one in corpus.lessons if any(u.language == tag for u in one.utterances)]
        clips = sum(u.language == tag for one in own for u in one.utterances)
        reports = len({one.speaker for one in own})
        lines.append(
            f"{tag:8} {minutes:8.1f} min {clips:6} clips of {len(own)} recordings in {reports} "
            "reports"
        )
    lines += [f"{count:6} stay: {SAID[why]}" for why, count in sorted(corpus.kept_back.items())]
    return "\n".join(lines) or (
        "没有可导出的录音：先由工作人员确认文字稿，且举报人同意用于训练。\n"
        "Nothing to export: staff must have accepted transcripts, and reporters agreed to training."
    )


def record(session: Session, keys: Keys, account: Account, corpus: Corpus) -> None:
    """Write into the audit log that recordings were given away, before the first one is."""
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.EXPORTED,
        details={
            "form": "recordings",
            "recordings": len(corpus.lessons),
            "minutes": " ".join(f"{tag}:{spent:.1f}" for tag, spent in corpus.minutes().items()),
        },
    )


def _heard(session: Session, account: Account) -> Iterator[Complaint]:
    """Give the complaints with a transcript that somebody accepted, oldest first."""
    accepted = exists().where(
        col(Medium.complaint_id) == Complaint.id,
        col(Transcript.medium_id) == Medium.id,
        col(Transcript.accepted_by).is_not(None),
    )
    query = select(Complaint).where(access.visible(account), accepted).order_by(col(Complaint.id))
    yield from session.exec(query.execution_options(yield_per=ROWS_AT_ONCE))


def _of(
    session: Session,
    keys: Keys,
    complaint: Complaint,
    languages: frozenset[str],
    kept_back: Counter[Why],
) -> Iterator[Lesson]:
    whole = dossier.gather(session, complaint)
    for medium in whole.media:
        newest = _accepted(whole, medium, kept_back)
        if newest is None:
            continue
        if (reason := _withheld(session, complaint)) is not None:
            kept_back[reason] += 1
            continue
        utterances = tuple(_utterances(newest, whole.masker, languages, kept_back))
        if utterances:
            yield Lesson(
                name=_named(keys, medium.id),
                speaker=_named(keys, complaint.duplicate_of or complaint.id),
                original=medium.original,
                utterances=utterances,
            )


def _accepted(whole: Dossier, medium: Medium, kept_back: Counter[Why]) -> Transcript | None:
    versions = [one for one in whole.transcripts if one.medium_id == medium.id]
    if medium.kind is not Kind.VOICE or medium.purpose not in CONTENT:
        return None
    if not any(one.accepted_by for one in versions):
        return None
    newest = max(versions, key=lambda one: one.version)
    if newest.accepted_by is None:
        kept_back[Why.NEWER_VERSION] += 1
        return None
    return newest


def _withheld(session: Session, complaint: Complaint) -> Why | None:
    if not complaint.training_consent:
        return Why.NO_CONSENT
    if complaint.status is Status.WITHDRAWN:
        return Why.WITHDRAWN
    channel = session.get(Channel, complaint.channel_code)
    return Why.DISGUISED if channel is None or channel.mask_voice else None


def _utterances(
    transcript: Transcript,
    masker: Masker,
    languages: frozenset[str],
    kept_back: Counter[Why],
) -> Iterator[Utterance]:
    segments = transcript.read_segments()
    shown = masker.hide_segments(transcript.medium_id, segments)
    for segment, hidden in zip(segments, shown, strict=True):
        if languages and segment.language not in languages:
            continue
        reason = _unfit(segment)
        if segment.text != hidden.text or _private(segment, masker, transcript.medium_id):
            reason = Why.PRIVATE
        if reason is not None:
            kept_back[reason] += 1
            continue
        yield Utterance(segment.start, segment.end, segment.text.strip(), segment.language)


def _unfit(segment: Segment) -> Why | None:
    seconds = segment.end - segment.start
    if not segment.text.strip() or review.mark_of(segment) is not Mark.NONE:
        return Why.NO_WORDS
    if segment.language == UNKNOWN_LANGUAGE:
        return Why.NO_LANGUAGE
    if seconds > LONGEST_SECONDS:
        return Why.TOO_LONG
    return Why.TOO_SHORT if seconds < SHORTEST_SECONDS else None


def _private(segment: Segment, masker: Masker, medium_id: UUID) -> bool:
    """Tell whether a stretch holds a private word, by its text or by its seconds."""
    if _NUMBER.search(segment.text):
        return True
    timed = (one for one in masker.spans if one.medium == medium_id and one.start is not None)
    return any(
        (one.start or 0.0) - NEAR_SECONDS < segment.end
        and segment.start < (one.end or 0.0) + NEAR_SECONDS
        for one in timed
    )


def _named(keys: Keys, known: UUID) -> str:
    return keys.digest(PURPOSE, known.bytes)[:NAME_LENGTH]
