"""The console's part of the matrix: every route of it, and who gets through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.access import Act
from models.account import Role
from tests.integration.api.matrix import Visitor

HERE = "/staff/complaints/{complaint_id}"
SOUND = HERE + "/media/{medium_id}"


class Door(StrEnum):
    """What it takes to pass, beside the act."""

    OPEN = "open"
    LOGIN = "login"
    ACT = "act"
    COMPLAINT = "complaint"
    OWN = "own"


@dataclass(frozen=True)
class Try:
    """A route as a visitor tries it. ok : the status for whoever may pass"""

    door: Door
    act: Act | None = None
    ok: int = 200
    form: Mapping[str, str] | None = None
    json: object = None
    query: str = ""
    raw: bytes | None = None
    also: frozenset[int] = field(default_factory=frozenset)


def _c(act: Act, **more: object) -> Try:
    return Try(Door.COMPLAINT, act, **more)  # type: ignore[arg-type]


_VERSION = {"version": "99"}
CONSOLE: dict[tuple[str, str], Try] = {
    ("GET", "/staff/static/{path:path}"): Try(Door.OPEN),
    ("GET", "/staff/login"): Try(Door.OPEN),
    ("POST", "/staff/login"): Try(Door.OPEN, form={"username": "x"}, ok=401),
    ("POST", "/staff/language"): Try(Door.OPEN, form={"lang": "zh"}, ok=303),
    ("GET", "/staff/oidc"): Try(Door.OPEN, ok=404),
    ("GET", "/staff/oidc/back"): Try(Door.OPEN, ok=404),
    # Without the token of the settings there are no metrics.
    ("GET", "/metrics"): Try(Door.OPEN, ok=404),
    ("GET", "/staff"): Try(Door.LOGIN, ok=303),
    ("GET", "/staff/account"): Try(Door.LOGIN),
    ("POST", "/staff/account/password"): Try(Door.LOGIN, form={"old": "no", "new": "x"}, ok=401),
    ("POST", "/staff/account/second"): Try(Door.LOGIN, form={}),
    ("GET", "/staff/inbox"): Try(Door.ACT, Act.READ),
    ("GET", "/staff/inbox/counts"): Try(Door.ACT, Act.READ),
    ("GET", "/staff/figures"): Try(Door.ACT, Act.SEE_FIGURES),
    ("GET", "/staff/queue"): Try(Door.ACT, Act.ADMINISTER),
    ("POST", "/staff/queue/retry/{medium_id}"): Try(Door.ACT, Act.ADMINISTER, form={}, ok=409),
    ("GET", "/staff/audit"): Try(Door.ACT, Act.READ_AUDIT),
    ("GET", "/staff/audit/head"): Try(Door.ACT, Act.READ_AUDIT),
    ("POST", "/staff/audit/verify"): Try(Door.ACT, Act.READ_AUDIT, form={}),
    ("GET", "/staff/exports"): Try(Door.ACT, Act.EXPORT),
    ("POST", "/staff/exports"): Try(Door.ACT, Act.EXPORT, form={"form": "csv"}, ok=303),
    ("GET", "/staff/exports/{export_id}/file"): Try(Door.ACT, Act.EXPORT, ok=404),
    ("GET", "/staff/channels"): Try(Door.ACT, Act.ADMINISTER),
    ("POST", "/staff/channels"): Try(Door.ACT, Act.ADMINISTER, form={}, ok=422),
    ("GET", "/staff/channels/{code}"): Try(Door.ACT, Act.ADMINISTER),
    ("POST", "/staff/channels/{code}"): Try(Door.ACT, Act.ADMINISTER, form={}, ok=422),
    ("GET", "/staff/prompts"): Try(Door.ACT, Act.ADMINISTER),
    ("POST", "/staff/prompts/{tag}/{name}"): Try(
        Door.ACT, Act.ADMINISTER, raw=b"", query="?seconds=1", ok=415
    ),
    ("POST", "/staff/prompts/{tag}/{name}/removal"): Try(Door.ACT, Act.ADMINISTER, form={}, ok=404),
    ("GET", HERE): _c(Act.READ),
    ("GET", HERE + "/print"): _c(Act.READ),
    ("GET", HERE + "/here"): _c(Act.READ),
    ("GET", HERE + "/record"): _c(Act.READ),
    ("GET", HERE + "/export/{form}"): _c(Act.EXPORT),
    ("POST", HERE + "/fields"): _c(
        Act.DECIDE, form={**_VERSION, "name": "title", "value": "x"}, ok=409
    ),
    ("POST", HERE + "/status"): _c(Act.DECIDE, form={**_VERSION, "to": "in_review"}, ok=409),
    ("POST", HERE + "/assign"): _c(Act.ASSIGN, form=_VERSION, ok=409),
    ("POST", HERE + "/translations"): _c(Act.TRANSCRIBE, form={"tag": "-"}, ok=422),
    ("POST", HERE + "/repeats"): _c(
        Act.DECIDE, form={"other": "00000000-0000-0000-0000-000000000001"}, ok=404
    ),
    ("POST", HERE + "/messages"): _c(Act.ANSWER, form={"text": ""}, ok=422),
    ("POST", HERE + "/messages/voice"): _c(Act.ANSWER, raw=b"", ok=422),
    ("POST", HERE + "/identity"): _c(Act.SEE_IDENTITY, form={}),
    ("GET", SOUND + "/copy"): _c(Act.READ),
    ("GET", SOUND + "/original"): _c(Act.FETCH_ORIGINAL),
    ("GET", SOUND + "/peaks"): _c(Act.READ),
    ("GET", SOUND + "/compare"): _c(Act.READ),
    ("GET", SOUND + "/transcript"): _c(Act.READ),
    ("POST", SOUND + "/transcript"): _c(Act.TRANSCRIBE, json={"base": 99, "segments": []}, ok=409),
    ("POST", SOUND + "/accept"): _c(Act.TRANSCRIBE, form=_VERSION, ok=409),
    ("POST", SOUND + "/heard"): _c(Act.TRANSCRIBE, json={"start": 0, "end": 0}),
    ("PUT", SOUND + "/draft"): _c(Act.TRANSCRIBE, json={"base": 1, "segments": []}, ok=204),
    ("DELETE", SOUND + "/draft"): _c(Act.TRANSCRIBE, ok=204),
    # Last: it ends the session.
    ("POST", "/staff/logout"): Try(Door.LOGIN, form={}, ok=303),
}


def expected(way: Try, visitor: Visitor, allowed: bool) -> frozenset[int]:
    """Tell which answers a visitor may get. allowed : their role and permissions let them"""
    if way.door is Door.OPEN:
        return frozenset({way.ok})
    if visitor.role is None:
        return frozenset({401})
    if way.door is Door.LOGIN:
        return frozenset({way.ok})
    if way.door is Door.ACT:
        return frozenset({way.ok if allowed else 403})
    if visitor.role in (Role.OVERSEER, Role.ADMINISTRATOR):
        return frozenset({403, 404})
    if not visitor.sees:
        # Whoever lacks the act may be told so before it is looked up; nobody learns of the report.
        return frozenset({404}) if allowed else frozenset({403, 404})
    return frozenset({way.ok if allowed else 403})
