"""What phones, rooms and weather do to a voice; all noise is made here from random numbers."""

import io
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt
from scipy.fft import next_fast_len
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

Pcm = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
NOISES = ("wind", "rain", "crowd", "white", "pink", "hum")
AMR_RATES = (4750, 5900, 7400, 10200, 12200)
OPUS_RATES = (6000, 8000, 12000, 16000, 24000)


@dataclass(frozen=True)
class Damage:
    """What is done to a clip, in the order of the fields; nothing by default."""

    speed: float = 1.0
    room_seconds: float = 0.0  # time in which the echo falls by 60 dB
    noise: str = ""
    snr_db: float = 99.0
    gain_db: float = 0.0
    clip_db: float = 0.0  # how far the peak is pushed over full scale
    telephone: bool = False
    codec: str = ""  # "amr" or "opus"
    bitrate: int = 0


def draw(rng: np.random.Generator) -> Damage:
    """Draw what happens to a training clip: about half of them stay clean."""
    if rng.random() < 0.45:
        return Damage(gain_db=float(rng.uniform(-18, 0)))
    noisy = rng.random() < 0.6
    codec = str(rng.choice(["amr", "opus", "", ""]))
    rates = AMR_RATES if codec == "amr" else OPUS_RATES
    return Damage(
        room_seconds=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.25 else 0.0,
        noise=str(rng.choice(NOISES)) if noisy else "",
        snr_db=float(rng.uniform(5, 30)) if noisy else 99.0,
        gain_db=float(rng.uniform(-24, 0)),
        clip_db=float(rng.uniform(1, 6)) if rng.random() < 0.08 else 0.0,
        telephone=bool(rng.random() < 0.15),
        codec=codec,
        bitrate=int(rng.choice(rates)) if codec else 0,
    )


def apply(pcm: Pcm, damage: Damage, rng: np.random.Generator) -> Pcm:
    """Return the damaged clip: float32, mono, 16 kHz, as long as before but for `speed`."""
    if damage.speed != 1.0:
        pcm = change_speed(pcm, damage.speed)
    length = len(pcm)
    if damage.room_seconds:
        pcm = room(pcm, damage.room_seconds, rng)
    if damage.noise:
        pcm = mix(pcm, noise(damage.noise, length, rng), damage.snr_db)
    pcm = at_level(pcm, damage.gain_db)
    if damage.clip_db:
        pcm = np.clip(pcm * 10 ** (damage.clip_db / 20), -1, 1).astype(np.float32)
    if damage.telephone:
        pcm = telephone(pcm)
    if damage.codec == "amr":
        pcm = amr(pcm, damage.bitrate)
    elif damage.codec == "opus":
        pcm = opus(pcm, damage.bitrate)
    return fit(pcm, length)


def fit(pcm: Pcm, length: int) -> Pcm:
    """Cut or zero-pad at the end."""
    return pcm[:length] if len(pcm) >= length else np.pad(pcm, (0, length - len(pcm)))


def at_level(pcm: Pcm, gain_db: float) -> Pcm:
    """Bring the peak to `gain_db` below full scale."""
    peak = float(np.abs(pcm).max()) if len(pcm) else 0.0
    scaled: Pcm = (pcm * (10 ** (gain_db / 20) / peak)).astype(np.float32) if peak else pcm
    return scaled


def change_speed(pcm: Pcm, speed: float) -> Pcm:
    """Play faster (over 1) or slower, pitch with it."""
    up = 100
    return np.asarray(resample_poly(pcm, up, round(up * speed)), np.float32)


def mix(pcm: Pcm, other: Pcm, snr_db: float) -> Pcm:
    """Add `other` so that the voice is `snr_db` above it, measured where the voice is loud."""
    power = np.sort(pcm**2)[len(pcm) // 4 :].mean() + 1e-10
    scale = np.sqrt(power / (np.mean(other**2) + 1e-10) / 10 ** (snr_db / 10))
    mixed: Pcm = (pcm + scale * other).astype(np.float32)
    return mixed


def room(pcm: Pcm, seconds: float, rng: np.random.Generator) -> Pcm:
    """Add the echo of a room: decaying noise after the direct sound."""
    length = int(seconds * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    echo = rng.standard_normal(length) * 10 ** (-3 * time / seconds)
    echo[: int(0.004 * SAMPLE_RATE)] = 0
    echo *= rng.uniform(0.2, 0.7) / (np.linalg.norm(echo) + 1e-9)
    echo[0] = 1
    return np.asarray(fftconvolve(pcm, echo.astype(np.float32))[: len(pcm)], np.float32)


def telephone(pcm: Pcm) -> Pcm:
    """Keep 300 to 3400 Hz."""
    filters = butter(4, [300, 3400], btype="bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(filters, pcm), np.float32)


def _shaped(length: int, shape: npt.NDArray[np.floating], rng: np.random.Generator) -> Pcm:
    """Return noise with this amplitude at each frequency of the real transform."""
    phases = rng.standard_normal(len(shape)) + 1j * rng.standard_normal(len(shape))
    return np.asarray(np.fft.irfft(phases * shape, n=length), np.float32)


def _slow(length: int, hertz: float, depth: float, rng: np.random.Generator) -> Pcm:
    """Return a random loudness curve around 1 that changes about `hertz` times a second."""
    points = max(4, int(length / SAMPLE_RATE * hertz) + 3)
    curve = np.exp(depth * rng.standard_normal(points))
    places = np.linspace(0, points - 1, length)
    return np.interp(places, np.arange(points), curve).astype(np.float32)


def noise(kind: str, length: int, rng: np.random.Generator) -> Pcm:
    """Make a stretch of noise with mean power 1.

    kind : one of NOISES
    """
    even = next_fast_len(length + length % 2, real=True)
    even += even % 2
    hertz = np.fft.rfftfreq(even, 1 / SAMPLE_RATE)
    if kind == "wind":
        shape = 1 / (1 + (hertz / rng.uniform(80, 250)) ** 1.6)
        sound = _shaped(even, shape, rng) * _slow(even, 1.5, 0.7, rng)
    elif kind == "rain":
        shape = np.clip(hertz / 2500, 0, 1) / (1 + (hertz / 6000) ** 2)
        sound = _shaped(even, shape, rng)
        drops = (rng.random(even) < 25 / SAMPLE_RATE) * rng.exponential(1.0, even)
        ring = np.exp(-np.arange(160) / 25) * np.sin(np.arange(160) * rng.uniform(0.5, 1.5))
        sound = sound / (sound.std() + 1e-9) + 4 * fftconvolve(drops, ring)[:even]
    elif kind == "crowd":
        sound = np.zeros(even, np.float32)
        for _ in range(int(rng.integers(4, 9))):
            sound += _talker(even, hertz, rng)
    elif kind == "pink":
        sound = _shaped(even, 1 / np.sqrt(np.maximum(hertz, 20)), rng)
    elif kind == "hum":
        time = np.arange(even) / SAMPLE_RATE
        tones = np.sum([np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 9)], axis=0)
        sound = tones + _shaped(even, np.full(len(hertz), 0.3), rng) * np.sqrt(even)
    elif kind == "white":
        sound = _shaped(even, np.ones(len(hertz)), rng)
    else:
        raise ValueError(f"no noise is called {kind!r}")
    return np.asarray(sound[:length] / (np.sqrt(np.mean(sound**2)) + 1e-9), np.float32)


def _talker(length: int, hertz: npt.NDArray[np.floating], rng: np.random.Generator) -> Pcm:
    """Return one blurred voice: a spectrum like speech, loudness in the rhythm of syllables."""
    formants = [(rng.uniform(300, 800), 150), (rng.uniform(900, 2300), 250), (2800, 400)]
    bumps = [np.exp(-(((hertz - f) / w) ** 2)) / (1 + i) for i, (f, w) in enumerate(formants)]
    voice = _shaped(length, np.sum(bumps, axis=0), rng)
    loudness = _slow(length, rng.uniform(3, 6), 0.9, rng)
    return np.asarray(voice / (voice.std() + 1e-9) * loudness, np.float32)


def amr(pcm: Pcm, bitrate: int = 12200) -> Pcm:
    """Send a clip through AMR-NB, the codec of old phones."""
    narrow = resample_poly(pcm, 1, 2).astype(np.float32)
    back = _round_trip(narrow, 8000, "amr", "libopencore_amrnb", bitrate)
    return np.asarray(resample_poly(back, 2, 1), np.float32)


def opus(pcm: Pcm, bitrate: int = 16000) -> Pcm:
    """Send a clip through Opus, the codec of browsers."""
    return _round_trip(pcm, SAMPLE_RATE, "ogg", "libopus", bitrate)


def _round_trip(pcm: Pcm, rate: int, container: str, codec: str, bitrate: int) -> Pcm:
    buffer = io.BytesIO()
    encode(pcm, rate, buffer, container, codec, bitrate)
    buffer.seek(0)
    with av.open(buffer, "r") as source:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        pieces = [
            out.to_ndarray().ravel()
            for frame in source.decode(audio=0)
            for out in resampler.resample(frame)
        ]
        pieces += [out.to_ndarray().ravel() for out in resampler.resample(None)]
    return np.asarray(np.concatenate(pieces), np.float32) / np.float32(32768)


def encode(
    pcm: Pcm, rate: int, target: io.BytesIO, container: str, codec: str, bitrate: int
) -> None:
    """Write mono PCM at `rate` into a container, with a codec at `bitrate` (bit/s)."""
    samples = np.clip(pcm * 32767, -32768, 32767).astype(np.int16)
    with av.open(target, "w", format=container) as sink:
        stream = sink.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        stream.bit_rate = bitrate
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=rate,
            frame_size=stream.codec_context.frame_size or 160,
        )
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            sink.mux(stream.encode(piece))
        sink.mux(stream.encode(None))
