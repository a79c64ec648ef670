from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from models import masking
from models.masking import Masker, Span
from models.medium import Kind, Medium
from models.transcript import Segment, Transcript, Word

PHONE = "13800138000"
SPOKEN = "一三八零零幺三八零零零"


def medium(kind: Kind, **more: Any) -> Medium:
    return Medium(
        complaint_id=uuid4(), kind=kind, content_hash="", mime="", size=1, original="", **more
    )


def segment(text: str, at: float = 0.0, tidy: str = "") -> Segment:
    words = tuple(
        Word(start=at + n, end=at + n + 1, text=character, probability=1)
        for n, character in enumerate(text)
    )
    return Segment(start=at, end=at + len(text), text=text, tidy=tidy or text, words=words)


def test_without_masks_nothing_changes() -> None:
    made = segment("电话是一三八")
    assert Masker().hide("电话是一三八") == "电话是一三八"
    assert Masker().hide_segments(uuid4(), [made]) == (made,)


@pytest.mark.parametrize(
    "text",
    [
        f"我的电话{PHONE}，请回",
        f"我的电话{SPOKEN}，请回",
        "我的电话138 0013 8000，请回",
        "我的电话138-0013-8000，请回",
        "我的电话１３８００１３８０００，请回",
    ],
)
@pytest.mark.parametrize("value", [PHONE, SPOKEN])
def test_a_value_is_hidden_however_its_digits_are_written(text: str, value: str) -> None:
    hidden = Masker((Span(value),)).hide(text)
    assert len(hidden) == len(text)
    assert hidden.startswith("我的电话＊")
    assert hidden.endswith("，请回")
    assert not any(character in hidden for character in "138一三八零０")


def test_patterns_in_a_value_are_taken_as_they_stand() -> None:
    assert Masker((Span("a.b(c"),)).hide("xa.b(c axb") == "x＊＊＊＊＊ axb"


def test_a_name_is_hidden_wherever_it_comes_again() -> None:
    assert Masker((Span("曲木阿呷"),)).hide("曲木阿呷说，曲木阿呷在") == "＊＊＊＊说，＊＊＊＊在"


def test_the_longer_of_two_values_is_hidden_whole() -> None:
    assert Masker((Span("阿呷"), Span("曲木阿呷"))).hide("曲木阿呷") == "＊＊＊＊"


def test_a_value_that_is_cut_in_two_by_segments_is_hidden_in_both() -> None:
    pieces = [segment("打一三八零零", 0), segment("幺三八零零零找我", 6)]
    hidden = Masker((Span(SPOKEN),)).hide_segments(uuid4(), pieces)
    assert [one.text for one in hidden] == ["打＊＊＊＊＊", "＊＊＊＊＊＊找我"]
    assert [w.text for w in hidden[0].words] == ["打", *"＊＊＊＊＊"]
    assert [w.start for w in hidden[0].words] == [w.start for w in pieces[0].words]


def test_words_at_private_seconds_are_hidden_in_other_versions_too() -> None:
    of = uuid4()
    heard_wrongly = segment("打一三吧灵灵找我", 0, tidy="打13吧00 找我")
    hidden = Masker((Span(SPOKEN, of, 1.0, 6.0),)).hide_segments(of, [heard_wrongly])[0]
    assert hidden.text == "打＊＊＊＊＊找我"
    assert hidden.words[1].text == "＊"
    other = Masker((Span(SPOKEN, uuid4(), 1.0, 6.0),)).hide_segments(of, [heard_wrongly])[0]
    assert other == heard_wrongly


def test_digits_that_the_tidied_text_wrote_its_own_way_are_hidden() -> None:
    of = uuid4()
    made = segment("打一三八找我", 0, tidy="打 138 0013 找我")
    hidden = Masker((Span("一三八", of, 1.0, 4.0),)).hide_segments(of, [made])[0]
    assert "0013" not in hidden.tidy
    assert "138" not in hidden.tidy


def test_masks_point_into_the_newest_transcript_the_text_or_the_page() -> None:
    voice, typed = medium(Kind.VOICE), medium(Kind.TEXT, text=f"电话{PHONE}")
    page = medium(Kind.IMAGE, page={"lines": [{"text": "张榜"}, {"text": "川W12345"}]})
    versions = [
        Transcript(
            medium_id=voice.id,
            version=version,
            segments=[segment(text).model_dump()],
            languages=[],
            evidence=[],
            by="model",
        )
        for version, text in ((2, "叫曲木阿呷"), (1, "叫曲目阿夹"))
    ]
    masks = [
        {"kind": "reporter", "medium": str(voice.id), "from_character": 1, "to_character": 5},
        {"kind": "phone", "medium": str(typed.id), "from_character": 2, "to_character": 13},
        {"kind": "plate", "medium": str(page.id), "from_character": 3, "to_character": 10},
        {"kind": "phone", "medium": str(uuid4()), "from_character": 0, "to_character": 4},
    ]
    masker = masking.read(masks, [voice, typed, page], versions)
    assert masker.hide(f"曲木阿呷 {PHONE} 川W12345 张榜") == f"＊＊＊＊ {'＊' * 11} {'＊' * 7} 张榜"
