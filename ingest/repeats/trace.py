"""What is known of one report for finding its repeats, and the keys under which it is found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ingest import fingerprint
from ingest.fingerprint import Marks, mix
from ingest.normalise.reading import plain
from ingest.normalise.sound import is_han, syllable
from models.record import Amount
from models.transcript import Frozen

RUN = 3
UNSPOKEN = -1
SKETCH = 96
KEYS = 48  # of a sketch or fingerprint that go into the index

Keys = NDArray[np.uint32]
WideKeys = NDArray[np.int64]


class Facts(Frozen):
    """What a report says of its matter. unit : code, "" unless the report itself said it."""

    unit: str = ""
    domain: str = ""
    person: str = ""
    start: date | None = None
    end: date | None = None
    amounts: tuple[Amount, ...] = ()


class Trace(Frozen):
    """One report. text : of all its trusted media; recordings : (keyed hash, fingerprint)."""

    id: UUID
    jurisdiction: str
    text: str = ""
    facts: Facts = Facts()
    recordings: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Entry:
    """A report as it is compared.

    sketch : the smallest mixed keys of its runs, sorted; runs : how many different runs it has
    hashes : keyed, of its recordings; marks : of their fingerprints, those that have one
    """

    id: UUID
    jurisdiction: str
    sketch: Keys
    runs: int
    facts: Facts
    hashes: frozenset[str] = frozenset()
    marks: tuple[Marks, ...] = ()

    @cached_property
    def keys(self) -> frozenset[int]:
        """Give the sketch as a set."""
        return frozenset(self.sketch.tolist())

    @cached_property
    def counted(self) -> frozenset[tuple[float, str]]:
        """Give the amounts that can tell one matter from another."""
        return frozenset((one.value, one.unit) for one in self.facts.amounts if one.value >= 2)


def entry(trace: Trace) -> Entry:
    """Make a report ready to be compared."""
    keys, runs = sketch(trace.text)
    return Entry(
        id=trace.id,
        jurisdiction=trace.jurisdiction,
        sketch=keys,
        runs=runs,
        facts=trace.facts,
        hashes=frozenset(content for content, _ in trace.recordings),
        marks=tuple(fingerprint.read(stored) for _, stored in trace.recordings if stored),
    )


def sketch(text: str) -> tuple[Keys, int]:
    """Give the smallest mixed keys of the text's runs of syllables, sorted, and how many runs."""
    said = [number for number in map(_NUMBERS.__getitem__, plain(text)) if number != UNSPOKEN]
    if len(said) < RUN:
        return np.zeros(0, dtype=np.uint32), 0
    numbers = np.array(said, dtype=np.uint32)
    runs = numbers[: 1 - RUN].copy()
    for step in range(1, RUN):
        runs = runs * np.uint32(2_654_435_761) + numbers[step : len(numbers) - RUN + 1 + step]
    keys = np.unique(mix(runs))
    return keys[:SKETCH], len(keys)


def text_keys(one: Entry) -> WideKeys:
    """Give the keys of a report's text."""
    return _wide("text", one.jurisdiction, one.sketch[:KEYS])


def sound_keys(one: Entry) -> WideKeys:
    """Give the keys of its recordings: of each the marks with the smallest mixed keys."""
    parts = [np.unique(mix(marks["key"]))[:KEYS] for marks in one.marks]
    kept = np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.uint32)
    return _wide("sound", one.jurisdiction, kept)


def hash_keys(one: Entry) -> WideKeys:
    """Give the keys of the recordings' own hashes."""
    return np.array(
        sorted(_salt("hash", one.jurisdiction, content) for content in one.hashes), dtype=np.int64
    )


def body_keys(one: Entry) -> WideKeys:
    """Give the key of body and kind of matter; none where either was not said."""
    if not (one.facts.unit and one.facts.domain):
        return np.zeros(0, dtype=np.int64)
    salt = _salt("body", one.jurisdiction, one.facts.unit, one.facts.domain)
    return np.array([salt], dtype=np.int64)


def all_keys(one: Entry) -> WideKeys:
    """Give every key under which a report is found."""
    return np.unique(
        np.concatenate([text_keys(one), sound_keys(one), hash_keys(one), body_keys(one)])
    )


def _wide(sort: str, jurisdiction: str, keys: Keys) -> WideKeys:
    """Fold sort and jurisdiction into each key (finaliser of SplitMix64, G. Steele et al. 2014)."""
    mixed = keys.astype(np.uint64) + np.uint64(_salt(sort, jurisdiction) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed ^ (mixed >> np.uint64(31))).view(np.int64)


def _salt(*parts: str) -> int:
    """Give 64 bits, signed, for a tuple of texts."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class _Numbers(dict[str, int]):
    """The same number for all characters that sound alike; UNSPOKEN for signs and spaces."""

    def __missing__(self, sign: str) -> int:
        number = 0 if is_han(sign) or sign.isalnum() else UNSPOKEN
        if number != UNSPOKEN:
            for byte in syllable(sign).encode():
                number = (number * 131 + byte) & 0xFFFFFFFF
        return self.setdefault(sign, number)


_NUMBERS = _Numbers()
