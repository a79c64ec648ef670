"""The person complained of: names, surnames and posts as people say them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import rjieba

from ingest.normalise.lexicon import PeopleWords, any_of
from ingest.normalise.reading import Reading, Span

REACH = 14
LEAST = 0.45
_HOPED = re.compile(r"(?:希望|请|盼|求|建议|恳请|麻烦|想问|请问)[^，。,；]{0,5}$")
_ASKED = re.compile(
    r"(?:找|找过|找了|去找|问|问了|跟|给|向|报给|求|告诉|通知)(?:我们|你们|了|过|的|那个|一下|下|村上|镇上)*$"
)
_FAILING = re.compile(
    r"不管|没管|不理|推|拖|不解决|不处理|没答复|敷衍|打发|不给|没给|不办|不来|说等|喊等"
)
_PRAISED = re.compile(r"很好|不错|辛苦|挺好|尽责|帮了|表扬|态度好|人好|人很好|好得很")
_DENIED = re.compile(r"(?:不是说|不怪|不关|不是告|不是)(?:我们)?$")
_ACTS = re.compile(
    r"(?:就|也|又|都|还|他|，|却|硬|一直|居然|当着|每次|总|自己|私自|偷偷)*(?:把|收|打|骂|要|占|拿|吃|扣|欠|不|没|让|喊|卖|报|给|带|利用|仗|强|私|虚|贪|挪|说|态度|张口|克|套|乱|开|推)"
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
    """Finds people; the words that it needs are compiled once."""

    def __init__(self, words: PeopleWords) -> None:
        names = words.names
        self._posts = sorted(
            {post for group in words.posts.values() for post in group}, key=lambda one: -len(one)
        )
        self._common = frozenset(words.common.words)
        post = any_of(self._posts)
        single = f"[{''.join(names.surnames.split())}]"
        double = any_of(names.double)
        signs = set("".join(names.given.split()))
        first, last = f"[{''.join(sorted(signs))}]", f"[{''.join(sorted(signs - set(names.stop)))}]"
        given = f"(?:{first}{last}|{last})"
        self.full = re.compile(rf"(?:{double}|{single}){given}")
        full = rf"(?P<name>(?P<surname>{double}|[{names.common}]){given})"
        common = rf"(?P<surname>{double}|[{names.common}])"
        self._relatives = re.compile(rf"(?:{any_of(names.relatives)})(?:叫|是)?$")
        self._kin = re.compile(rf"(?:家)?(?:的)?(?:{any_of(names.relatives)})")
        boundary = r"(?=$|[，。,、；：！？!?;:（）() ]|这|那|他|她|把|将|在|是|的|就|也|都|又|还|跟|和|给|拿|说|收|占|打|骂|私|利|强|霸|仗|不|叫|带|从|对|为|用|一|有|没|欠|当|当时|去|来|开|修|搞|多|虚|克|天|几|先|经|老|只|硬|偷|自|他们|要|喊|卖|买|吃|扣|报|挪|套|于|去年|今年|前年|上|让|们|办|乱|同志)"
        self._patterns = (
            re.compile(
                rf"(?P<post>{post})(?:同志|、|，|,)?(?:是|他叫|就叫|叫做|叫|名叫|名字叫)?{full}{boundary}"
            ),
            re.compile(rf"{full}(?P<post>{post})"),
            re.compile(
                rf"{full}(?:这个|他|就)?(?:是|任|担任|身为|当)(?:了)?(?:我们|咱们|他们)?[^，。]{{0,8}}?(?P<post>{post})"
            ),
            re.compile(rf"{common}(?:(?:{any_of(names.nicknames)}))?(?P<post>{post})"),
            re.compile(
                rf"(?<![百贵同])(?<!我)姓{common}(?!名)(?:的)?(?:那个|这个|那位)?(?P<post>{post})"
            ),
            re.compile(rf"(?P<post>{post})(?:他|，|,|好像|听说|就)*(?:是)?姓{common}"),
            re.compile(rf"(?<!我)(?:叫|名叫|叫做|名字叫|喊做|喊)(?P<nothing>){full}{boundary}"),
            re.compile(rf"(?<![百贵同])(?<!我)姓{common}(?!名)(?:的)?(?=$|[^名氏])"),
            re.compile(
                rf"(?P<nothing>)[老小]{common}(?=$|[，。,、；：！？!? ]|他|她|这|那|把|就|也|都|又|还|说|家|收|在|是|占|硬|拿|给|跟|的|不|一|从|带|要|来|没|当|私)"
            ),
            re.compile(rf"(?P<nothing>){common}(?:{any_of(names.nicknames)})(?!{post})"),
            re.compile(
                rf"(?:邻居|隔壁|本村|同村|村民|社员|本组|同组|农户|住户|工头|承包人|老赖|光棍|恶霸|一个叫|那个)的?(?P<nothing>){full}{boundary}"
            ),
            re.compile(
                rf"(?P<nothing>){full}(?=这个人|这人|他这|这家人|一家|家里?把|霸占|强占|把|仗着|利用|私自|擅自|伙同|欺负|带人|带着|占了|占用)"
            ),
        )
        self._post = re.compile(rf"(?P<post>{post})")
        self._pointed = re.compile(
            r"(?:那个|这个|那位|这位|有个|有一个|一个|一位|有位|我们的?|他们的?|当班的?|值班的?|主治|管事的?|值班室的?|窗口的?|里的?|上的?|院的?|所的?|队的?|局的?|校的?|厂的?|公司的?|村的?|社的?|组的?|家的?|班的?)$"
        )
        self._many = re.compile(
            r"(?:几个|些|各个|各|所有|每个|[两二三四五六七八九十百\d]+(?:个|名|位)|多个|多名|的?那些|没得|没有|缺|请|当|选|换|找个|叫个|差|无|找|问|到|和|跟|给|送|送到)$"
        )

    def find(self, reading: Reading, taken: tuple[Span, ...]) -> tuple[Person, ...]:
        """Find the people of a text, the most telling first where the same words name one twice."""
        text = reading.text
        starts = _word_starts(text)
        found: list[Person] = []
        for rank, pattern in enumerate(self._patterns):
            for match in pattern.finditer(text):
                person = self._person(match, text, starts)
                if person is not None and not any(
                    _name_span(match).overlaps(other) for other in taken
                ):
                    found.append(replace(person, weight=1.0 - rank / 100))
        found += self._posts_alone(text)
        kept: list[Person] = []
        for person in sorted(found, key=lambda one: (-one.weight, one.span.start)):
            if not any(person.span.overlaps(other.span) for other in kept):
                kept.append(person)
        return tuple(sorted(kept, key=lambda one: one.span.start))

    def choose(self, reading: Reading, people: tuple[Person, ...]) -> Person | None:
        """Choose the one complained of: who acts, not who is asked, praised or somebody's kin."""
        best: Person | None = None
        for rank, person in enumerate(people):
            score = self._score(reading.text, person) - 0.03 * rank
            if score > (best.weight if best else LEAST):
                best = replace(person, weight=score)
        return best

    def _score(self, text: str, person: Person) -> float:
        before = text[max(0, person.span.start - 8) : person.span.start]
        behind = text[person.span.end : person.span.end + REACH]
        score = 0.9 if person.surname else 0.7
        if person.post and person.surname:
            score += 0.05
        failing = _FAILING.search(behind)
        if _HOPED.search(before):
            score -= 0.6
        elif _ASKED.search(before):
            score -= 0.1 if failing else 0.35
        if _ACTS.match(behind):
            score += 0.1
        if _PRAISED.search(behind[:8]):
            score -= 0.5
        if _DENIED.search(before):
            score -= 0.4
        return score

    def _person(self, match: re.Match[str], text: str, starts: frozenset[int]) -> Person | None:
        groups = match.groupdict()
        surname, name, post = groups["surname"], groups.get("name") or "", groups.get("post") or ""
        at = match.start("surname")
        if at not in starts and text[at - 1 : at] not in ("姓", "老", "小", "叫"):
            return None
        if self._relatives.search(text, 0, match.start()) or text[:at].endswith(
            ("我是", "我叫", "我姓", "本人")
        ):
            return None
        span = Span(match.start(), match.end())
        if post:
            start, end = match.span("post")
            span = Span(
                min(at, start), max(end, match.end("name") if name else match.end("surname"))
            )
            return Person(span, name, surname, self._longest(text, start, end), Span(start, end))
        return Person(span, name, surname)

    def _longest(self, text: str, start: int, end: int) -> str:
        """Give the longest word for the post that covers the place: 村支书 in 石桥村支书."""
        for post in self._posts:
            begin = end - len(post)
            if 0 <= begin <= start and text.startswith(post, begin):
                return post
        return text[start:end]

    def _posts_alone(self, text: str) -> Iterator[Person]:
        for match in self._post.finditer(text):
            before = text[max(0, match.start() - 8) : match.start()]
            if self._many.search(before) or text.startswith(("们", "些"), match.end()):
                continue
            if match["post"] in self._common and not self._pointed.search(before):
                continue
            start, end = match.span()
            post = self._longest(text, start, end)
            yield Person(Span(end - len(post), end), post=post, posted=Span(start, end), weight=0.5)


def _name_span(match: re.Match[str]) -> Span:
    groups = match.groupdict()
    return Span(*match.span("name" if groups.get("name") else "surname"))


def _word_starts(text: str) -> frozenset[int]:
    """Give where words begin, so that 对方司机 is no driver of the name 方."""
    starts, at = set(), 0
    for word in rjieba.cut(text):
        starts.add(at)
        at += len(word)
    return frozenset(starts)
