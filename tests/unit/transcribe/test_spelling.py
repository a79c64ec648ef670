"""How usual letters are: what is learnt, what is too little to tell, what is kept."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models.errors import Misconfigured
from transcribe import spelling
from transcribe.spelling import Spelling

SYLLABLES = ("ба", "ла", "қа", "ры", "жол", "су", "те", "мір", "ке", "ші")


def said(seed: int, count: int = 4) -> str:
    rng = random.Random(seed)
    words = ("".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))) for _ in range(count))
    return " ".join(words)


@pytest.fixture(scope="module")
def learnt() -> Spelling:
    return spelling.learn({"kk": [said(n) for n in range(5_000)]})


def usual(known: Spelling, text: str) -> float:
    found = known.usual("kk", text)
    assert found is not None
    return found


def test_new_words_of_a_language_are_spelt_like_those_before(learnt: Spelling) -> None:
    own = [usual(learnt, said(n)) for n in range(9_000, 9_100)]
    shuffled = [
        usual(learnt, "".join(random.Random(n).sample(said(n), k=len(said(n)))))
        for n in range(9_000, 9_100)
    ]
    assert min(own) > max(shuffled)


def test_letters_that_no_text_had_are_unusual_and_no_error(learnt: Spelling) -> None:
    assert usual(learnt, "ﺋﯘﻳﻐﯘﺭﭼە ﺳﯚﺯ") < usual(learnt, said(1)) - 2


def test_case_signs_and_numbers_do_not_count(learnt: Spelling) -> None:
    text = said(3)
    assert usual(learnt, f"  {text.upper()}, 2025! ") == pytest.approx(usual(learnt, text))


@pytest.mark.parametrize("text", ["", "  ", "жол", "12 345 678 900"])
def test_a_short_text_tells_nothing(text: str, learnt: Spelling) -> None:
    assert learnt.usual("kk", text) is None


def test_a_language_that_is_not_known_tells_nothing(learnt: Spelling) -> None:
    assert learnt.usual("ug", said(1)) is None


def test_nothing_is_learnt_from_few_texts_or_from_a_script_without_letters() -> None:
    many = ["村里的王会计去年拿了三千五百块"] * 10_000
    assert spelling.learn({"kk": [said(n) for n in range(50)], "zh": many}).runs == {}


def test_what_was_seen_once_is_not_kept(learnt: Spelling) -> None:
    more = spelling.learn({"kk": [*(said(n) for n in range(5_000)), "Дүйсенбекұлы"]})
    assert not set(more.runs["kk"]) - set(learnt.runs["kk"]) - {"д", "ү", "й", "с", "н", "б", "ұ"}


def test_what_is_kept_is_the_same_after_reading(learnt: Spelling, tmp_path: Path) -> None:
    spelling.save(learnt, tmp_path)
    first = (tmp_path / spelling.FILE).read_bytes()
    assert spelling.load(tmp_path) == learnt
    spelling.save(learnt, tmp_path)
    assert (tmp_path / spelling.FILE).read_bytes() == first


def test_a_pack_without_a_file_knows_no_spelling(tmp_path: Path) -> None:
    assert spelling.load(tmp_path).runs == {}


@pytest.mark.parametrize("content", [b"", b"{}", b"\x1f\x8b\x08\x00"])
def test_a_damaged_file_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    (tmp_path / spelling.FILE).write_bytes(content)
    with pytest.raises(Misconfigured, match="train the pack again"):
        spelling.load(tmp_path)


def test_a_grown_pack_keeps_what_it_knew(learnt: Spelling) -> None:
    other = Spelling(runs={"ky": {"а": 2}})
    assert set(learnt.with_(other).runs) == {"kk", "ky"}
