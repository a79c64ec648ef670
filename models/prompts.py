"""Spoken prompts that administrators recorded: for one channel, or for all of them ("")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from models.channel import Channel, Prompt
from models.columns import now
from models.errors import Invalid, NotFound
from models.transcript import Frozen

EVERY_CHANNEL = ""
ACCEPTED = frozenset({"audio/mpeg", "audio/mp4", "audio/webm", "audio/ogg", "audio/wav"})
# Every phone plays MP3, and AAC in MP4. What is neither waits until a worker made it so: nothing is
# decoded in the web process.
MP3, MP4 = "audio/mpeg", "audio/mp4"
AAC_ENTRY = b"mp4a"
BYTES_MOST = 400 * 1024
SECONDS_MOST = 60.0


class Standing(Frozen):
    """What is there for one prompt of a language.

    by : channel, all, packaged or missing
    waiting : something newer is being made playable
    """

    name: str
    text: str
    by: str
    seconds: float | None = None
    waiting: bool = False


def find(session: Session, channel: str, language: str, name: str) -> Prompt | None:
    """Give the channel's own recording of a prompt, else the one for all channels."""
    for code in dict.fromkeys((channel, EVERY_CHANNEL)):
        prompt = session.get(Prompt, (code, language, name))
        if prompt is not None and prompt.blob:
            return prompt
    return None


def blob_of(recording: UUID) -> str:
    """Name the blob of a recording."""
    return f"prompts/{recording}"


def plays_everywhere(mime: str, sound: bytes) -> bool:
    """Tell whether every phone plays a sound as it is."""
    return mime == MP3 or (mime == MP4 and AAC_ENTRY in sound)


def check(names: Iterable[str], name: str, mime: str, size: int, seconds: float) -> None:
    """Raise NotFound for a prompt that no page says, Invalid for a sound that will not do."""
    if name not in names:
        raise NotFound("没有这条提示音。", "There is no such prompt.", code="unknown_prompt")
    if mime not in ACCEPTED:
        raise Invalid(
            "提示音请用 MP3、M4A、WebM、Ogg 或 WAV。",
            "Record prompts as MP3, M4A, WebM, Ogg or WAV.",
            code="prompt_not_playable",
        )
    if size > BYTES_MOST or not 0 < seconds <= SECONDS_MOST:
        raise Invalid(
            f"提示音最长 {SECONDS_MOST:.0f} 秒、{BYTES_MOST // 1024} KB，请录短一些。",
            f"A prompt takes at most {SECONDS_MOST:.0f} s and {BYTES_MOST // 1024} kB: make it "
            "shorter.",
            code="prompt_too_long",
        )


def put(session: Session, prompt: Prompt) -> tuple[str, ...]:
    """Store a recording in place of an earlier one; give the blobs that are needless now.

    prompt : with a blob where it can be heard at once, else with one that waits; then what was
        heard before goes on being heard
    """
    if prompt.channel_code and session.get(Channel, prompt.channel_code) is None:
        raise NotFound("没有这个渠道。", "There is no such channel.", code="unknown_channel")
    before = session.get(Prompt, (prompt.channel_code, prompt.language, prompt.name))
    if before is None:
        session.add(prompt)
        return ()
    needless = {before.waiting} - {before.blob}
    if prompt.blob:
        needless |= {before.blob}
        before.blob, before.mime, before.seconds = prompt.blob, prompt.mime, prompt.seconds
    before.waiting, before.created_at = prompt.waiting, now()
    session.add(before)
    return tuple(needless - {""})


def find_waiting(session: Session, blob: str) -> Prompt | None:
    """Give the prompt whose newest recording waits in a blob."""
    return session.exec(select(Prompt).where(Prompt.waiting == blob).with_for_update()).first()


def waiting(session: Session, before: datetime) -> list[UUID]:
    """Give the recordings that wait since before a moment."""
    blobs = session.exec(
        select(Prompt.waiting).where(Prompt.waiting != "", Prompt.created_at < before)
    )
    return [UUID(blob.rpartition("/")[2]) for blob in blobs]


def convert(session: Session, waited: str, blob: str, mime: str, seconds: float) -> tuple[str, ...]:
    """Put what was made of a waiting recording in its place; give the blobs needless now."""
    prompt = find_waiting(session, waited)
    if prompt is None:
        return (blob,)
    needless = {waited, prompt.blob} - {""}
    prompt.blob, prompt.mime, prompt.seconds, prompt.waiting = blob, mime, seconds, ""
    session.add(prompt)
    return tuple(needless)


def refuse(session: Session, waited: str) -> tuple[str, ...]:
    """Forget a waiting recording that cannot be played; give the blobs needless now."""
    prompt = find_waiting(session, waited)
    if prompt is None:
        return ()
    prompt.waiting = ""
    if prompt.blob in ("", waited):
        session.delete(prompt)
    return (waited,)


def remove(session: Session, channel: str, language: str, name: str) -> tuple[str, ...]:
    """Forget a recording, so that what was there before it is heard again; give its blobs."""
    prompt = session.get(Prompt, (channel, language, name))
    if prompt is None:
        raise NotFound("没有这条录音。", "There is no such recording.", code="unknown_prompt")
    session.delete(prompt)
    return tuple({prompt.blob, prompt.waiting} - {""})


def standing(
    session: Session,
    channel: str,
    language: str,
    texts: dict[str, str],
    packaged: Sequence[str],
) -> tuple[Standing, ...]:
    """Tell for every prompt of a language whose recording is heard, and which are missing."""
    rows = session.exec(
        select(Prompt).where(
            Prompt.language == language, col(Prompt.channel_code).in_([channel, EVERY_CHANNEL])
        )
    ).all()
    recorded = {(row.channel_code, row.name): row for row in rows}
    found = []
    for name, text in texts.items():
        mine = recorded.get((channel, name))
        shared = recorded.get((EVERY_CHANNEL, name))
        own = mine if channel and mine and mine.blob else None
        shared = shared if shared and shared.blob else None
        heard = own or shared
        by = "channel" if own else "all" if shared else ""
        by = by or ("packaged" if name in packaged else "missing")
        seconds = heard.seconds if heard else None
        waits = mine is not None and mine.waiting != ""
        found.append(Standing(name=name, text=text, by=by, seconds=seconds, waiting=waits))
    return tuple(found)
