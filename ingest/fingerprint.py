"""A fingerprint of a recording: where its loudest places lie in time and pitch, three at a time.

It finds the same recording again after another codec, another loudness, some noise or a cut at
either end (A. Wang, "An industrial-strength audio search algorithm", ISMIR 2003). It says nothing
about who speaks: another sentence of the same voice has its places at other moments.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
WINDOW = 2048
HOP = 512
LOWEST, HIGHEST = 300.0, 3_400.0  # Hz: what a telephone keeps
BANDS = 48
NEAR_BANDS, NEAR_FRAMES = 3, 3
PER_SECOND = 10.0
REACH = 48  # frames between the first and the last of three places
FANOUT = 4
MOST = 1024
RECORD = np.dtype([("key", "<u4"), ("frame", "<u2")])
FRAMES_ALIKE = 1
LEAST_ALIGNED = 12
LEAST_SHARE = 0.08

Marks = NDArray[np.void]


def fingerprint(samples: NDArray[np.float32]) -> bytes:
    """Take the fingerprint of a recording.

    samples : float32, shape = (n,), 16 kHz mono. Too short or silent a recording gives b"".
    """
    levels = _levels(samples)
    frames, bands = _peaks(levels)
    marks = _marks(frames, bands)
    if len(marks) > MOST:
        # the same ones are kept whatever else there is, so two cuts of a recording still agree
        marks = marks[np.argsort(mix(marks["key"]), kind="stable")[:MOST]]
    return np.sort(marks, order=["key", "frame"]).tobytes()


def read(stored: bytes) -> Marks:
    """Read a fingerprint: structured, shape = (n_marks,), sorted by key."""
    return np.frombuffer(stored, dtype=RECORD)


def alike(one: Marks, other: Marks) -> float:
    """Give the share of marks that two recordings have in common at one offset; 0 if too few."""
    if not len(one) or not len(other):
        return 0.0
    mine, theirs = (np.ascontiguousarray(each["key"]) for each in (one, other))
    starts = np.searchsorted(theirs, mine)
    met = np.flatnonzero(theirs[np.minimum(starts, len(theirs) - 1)] == mine)
    starts = starts[met]
    counts = np.searchsorted(theirs, mine[met], side="right") - starts
    if counts.sum() < LEAST_ALIGNED:
        return 0.0
    ours = np.repeat(met, counts)
    first = np.repeat(starts + counts - counts.cumsum(), counts)
    same = first + np.arange(counts.sum())
    offsets = one["frame"][ours].astype(np.int64) - other["frame"][same].astype(np.int64)
    values, times = np.unique(offsets, return_counts=True)
    padded = np.zeros(values[-1] - values[0] + 1 + 2 * FRAMES_ALIKE, dtype=np.int64)
    padded[values - values[0] + FRAMES_ALIKE] = times
    aligned = int(np.convolve(padded, np.ones(2 * FRAMES_ALIKE + 1, dtype=np.int64)).max())
    share = aligned / min(len(one), len(other))
    return float(min(1.0, share)) if aligned >= LEAST_ALIGNED and share >= LEAST_SHARE else 0.0


def mix(keys: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Scatter keys evenly (finaliser of MurmurHash3, A. Appleby); the smallest are a random few."""
    mixed = keys.astype(np.uint32)
    mixed = (mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))


def _levels(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the level in each band. shape = (n_frames, BANDS), natural logarithm of the power"""
    count = 1 + (len(samples) - WINDOW) // HOP
    if count < NEAR_FRAMES:
        return np.zeros((0, BANDS), dtype=np.float32)
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1) * WINDOW / SAMPLE_RATE
    bounds = np.round(edges).astype(int)
    window = np.hanning(WINDOW).astype(np.float32)
    levels = np.empty((count, BANDS), dtype=np.float32)
    block = 512
    for start in range(0, count, block):
        stop = min(count, start + block)
        view = np.lib.stride_tricks.sliding_window_view(
            samples[start * HOP : (stop - 1) * HOP + WINDOW], WINDOW
        )[::HOP]
        power = np.abs(np.fft.rfft(view * window, axis=1)) ** 2
        total = np.concatenate([np.zeros((len(power), 1)), power.cumsum(axis=1)], axis=1)
        width = np.maximum(bounds[1:] - bounds[:-1], 1)
        band = (total[:, bounds[:-1] + width] - total[:, bounds[:-1]]) / width
        levels[start:stop] = np.log(np.maximum(band, 1e-9))
    return levels


def _peaks(levels: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the frames and bands of the places louder than all around them, in order of time."""
    if not len(levels):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    highest = _around(_around(levels, NEAR_FRAMES, 0), NEAR_BANDS, 1)
    floor = np.median(levels)
    frames, bands = np.nonzero((levels >= highest) & (levels > floor + 1.0))
    wanted = int(PER_SECOND * len(levels) * HOP / SAMPLE_RATE) + 1
    if len(frames) > wanted:
        # louder than usual for its band, so that one hum does not take all places
        gain = levels[frames, bands] - np.median(levels, axis=0)[bands]
        kept = np.sort(np.argsort(-gain, kind="stable")[:wanted])
        frames, bands = frames[kept], bands[kept]
    return frames, bands


def _around(levels: NDArray[np.float32], reach: int, axis: int) -> NDArray[np.float32]:
    """Give the highest value within a reach along an axis."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (reach, reach)
    padded = np.pad(levels, padding, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)
    return np.asarray(windows.max(axis=-1), dtype=np.float32)


def _marks(frames: NDArray[np.int64], bands: NDArray[np.int64]) -> Marks:
    """Join each place with two of those that follow it to one key."""
    parts = []
    for second in range(1, FANOUT + 1):
        for third in range(second + 1, FANOUT + 2):
            count = len(frames) - third
            if count <= 0:
                continue
            first_gap = frames[second : second + count] - frames[:count]
            last_gap = frames[third : third + count] - frames[:count]
            near = (last_gap <= REACH) & (frames[:count] < np.iinfo(np.uint16).max)
            key = bands[:count]
            for more, size in (
                (bands[second : second + count], BANDS),
                (bands[third : third + count], BANDS),
                (first_gap, REACH + 1),
                (last_gap, REACH + 1),
            ):
                key = key * size + more
            marks = np.zeros(int(near.sum()), dtype=RECORD)
            marks["key"] = key[near]
            marks["frame"] = frames[:count][near]
            parts.append(marks)
    return np.concatenate(parts) if parts else np.zeros(0, dtype=RECORD)
