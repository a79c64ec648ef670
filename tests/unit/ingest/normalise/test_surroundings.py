"""The models that weigh the words around times and people: what they learn, and what is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.normalise import Lexicons, blame, dating, lexicon, weighing, when
from ingest.normalise.gazetteer import Gazetteer
from ingest.normalise.labelled import read_channels, read_training
from ingest.normalise.person import Person
from ingest.normalise.reading import Span
from ingest.normalise.train import choosers
from ingest.normalise.weighing import Features, Surroundings, Weights
from models import gazetteer
from models.errors import Invalid
from tests.unit.ingest.normalise.conftest import SAMPLES, Say
from workers.commands.normalise import app

RECEIVED = date(2026, 5, 20)
ACT = "堰塘遭他家去年三月拿挖机填了。"
OWN = "我们是去年三月才搬回来的，路没有修。"


def described(text: str, place: int = 0) -> Features:
    """Describe a time of a text."""
    every = when.joined(text, RECEIVED)
    return dating.features(Surroundings(text), every, place, RECEIVED)


def test_what_stands_around_a_place_is_described_by_where() -> None:
    text = "我娘病了，前年去找站长，说没得。"
    found = Surroundings(text).of(Span(5, 7))
    assert found["touches behind 去"] == found["right 去找站"] == 1
    assert found["behind 站长"] == 1
    assert found["earlier 我"] == weighing.EARLIER_WEIGHT
    assert found["next 没得"] == weighing.NEXT_WEIGHT
    assert found["clause inner"] == 1


def test_a_place_at_the_end_of_an_empty_text_is_described() -> None:
    assert Surroundings("").of(Span(0, 0))["clause first"] == 1


def test_a_time_is_described_by_itself_and_by_its_rank() -> None:
    found = described("二〇二五年签的合同，今年三月他就不认了。", 1)
    assert found["order later"] == found["precision month later"] == found["years 0"] == 1
    assert found["said 今年#月"] == 1


def test_somebody_is_described_by_how_they_are_named() -> None:
    text = "王院长骂人，李护士劝他，王院长不听。"
    people = (
        Person(Span(0, 3), surname="王", post="院长", weight=0.96),
        Person(Span(6, 9), surname="李", post="护士", weight=0.96),
        Person(Span(12, 15), surname="王", post="院长", weight=0.96),
    )
    first, second, _ = (
        blame.features(Surroundings(text), people, place, "abuse") for place in range(3)
    )
    assert first["order first"] == first["post 院长"] == first["again True"] == 1
    assert second["order later"] == second["again False"] == second["conduct abuse"] == 1
    assert second["form surname name, a post"] == second["touches behind 劝"] == 1


def test_words_around_a_time_are_learnt() -> None:
    learnt = weighing.fit([described(OWN)] * 9 + [described(ACT)] * 9, [False] * 9 + [True] * 9)
    assert learnt.probability(described(ACT)) > 0.8
    assert learnt.probability(described(OWN)) < 0.2


def test_what_was_never_seen_weighs_nothing() -> None:
    assert Weights({}, 0.0).probability({"behind 哪样": 1.0}) == 0.5
    assert Weights({"a": 5_000.0}, 0.0).probability({"a": 1.0}) == pytest.approx(1)


@pytest.mark.parametrize(("least", "chosen"), [(0.5, (1, 0.5)), (0.501, None)])
def test_the_likeliest_place_is_chosen_from_a_probability_on(
    least: float, chosen: tuple[int, float] | None
) -> None:
    weights = Weights({"a": -2.0})
    assert weights.choose([{"a": 1.0}, {}, {"a": 0.5}], least) == chosen
    assert weights.choose([], least) is None


@pytest.mark.parametrize(
    ("text", "counted"), [("两个保安打人", True), ("有些保安打人", True), ("门口保安打人", False)]
)
def test_who_is_counted_is_described_as_such(text: str, counted: bool) -> None:
    guard = Person(Span(2, 4), post="保安")
    found = blame.features(Surroundings(text), (guard,), 0, "abuse")
    assert found[f"counted {counted}"] == 1


def test_a_word_that_is_part_of_another_is_described_as_such() -> None:
    part, whole = Surroundings("村医疗站的药贵"), Surroundings("村医的药贵")
    assert part.of(Span(0, 2))["begins True, ends False"] == 1
    assert whole.of(Span(0, 2))["begins True, ends True"] == 1


def test_what_a_model_chose_names_the_model(say: Say, lexicons: Lexicons) -> None:
    made = say("村支书去年收了我三百块，没有开票")
    for name in ("occurred", "subject.post"):
        (source,) = made.provenance[name]
        assert (source.by, source.why) == ("model", lexicons.version)


@pytest.mark.parametrize("missing", ["channels.toml", "gazetteer.csv", "phrases.tsv"])
def test_a_folder_of_samples_that_lacks_a_file_is_refused_by_its_name(
    missing: str, tmp_path: Path
) -> None:
    for name in ("training-4.jsonl", "channels.toml", "gazetteer.csv", "phrases.tsv"):
        if name != missing:
            (tmp_path / name).symlink_to((SAMPLES / name).resolve())
    done = CliRunner().invoke(app, ["train", "--out", str(tmp_path / "out"), str(tmp_path)])
    assert done.exit_code != 0
    assert isinstance(done.exception, Invalid)
    assert missing in done.exception.en


def test_what_was_learnt_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = weighing.fit([described(OWN)] * 9 + [described(ACT)] * 9, [False] * 9 + [True] * 9)
    (tmp_path / "data").mkdir()
    weighing.save(learnt, tmp_path / "data" / "some.npz")
    monkeypatch.setattr(weighing, "files", lambda _: tmp_path)
    kept = weighing.load.__wrapped__("some.npz")
    for text in (ACT, OWN):
        wanted = learnt.probability(described(text))
        assert kept.probability(described(text)) == pytest.approx(wanted, abs=0.01)


def test_the_shipped_models_are_those_of_the_training_complaints() -> None:
    channels = read_channels(SAMPLES / "channels.toml")
    units = Gazetteer(gazetteer.read(SAMPLES / "gazetteer.csv"))
    learnt = choosers(read_training(SAMPLES), channels, units)
    for weights, name in zip(learnt, (dating.MODEL_FILE, blame.MODEL_FILE), strict=True):
        shipped = weighing.load(name)
        assert shipped.bias == pytest.approx(weights.bias, abs=0.01)
        assert shipped.by_name.keys() == weights.by_name.keys()


def test_no_surname_is_in_two_lists() -> None:
    words = lexicon.people().names
    assert not set(words.rare) & set("".join(words.surnames.split()))
