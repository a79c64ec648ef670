"""POST /v1/reports: a report comes in, in whatever form a person could give it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api import address, house
from api.house import House
from api.programs import describe, form
from api.programs.form import Form
from ingest.accept import About
from models import receipt
from models.complaint import IdentityMode
from models.errors import Invalid

router = APIRouter(prefix="/v1", tags=["reports"])
LOOK_AT = "/v1/report"
KEY_EXAMPLE = "c1f7be0df3f14c2aa1e05d3fb9f0a6e2"


class Look(BaseModel):
    """Where and how the reporter asks what became of it."""

    method: str = "GET"
    url: str
    authorization: str


class Acknowledgement(BaseModel):
    """The report is stored and will not be lost.

    receipt : sixteen digits in groups of four, told only now
    repeated : the same Idempotency-Key had brought the same report before
    """

    receipt: str
    repeated: bool
    look: Look


EXAMPLE = {
    "receipt": describe.RECEIPT,
    "repeated": False,
    "look": {
        "method": "GET",
        "url": "http://127.0.0.1:8321/v1/report",
        "authorization": f"Receipt {describe.RECEIPT}",
    },
}
FIELD_TEXTS = {
    "text": "typed text, up to 4,000 characters",
    "channel": "code of the QR code or window; empty: the default channel",
    "declared_language": "BCP-47 tag that the reporter touched; `und` for another language",
    "reporter_name": "only with `identity_mode=real_name`",
    "reporter_contact": "only with `identity_mode=real_name`",
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "audio": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "recordings, known by their content, not their names",
                        },
                        "image": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "photographs, known by their content",
                        },
                        **{
                            name: {
                                "type": "string",
                                "description": text,
                                "maxLength": form.FIELD_CHARACTERS.get(name, 4_000),
                            }
                            for name, text in FIELD_TEXTS.items()
                        },
                        "identity_mode": {
                            "type": "string",
                            "enum": [mode.value for mode in IdentityMode],
                            "default": IdentityMode.ANONYMOUS.value,
                        },
                        "upward_only": {
                            "type": "string",
                            "enum": ["false", "true"],
                            "default": "false",
                            "description": "only the level above the channel's body hears it",
                        },
                    },
                },
                "example": {
                    "text": "青禾村去年冬天发低保，有三户人家说没有领到，名单也没有公示。",
                    "declared_language": "zh",
                },
            }
        },
    }
}


@router.post(
    "/reports",
    status_code=202,
    summary="Send a report",
    openapi_extra=BODY,
    responses={
        **describe.answer(EXAMPLE, status=202),
        **describe.problems(400, 409, 413, 415, 422, 429, 503),
    },
)
async def receive(
    request: Request,
    response: Response,
    at: Annotated[House, Depends(house.of)],
    idempotency_key: Annotated[
        str | None,
        Header(
            description="128 random bits for each report, as 32 hex digits; "
            "sent again, it gives the same receipt",
            examples=[KEY_EXAMPLE],
            max_length=200,
        ),
    ] = None,
) -> Acknowledgement:
    """Take a report in and give its receipt; it is stored before this answers."""
    at.limiter.submit_address(address.of(request, at.settings.proxies))
    sent = await form.read(request, at.intake, at.settings.limits)
    return await run_in_threadpool(_accept, at, sent, idempotency_key, response)


def _accept(at: House, sent: Form, key: str | None, response: Response) -> Acknowledgement:
    try:
        at.limiter.submit_channel(sent.channel)
        about = _about(sent)
    except BaseException:
        at.intake.discard(sent.parts)
        raise
    acknowledged = at.intake.accept(sent.parts, about, key)
    response.headers["Location"] = LOOK_AT
    shown = receipt.grouped(acknowledged.receipt)
    return Acknowledgement(
        receipt=shown,
        repeated=acknowledged.repeated,
        look=Look(url=at.settings.base_url + LOOK_AT, authorization=f"Receipt {shown}"),
    )


def _about(sent: Form) -> About:
    """Read the short fields by their rules, or raise Invalid."""
    try:
        mode = IdentityMode(sent.identity_mode or IdentityMode.ANONYMOUS)
    except ValueError as error:
        raise Invalid(
            "identity_mode 只能是 anonymous 或 real_name。",
            "identity_mode is either anonymous or real_name.",
            code="bad_identity_mode",
        ) from error
    if sent.upward_only not in ("", "false", "true"):
        raise Invalid(
            "upward_only 只能是 true 或 false。",
            "upward_only is either true or false.",
            code="bad_upward_only",
        )
    return About(
        channel=sent.channel,
        declared_language=sent.declared_language,
        identity_mode=mode,
        reporter_name=sent.reporter_name,
        reporter_contact=sent.reporter_contact,
        text=sent.text,
        upward_only=sent.upward_only == "true",
    )
