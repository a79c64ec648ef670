"""How clips of old and new languages are put together."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcribe.train import recordings
from transcribe.train.clips import Clip, Stored


def stored(tag: str, count: int) -> list[Stored]:
    return [Stored(Clip(tag, "", 1.0, ()), Path("nowhere"), n, 100) for n in range(count)]


@pytest.mark.parametrize(
    ("new", "old", "share"), [(100, 300, 0.25), (10, 3000, 0.25), (900, 100, 0.25), (5, 0, 1.0)]
)
def test_of_four_clips_three_are_of_the_old_languages(new: int, old: int, share: float) -> None:
    mixed = recordings.mixed(stored("ky", new), stored("kk", old))
    own = sum(one.clip.language == "ky" for one in mixed)
    assert own / len(mixed) == pytest.approx(share, abs=0.03)
    assert len({id(one) for one in mixed}) == new + old


def test_where_nothing_is_new_nothing_is_repeated() -> None:
    assert len(recordings.mixed([], stored("kk", 7))) == 7
