"""Private spans - telephone, identity and card numbers, names - hidden wherever they are shown.

The normaliser says where a private stretch lies in the text of one medium. The same value may come
again in the title, in another version of the transcript, or with its digits written the other way
("一三八" and "138"), so it is looked for by value everywhere and by its seconds in transcripts.
Hidden characters are replaced one for one: offsets into a text stay right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any
from uuid import UUID

from models.medium import Kind, Medium
from models.transcript import Segment, Transcript, Word, join_text

BLOT = "＊"
_DIGITS = (
    "0０〇零洞",
    "1１一幺壹",
    "2２二两贰",
    "3３三叁",
    "4４四肆",
    "5５五伍",
    "6６六陆",
    "7７七柒拐",
    "8８八捌",
    "9９九玖勾",
)
_WRITTEN = {character: group for group in _DIGITS for character in group}
# What people and recognisers put between the groups of a number.
_BETWEEN = r"[\s\-—–,，、.·]*"
_DIGIT_RUN = re.compile(r"[0-9０-９][0-9０-９\s\-]{4,}")


@dataclass(frozen=True)
class Span:
    """A private stretch: `value` as it was said, and where in a recording, in seconds."""

    value: str
    medium: UUID | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Masker:
    """Hide the private spans of one complaint in any of its texts."""

    spans: tuple[Span, ...] = ()
    _pattern: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        values = sorted({span.value for span in self.spans if span.value.strip()}, key=len)
        joined = "|".join(_loosely(value) for value in reversed(values))
        object.__setattr__(self, "_pattern", re.compile(joined) if joined else None)

    def hide(self, text: str) -> str:
        """Hide every private value in one text."""
        return self.hide_across((text,))[0]

    def hide_across(self, pieces: Sequence[str]) -> tuple[str, ...]:
        """Hide private values in a text that comes in pieces, also where one is cut in two."""
        if self._pattern is None:
            return tuple(pieces)
        whole = "".join(pieces)
        hidden = self._pattern.sub(lambda found: _blotted(found.group()), whole)
        ends = list(accumulate(len(piece) for piece in pieces))
        return tuple(
            hidden[end - len(piece) : end] for piece, end in zip(pieces, ends, strict=True)
        )

    def hide_segments(self, medium: UUID, segments: Sequence[Segment]) -> tuple[Segment, ...]:
        """Hide private values and private seconds in one version of a transcript."""
        if not self.spans:
            return tuple(segments)
        texts = self.hide_across([segment.text for segment in segments])
        tidy = self.hide_across([segment.tidy for segment in segments])
        words = iter(self.hide_across([w.text for segment in segments for w in segment.words]))
        timed = [span for span in self.spans if span.medium == medium and span.start is not None]
        return tuple(
            _rewrite(segment, text, tidied, [next(words) for _ in segment.words], timed)
            for segment, text, tidied in zip(segments, texts, tidy, strict=True)
        )


def read(
    masks: Iterable[dict[str, Any]],
    media: Sequence[Medium],
    transcripts: Iterable[Transcript],
) -> Masker:
    """Make the masker of a complaint from its stored masks and the texts that they point into."""
    newest: dict[UUID, Transcript] = {}
    for transcript in transcripts:
        before = newest.get(transcript.medium_id)
        if before is None or before.version < transcript.version:
            newest[transcript.medium_id] = transcript
    texts = {str(medium.id): passage_text(medium, newest.get(medium.id)) for medium in media}
    spans = []
    for mask in masks:
        text = texts.get(str(mask.get("medium") or ""), "")
        spans.append(
            Span(
                value=text[int(mask["from_character"]) : int(mask["to_character"])],
                medium=UUID(str(mask["medium"])) if mask.get("medium") else None,
                start=mask.get("start"),
                end=mask.get("end"),
            )
        )
    return Masker(tuple(spans))


def passage_text(medium: Medium, transcript: Transcript | None) -> str:
    """Give the text of a medium as the normaliser reads it, so that offsets mean the same."""
    if medium.kind is Kind.TEXT:
        return medium.text
    if medium.kind is Kind.IMAGE:
        return "\n".join(line["text"] for line in (medium.page or {}).get("lines", ()))
    if transcript is None:
        return ""
    return join_text(segment.text for segment in transcript.read_segments())


def _rewrite(
    segment: Segment, text: str, tidy: str, words: Sequence[str], timed: Sequence[Span]
) -> Segment:
    hidden = tuple(
        word.model_copy(update={"text": _blotted(word.text) if _within(word, timed) else shown})
        for word, shown in zip(segment.words, words, strict=True)
    )
    changed = any(new.text != old.text for new, old in zip(hidden, segment.words, strict=True))
    if changed and _joined(segment.words) == segment.text.strip():
        text = _joined(hidden)
    if changed or text != segment.text:
        # The tidied text may write the value in a way of its own.
        tidy = _DIGIT_RUN.sub(lambda found: _blotted(found.group()), tidy)
    return segment.model_copy(update={"text": text, "tidy": tidy, "words": hidden})


def _joined(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words).strip()


def _within(word: Word, spans: Sequence[Span]) -> bool:
    middle = (word.start + word.end) / 2
    return any((span.start or 0.0) <= middle <= (span.end or 0.0) for span in spans)


def _loosely(value: str) -> str:
    """Make a pattern for a value that ignores how digits are written and grouped."""
    characters = [c for c in value.strip() if not re.fullmatch(_BETWEEN, c)]
    return _BETWEEN.join(f"[{_WRITTEN[c]}]" if c in _WRITTEN else re.escape(c) for c in characters)


def _blotted(text: str) -> str:
    return re.sub(r"\S", BLOT, text)
