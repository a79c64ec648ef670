"""From an error to an answer: one table, and one form (RFC 9457) with a sentence in two languages.

No answer and no log line repeats a value that was sent: it may be what somebody said.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from models import errors
from models.errors import XiangyinError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

# The nearest class in an error's family decides.
STATUS: dict[type[XiangyinError], HTTPStatus] = {
    errors.NotMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Empty: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Refused: HTTPStatus.BAD_REQUEST,
    errors.Permanent: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Misconfigured: HTTPStatus.INTERNAL_SERVER_ERROR,
    XiangyinError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

NO_SUCH_PAGE = errors.NotFound(
    "没有这个地址，请检查后再试。",
    "There is nothing at this address: check it and try again.",
    code="no_such_address",
)
WRONG_METHOD = errors.Refused(
    "这个地址不接受这种请求方法。",
    "This address does not take that method: see the Allow header.",
    code="method_not_allowed",
)
NOT_FOLLOWED = errors.Invalid(
    "请求中有的字段不符合规则，请对照接口说明修改。",
    "Some fields do not follow the rules: compare them with the description of the interface.",
    code="invalid_fields",
)
NOT_UNDERSTOOD = errors.Refused(
    "看不懂这个请求，请检查格式。",
    "The request cannot be read: check its form.",
    code="malformed_request",
)
OUT_OF_ORDER = XiangyinError(
    "服务器出了问题，已经记录，请稍后再试。",
    "Something went wrong on our side and was recorded: please try again later.",
    code="internal_error",
)
DATABASE_AWAY = errors.Unavailable(
    "数据库没有回应，请稍后再试。",
    "The database does not answer: please try again later.",
    code="database_unavailable",
)


class Problem(BaseModel):
    """An error as it is answered. code : stable, for programs; zh, en : what to do, for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    zh: str
    en: str
    fields: list[str] = Field(
        default_factory=list, description="parameters that were at fault, where that is known"
    )


def status_of(error: XiangyinError) -> HTTPStatus:
    """Look up the status of an error by its nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def respond(
    error: XiangyinError, *, status: HTTPStatus | None = None, fields: list[str] | None = None
) -> JSONResponse:
    """Make the answer for an error, with the headers that its status calls for."""
    status = status or status_of(error)
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, errors.TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Receipt" if "receipt" in error.code else "Bearer"
    problem = Problem(
        title=status.phrase,
        status=status.value,
        code=error.code,
        zh=error.zh,
        en=error.en,
        fields=fields or [],
    )
    return JSONResponse(
        problem.model_dump(mode="json"), status.value, headers=headers, media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Answer every error of this tree, of the framework and of the database in our form."""
    app.add_exception_handler(XiangyinError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(InterfaceError, _database)
    app.add_exception_handler(DataError, _unstorable)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, XiangyinError)
    return respond(error)


async def _validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    named = {str(one["loc"][1]) for one in error.errors() if _names_ours(one)}
    return respond(NOT_FOLLOWED, fields=sorted(named))


def _names_ours(fault: Any) -> bool:
    """Tell whether a fault lies with a parameter of ours; a name we do not know is the client's."""
    known = fault["type"] != "extra_forbidden"
    return known and len(fault["loc"]) > 1 and fault["loc"][0] in ("path", "query", "header")


async def _framework(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    known = {404: NO_SUCH_PAGE, 405: WRONG_METHOD}
    answer = respond(
        known.get(error.status_code, NOT_UNDERSTOOD), status=HTTPStatus(error.status_code)
    )
    if error.headers and "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


async def _unstorable(_: Request, __: Exception) -> JSONResponse:
    # PostgreSQL takes no NUL in a text, say.
    return respond(NOT_FOLLOWED)


async def _database(_: Request, __: Exception) -> JSONResponse:
    return respond(DATABASE_AWAY)
