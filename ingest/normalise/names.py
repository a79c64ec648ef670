"""What names look like: those of Chinese, and of other peoples in Chinese characters."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.normalise.lexicon import NameParts, any_of

HAN = "[\u4e00-\u9fff]"
# 阿依努尔·买买提: the sign between the parts says by itself that it is a name
DOT = "[·•・‧]"
# 陈伟三月, 葛亮中秋前, 贾云国庆前: what begins a date ends a name, but 李国庆 is one
_MONTH = "(?:十?[一二三四五六七八九]|十|正|冬|腊)月"
_FEAST = "(?:中秋|清明|国庆|三八|五一|六一|七一|八一|元旦|元宵|春节|端午|重阳)"
_FIRST = rf"(?!{_MONTH}|{_FEAST}[前后节那])"
_NEXT = rf"(?!{_MONTH}|{_FEAST})"
DOTTED = rf"{HAN}{{2,7}}{DOT}{HAN}{{2,7}}(?:{DOT}{HAN}{{1,7}})?"


@dataclass(frozen=True)
class Names:
    """Patterns of parts of names.

    common, every, clear, told : signs of surnames: the frequent ones; all where the rest leaves no
    doubt; those that are no other word; those so rare that more has to tell that they are one
    double : surnames of two signs; given : one sign or two; given_two : two
    foreign : full names of Yi and Tibetans, and whatever has a dot between its parts
    single : also a Tibetan name of one part; hint : what each of these holds
    """

    common: str
    every: str
    clear: str
    told: str
    double: str
    given: str
    given_two: str
    foreign: str
    single: str
    hint: str

    @classmethod
    def of(cls, names: NameParts) -> Names:
        """Make the patterns of the lists."""
        every = "".join(names.surnames.split()) + names.rare
        signs = set("".join(names.given.split()))
        first, last = (
            "".join(sorted(signs)),
            "".join(sorted(signs - set(names.stop))),
        )
        # 吉克小龙 too; 院长杨次仁 has a Chinese surname and a Tibetan name
        yi = rf"(?:{any_of(names.yi)})(?:[{names.yi_given}]{{2}}|[{first}][{last}])"
        tibetan = any_of(names.tibetan)
        foreign = (
            rf"(?:{DOTTED}|{yi}|[{names.common}]?(?:{tibetan}){{2}}|[{names.common}](?:{tibetan}))"
        )
        return cls(
            common=names.common,
            every=every,
            clear=names.common + names.rare + _without(every, names.words),
            told=names.told,
            double=any_of(names.double),
            given=f"{_FIRST}(?:[{first}]{_NEXT}[{last}]|[{last}])",
            given_two=f"{_FIRST}[{first}]{_NEXT}[{last}]",
            foreign=foreign,
            single=rf"(?:{foreign}|{tibetan})",
            hint=rf"{any_of((*names.yi, *names.tibetan))}|{DOT}",
        )

    @property
    def full(self) -> str:
        """Give the pattern of a full name that nothing around tells to be one."""
        return rf"(?:{self.single}|(?:{self.double}|[{self.every}]){self.given})"

    def surname(self, signs: str) -> str:
        """Give the pattern of one of some surnames, or of any of two signs."""
        return rf"(?P<surname>{self.double}|[{signs}])"


def _without(signs: str, left_out: str) -> str:
    return "".join(sign for sign in signs if sign not in left_out)
