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
        ("我叫丁城兰，下水道塌了", "reporter", "丁城兰"),
        ("我叫丁建噶，下水道塌了", "reporter", "丁建噶"),
        ("我叫沙马铁哈，住在城北", "reporter", "沙马铁哈"),
        ("我叫卓玛，今年五十", "reporter", "卓玛"),
        ("我的名字是阿依努尔·买买提", "reporter", "阿依努尔·买买提"),
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


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("kk", "Атым Меруерт, су жоқ", "Меруерт"),
        ("kk", "менің атым Меруерт Сейітова су жоқ", "Меруерт Сейітова"),
        ("kk", "атым Меруерт су жоқ", "Меруерт"),
        ("ug", "ئىسمىم ئايگۈل، سۇ يوق", "ئايگۈل"),
        ("ug", "مېنىڭ ئىسمىم ئايگۈل تۇرسۇن، سۇ يوق", "ئايگۈل تۇرسۇن"),
        ("ko", "저는 청동리에 사는 고옥순, 물이 없어요", "고옥순"),
        ("ko", "저는 고옥순이라고 합니다", "고옥순이"),
        ("kk", "менің қатым бар", ""),
    ],
)
def test_a_name_that_is_said_in_another_language_is_masked(
    lexicons: Lexicons, language: str, text: str, said: str
) -> None:
    passage = Passage(medium=uuid4(), kind=Kind.VOICE, text=text, language=language)
    channel = ChannelFacts(code="c", unit_code=None, unit_name="", jurisdiction="510729")
    matter = Matter(passages=(passage,), channel=channel, received=RECEIVED)
    masks = normalise(matter, lexicons).masks
    assert [text[mask.from_character : mask.to_character] for mask in masks] == [said] * bool(said)


def test_a_place_after_i_am_from_is_no_name(say: Say) -> None:
    assert _masked(say, "我是石桥村的，路烂了没人修") == []
    assert _masked(say, "他骂我是刁民，还推我") == []
    assert _masked(say, "我叫王医生，他不来") == []
    assert _masked(say, "我叫车来，等了半天") == []


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


UYGHUR = ("نۆل", "بىر", "ئىككى", "ئۈچ", "تۆت", "بەش", "ئالتە", "يەتتە", "سەككىز", "توققۇز")
KAZAKH = ("нөл", "бір", "екі", "үш", "төрт", "бес", "алты", "жеті", "сегіз", "тоғыз")
KAZAKH_OF_XINJIANG = ("نول", "ءبىر", "ەكى", "ءۇش", "ءتورت", "بەس", "التى", "جەتى", "سەگىز", "توعىز")
KYRGYZ = ("нөл", "бир", "эки", "үч", "төрт", "беш", "алты", "жети", "сегиз", "тогуз")
KOREAN = ("공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구")
CANTONESE = ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九")
TONGUES = {
    "ug": (UYGHUR, "تېلېفون نومۇرۇم {} بولىدۇ"),
    "kk": (KAZAKH, "Менің телефоным {} болады"),
    "kk-Arab": (KAZAKH_OF_XINJIANG, "تەلەفونىم {} بولادى"),
    "ky": (KYRGYZ, "Менин телефонум {} болот"),
    "ko": (KOREAN, "제 전화번호는 {} 입니다"),
    "yue": (CANTONESE, "我嘅電話係{}，唔該"),
}


def _masked_in(lexicons: Lexicons, text: str, tag: str) -> list[tuple[str, str]]:
    passage = Passage(medium=None, kind=Kind.VOICE, text=text, language=tag)
    channel = ChannelFacts(code="", unit_code=None, unit_name="", jurisdiction="510729")
    matter = Matter(passages=(passage,), channel=channel, received=RECEIVED)
    made = normalise(matter, lexicons)
    return [(mask.kind, text[mask.from_character : mask.to_character]) for mask in made.masks]


@pytest.mark.parametrize("tag", TONGUES)
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("phone", "13812345678"),
        ("identity_number", "51010119600304123" + ric.calc_check_digit("510101196003041230")),
        ("bank_card", "6222021234567890128"),
    ],
)
def test_a_number_read_out_in_another_language_is_masked(
    lexicons: Lexicons, tag: str, kind: str, number: str
) -> None:
    words, frame = TONGUES[tag]
    said = ("" if tag == "yue" else " ").join(words[int(sign)] for sign in number)
    assert _masked_in(lexicons, frame.format(said), tag) == [(kind, said)]


@pytest.mark.parametrize(
    ("tag", "text", "said"),
    [
        ("ug", "نومۇرۇم بىر يۈز ئوتتۇز سەككىز ئون ئىككى ئوتتۇز تۆت ئەللىك ئالتە يەتمىش سەككىز",
         "بىر يۈز ئوتتۇز سەككىز ئون ئىككى ئوتتۇز تۆت ئەللىك ئالتە يەتمىش سەككىز"),
        ("kk", "номерім жүз отыз сегіз он екі отыз төрт елу алты жетпіс сегіз",
         "жүз отыз сегіз он екі отыз төрт елу алты жетпіс сегіз"),
        ("ko", "전화는 일삼팔 일이삼사 오육칠팔 입니다", "일삼팔 일이삼사 오육칠팔"),
        ("ug", "نومۇرى ١٣٨١٢٣٤٥٦٧٨", "١٣٨١٢٣٤٥٦٧٨"),
    ],
)  # fmt: skip
def test_a_number_read_out_in_groups_or_written_in_other_figures_is_masked(
    lexicons: Lexicons, tag: str, text: str, said: str
) -> None:
    assert _masked_in(lexicons, text, tag) == [("phone", said)]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("ug", "بىر يۈز ئوتتۇز سەككىز يۈەن ئالدى"),
        ("kk", "бір екі үш төрт бес алты жеті сегіз тоғыз"),
        ("ko", "이 사람이 일을 안 하고 돈만 이백삼십 위안 받았습니다"),
        ("ug", "بىر ئىككى ئۈچ قېتىم باردىم"),
    ],
)
def test_counting_in_another_language_is_nobodys_number(
    lexicons: Lexicons, tag: str, text: str
) -> None:
    assert _masked_in(lexicons, text, tag) == []


@pytest.mark.parametrize(
    ("tag", "text", "said"),
    [
        ("ko", "차 번호는 길 에이치 일이삼사오 였습니다", "길 에이치 일이삼사오"),
        ("kk", "көлігі шин A бір екі үш төрт бес", "шин A бір екі үш төрт бес"),
        ("ug", "ماشىنىسى شىن A بىر ئىككى ئۈچ تۆت بەش", "شىن A بىر ئىككى ئۈچ تۆت بەش"),
        ("yue", "架車係粵A12345", "粵A12345"),
    ],
)
def test_a_plate_read_out_in_another_language_is_masked(
    lexicons: Lexicons, tag: str, text: str, said: str
) -> None:
    assert ("plate", said) in _masked_in(lexicons, text, tag)
