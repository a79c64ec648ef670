"""Labelled complaints: texts with the fields that the normaliser should fill."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from ingest.matter import ChannelFacts, Matter, Passage
from models.errors import Invalid
from models.medium import Kind
from models.record import Amount, Precision
from models.transcript import Frozen, Word

SHIPPED = "complaints"
TRAINING = "training-*.jsonl"  # in several files, none of them large


class LabelledPerson(Frozen):
    """The one complained of, as far as said."""

    name: str | None = None
    surname: str | None = None
    post: str | None = None


class LabelledInterval(Frozen):
    """When it happened, both days included."""

    start: date
    end: date
    precision: Precision


class Labelled(Frozen):
    """One complaint with its labels; samples/complaints/README.md says what they mean."""

    id: str
    channel: str
    received: date
    text: str
    unit: str | None = None
    unit_from: str = "channel"
    person: LabelledPerson | None = None
    domain: str
    conduct: str
    occurred: LabelledInterval | None = None
    occurred_text: str | None = None
    amounts: tuple[Amount, ...] = ()
    places: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


class Heard(Frozen):
    """What a recogniser made of one labelled complaint that was spoken.

    reason : why it would have gone to a listener, or ""
    characters : that were said, without punctuation; errors : edits from them to what was heard
    """

    id: str
    text: str
    words: tuple[Word, ...] = ()
    voice: str = ""
    pack: str = ""
    reason: str = ""
    characters: int = 0
    errors: int = 0


def shipped() -> Path:
    """Give the folder of the complaints, units and channels that ship."""
    return Path(str(files("samples").joinpath(SHIPPED)))


def read(path: Path) -> tuple[Labelled, ...]:
    """Read labelled complaints, one a line; raise Invalid with the line that is wrong."""
    return tuple(_lines(text_of(path).splitlines(), path))


def text_of(path: Path) -> str:
    """Read a file of the samples; raise Invalid where it is missing or no UTF-8."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            f"读不到 {path}：请给出完整的样本文件夹，文件用 UTF-8。",
            f"{path} cannot be read: give a whole folder of samples, its files in UTF-8.",
            code="bad_samples",
        ) from error


def read_training(folder: Path) -> tuple[Labelled, ...]:
    """Read the complaints of a folder that may be trained from, in order.

    Raise Invalid where there are none, or with the line that is wrong.
    """
    found = tuple(one for path in sorted(folder.glob(TRAINING)) for one in read(path))
    if not found:
        raise Invalid(
            f"{folder} 里没有 {TRAINING}。",
            f"There is no {TRAINING} in {folder}.",
            code="no_labels",
        )
    return found


def _lines(lines: Iterable[str], path: Path) -> Iterator[Labelled]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield Labelled.model_validate_json(line)
        except ValidationError as error:
            raise Invalid(
                f"{path.name} 第 {number} 行格式不对：{error.errors()[0]['msg']}。",
                f"{path.name}, line {number} does not have the form of a labelled complaint: "
                f"{error.errors()[0]['msg']}.",
                code="bad_labels",
            ) from error


def read_heard(path: Path) -> tuple[Heard, ...]:
    """Read what was heard of spoken complaints, as `write_heard` wrote it."""
    try:
        lines = path.read_text("utf-8").splitlines()
        return tuple(Heard.model_validate_json(line) for line in lines if line.strip())
    except (OSError, ValidationError) as error:
        raise Invalid(
            f"{path.name} 读不出来，请用 xiangyin normalise speak 重新生成。",
            f"{path.name} cannot be read: make it again with xiangyin normalise speak.",
            code="bad_heard",
        ) from error


def write_heard(path: Path, heard: Iterable[Heard]) -> None:
    """Write what was heard, one a line."""
    lines = (one.model_dump_json(exclude_defaults=True) + "\n" for one in heard)
    path.write_text("".join(lines), "utf-8")


def read_channels(path: Path) -> dict[str, ChannelFacts]:
    """Read the channels of the samples by code; raise Invalid where they cannot be read."""
    try:
        table = tomllib.loads(text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise Invalid(
            f"{path} 不是可用的 TOML：{error}。",
            f"{path} is no usable TOML: {error}.",
            code="bad_samples",
        ) from error
    return {
        one["code"]: ChannelFacts(
            code=one["code"],
            unit_code=one["unit"],
            unit_name="",
            jurisdiction=one["jurisdiction"],
        )
        for one in table["channel"]
    }


def matter(one: Labelled, channel: ChannelFacts, heard: Heard | None = None) -> Matter:
    """Make what the normaliser is given of a labelled complaint, typed or as it was heard."""
    passage = Passage(medium=None, kind=Kind.TEXT, text=one.text, language="zh")
    if heard is not None:
        passage = Passage(
            medium=None, kind=Kind.VOICE, text=heard.text, language="zh", words=heard.words
        )
    return Matter(passages=(passage,), channel=channel, received=one.received)
