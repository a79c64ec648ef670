"""What a report says: each medium with its newest transcript, as the normaliser is given it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from ingest import text as texts
from ingest.matter import Line, Passage
from models import masking
from models.medium import CONTENT, Kind, Medium
from models.status import MediumState
from models.transcript import UNKNOWN_LANGUAGE, Language, Transcript, Word

# So many written characters weigh as much as a second of speech in a report that has both.
CHARACTERS_A_SECOND = 4.0


@dataclass(frozen=True)
class Said:
    """One medium with its newest transcript, and its passage. weight : in seconds of speech"""

    medium: Medium
    passage: Passage
    languages: tuple[Language, ...]
    weight: float

    @property
    def trusted(self) -> bool:
        """Tell whether the text may be taken for what was said."""
        return self.medium.state is MediumState.DONE


def media(session: Session, complaint_id: UUID) -> list[Medium]:
    """List the media that are part of what was reported, in order."""
    found = session.exec(
        select(Medium)
        .where(col(Medium.complaint_id) == complaint_id)
        .order_by(col(Medium.position), col(Medium.id))
    )
    return [medium for medium in found if medium.purpose in CONTENT]


def newest(session: Session, medium: Medium) -> Transcript | None:
    """Give the newest version of a medium's transcript."""
    return session.exec(
        select(Transcript)
        .where(col(Transcript.medium_id) == medium.id)
        .order_by(col(Transcript.version).desc())
        .limit(1)
    ).first()


def read(medium: Medium, transcript: Transcript | None) -> Said:
    """Make the passage of a medium, with its languages and weight."""
    content = masking.passage_text(medium, transcript)
    words: tuple[Word, ...] = ()
    lines: tuple[Line, ...] = ()
    confidence = 1.0
    if medium.kind is Kind.VOICE:
        languages = transcript.read_languages() if transcript else ()
        if transcript is not None:
            words = tuple(word for one in transcript.read_segments() for word in one.words)
        if words:
            confidence = sum(word.probability for word in words) / len(words)
        weight = medium.speech_seconds or medium.seconds or 0.0
    else:
        languages, _ = texts.languages(content)
        weight = len(content) / CHARACTERS_A_SECOND
    if medium.kind is Kind.IMAGE and medium.page:
        lines = tuple(Line.model_validate(line) for line in medium.page["lines"])
        confidence = float(medium.page["confidence"])
    main = max(languages, key=lambda one: one.share, default=None)
    passage = Passage(
        medium=medium.id,
        kind=medium.kind,
        text=content,
        language=main.tag if main else UNKNOWN_LANGUAGE,
        transcript_version=transcript.version if transcript else None,
        words=words,
        lines=lines,
        confidence=min(1.0, confidence),
    )
    return Said(medium, passage, languages, weight)


def shares(said: Iterable[Said]) -> tuple[Language, ...]:
    """Add up the languages of a report's media, the one with the largest share first."""
    weights: dict[str, float] = {}
    sure: dict[str, float] = {}
    by: dict[str, str] = {}
    for one in said:
        for language in one.languages:
            weight = one.weight * language.share
            if weight > weights.get(language.tag, 0.0):
                by[language.tag] = language.by
            weights[language.tag] = weights.get(language.tag, 0.0) + weight
            sure[language.tag] = sure.get(language.tag, 0.0) + weight * language.confidence
    total = sum(weights.values())
    if not total:
        return ()
    return tuple(
        Language(
            tag=tag,
            confidence=min(1.0, sure[tag] / weight),
            by=by[tag],
            share=min(1.0, weight / total),
        )
        for tag, weight in sorted(weights.items(), key=lambda item: -item[1])
        if weight
    )
