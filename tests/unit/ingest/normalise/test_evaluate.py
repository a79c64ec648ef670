from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.matter import ChannelFacts
from ingest.normalise import Lexicons, evaluate, labelled
from models.errors import Invalid
from tests.unit.ingest.normalise.conftest import SAMPLES

WRITTEN_FOR_RULES = SAMPLES / "training-1.jsonl"


def test_the_training_complaints_are_read_back(
    lexicons: Lexicons, channels: Mapping[str, ChannelFacts]
) -> None:
    complaints = labelled.read_training(SAMPLES)
    made = evaluate.evaluate(complaints, channels, lexicons)
    assert made.complaints == len(complaints) >= 220
    assert made.fields["amounts"].precision >= 0.95
    assert made.fields["unit"].precision >= 0.95
    assert made.fields["places"].precision >= 0.95
    # Most of those after these say times that date nothing, written to be hard to tell apart.
    first = evaluate.evaluate(labelled.read(WRITTEN_FOR_RULES), channels, lexicons)
    assert first.fields["occurred"].precision >= 0.95
    assert made.fields["occurred"].precision >= 0.85


def test_the_tables_print_counts(lexicons: Lexicons, channels: Mapping[str, ChannelFacts]) -> None:
    complaints = labelled.read_training(SAMPLES)[:20]
    printed = evaluate.tables(evaluate.evaluate(complaints, channels, lexicons))
    assert printed.startswith("20 complaints\n")
    for heading in ("right", "filled", "labelled", "precision", "recall", "macro-F1"):
        assert heading in printed


def test_a_name_counts_as_the_record_has_it_and_by_its_forms(
    lexicons: Lexicons, channels: Mapping[str, ChannelFacts]
) -> None:
    people = ((None, "王"), ("李德富", "李"), ("张三", "张"), (None, None))
    labels = [labelled.LabelledPerson(name=name, surname=surname) for name, surname in people]
    texts = ("王会计收了钱", "会计李德富收了钱", "张会计收了钱", "他们收了钱")
    first = labelled.read_training(SAMPLES)[0]
    complaints = [
        first.model_copy(update={"text": text, "person": person})
        for text, person in zip(texts, labels, strict=True)
    ]
    made = evaluate.evaluate(complaints, channels, lexicons).fields
    counted = {
        name: (made[name].right, made[name].filled, made[name].labelled)
        for name in ("name", "name (full)", "name (surname)")
    }
    assert counted == {"name": (2, 3, 3), "name (full)": (1, 1, 2), "name (surname)": (3, 3, 3)}


def test_what_was_heard_is_evaluated_against_what_was_said(
    lexicons: Lexicons, channels: Mapping[str, ChannelFacts]
) -> None:
    one = labelled.read_training(SAMPLES)[0]
    heard = [labelled.Heard(id=one.id, text=one.text), labelled.Heard(id=one.id, text="")]
    made = evaluate.evaluate([one], channels, lexicons, heard)
    assert made.complaints == 2
    assert made.fields["domain"].filled == 1


def test_units_heard_are_set_beside_units_typed(
    lexicons: Lexicons, channels: Mapping[str, ChannelFacts]
) -> None:
    some = labelled.read_training(SAMPLES)[:3]
    heard = [
        labelled.Heard(id=one.id, text=one.text[:9], characters=len(one.text), errors=9)
        for one in some
    ]
    typed = evaluate.evaluate(some, channels, lexicons)
    spoken = evaluate.evaluate(some, channels, lexicons, heard)
    printed = evaluate.spoken_goal(typed, spoken, heard)
    assert f"27 of {sum(len(one.text) for one in some)}" in printed
    assert "0 of 3 would go to a listener" in printed


def test_what_was_heard_is_written_and_read_again(tmp_path: Path) -> None:
    heard = (
        labelled.Heard(id="t1", text="路烂了", voice="f3", pack="demo 1", characters=4, errors=1),
    )
    labelled.write_heard(tmp_path / "spoken.jsonl", heard)
    assert labelled.read_heard(tmp_path / "spoken.jsonl") == heard
    with pytest.raises(Invalid, match="normalise speak"):
        labelled.read_heard(tmp_path / "nothing.jsonl")


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('\n{"id": 3}\n', "utf-8")
    with pytest.raises(Invalid, match="line 2"):
        labelled.read(path)


def test_a_folder_without_complaints_to_train_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"training-\*\.jsonl"):
        labelled.read_training(tmp_path)
