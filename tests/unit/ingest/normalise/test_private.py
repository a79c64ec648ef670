from uuid import uuid4

import pytest
from stdnum.cn import ric

from ingest.matter import ChannelFacts, Matter, Normalised, Passage
from ingest.normalise import Lexicons, normalise
from models import receipt
from models.medium import Kind
from models.transcript import Word
from tests.unit.ingest.normalise.conftest import RECEIVED, Say


def _masked(say: Say, text: str) -> list[tuple[str, str]]:
    return [(mask.kind, text[mask.from_character : mask.to_character]) for mask in say(text).masks]


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("我的电话是13812345678，打给我", "phone", "13812345678"),
        ("电话幺三八幺二三四五六七八", "phone", "幺三八幺二三四五六七八"),
        ("座机0816-2345678", "phone", "0816-2345678"),
        ("身份证510722196003041235没用", "", ""),
        ("卡号6222021234567890128", "bank_card", "6222021234567890128"),
        ("卡号6222021234567890127", "", ""),
        ("车牌川B12345拉沙", "plate", "川B12345"),
        ("我叫罗玉兰，住新民村", "reporter", "罗玉兰"),
        ("打12345没人接", "", ""),
        ("我的回执号4839201746520192，查不到", "", ""),
        ("电表号20230456781234", "", ""),
    ],
)
def test_what_tells_who_somebody_is_is_masked(say: Say, text: str, kind: str, said: str) -> None:
    assert _masked(say, text) == ([(kind, said)] if kind else [])


def test_an_identity_number_counts_by_its_check_digit(say: Say) -> None:
    body = "51010119600304123"
    right = body + ric.calc_check_digit(body + "0")
    wrong = body + str((int(right[-1].replace("X", "0")) + 1) % 10)
    assert _masked(say, f"身份证号{right}，没用过") == [("identity_number", right)]
    assert "identity_number" not in dict(_masked(say, f"身份证号{wrong}，没用过"))


def test_a_place_after_i_am_from_is_no_name(say: Say) -> None:
    assert _masked(say, "我是石桥村的，路烂了没人修") == []
    assert _masked(say, "他骂我是刁民，还推我") == []


def test_the_seconds_of_a_private_number_are_marked(lexicons: Lexicons, say: Say) -> None:
    parts = ("我的电话", "138", "1234", "5678", "路烂了")
    words = tuple(
        Word(start=at, end=at + 0.5, text=text, probability=0.9) for at, text in enumerate(parts)
    )
    medium = uuid4()
    passage = Passage(
        medium=medium, kind=Kind.VOICE, text="".join(parts), language="zh", words=words
    )
    channel = ChannelFacts(code="", unit_code=None, unit_name="", jurisdiction="510729")
    made = normalise(Matter(passages=(passage,), channel=channel, received=RECEIVED), lexicons)
    (mask,) = made.masks
    assert (mask.medium, mask.start, mask.end) == (medium, 1.0, 3.5)
    assert "138" not in made.title


def test_a_receipt_that_somebody_says_is_masked(say: Say) -> None:
    number = receipt.draw()
    assert _masked(say, f"我的回执{number}，一直没有答复") == [("receipt", number)]
    grouped = " ".join(number[at : at + 4] for at in range(0, 16, 4))
    assert _masked(say, f"回执号是{grouped}，一直没有答复") == [("receipt", grouped)]


def _heard(lexicons: Lexicons, parts: tuple[str, ...], text: str, name: str = "") -> Normalised:
    words = tuple(
        Word(start=at, end=at + 0.5, text=one, probability=0.9) for at, one in enumerate(parts)
    )
    passage = Passage(medium=uuid4(), kind=Kind.VOICE, text=text, language="zh", words=words)
    channel = ChannelFacts(code="", unit_code=None, unit_name="", jurisdiction="510729")
    matter = Matter(passages=(passage,), channel=channel, received=RECEIVED, reporter_name=name)
    return normalise(matter, lexicons)


def test_the_reporters_own_name_is_masked_however_it_was_heard(lexicons: Lexicons) -> None:
    parts = ("这个", "事情", "罗", "玉", "南", "都", "可以", "作证")
    made = _heard(lexicons, parts, "".join(parts), "罗玉兰")
    assert [(mask.kind, mask.start, mask.end) for mask in made.masks] == [("reporter", 2.0, 4.5)]
    assert "玉" not in made.title


def test_where_a_corrected_number_has_no_times_all_between_its_neighbours_is_marked(
    lexicons: Lexicons,
) -> None:
    made = _heard(lexicons, ("我的电话", "一三吧", "洗衣机", "路烂了"), "我的电话13812345678路烂了")
    (mask,) = made.masks
    assert (mask.kind, mask.start, mask.end) == ("phone", 0.5, 3.0)
