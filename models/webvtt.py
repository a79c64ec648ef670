"""A transcript as WebVTT (W3C Candidate Recommendation, 2019), one cue a segment."""

from __future__ import annotations

import re

from models.record import TranscriptRecord
from models.transcript import Segment

MEDIA_TYPE = "text/vtt"
MILLISECONDS = 1_000
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_SPACES = re.compile(r"\s+")


def write(record: TranscriptRecord) -> str:
    """Write one version of a transcript; text that may not be what was said is marked as such."""
    cues = [_cue(number, segment) for number, segment in enumerate(record.segments, start=1)]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def timestamp(seconds: float) -> str:
    """Write seconds as hours, minutes, seconds and thousandths."""
    whole = round(seconds * MILLISECONDS)
    minutes, milliseconds = divmod(whole, 60 * MILLISECONDS)
    hours, minutes = divmod(minutes, 60)
    second, milliseconds = divmod(milliseconds, MILLISECONDS)
    return f"{hours:02}:{minutes:02}:{second:02}.{milliseconds:03}"


def _cue(number: int, segment: Segment) -> str:
    text = _escaped(segment.text)
    if _TAG.fullmatch(segment.language):
        text = f"<lang {segment.language}>{text}</lang>"
    if not segment.trusted:
        text = f"<c.untrusted>[?] {text}</c>"
    times = f"{timestamp(segment.start)} --> {timestamp(segment.end)}"
    return f"{number}\n{times}\n{text}"


def _escaped(text: str) -> str:
    """Keep what was said from being read as markup or as the start of another cue."""
    plain = _SPACES.sub(" ", text).strip()
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
