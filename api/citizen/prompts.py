"""Recording better prompts: what the console's page for administrators calls."""

from __future__ import annotations

from sqlmodel import Session

from api.citizen import words
from api.house import House
from ingest import media
from models import audit, prompts
from models.account import Account
from models.audit import Deed
from models.channel import Prompt
from models.columns import uuid7
from models.database import reading, writing
from models.medium import Kind
from models.prompts import Standing


def standing(house: House, channel: str, tag: str) -> tuple[Standing, ...]:
    """Tell for every prompt of a language which recording is heard, and which are missing."""
    with reading(house.engine) as session:
        texts = words.load()[tag].spoken
        return prompts.standing(session, channel, tag, texts, words.packaged(tag))


def record(
    house: House,
    channel: str,
    tag: str,
    name: str,
    sound: bytes,
    seconds: float,
    by: Account,
) -> None:
    """Store a recording of a prompt, encrypted as all sound is, in place of an earlier one.

    seconds : as the page that recorded it measured; raise Invalid or NotFound where it will not do
    """
    sniffed = media.sniff(sound[: media.HEAD_BYTES])
    mime = sniffed.mime if sniffed.kind is Kind.VOICE else "image"
    prompts.check(words.load()[words.FALLBACK].spoken, name, mime, len(sound), seconds)
    blob = f"prompts/{uuid7()}"
    with house.blobs.writer(blob) as writer:
        writer.write(sound)
        writer.commit()
    try:
        with writing(house.engine) as session:
            row = Prompt(
                channel_code=channel,
                language=tag,
                name=name,
                blob=blob,
                mime=mime,
                seconds=seconds,
            )
            old = prompts.put(session, row)
            _note(house, session, by, Deed.PROMPT_RECORDED, channel, tag, name)
    except BaseException:
        house.blobs.delete(blob)
        raise
    if old is not None:
        house.blobs.delete(old)


def remove(house: House, channel: str, tag: str, name: str, by: Account) -> None:
    """Forget a recording, so that what was there before it is heard again."""
    with writing(house.engine) as session:
        blob = prompts.remove(session, channel, tag, name)
        _note(house, session, by, Deed.PROMPT_REMOVED, channel, tag, name)
    house.blobs.delete(blob)


def _note(
    house: House, session: Session, by: Account, deed: Deed, channel: str, tag: str, name: str
) -> None:
    details = {"channel": channel, "language": tag, "prompt": name}
    audit.append(session, house.keys, str(by.id), deed, None, details)
