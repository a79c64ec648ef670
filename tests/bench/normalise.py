"""How long the fields of one report take: `python -m tests.bench.normalise [TIMES]`.

Texts of about 300 characters, put together from the labelled training complaints, each read by
itself with everything loaded, in processor time and by the clock.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ingest.normalise import labelled, load_lexicons, normalise
from ingest.normalise.labelled import Labelled, matter
from models import gazetteer

FOLDER = Path("samples/complaints")
CHARACTERS = 300


def main(times: int = 500) -> None:
    """Read the texts, one after the other, and print the percentiles in ms."""
    began = time.perf_counter()
    lexicons = load_lexicons(gazetteer.read(FOLDER / "gazetteer.csv"))
    loaded = (time.perf_counter() - began) * 1_000
    channels = labelled.read_channels(FOLDER / "channels.toml")
    matters = [
        matter(one, channels[one.channel])
        for one in long_texts(labelled.read_training(FOLDER), times)
    ]
    normalise(matters[0], lexicons)
    clock, processor = [], []
    for one in matters:
        began, busy = time.perf_counter(), time.process_time()
        normalise(one, lexicons)
        clock.append((time.perf_counter() - began) * 1_000)
        processor.append((time.process_time() - busy) * 1_000)
    length = sum(len(one.passages[0].text) for one in matters) / len(matters)
    print(
        f"{times} texts of {length:.0f} characters on average; lexicons loaded in {loaded:.0f} ms"
    )
    for name, found in (("by the clock", clock), ("processor", processor)):
        found.sort()
        print(
            f"  {name:13} ms: p50 {found[times // 2]:.1f}, p95 {found[times * 95 // 100]:.1f}, "
            f"worst {found[-1]:.1f} (goal 15)"
        )


def long_texts(read: tuple[Labelled, ...], times: int) -> list[Labelled]:
    """Join neighbours until there are enough characters."""
    made = []
    for number in range(times):
        first = read[number % len(read)]
        text, at = first.text, number
        while len(text) < CHARACTERS:
            at += 1
            text += read[(7 * at) % len(read)].text
        made.append(first.model_copy(update={"text": text[:CHARACTERS]}))
    return made


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
