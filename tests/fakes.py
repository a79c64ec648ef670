"""Stand-ins for our own ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.matter import Mask, Matter, Normalised
from models.errors import XiangyinError
from models.packs import Pack, PackLanguage
from models.record import Provenance, Subject
from models.transcript import Evidence, Language, Likely, ListenerReason, Recognition, Segment, Word
from transcribe.engine import Request
from transcribe.turns import Tell

NOTHING = Normalised(
    subject=Subject(),
    domain="",
    conduct="",
    domains=(),
    conducts=(),
    title="",
    description="",
    occurred=None,
    place="",
    place_code=None,
    amounts=(),
    masks=(),
    provenance={},
    version="fake 1",
)


class FakeNormaliser:
    """Give the text back as the description and note what was asked."""

    def __init__(self) -> None:
        self.asked: list[Matter] = []
        self.fails = False

    def __call__(self, matter: Matter) -> Normalised:
        self.asked.append(matter)
        if self.fails:
            raise ValueError("a value nobody may read")
        text = "\n".join(passage.text for passage in matter.passages)
        masks = tuple(
            Mask(kind="phone", medium=p.medium, from_character=0, to_character=3)
            for p in matter.passages
            if p.text.startswith("138")
        )
        source = Provenance(by="rule", confidence=0.9, text=text[:5])
        return NOTHING.model_copy(
            update={
                "subject": Subject(unit=matter.channel.unit_name),
                "domain": "works" if "路" in text else "",
                "title": text[:10],
                "description": text,
                "masks": masks,
                "provenance": {"subject.unit": (source,), "domain": (source,), "amounts.0": ()},
            }
        )


PACK = Pack(
    name="fake",
    version="1",
    licence="none",
    languages=(PackLanguage(tag="zh", name="Chinese", autonym="中文", token="zh"),),
    folder=Path("nowhere"),
)


def recognition(text: str, reason: ListenerReason | None = None, tag: str = "zh") -> Recognition:
    """Make the outcome for one recording of two seconds."""
    word = Word(start=0.1, end=1.9, text=text, probability=0.9)
    segment = Segment(
        start=0.0, end=2.0, text=text, tidy=text, language=tag, confidence=0.9, words=(word,)
    )
    likely = Likely(tag=tag, probability=0.9)
    return Recognition(
        segments=(segment,) if text else (),
        languages=(Language(tag=tag, confidence=0.9, by="whisper"),),
        evidence=(Evidence(by="whisper", candidates=(likely,)),),
        reason=reason,
        model="fake 1",
        seconds=2.0,
        speech_seconds=1.8,
    )


class FakeEngine:
    """Answer as it is told, and note what was asked for."""

    pack = PACK

    def __init__(
        self, answer: Callable[[Request], Recognition | XiangyinError] | None = None
    ) -> None:
        self.batches: list[int] = []
        self.asked: list[Request] = []
        self._answer = answer or (lambda request: recognition("村里的路没有修"))

    def recognise(
        self, requests: Sequence[Request], tell: Tell = lambda _: None
    ) -> list[Recognition | XiangyinError]:
        tell(sum(len(request.samples) for request in requests) / 16_000)
        self.batches.append(len(requests))
        self.asked += requests
        return [self._answer(request) for request in requests]
