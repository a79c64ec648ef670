"""Who is to blame among the people of a text: who acts, not who is asked, harmed or kin."""

from __future__ import annotations

import re
from dataclasses import replace

from ingest.normalise.lexicon import PeopleWords
from ingest.normalise.person import BEFORE, PREDICATE, REACH, Person, kin_pattern, past
from ingest.normalise.reading import Reading, Span

FAR = 18
LEAST = 0.45
NAMED, POST_ONLY, JOB_ONLY = 0.9, 0.7, 0.6

_HOPED = re.compile(r"(?:希望|请|盼|求|建议|恳请|麻烦|想问|请问)[^，。,；]{0,5}$")
_ASKED = re.compile(
    r"(?:找|找过|找了|去找|问|问了|跟|给|向|报给|求|告诉|通知|送|送给|送去)"
    r"(?:我们|你们|了|过|的|那个|一下|下|村上|镇上)*$"
)
_FAILING = re.compile(
    r"不管|没管|不理|推|拖|不解决|不处理|没答复|敷衍|打发|不给|没给|不办|不来|说等|喊等|不接|不认"
)
_PRAISED = re.compile(r"很好|不错|辛苦|挺好|尽责|帮了|^捐(?!款)|表扬|态度好|人好|人很好|好得很")
# 李全福前年腊月就埋了, 刘婆婆遭车撞了: to whom it happened
_HARMED = re.compile(
    r"(?:[^，。,；遭被把]{0,6}?(?:埋了|过世|死了|去世|走了(?=[，。])|瘫(?:了|在)|病了|摔了)"
    r"|(?:也|都|就|又|硬是|居然)?(?:遭|被)(?!(?:人|大家|群众)?(?:看到|抓|举报|告)))"
)
# 瓦遭隔壁姓祁的揭了: who did it
_HARMED_BY = re.compile(r"(?:遭|被)[^，。,；]{0,6}$")
# 鲁所长倒是客气, 妇女主任陪我去的, 村医给我老汉看了: who means well, or has nothing to do with it
_HELPING = re.compile(
    r"(?:倒是?|都|也|就|早就|悄悄|天天|些|他们|对[^，。]{1,4}那是|手上|，|,|\s)*"
    r"(?:客气|老实|热心|好人|没得说|陪我|帮我|帮到|帮忙|来帮|替我|替大家|喊我来问|喊我去坐|给我说的|给我打的?电话"
    r"|给我(?:老汉|妈|爸|娃|们)?(?:看了|指路)|劝|没开腔|没敢开腔|没领到|没见过|长期住院|没出过面|签了字|点了头|为[^，。]{1,4}跑了"
    r"|来的时候|来慰问|下来慰问|守工地|交得清|年年清|把[^，。]{1,12}(?:交上去|递上去|争取下来|签了))"
)
# 我自己就是松林村退下来的支书, 我是替我们文书喊冤: the reporter, or somebody that is spoken for
_OWN = re.compile(
    r"我(?:自己|本人|儿|女|爸|妈|老公|男人|老汉|哥|弟|姐|妹)?(?:就|原先)?(?:是|当过?)[^，。,；]{0,10}$"
    r"|(?:替(?:我们)?|多谢[^，。,；]{0,4})$"
)
# 残联那个科长, 大坪村的村支书: who is told apart by where, to be found
_PLACED = re.compile(
    r"(?:镇|乡|村|坝|院|校|小学|中学|局|所|站|公司|社|会|大厅|残联|中心|银行|队|物业|政府[^，。,；]{0,5})"
    r"(?:的|那个|这个|的那个)$"
)
# 把袁婆婆划掉, 造孽的刘聋子: who suffers
_SUFFERING = re.compile(
    r"(?:把|将|帮|替|骂|打了|可怜的?|造孽的?|困难的?|五保户|贫困户|低保户|残疾人|孤儿|老人|坎下|隔壁老?)$"
)
_GIVEN = re.compile(r"(?:包给|租给|卖给|转给|给)了?(?:一个|一位|外面|外头)(?:的)?$")
_GIVING = re.compile(
    r"(?:写到|报成|算到|记到|转到|打到|给|给了|租给|卖给|包给|安排|因为他是|照顾)$"
)
_DENIED = re.compile(r"(?:不是说|不怪|不关|不是告|不是)(?:我们)?$")
# 是校长定的: who decided it
_DECIDED = re.compile(
    r"(?:定|安排|批|签|搞|弄|指使|喊|点|做|整|决定|说了算|经手|报|写|叫人编)[^，。]{0,3}(?:的|了算)"
)
# 他说系统自动扣的: an answer that is no help
_ANSWERED = re.compile(
    r"(?:，|的电话)?(?:他|她|人家)?(?:只|就|都|还|又|倒)?(?:说|喊|叫|骂|吼|推|不)"
)

# Who was asked and did nothing is to blame for just that.
_ASKED_COST = {"dereliction": 0.2, "": 0.2}


class Blame:
    """Chooses whom a complaint is about; the patterns are compiled once."""

    def __init__(self, words: PeopleWords) -> None:
        self._jobs = frozenset(words.common.words)
        self._kin = kin_pattern(words)

    def choose(
        self,
        reading: Reading,
        people: tuple[Person, ...],
        times: tuple[Span, ...] = (),
        conduct: str = "",
    ) -> Person | None:
        """Choose the one complained of: who acts, not who is asked, praised or somebody's kin.

        times : where times are said, which may stand between somebody and the deed
        conduct : what is reproached; whose kin is favoured is to blame for that
        """
        best: Person | None = None
        for rank, person in enumerate(people):
            score = self._score(reading.text, person, times, conduct) - 0.03 * rank
            if score > (best.weight if best else LEAST):
                best = replace(person, weight=score)
        return best

    def _score(self, text: str, person: Person, times: tuple[Span, ...], conduct: str) -> float:
        before = text[max(0, person.span.start - BEFORE) : person.span.start]
        behind = text[person.span.end : person.span.end + REACH]
        acting = past(text, person.span.end, times)
        score = NAMED if person.surname else JOB_ONLY if person.post in self._jobs else POST_ONLY
        if person.post and person.surname:
            score += 0.05
        failing = _FAILING.search(behind)
        if _HOPED.search(before):
            score -= 0.6
        elif _ASKED.search(before) and not self._kin.match(behind):
            answered = conduct not in ("quality", "none", "") and _ANSWERED.match(behind)
            score -= 0.1 if failing or answered else _ASKED_COST.get(conduct, 0.35)
        if self._kin.match(behind) and not _GIVING.search(before):
            score -= _kin_cost(conduct, person)
        elif PREDICATE.match(acting):
            score += 0.1
        if before.endswith("是") and _DECIDED.match(behind):
            score += 0.25
        if not person.post and (
            (_SUFFERING.search(before) and not _HARMED_BY.search(before))
            or behind.startswith(("家的", "家里", "家头", "屋头"))
        ):
            score -= 0.5
        if conduct != "favouritism" and _GIVEN.search(before):
            score -= 0.5
        if self._was_asked(text, person):
            score -= 0.2
        if _PRAISED.search(behind[:8]) or _HELPING.match(behind):
            score -= 0.6
        if _OWN.search(text, max(0, person.span.start - FAR), person.span.start):
            score -= 0.6
        if person.post and _PLACED.search(before):
            score += 0.12
        if _DENIED.search(before):
            score -= 0.4
        if _HARMED.match(behind):
            score -= 0.6
        return score

    def _was_asked(self, text: str, person: Person) -> bool:
        """Tell whether a post was gone to before: 去找校长，校长说……"""
        earlier = text.rfind(person.post, 0, person.span.start) if person.post else -1
        return earlier >= 0 and bool(_ASKED.search(text, max(0, earlier - BEFORE), earlier))


def _kin_cost(conduct: str, person: Person) -> float:
    """Weigh that somebody's kin is spoken of: of 支书的老表 who got it the 支书 is to blame."""
    if conduct == "favouritism" and person.post:
        return 0.0
    return 0.55 if conduct in ("abuse", "illegal_occupation", "quality") else 0.4
