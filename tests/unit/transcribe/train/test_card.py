"""Scores: what is counted, and how sure it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import packs
from transcribe.train import card, evaluate, packfile
from transcribe.train.evaluate import Heard, Known, Score


def clip(
    text: str, language: str = "zh", words: tuple[tuple[str, float, float], ...] = ()
) -> Known:
    return Known(np.zeros(32_000, np.float32), text, language, "clean", words)


def test_only_letters_count() -> None:
    score = evaluate.score(clip("路，坏了。"), Heard("路坏了", "zh", ()))
    assert (score.letters, score.wrong, score.tagged) == (3, 0, True)


def test_a_homophone_is_a_wrong_letter_and_a_right_syllable() -> None:
    score = evaluate.score(clip("他的"), Heard("她的", "yue", ()))
    assert (score.wrong, score.wrong_syllables, score.syllables) == (1, 0, 2)
    assert not score.tagged


def test_only_mandarin_is_counted_in_syllables() -> None:
    assert evaluate.score(clip("佢哋", "yue"), Heard("佢", "yue", ())).syllables == 0


def test_times_are_compared_where_words_were_heard_rightly() -> None:
    true = (("жол", 0.0, 0.5), ("жоқ", 0.5, 1.0))
    heard = Heard("жол бар", "kk", ((" жол", 0.1, 0.6), (" бар", 0.6, 1.0)))
    score = evaluate.score(clip("жол жоқ", "kk", true), heard)
    assert score.word_errors == pytest.approx((0.1, 0.1))


def scores(wrong: int, count: int, language: str = "kk", seconds: float = 4) -> list[Score]:
    return [
        Score(language, "clean", seconds, 20, wrong if i % 2 else 0, 0, 0, True, (0.05,))
        for i in range(count)
    ]


def test_a_rate_lies_in_its_interval_and_more_clips_narrow_it() -> None:
    (few, *_), (many, *_) = (card.rows(scores(4, n)) for n in (20, 400))
    for row in (few, many):
        assert row.cer.low <= row.cer.value <= row.cer.high
        assert row.cer.value == pytest.approx(0.1)
    assert many.cer.high - many.cer.low < few.cer.high - few.cer.low


def test_rows_cut_by_language_condition_and_length() -> None:
    every = [*scores(1, 10), *scores(1, 10, seconds=2), *scores(3, 4, "zh")]
    names = [(row.language, row.condition, row.clips) for row in card.rows(every)]
    assert names == [
        ("kk", "all", 20),
        ("kk", "clean", 20),
        ("kk", "0-3 s", 10),
        ("kk", "3-6 s", 10),
        ("zh", "all", 4),
        ("zh", "clean", 4),
    ]


def test_wilsons_interval_is_the_published_one() -> None:
    rate = card.wilson(81, 263)  # Newcombe, 1998, table I
    assert (rate.low, rate.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert card.wilson(10, 10).high == 1.0


def test_the_table_and_the_page_show_every_row(tmp_path: Path) -> None:
    found = card.rows([*scores(1, 10), *scores(2, 10, "zh")])
    assert len(card.table(found).splitlines()) == 1 + len(found)
    pack = packs.Pack(
        name='a "quoted" name',
        version="1",
        licence="none",
        languages=(packs.PackLanguage(tag="kk", name="Kazakh", autonym="қазақша", token="kk"),),
        card={"rows": [row.as_dict() for row in found], "made": {"by": "a\\test"}},
        folder=tmp_path,
    )
    packfile.write(pack)
    assert packs.read(tmp_path) == pack
    shown = card.page(pack).splitlines()
    assert shown[0] == 'a "quoted" name 1  (none)'
    assert "kk       Kazakh қазақша  [kk]" in shown
    assert "  by: a\\test" in shown
    assert shown[-len(found) :] == card.table(found).splitlines()[1:]


def test_a_new_card_leaves_what_the_page_says_of_the_pack(tmp_path: Path) -> None:
    pack = packs.Pack(
        name="a",
        version="1",
        licence="none",
        languages=(packs.PackLanguage(tag="kk", name="Kazakh", autonym="қазақша", token="kk"),),
        card={"rows": [{"old": 1}], "made": {"by": "test"}},
        folder=tmp_path,
    )
    packfile.write(pack)
    rows = [row.as_dict() for row in card.rows(scores(1, 10))]
    packfile.put_card(tmp_path, {"on": "samples", "rows": rows})
    assert packs.read(tmp_path).card == {"made": {"by": "test"}, "on": "samples", "rows": rows}


def test_a_page_without_a_card_says_so(tmp_path: Path) -> None:
    pack = packs.Pack(name="a", version="1", licence="none", languages=(), folder=tmp_path)
    assert card.page(pack).endswith("not measured")
