"""A voice that a neighbour does not know again."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from transcribe.pcm import fit, floats, frames
from transcribe.speech import SAMPLE_RATE, Samples

# How far the pitch of a disguised voice is moved, how much that wanders, and how fast.
FACTORS = ((0.76, 0.85), (1.18, 1.30))
WANDER = 0.03
STEP_SECONDS = 0.4
# `atempo` gives nothing back for less than its window.
SHORTEST_DISGUISED = SAMPLE_RATE // 10


def disguise(samples: Samples) -> Samples:
    """Move pitch and formants by a secret amount that wanders, keeping the length and the times.

    Reading faster or slower moves both; FFmpeg's `atempo` then restores the length. The amount is
    drawn anew for each recording and not kept. It hides a voice from a neighbour's ear; it is no
    protection from somebody with a laboratory and other recordings of the speaker.
    """
    if len(samples) < SHORTEST_DISGUISED:
        return np.zeros_like(samples)
    draw = np.random.default_rng(secrets.randbits(128))
    low, high = FACTORS[int(draw.integers(len(FACTORS)))]
    factor = float(draw.uniform(low, high))
    length = int(len(samples) / factor)
    points = np.arange(0, length + SAMPLE_RATE, int(STEP_SECONDS * SAMPLE_RATE))
    wander = 1 + WANDER * draw.uniform(-1, 1, len(points))
    speed = factor * np.interp(np.arange(length), points, wander)
    places = np.cumsum(speed)
    places *= (len(samples) - 1) / places[-1]
    moved = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return fit(_stretch(moved, 1 / factor), len(samples))


def _stretch(samples: Samples, tempo: float) -> Samples:
    """Change the length of sound by 1 / tempo without changing its pitch."""
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=SAMPLE_RATE, format="s16", layout="mono", time_base=Fraction(1, SAMPLE_RATE)
    )
    graph.link_nodes(source, graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink"))
    graph.configure()
    taken: list[NDArray[np.int16]] = []
    for frame in itertools.chain(frames(samples), [None]):
        source.push(frame)
        taken.extend(_pull(graph))
    return floats(np.concatenate(taken))


def _pull(graph: Graph) -> Iterator[NDArray[np.int16]]:
    """Yield what a filter graph has ready."""
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        yield frame.to_ndarray()[0]
