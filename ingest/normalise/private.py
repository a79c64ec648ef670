"""What in a text tells who somebody is: checked numbers, plates, the reporter's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stdnum import luhn
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from ingest.matter import Mask
from ingest.normalise import digits, introductions
from ingest.normalise.person import NAME_ENDS, Register
from ingest.normalise.reading import Reading, Span, plain
from ingest.normalise.sound import is_han, sounds
from models import receipt
from models.errors import Invalid

Kind = Literal["identity_number", "phone", "bank_card", "plate", "reporter", "receipt"]
SHOWN = "＊"

SPOKEN = dict(zip("零〇一幺二两三四五六七八九", "0011223456789", strict=True)) | {"洞": "0"}
SPOKEN |= {"拐": "7", "勾": "9"}
# digits as typed or read out, with the gaps people leave between groups
_DIGIT = r"[\d零〇一幺二两三四五六七八九洞拐勾]"
_RUN = re.compile(rf"(?<![\d.]){_DIGIT}(?:[ \-－—]?{_DIGIT}){{6,}}(?:[ ]?[xX叉])?")
_CHUNK = re.compile(rf"{_DIGIT}+[xX叉]?")
_MOBILE = re.compile(r"(?:\+?86)?1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})\d{7,8}")
_LOCAL_LINE = re.compile(r"[2-8]\d{6,7}")
_LINE_CUE = re.compile(r"(?:电话|座机|号码|联系)(?:号码)?(?:是|为|:|：|打|就是)?\s*$")
_NOT_CUE = re.compile(
    r"(?:表号|户号|编号|单号|合同号|合同|订单号?|订单|文号|工号|学号|票号|发票号?|案号)(?:码)?(?:是|为|:|：)?\s*$"
)
_RECEIPT_CUE = re.compile(r"回执|查询[码号]|凭证|受理号|收条")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE_SIGN = "A-HJ-NP-Za-hj-np-z0-9零〇一幺二两三四五六七八九"
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-Za-z][ ·・.．]?(?:[{_PLATE_SIGN}][ ]?){{4,5}}[{_PLATE_SIGN}挂学警]"
)
_NAME = re.compile(
    r"(?:我叫做?|我的名字(?:是|叫做?)|我名叫|我姓名(?:是|叫)?|本人(?:叫|姓名)?|举报人(?:是|叫|:|：)?|我是)"
)

_SAID_OF_ME = re.compile(r"(?:骂|说|怪|嫌|当|以为|认为|晓得|知道)$")
_NAME_ENDS = re.compile(NAME_ENDS)


@dataclass(frozen=True)
class Private:
    """A private stretch of one reading."""

    span: Span
    kind: Kind


def find(
    reading: Reading, reporter_name: str, register: Register, closed: tuple[Span, ...]
) -> tuple[Private, ...]:
    """Find what has to be masked, in order, without overlaps.

    register : knows names; closed : names of places, which are nobody's
    """
    found = [*_numbers(reading.text), *_spoken(reading.text), *_plates(reading.text)]
    if reading.chinese:
        found += _introductions(reading.text, register, closed)
    else:
        found += (Private(span, "reporter") for span in introductions.find(reading.text))
    found += _own_name(reading, reporter_name.strip())
    kept: list[Private] = []
    for one in sorted(found, key=lambda private: (private.span.start, -private.span.end)):
        if not kept or one.span.start >= kept[-1].span.end:
            kept.append(one)
    return tuple(kept)


def _own_name(reading: Reading, name: str) -> Iterator[Private]:
    """Find the name that the reporter gave; in speech also as characters that sound like it."""
    if len(name) < 2:
        return
    said = [(reading.text, plain(name))]
    if reading.heard and all(map(is_han, name)):
        said.append((reading.sounds, sounds(plain(name))))
    for text, sought in said:
        for match in re.finditer(re.escape(sought), text):
            yield Private(Span(*match.span()), "reporter")


def masks(reading: Reading, found: tuple[Private, ...]) -> tuple[Mask, ...]:
    """Say where the stretches are, with the seconds that an export has to silence."""
    made = []
    for one in found:
        start, end = reading.seconds_around(one.span)
        made.append(
            Mask(
                kind=one.kind,
                medium=reading.passage.medium,
                from_character=reading.given(one.span).start,
                to_character=reading.given(one.span).end,
                start=start,
                end=end,
            )
        )
    return tuple(made)


def hide(text: str, spans: tuple[Span, ...]) -> str:
    """Write the text with each private character as ＊, so that its length tells nothing new."""
    for span in spans:
        text = text[: span.start] + SHOWN * (span.end - span.start) + text[span.end :]
    return text


def _numbers(text: str) -> Iterator[Private]:
    for match in _RUN.finditer(text):
        whole = list(_number(text, match.start(), match.end()))
        if whole:
            yield from whole
            continue
        for part in _CHUNK.finditer(text, match.start(), match.end()):
            yield from _number(text, part.start(), part.end())


def _spoken(text: str) -> Iterator[Private]:
    """Find numbers read aloud in the words of other languages."""
    for said in digits.find(text):
        kind = _kind(said.figures, text[max(0, said.start - WORDS) : said.start])
        if kind is not None:
            yield Private(Span(said.start, said.end), kind)


def _number(text: str, start: int, end: int) -> Iterator[Private]:
    """Give the private number that stands between two places, if there is one."""
    before, said = text[max(0, start - CUE) : start], text[start:end]
    if _NOT_CUE.search(before):
        return
    figures = "".join(_figure(sign) for sign in said if sign not in " -－—")
    if figures[-1] in "xX叉" and len(figures) != IDENTITY_DIGITS:
        figures, said = figures[:-1], said.rstrip("xX叉 ")
    kind = _kind(figures.replace("叉", "X"), before)
    if kind is not None:
        yield Private(Span(start, start + len(said)), kind)


def _figure(sign: str) -> str:
    """Give the figure of a digit in words or of any script; any other sign stands for itself."""
    return str(int(sign)) if sign.isdecimal() else SPOKEN.get(sign, sign)


CUE = 8
WORDS = 24  # signs in front of a number in other languages, whose words are longer
IDENTITY_DIGITS = 18


def _kind(figures: str, before: str) -> Kind | None:
    """Tell what a run of digits is; None if it is no number of a person."""
    if len(figures) == IDENTITY_DIGITS and _is_identity(figures):
        return "identity_number"
    if not figures.isascii() or not figures.isdigit():
        return None
    if _MOBILE.fullmatch(figures) or _LANDLINE.fullmatch(figures):
        return "phone"
    led = _LINE_CUE.search(before) or digits.leads(before)
    if _LOCAL_LINE.fullmatch(figures) and led:
        return "phone"
    if len(figures) == receipt.DIGITS and _is_receipt(figures) and _RECEIPT_CUE.search(before):
        return "receipt"
    if 16 <= len(figures) <= 19 and luhn.is_valid(figures):
        return "bank_card"
    return None


def _is_identity(figures: str) -> bool:
    """Tell whether the check digit and the day of birth are right (GB 11643-1999)."""
    if not figures[:-1].isdecimal() or ric.calc_check_digit(figures) != figures[-1].upper():
        return False
    try:
        ric.get_birth_date(figures)
    except ValidationError:
        return False
    return True


def _is_receipt(figures: str) -> bool:
    try:
        receipt.parse(figures)
    except Invalid:
        return False
    return True


def _plates(text: str) -> Iterator[Private]:
    for match in _PLATE.finditer(text):
        if any(sign.isdigit() or sign in SPOKEN for sign in match.group()):
            yield Private(Span(*match.span()), "plate")
    for start, end in digits.plates(text):
        yield Private(Span(start, end), "plate")


def _introductions(text: str, register: Register, closed: tuple[Span, ...]) -> Iterator[Private]:
    """Find the name that follows 我叫, 我是 and the like."""
    for match in _NAME.finditer(text):
        weak = match.group() == "我是"
        name = register.introduced(text, match.end(), surely=not weak)
        if name is None or any(name.overlaps(other) for other in closed):
            continue
        led = text[: match.start()]
        if not weak or (_NAME_ENDS.match(text, name.end) and not _SAID_OF_ME.search(led)):
            yield Private(name, "reporter")
