"""Everything that the normaliser knows, compiled once and handed to each call."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.normalise import blame, dating, lexicon, model, network, weighing
from ingest.normalise.amount import Counter
from ingest.normalise.blame import Blame
from ingest.normalise.dating import Dating
from ingest.normalise.gazetteer import Gazetteer
from ingest.normalise.lexicon import MatterWords
from ingest.normalise.model import Model
from ingest.normalise.network import Network
from ingest.normalise.person import Register
from ingest.normalise.term import TermIndex
from ingest.normalise.unit import Bodies
from models.channel import Unit
from models.errors import Misconfigured


@dataclass(frozen=True)
class Foreign:
    """The terms that a language pack brings for its own language."""

    domain: TermIndex
    conduct: TermIndex


@dataclass(frozen=True)
class Lexicons:
    """The gazetteer and the words; immutable, shared between threads.

    foreign : by the first part of a language's tag
    """

    gazetteer: Gazetteer
    bodies: Bodies
    register: Register
    blame: Blame
    counter: Counter
    dating: Dating
    domain: TermIndex
    conduct: TermIndex
    model: Model
    network: Network
    foreign: dict[str, Foreign]
    version: str


def load_lexicons(units: Sequence[Unit], extra: Path | None = None) -> Lexicons:
    """Compile the lexicons for a gazetteer.

    extra : a language pack's terms, or a folder of such files: `version`, `language` and the tables
    `domain` and `conduct` as in data/matters.toml
    """
    words = lexicon.matters()
    trained = model.load()
    dates, guilt = weighing.load(dating.MODEL_FILE), weighing.load(blame.MODEL_FILE)
    reader = network.load()
    versions = (
        words.version,
        lexicon.people().version,
        lexicon.bodies().version,
        lexicon.amounts().version,
        lexicon.digits().version,
    )
    return Lexicons(
        gazetteer=Gazetteer(units),
        bodies=Bodies(lexicon.bodies(), lexicon.people().names.common),
        register=Register(lexicon.people()),
        blame=Blame(guilt),
        counter=Counter(lexicon.amounts()),
        dating=Dating(dates),
        domain=TermIndex(words, "domain"),
        conduct=TermIndex(words, "conduct"),
        model=trained,
        network=reader,
        foreign={
            table.language: Foreign(TermIndex(table, "domain"), TermIndex(table, "conduct"))
            for table in _extra(extra)
        },
        version=f"lexicon {'.'.join(map(str, versions))}, "
        f"models {trained.version} {dates.version} {guilt.version} {reader.version}",
    )


def _extra(path: Path | None) -> tuple[MatterWords, ...]:
    if path is None:
        return ()
    paths = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    try:
        return tuple(
            MatterWords.model_validate(tomllib.loads(one.read_text("utf-8"))) for one in paths
        )
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"词表 {path} 读不出来，请检查格式。",
            f"The word list {path} cannot be read: check its form.",
            code="lexicon_unreadable",
        ) from error
