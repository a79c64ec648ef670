"""Weighing the evidence on a language."""

from __future__ import annotations

import pytest

from models.transcript import Likely
from transcribe import language
from transcribe.language import Odds, Prior, Sounding
from transcribe.whisper import Heard, Written

TAGS = ("zh", "yue", "ug", "kk", "ko")


def odds(**masses: float) -> Odds:
    """Spread what is left over the other tags."""
    names = (*TAGS, "und")
    left = (1 - sum(masses.values())) / (len(names) - len(masses))
    return {name: masses.get(name, left) for name in names}


def head(tag: str, probability: float, outside: float = 0.0) -> Heard:
    """Make what a language head says."""
    rest = (1 - probability) / (len(TAGS) - 1)
    likely = [Likely(tag=one, probability=probability if one == tag else rest) for one in TAGS]
    return Heard(tuple(sorted(likely, key=lambda one: -one.probability)), outside)


def verdict(own: Odds, prior: Prior) -> tuple[str, float]:
    """Decide on one window that is its whole recording."""
    return language.verdict(language.decide(own, own, prior), 0.8)


def test_clear_sound_is_believed() -> None:
    assert verdict(odds(ug=0.97), Prior())[0] == "ug"


def test_doubtful_sound_is_und() -> None:
    assert verdict(odds(ug=0.4, kk=0.35), Prior())[0] == "und"


def test_a_wrong_declaration_is_overruled_only_by_strong_evidence() -> None:
    assert verdict(odds(zh=0.99), Prior(declared="ug"))[0] == "zh"
    assert verdict(odds(zh=0.6, ug=0.3), Prior(declared="ug"))[0] != "zh"


def test_a_declaration_settles_what_the_ear_leaves_open() -> None:
    assert verdict(odds(zh=0.45, yue=0.45), Prior(declared="yue"))[0] == "yue"


def test_a_channel_never_outvotes_clear_sound() -> None:
    likely = (Likely(tag="ug", probability=1.0),)
    assert verdict(odds(kk=0.9), Prior(likely=likely))[0] == "kk"


@pytest.mark.parametrize("declared", ["und", "ii", "bo"])
def test_declaring_another_language_speaks_for_und(declared: str) -> None:
    unsure = odds(zh=0.7, und=0.2)
    plain = language.decide(unsure, unsure, Prior())
    told = language.decide(unsure, unsure, Prior(declared=declared))
    assert told["und"] > plain["und"]


def test_a_declared_dialect_speaks_for_its_language() -> None:
    assert Prior(declared="zh-u-sd-cnsc").odds(TAGS)["zh"] == language.DECLARED_ODDS


def test_mass_outside_the_pack_is_und_without_a_tagger() -> None:
    heard = language.heard(Sounding(head("zh", 0.99, outside=0.9), (), 5.0), TAGS)
    assert heard["und"] == pytest.approx(0.9)


def test_the_background_of_the_tagger_outweighs_a_certain_head() -> None:
    tagger = (Likely(tag="und", probability=0.9), Likely(tag="zh", probability=0.1))
    heard = language.heard(Sounding(head("yue", 1.0), tagger, 5.0), TAGS)
    assert heard["und"] == pytest.approx(0.9)


def test_no_language_at_all_counts_as_und() -> None:
    tagger = (Likely(tag="zxx", probability=0.95), Likely(tag="zh", probability=0.05))
    heard = language.heard(Sounding(head("zh", 1.0), tagger, 5.0), TAGS)
    assert heard["und"] == pytest.approx(0.95)


def test_a_text_that_was_written_badly_takes_the_confidence_away() -> None:
    sure = odds(zh=0.95)
    assert language.doubted(sure, 0.0, TAGS)["zh"] == pytest.approx(0.95)
    assert language.doubted(sure, -4.0, TAGS)["zh"] < 0.8
    assert language.verdict(language.doubted(sure, -4.0, TAGS), 0.8)[0] == "und"
    assert language.doubted(sure, -1.0, TAGS)["zh"] > 0.8
    assert language.doubted(sure, -1.0, TAGS, weight=0.3)["zh"] < 0.8


def text(logprob: float) -> Written:
    """Make a text of a given log-probability."""
    return Written((1, 2, 3), 3, "abc", logprob / 4, 0.0, 1.0, False)


NOTHING = Written((), 0, "", 0.0, 0.9, 0.0, False)


def test_only_languages_that_are_near_are_tried_in_writing() -> None:
    assert language.rivals(odds(ug=0.9, kk=0.09, zh=0.002, ko=0.002), TAGS) == ("ug", "kk")
    assert language.rivals(odds(ug=0.999, und=0), TAGS) == ("ug",)
    assert language.rivals(odds(und=0.97, ko=0.02, zh=0.01, ug=0, kk=0), TAGS) == ("ko", "zh")


def test_language_and_text_that_are_likeliest_together_are_taken() -> None:
    near = odds(ug=0.85, kk=0.1, und=0.05)
    told = language.told(near, {"ug": text(-12.0), "kk": text(-6.0)})
    assert language.best(told, ("ug", "kk")) == "kk"
    assert told["ug"] + told["kk"] == pytest.approx(0.95)
    assert told["und"] == pytest.approx(0.05)
    even = language.told(near, {"ug": text(-6.0), "kk": text(-6.0)})
    assert even["ug"] == pytest.approx(0.85)


def test_no_text_alone_makes_a_language_certain() -> None:
    told = language.told(odds(ug=0.5, kk=0.5), {"ug": text(-90.0), "kk": text(-6.0)})
    assert told["ug"] == pytest.approx(language.LEAST_PROBABILITY, rel=0.01)


def test_where_nothing_could_be_written_it_says_nothing_for_a_language() -> None:
    near = odds(ug=0.6, kk=0.4)
    assert language.best(language.told(near, {"ug": NOTHING, "kk": text(-40.0)})) == "kk"
    assert language.told(near, {"ug": NOTHING, "kk": NOTHING}) == near
    assert language.told(near, {"ug": text(-3.0)}) == near


def test_windows_weigh_by_their_speech() -> None:
    pooled = language.pool([(odds(zh=0.9), 20.0), (odds(kk=0.9), 2.0)], TAGS)
    assert language.best(pooled) == "zh"
    assert sum(pooled.values()) == pytest.approx(1)


def test_shares_are_of_the_speech_and_sum_to_one() -> None:
    pieces = [("zh", 0.9, 6.0), ("ug", 0.8, 3.0), ("zh", 1.0, 3.0)]
    languages = language.shares(pieces, "tagger")
    assert [(one.tag, one.share) for one in languages] == [("zh", 0.75), ("ug", 0.25)]
    assert languages[0].confidence == pytest.approx((0.9 * 6 + 3) / 9)


def test_everything_heard_is_kept() -> None:
    tagger = (Likely(tag="und", probability=0.3), Likely(tag="zh", probability=0.7))
    kept = language.keep(Sounding(head("zh", 0.9, outside=0.2), tagger, 5.0), 1.0, 2.0)
    assert [(one.by, round(one.outside, 3)) for one in kept] == [("whisper", 0.2), ("tagger", 0.3)]
    assert all((one.start, one.end) == (1.0, 2.0) for one in kept)
