from __future__ import annotations

import pytest

from api.staff.names import DOUBT, called, repeat
from models.packs import Thresholds
from transcribe.trust import Scores, judge


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


def test_every_doubt_about_a_text_has_a_name_in_both_languages() -> None:
    worst = Scores(average_logprob=-9, no_speech=1, seconds=1, agreement=0, cut_off=True)
    texts = ("谢谢观看" * 9, "谢谢观看，村里修路收了我们每家三百块钱，可是路到现在也没有修")
    raised = {flag.name for text in texts for flag in judge(text, "zh", worst, Thresholds())[0]}
    assert raised | {"language"} == DOUBT.keys()
    for code in raised:
        assert called(DOUBT, code, "zh") not in (code, called(DOUBT, code, "en"))
