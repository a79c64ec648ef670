"""What the OpenAPI document says besides what the code says by itself: words and examples.

All people, places and events in the examples are invented.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from api.errors import MEDIA_TYPE, Problem

# Of the interface, not of the program: it grows with what is added and never breaks.
VERSION = "1.0.0"

Responses = dict[int | str, dict[str, Any]]

DESCRIPTION = """
举报的程序接口：递交语音、照片和文字，凭回执查询，供工作人员的程序读取标准记录。

Send voice, photographs and text, look up a report by its receipt, and read standard complaints.
Every error is `application/problem+json`: a stable `code`, a sentence in Chinese and in English.
"""
TAGS = [
    {"name": "reports", "description": "递交与查询 · for reporters; nobody logs in"},
    {"name": "complaints", "description": "标准记录 · for staff, behind a bearer token"},
    {"name": "description", "description": "记录的格式 · the form of the record"},
    {"name": "health", "description": "运行状况 · whether the server works"},
]
RECEIPT = "5724 0163 9485 0717"
COMPLAINT_ID = "0193a5c2-7b1e-7c44-9f0d-3a52c1d0e7aa"
MEDIUM_ID = "0193a5c2-7b1f-7a10-8c2b-5d0f7e61b2c4"

_PROBLEMS: dict[int, tuple[str, str, str]] = {
    400: (
        "malformed_form",
        "表单格式不对或没有传完，请重新提交。",
        "The form is malformed or was cut off: send it again.",
    ),
    401: (
        "bad_token",
        "令牌无效或已过期，请向管理员索取新的令牌。",
        "The token is unknown or has expired: ask an administrator for a new one.",
    ),
    403: (
        "not_allowed",
        "您的账号没有这项权限，如工作需要请向管理员申请。",
        "Your account may not do this: ask an administrator if your work needs it.",
    ),
    404: (
        "no_complaint",
        "没有这件举报，或者您无权查看。",
        "There is no such complaint, or it is not yours to see.",
    ),
    409: (
        "idempotency_key_reused",
        "同一个 Idempotency-Key 已用于另一份内容，请换一个新的。",
        "That Idempotency-Key was used for another report: draw a new one.",
    ),
    413: (
        "too_large",
        "内容太大，请分成几次提交。",
        "That is more than one report may hold: send it as several.",
    ),
    415: (
        "not_media",
        "这不是录音或照片，请发送录音、照片或文字。",
        "This is neither a recording nor a photograph: send sound, a picture or text.",
    ),
    416: (
        "bad_range",
        "请求的范围超出了文件。",
        "The range lies outside the file: ask for one within its size.",
    ),
    422: (
        "invalid_fields",
        "请求中有的字段不符合规则，请对照接口说明修改。",
        "Some fields do not follow the rules: compare them with the description of the interface.",
    ),
    429: (
        "too_many",
        "现在提交的人太多，请稍等一会儿再试。",
        "Too many requests just now: please wait a little and try again.",
    ),
    503: (
        "database_unavailable",
        "数据库没有回应，请稍后再试。",
        "The database does not answer: please try again later.",
    ),
}


def problems(*statuses: int) -> Responses:
    """Describe the errors of a route, each with an example."""
    return {
        status: {
            "model": Problem,
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"example": _problem(status)}},
        }
        for status in statuses
    }


def answer(
    example: object, *, status: int = 200, media_type: str = "application/json"
) -> Responses:
    """Describe a route's own answer by an example."""
    return {status: {"content": {media_type: {"example": example}}}}


def _problem(status: int) -> dict[str, Any]:
    code, zh, en = _PROBLEMS[status]
    problem = Problem(title=HTTPStatus(status).phrase, status=status, code=code, zh=zh, en=en)
    return problem.model_dump(mode="json")
