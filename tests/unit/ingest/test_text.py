import pytest

from ingest.text import languages


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("村里的路三年没有修了，下雨天孩子上不了学。", "zh"),
        ("路没修", "zh"),
        ("呢条路冇人整，成日都水浸，佢哋唔理", "yue"),
        ("ئاۋام پۇلىنى يەپ كەتتى دەپ ئەرز قىلىمەن", "ug"),
        ("اۋىلدا سۋ جوق، اكىم اقشانى جەپ قويدى، ءبىز ارىز جازدىق", "kk-Arab"),
        ("Біздің ауылда су жоқ, әкім ақшаны жеп қойды", "kk"),
        ("Биздин айылда суу жок, акча жок болду, жардам бергиле", "ky"),
        ("우리 마을에 물이 없습니다", "ko"),
        ("བོད་ཡིག་གི་ཡི་གེ", "bo"),
        ("ꆈꌠꁱꂷ ꉌꂵꌠ", "ii"),
        ("ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ", "mn-Mong"),
        ("ᥖᥭᥰ ᥘᥫᥴ", "tdd"),
        ("There is no water in our village and nobody answers", "en"),
        ("mbanj raeuz mbouj miz raemx", "und"),
    ],
)
def test_the_language_of_a_text_is_told(text: str, tag: str) -> None:
    (language,), evidence = languages(text)
    assert language.tag == tag
    assert language.share == 1
    assert len(evidence) == 1
    assert 0 <= language.confidence <= 1


def test_a_text_in_two_scripts_has_shares() -> None:
    found, evidence = languages("我们村的水不能喝 ئاۋام پۇلىنى يەپ كەتتى دەپ ئەرز قىلىمەن")
    assert {language.tag for language in found} == {"zh", "ug"}
    assert sum(language.share for language in found) == pytest.approx(1)
    assert found[0].share >= found[1].share
    assert len(evidence) == 2


def test_a_foreign_name_in_a_text_is_no_second_language() -> None:
    found, _ = languages("村里的路三年没有修了，下雨天孩子上不了学，牌子是 Volvo。")
    assert [language.tag for language in found] == ["zh"]


@pytest.mark.parametrize("text", ["", "12345", "!!! ---", "😀😀"])
def test_a_text_without_letters_has_no_language(text: str) -> None:
    assert languages(text) == ((), ())
