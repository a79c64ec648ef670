"""How Chinese characters sound when tones and the usual confusions are set aside.

Recognition and southwestern speech mix up n/l, f/h, zh/z, ch/c, sh/s and the endings -ing/-in,
-eng/-en, -ang/-an. Two characters whose folded syllables agree are taken to sound alike.
"""

from __future__ import annotations

from functools import cache
from threading import Lock

from pypinyin import Style, lazy_pinyin

FIRST_HAN, LAST_HAN = "\u3400", "\u9fff"
BLADE = {"zh": "z", "ch": "c", "sh": "s"}
# f before these finals is h with a rounded glide: 福/胡, 飞/灰, 分/婚, 风/红
ROUNDED = {"a": "ua", "an": "uan", "ei": "ui", "en": "un", "eng": "ong", "ang": "uang", "o": "uo"}
ENDINGS = {"ing": "in", "eng": "en", "ang": "an"}


def fold(syllable: str) -> str:
    """Fold a syllable of pinyin without tone onto the one for all that it is mixed with."""
    for initial, blade in BLADE.items():
        if syllable.startswith(initial):
            syllable = blade + syllable[2:]
    if syllable.startswith("n") and len(syllable) > 1:
        syllable = "l" + syllable[1:]
    if syllable.startswith("f"):
        syllable = "h" + ROUNDED.get(syllable[1:], syllable[1:])
    for ending, folded in ENDINGS.items():
        if syllable.endswith(ending) and not syllable.endswith("ong"):
            syllable = syllable.removesuffix(ending) + folded
    return syllable


def is_han(character: str) -> bool:
    """Tell whether a character is a Chinese one of the first two blocks."""
    return FIRST_HAN <= character <= LAST_HAN


@cache
def syllable(character: str) -> str:
    """Give the folded syllable of one Chinese character; any other stands for itself."""
    if not is_han(character):
        return character
    return fold(lazy_pinyin(character, style=Style.NORMAL, errors="default")[0])


_FIRST_SIGN = 0xF0000
_SIGNS: dict[str, str] = {}
_LOCK = Lock()


@cache
def _sign(character: str) -> str:
    """Give one private-use character for a folded syllable: sounds are sliced like text."""
    folded = syllable(character)
    if len(folded) == 1:
        return folded
    with _LOCK:
        return _SIGNS.setdefault(folded, chr(_FIRST_SIGN + len(_SIGNS)))


def sounds(text: str) -> str:
    """Give one sign for each character; equal signs sound alike. Valid within one process."""
    return "".join(map(_sign, text))
