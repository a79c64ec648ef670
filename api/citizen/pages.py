"""The pages themselves: a channel's, the receipt's, posters, and what works offline."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.exc import OperationalError
from starlette.background import BackgroundTask

from api import ranges
from api.citizen import assets, poster, words
from api.citizen.door import Door, of
from models import channels, prompts
from models.channel import Channel
from models.database import reading, writing
from models.errors import NotFound, Refused
from models.stored import StoredFile

router = APIRouter(include_in_schema=False)
AtDoor = Annotated[Door, Depends(of)]
PROMPT_AGE = timedelta(days=1)
ANY_CHANNEL = "-"
REVALIDATE = {"Cache-Control": "no-cache"}

_templates = Environment(
    loader=FileSystemLoader(words.DOOR / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@router.get("/")
def home(request: Request, door: AtDoor) -> Response:
    """Serve the page of the installation's own channel."""
    return _page(request, door, door.house.settings.default_channel)


@router.get("/c/{code}")
def page(request: Request, door: AtDoor, code: str) -> Response:
    """Serve the page of a channel and count that it was opened."""
    return _page(request, door, code)


@router.get("/receipt")
def receipt(request: Request, door: AtDoor) -> Response:
    """Serve the page that tells what became of a report."""
    tags = tuple(tag for tag in channels.LANGUAGES if tag in words.known())
    about = _about(door, "", tags, None)
    with reading(door.house.engine) as session:
        channel = session.get(Channel, door.house.settings.default_channel)
    help_to = _help(channel)
    return _html(request, door, "receipt.html", tags, about=about, **help_to)


@router.get("/c/{code}/poster")
def poster_page(request: Request, door: AtDoor, code: str) -> Response:
    """Serve a page that prints on A4."""
    channel = _existing(door, code)
    tags = channels.languages(channel, words.known())
    address = channels.address(door.house.settings.base_url, channel.code)
    return _html(request, door, "poster.html", tags, channel=channel, address=address)


@router.get("/c/{code}/poster.svg")
def poster_code(door: AtDoor, code: str) -> Response:
    """Give the channel's QR code."""
    channel = _existing(door, code)
    address = channels.address(door.house.settings.base_url, channel.code)
    drawn = poster.draw(address, channel.name)
    return Response(drawn, headers=REVALIDATE, media_type="image/svg+xml")


@router.get(assets.PREFIX + "/{version}/{file:path}")
def static(request: Request, door: AtDoor, version: str, file: str) -> Response:
    """Serve one of the page's files."""
    return door.assets.respond(request, version, file)


@router.get("/prompts/{code}/{tag}/{name}.mp3")
def prompt(request: Request, door: AtDoor, code: str, tag: str, name: str) -> Response:
    """Serve a spoken prompt: the channel's own, the one for all channels, or what ships."""
    channel = "" if code == ANY_CHANNEL else code
    with reading(door.house.engine) as session:
        recorded = prompts.find(session, channel, tag, name)
    if recorded is not None:
        file = StoredFile(blob=recorded.blob, mime=recorded.mime, etag=recorded.blob[-32:])
        answer = ranges.respond(request, door.house.blobs, file)
        answer.headers["Cache-Control"] = "no-cache"
        return answer
    shipped = words.packaged_prompt(tag, name)
    if shipped is None:
        raise NotFound("没有这条提示音。", "There is no such prompt.", code="unknown_prompt")
    age = f"public, max-age={PROMPT_AGE.total_seconds():.0f}"
    return FileResponse(shipped, media_type=words.PROMPT_MIME, headers={"Cache-Control": age})


@router.get("/worker.js")
def worker(request: Request, door: AtDoor) -> Response:
    """Serve the service worker; it lies at the root, so that it may answer for every page."""
    base = door.assets.base
    listed = [f"{base}/{name}" for name in assets.OFFLINE]
    listed += [f"{base}/words/{tag}.json" for tag in words.known()]
    body = _templates.get_template("worker.js").render(
        version=door.assets.version, static=base, files=Markup(json.dumps(listed))
    )
    return assets.respond(request, assets.asset(body.encode(), "text/javascript"), REVALIDATE)


@router.get("/manifest.webmanifest")
def manifest(request: Request, door: AtDoor) -> Response:
    """Serve what a phone needs to put the page on its first screen."""
    icon = {"src": f"{door.assets.base}/icon.svg", "sizes": "any", "type": "image/svg+xml"}
    body = json.dumps(
        {
            "name": "乡音",
            "short_name": "乡音",
            "start_url": "/",
            "display": "standalone",
            "background_color": "#faf6ef",
            "theme_color": "#faf6ef",
            "icons": [icon],
        },
        ensure_ascii=False,
    )
    made = assets.asset(body.encode(), "application/manifest+json")
    return assets.respond(request, made, REVALIDATE)


def _page(request: Request, door: Door, code: str) -> Response:
    try:
        with reading(door.house.engine) as session:
            channel = channels.opened(session, code)
    except Refused as error:
        return _closed(request, door, code, error)
    tags = channels.languages(channel, words.known())
    about = _about(door, channel.code, tags, channel.recording_seconds)
    answer = _html(
        request,
        door,
        "page.html",
        tags,
        about=about,
        text_characters=door.house.settings.limits.text_characters,
        **_help(channel),
    )
    # Once the page is on its way: nobody waits for a count, and none is worth a page that fails.
    answer.background = BackgroundTask(_count, door, channel.code)
    return answer


def _count(door: Door, code: str) -> None:
    with suppress(OperationalError), writing(door.house.engine) as session:
        channels.count_scan(session, code)


def _closed(request: Request, door: Door, code: str, error: Refused) -> Response:
    """Tell in pictures, words and voice that a code is not in use, and whom to call."""
    with reading(door.house.engine) as session:
        channel = session.get(Channel, code)
    answer = _html(
        request, door, "closed.html", ("zh",), zh=error.zh, en=error.en, **_help(channel)
    )
    answer.status_code = 404 if isinstance(error, NotFound) else 410
    return answer


def _existing(door: Door, code: str) -> Channel:
    with reading(door.house.engine) as session:
        channel = session.get(Channel, code)
    if channel is None:
        raise NotFound("没有这个渠道。", "There is no such channel.", code="unknown_channel")
    return channel


def _help(channel: Channel | None) -> dict[str, str]:
    return {
        "help_name": channel.help_name if channel else "",
        "help_phone": channel.help_phone if channel else "",
    }


def _about(door: Door, code: str, tags: tuple[str, ...], seconds: int | None) -> Markup:
    limits = door.house.settings.limits
    about = {
        "channel": code,
        "languages": tags,
        "seconds": min(seconds or limits.recording_seconds, limits.recording_seconds),
        "files": limits.files,
        "static": door.assets.base,
        # The first language's words come along; those of another are asked for once it is chosen.
        "words": words.load()[tags[0]].as_json(),
    }
    # Inside a script element only a less-than sign could end it.
    return Markup(json.dumps(about, ensure_ascii=False).replace("<", "\\u003c"))


def _html(request: Request, door: Door, name: str, tags: tuple[str, ...], **more: Any) -> Response:
    """Render a page in the first of its languages."""
    drawn = [words.template(file).read_text("utf-8") for file in ("pictures.svg", "autonyms.svg")]
    spoken = words.load()[tags[0]].as_json()
    body = _templates.get_template(name).render(
        static=door.assets.base,
        lang=spoken["tag"],
        direction=spoken["direction"],
        pictures=Markup("".join(drawn)),
        words=words.load()[tags[0]],
        chinese=words.load()[words.FALLBACK].label,
        languages=[words.shown(tag) for tag in tags],
        **more,
    )
    return assets.respond(request, assets.asset(body.encode(), "text/html"), REVALIDATE)
