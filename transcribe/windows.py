"""How the speech of a recording is laid into windows, and times are brought back out of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.packs import Thresholds
from models.transcript import Word
from transcribe.speech import SAMPLE_RATE, Samples, Span, seconds

# A window is filled up to this, so that its margin still fits into the model's 30 s.
FULL_SECONDS = 28.0
# Packs whose floor is lower than this were trained on short windows, which cost far less: the
# encoder and the decoder's look at the sound grow faster than the window.
NATURAL_FLOOR_SECONDS = 5.0
NATURAL_SECONDS = 6.0
# Between words further apart than this, or after so long a segment, a new segment begins.
SEGMENT_PAUSE_SECONDS = 0.8
SEGMENT_LONGEST_SECONDS = 15.0
SHORTEST_SEGMENT_SECONDS = 0.02


@dataclass(frozen=True)
class Window:
    """Stretches of one recording that the model hears as one sound, silence between them left out.

    owner : which of the recordings at hand
    """

    owner: int
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """Give the length of the sound in the window."""
        return seconds(self.spans)

    @property
    def start(self) -> float:
        """Give where the window begins in its recording, in seconds."""
        return self.spans[0].start / SAMPLE_RATE

    @property
    def end(self) -> float:
        """Give where the window ends in its recording, in seconds."""
        return self.spans[-1].end / SAMPLE_RATE

    def samples(self, recording: Samples) -> Samples:
        """Cut the window's sound out of its recording."""
        return np.concatenate([recording[span.start : span.end] for span in self.spans])

    def offsets(self) -> tuple[float, ...]:
        """Give where each stretch begins inside the window, in seconds."""
        lengths = [span.seconds for span in self.spans]
        return tuple(float(sum(lengths[:index])) for index in range(len(lengths)))

    def halves(self) -> tuple[Window, ...]:
        """Part the window at the pause nearest its middle, or in the middle of its one stretch."""
        if len(self.spans) == 1:
            (only,) = self.spans
            middle = (only.start + only.end) // 2
            first, second = (Span(only.start, middle),), (Span(middle, only.end),)
            return Window(self.owner, first), Window(self.owner, second)
        offsets = self.offsets()
        nearest = min(
            range(1, len(offsets)), key=lambda place: abs(offsets[place] - self.seconds / 2)
        )
        parts = self.spans[:nearest], self.spans[nearest:]
        return tuple(Window(self.owner, part) for part in parts)


def fill_seconds(thresholds: Thresholds) -> float:
    """Give how far windows are filled, by what the pack's floor says of its training."""
    natural = thresholds.window_floor_seconds < NATURAL_FLOOR_SECONDS
    return NATURAL_SECONDS if natural else FULL_SECONDS


def lay(owner: int, spans: Sequence[Span], fill: float = FULL_SECONDS) -> tuple[Window, ...]:
    """Lay stretches of speech into windows of like length, in order.

    fill : seconds that no window of several stretches exceeds
    """
    total = seconds(spans)
    even = total / max(1, math.ceil(total / fill))
    windows: list[Window] = []
    filling: list[Span] = []
    for span in spans:
        filled = seconds(filling)
        if filling and (filled >= even or filled + span.seconds > fill):
            windows.append(Window(owner, tuple(filling)))
            filling = []
        filling.append(span)
    if filling:
        windows.append(Window(owner, tuple(filling)))
    return tuple(windows)


def restore(words: Sequence[Word], window: Window) -> tuple[Word, ...]:
    """Bring words from a window's time to the recording's, each into the stretch of its middle."""
    offsets = window.offsets()
    restored: list[Word] = []
    reached = 0.0
    for word in words:
        middle = (word.start + word.end) / 2
        place = max(index for index, offset in enumerate(offsets) if offset <= middle or not index)
        span, shift = window.spans[place], window.spans[place].start / SAMPLE_RATE - offsets[place]
        low, high = span.start / SAMPLE_RATE, span.end / SAMPLE_RATE
        start = min(max(word.start + shift, low, reached), high)
        end = min(max(word.end + shift, start), high)
        start, end = round(start, 3), round(end, 3)
        restored.append(word.model_copy(update={"start": start, "end": end}))
        reached = end
    return tuple(restored)


def sentences(words: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    """Part timed words at long pauses, and at any pause once a part is long."""
    part: list[Word] = []
    for word in words:
        if part:
            pause = word.start - part[-1].end
            long = word.start - part[0].start > SEGMENT_LONGEST_SECONDS
            if pause > SEGMENT_PAUSE_SECONDS or (long and pause > SEGMENT_PAUSE_SECONDS / 4):
                yield tuple(part)
                part = []
        part.append(word)
    if part:
        yield tuple(part)


def bounds(words: Sequence[Word], window: Window) -> tuple[float, float]:
    """Give start and end of a part, at least SHORTEST_SEGMENT_SECONDS long, inside its window."""
    start, end = words[0].start, words[-1].end
    if end - start < SHORTEST_SEGMENT_SECONDS:
        end = min(round(start + SHORTEST_SEGMENT_SECONDS, 3), window.end)
        start = min(start, round(end - SHORTEST_SEGMENT_SECONDS, 3))
    return max(start, 0.0), end
