"""What espeak-ng says, and when."""

from __future__ import annotations

import pytest

from transcribe.train import espeak
from transcribe.train.espeak import Voice

SENTENCES = {
    "cmn": "村里的王会计，去年拿了三千五百块",
    "yue": "佢哋冇畀钱我",
    "ug": "ياخشىمۇسىز، مەن يېزىدا",
    "kk": "жаңа үй салды",
    "ko": "안녕하세요 저는 마을에",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_words_follow_each_other_inside_the_sound(language: str) -> None:
    speech = espeak.library().say(SENTENCES[language], Voice(language, "f3"))
    seconds = len(speech.pcm) / espeak.SAMPLE_RATE
    assert speech.words
    starts = [word.start for word in speech.words]
    assert starts == sorted(starts)
    assert all(0 <= w.start < w.end <= seconds + 0.01 for w in speech.words)
    assert speech.phones[-1].end == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("language", ["cmn", "yue"])
def test_each_chinese_character_has_its_own_time(language: str) -> None:
    text = SENTENCES[language].replace("，", "")
    speech = espeak.library().say(SENTENCES[language], Voice(language))
    assert "".join(word.label for word in speech.words) == text


def test_chinese_vowels_carry_their_tone() -> None:
    speech = espeak.library().say("妈麻马骂", Voice("cmn"))
    tones = [p.label[-2:] for p in speech.phones if p.label[-1].isdigit()]
    assert tones == ["55", "35", "14", "51"]


def test_a_text_that_the_voice_cannot_read_is_noticed() -> None:
    assert espeak.library().speaks("村里", "cmn")
    assert not espeak.library().speaks("村里有 box", "cmn")


def test_faster_and_higher_voices_sound_different() -> None:
    slow = espeak.library().say("жаңа үй салды", Voice("kk", "m1", rate=120))
    fast = espeak.library().say("жаңа үй салды", Voice("kk", "m1", rate=220))
    assert len(fast.pcm) < 0.8 * len(slow.pcm)


def test_a_voice_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="no voice 'nowhere'"):
        espeak.library().say("a", Voice("nowhere"))


def test_no_voice_is_both_trained_and_held_out() -> None:
    assert not set(espeak.TRAINING_VARIANTS) & set(espeak.HELDOUT_VARIANTS)
    assert len(espeak.HELDOUT_VARIANTS) >= 4


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_a_word_that_is_not_told_of_is_still_part_of_what_is_said(left_out: int) -> None:
    own = espeak.Espeak()
    take = own._take

    def forgetful(wave: object, count: int, events: object) -> int:
        given = take(wave, count, events)
        told = [event for event in own._events if event[0] == 1]
        if len(told) > left_out:
            own._events.remove(told[left_out])
        return given

    whole = own.say("жаңа үй салды", Voice("kk", "f3"))
    own._callback = espeak._Callback(forgetful)
    own._library.espeak_SetSynthCallback(own._callback)
    speech = own.say("жаңа үй салды", Voice("kk", "f3"))
    assert len(speech.words) < len(whole.words)
    assert " ".join(word.label for word in speech.words) == "жаңа үй салды"
    assert speech.words[0].start == pytest.approx(whole.words[0].start, abs=0.03)
