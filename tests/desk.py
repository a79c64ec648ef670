"""A desk with work on it: staff of every role, and invented reports of every kind."""

from __future__ import annotations

import io
import math
import struct
import wave
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from PIL import Image, ImageDraw
from sqlalchemy import Engine
from sqlmodel import Session

from ingest.blobs import Blobs
from models import clocks, receipt, reporter
from models.account import Account, Permission, Role
from models.channel import Channel, Unit
from models.columns import now, uuid7
from models.complaint import Complaint, IdentityMode, Message, Repeat, ReportMedium
from models.database import writing
from models.keys import Keys
from models.medium import Kind, Medium, Purpose
from models.record import Reporter
from models.status import MediumState, Status
from models.transcript import Transcript
from tests import cases

RATE = 16_000
COUNTY = "653126"
STAFF = {
    "lead": (
        Role.LEAD,
        "古丽·阿依",
        list(Permission),
    ),
    "inspector": (Role.INSPECTOR, "周明远", [Permission.EXPORT]),
    "listener": (Role.LISTENER, "热娜", []),
    "overseer": (Role.OVERSEER, "监督室", []),
    "admin": (Role.ADMINISTRATOR, "运维", []),
}
Said = list[tuple[float, str]]
UYGHUR = [
    (0.62, "ياخشىمۇسىز مەن گۈلباغ كەنتىدىن سۆزلەۋاتىمەن"),
    (0.95, "كەنتىمىزدىكى سۇ تۇرۇبىسى ئۈچ ئايدىن بېرى بۇزۇق"),
    (0.9, "كەنت باشلىقىغا دېسەك سۇ تۇرۇبىسى ئۈچۈن پۇل يوق دەيدۇ"),
    (0.88, "ھەر ئائىلىدىن ئىككى يۈز يۈەن يىغدى لېكىن سۇ تۇرۇبىسى ياسالمىدى"),
    (0.93, "بىزگە ياردەم قىلىڭلار رەھمەت"),
]
CHINESE = [
    (0.9, "你好我要反映柳塘村的问题"),
    (0.85, "去年冬天村里发抵保有三户没有领到"),
    (0.9, "名单里都是会计家的亲戚真正困难的没有评上"),
    (0.8, "我们去问村委会他们说抵保已经发完了"),
    (0.92, "一共少了大概三千六百块钱请你们来查一查"),
]


@dataclass(frozen=True)
class Laid:
    """What lies on the desk, by name."""

    staff: dict[str, UUID]
    complaints: dict[str, UUID]
    media: dict[str, UUID]


def lay(engine: Engine, keys: Keys, blobs: Blobs) -> Laid:
    """Put staff, channels, units and reports into an empty installation."""
    with writing(engine) as session:
        staff = _staff(session)
        _places(session)
    with writing(engine) as session:
        desk = _Desk(session, keys, blobs, staff)
        desk.lay()
    return Laid({name: one.id for name, one in staff.items()}, desk.complaints, desk.media)


def _staff(session: Session) -> dict[str, Account]:
    made = {}
    for name, (role, called, permissions) in STAFF.items():
        made[name] = cases.account(
            session,
            role,
            COUNTY if role is not Role.OVERSEER else "653100",
            *permissions,
            username=name,
            name=called,
            languages=["ug", "zh"] if role is Role.LISTENER else [],
            rounds=["*"],
        )
    return made


def _places(session: Session) -> None:
    village = Unit(code="u-gulbagh", name="古勒巴格村村委会", division=COUNTY, rank="village")
    session.add(village)
    session.add(Unit(code="u-liutang", name="柳塘村村委会", division=COUNTY, rank="village"))
    session.add(
        Channel(
            code="gulbagh-qr",
            name="古勒巴格村公示栏",
            unit_code=None,
            unit_name="古勒巴格村村委会",
            jurisdiction=COUNTY,
            languages=["ug", "zh"],
        )
    )


class _Desk:
    def __init__(
        self, session: Session, keys: Keys, blobs: Blobs, staff: dict[str, Account]
    ) -> None:
        self.session, self.keys, self.blobs, self.staff = session, keys, blobs, staff
        self.complaints: dict[str, UUID] = {}
        self.media: dict[str, UUID] = {}

    def lay(self) -> None:
        self.written(
            "labour",
            "工地上十二个人的工资拖到现在没有给，包工头说国庆以后结账。",
            "labour",
            200,
            Status.VERIFYING,
        )
        self.written(
            "service",
            "去办事大厅跑了六趟，每次都说材料不全，盖一个章还要收二十元。",
            "service",
            120,
            Status.IN_REVIEW,
        )
        self.written(
            "kazakh",
            "Ауылдағы су құбыры бұзылды, әкімшілік жөндемейді, жәрдемақы да берілмеді.",
            "water_power",
            90,
            language="kk",
        )
        self.letter("letter", 70)
        self.unheard("noise", "", "no_speech", 50)
        self.written(
            "duplicate",
            "柳塘村的低保没有发到困难户手里，名单里全是会计的亲戚，去年冬天就说要公示。",
            "assistance",
            30,
        )
        self.voice(
            "chinese",
            CHINESE,
            "zh",
            26,
            "去年冬天村里发抵保有三户没有领到",
            doubtful=("抵保",),
            domain="assistance",
            unit="柳塘村村委会",
            amount=("三千六百", 4, 3600.0),
            named=True,
        )
        self.written(
            "typed",
            "通村公路修好两个月就烂了，听说花了四十万元，桥面还裂了一道缝。希望有人来看一看。",
            "works",
            8,
        )
        ug = self.voice(
            "uyghur",
            UYGHUR,
            "ug",
            5,
            "كەنتىمىزدىكى سۇ تۇرۇبىسى ئۈچ ئايدىن بېرى بۇزۇق",
            doubtful=("تۇرۇبىسى",),
            domain="water_power",
            unit="古勒巴格村村委会",
            amount=("ئىككى يۈز", 3, 200.0),
        )
        self.unheard("nuosu", "ii", "unsupported_language", 3)
        self.session.add(
            Repeat(
                complaint_id=self.complaints["chinese"],
                other_id=self.complaints["duplicate"],
                score=0.87,
                reasons=[{"why": "同一单位与领域，文字相近"}],
            )
        )
        self.session.add(
            Message(complaint_id=ug, by="reporter", text="سۇ تېخىچە كەلمىدى", at=now())
        )

    def complaint(self, name: str, hours: float, **more: object) -> Complaint:
        received = now() - timedelta(hours=hours)
        fields: dict[str, object] = {
            "id": uuid7(),
            "receipt_hash": receipt.digest(self.keys, receipt.draw()),
            "medium": ReportMedium.VOICE,
            "channel_code": "gulbagh-qr",
            "jurisdiction": COUNTY,
            "held_by": COUNTY,
            "status": Status.READY,
            "received_at": received,
            "due_at": clocks.due(clocks.Clock.ACCEPT, received),
            "retention_until": date(2036, 1, 1),
            "settled_at": received,
        }
        made = Complaint.model_validate(fields | more)
        self.session.add(made)
        self.session.flush()
        self.complaints[name] = made.id
        return made

    def voice(
        self,
        name: str,
        lines: Said,
        language: str,
        hours: float,
        title: str,
        *,
        doubtful: tuple[str, ...],
        domain: str,
        unit: str,
        amount: tuple[str, int, float],
        named: bool = False,
    ) -> UUID:
        segments = _segments(lines, language, doubtful)
        said = (
            " ".join(line for _, line in lines)
            if language != "zh"
            else "，".join(line for _, line in lines)
        )
        medium_id = uuid7()
        found = segments[amount[1]]
        of = {"medium": str(medium_id), "transcript_version": 1, "by": "rule"}
        unit_at = segments[1] if language == "ug" else segments[0]
        made = self.complaint(
            name,
            hours,
            title=title[:60],
            description=said,
            language=language,
            languages=[
                {"tag": language, "confidence": 0.97, "by": "whisper", "share": 1.0}
            ],
            domain=domain,
            subject_unit=unit,
            amounts=[{"value": amount[2], "unit": "元", "text": amount[0]}],
            identity_mode=IdentityMode.REAL_NAME if named else IdentityMode.ANONYMOUS,
            provenance={
                "domain": [
                    {**of, "by": "model", "confidence": 0.91, "text": found["text"][:12],
                     "start": segments[1]["start"], "end": segments[1]["end"], "why": "lexicon 1"}
                ],
                "subject.unit": [
                    {**of, "confidence": 0.94, "text": unit_at["text"][:10],
                     "start": unit_at["start"], "end": unit_at["end"], "why": "gazetteer"}
                ],
                "amounts.0": [
                    {**of, "confidence": 0.99, "text": amount[0],
                     "start": found["start"], "end": found["end"], "why": "numeral"}
                ],
            },
        )  # fmt: skip
        if named:
            who = Reporter(name="买买提江·虚构", contact="138 0000 0000")
            made.reporter_sealed = reporter.seal(self.keys, made.id, who)
        seconds = segments[-1]["end"] + 0.6
        self.recording(name, made, medium_id, segments, seconds, MediumState.DONE)
        self.session.add(
            Transcript(
                medium_id=medium_id,
                version=1,
                segments=segments,
                languages=[{"tag": language, "confidence": 0.97, "by": "whisper", "share": 1.0}],
                evidence=[],
                by="model",
                model="demo 1.0",
            )
        )
        return made.id

    def unheard(self, name: str, declared: str, reason: str, hours: float) -> None:
        made = self.complaint(
            name,
            hours,
            status=Status.NEEDS_LISTENER,
            language="und",
            languages=[{"tag": "und", "confidence": 0.2, "by": "tagger", "share": 1.0}],
            declared_language=declared,
        )
        sound = _segments([(0.9, "一二三四五六"), (0.9, "七八九十")], "und", ())
        self.recording(
            name, made, uuid7(), sound, sound[-1]["end"] + 1, MediumState.NEEDS_LISTENER, reason
        )

    def recording(
        self,
        name: str,
        complaint: Complaint,
        medium_id: UUID,
        segments: list[dict[str, object]],
        seconds: float,
        state: MediumState,
        reason: str = "",
    ) -> None:
        sound, peaks = tone(segments, seconds)
        self.media[name] = medium_id
        for key in (f"media/{medium_id}", f"copy/{medium_id}"):
            put(self.blobs, key, sound)
        self.session.add(
            Medium(
                id=medium_id,
                complaint_id=complaint.id,
                kind=Kind.VOICE,
                state=state,
                reason=reason,
                content_hash=self.keys.digest("content", sound),
                mime="audio/wav",
                size=len(sound),
                original=f"media/{medium_id}",
                copy_=f"copy/{medium_id}",
                copy_mime="audio/wav",
                seconds=seconds,
                speech_seconds=seconds * 0.8,
                peaks=peaks,
                peaks_rate=20.0,
            )
        )
        self.session.flush()

    def written(
        self,
        name: str,
        text: str,
        domain: str,
        hours: float,
        status: Status = Status.READY,
        language: str = "zh",
    ) -> None:
        made = self.complaint(
            name,
            hours,
            medium=ReportMedium.TEXT,
            title=text[:24],
            description=text,
            domain=domain,
            language=language,
            languages=[{"tag": language, "confidence": 0.99, "by": "text", "share": 1.0}],
            status=status,
        )
        if status is not Status.READY:
            made.assignee_id = self.staff["inspector"].id
        self.session.add(self.text(made, text))

    def text(self, complaint: Complaint, text: str) -> Medium:
        return Medium(
            complaint_id=complaint.id,
            kind=Kind.TEXT,
            purpose=Purpose.COMPLAINT,
            state=MediumState.DONE,
            content_hash=self.keys.digest("content", text.encode()),
            mime="text/plain",
            size=len(text.encode()),
            original="",
            text=text,
        )

    def letter(self, name: str, hours: float) -> None:
        lines = [
            "尊敬的巡察组领导：",
            "我是石桥村三组的村民。",
            "村里的砂石厂晚上往河里排水，",
            "鱼都死了，找了四次没有人管。",
        ]
        made = self.complaint(
            name,
            hours,
            medium=ReportMedium.IMAGE,
            title="村里的砂石厂晚上往河里排水",
            description="".join(lines),
            domain="environment",
            language="zh",
            languages=[{"tag": "zh", "confidence": 0.99, "by": "text", "share": 1.0}],
        )
        medium_id = uuid7()
        picture = _page()
        put(self.blobs, f"media/{medium_id}", picture)
        put(self.blobs, f"copy/{medium_id}", picture)
        self.media[name] = medium_id
        self.session.add(
            Medium(
                id=medium_id,
                complaint_id=made.id,
                kind=Kind.IMAGE,
                state=MediumState.DONE,
                content_hash=self.keys.digest("content", picture),
                mime="image/png",
                size=len(picture),
                original=f"media/{medium_id}",
                copy_=f"copy/{medium_id}",
                copy_mime="image/png",
                page={
                    "lines": [
                        {"text": line, "box": [0.08, 0.1 + 0.13 * n, 0.92, 0.2 + 0.13 * n],
                         "score": 0.98 if n != 2 else 0.71}
                        for n, line in enumerate(lines)
                    ]
                },
            )
        )  # fmt: skip


def _segments(lines: Said, language: str, doubtful: tuple[str, ...]) -> list[dict[str, object]]:
    """Spread invented speech over seconds: four characters, or a word and a half, a second."""
    made, at = [], 0.4
    for probability, line in lines:
        spaced = " " in line
        pieces = line.split() if spaced else _pieces(line, doubtful)
        words = []
        for place, piece in enumerate(pieces):
            length = 0.18 + 0.075 * len(piece)
            low = any(one in piece for one in doubtful)
            words.append(
                {
                    "start": round(at, 3),
                    "end": round(at + length, 3),
                    "text": (" " if spaced and place else "") + piece,
                    "probability": 0.41 if low else probability,
                }
            )
            at += length
        made.append(
            {
                "start": words[0]["start"],
                "end": words[-1]["end"],
                "text": "".join(str(word["text"]) for word in words),
                "tidy": line,
                "language": language,
                "confidence": 0.97,
                "words": words,
            }
        )
        at += 0.5
    return made


def _pieces(line: str, whole: tuple[str, ...]) -> list[str]:
    made, at = [], 0
    while at < len(line):
        near = 1 if any(line.startswith(one, at + 1) for one in whole) else 2
        length = next((len(one) for one in whole if line.startswith(one, at)), near)
        made.append(line[at : at + length])
        at += length
    return made


def tone(segments: list[dict[str, object]], seconds: float) -> tuple[bytes, bytes]:
    """Make a WAV with a hum for each word, and its waveform: int8 pairs at 20 a second."""
    samples = [0] * int(seconds * RATE)
    for segment in segments:
        words = segment["words"]
        assert isinstance(words, list)
        for number, word in enumerate(words):
            begin, end = int(word["start"] * RATE), int(word["end"] * RATE) - RATE // 40
            pitch = 150 + 17 * (number % 7)
            for at in range(begin, min(end, len(samples))):
                swell = math.sin(math.pi * (at - begin) / max(1, end - begin))
                turn = 2 * math.pi * pitch * at / RATE
                value = math.sin(turn) + 0.5 * math.sin(2 * turn) + 0.3 * math.sin(5 * turn)
                samples[at] = int(9_000 * swell * value)
    pairs = bytearray()
    for at in range(0, len(samples), RATE // 20):
        window = samples[at : at + RATE // 20]
        pairs += struct.pack("bb", min(window) >> 8, max(window) >> 8)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue(), bytes(pairs)


def put(blobs: Blobs, key: str, content: bytes) -> None:
    """Store a blob."""
    with blobs.writer(key) as writer:
        writer.write(content)
        writer.commit()


def _page() -> bytes:
    picture = Image.new("RGB", (640, 420), "#fbf7ec")
    pen = ImageDraw.Draw(picture)
    for n in range(4):
        y = 46 + n * 55
        pen.line((52, y + 38, 588, y + 38), fill="#d8cfb8", width=1)
        for x in range(13 if n else 8):
            left = 60 + x * 38
            pen.line((left, y + 8, left + 22, y + 10), fill="#27323f", width=3)
            pen.line((left + 10, y, left + 8 - n, y + 30), fill="#27323f", width=3)
            pen.line((left + 2, y + 26, left + 24, y + 18 + x % 3), fill="#27323f", width=2)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
