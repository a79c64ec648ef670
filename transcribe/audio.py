"""Sound out of files: the only place in the house that decodes a recording.

Containers and codecs go through PyAV (FFmpeg in its wheel) behind lists of formats and decoders,
so that a hostile file cannot name a playlist, another file or an address; WeChat's SILK goes
through silk-python. Durations are counted from decoded samples, since headers lie.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import av
import numpy as np
import pysilk
from av.audio.resampler import AudioResampler

from models.errors import Unplayable
from transcribe.pcm import SAMPLE_BYTES, floats
from transcribe.speech import SAMPLE_RATE, Samples

Packets: TypeAlias = "av.Packet[av.AudioStream]"

FORMATS = (
    "aac,aiff,amr,amrnb,amrwb,asf,au,caf,flac,latm,loas,matroska,webm,"
    "mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,w64,wav"
)
DECODERS = (
    "aac,aac_fixed,aac_latm,ac3,eac3,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,"
    "adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_swf,adpcm_yamaha,flac,gsm,gsm_ms,"
    "mp1,mp1float,mp2,mp2float,mp3,mp3float,mp3adu,mp3adufloat,mp3on4,opus,libopus,"
    "pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,"
    "pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,"
    "libspeex,speex,vorbis,libvorbis,wmav1,wmav2"
)
# Containers whose header states the length of the sound; in the others it is an estimate.
HONEST_FORMATS = frozenset(
    {"wav", "w64", "mov,mp4,m4a,3gp,3g2,mj2", "caf", "flac", "aiff", "matroska,webm"}
)
MP3_LENGTH_TAGS = (b"Xing", b"Info")
MP3_TAG_WITHIN = 65_536
SHORT_BY_SECONDS = 0.5

SILK_HEADS = (b"\x02#!SILK_V3", b"#!SILK_V3")
SILK_PACKET_SECONDS = 0.02
SILK_FOOTER = -1
# The decoder of silk-python refuses packets over its output buffer of 20 ms.
SILK_LARGEST_PACKET = SAMPLE_RATE // 1000 * 40

OGG_PAGE = b"OggS"
OGG_LARGEST_PAGE = 65_307
OGG_HEADER_BYTES = 27
OGG_LAST_PAGE_FLAG = 4

OPPOSED_CHANNELS = 0.25


@dataclass(frozen=True)
class Audio:
    """A decoded recording.

    samples : float32, shape = (n_samples,), -1..1 at SAMPLE_RATE, one channel
    truncated : the file ended early, or went on beyond the limit; what was decoded is kept
    """

    samples: Samples
    truncated: bool = False

    @property
    def seconds(self) -> float:
        """Give the length, counted from samples."""
        return len(self.samples) / SAMPLE_RATE


def decode(path: Path, *, max_seconds: float) -> Audio:
    """Decode any recording to one channel at SAMPLE_RATE; raise Unplayable if nothing comes out.

    max_seconds : what lies beyond is left undecoded, and the result marked truncated
    """
    limit = int(max_seconds * SAMPLE_RATE)
    try:
        with path.open("rb") as file:
            head = file.read(max(map(len, SILK_HEADS)))
            file.seek(0)
            audio = _silk(file, limit) if head.startswith(SILK_HEADS) else _container(file, limit)
    except OSError as error:
        # FFmpeg's own errors are OSErrors too; a missing or unreadable file ends here as well.
        raise _unplayable() from error
    if not len(audio.samples):
        raise _unplayable()
    return audio


def _unplayable() -> Unplayable:
    return Unplayable(
        "这段录音无法解码，请人工查看原件，或请对方重新录制。",
        "This recording cannot be decoded: look at the original, or ask for a new recording.",
    )


def _container(file: BinaryIO, limit: int) -> Audio:
    """Decode through FFmpeg. limit : samples"""
    options = {"format_whitelist": FORMATS, "codec_whitelist": DECODERS}
    try:
        with av.open(file, "r", container_options=options, metadata_errors="ignore") as container:
            stream = container.streams.best("audio")
            if not isinstance(
                stream, av.AudioStream
            ) or stream.codec_context.name not in DECODERS.split(","):
                raise _unplayable()
            taken = _Taken(limit)
            for packet in _packets(container.demux(stream), taken):
                _decode_packet(packet, taken)
                if taken.full:
                    break
            taken.finish()
            declared = _declared_seconds(container, stream, file)
    except (ValueError, IndexError, EOFError, MemoryError, UnicodeError) as error:
        raise _unplayable() from error
    samples = _one_channel(taken.pcm, taken.channels)
    short = declared is not None and declared - len(samples) / SAMPLE_RATE > SHORT_BY_SECONDS
    ends_early = short or taken.broken_end or taken.full or _ogg_ends_early(file)
    return Audio(samples[:limit], truncated=ends_early)


class _Taken:
    """What has been decoded so far, as 16-bit samples of one or two channels."""

    def __init__(self, limit: int) -> None:
        self.pcm = bytearray()
        self.channels = 0
        self.broken_end = False
        self._limit = limit
        self._resampler: AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None

    @property
    def full(self) -> bool:
        """Tell whether more was decoded than the limit allows."""
        return len(self.pcm) > self._limit * SAMPLE_BYTES * max(self.channels, 1)

    def add(self, frame: av.AudioFrame) -> None:
        """Resample a frame; a stream may change its form on the way."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form or self._resampler is None:
            self.finish()
            self.channels = self.channels or min(frame.layout.nb_channels, 2)
            self._resampler = AudioResampler(
                format="s16",
                layout="mono" if self.channels == 1 else "stereo",
                rate=SAMPLE_RATE,
            )
            self._form = form
        frame.pts = None  # gaps and jumps in the time stamps are no sound
        self._write(self._resampler.resample(frame))

    def finish(self) -> None:
        """Take what the resampler still holds."""
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None

    def _write(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self.pcm += frame.to_ndarray().tobytes()


def _packets(packets: Iterator[Packets], taken: _Taken) -> Iterator[Packets]:
    """Yield packets until the file ends, be it in the middle of one."""
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError):
            taken.broken_end = True
            return
        yield packet


def _decode_packet(packet: Packets, taken: _Taken) -> None:
    """Decode one packet; a damaged one is left out."""
    if packet.size:
        taken.broken_end = packet.is_corrupt
    try:
        frames = packet.decode()
    except av.error.FFmpegError:
        taken.broken_end = True
        return
    for frame in frames:
        if isinstance(frame, av.AudioFrame):
            taken.add(frame)


def _declared_seconds(
    container: av.container.InputContainer, stream: av.AudioStream, file: BinaryIO
) -> float | None:
    """Read the length that an honest header states, or None."""
    name = container.format.name
    if name == "mp3":
        file.seek(0)
        head = file.read(MP3_TAG_WITHIN)
        if not any(tag in head for tag in MP3_LENGTH_TAGS):
            return None
    elif name not in HONEST_FORMATS:
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _ogg_ends_early(file: BinaryIO) -> bool:
    """Tell whether an Ogg file lacks the page that is marked as its last (RFC 3533)."""
    file.seek(0)
    if file.read(len(OGG_PAGE)) != OGG_PAGE:
        return False
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - OGG_LARGEST_PAGE))
    tail = file.read()
    at = tail.rfind(OGG_PAGE)
    if at < 0 or at + OGG_HEADER_BYTES > len(tail):
        return True
    segments = tail[at + OGG_HEADER_BYTES - 1]
    table = tail[at + OGG_HEADER_BYTES : at + OGG_HEADER_BYTES + segments]
    complete = at + OGG_HEADER_BYTES + segments + sum(table) <= len(tail)
    return not (complete and len(table) == segments and tail[at + 5] & OGG_LAST_PAGE_FLAG)


def _one_channel(pcm: bytearray, channels: int) -> Samples:
    """Mix to one channel, or take the louder one where the two cancel each other out."""
    if not pcm:
        return np.zeros(0, np.float32)
    both = np.frombuffer(pcm, np.int16).reshape(-1, max(channels, 1))
    if channels < 2:
        return floats(both[:, 0])
    mixed: Samples = (floats(both[:, 0]) + floats(both[:, 1])) * np.float32(0.5)
    powers = [_power(floats(both[:, channel])) for channel in (0, 1)]
    # A dead channel costs the mix three quarters of the power; less than that is cancellation.
    if _power(mixed) < 0.9 * OPPOSED_CHANNELS * max(powers):
        return floats(both[:, int(np.argmax(powers))])
    return mixed


def _power(samples: Samples) -> float:
    """Give the mean square."""
    return float(np.mean(np.square(samples))) if len(samples) else 0.0


def _silk(file: BinaryIO, limit: int) -> Audio:
    """Decode WeChat's SILK, also where it ends early.

    silk-python raises at the end of a truncated file although all before was written well, and
    takes a negative length as "read everything": so only whole packets are handed to it.
    """
    whole, complete = _silk_packets(file, int(limit / SAMPLE_RATE / SILK_PACKET_SECONDS) + 1)
    pcm = io.BytesIO()
    try:
        pysilk.decode(io.BytesIO(whole), pcm, SAMPLE_RATE)
    except pysilk.SilkError:
        complete = False
    samples = floats(np.frombuffer(pcm.getbuffer(), np.int16))
    return Audio(samples[:limit], truncated=not complete or len(samples) > limit)


def _silk_packets(file: BinaryIO, most: int) -> tuple[bytes, bool]:
    """Copy the head and the whole packets; tell whether the file ends with a whole one."""
    head = next(head for head in SILK_HEADS if file.read(len(head)) == head or file.seek(0))
    kept = bytearray(head)
    for _ in range(most):
        prefix = file.read(SAMPLE_BYTES)
        size = int.from_bytes(prefix, "little", signed=True)
        if not prefix or size == SILK_FOOTER:
            return bytes(kept), True
        packet = file.read(size) if 0 < size <= SILK_LARGEST_PACKET else b""
        if len(prefix) < SAMPLE_BYTES or len(packet) != size or not packet:
            return bytes(kept), False
        kept += prefix + packet
    return bytes(kept), False
