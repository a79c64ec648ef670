"""Making pages: templates, the two languages, and how values are written."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from api import errors
from api.staff import names, session
from api.staff.session import Seat
from models.clocks import OFFICE
from models.columns import now
from models.errors import Unauthenticated, XiangyinError
from models.status import CLOSED

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
STATIC = files("api").joinpath("staff/static")
MINUTE, HOUR, DAY = 60, 3600, 86_400


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("api.staff"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "day": day,
        "moment": moment,
        "dated": dated,
        "clock": clock,
        "percent": lambda share: f"{round(100 * float(share))}%",
    }
    made.globals |= {"names": names, "closed": CLOSED}
    return made


def day(value: datetime | None) -> str:
    """Write a day in the office's time."""
    return "" if value is None else value.astimezone(OFFICE).strftime("%Y-%m-%d")


def moment(value: datetime | None) -> str:
    """Write a moment in the office's time, its year only where it is another one."""
    if value is None:
        return ""
    this_year = value.astimezone(OFFICE).year == now().astimezone(OFFICE).year
    return value.astimezone(OFFICE).strftime("%m-%d %H:%M") if this_year else dated(value)


def dated(value: datetime | None) -> str:
    """Write a moment in the office's time with its year, as paper wants it."""
    return "" if value is None else value.astimezone(OFFICE).strftime("%Y-%m-%d %H:%M")


def clock(seconds: float | None) -> str:
    """Write seconds of a recording as m:ss."""
    whole = int(seconds or 0)
    return f"{whole // MINUTE}:{whole % MINUTE:02d}"


def left(due: datetime, lang: str) -> tuple[str, str]:
    """Write how long until something is due, and how pressing that is."""
    seconds = (due - now()).total_seconds()
    days, hours = int(abs(seconds) // DAY), int(abs(seconds) % DAY // HOUR)
    amount = (
        (f"{days} 天" if days else f"{hours} 小时")
        if lang == "zh"
        else (f"{days} d" if days else f"{hours} h")
    )
    if seconds < 0:
        return (f"超期 {amount}" if lang == "zh" else f"{amount} late"), "late"
    word = f"剩 {amount}" if lang == "zh" else f"{amount} left"
    return word, "soon" if seconds < DAY else "calm"


_PAGES = _environment()


def render(
    request: Request,
    template: str,
    seat: Seat | None = None,
    *,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """Fill a template. Every value is escaped; nothing of a report is ever markup."""
    lang = seat.lang if seat is not None else session.lang_of(request)

    def t(zh: str, en: str) -> str:
        return en if lang == "en" else zh

    body = _PAGES.get_template(template).render(
        seat=seat,
        lang=lang,
        t=t,
        path=request.url.path,
        left=lambda due: left(due, lang),
        fragment=is_fragment(request),
        oidc=bool(request.app.state.house.settings.oidc_issuer),
        **values,
    )
    return HTMLResponse(body, status)


def is_fragment(request: Request) -> bool:
    """Tell whether a part of a page is asked for."""
    return "hx-request" in request.headers


def wants_page(request: Request) -> bool:
    """Tell whether a person's browser asks, not a script."""
    return "text/html" in request.headers.get("accept", "") or is_fragment(request)


class StaffRoute(APIRoute):
    """A route whose errors are pages where a page was asked for."""

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()

        async def answer_or_explain(request: Request) -> Response:
            try:
                return await answer(request)
            except XiangyinError as error:
                if not wants_page(request):
                    raise
                return _explain(request, error)
            except RequestValidationError:
                if not wants_page(request):
                    raise
                return _explain(request, errors.NOT_FOLLOWED)

        return answer_or_explain


def _explain(request: Request, error: XiangyinError) -> Response:
    if isinstance(error, Unauthenticated) and error.code == "login_needed":
        return to_login(request)
    status = errors.status_of(error)
    if is_fragment(request):
        made = render(request, "notice.html", status=status, error=error)
        made.headers["HX-Retarget"] = "#notices"
        made.headers["HX-Reswap"] = "innerHTML"
        return made
    return render(request, "error.html", status=status, error=error, code=int(status))


def to_login(request: Request) -> Response:
    """Send somebody to log in, and back to where they were afterwards."""
    came = request.headers.get("hx-current-url", "") if is_fragment(request) else ""
    wanted = came.partition("//")[2].partition("/")[2] if came else ""
    target = f"/{wanted}" if wanted else request.url.path
    if not wanted and request.url.query and request.method == "GET":
        target += f"?{request.url.query}"
    if request.method != "GET" and not wanted:
        target = session.PATH
    address = f"{session.PATH}/login?next={quote(target, safe='/')}"
    if is_fragment(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def back(request: Request, address: str) -> Response:
    """Send a browser on after a form was taken."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
