from __future__ import annotations

import random
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest

from api.programs import form
from api.programs.form import Form, FormReader
from ingest.accept import Intake
from models.columns import now
from models.errors import Refused
from models.settings import MEGABYTE, Limits
from tests.conftest import House
from tests.files import picture, sound

WAV, JPEG = sound("wav"), picture("JPEG")
FORM = (
    b'--f\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\n" + WAV + b"\r\n"
    b'--f\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + "路没有修".encode() + b"\r\n"
    b'--f\r\ncontent-disposition: form-data; name=image; filename="b"\r\n\r\n' + JPEG + b"\r\n"
    b'--f\r\nContent-Disposition: form-data; name="declared_language"\r\n\r\nii\r\n--f--\r\n'
)


def read(intake: Intake, pieces: list[bytes]) -> Form:
    reader = FormReader(intake, b"f", Limits())
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


def stored(house: House) -> list[str]:
    return list(house.blobs.older("media", now() + timedelta(days=1)))


@pytest.mark.parametrize("seed", range(6))
def test_however_a_form_is_cut_into_pieces_it_is_read_alike(house: House, seed: int) -> None:
    chance = random.Random(seed)
    pieces, at = [], 0
    while at < len(FORM):
        # The first is cut into single bytes, others at random, so that every boundary is cut.
        step = 1 if seed == 0 and at < 2_000 else chance.randint(1, 40_000)
        pieces.append(FORM[at : at + step])
        at += step
    made = read(house.intake, pieces)
    assert (made.text, made.declared_language) == ("路没有修", "ii")
    assert [part.mime for part in made.parts] == ["audio/wav", "image/jpeg"]
    assert [b"".join(house.blobs.read(part.blob)) for part in made.parts] == [WAV, JPEG]


def test_a_large_recording_takes_no_more_memory_than_a_small_one(house: House) -> None:
    head = FORM[: FORM.index(WAV)] + WAV[:100]
    reader = FormReader(house.intake, b"f", Limits())
    piece = bytes(64 * 1024)
    reader.feed(head)
    tracemalloc.start()
    for _ in range(30 * MEGABYTE // len(piece)):
        reader.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reader.discard()
    assert peak < MEGABYTE


def test_what_is_read_lies_nowhere_as_it_was_said(house: House) -> None:
    marked = b"a sentence that was said aloud " * 5_000
    start = FORM[: FORM.index(WAV)] + WAV[:100] + marked
    reader = FormReader(house.intake, b"f", Limits())
    reader.feed(start)
    for path in house.settings.data.rglob("*"):
        if path.is_file():
            assert marked[:31] not in path.read_bytes()
    reader.feed(b"\r\n--f--\r\n")
    reader.finish()
    assert len(stored(house)) == 1
    for path in house.settings.data.rglob("*"):
        if path.is_file():
            assert marked[:31] not in path.read_bytes()


def test_what_was_read_can_be_dropped_again(house: House) -> None:
    reader = FormReader(house.intake, b"f", Limits())
    reader.feed(FORM)
    assert len(stored(house)) == 2
    reader.discard()
    reader.discard()
    assert stored(house) == []


def test_a_form_that_was_cut_off_is_refused(house: House) -> None:
    for end in (10, len(FORM) // 2, len(FORM) - 4):
        reader = FormReader(house.intake, b"f", Limits())
        reader.feed(FORM[:end])
        with pytest.raises(Refused):
            reader.finish()
        reader.discard()
    assert stored(house) == []


def test_a_form_never_shows_what_is_in_it(house: House) -> None:
    made = read(house.intake, [FORM])
    assert "路没有修" not in repr(made)


def test_an_upload_that_stands_still_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "STALLED_SECONDS", 0.05)

    async def still() -> AsyncIterator[bytes]:
        yield b"--f"
        await anyio.sleep(30)

    async def listen() -> None:
        async for _ in form._unstalled(still()):
            pass

    with pytest.raises(Refused) as raised:
        anyio.run(listen)
    assert raised.value.code == "upload_stalled"
