"""The person complained of: names, surnames and posts as people say them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import rjieba

from ingest.normalise.lexicon import PeopleWords, any_of
from ingest.normalise.reading import Reading, Span

BEFORE = 10
FAR = 18
REACH = 14
LEAST = 0.45
NAMED, POST_ONLY, JOB_ONLY = 0.9, 0.7, 0.6
FULL_NAME = 3
BEFORE_NAME = ("姓", "叫", "遭", "被", "子", "的", "，", "。", "、", " ")

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
_PREDICATE = re.compile(
    r"(?:就|也|又|都|还|他|她|，|却|硬|一直|居然|竟然|当着|每次|总|老是|自己|私自|偷偷|根本|喝酒|五点|天天|马上|一天|每天|几天|半天|现在|今天|只)*"
    r"(?:把|收|打|骂|要|占|拿|吃|扣|欠|不|没|让|喊|卖|报|给|带|利用|仗|强|私|虚|贪|挪|说|态度|张口|克|套|乱|开|推|签|暗示|喝|叫|吼|电话|人影|不见|做|搞|逼|威胁|报复|伸手|跑|只|几天|凶|嫌|安排|批|写|用|抓|放|将|睡|嫌|量|改|丢|摔|绑|守|喂|拉|讹|敲|索|调|辞|拍|掐|按|扇|踢|拽|扯|锁|关|停|断|剪|砸|挖|修|偷|砍|拒|赶|催"
    r"|来|发|登|估|堵|刷|焊|硬|瞎|漏|忘|弄|整|插队|迟到|早退|耍|玩|赌|包庇|护|纵容|讽刺|嘲笑|体罚|罚|假|冒|编|填|代签|盖|压|瞒|领|吞|截|存|连|才|答应|承诺|仗势|当众|揣|独吞|甩|掀|逮|查|处|用|拿起|抢|霸|涨|乱)"
)
# 是校长定的: who decided it
_DECIDED = re.compile(
    r"(?:定|安排|批|签|搞|弄|指使|喊|点|做|整|决定|说了算|经手|报|写|叫人编)[^，。]{0,3}(?:的|了算)"
)
# 他说系统自动扣的: an answer that is no help
_ANSWERED = re.compile(
    r"(?:，|的电话)?(?:他|她|人家)?(?:只|就|都|还|又|倒)?(?:说|喊|叫|骂|吼|推|不)"
)
# 我们小区物业的经理，收物业费跑得飞快: somebody to speak of before what is said
_ALONE = re.compile(r"(?:，|,|那里|那儿|来|硬|六月|[一二三四五六七八九十]+月)")
_START = re.compile(
    r"(?:^|[，。！？!?；;,、：:\s]|的|是|被|喊|让|叫|给|里|上|说|结果|后来|晓得|但是|可是|里面)$"
)


@dataclass(frozen=True)
class Person:
    """Somebody a text speaks of. name : full, or ""; surname : "" if only a post was said.

    posted : where the post stands
    """

    span: Span
    name: str = ""
    surname: str = ""
    post: str = ""
    posted: Span | None = None
    weight: float = 0.0

    @property
    def written(self) -> str:
        """Give the name for the record: 王某 where only the surname is known."""
        return self.name or (f"{self.surname}某" if self.surname else "")


class Register:
    """Finds people; the patterns are compiled once.

    full : a full name, for the reporter's own too
    """

    def __init__(self, words: PeopleWords) -> None:
        names = words.names
        every = "".join(names.surnames.split())
        posts = {post for group in words.posts.values() for post in group}
        self._posts = sorted(posts, key=lambda one: -len(one))
        self._jobs = frozenset(words.common.words)
        self._heads = frozenset(words.common.heads)
        self._no_names = re.compile(any_of(names.none))
        signs = set("".join(names.given.split()))
        first, last = (
            "".join(sorted(signs)),
            "".join(sorted(signs - set(names.stop))),
        )
        given = f"(?:[{first}][{last}]|[{last}])"
        double = any_of(names.double)
        self.full = re.compile(rf"(?:{double}|[{''.join(names.surnames.split())}]){given}")
        self._patterns = _patterns(
            post=any_of(posts),
            surname=rf"(?P<surname>{double}|[{names.common}])",
            rare=rf"(?P<surname>{double}|[{every}])",
            clear=rf"(?P<surname>{double}|[{names.common}{_without(every, names.words)}])",
            told=rf"(?P<surname>{double}|[{every}{names.told}])",
            given=given,
            nickname=any_of(names.nicknames),
        )
        # 龚长贵暑假砌了个堡坎: nothing but a name at the beginning of a clause
        self._bare = re.compile(
            rf"(?:^|[，,。！？!?；;：:、\s“\"的天晚月后前]|交给|遭|人叫|隔壁子?)(?P<name>(?P<surname>[{every}]){given})"
        )
        self._post = re.compile(rf"(?P<post>{any_of(posts)})")
        self._kin = re.compile(
            rf"(?:他|她)?(?:自己)?(?:家|屋里|屋头)?(?:的)?(?:[一几]个)?(?:{any_of(names.relatives)}|熟人|关系户)"
        )
        self._kin_before = re.compile(rf"(?:{any_of(names.relatives)})(?:叫|是|，|,)?$")
        self._pointed = re.compile(rf"(?:{any_of(names.pointing)})$")
        self._several = re.compile(
            rf"(?:{any_of(names.several)}|[两二三四五六七八九十百\d]+(?:个|名|位))$"
        )

    def find(
        self, reading: Reading, taken: tuple[Span, ...], times: tuple[Span, ...] = ()
    ) -> tuple[Person, ...]:
        """Find the people of a text, in order.

        taken : names of places and bodies; times : where times are said
        """
        text = reading.text
        starts, called = _word_starts(text)
        found: list[Person] = []
        for rank, pattern in enumerate((*self._patterns, self._bare)):
            for match in pattern.finditer(text):
                if pattern is self._bare and not _is_called(match, called):
                    continue
                person = self._named(match, text, starts, taken)
                if person is not None:
                    found.append(replace(person, weight=1.0 - rank / 100))
        found += self._posts_alone(text, times)
        kept: list[Person] = []
        for person in sorted(found, key=lambda one: (-one.weight, one.span.start)):
            if not any(person.span.overlaps(other.span) for other in kept):
                kept.append(person)
        return tuple(sorted(kept, key=lambda one: one.span.start))

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
        acting = _past(text, person.span.end, times)
        score = NAMED if person.surname else JOB_ONLY if person.post in self._jobs else POST_ONLY
        if person.post and person.surname:
            score += 0.05
        failing = _FAILING.search(behind)
        if _HOPED.search(before):
            score -= 0.6
        elif _ASKED.search(before) and not self._kin.match(behind):
            answered = conduct not in ("quality", "none", "") and _ANSWERED.match(behind)
            score -= 0.1 if failing or answered else 0.35
        if self._kin.match(behind) and not _GIVING.search(before):
            score -= _kin_cost(conduct, person)
        elif _PREDICATE.match(acting):
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

    def _named(
        self,
        match: re.Match[str],
        text: str,
        starts: frozenset[int],
        taken: tuple[Span, ...],
    ) -> Person | None:
        groups = match.groupdict()
        surname, name, post = groups["surname"], groups.get("name") or "", groups.get("post") or ""
        at = match.start("surname")
        led = 1 if text[at - 1 : at] in ("老", "小") else 0
        behind_post = bool(post) and match.end("post") == at - led
        if not behind_post and at - led not in starts and text[at - 1 : at] not in BEFORE_NAME:
            return None
        said = Span(at, match.end("name") if name else at + len(surname))
        if any(said.overlaps(other) for other in taken) or self._no_names.match(text, at):
            return None
        if (name or surname) in self._posts or self._is_post(text, at):
            return None
        if self._kin_before.search(text, max(0, at - BEFORE), match.start()):
            return None
        if text[:at].endswith(("我是", "我叫", "我姓", "本人")):
            return None
        if not post:
            return Person(Span(match.start(), match.end()), name, surname)
        start, end = match.span("post")
        span = Span(min(at, start), max(end, said.end))
        return Person(span, name, surname, self._longest(text, start, end), Span(start, end))

    def _is_post(self, text: str, at: int) -> bool:
        """Tell whether a post begins here: 包工头 is nobody of the name 包."""
        return any(text.startswith(post, at) for post in self._posts)

    def _longest(self, text: str, start: int, end: int) -> str:
        """Give the longest word for the post that covers the place: 村支书 in 石桥村支书."""
        for post in self._posts:
            begin = end - len(post)
            if 0 <= begin <= start and text.startswith(post, begin):
                return post
        return text[start:end]

    def _posts_alone(self, text: str, times: tuple[Span, ...]) -> Iterator[Person]:
        """Find posts without a name: any singular one, a mere job only where it is pointed at."""
        for match in self._post.finditer(text):
            before = text[max(0, match.start() - BEFORE) : match.start()]
            behind = text[match.end() : match.end() + REACH]
            called = behind.startswith(("的电话", "电话"))
            if (self._several.search(before) and not called) or behind.startswith(
                ("们", "些", "会", "室", "办")
            ):
                continue
            if match["post"] in self._jobs and not (
                self._pointed.search(before)
                or (
                    (match["post"] in self._heads or _START.search(before))
                    and (
                        (_START.search(before) and _ALONE.match(behind))
                        or _PREDICATE.match(_past(text, match.end(), times))
                        or self._kin.match(behind)
                    )
                )
            ):
                continue
            start, end = match.span()
            post = self._longest(text, start, end)
            yield Person(Span(end - len(post), end), post=post, posted=Span(start, end), weight=0.5)


def _kin_cost(conduct: str, person: Person) -> float:
    """Weigh that somebody's kin is spoken of: of 支书的老表 who got it the 支书 is to blame."""
    if conduct == "favouritism" and person.post:
        return 0.0
    return 0.55 if conduct in ("abuse", "illegal_occupation", "quality") else 0.4


def _past(text: str, end: int, times: tuple[Span, ...]) -> str:
    """Give what stands behind a place, without a time that is said there first."""
    for time in times:
        if end <= time.start <= end + 1:
            end = time.end
    return text[end : end + REACH]


def _patterns(
    *, post: str, surname: str, rare: str, clear: str, told: str, given: str, nickname: str
) -> tuple[re.Pattern[str], ...]:
    """Write the ways in which people are named, the most telling first.

    rare : any surname, where the rest leaves no doubt that it is one; clear : one that is no other
    word; told : also those that are mostly other words, where it is said that it is one
    """
    full = rf"(?P<name>{surname}{given})"
    sure = rf"(?P<name>{rare}{given})"
    behind = rf"(?P<name>{clear}{given})"
    called = r"(?:他叫|就叫|叫做|名字叫|名叫|叫)"
    own = r"(?<!我)(?<![百贵同])姓"
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"(?P<post>{post})(?:同志|、|，|,)?(?:是|{called})?{behind}",
            rf"{sure}(?P<post>{post})",
            rf"{full}(?:这个|他|就)?(?:是|任|担任|身为|当)了?(?:我们|咱们|他们)?[^，。]{{0,8}}?(?P<post>{post})",
            rf"(?P<post>{post})的?(?:老)?{surname}(?:{nickname})",
            rf"{clear}(?:{nickname})?(?P<post>{post})",
            rf"{own}{told}(?!名)的?(?:那个|这个|那位)?(?P<post>{post})",
            rf"(?P<post>{post})(?:他|，|,|好像|听说|就|一肩挑的)*(?:是)?姓{told}",
            rf"(?P<post>{post})[老小]{told}(?![\u4e00-\u9fff]家)",
            rf"(?<!我){called}{full}",
            rf"{own}{told}(?!名)的?(?=$|[^名氏])",
            rf"[老小]{surname}(?!家[里头])",
            rf"那个[老小]{clear}(?!家[里头])",
            rf"{clear}(?:{nickname})",
            r"(?:邻居|隔壁|本村|同村|村民|社员|本组|同组|住在[^，。,；]{1,6}|农户|住户|承包人|老赖|光棍|恶霸|一个叫|那个|养鱼|挖沙|开店|会首)"
            rf"的?{full}",
            rf"{full}(?=这个人|这人|他这|这家人|一家|家里?把|霸占|强占|把|仗着|利用|私自|擅自|伙同|欺负|带人|带着|占了|占用|，外号)",
        )
    )


def _without(signs: str, left_out: str) -> str:
    return "".join(sign for sign in signs if sign not in left_out)


def _word_starts(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """Give where words begin, so that 对方司机 is no driver of the name 方, and where names do."""
    starts, called, at = set(), set(), 0
    for word, kind in rjieba.tag(text):
        starts.add(at)
        if kind.startswith("nr"):
            called.add(at)
        at += len(word)
    return frozenset(starts), frozenset(called)


def _is_called(match: re.Match[str], called: frozenset[int]) -> bool:
    """Tell whether a name of three signs begins where the segmenter too sees one begin."""
    return len(match["name"]) == FULL_NAME and match.start("name") in called
