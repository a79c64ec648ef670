"""The small networks that choose among times and people: how they choose, learn and are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ingest.matter import ChannelFacts
from ingest.normalise import (
    Lexicons,
    blame,
    dating,
    labelled,
    learning,
    lexicon,
    marked,
    model,
    network,
    weighing,
)
from ingest.normalise.gazetteer import Gazetteer
from ingest.normalise.labelled import read_training
from ingest.normalise.learning import Lessons
from ingest.normalise.taught import Teacher, digest
from ingest.normalise.train import choosers
from ingest.normalise.weighing import Weights, averaged, likeliest, pooled
from models import gazetteer
from models.errors import Invalid
from tests.unit.ingest.normalise.conftest import SAMPLES, Say
from tests.unit.ingest.normalise.test_surroundings import described
from workers.commands.normalise import app

ACT = "堰塘遭他家去年三月拿挖机填了。"
OWN = "我们是去年三月才搬回来的，路没有修。"
EVEN = Weights(
    names=("a", "b"),
    plain=np.array([np.log(3), 0], np.float32),
    inner=np.array([[0.0], [2.0]], np.float32),
    shift=np.array([-1.0], np.float32),
    outer=np.array([np.log(5)], np.float32),
)


def lessons(*texts: tuple[list[str], list[bool]]) -> Lessons:
    """Make lessons of texts of one place each, many times over."""
    found = Lessons()
    for _ in range(40):
        for said, right in texts:
            found.add([described(text) for text in said], right)
    return found


@pytest.fixture(scope="module")
def learnt() -> Weights:
    return learning.fit(lessons(([ACT], [True]), ([OWN], [False])))


def test_words_around_a_time_are_learnt(learnt: Weights) -> None:
    assert learnt.probabilities([described(ACT)])[0] > 0.6
    assert learnt.probabilities([described(OWN)])[0] < 0.4


def test_the_same_lessons_give_the_same_weights(learnt: Weights) -> None:
    again = learning.fit(lessons(([ACT], [True]), ([OWN], [False])))
    assert again.names == learnt.names
    assert np.allclose(again.inner, learnt.inner)


def test_texts_without_places_teach_nothing() -> None:
    found = Lessons()
    found.add([], [])
    assert learning.fit(found).probabilities([{"a": 1.0}]) == [0.5]


def test_places_are_weighed_against_one_another_and_against_none() -> None:
    assert EVEN.probabilities([{}]) == pytest.approx([0.5])
    assert EVEN.probabilities([{"a": 1.0}, {}]) == pytest.approx([0.6, 0.2])
    assert EVEN.probabilities([{"b": 1.0}]) == pytest.approx([5 / 6])
    assert EVEN.probabilities([]) == []


def test_what_was_never_seen_says_nothing() -> None:
    assert EVEN.score({"behind 哪样": 1.0}) == EVEN.score({})
    assert Weights().probabilities([{"a": 1.0}, {}]) == pytest.approx([1 / 3, 1 / 3])


@pytest.mark.parametrize(("least", "chosen"), [(0.6, (1, 0.6)), (0.61, None)])
def test_the_likeliest_place_is_chosen_from_a_probability_on(
    least: float, chosen: tuple[int, float] | None
) -> None:
    assert likeliest([0.3, 0.6], least) == chosen
    assert likeliest([], least) is None


def test_opinions_are_averaged_or_pooled() -> None:
    opinions = ([0.4, 0.5], [0.2, 0.7])
    assert averaged(opinions) == pytest.approx([0.3, 0.6])
    roots = np.sqrt([0.4 * 0.2, 0.5 * 0.7, 0.1 * 0.1])
    assert pooled(opinions) == pytest.approx(list(roots[:2] / roots.sum()))
    assert averaged(([], [])) == pooled(([], [])) == []


def test_what_one_is_sure_is_wrong_another_does_not_make_right() -> None:
    assert pooled(([0.9], [0.1])) == pytest.approx([0.5])
    assert pooled(([1.0], [0.0]))[0] == pytest.approx(0.5, abs=0.01)
    assert pooled(([0.99], [0.001]))[0] < 0.3


def test_what_was_learnt_is_kept(
    learnt: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    weighing.save(learnt, tmp_path / "data" / "some.npz")
    monkeypatch.setattr(weighing, "files", lambda _: tmp_path)
    kept = weighing.load.__wrapped__("some.npz")
    for text in (ACT, OWN):
        wanted = learnt.probabilities([described(text)])
        assert kept.probabilities([described(text)]) == pytest.approx(wanted, abs=0.02)
    assert kept.version


def test_what_a_model_chose_names_the_model(say: Say, lexicons: Lexicons) -> None:
    made = say("村支书去年收了我三百块，没有开票")
    for name in ("occurred", "subject.post"):
        (source,) = made.provenance[name]
        assert (source.by, source.why) == ("model", lexicons.version)


NEEDED = ("training-4.jsonl", "channels.toml", "gazetteer.csv", "phrases.tsv", "times-1.tsv")


@pytest.mark.parametrize("missing", NEEDED[1:])
def test_a_folder_of_samples_that_lacks_a_file_is_refused_by_its_name(
    missing: str, tmp_path: Path
) -> None:
    for name in NEEDED:
        if name != missing:
            (tmp_path / name).symlink_to((SAMPLES / name).resolve())
    done = CliRunner().invoke(app, ["train", "--out", str(tmp_path / "out"), str(tmp_path)])
    assert done.exit_code != 0
    assert isinstance(done.exception, Invalid)
    assert missing.replace("-1", "-*") in done.exception.en


def test_the_shipped_models_were_taught_by_the_samples() -> None:
    """To teach them takes minutes, so that they only say what by: `xiangyin normalise train`."""
    wanted = digest(read_training(SAMPLES), marked.read_all(SAMPLES))
    for name in (dating.MODEL_FILE, blame.MODEL_FILE):
        assert weighing.load(name).taught == wanted
    assert network.load().taught == wanted


def test_times_and_people_are_learnt_from_complaints_and_marks(
    channels: Mapping[str, ChannelFacts],
) -> None:
    units = Gazetteer(gazetteer.read(SAMPLES / "gazetteer.csv"))
    teacher = Teacher(channels, units, model.load())
    few = (*teacher.labelled(labelled.read(SAMPLES / "training-8.jsonl")),)
    few = (*few, *teacher.marked(marked.read_all(SAMPLES)[-1000:]))
    dates, guilt = choosers(few, "abc")
    assert (dates.taught, guilt.taught) == ("abc", "abc")
    right = []
    for one in few:
        around, people = one.seen.around, one.seen.people
        described = [blame.features(around, people, n, one.conduct) for n in range(len(people))]
        likely = likeliest(guilt.probabilities(described), 0.5)
        if one.blamed:
            right.append(one.blamed[likely[0]] if likely else not any(one.blamed))
    assert sum(right) > 0.9 * len(right) > 400


def test_no_surname_is_in_two_lists() -> None:
    words = lexicon.people().names
    assert not set(words.rare) & set("".join(words.surnames.split()))
