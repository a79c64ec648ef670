"""The figures about language tags."""

from __future__ import annotations

import pytest

from models.transcript import UNKNOWN_LANGUAGE, ListenerReason
from transcribe.evaluate import Judged, auroc, calibration_error, figures, share


def judged(
    truth: str, tag: str, confidence: float, likeliest: str = "", trusted: int = 0
) -> Judged:
    """Make one recording and what was said of it."""
    reason = ListenerReason.UNCERTAIN_LANGUAGE if tag == UNKNOWN_LANGUAGE else None
    return Judged(truth, truth, tag, confidence, likeliest or tag, reason, trusted)


def test_an_interval_holds_its_share_and_shrinks_with_the_count() -> None:
    few, many = share(9, 10), share(900, 1_000)
    for one in (few, many, share(0, 5), share(5, 5)):
        assert 0 <= one.low <= one.value <= one.high <= 1
    assert many.high - many.low < few.high - few.low
    assert share(0, 0).count == 0


@pytest.mark.parametrize(
    ("known", "unknown", "expected"),
    [([0.9, 0.8], [0.1, 0.2], 1.0), ([0.1], [0.9], 0.0), ([0.5], [0.5], 0.5), ([], [0.1], 0.5)],
)
def test_auroc_is_the_chance_that_a_known_one_scores_higher(
    known: list[float], unknown: list[float], expected: float
) -> None:
    assert auroc(known, unknown) == expected


def test_calibration_is_perfect_where_confidence_is_the_share_of_right_ones() -> None:
    right = [judged("zh", "zh", 0.9) for _ in range(90)]
    wrong = [judged("ug", "zh", 0.9) for _ in range(10)]
    assert calibration_error(right + wrong) == pytest.approx(0, abs=1e-6)
    assert calibration_error(wrong) == pytest.approx(0.9)


def test_figures_count_what_they_say() -> None:
    found = figures(
        [
            *(judged("zh", "zh", 0.95) for _ in range(8)),
            judged("zh", "und", 0.5, "zh"),
            judged("kk", "ug", 0.9),
            *(judged("und", "und", 0.1, "zh") for _ in range(9)),
            judged("und", "zh", 0.9, trusted=12),
        ]
    )
    assert (found.known, found.unknown) == (10, 10)
    assert found.accuracy.value == 0.8
    assert found.confident_wrong.value == 0.1
    assert found.unknown_as_und.value == 0.9
    assert found.invented.value == 0.1
    assert (found.ready.value, found.ready.count) == (0.9, 10)
    assert found.by_language["zh"].count == 9
