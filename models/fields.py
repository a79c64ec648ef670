"""Filling the record: a person confirms a value, writes another, or takes it from what was said."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, select

from models import access, audit, casework
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.channel import Unit
from models.codes import Codes
from models.complaint import Complaint
from models.errors import Conflict, Invalid
from models.keys import Keys
from models.masking import BLOT
from models.record import Amount, Occurred, Precision, Provenance
from models.transcript import Frozen

UNKNOWN = "unknown"
CHARACTERS = {"title": 60, "description": 4_000}
CHARACTERS_OTHERWISE = 200
AMOUNTS_MOST = 50
_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(\S{1,12})\s*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
PLAIN = {
    "title": "title",
    "subject.name": "subject_name",
    "subject.unit": "subject_unit",
    "subject.post": "subject_post",
    "subject.rank": "subject_rank",
    "subject.region": "subject_region",
    "domain": "domain",
    "conduct": "conduct",
    "place": "place",
    "description": "description",
}
# In the order that the record shows them: what acceptance needs comes first.
NAMES = (
    "title",
    "subject.unit",
    "domain",
    "conduct",
    "subject.name",
    "subject.post",
    "occurred",
    "place",
    "amounts",
    "description",
    "subject.rank",
    "subject.region",
)
RANKS = ("", "village", "town", "county", "city", "province")


class Source(Frozen):
    """The words that a person took a value from; all empty where it was written freely."""

    medium: UUID | None = None
    transcript_version: int | None = None
    from_character: int | None = Field(None, ge=0)
    to_character: int | None = Field(None, ge=0)
    start: float | None = Field(None, ge=0)
    end: float | None = Field(None, ge=0)
    box: tuple[float, float, float, float] | None = None
    text: str = Field("", max_length=4_000)


def written(complaint: Complaint, name: str) -> str:
    """Give a field's value as it is written into a form."""
    if name == "occurred":
        if complaint.occurred_start is None or complaint.occurred_end is None:
            return ""
        return f"{complaint.occurred_start}/{complaint.occurred_end}"
    if name == "amounts":
        return "; ".join(f"{amount['value']:g} {amount['unit']}" for amount in complaint.amounts)
    return str(getattr(complaint, PLAIN[name]))


def decide(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    version: int,
    name: str,
    value: str,
    codes: Codes,
    source: Source | None = None,
) -> Complaint:
    """Set a field to what a person says, which confirms it, and route the report anew.

    A value that was not changed keeps where it came from. Raise Conflict if somebody else changed
    the complaint since it was read.
    """
    access.require(account, Act.DECIDE)
    complaint = access.find(session, account, complaint_id, locked=True)
    if complaint.version != version:
        raise Conflict(
            "别人刚刚改动了这件举报，请刷新后再操作。",
            "Somebody changed this complaint meanwhile: reload it and do it again.",
            code="changed_meanwhile",
        )
    if name not in NAMES:
        raise Invalid("没有这个字段。", "There is no such field.", code="no_field")
    value = _CONTROL.sub("", value).strip()
    changed = value != written(complaint, name)
    if changed:
        if BLOT in value:
            raise Invalid(
                "内容里有遮盖的部分，请重新写完整，或请有权限的同事修改。",
                "Part of that is hidden from you: write it anew, or ask a colleague who sees it.",
                code="masked_value",
            )
        _set(session, complaint, name, value, codes)
    if changed or source is not None:
        _remember(complaint, name, source)
    complaint.confirmed = [*dict.fromkeys([*complaint.confirmed, name])]
    complaint.version += 1
    session.add(complaint)
    casework.route(session, keys, complaint, actor=str(account.id))
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.FIELD_CHANGED if changed else Deed.FIELD_CONFIRMED,
        complaint_id,
        {"field": name, "version": complaint.version},
    )
    return complaint


def translate(
    session: Session, keys: Keys, account: Account, complaint_id: UUID, tag: str, text: str
) -> Complaint:
    """Add or renew what the report says in another language."""
    access.require(account, Act.TRANSCRIBE)
    complaint = access.find(session, account, complaint_id, locked=True)
    text = _CONTROL.sub("", text).strip()
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tag) or len(text) > 8_000:
        raise Invalid(
            "译文要注明语言，最多 8000 字。",
            "A translation names its language and has at most 8,000 characters.",
            code="bad_translation",
        )
    others = [one for one in complaint.translations if one.get("tag") != tag]
    new = [{"tag": tag, "text": text, "by": str(account.id)}] if text else []
    complaint.translations = [*others, *new]
    complaint.version += 1
    session.add(complaint)
    audit.append(session, keys, str(account.id), Deed.TRANSLATED, complaint_id, {"language": tag})
    return complaint


def _set(session: Session, complaint: Complaint, name: str, value: str, codes: Codes) -> None:
    if name in ("occurred", "amounts"):
        _STRUCTURED[name](complaint, value)
        return
    if len(value) > CHARACTERS.get(name, CHARACTERS_OTHERWISE):
        raise Invalid("内容太长，请缩短。", "That is too long: shorten it.", code="too_long")
    known: dict[str, Any] = {"domain": codes.domain, "conduct": codes.conduct}
    if name in known and value and value not in known[name]:
        raise Invalid("没有这个代码。", "There is no such code.", code="unknown_code")
    if name == "subject.rank" and value not in RANKS:
        raise Invalid("没有这个级别。", "There is no such rank.", code="unknown_rank")
    setattr(complaint, PLAIN[name], value)
    if name == "subject.unit":
        _resolve_unit(session, complaint, value)


def _resolve_unit(session: Session, complaint: Complaint, name: str) -> None:
    """Take code, rank and region from the gazetteer where it has a unit of this name."""
    named = session.exec(select(Unit).where(Unit.name == name)).all()
    near = [unit for unit in named if unit.division[:4] == complaint.jurisdiction[:4]] or named
    unit = near[0] if len(near) == 1 else None
    complaint.subject_unit_code = unit.code if unit else None
    if unit is not None:
        complaint.subject_rank, complaint.subject_region = unit.rank, unit.division


def _set_occurred(complaint: Complaint, value: str) -> None:
    if not value:
        complaint.occurred_start = complaint.occurred_end = None
        complaint.occurred_precision = ""
        return
    first, _, last = value.partition("/")
    try:
        start, end = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError as error:
        raise _bad_dates() from error
    if start > end:
        raise _bad_dates()
    precision: Precision = "day" if start == end else "range"
    Occurred(start=start, end=end, precision=precision)
    complaint.occurred_start, complaint.occurred_end = start, end
    complaint.occurred_precision = precision


def _set_amounts(complaint: Complaint, value: str) -> None:
    made: list[Amount] = []
    for part in re.split(r"[;；\n]", value):
        if not part.strip():
            continue
        match = _AMOUNT.fullmatch(part)
        if match is None or len(made) >= AMOUNTS_MOST:
            raise Invalid(
                "数额请写成“3000 元; 5 户”这样。",
                "Write amounts like “3000 元; 5 户”.",
                code="bad_amounts",
            )
        made.append(Amount(value=float(match[1]), unit=match[2], text=part.strip()))
    complaint.amounts = [amount.model_dump(mode="json") for amount in made]


_STRUCTURED: dict[str, Callable[[Complaint, str], None]] = {
    "occurred": _set_occurred,
    "amounts": _set_amounts,
}


def _remember(complaint: Complaint, name: str, source: Source | None) -> None:
    """Write down that a person gave the value, and from which words."""
    given = source or Source()
    note = Provenance(by="staff", confidence=1.0, **given.model_dump())
    kept = {key: value for key, value in complaint.provenance.items() if key.split(".0")[0] != name}
    if name == "amounts":
        kept = {key: value for key, value in kept.items() if not key.startswith("amounts.")}
    complaint.provenance = {**kept, name: [note.model_dump(mode="json")]}


def _bad_dates() -> Invalid:
    return Invalid(
        "日期请写成 2026-03-01 或 2026-03-01/2026-03-31。",
        "Write dates like 2026-03-01 or 2026-03-01/2026-03-31.",
        code="bad_dates",
    )
