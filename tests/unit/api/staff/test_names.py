from __future__ import annotations

import pytest

from api.staff.names import repeat


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        (
            {"kind": "same_matter", "score": 0.8, "agree": ["unit", "domain", "text"]},
            "像是同一件事（单位、领域、说法）",
            "seems the same matter (unit, domain, words)",
        ),
        ({"kind": "same_sound", "agree": ["fingerprint"]}, "同一段录音", "the same recording"),
        ({"kind": "same_recording", "agree": ["content_hash"]}, "同一个文件", "the same file"),
        ({"by": "staff"}, "", ""),
    ],
)
def test_why_a_repeat_is_proposed_is_said_in_words(
    reason: dict[str, object], zh: str, en: str
) -> None:
    assert repeat(reason, "zh") == zh
    assert repeat(reason, "en") == en
