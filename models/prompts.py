"""Spoken prompts that administrators recorded: for one channel, or for all of them ("")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from models.channel import Channel, Prompt
from models.columns import now
from models.errors import Invalid, NotFound
from models.transcript import Frozen

EVERY_CHANNEL = ""
# What plays in the browsers that phones have; nothing is decoded or converted in the web process.
PLAYABLE = frozenset({"audio/mpeg", "audio/mp4", "audio/webm", "audio/ogg", "audio/wav"})
BYTES_MOST = 400 * 1024
SECONDS_MOST = 60.0


class Standing(Frozen):
    """What is there for one prompt of a language. by : channel, all, packaged or missing."""

    name: str
    text: str
    by: str
    seconds: float | None = None


def find(session: Session, channel: str, language: str, name: str) -> Prompt | None:
    """Give the channel's own recording of a prompt, else the one for all channels."""
    for code in dict.fromkeys((channel, EVERY_CHANNEL)):
        prompt = session.get(Prompt, (code, language, name))
        if prompt is not None:
            return prompt
    return None


def check(names: Iterable[str], name: str, mime: str, size: int, seconds: float) -> None:
    """Raise NotFound for a prompt that no page says, Invalid for a sound that will not do."""
    if name not in names:
        raise NotFound("没有这条提示音。", "There is no such prompt.", code="unknown_prompt")
    if mime not in PLAYABLE:
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


def put(session: Session, prompt: Prompt) -> str | None:
    """Store a recording in place of an earlier one; give that one's blob, now needless."""
    if prompt.channel_code and session.get(Channel, prompt.channel_code) is None:
        raise NotFound("没有这个渠道。", "There is no such channel.", code="unknown_channel")
    before = session.get(Prompt, (prompt.channel_code, prompt.language, prompt.name))
    if before is None:
        session.add(prompt)
        return None
    old, before.blob = before.blob, prompt.blob
    before.mime, before.seconds, before.created_at = prompt.mime, prompt.seconds, now()
    session.add(before)
    return old


def remove(session: Session, channel: str, language: str, name: str) -> str:
    """Forget a recording, so that what was there before it is heard again; give its blob."""
    prompt = session.get(Prompt, (channel, language, name))
    if prompt is None:
        raise NotFound("没有这条录音。", "There is no such recording.", code="unknown_prompt")
    session.delete(prompt)
    return prompt.blob


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
        own = recorded.get((channel, name)) if channel else None
        shared = recorded.get((EVERY_CHANNEL, name))
        heard = own or shared
        by = "channel" if own else "all" if shared else ""
        by = by or ("packaged" if name in packaged else "missing")
        seconds = heard.seconds if heard else None
        found.append(Standing(name=name, text=text, by=by, seconds=seconds))
    return tuple(found)
