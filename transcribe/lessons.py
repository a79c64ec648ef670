"""Recordings with tags, heard as the tagger hears them, and given to it to learn from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import Invalid
from models.transcript import NO_LANGUAGE, UNKNOWN_LANGUAGE
from transcribe import language, speech, spelling, teaching
from transcribe.audio import decode
from transcribe.example import Example
from transcribe.speech import Samples
from transcribe.tagger import Tagger, sounding
from transcribe.whisper import MOST_TOKENS, Encoded, Whisper, Written
from transcribe.windows import lay

MAX_SECONDS = 1_800.0
SHORTEST_SECONDS = 0.3


@dataclass(frozen=True)
class Recording:
    """A recording whose language is known.

    group : what it is one of many of, say the language
    unseen : held back to calibrate with, as what the pack was not trained on
    """

    samples: Samples
    tag: str
    group: str = ""
    unseen: bool = False


def read(manifest: Path) -> Iterator[Recording]:
    """Read recordings from JSON lines with `audio` and `language`, paths beside the file."""
    try:
        lines = manifest.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise Invalid(
            f"读不到清单 {manifest}。",
            f"The manifest {manifest} cannot be read.",
            code="bad_manifest",
        ) from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            path, tag = manifest.parent / row["audio"], str(row["language"])
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(
                f"清单 {manifest} 第 {number} 行格式不对（需要 audio 和 language）。",
                f"Line {number} of {manifest} is not of the form (audio and language).",
                code="bad_manifest",
            ) from error
        yield Recording(decode(path, max_seconds=MAX_SECONDS).samples, tag, tag)


def listen(whisper: Whisper, recordings: Iterable[Recording]) -> Iterator[Example]:
    """Turn recordings into examples: one for each window of their speech."""
    tags = whisper.pack.tags
    spelt = spelling.load(whisper.pack.folder)
    for recording in recordings:
        known = language.installed(recording.tag, tags)
        for encoded in _windows(whisper, recording.samples):
            written_in, written = _write(whisper, encoded, known if known in tags else "")
            tag = recording.tag if known == UNKNOWN_LANGUAGE else known
            group = recording.group or tag
            yield Example(
                states=np.asarray(sounding(encoded), np.float16),
                tag=tag,
                group=group,
                average_logprob=written.average_logprob if written.tokens else None,
                written_in=written_in,
                unseen=recording.unseen,
                spelling=spelt.usual(written_in, written.text),
            )


def _windows(whisper: Whisper, samples: Samples) -> Iterator[Encoded]:
    """Encode the windows of a recording; all of it where no speech is found."""
    spans = speech.find(samples) or (speech.Span(0, len(samples)),)
    for window in lay(0, spans):
        if window.seconds >= SHORTEST_SECONDS:
            mel = whisper.features(window.samples(samples))
            yield whisper.encode([mel], whisper.window_frames(window.seconds))[0]


def _write(whisper: Whisper, encoded: Encoded, known: str) -> tuple[str, Written]:
    """Write a text in its language, or in that of the pack in which it is likeliest."""
    odds = whisper.languages([encoded])[0].odds
    tried = (known,) if known else language.rivals(odds, whisper.pack.tags)
    seconds = len(encoded.states) / 50
    most = min(MOST_TOKENS, 24 + round(20 * seconds))
    beams = whisper.pack.thresholds.beams
    written = whisper.write([encoded] * len(tried), tried, beams=beams, most_tokens=most)
    texts = dict(zip(tried, written, strict=True))
    chosen = language.best(language.told(odds, texts), tried)
    return chosen, texts[chosen]


def train(
    whisper: Whisper, recordings: Iterable[Recording], earlier: Tagger | None = None
) -> Tagger:
    """Train the tagger of a pack, or add languages to an earlier one.

    Recordings of a language that the pack cannot write make it known by name all the same, so that
    they reach who understands it. Where nothing of the background (`und`) is among them, an earlier
    tagger keeps its own and only learns the languages that it lacks.
    """
    examples = list(listen(whisper, recordings))
    if earlier is None or any(one.tag == UNKNOWN_LANGUAGE for one in examples):
        return teaching.teach(examples)
    known = (*earlier.tags, NO_LANGUAGE)
    fresh = [one for one in examples if one.tag not in known]
    return teaching.add(earlier, fresh) if fresh else earlier
