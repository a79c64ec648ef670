"""What the small models of the normaliser learn from: a folder like samples/complaints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.matter import ChannelFacts
from ingest.normalise import labelled, marked, train
from ingest.normalise.gazetteer import Gazetteer
from ingest.normalise.labelled import Labelled
from ingest.normalise.marked import Marked
from ingest.normalise.train import Example
from models import gazetteer


@dataclass(frozen=True)
class Material:
    """Labelled complaints, marked texts and labelled phrases, with the places they speak of.

    channels : by code
    """

    complaints: tuple[Labelled, ...]
    marks: tuple[Marked, ...]
    phrases: tuple[Example, ...]
    channels: Mapping[str, ChannelFacts]
    gazetteer: Gazetteer


def read(folder: Path) -> Material:
    """Read all that may be learnt from in a folder; raise Invalid where a part is missing."""
    return Material(
        complaints=labelled.read_training(folder),
        channels=labelled.read_channels(folder / "channels.toml"),
        gazetteer=Gazetteer(gazetteer.read(folder / "gazetteer.csv")),
        marks=marked.read_all(folder),
        phrases=train.read_phrases(folder / "phrases.tsv"),
    )
