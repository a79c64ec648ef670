"""The person complained of: names, surnames and posts as people say them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import rjieba

from ingest.normalise.lexicon import PeopleWords, any_of
from ingest.normalise.reading import Reading, Span

BEFORE = 10
REACH = 14
FULL_NAME = 3
BEFORE_NAME = ("姓", "叫", "遭", "被", "子", "的", "，", "。", "、", " ")

PREDICATE = re.compile(
    r"(?:就|也|又|都|还|他|她|，|却|硬|一直|居然|竟然|当着|每次|总|老是|自己|私自|偷偷|根本|喝酒|五点|天天|马上|一天|每天|几天|半天|现在|今天|只)*"
    r"(?:把|收|打|骂|要|占|拿|吃|扣|欠|不|没|让|喊|卖|报|给|带|利用|仗|强|私|虚|贪|挪|说|态度|张口|克|套|乱|开|推|签|暗示|喝|叫|吼|电话|人影|不见|做|搞|逼|威胁|报复|伸手|跑|只|几天|凶|嫌|安排|批|写|用|抓|放|将|睡|嫌|量|改|丢|摔|绑|守|喂|拉|讹|敲|索|调|辞|拍|掐|按|扇|踢|拽|扯|锁|关|停|断|剪|砸|挖|修|偷|砍|拒|赶|催"
    r"|来|发|登|估|堵|刷|焊|硬|朝|对着|从[零〇一二去前今]|每个?人|各人|挨|上班|骑|扎|提|甩|捆|当到|当场|瞎|漏|忘|弄|整|插队|迟到|早退|耍|玩|赌|包庇|护|纵容|讽刺|嘲笑|体罚|罚|假|冒|编|填|代签|盖|压|瞒|领|吞|截|存|连|才|答应|承诺|仗势|当众|揣|独吞|甩|掀|逮|查|处|用|拿起|抢|霸|涨|乱)"
)
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
            any_sign=rf"(?P<surname>{double}|(?![名氏啥什哪的了])[\u4e00-\u9fff])",
            given=given,
            nickname=any_of(names.nicknames),
        )
        # 龚长贵暑假砌了个堡坎: nothing but a name at the beginning of a clause
        self._bare = re.compile(
            rf"(?:^|[，,。！？!?；;：:、\s“\"的天晚月后前]|交给|遭|人叫|隔壁子?)(?P<name>(?P<surname>[{every}]){given})"
        )
        self._post = re.compile(rf"(?P<post>{any_of(posts)})")
        self._kin = kin_pattern(words)
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
            if match["post"] in self._jobs and not self._is_somebody(match, text, times):
                continue
            start, end = match.span()
            post = self._longest(text, start, end)
            yield Person(Span(end - len(post), end), post=post, posted=Span(start, end), weight=0.5)

    def _is_somebody(self, match: re.Match[str], text: str, times: tuple[Span, ...]) -> bool:
        """Tell whether a mere job is one person: pointed at, spoken of first, or with a deed."""
        before = text[max(0, match.start() - BEFORE) : match.start()]
        if self._pointed.search(before):
            return True
        begins = bool(_START.search(before))
        if not begins and match["post"] not in self._heads:
            return False
        # 我们小区物业的经理，收物业费跑得飞快
        if begins and text.startswith(("，", ","), match.end()):
            return True
        behind = past(text, match.end(), times)
        return bool(PREDICATE.match(behind) or self._kin.match(behind))


def past(text: str, end: int, times: tuple[Span, ...]) -> str:
    """Give what stands behind a place, without a time that is said there first."""
    for time in times:
        if end <= time.start <= end + 1:
            end = time.end
    return text[end : end + REACH]


def kin_pattern(words: PeopleWords) -> re.Pattern[str]:
    """Write the pattern of somebody's relatives and friends, as they follow who they are kin of."""
    return re.compile(
        rf"(?:他|她)?(?:自己)?(?:家|屋里|屋头)?(?:的)?(?:[一几]个)?(?:{any_of(words.names.relatives)}|熟人|关系户)"
    )


def _patterns(
    *,
    post: str,
    surname: str,
    rare: str,
    clear: str,
    told: str,
    any_sign: str,
    given: str,
    nickname: str,
) -> tuple[re.Pattern[str], ...]:
    """Write the ways in which people are named, the most telling first.

    rare : any surname, where the rest leaves no doubt that it is one; clear : one that is no other
    word; told : also those that are mostly other words, beside a post and 老 or 小; any_sign : what
    somebody says that he or she is called, behind 姓
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
            rf"{own}{any_sign}的?(?:那个|这个|那位)?(?P<post>{post})",
            rf"(?P<post>{post})(?:他|，|,|好像|听说|就|一肩挑的)*(?:是)?姓{any_sign}(?![名氏])",
            rf"(?P<post>{post})[老小]{told}(?![\u4e00-\u9fff]家)",
            rf"(?<!我){called}{full}",
            rf"{own}{any_sign}的?(?=$|[^名氏])",
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
