"""The small model of which times date the act: what it sees, what it learns, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.normalise import Lexicons, dating, when
from ingest.normalise.dating import Dating, Features
from ingest.normalise.labelled import read_training
from ingest.normalise.reading import Reading
from ingest.normalise.train import times
from tests.unit.ingest.normalise.conftest import RECEIVED, SAMPLES

OWN = "我爸二〇一二年栽的树，遭他砍了"
ACT = "他二〇一二年占了我们的地"


def described(text: str, place: int = 0) -> Features:
    return dating.features(text, when.joined(text, RECEIVED), place, RECEIVED)


def test_what_touches_a_time_and_what_stands_in_its_clause_is_seen() -> None:
    seen = described(OWN)
    assert seen["touches before 我爸"] == seen["touches behind 栽的"] == 1
    assert seen["said #年"] == seen["precision year"] == seen["order only"] == 1
    assert 0 < seen["next 遭"] < 1
    assert not any(name.startswith("earlier") for name in seen)


def test_a_text_that_is_one_time_alone_can_be_described() -> None:
    assert described("去年")["clause first"] == 1


def test_it_learns_from_what_stands_beside() -> None:
    learnt = dating.fit([described(OWN)] * 9 + [described(ACT)] * 9, [False] * 9 + [True] * 9)
    assert learnt.probability(described(ACT)) > 0.7 > 0.3 > learnt.probability(described(OWN))


def test_without_weights_everything_is_even() -> None:
    assert Dating().probability(described(OWN)) == 0.5


def test_what_is_kept_weighs_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = dating.fit([described(OWN)] * 9 + [described(ACT)] * 9, [False] * 9 + [True] * 9)
    (tmp_path / "data").mkdir()
    dating.save(learnt, tmp_path / "data" / dating.MODEL_FILE)
    monkeypatch.setattr(dating, "files", lambda _: tmp_path)
    kept = dating.load.__wrapped__()
    assert kept.probability(described(ACT)) == pytest.approx(
        learnt.probability(described(ACT)), abs=1e-3
    )


def test_the_shipped_model_was_trained_from_the_samples() -> None:
    learnt, shipped = times(read_training(SAMPLES)), dating.load()
    assert learnt.weights.keys() == shipped.weights.keys()
    assert shipped.bias == pytest.approx(learnt.bias, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("老井是一九五三年打的，四代人吃它的水，姓涂的拿水泥板盖死了", None),
        ("我去年秋天退的伍，想学开挖机，人社局的科长喊一个人给他六百", None),
        ("我娃是二〇二四年夏天考起大学的，今年五月文书喊我去签字，只数给我一半", "今年五月"),
        ("村支书去年收了我三百块，没有开票", "去年"),
    ],
)
def test_a_time_of_something_else_dates_no_act(
    lexicons: Lexicons, typed: Callable[[str], Reading], text: str, said: str | None
) -> None:
    time = lexicons.chooser.find(typed(text), RECEIVED)
    assert (time and time.occurred.text) == said
