"""The held-out complaints are for measuring only: nothing is taught from them.

What fails here names complaints by their ids; their texts are not to be read.
"""

import hashlib
import re
from pathlib import Path

import pytest

from ingest.normalise import labelled, marked
from tests.unit.ingest.normalise.conftest import SAMPLES

ROOT = SAMPLES.parents[1]
RUN = 12  # characters in a row that two people do not write by chance
TAUGHT = (
    *sorted(SAMPLES.glob(labelled.TRAINING)),
    *sorted(SAMPLES.glob(marked.TIMES)),
    *sorted(SAMPLES.glob(marked.ACTS)),
    SAMPLES / "phrases.tsv",
    *sorted((ROOT / "ingest" / "data").glob("*.toml")),
    *sorted((ROOT / "samples" / "grammars").glob("*")),
)


def _bare(text: str) -> str:
    return re.sub(r"[^\u3400-\u9fff0-9a-zA-Z]", "", text)


def _runs(text: str) -> set[str]:
    bare = _bare(text)
    return {bare[at : at + RUN] for at in range(len(bare) - RUN + 1)}


def test_the_heldout_complaints_are_those_that_were_frozen() -> None:
    frozen = (SAMPLES / "heldout.sha256").read_text("utf-8").split()[0]
    assert hashlib.sha256((SAMPLES / "heldout.jsonl").read_bytes()).hexdigest() == frozen


@pytest.mark.parametrize("path", TAUGHT, ids=lambda path: path.name)
def test_nothing_that_is_taught_holds_a_heldout_text(path: Path) -> None:
    taught = _runs(path.read_text("utf-8"))
    leaked = [
        one.id for one in labelled.read(SAMPLES / "heldout.jsonl") if _runs(one.text) & taught
    ]
    assert leaked == []


def test_no_code_that_trains_opens_the_heldout_complaints() -> None:
    trainers = [
        ROOT / "ingest" / "normalise" / "train.py",
        ROOT / "ingest" / "normalise" / "material.py",
        ROOT / "ingest" / "normalise" / "validate.py",
        ROOT / "ingest" / "normalise" / "learning.py",
        ROOT / "ingest" / "normalise" / "marked.py",
        ROOT / "ingest" / "normalise" / "accepted.py",
        ROOT / "ingest" / "normalise" / "taught.py",
        ROOT / "workers" / "teaching.py",
        *(ROOT / "transcribe").rglob("*.py"),
    ]
    for path in trainers:
        code = path.read_text("utf-8")
        assert "complaints" not in re.findall(r'"([a-z]+)"', code), path.name
        assert "heldout.jsonl" not in code, path.name
