"""Recording better prompts: what the console's page for administrators calls."""

from __future__ import annotations

from contextlib import suppress

from sqlmodel import Session

from api.citizen import words
from api.house import House
from ingest import media
from ingest.queue import Stage
from models import audit, prompts
from models.account import Account
from models.audit import Deed
from models.channel import Prompt
from models.columns import uuid7
from models.database import reading, writing
from models.errors import Unavailable
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

    One that not every phone plays is heard as soon as a worker has made a copy that they do.

    seconds : as the page that recorded it measured; raise Invalid or NotFound where it will not do
    """
    sniffed = media.sniff(sound[: media.HEAD_BYTES])
    mime = sniffed.mime if sniffed.kind is Kind.VOICE else "image"
    prompts.check(words.load()[words.FALLBACK].spoken, name, mime, len(sound), seconds)
    recording = uuid7()
    blob = prompts.blob_of(recording)
    with house.blobs.writer(blob) as writer:
        writer.write(sound)
        writer.commit()
    ready = prompts.plays_everywhere(mime, sound)
    try:
        with writing(house.engine) as session:
            row = Prompt(
                channel_code=channel,
                language=tag,
                name=name,
                blob=blob if ready else "",
                waiting="" if ready else blob,
                mime=mime,
                seconds=seconds,
            )
            needless = prompts.put(session, row)
            _note(house, session, by, Deed.PROMPT_RECORDED, channel, tag, name)
    except BaseException:
        house.blobs.delete(blob)
        raise
    _delete(house, needless)
    if not ready:
        # If the queue is away, the sweeper hands it over.
        with suppress(Unavailable):
            house.queue.enqueue(Stage.PREPARE, recording)


def remove(house: House, channel: str, tag: str, name: str, by: Account) -> None:
    """Forget a recording, so that what was there before it is heard again."""
    with writing(house.engine) as session:
        needless = prompts.remove(session, channel, tag, name)
        _note(house, session, by, Deed.PROMPT_REMOVED, channel, tag, name)
    _delete(house, needless)


def _delete(house: House, blobs: tuple[str, ...]) -> None:
    for blob in blobs:
        house.blobs.delete(blob)


def _note(
    house: House, session: Session, by: Account, deed: Deed, channel: str, tag: str, name: str
) -> None:
    details = {"channel": channel, "language": tag, "prompt": name}
    audit.append(session, house.keys, str(by.id), deed, None, details)
