"""Spoken prompts for administrators: what is heard, what is missing, and recording better ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.citizen import prompts as recorded
from api.citizen import words
from api.house import House
from api.staff import pages
from api.staff.pages import StaffRoute
from api.staff.session import At, Here, Seat
from models import access, channels, division, prompts
from models.access import Act
from models.account import Account
from models.channel import Channel
from models.database import reading
from models.errors import NotAllowed, NotFound, TooLarge
from models.prompts import EVERY_CHANNEL, Standing

router = APIRouter(prefix="/staff/prompts", route_class=StaffRoute, include_in_schema=False)
MISSING = "missing"
# By what the page is doing when a prompt is heard; the rest comes last.
DIGIT = "d"
STATE = "state_"

Code = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True)
class Summary:
    """How a language stands. by : how many prompts are heard from where"""

    tag: str
    by: Counter[str]
    total: int

    @property
    def share(self) -> float:
        """Tell which part has a recording at all."""
        return 1 - self.by[MISSING] / max(1, self.total)


@router.get("")
def show(
    request: Request,
    at: At,
    here: Here,
    channel: Code = EVERY_CHANNEL,
    language: Annotated[str, Query(max_length=35)] = words.FALLBACK,
    missing: bool = False,
) -> Response:
    """Show every prompt of a language, where it is heard from, and what is missing."""
    access.require(here.account, Act.ADMINISTER)
    _known(language)
    with reading(at.engine) as session:
        mine = channels.listed(session, here.account)
    _require_channel(here.account, channel, mine)
    stands = {tag: recorded.standing(at, channel, tag) for tag in words.known()}
    summaries = [
        Summary(tag, Counter(one.by for one in rows), len(rows)) for tag, rows in stands.items()
    ]
    rows = [one for one in stands[language] if not missing or one.by == MISSING]
    return pages.render(
        request,
        "prompts.html",
        here,
        channels=mine,
        channel=channel,
        language=language,
        missing=missing,
        may_record=_may_record(here.account, channel, mine),
        summaries=summaries,
        groups=grouped(rows),
        **_row_values(language, channel),
    )


@router.post("/{tag}/{name}")
async def record(
    request: Request,
    at: At,
    here: Here,
    tag: str,
    name: str,
    seconds: Annotated[float, Query()],
    channel: Code = EVERY_CHANNEL,
) -> Response:
    """Take a recording of a prompt; the body is the sound."""
    await run_in_threadpool(_require, at, here, channel, tag)
    sound = bytearray()
    async for chunk in request.stream():
        sound += chunk
        if len(sound) > prompts.BYTES_MOST:
            kilobytes = prompts.BYTES_MOST // 1024
            raise TooLarge(
                f"提示音最大 {kilobytes} KB，请录短一些。",
                f"A prompt takes at most {kilobytes} kB: make it shorter.",
            )
    await run_in_threadpool(
        recorded.record, at, channel, tag, name, bytes(sound), seconds, here.account
    )
    return await run_in_threadpool(_row, request, at, here, tag, name, channel)


@router.post("/{tag}/{name}/removal")
def remove(
    request: Request, at: At, here: Here, tag: str, name: str, channel: Code = EVERY_CHANNEL
) -> Response:
    """Forget a recording; what was there before it is heard again."""
    _require(at, here, channel, tag)
    recorded.remove(at, channel, tag, name, here.account)
    return _row(request, at, here, tag, name, channel)


def grouped(rows: list[Standing]) -> dict[str, list[Standing]]:
    """Put prompts that belong together under one name: the way, the states, the digits."""
    groups: dict[str, list[Standing]] = {"way": [], "states": [], "digits": []}
    for one in rows:
        digit = len(one.name) == len(DIGIT) + 1 and one.name[1:].isdigit()
        kind = "digits" if digit else "states" if one.name.startswith(STATE) else "way"
        groups[kind].append(one)
    return {kind: found for kind, found in groups.items() if found}


def _row(request: Request, at: House, here: Seat, tag: str, name: str, channel: str) -> Response:
    found = next(one for one in recorded.standing(at, channel, tag) if one.name == name)
    values = _row_values(tag, channel)
    return pages.render(
        request, "prompts_row.html", here, one=found, channel=channel, may_record=True, **values
    )


def _row_values(tag: str, channel: str) -> dict[str, Any]:
    texts = words.load()
    return {
        "tag": tag,
        "direction": texts[tag].direction if texts[tag].own else "ltr",
        "spoken_in": tag if texts[tag].own else words.FALLBACK,
        "chinese": texts[words.FALLBACK].spoken | {"name": texts[tag].chinese},
        "own": channel or "-",
        "stands_in": {
            name: words.packaged_prompt(tag, name) is not None
            for name in texts[words.FALLBACK].spoken
        },
    }


def _known(tag: str) -> None:
    if tag not in words.load():
        raise NotFound(
            f"页面没有语言 {tag}。", f"The page has no language {tag}.", code="unknown_language"
        )


def _require(at: House, here: Seat, channel: str, tag: str) -> None:
    access.require(here.account, Act.ADMINISTER)
    _known(tag)
    with reading(at.engine) as session:
        mine = channels.listed(session, here.account)
    _require_channel(here.account, channel, mine)
    if not _may_record(here.account, channel, mine):
        raise NotAllowed(
            "所有渠道共用的提示音，只有管全部辖区（000000）的管理员可以改。请选择一个渠道。",
            "Only an administrator of every division (000000) changes what all channels say: "
            "choose a channel.",
        )


def _require_channel(account: Account, channel: str, mine: tuple[Channel, ...]) -> None:
    if channel != EVERY_CHANNEL and channel not in {one.code for one in mine}:
        raise NotFound(
            "没有这个渠道，或者它不归您管理。",
            "There is no such channel, or it is not yours to look after.",
            code="unknown_channel",
        )


def _may_record(account: Account, channel: str, mine: tuple[Channel, ...]) -> bool:
    """Tell whether an account may change what a channel, or all of them, say."""
    if channel == EVERY_CHANNEL:
        return account.division == division.NATION
    return channel in {one.code for one in mine}
