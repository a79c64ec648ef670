"""The person complained of: names, surnames and posts as people say them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import rjieba

from ingest.normalise.lexicon import JobParts, PeopleWords, any_of
from ingest.normalise.names import HAN, Names
from ingest.normalise.reading import Reading, Span
from models.record import GIVEN_NAME_UNSAID

NO_ONE = ("们", "些", "会", "室", "办", "中心", "信箱")  # behind a post: nobody by himself
CALLED = "(?:他叫|就叫|叫做|名字叫|名叫|叫)"
NAME_ENDS = "(?=$|[，。,、；：！!;: ]|住|家|今年|电话|身份证|男|女|手机|是|在)"
ANY_JOB = "检验员"
JOB_ENDING = "员"
# 问秦会计, 客运办蒋主任: where the segmenter joins a common surname to what is before it
BEFORE_POSTED = frozenset("问找喊办局站院村组镇乡所厂队可个")
VILLAGE = ("村", "社", "组", "镇", "乡")
NO_SIDE = "方"  # 院方医生 is nobody's name
# 亲哥刘世富 is another than 刘会计
RELATED = (*"哥弟兄爸爹姐妹侄叔伯爷女孙", "儿子", "女儿", "侄儿", "侄子", "孙子", "老汉", "娃儿")
# 组长把钱装他荷包，他姓林: what stands between the end of a clause and a name that it tells
TELLS = re.compile(
    r"(?:^|[，。；！,;!])(?:我?[只才]晓得)?(?:[他她](?:的)?|[这那]个人|本人)?(?:就|是)?"
    r"(?P<said>姓|叫|名叫|真名|名字[叫是]|[工胸]牌上?写的是?)$"
)
CLAUSE_ENDS = "，。；！？、,;!? "
BEFORE_NAME = ("姓", "叫", "遭", "被", "子", "的", "，", "。", "、", " ")
POST_ONLY, BARE = 0.5, 0.7
UNCOMMON = 0.005  # less is thought of whose surname is


@dataclass(frozen=True)
class Person:
    """Somebody a text speaks of. name : full, or ""; surname : "" if only a post was said.

    posted : where the post stands. name_at, post_at : what says it, if that is not `span`
    """

    span: Span
    name: str = ""
    surname: str = ""
    post: str = ""
    posted: Span | None = None
    weight: float = 0.0
    name_at: Span | None = None
    post_at: Span | None = None

    @property
    def written(self) -> str:
        """Give the name for the record: 王某 where only the surname is known."""
        return self.name or (f"{self.surname}{GIVEN_NAME_UNSAID}" if self.surname else "")

    def is_(self, other: Person) -> bool:
        """Tell whether somebody of the same post or surname is spoken of."""
        return bool(
            (self.post and self.post == other.post)
            or (self.surname and self.surname == other.surname)
        )


class Register:
    """Finds people; the patterns are compiled once."""

    def __init__(self, words: PeopleWords) -> None:
        names = Names.of(words.names)
        posts = {post for group in words.posts.values() for post in group}
        posts |= {f"副{post}" for post in posts if not post.startswith("副")}
        self._posts = frozenset(posts)
        self._lengths = sorted(set(map(len, posts)))
        self._common = frozenset((*words.names.common, *words.names.double))
        self._words = frozenset(words.names.words) - self._common
        self._no_names = re.compile(any_of(words.names.none))
        self._full = re.compile(names.full)
        self._job = re.compile(_any_job(words.jobs))
        post, nickname = any_of(posts), any_of(words.names.nicknames)
        # 我叫丁城兰: whatever signs a name has; 我叫王医生 is no name
        self._told = re.compile(
            rf"{names.surname(names.every)}(?!{post}|{nickname}){HAN}{{1,2}}{NAME_ENDS}"
        )
        self._patterns = _patterns(names, post, nickname)
        self._foreign = _foreign(names, post)
        self._hint = re.compile(names.hint)  # most texts need not be searched for them
        # 龚长贵暑假砌了个堡坎: nothing but a name. 副乡长隆志刚: a surname that mostly is a word
        only_told = rf"(?P<surname>[{names.told}{words.names.words}])"
        self._bare = (
            re.compile(rf"(?P<name>{names.surname(names.every)}{names.given_two})"),
            re.compile(rf"(?P<post>{post})(?P<name>{only_told}{names.given_two})"),
        )
        self._post = re.compile(rf"(?P<post>{post})")

    def introduced(self, text: str, at: int, *, surely: bool) -> Span | None:
        """Give the full name that begins at a place, behind 我叫 or 我是; None if there is none.

        surely : nothing but a name can stand there, so that it need not look like one
        """
        told = self._told.match(text, at) if surely else None
        if told is not None and not _is_word(text, *told.span()):
            return Span(*told.span())
        full = self._full.match(text, at)
        return Span(*full.span()) if full else None

    def find(self, reading: Reading, taken: tuple[Span, ...]) -> tuple[Person, ...]:
        """Find the people of a text, in order. taken : names of places and bodies"""
        text = reading.text
        shown = self._job.sub(self._known, text)
        starts, called = _word_starts(shown)
        found: list[Person] = []
        for patterns in (self._foreign if self._hint.search(text) else (), self._patterns):
            for rank, pattern in enumerate(patterns):
                for match in pattern.finditer(shown):
                    person = self._named(match, text, starts, taken)
                    if person is not None:
                        weight = self._weight(person, 1.0 - rank / 100)
                        found.append(replace(person, weight=weight))
        for match in (one for pattern in self._bare for one in pattern.finditer(shown)):
            if match.start("name") in called:  # the segmenter takes it for a name too
                person = self._named(match, text, starts, taken)
                if person is not None:
                    found.append(replace(person, weight=self._weight(person, BARE)))
        found += self._posts_alone(text, shown)
        kept: list[Person] = []
        for person in sorted(found, key=lambda one: (-one.weight, one.span.start)):
            if not any(person.span.overlaps(other.span) for other in kept):
                kept.append(person)
        return _together(text, _named_later(text, sorted(kept, key=lambda one: one.span.start)))

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
        # names of other peoples are no words of the segmenter's
        begins = not surname or behind_post or at - led in starts
        begins = begins or text[at - 1 : at] in BEFORE_NAME
        if not begins and not (post and self._stands_out(surname, text[at - 1 : at])):
            return None
        longest = self._longest(text, *match.span("post")) if post else ""
        if name and post and match.end("name") == match.start("post"):
            kept = name[: len(name) - len(longest) + len(post)]
            if kept != name and self._is_no_name(kept, surname, name[-1]):
                return None
            name = kept if len(kept) > len(surname) else ""
        said = Span(at, at + len(name or surname))
        if any(said.overlaps(other) for other in taken) or self._no_names.match(text, at):
            return None
        if (name or surname) in self._posts or self._is_post(text, at):
            return None
        if text[:at].endswith(("我是", "我叫", "我姓", "本人")):
            return None
        if not post:
            return Person(Span(match.start(), match.end()), name, surname)
        start, end = match.span("post")
        span = Span(min(at, start), match.end())
        return Person(span, name, surname, longest, Span(start, end))

    def _is_no_name(self, kept: str, surname: str, sign: str) -> bool:
        """Tell whether what stands before a post is no name. sign : which belongs to the post

        雷村主任 is no 雷村 and 胡中队长 no 胡中, but 关坪村主任 and 连村支书 are nobody by name.
        """
        if kept == surname:
            return surname in self._words
        return sign in VILLAGE

    def _stands_out(self, surname: str, before: str) -> bool:
        """Tell whether a surname with a post is one although no word seems to begin there."""
        return surname in self._common and surname != NO_SIDE and before in BEFORE_POSTED

    def _known(self, match: re.Match[str]) -> str:
        """Give a job that a list has in place of one that none has: all patterns know it then."""
        job = match.group()
        return job if job in self._posts or job[1:] in self._posts else ANY_JOB

    def _weight(self, person: Person, weight: float) -> float:
        return weight - (0 if person.surname in self._common else UNCOMMON)

    def _is_post(self, text: str, at: int) -> bool:
        """Tell whether a post begins here: 包工头 is nobody of the name 包."""
        return any(text[at : at + length] in self._posts for length in self._lengths)

    def _longest(self, text: str, start: int, end: int) -> str:
        """Give the longest word for the post that covers the place: 村支书 in 石桥村支书."""
        first = max(0, end - self._lengths[-1])
        words = (text[begin:end] for begin in range(first, start + 1))
        return next((word for word in words if word in self._posts), text[start:end])

    def _posts_alone(self, text: str, shown: str) -> Iterator[Person]:
        """Find posts without a name. shown : with known jobs only"""
        for match in self._post.finditer(shown):
            start, end = match.span()
            if _is_office(text, end):
                continue
            post = self._longest(text, start, end)
            span = Span(end - len(post), end)
            yield Person(span, post=post, posted=Span(start, end), weight=POST_ONLY)


def _is_office(text: str, end: int) -> bool:
    """Tell whether what stands behind a post makes it an office or a group: 主任办, 医生们.

    信贷员办贷款: of no job in 员 there is an office.
    """
    if text.startswith("办", end) and text[end - 1] == JOB_ENDING:
        return False
    return text.startswith(NO_ONE, end)


def _named_later(text: str, people: Sequence[Person]) -> Sequence[Person]:
    """Give posts the names that a later clause tells of them: 股长骂人，姓吴."""
    made = list(people)
    for number, (posted, told) in enumerate(pairwise(people)):
        if posted.surname or told.post or not told.surname:
            continue
        at = text.find(told.surname, told.span.start)
        tells = TELLS.search(text[:at])
        if tells and _is_told(text, at + len(told.name or told.surname), tells["said"]):
            who = replace(posted, name=told.name, surname=told.surname, name_at=told.span)
            made[number : number + 2] = who, replace(told, post=posted.post, post_at=posted.span)
    return made


def _is_told(text: str, behind: int, said: str) -> bool:
    """Tell whether a name is told: 姓栗的大爷 is somebody else, and 他叫王强来 calls one.

    behind : where the name ends
    """
    if text.startswith("的", behind):
        return False
    return said != "叫" or not text[behind : behind + 1].strip(CLAUSE_ENDS)


def _together(text: str, people: Sequence[Person]) -> tuple[Person, ...]:
    """Let what is said of somebody in two places hold in both: 经手的是鄢树生，大家喊他鄢干事.

    邓老四 may be anybody's brother: who is known by a surname alone stays so, and so does 刘会计
    where 亲哥刘世富 is told of.
    """
    apart = [one for one in people if one.post or not text.endswith(RELATED, 0, one.span.start)]

    def whole(one: Person) -> Person:
        if not one.surname or bool(one.name) == bool(one.post) or one not in apart:
            return one
        same = [other for other in apart if other.surname == one.surname]
        names = {other.name: other.span for other in same if other.name}
        posts = {other.post: other.span for other in same if other.post}
        if len(names) != 1 or len(posts) != 1:  # nothing more is said, or of two of one surname
            return one
        if one.post:
            [(name, at)] = names.items()
            return replace(one, name=name, name_at=at)
        [(post, at)] = posts.items()
        return replace(one, post=post, post_at=at)

    return tuple(map(whole, people))


def _any_job(parts: JobParts) -> str:
    """Give the pattern of two signs and the ending of a job."""
    ever, last = parts.not_first, parts.not_first + parts.not_last
    return rf"(?![{ever}]){HAN}(?![{last}]){HAN}{parts.ending}"


def _foreign(names: Names, post: str) -> tuple[re.Pattern[str], ...]:
    """Write the ways in which Yi, Tibetans and others are named, the most telling first."""
    full, single = (rf"(?P<name>(?P<surname>){name})" for name in (names.foreign, names.single))
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"(?P<post>{post})(?:同志|、|，|,)?(?:是|{CALLED})?{single}",
            rf"{single}(?P<post>{post})",
            rf"(?<!我){CALLED}{single}",
            full,
        )
    )


def _patterns(names: Names, post: str, nickname: str) -> tuple[re.Pattern[str], ...]:
    """Write the ways in which people are named, the most telling first."""
    surname, rare, clear = map(names.surname, (names.common, names.every, names.clear))
    told = names.surname(names.every + names.told)
    # what somebody says that he or she is called, behind 姓
    any_sign = rf"(?P<surname>{names.double}|(?![名氏啥什哪的了]){HAN})"
    given = names.given
    full = rf"(?P<name>{surname}{given})"
    sure = rf"(?P<name>{rare}{given})"
    acting = rf"(?P<name>{rare}{names.given_two})"
    behind = rf"(?P<name>{clear}{given})"
    own = r"(?<!我)(?<![百贵同])姓"
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"(?P<post>{post})的?老?{clear}(?:{nickname}|老师)",
            rf"(?P<post>{post})(?:同志|、|，|,)?(?:是|{CALLED})?{behind}",
            rf"{sure}(?P<post>{post})",
            rf"{full}(?:这个|他|就)?(?:是|任|担任|身为|当)了?(?:我们|咱们|他们)?[^，。]{{0,8}}?(?P<post>{post})",
            rf"{clear}(?:{nickname})?(?P<post>{post})",
            rf"{own}{any_sign}的?(?:那个|这个|那位)?(?P<post>{post})",
            rf"(?P<post>{post})(?:他|她|阿姨|大爷|娘娘|，|,|好像|听说|就|一肩挑的)*(?:是)?姓{any_sign}(?![名氏])",
            rf"(?P<post>{post})[老小]{told}(?![\u4e00-\u9fff]家)",
            rf"(?<!我){CALLED}{sure}的(?:那个|这个)?(?P<post>{post})",
            rf"(?<!我){CALLED}{full}",
            rf"{own}{any_sign}的?(?=$|[^名氏])",
            rf"[老小]{surname}(?!家[里头])",
            rf"那个[老小]{clear}(?!家[里头])",
            rf"{clear}(?:{nickname})",
            rf"{rare}(?:老[大二三四五六七八九幺]|[二三四五幺]娃)",
            rf"(?:遭|被|隔壁){acting}",
            r"(?:邻居|隔壁|本村|同村|村民|社员|本组|同组|住在[^，。,；]{1,6}|农户|住户|承包人|老赖|光棍|恶霸|一个叫|那个|养鱼|挖沙|开店|会首)"
            rf"的?{full}",
            rf"{full}(?=这个人|这人|他这|这家人|一家|家里?把|霸占|强占|把|仗着|利用|私自|擅自|伙同|欺负|带人|带着|占了|占用|，外号)",
        )
    )


def _is_word(text: str, start: int, end: int) -> bool:
    """Tell whether a stretch is a word and no name: 我叫施工队，他们不来."""
    word, kind = rjieba.tag(text[start:])[0]
    return start + len(word) >= end and not kind.startswith("nr")


def _word_starts(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """Give where words begin, so that 对方司机 is no driver of the name 方, and where names do."""
    starts, called, at = set(), set(), 0
    for word, kind in rjieba.tag(text):
        starts.add(at)
        if kind.startswith("nr"):
            called.add(at)
        at += len(word)
    return frozenset(starts), frozenset(called)
