"""What a file is, told by its first bytes and never by its name or declared type."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import NotMedia
from models.medium import Kind

# Two frames of any MPEG sound fit (an ADTS frame is at most 8,191 bytes).
HEAD_BYTES = 20 * 1024

SILK_MIME = "audio/silk"
_EBML = b"\x1a\x45\xdf\xa3"
_AMR = {b"#!AMR\n": "audio/amr", b"#!AMR-WB\n": "audio/amr-wb"}
_PLAIN_SOUND = {b"OggS": "audio/ogg", b"fLaC": "audio/flac", b"caff": "audio/x-caf"}
_RIFF = {b"WAVE": (Kind.VOICE, "audio/wav"), b"WEBP": (Kind.IMAGE, "image/webp")}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Images that share the container but that nothing here reads.
_FOREIGN_BRANDS = frozenset({b"avif", b"avis", b"crx ", b"jp2 ", b"jxl "})


@dataclass(frozen=True)
class Sniffed:
    """What the content is. mime : as it is served to staff who fetch the original."""

    kind: Kind
    mime: str


def sniff(head: bytes) -> Sniffed:
    """Recognise a recording or photograph by its first `HEAD_BYTES`; raise NotMedia otherwise."""
    found = _container(head) or _image(head) or _bare_frames(head)
    if found is None:
        raise NotMedia(
            "这不是录音或照片，请发送录音、照片或文字。",
            "This is neither a recording nor a photograph: send sound, a picture or text.",
        )
    return found


def _container(head: bytes) -> Sniffed | None:
    for magic, mime in (_AMR | _PLAIN_SOUND).items():
        if head.startswith(magic):
            return Sniffed(Kind.VOICE, mime)
    # WeChat puts one byte 0x02 before the SILK header.
    if head.startswith((b"#!SILK_V3", b"\x02#!SILK_V3")):
        return Sniffed(Kind.VOICE, SILK_MIME)
    if head.startswith((b"RIFF", b"RF64", b"RIFX")) and head[8:12] in _RIFF:
        return Sniffed(*_RIFF[head[8:12]])
    if head.startswith(_EBML) and (b"webm" in head[:64] or b"matroska" in head[:64]):
        return Sniffed(Kind.VOICE, "audio/webm" if b"webm" in head[:64] else "audio/x-matroska")
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"ID3"):
        return Sniffed(Kind.VOICE, "audio/mpeg")
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return Sniffed(Kind.VOICE, "audio/aiff")
    return None


def _iso_media(head: bytes) -> Sniffed | None:
    """Tell HEIC, 3GP and MP4 apart by the brands of the `ftyp` box (ISO/IEC 14496-12)."""
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, min(size, len(head), 256), 4))}
    if major in _HEIC_BRANDS:
        # AVIF may call itself `mif1` first.
        return None if brands & _FOREIGN_BRANDS else Sniffed(Kind.IMAGE, "image/heic")
    if major in _FOREIGN_BRANDS:
        return None
    if major.startswith((b"3gp", b"3g2", b"3gg", b"3ge", b"3gr", b"3gs")):
        return Sniffed(Kind.VOICE, "audio/3gpp")
    return Sniffed(Kind.VOICE, "audio/mp4")


def _image(head: bytes) -> Sniffed | None:
    if head.startswith(b"\xff\xd8\xff"):
        return Sniffed(Kind.IMAGE, "image/jpeg")
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Sniffed(Kind.IMAGE, "image/png")
    return None


def _bare_frames(head: bytes) -> Sniffed | None:
    """Recognise MP3 and ADTS without any header, by two frames where the length says."""
    for measure, mime in ((_mpeg_frame, "audio/mpeg"), (_adts_frame, "audio/aac")):
        length = measure(head)
        # Where the file ends inside its first frame there is no second one to ask for.
        if length and (length + 4 > len(head) or measure(head[length:])):
            return Sniffed(Kind.VOICE, mime)
    return None


_MPEG1_LAYER2 = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_MPEG1_LAYER3 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_LAYER23 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def _mpeg_frame(data: bytes) -> int:
    """Give the length of an MPEG layer II or III frame (ISO/IEC 11172-3, 13818-3), or 0."""
    if len(data) < 4:
        return 0
    word = int.from_bytes(data[:4], "big")
    version, layer = word >> 19 & 3, word >> 17 & 3
    bitrate, rate, padding = word >> 12 & 15, word >> 10 & 3, word >> 9 & 1
    if word >> 21 != 0x7FF or version == 1 or layer not in (1, 2) or bitrate in (0, 15):
        return 0
    if rate == 3:
        return 0
    if version == 3:
        kilobits = (_MPEG1_LAYER3 if layer == 1 else _MPEG1_LAYER2)[bitrate]
    else:
        kilobits = _MPEG2_LAYER23[bitrate]
    factor = 72 if version != 3 and layer == 1 else 144
    return factor * kilobits * 1000 // _RATES[version][rate] + padding


def _adts_frame(data: bytes) -> int:
    """Give the length of an ADTS frame (ISO/IEC 13818-7), or 0."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0 or data[2] >> 2 & 15 > 12:
        return 0
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return length if length >= 7 else 0
