"""Gates on texts: what raises a doubt, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.packs import Thresholds
from transcribe import trust
from transcribe.trust import Scores, judge

GOOD = Scores(average_logprob=-0.2, no_speech=0.01, seconds=6.0)
SENTENCE = "村里修路收了我们每家三百块钱，可是路到现在也没有修"
LIMITS = Thresholds()


def names(text: str, scores: Scores = GOOD, tag: str = "zh") -> set[str]:
    """Name the flags that a text gets."""
    return {flag.name for flag in judge(text, tag, scores, LIMITS)[0]}


def test_a_plain_sentence_with_good_scores_is_trusted() -> None:
    assert judge(SENTENCE, "zh", GOOD, LIMITS) == ((), True)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (Scores(-1.5, 0.1, 6.0), {"average_logprob"}),
        (Scores(-1.5, 0.9, 6.0), {"average_logprob", "no_speech"}),
        (Scores(-0.2, 0.9, 6.0), set()),
        (Scores(-0.2, 0.1, 0.3), {"characters_per_second"}),
        (Scores(-0.2, 0.1, 60.0), {"characters_per_second"}),
        (Scores(-0.2, 0.1, 6.0, agreement=0.3), {"disagreement"}),
        (Scores(-0.2, 0.1, 6.0, agreement=0.9), set()),
        (Scores(-0.2, 0.1, 6.0, cut_off=True), {"cut_off"}),
    ],
)
def test_a_figure_beyond_its_limit_is_flagged_with_its_value(
    scores: Scores, expected: set[str]
) -> None:
    assert names(SENTENCE, scores) == expected
    flags, trusted = judge(SENTENCE, "zh", scores, LIMITS)
    assert trusted is not bool(expected)
    assert all(isinstance(flag.value, float) for flag in flags)


@pytest.mark.parametrize(
    "loop", ["谢谢" * 20, "我们村" * 12, "нет " * 30, "ئۇ كەلدى " * 9, "对对对对对对对对对对"]
)
def test_a_loop_is_never_trusted(loop: str) -> None:
    assert names(loop) & {"repetition", "compression_ratio"}
    assert not judge(loop, "zh", GOOD, LIMITS)[1]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "zh"),
        ("請不吝點讚訂閱轉發打賞支持明鏡與點點欄目", "yue"),
        ("字幕由 Amara.org 社群提供", "zh"),
        ("시청해주셔서 감사합니다.", "ko"),
        ("Thank you for watching!", "en"),
        ("Субтитры сделал", "kk"),
    ],
)
def test_a_known_sign_off_is_never_trusted(text: str, tag: str) -> None:
    assert "phrase" in names(text, tag=tag)


def test_a_sign_off_inside_a_long_text_is_only_noted() -> None:
    flags, trusted = judge(SENTENCE * 2 + "，谢谢观看", "zh", Scores(-0.2, 0, 14), LIMITS)
    assert [flag.name for flag in flags] == ["phrase_noted"]
    assert trusted


def test_words_said_twice_are_no_loop() -> None:
    text = "他说没有没有，真的没有，我们去问了两次，两次都说没有"
    assert trust.repetition(text) < trust.REPEATED_SHARE


@given(st.text(max_size=200))
def test_shares_are_between_nothing_and_all(text: str) -> None:
    assert 0 <= trust.repetition(text) <= 1
    assert 0 <= trust.phrase_share(text, "zh") <= 1
    assert trust.agreement(text, text) == 1


def test_agreement_ignores_punctuation_case_and_variants() -> None:
    assert trust.agreement("請修路。", "请修路") == 1
    assert trust.agreement("abc", "xyz") == 0
