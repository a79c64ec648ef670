"""The inbox: saved views, filters with their counts, search, and pages by key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi import Query as QueryOf
from sqlmodel import Session, col, select

from api.staff import names, pages
from api.staff.names import Option
from api.staff.pages import StaffRoute
from api.staff.session import At, Here, Seat
from models import access, audit, clocks, division, dossier, indexed, search
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.channel import Channel
from models.clocks import OFFICE
from models.columns import now
from models.complaint import Complaint, ReportMedium
from models.database import reading, writing
from models.masking import Masker
from models.status import Status

router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
CHANNELS_MOST = 40
UNITS_MOST = 12


@dataclass(frozen=True)
class View:
    """A saved view: a name for a query."""

    code: str
    zh: str
    en: str


VIEWS = (
    View("all", "全部", "Everything"),
    View("mine", "我的", "Mine"),
    View("listen", "待我听", "Needs my ears"),
    View("overdue", "超期", "Overdue"),
    View("today", "今日新到", "New today"),
    View("low", "把握不大", "Low confidence"),
)
# The other filters are folded; what nobody sees is not counted.
OPEN_FIRST = ("status", "language", "domain")
LISTENER_VIEWS = ("all", "listen", "today", "low")


@dataclass(frozen=True)
class Facet:
    """One filter. key : of the address; name : of `search.Query`'s field; all that it can be"""

    key: str
    name: str
    zh: str
    en: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    view: str = "all"
    q: str = ""
    status: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    conduct: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    before: int | None = None

    def address(self, **changes: object) -> str:
        """Write an address that asks for the same but for some changes."""
        wanted: list[tuple[str, str]] = []
        for key, value in (self.__dict__ | changes).items():
            values = value if isinstance(value, tuple | list) else (value,)
            wanted += [(key, str(one)) for one in values if one not in ("", None)]
        shown = [(key, value) for key, value in wanted if (key, value) != ("view", "all")]
        return f"/staff/inbox?{urlencode(shown)}" if shown else "/staff/inbox"

    def chosen(self, key: str) -> tuple[str, ...]:
        """Give the values of a filter that were chosen."""
        value = getattr(self, key)
        return value if isinstance(value, tuple) else ()

    @property
    def narrowed(self) -> bool:
        """Tell whether anything but the view was asked for."""
        return bool(self.q or self.since or self.until) or any(
            self.chosen(key) for key in ("status", "channel", "unit", "domain", "conduct")
        )


@dataclass(frozen=True)
class Row:
    """One line of the list, private words hidden."""

    complaint: Complaint
    title: str
    lead: str
    unit: str
    assignee: str
    low: bool


@router.get("")
def home(request: Request, here: Here) -> Response:
    """Go where this role works."""
    if here.may(Act.READ):
        return pages.back(request, "/staff/inbox")
    return pages.back(request, "/staff/queue" if here.may(Act.ADMINISTER) else "/staff/figures")


@router.get("/inbox")
def show(request: Request, at: At, here: Here) -> Response:
    """Show a page of the list, or only its rows where a script asks for more."""
    access.require(here.account, Act.READ)
    wanted = of_request(request)
    with reading(at.engine) as session:
        page = search.find(session, here.account, query_of(here, wanted), before=wanted.before)
        maskers = dossier.maskers(session, page.complaints)
        rows = _rows(session, page.complaints, maskers)
        facets = _facets(session, at, here, _units(page.complaints, maskers))
    if wanted.before is None and (wanted.q or wanted.unit):
        with writing(at.engine) as session:
            audit.append(
                session, at.keys, str(here.account.id), Deed.LISTED, details={"searched": True}
            )
    more = wanted.address(before=page.following) if page.following is not None else None
    part = request.headers.get("hx-target", "")
    template = "inbox_rows.html" if pages.is_fragment(request) and "more" in part else "inbox.html"
    return pages.render(
        request,
        template,
        here,
        asked=wanted,
        rows=rows,
        more=more,
        facets=[(facet, is_open(facet, wanted)) for facet in facets],
        views=_views(here),
        tail=wanted.address().partition("?")[2],
    )


@router.get("/inbox/counts")
def counts(
    request: Request,
    at: At,
    here: Here,
    only: Annotated[str, QueryOf(max_length=20)] = "",
) -> Response:
    """Count beside the views and the filters that are open; a common word takes a while.

    only : a filter that was opened just now
    """
    access.require(here.account, Act.READ)
    wanted = of_request(request)
    query = query_of(here, wanted)
    views = () if only else _views(here)
    with reading(at.engine) as session:
        units: tuple[Option, ...] = ()
        if only == "unit" or (wanted.unit and not only):
            shown = search.find(session, here.account, query, before=wanted.before).complaints
            units = _units(shown, dossier.maskers(session, shown))
        facets = [
            facet
            for facet in _facets(session, at, here, units)
            if (facet.key == only if only else is_open(facet, wanted))
        ]
        asked = [query, *(query_of(here, Asked(view=view.code)) for view in views)]
        asked += [query.but(**{f.name: (one.value,)}) for f in facets for one in f.options]
        told = iter(search.counts(session, here.account, asked))
    total = next(told)
    by_view = {view.code: next(told) for view in views}
    by_facet = {f.key: {one.value: next(told) for one in f.options} for f in facets}
    return pages.render(
        request,
        "inbox_counts.html",
        here,
        total=None if only else total,
        by_view=by_view,
        by_facet=by_facet,
        facets=facets,
        views=views,
    )


def is_open(facet: Facet, wanted: Asked) -> bool:
    """Tell whether a filter's values are shown from the start."""
    return facet.key in OPEN_FIRST or bool(wanted.chosen(facet.key))


def of_request(request: Request) -> Asked:
    """Read the address of a list; what cannot be read there is left out."""
    got = request.query_params
    before = got.get("before", "")
    many = {
        key: tuple(value[:200] for value in got.getlist(key)[:40] if value)
        for key in ("status", "channel", "unit", "domain", "conduct", "language", "medium")
    }
    view = got.get("view", "all")
    return Asked(
        view=view if view in {one.code for one in VIEWS} else "all",
        q=got.get("q", "")[:200],
        since=_day(got.get("since", "")),
        until=_day(got.get("until", "")),
        before=int(before)
        if before.isascii() and before.isdecimal() and len(before) < 18
        else None,
        **many,
    )


def query_of(here: Seat, wanted: Asked) -> search.Query:
    """Turn what was asked for into a query."""
    query = search.Query(
        words=wanted.q,
        statuses=wanted.status,
        channels=wanted.channel,
        units=wanted.unit,
        domains=wanted.domain,
        conducts=wanted.conduct,
        languages=wanted.language,
        media=wanted.medium,
        since=_midnight(wanted.since),
        until=_midnight(wanted.until, days=1),
    )
    account = here.account
    if wanted.view == "mine":
        return query.but(assignees=(str(account.id),), open_only=True)
    if wanted.view == "listen":
        languages = query.languages or tuple(dict.fromkeys([*account.languages, "und"]))
        statuses = query.statuses or (Status.NEEDS_LISTENER.value,)
        return query.but(statuses=statuses, languages=languages)
    if wanted.view == "overdue":
        return query.but(overdue_at=now())
    if wanted.view == "today":
        midnight = clocks.midnight(now())
        return query.but(since=max(midnight, query.since) if query.since else midnight)
    if wanted.view == "low":
        return query.but(low_confidence=True, open_only=True)
    return query


def _views(here: Seat) -> tuple[View, ...]:
    if here.may(Act.DECIDE):
        return VIEWS
    return tuple(view for view in VIEWS if view.code in LISTENER_VIEWS)


def _facets(session: Session, at: At, here: Seat, units: tuple[Option, ...]) -> tuple[Facet, ...]:
    lang = here.lang
    languages = tuple(Option(tag, names.language(tag, lang)) for tag in names.OFFERED)
    return (
        Facet("status", "statuses", "状态", "Status", names.options(names.STATUS, lang)),
        Facet("language", "languages", "语言", "Language", languages),
        Facet("domain", "domains", "领域", "Domain", names.domains(at.codes, lang)),
        Facet("conduct", "conducts", "行为", "Conduct", names.conducts(at.codes, lang)),
        Facet(
            "medium",
            "media",
            "形式",
            "Medium",
            tuple(
                Option(one.value, names.called(names.MEDIUM, one.value, lang))
                for one in ReportMedium
            ),
        ),
        Facet("channel", "channels", "渠道", "Channel", _channels(session, here.account)),
        Facet("unit", "units", "单位", "Unit", units),
    )


def _channels(session: Session, account: Account) -> tuple[Option, ...]:
    """List the channels of the account's subtree, as many as a person can look through."""
    shared = division.prefix(account.division)
    rows = session.exec(
        select(Channel.code, Channel.name)
        .where(col(Channel.jurisdiction).startswith(shared))
        .order_by(Channel.code)
        .limit(CHANNELS_MOST)
    )
    return tuple(Option(code, name) for code, name in rows)


def _units(shown: tuple[Complaint, ...], maskers: dict[UUID, Masker]) -> tuple[Option, ...]:
    """List the units that the reports on the page are about."""
    found: dict[str, str] = {}
    for complaint in shown:
        if complaint.subject_unit and complaint.subject_unit != "unknown":
            code = complaint.subject_unit_code or complaint.subject_unit
            name = maskers.get(complaint.id, Masker()).hide(complaint.subject_unit)
            if complaint.subject_unit_code or name == complaint.subject_unit:
                found.setdefault(code, name)
    return tuple(Option(code, name) for code, name in list(found.items())[:UNITS_MOST])


def _rows(
    session: Session, complaints: tuple[Complaint, ...], maskers: dict[UUID, Masker]
) -> list[Row]:
    assignees = {one.assignee_id for one in complaints if one.assignee_id}
    called = dict(
        session.exec(select(Account.id, Account.name).where(col(Account.id).in_(assignees))).all()
    )
    return [_row(one, maskers.get(one.id, Masker()), called) for one in complaints]


def _row(complaint: Complaint, masker: Masker, called: dict[UUID, str]) -> Row:
    title = masker.hide(complaint.title)
    lead = masker.hide(complaint.description)[:160]
    if lead.startswith(title.rstrip("…")):
        lead = lead[len(title.rstrip("…")) :].lstrip("，。,. ")
    return Row(
        complaint=complaint,
        title=title,
        lead=lead,
        unit=masker.hide(complaint.subject_unit),
        assignee=called.get(complaint.assignee_id, "") if complaint.assignee_id else "",
        low=indexed.is_low(complaint),
    )


def _day(written: str) -> str:
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError:
        return ""


def _midnight(written: str, *, days: int = 0) -> datetime | None:
    if not written:
        return None
    return datetime.combine(date.fromisoformat(written) + timedelta(days=days), time(), OFFICE)
