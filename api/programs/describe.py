"""What the OpenAPI document says besides what the code says by itself: words and examples.

All people, places and events in the examples are invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

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


_PROBLEM = Problem.model_json_schema(mode="serialization")


def problems(*statuses: int) -> Responses:
    """Describe the errors of a route, each with an example."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": _PROBLEM, "example": _problem(status)}},
        }
        for status in statuses
    }


def answer(
    example: object, *, status: int = 200, media_type: str = "application/json"
) -> Responses:
    """Describe a route's own answer by an example."""
    return {status: {"content": {media_type: {"example": example}}}}


def text(example: str, media_type: str) -> Responses:
    """Describe an answer that is text of some form."""
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": "The text", "content": content}}


def file(*media_types: str) -> Responses:
    """Describe an answer that is a file of one of some forms, or a range of one."""
    body = {"schema": {"type": "string", "format": "binary"}, "example": "(…)"}
    content = dict.fromkeys(media_types, body)
    return {
        200: {"description": "The whole file", "content": content},
        206: {"description": "The range that was asked for", "content": content},
    }


def keep_examples(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Put the examples into the OpenAPI document as they are: the framework drops every null."""
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            _restore(generate(), routers)
        return app.openapi_schema or generate()

    app.openapi = document  # type: ignore[method-assign]


def _restore(made: dict[str, Any], routers: Sequence[APIRouter]) -> None:
    routes = [route for router in routers for route in router.routes]
    for route in routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            answers = made["paths"][route.path][method.lower()]["responses"]
            for status, said in route.responses.items():
                for media_type, body in said.get("content", {}).items():
                    answers[str(status)]["content"][media_type]["example"] = body["example"]


def _problem(status: int) -> dict[str, Any]:
    code, zh, en = _PROBLEMS[status]
    problem = Problem(title=HTTPStatus(status).phrase, status=status, code=code, zh=zh, en=en)
    return problem.model_dump(mode="json")


_SEGMENT: dict[str, Any] = {
    "start": 0.4,
    "end": 3.1,
    "text": "青禾村的低保名单没有公示",
    "tidy": "青禾村的低保名单没有公示",
    "language": "zh",
    "confidence": 0.97,
    "words": [{"start": 0.4, "end": 0.9, "text": "青禾村", "probability": 0.93}],
    "average_logprob": -0.21,
    "no_speech": 0.02,
    "compression_ratio": 0.8,
    "flags": [],
    "trusted": True,
}
TRANSCRIPT: dict[str, Any] = {
    "medium": MEDIUM_ID,
    "version": 1,
    "segments": [_SEGMENT],
    "by": "model",
    "model": "xiangyin-demo 1",
    "settings": {"beam": 1},
    "created": "2026-03-02T08:15:41Z",
    "accepted_by": None,
}
WEBVTT = "WEBVTT\n\n1\n00:00:00.400 --> 00:00:03.100\n<lang zh>青禾村的低保名单没有公示</lang>\n"
COMPLAINT: dict[str, Any] = {
    "id": COMPLAINT_ID,
    "medium": "voice",
    "channel": "qinghe-clinic",
    "jurisdiction": "510104",
    "round": "",
    "identity_mode": "anonymous",
    "reporter": None,
    "subject": {
        "name": "",
        "unit": "青禾村村民委员会",
        "unit_code": "510104-qinghe",
        "post": "",
        "rank": "village",
        "region": "",
    },
    "domain": "assistance",
    "conduct": "favouritism",
    "title": "青禾村低保名单没有公示",
    "description": "青禾村的低保名单没有公示",
    "occurred": {
        "start": "2025-12-01",
        "end": "2026-02-28",
        "precision": "season",
        "text": "去年冬天",
    },
    "place": "青禾村",
    "place_code": None,
    "amounts": [{"value": 3, "unit": "户", "text": "三户"}],
    "media": [
        {
            "id": MEDIUM_ID,
            "kind": "voice",
            "purpose": "complaint",
            "content_hash": "9f2c" * 16,
            "mime": "audio/webm",
            "bytes": 48213,
            "seconds": 12.4,
            "state": "done",
            "reason": None,
            "truncated": False,
            "copy_mime": "audio/mp4",
            "has_peaks": True,
        }
    ],
    "languages": [{"tag": "zh", "confidence": 0.97, "by": "tagger", "share": 1.0}],
    "declared_language": "zh",
    "transcripts": [TRANSCRIPT],
    "translations": [],
    "provenance": {
        "domain": [
            {
                "by": "rule",
                "confidence": 0.9,
                "medium": MEDIUM_ID,
                "transcript_version": 1,
                "from_character": 4,
                "to_character": 6,
                "start": 1.1,
                "end": 1.5,
                "box": None,
                "text": "低保",
                "why": "lexicon zh 1",
            }
        ]
    },
    "status": "ready",
    "status_reason": "",
    "assignee": None,
    "version": 3,
    "messages": [],
    "training_consent": False,
    "upward_only": False,
    "duplicate_of": None,
    "received_at": "2026-03-02T08:15:30Z",
    "due_at": "2026-03-09T15:59:59Z",
    "closed_at": None,
    "retention_until": "2036-03-02",
}
