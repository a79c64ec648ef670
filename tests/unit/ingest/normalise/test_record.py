from pathlib import Path
from uuid import uuid4

import pytest

from ingest.matter import ChannelFacts, Line, Matter, Passage
from ingest.normalise import Lexicons, load_lexicons, normalise
from models import gazetteer
from models.errors import Misconfigured
from models.medium import Kind
from models.transcript import Word
from tests.unit.ingest.normalise.conftest import RECEIVED, SAMPLES, Say

CHANNEL = ChannelFacts(
    code="qx-shiqiao", unit_code="qx-sq-shiqiao-vc", unit_name="", jurisdiction="510729"
)


def _matter(*passages: Passage) -> Matter:
    return Matter(passages=passages, channel=CHANNEL, received=RECEIVED)


def test_every_value_points_at_the_words_it_came_from(say: Say) -> None:
    text = "去年三月石桥村支书王建国强制收了每家三百块水费，十二户都交了，自来水没有通，没有发票。"
    made = say(text)
    assert set(made.provenance) >= {
        "subject.unit", "subject.name", "subject.post", "domain", "conduct", "title",
        "description", "occurred", "place", "amounts.0", "amounts.1",
    }  # fmt: skip
    for name, sources in made.provenance.items():
        for source in sources:
            if source.from_character is not None and source.text:
                assert text[source.from_character : source.to_character] == source.text, name


def test_a_recording_points_at_its_seconds(lexicons: Lexicons) -> None:
    parts = ("去年三月", "石桥村", "支书", "王建国", "收了", "三百块")
    words = tuple(
        Word(start=2 * at, end=2 * at + 1, text=text, probability=0.9)
        for at, text in enumerate(parts)
    )
    passage = Passage(
        medium=uuid4(), kind=Kind.VOICE, text="".join(parts), language="zh",
        transcript_version=3, words=words,
    )  # fmt: skip
    made = normalise(_matter(passage), lexicons)
    (time,) = made.provenance["occurred"]
    assert (time.start, time.end, time.transcript_version) == (0, 1, 3)
    (money,) = made.provenance["amounts.0"]
    assert (money.start, money.end) == (10, 11)


def test_a_word_that_the_paper_broke_is_read_and_found_where_it_stands(
    lexicons: Lexicons,
) -> None:
    lines = (
        Line(text="尊敬的领导：", box=(0.1, 0.0, 0.4, 0.1), score=0.9),
        Line(text="我反映村主", box=(0.1, 0.1, 0.9, 0.2), score=0.9),
        Line(text="任邓有田收了我三千", box=(0.1, 0.2, 0.9, 0.3), score=0.9),
        Line(text="八，电话1381234", box=(0.1, 0.3, 0.9, 0.4), score=0.9),
        Line(text="5678", box=(0.1, 0.4, 0.3, 0.5), score=0.9),
    )
    text = "\n".join(line.text for line in lines)
    passage = Passage(medium=uuid4(), kind=Kind.IMAGE, text=text, language="zh", lines=lines)
    made = normalise(Matter(passages=(passage,), channel=CHANNEL, received=RECEIVED), lexicons)
    assert (made.subject.name, made.subject.post) == ("邓有田", "村主任")
    assert [(one.value, one.text) for one in made.amounts] == [(3800, "三千八")]
    (source,) = made.provenance["amounts.0"]
    assert text[source.from_character : source.to_character] == "三千\n八"
    assert source.box == (0.1, 0.2, 0.9, 0.4)
    (mask,) = made.masks
    assert text[mask.from_character : mask.to_character] == "1381234\n5678"
    assert made.description == text


def test_lines_that_end_by_themselves_stay_apart(lexicons: Lexicons) -> None:
    lines = (
        Line(text="我叫罗玉兰", box=(0.1, 0.1, 0.4, 0.2), score=0.9),
        Line(text="村支书收了每家三百块管理费", box=(0.1, 0.2, 0.9, 0.3), score=0.9),
    )
    text = "\n".join(line.text for line in lines)
    passage = Passage(medium=uuid4(), kind=Kind.IMAGE, text=text, language="zh", lines=lines)
    made = normalise(Matter(passages=(passage,), channel=CHANNEL, received=RECEIVED), lexicons)
    (mask,) = made.masks
    assert text[mask.from_character : mask.to_character] == "罗玉兰"


def test_a_photograph_points_at_the_boxes_of_its_lines(lexicons: Lexicons) -> None:
    lines = (
        Line(text="去年三月村支书收了", box=(0.1, 0.1, 0.9, 0.2), score=0.9),
        Line(text="每家三百块管理费", box=(0.1, 0.2, 0.8, 0.3), score=0.9),
    )
    text = "\n".join(line.text for line in lines)
    passage = Passage(medium=uuid4(), kind=Kind.IMAGE, text=text, language="zh", lines=lines)
    made = normalise(_matter(passage), lexicons)
    assert made.provenance["occurred"][0].box == lines[0].box
    assert made.provenance["amounts.0"][0].box == lines[1].box
    assert made.provenance["description"][0].box == (0.1, 0.1, 0.9, 0.3)


def test_what_was_heard_with_other_characters_is_still_found(lexicons: Lexicons) -> None:
    passage = Passage(
        medium=None, kind=Kind.VOICE, text="十桥村之书王建国把低保给了他侄儿", language="zh"
    )
    made = normalise(_matter(passage), lexicons)
    assert made.place == "石桥村"


def test_the_text_of_several_media_is_put_together(lexicons: Lexicons) -> None:
    one = Passage(medium=uuid4(), kind=Kind.TEXT, text="村支书收了三百块", language="zh")
    two = Passage(medium=uuid4(), kind=Kind.TEXT, text="去年三月的事，三百块没开票", language="zh")
    made = normalise(_matter(one, two), lexicons)
    assert made.description == f"{one.text}\n{two.text}"
    assert [amount.value for amount in made.amounts] == [300]
    assert made.provenance["occurred"][0].medium == two.medium
    assert made.provenance["subject.post"][0].medium == one.medium


def test_a_language_without_a_lexicon_keeps_its_text_and_fills_no_field(
    lexicons: Lexicons,
) -> None:
    text = "ꆈꌠꁱꂷ ꉌꂵꌠ ꀋꉬ"
    passage = Passage(medium=None, kind=Kind.VOICE, text=text, language="ii")
    made = normalise(_matter(passage), lexicons)
    assert made.description == text
    assert made.title
    assert (made.domain, made.conduct, made.occurred, made.place) == ("", "", None, "")
    assert made.domains == made.conducts == made.amounts == ()
    assert set(made.provenance) == {"description", "title", "subject.unit"}
    assert made.provenance["subject.unit"][0].by == "channel"


def test_a_packs_lexicon_reads_its_own_language(tmp_path: Path) -> None:
    (tmp_path / "ii.toml").write_text(
        'version = 1\nlanguage = "ii"\n[domain.assistance]\nstrong = ["ꆈꌠꁱ"]\n'
        '[conduct.favouritism]\nplain = ["ꉌꂵ"]\n',
        "utf-8",
    )
    lexicons = load_lexicons(gazetteer.read(SAMPLES / "gazetteer.csv"), tmp_path)
    passage = Passage(medium=None, kind=Kind.VOICE, text="ꆈꌠꁱꂷ ꉌꂵꌠ", language="ii")
    made = normalise(_matter(passage), lexicons)
    assert (made.domain, made.conduct) == ("assistance", "favouritism")
    assert made.provenance["domain"][0].by == "rule"
    assert made.provenance["domain"][0].text == "ꆈꌠꁱ"


def test_a_lexicon_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("domain = 3", "utf-8")
    with pytest.raises(Misconfigured, match="word list"):
        load_lexicons([], tmp_path)


def test_without_a_gazetteer_nothing_is_named(say: Say) -> None:
    made = normalise(
        _matter(Passage(medium=None, kind=Kind.TEXT, text="石桥村支书贪污", language="zh")),
        load_lexicons([]),
    )
    assert made.place == ""
    assert made.provenance["subject.unit"][0].by == "channel"


def test_the_same_report_gives_the_same_record(say: Say) -> None:
    text = "前年腊月双河镇镇长收了我两千块，才给我家批了宅基地。"
    assert say(text) == say(text)


def test_a_text_of_another_script_typed_without_a_tag_is_not_read_as_chinese(
    lexicons: Lexicons,
) -> None:
    passage = Passage(medium=None, kind=Kind.TEXT, text="There are 300 yuan missing since 2025年")
    assert normalise(_matter(passage), lexicons).amounts == ()
