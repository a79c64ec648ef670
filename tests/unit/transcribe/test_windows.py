"""Laying speech into windows and bringing times back."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from models.packs import Thresholds
from models.transcript import Word
from transcribe.speech import SAMPLE_RATE, Span
from transcribe.windows import (
    FULL_SECONDS,
    NATURAL_SECONDS,
    Window,
    bounds,
    fill_seconds,
    lay,
    restore,
    sentences,
)

lengths = st.lists(st.tuples(st.floats(0.1, 12), st.floats(0.1, 27)), min_size=1, max_size=40)


def spans(pairs: list[tuple[float, float]]) -> list[Span]:
    """Make stretches of (silence before, length)."""
    made, at = [], 0
    for before, length in pairs:
        start = at + int(before * SAMPLE_RATE)
        at = start + int(length * SAMPLE_RATE)
        made.append(Span(start, at))
    return made


def word(start: float, end: float) -> Word:
    """Make a word."""
    return Word(start=start, end=end, text="字", probability=1)


@given(lengths)
def test_windows_hold_all_speech_in_order_and_none_is_overfull(
    pairs: list[tuple[float, float]],
) -> None:
    found = spans(pairs)
    for fill in (NATURAL_SECONDS, FULL_SECONDS):
        windows = lay(0, found, fill)
        assert [span for window in windows for span in window.spans] == found
        assert all(one.seconds <= fill or len(one.spans) == 1 for one in windows)


def test_packs_trained_on_short_windows_get_short_ones() -> None:
    assert fill_seconds(Thresholds()) == FULL_SECONDS
    assert fill_seconds(Thresholds(window_floor_seconds=1.0)) == NATURAL_SECONDS


def test_windows_of_one_recording_are_of_like_length() -> None:
    windows = lay(0, spans([(1, 2)] * 14), 8)
    assert [window.seconds for window in windows] == [8, 8, 8, 4]


@given(lengths, st.lists(st.floats(0, 1), max_size=30))
def test_restored_words_run_forwards_inside_their_window(
    pairs: list[tuple[float, float]], places: list[float]
) -> None:
    window = lay(0, spans(pairs))[0]
    times = sorted(place * window.seconds for place in places)
    words = restore([word(s, e) for s, e in itertools.pairwise(times)], window)
    reached = 0.0
    for one in words:
        assert reached <= one.start <= one.end <= window.end + 0.001
        assert one.start >= window.start - 0.001
        reached = one.end


@given(lengths)
def test_halves_hold_the_whole(pairs: list[tuple[float, float]]) -> None:
    window = lay(0, spans(pairs))[0]
    first, second = window.halves()
    assert abs(first.seconds + second.seconds - window.seconds) < 1e-6
    assert first.spans[-1].end <= second.spans[0].start


def test_a_word_in_the_second_stretch_lands_after_the_silence() -> None:
    window = Window(0, (Span(16_000, 32_000), Span(160_000, 192_000)))
    (restored,) = restore([word(1.5, 1.9)], window)
    assert (restored.start, restored.end) == (10.5, 10.9)


def test_segments_part_at_long_pauses() -> None:
    words = [word(0, 1), word(1.1, 2), word(4, 5), word(5.1, 6)]
    assert [len(part) for part in sentences(words)] == [2, 2]


def test_a_segment_is_never_empty_in_time() -> None:
    window = Window(0, (Span(0, 16_000),))
    for at in (0.0, 0.5, 1.0):
        start, end = bounds([word(at, at)], window)
        assert 0 <= start < end <= 1
