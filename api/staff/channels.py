"""Channels for administrators: making one, changing it, its poster and how often it was scanned."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from api.citizen import words
from api.house import House
from api.staff import pages
from api.staff.pages import StaffRoute
from api.staff.session import At, Here, Seat
from models import access, channels, division
from models.access import Act
from models.account import Account
from models.channel import Channel, Unit
from models.database import reading, writing
from models.errors import Invalid, Refused

router = APIRouter(prefix="/staff/channels", route_class=StaffRoute, include_in_schema=False)
HOME = "/staff/channels"
# As many bars as a month has days.
DAYS = 30
WEEK = 7
# A list that a browser offers while somebody types; more would only be slow.
UNITS_OFFERED = 500

Line = Annotated[str, Field(max_length=200)]


class Written(BaseModel):
    """What the form says, as it was written: shown again where something is wrong with it."""

    model_config = ConfigDict(frozen=True)

    code: Line = ""
    name: Line = ""
    jurisdiction: Line = ""
    unit: Line = ""
    round: Line = ""
    languages: Annotated[tuple[Line, ...], Field(max_length=40)] = ()
    valid_from: Line = ""
    valid_until: Line = ""
    seconds: Line = ""
    mask_voice: bool = False
    help_name: Line = ""
    help_phone: Line = ""

    def values(self) -> dict[str, Any]:
        """Read the fields; raise Invalid for a day or number that is none."""
        return {
            "name": self.name.strip(),
            "jurisdiction": self.jurisdiction.strip(),
            "unit_code": self.unit.strip() or None,
            "round": self.round.strip(),
            "languages": list(self.languages),
            "valid_from": _day(self.valid_from),
            "valid_until": _day(self.valid_until),
            "recording_seconds": _seconds(self.seconds),
            "mask_voice": self.mask_voice,
            "help_name": self.help_name.strip(),
            "help_phone": self.help_phone.strip(),
        }


@router.get("")
def show(request: Request, at: At, here: Here) -> Response:
    """List the channels, with a form for a new one."""
    return _list(request, at, here, _fresh(here.account))


@router.post("")
def make(
    request: Request,
    at: At,
    here: Here,
    written: Annotated[Written, Form()],
) -> Response:
    """Make a channel and show its poster."""
    try:
        with writing(at.engine) as session:
            channel = Channel(code=written.code.strip(), **written.values())
            channels.make(session, at.keys, here.account, channel)
            made = channel.code
    except Refused as error:
        if not pages.wants_page(request) or not here.may(Act.ADMINISTER):
            raise
        return _list(request, at, here, written, error)
    return pages.back(request, f"{HOME}/{made}")


@router.get("/{code}")
def look(request: Request, at: At, here: Here, code: str) -> Response:
    """Show one channel: its code to scan, its posters, its scans day by day, and its fields."""
    return _one(request, at, here, code)


@router.post("/{code}")
def change(
    request: Request,
    at: At,
    here: Here,
    code: str,
    written: Annotated[Written, Form()],
) -> Response:
    """Change a channel; the code on its posters stays what it is."""
    try:
        with writing(at.engine) as session:
            channels.change(session, at.keys, here.account, code, written.values())
    except Invalid as error:
        if not pages.wants_page(request):
            raise
        return _one(request, at, here, code, written, error)
    return pages.back(request, f"{HOME}/{code}")


def _fresh(account: Account) -> Written:
    return Written(jurisdiction=account.division, languages=channels.LANGUAGES)


def _of(channel: Channel) -> Written:
    return Written(
        code=channel.code,
        name=channel.name,
        jurisdiction=channel.jurisdiction,
        unit=channel.unit_code or "",
        round=channel.round,
        languages=tuple(channel.languages),
        valid_from=str(channel.valid_from or ""),
        valid_until=str(channel.valid_until or ""),
        seconds=str(channel.recording_seconds or ""),
        mask_voice=channel.mask_voice,
        help_name=channel.help_name,
        help_phone=channel.help_phone,
    )


def _list(
    request: Request, at: House, here: Seat, written: Written, error: Refused | None = None
) -> Response:
    access.require(here.account, Act.ADMINISTER)
    today = channels.today()
    with reading(at.engine) as session:
        found = channels.listed(session, here.account)
        codes = [one.code for one in found]
        weekly = channels.scan_totals(session, codes, today - timedelta(days=WEEK - 1))
        units = _units(session, here.account)
    return pages.render(
        request,
        "channels.html",
        here,
        status=422 if error else 200,
        channels=found,
        weekly=weekly,
        opened={one.code: channels.is_open(one, today) for one in found},
        form=written,
        error=error,
        units=units,
        offered=_offered(written),
        most_seconds=at.settings.limits.recording_seconds,
    )


def _one(
    request: Request,
    at: House,
    here: Seat,
    code: str,
    written: Written | None = None,
    error: Refused | None = None,
) -> Response:
    today = channels.today()
    with reading(at.engine) as session:
        channel = channels.looked_after(session, here.account, code)
        counted = channels.scans(session, code)
        units = _units(session, here.account)
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    form = written or _of(channel)
    return pages.render(
        request,
        "channel.html",
        here,
        status=422 if error else 200,
        channel=channel,
        address=channels.address(at.settings.base_url, code),
        reachable=at.settings.base_url.startswith("https:"),
        is_open=channels.is_open(channel, today),
        scans=[(day, counted.get(day, 0)) for day in days],
        total=sum(counted.values()),
        form=form,
        error=error,
        units=units,
        offered=_offered(form),
        most_seconds=at.settings.limits.recording_seconds,
    )


def _offered(form: Written) -> tuple[str, ...]:
    """Give the languages in the form's order, then those that it leaves out."""
    return tuple(dict.fromkeys((*form.languages, *words.known())))


def _units(session: Session, account: Account) -> list[Unit]:
    shared = division.prefix(account.division)
    query = select(Unit).where(col(Unit.division).startswith(shared)).order_by(col(Unit.name))
    return list(session.exec(query.limit(UNITS_OFFERED)))


def _day(written: str) -> date | None:
    if not written.strip():
        return None
    try:
        return date.fromisoformat(written.strip())
    except ValueError as error:
        raise Invalid(
            f"日期 {written!r} 不对，请写成 2026-03-01 这样。",
            f"{written!r} is no day: write it like 2026-03-01.",
            code="bad_channel",
        ) from error


def _seconds(written: str) -> int | None:
    digits = written.strip()
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise Invalid(
            "录音时长请写秒数，例如 600。",
            "Write the recording limit in seconds, for example 600.",
            code="bad_channel",
        )
    return int(digits)
