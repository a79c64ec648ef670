"""The demo's own files: what people send in, in the containers of their phones.

Everything is invented: espeak-ng voices that no training clip uses, a letter drawn by Pillow.
"""

import io
import random
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pillow_heif
import pysilk
import tomli_w
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.signal import resample_poly

from transcribe.train import augment, espeak, synthetic
from transcribe.train.synthetic import Line

Pcm = npt.NDArray[np.float32]
_RATE = augment.SAMPLE_RATE
SEED = "showcase"


@dataclass(frozen=True)
class Message:
    """One voice message: sentences said by one voice, and how the phone writes them."""

    file: str
    language: str
    voice: str
    variant: str
    sentences: tuple[str, ...]
    noise: str = ""
    snr_db: float = 20.0
    status: str = "ready"
    reason: str = ""


MESSAGES = (
    Message(
        "zh-browser.webm",
        "zh",
        "cmn",
        "f3",
        ("新来的社长用水电工的印章领种粮补贴", "流水账上写两万多", "我说的是实话，我盼着公道"),
    ),
    Message("zh-phone.m4a", "zh", "cmn", "m4", ("我叫丁成兰，下水道塌了，落雨就臭得不行",), "rain"),
    Message(
        "zh-wechat.silk",
        "zh",
        "cmn",
        "f4",
        ("我六十四了，移民房十一年没人管", "大伙寒心，我想问退耕款找谁"),
    ),
    Message(
        "zh-recorder.mp3",
        "zh",
        "cmn",
        "m5",
        ("产业路才修十四天就烂了", "校园超市叫联络员承包，饺子喂鸡都不吃"),
        "wind",
    ),
    Message(
        "yue-old-phone.3gp",
        "yue",
        "yue",
        "Annie",
        ("我老公冇劳力，护理补贴未畀", "低保好几年一蚊未见，揾过环保局好几次"),
    ),
    Message(
        "yue-computer.wav",
        "yue",
        "yue",
        "m4",
        ("燃油补贴全部畀司法所嘅院长扣咗三万三千，请领导趁早严查",),
    ),
    Message("ug-browser.webm", "ug", "ug", "f3", ("ئىسمىم ئايگۈل، ياپچاندىكى جىلغا بەك بۆلۈندى.",)),
    Message(
        "ug-old-phone.3gp",
        "ug",
        "ug",
        "m5",
        ("بىر ئۇرۇغۇم بار، تاڭدا قۇتۇبىدا ياخشى سەھنىنى ماختىدىم.",),
    ),
    Message(
        "kk-phone.m4a",
        "kk",
        "kk",
        "f4",
        (
            "атым Меруерт, бұйра қиылыс үй-үйге жиырылмады.",
            "тегіс жұбай тағы тез жәбірледі, ылғи жорттық.",
        ),
    ),
    Message(
        "ko-recorder.mp3",
        "ko",
        "ko",
        "Annie",
        ("저는 청동리에 사는 고옥순, 저는 설탕이나 쌀을 반려했고요.", "주유소에 우유가 없어요."),
    ),
    Message(
        "unknown-language.webm",
        "und",
        "vi",
        "f3",
        (
            "Xin chào, tôi sống ở một ngôi làng nhỏ gần con sông.",
            "Con đường này hỏng từ năm ngoái.",
        ),
        status="needs_listener",
        reason="unsupported_language",
    ),
)
RAIN_ONLY = "rain-only.mp3"
TEXT_FILE = "zh-typed.txt"
TEXT = (
    "我是青禾县柳塘乡白石坳村的村民。去年十月，村里的抽水站坏了，文书曹满仓收了每户一百二十元修理费，"
    "一共八十六户，到现在机器没有修，账也没有公开。请查一查这笔钱去了哪里。\n"
)
LETTER = (
    "尊敬的检查组：",
    "我是白石坳村三组的村民。今年三月，村主任",
    "邓有田把集体的二十亩林地租给他的表弟，",
    "租金每亩只有三十元，没有开过村民大会。",
    "去年的退耕还林补助四千五百元也没有发给",
    "我们七户人家。请你们下来核实。",
    "　　　　　　　　　　　白石坳村村民",
    "　　　　　　　　　　二〇二六年五月八日",
)
LETTER_PHOTO, LETTER_HEIC = "zh-letter.jpg", "zh-letter.heic"
# Containers by suffix: container, codec, samples a second, bits a second.
_FORMS = {
    ".webm": ("webm", "libopus", 48_000, 24_000),
    ".m4a": ("ipod", "aac", 48_000, 48_000),
    ".mp3": ("mp3", "libmp3lame", 44_100, 48_000),
    ".3gp": ("3gp", "libopencore_amrnb", 8_000, 12_200),
}


def speak(message: Message) -> Pcm:
    """Say a message: float32, mono, 16 kHz."""
    espeak.renew()
    rng = random.Random(f"{SEED}|{message.file}")
    voice = espeak.Voice(message.voice, message.variant, rng.randint(150, 180))
    sounds = [
        synthetic.speak(Line(message.language, message.voice, text), voice, rng)
        for text in message.sentences
    ]
    pcm = augment.at_level(synthetic.join(sounds, rng).pcm, -6)
    noise = np.random.default_rng(rng.getrandbits(64))
    if message.noise:
        pcm = augment.mix(pcm, augment.noise(message.noise, len(pcm), noise), message.snr_db)
    return augment.at_level(pcm, -3)


def recorded(pcm: Pcm, suffix: str) -> bytes:
    """Write sound as a phone would that makes files of this suffix."""
    target = io.BytesIO()
    if suffix == ".silk":
        samples = (pcm * 32767).astype("<i2").tobytes()
        pysilk.encode(io.BytesIO(samples), target, _RATE, 16_000, tencent=True)
    elif suffix == ".wav":
        with wave.open(target, "wb") as sink:
            sink.setnchannels(1)
            sink.setsampwidth(2)
            sink.setframerate(_RATE)
            sink.writeframes((pcm * 32767).astype("<i2").tobytes())
    else:
        container, codec, rate, bitrate = _FORMS[suffix]
        common = int(np.gcd(rate, _RATE))
        resampled = resample_poly(pcm, rate // common, _RATE // common).astype(np.float32)
        augment.encode(resampled, rate, target, container, codec, bitrate)
    return target.getvalue()


def letter(font_file: Path) -> Image.Image:
    """Draw a letter and photograph it: tilted, unevenly lit, a little blurred and noisy."""
    font = ImageFont.truetype(str(font_file), 40)
    page = Image.new("L", (1000, 120 + 82 * len(LETTER)), 238)
    draw = ImageDraw.Draw(page)
    for row, line in enumerate(LETTER):
        draw.text((70, 60 + 82 * row), line, font=font, fill=40)
    tilted = page.rotate(2.2, expand=True, fillcolor=120, resample=Image.Resampling.BICUBIC)
    photo = np.asarray(tilted.filter(ImageFilter.GaussianBlur(0.7)), np.float32)
    rng = np.random.default_rng(8)
    light = np.linspace(0.82, 1.05, photo.shape[1])[None, :]
    noisy = photo * light + rng.normal(0, 6, photo.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).convert("RGB")


def write(folder: Path, font_file: Path, watch: Callable[[str], None] = lambda name: None) -> None:
    """Write every file of the demo and expected.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    for message in MESSAGES:
        (folder / message.file).write_bytes(recorded(speak(message), Path(message.file).suffix))
        joint = " " if " " in message.sentences[0] else "，"
        true = joint.join(message.sentences)
        rows.append(_row(message.file, "voice", message.language, true, message))
        watch(message.file)
    rng = np.random.default_rng(5)
    rain = augment.at_level(augment.noise("rain", 9 * _RATE, rng), -12)
    (folder / RAIN_ONLY).write_bytes(recorded(rain, ".mp3"))
    nobody = Message(RAIN_ONLY, "und", "", "", (), status="needs_listener", reason="no_speech")
    rows.append(_row(RAIN_ONLY, "voice", "und", "", nobody))
    (folder / TEXT_FILE).write_text(TEXT, encoding="utf-8")
    rows.append(_row(TEXT_FILE, "text", "zh", TEXT.strip()))
    photo = letter(font_file)
    photo.save(folder / LETTER_PHOTO, quality=72)
    pillow_heif.from_pillow(photo).save(folder / LETTER_HEIC, quality=50)
    for name in (LETTER_PHOTO, LETTER_HEIC):
        rows.append(_row(name, "image", "zh", "".join(line.strip("　") for line in LETTER)))
    (folder / "expected.toml").write_text(tomli_w.dumps({"files": rows}), encoding="utf-8")


def _row(
    file: str, medium: str, language: str, text: str, message: Message | None = None
) -> dict[str, object]:
    return {
        "file": file,
        "medium": medium,
        "language": language,
        "text": text,
        "status": message.status if message else "ready",
        "reason": message.reason if message else "",
    }
