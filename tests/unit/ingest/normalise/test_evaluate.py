import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.matter import ChannelFacts
from ingest.normalise import Lexicons, evaluate, labelled
from models.errors import Invalid
from tests.unit.ingest.normalise.conftest import SAMPLES


def test_the_training_complaints_are_read_back(
    lexicons: Lexicons, channels: Mapping[str, ChannelFacts]
) -> None:
    complaints = labelled.read(SAMPLES / "training.jsonl")
    made = evaluate.evaluate(complaints, channels, lexicons)
    assert made.complaints == len(complaints) >= 220
    assert made.fields["occurred"].precision >= 0.95
    assert made.fields["amounts"].precision >= 0.95
    assert made.fields["unit"].precision >= 0.95
    assert made.fields["places"].precision >= 0.95


def test_the_tables_print_counts(lexicons: Lexicons, channels: Mapping[str, ChannelFacts]) -> None:
    complaints = labelled.read(SAMPLES / "training.jsonl")[:20]
    printed = evaluate.tables(evaluate.evaluate(complaints, channels, lexicons))
    assert printed.startswith("20 complaints\n")
    for heading in ("right", "filled", "labelled", "precision", "recall", "macro-F1"):
        assert heading in printed


def test_what_was_heard_is_evaluated_against_what_was_said(
    lexicons: Lexicons, channels: Mapping[str, ChannelFacts]
) -> None:
    one = labelled.read(SAMPLES / "training.jsonl")[0]
    heard = [labelled.Heard(id=one.id, text=one.text), labelled.Heard(id=one.id, text="")]
    made = evaluate.evaluate([one], channels, lexicons, heard)
    assert made.complaints == 2
    assert made.fields["domain"].filled == 1


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_held_out_complaints_are_as_frozen() -> None:
    frozen, name = (SAMPLES / "heldout.sha256").read_text().split()
    assert hashlib.sha256((SAMPLES / name).read_bytes()).hexdigest() == frozen


def test_no_training_text_is_held_out() -> None:
    # by hash, so that a failure shows nobody what is held out
    held_out = {_hash(one.text) for one in labelled.read(SAMPLES / "heldout.jsonl")}
    phrases = (SAMPLES / "phrases.tsv").read_text("utf-8").splitlines()
    seen = {_hash(one.text) for one in labelled.read(SAMPLES / "training.jsonl")}
    assert not held_out & (seen | {_hash(line.split("\t")[-1]) for line in phrases})


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('\n{"id": 3}\n', "utf-8")
    with pytest.raises(Invalid, match="line 2"):
        labelled.read(path)
