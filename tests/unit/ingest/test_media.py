import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media import HEAD_BYTES, Sniffed, sniff
from models.errors import NotMedia
from models.medium import Kind
from tests.files import FORMS, bare_mp3, picture, silk, sound

MIMES = {
    "webm/opus": "audio/webm",
    "ogg/opus": "audio/ogg",
    "m4a": "audio/mp4",
    "mp4": "audio/mp4",
    "amr-nb in 3gp": "audio/3gpp",
    "amr-nb": "audio/amr",
    "mp3": "audio/mpeg",
    "adts": "audio/aac",
    "caf": "audio/x-caf",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "aiff": "audio/aiff",
}


@pytest.mark.parametrize("form", FORMS)
def test_sound_is_recognised_in_every_container(form: str) -> None:
    assert sniff(sound(form)[:HEAD_BYTES]) == Sniffed(Kind.VOICE, MIMES[form])


@pytest.mark.parametrize("tencent", [True, False])
def test_wechat_voice_is_recognised(tencent: bool) -> None:
    assert sniff(silk(tencent=tencent)) == Sniffed(Kind.VOICE, "audio/silk")


def test_wideband_amr_is_recognised() -> None:
    assert sniff(b"#!AMR-WB\n\x24" + bytes(60)) == Sniffed(Kind.VOICE, "audio/amr-wb")


def test_mp3_is_recognised_without_a_header() -> None:
    bare = bare_mp3()
    assert bare[0] == 0xFF
    assert sniff(bare[:HEAD_BYTES]) == Sniffed(Kind.VOICE, "audio/mpeg")


@pytest.mark.parametrize("kept", [100, 300])
def test_a_recording_cut_inside_its_first_frame_is_still_one(kept: int) -> None:
    assert sniff(bare_mp3()[:kept]).kind is Kind.VOICE
    assert sniff(sound("adts")[:40]).kind is Kind.VOICE


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("HEIC", "image/heic"),
    ],
)
def test_photographs_are_recognised(kind: str, mime: str) -> None:
    assert sniff(picture(kind)) == Sniffed(Kind.IMAGE, mime)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0",
        b"hello, this is a complaint in plain text",
        "一份普通的文字".encode("utf-16"),
        b"%PDF-1.7\n",
        b"PK\x03\x04" + bytes(100),
        b"MZ" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(100),
        b"RIFF\x24\0\0\0AVI LIST",
        b"\x1a\x45\xdf\xa3" + bytes(100),
        b"\0\0\0\x1cftypavif" + bytes(20),
        b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf" + bytes(20),
        b"\xff\xfb\x90\x00" + b"\x55" * 5000,
        b"\xff\xf1\x50\x80\x02\x1f\xfc" + b"\x55" * 5000,
        b"\xff" * 5000,
        b"#EXTM3U\nhttp://127.0.0.1/a.ts",
    ],
)
def test_anything_else_is_refused(head: bytes) -> None:
    with pytest.raises(NotMedia):
        sniff(head)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_sniffer_fail(head: bytes) -> None:
    try:
        sniff(head)
    except NotMedia:
        return
