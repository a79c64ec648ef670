"""What is done with channels: making one, opening its page, and counting how often that happens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from models import access, audit, clocks, division
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.channel import Channel, Scan, Unit
from models.columns import now
from models.errors import Conflict, Invalid, NotFound
from models.keys import Keys

# The order of the demo pack's languages, then those that a listener hears.
LANGUAGES = ("zh", "yue", "ug", "kk", "ko", "bo", "ii", "en")
NAME_CHARACTERS = 60
_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_PHONE = re.compile(r"\+?[0-9][0-9 -]{2,24}")


def add(session: Session, channel: Channel) -> Channel:
    """Check a new channel by its rules and store it; raise Invalid or Conflict."""
    check(session, channel)
    channel.unit_name = _unit_name(session, channel)
    if session.get(Channel, channel.code) is not None:
        raise Conflict(
            f"渠道代码 {channel.code} 已经有了，请换一个。",
            f"There is a channel {channel.code} already: choose another code.",
            code="channel_exists",
        )
    session.add(channel)
    session.flush()
    return channel


def within(account: Account) -> Any:
    """Give the condition on `Channel` for what an administrator looks after."""
    return col(Channel.jurisdiction).startswith(division.prefix(account.division))


def listed(session: Session, account: Account) -> tuple[Channel, ...]:
    """List an administrator's channels, newest first."""
    access.require(account, Act.ADMINISTER)
    query = select(Channel).where(within(account)).order_by(col(Channel.created_at).desc())
    return tuple(session.exec(query))


def looked_after(session: Session, account: Account, code: str) -> Channel:
    """Give one of an administrator's channels; any other raises NotFound."""
    access.require(account, Act.ADMINISTER)
    found = session.exec(select(Channel).where(Channel.code == code, within(account))).first()
    if found is None:
        raise NotFound(
            "没有这个渠道，或者它不归您管理。",
            "There is no such channel, or it is not yours to look after.",
            code="unknown_channel",
        )
    return found


def make(session: Session, keys: Keys, account: Account, channel: Channel) -> Channel:
    """Make a channel at the console and record who did; raise as `add` does."""
    access.require(account, Act.ADMINISTER)
    _require_place(account, channel)
    made = add(session, channel)
    audit.append(session, keys, str(account.id), Deed.CHANNEL_ADDED, None, {"code": made.code})
    return made


def change(
    session: Session, keys: Keys, account: Account, code: str, values: Mapping[str, Any]
) -> Channel:
    """Give a channel new values by its rules; its code, which is on posters, stays."""
    channel = looked_after(session, account, code)
    for name, value in values.items():
        setattr(channel, name, value)
    check(session, channel)
    _require_place(account, channel)
    channel.unit_name = _unit_name(session, channel)
    session.add(channel)
    audit.append(session, keys, str(account.id), Deed.CHANNEL_CHANGED, None, {"code": code})
    return channel


def _require_place(account: Account, channel: Channel) -> None:
    if not division.within(channel.jurisdiction, account.division):
        raise _invalid(
            f"渠道的辖区要在您的辖区 {account.division} 之内。",
            f"The channel's jurisdiction has to lie within yours, {account.division}.",
        )


def _unit_name(session: Session, channel: Channel) -> str:
    """Give the name of the unit inspected as the gazetteer has it, or what was given."""
    unit = session.get(Unit, channel.unit_code) if channel.unit_code else None
    return unit.name if unit else ("" if channel.unit_code else channel.unit_name)


def check(session: Session, channel: Channel) -> None:
    """Raise Invalid with the first thing that is wrong with a channel."""
    if not _CODE.fullmatch(channel.code):
        raise _invalid(
            "渠道代码只能用小写字母、数字和连字符，最多 40 个。",
            "Write the channel's code in lower case letters, digits and hyphens, at most 40.",
        )
    if not 0 < len(channel.name.strip()) <= NAME_CHARACTERS:
        raise _invalid(
            f"请给渠道起一个 {NAME_CHARACTERS} 字以内的名称。",
            f"Give the channel a name of at most {NAME_CHARACTERS} characters.",
        )
    division.check(channel.jurisdiction)
    if channel.unit_code and session.get(Unit, channel.unit_code) is None:
        raise _invalid(
            f"名录里没有单位 {channel.unit_code}，请先导入。",
            f"The gazetteer has no unit {channel.unit_code}: import it first.",
        )
    repeated = len(set(channel.languages)) != len(channel.languages)
    if repeated or not all(_TAG.fullmatch(tag) for tag in channel.languages):
        raise _invalid(
            "语言请写成代码，每种一次，例如 zh、ug、bo。",
            "Give each language once, as a tag such as zh, ug or bo.",
        )
    if channel.valid_from and channel.valid_until and channel.valid_until < channel.valid_from:
        raise _invalid(
            "截止日期早于启用日期，请改正。",
            "The last day is before the first one: correct them.",
        )
    if channel.recording_seconds is not None and channel.recording_seconds <= 0:
        raise _invalid("录音时长要大于零。", "The recording limit must be above zero seconds.")
    if channel.help_phone and not _PHONE.fullmatch(channel.help_phone):
        raise _invalid(
            "求助电话请只写数字、空格和连字符。",
            "Write the help telephone in digits, spaces and hyphens.",
        )


def ensure_default(session: Session, code: str) -> Channel:
    """Give the installation's own channel, making it the first time."""
    there = session.get(Channel, code)
    if there is not None:
        return there
    return add(
        session,
        Channel(
            code=code, name="默认渠道", jurisdiction=division.NATION, languages=list(LANGUAGES)
        ),
    )


def opened(session: Session, code: str, on: date | None = None) -> Channel:
    """Give a channel that takes reports on a day; raise NotFound or Invalid (`channel_closed`)."""
    channel = session.get(Channel, code)
    if channel is None:
        raise NotFound(
            "没有这个渠道，请重新扫码。",
            "There is no such channel: scan the code again.",
            code="unknown_channel",
        )
    if not is_open(channel, on):
        raise Invalid(
            "这个二维码现在不能用，请找工作人员。",
            "This code is not in use at this time: please ask the staff.",
            code="channel_closed",
        )
    return channel


def languages(channel: Channel, known: Sequence[str]) -> tuple[str, ...]:
    """Give the tags that a channel's page shows, in its order; unknown ones are left out."""
    wanted = channel.languages or LANGUAGES
    return tuple(tag for tag in wanted if tag in known) or tuple(known)


def count_scan(session: Session, code: str, on: date | None = None) -> None:
    """Count that the page was opened today, and nothing of who opened it."""
    day = on or today()
    counted = (
        update(Scan)
        .where(col(Scan.channel_code) == code, col(Scan.day) == day)
        .values(count=col(Scan.count) + 1)
    )
    if getattr(session.execute(counted), "rowcount", 0):
        return
    postgresql = session.get_bind().dialect.name == "postgresql"
    first = {"channel_code": code, "day": day, "count": 1}
    if postgresql:
        row = postgresql_insert(Scan).values(first)
        key = [col(Scan.channel_code), col(Scan.day)]
        session.execute(
            row.on_conflict_do_update(index_elements=key, set_={"count": col(Scan.count) + 1})
        )
    else:
        session.execute(sqlite_insert(Scan).values(first))


def scans(session: Session, code: str) -> dict[date, int]:
    """Tell how often a channel's page was opened, day by day."""
    rows = session.exec(select(Scan).where(Scan.channel_code == code).order_by(col(Scan.day)))
    return {row.day: row.count for row in rows}


def scan_totals(session: Session, codes: Sequence[str], since: date) -> dict[str, int]:
    """Tell how often each channel's page was opened since a day."""
    rows = session.exec(
        select(Scan.channel_code, func.sum(Scan.count))
        .where(col(Scan.channel_code).in_(codes), col(Scan.day) >= since)
        .group_by(col(Scan.channel_code))
    )
    return {code: int(total) for code, total in rows}


def is_open(channel: Channel, on: date | None = None) -> bool:
    """Tell whether a channel takes reports on a day."""
    day = on or today()
    early = channel.valid_from is not None and day < channel.valid_from
    late = channel.valid_until is not None and day > channel.valid_until
    return not (early or late)


def address(base_url: str, code: str) -> str:
    """Give what the channel's QR code says."""
    return f"{base_url}/c/{code}"


def today() -> date:
    """Give the day it is at the office."""
    return now().astimezone(clocks.OFFICE).date()


def _invalid(zh: str, en: str) -> Invalid:
    return Invalid(zh, en, code="bad_channel")
