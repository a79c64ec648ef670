"""A real Chromium with a fake microphone, in front of the real application."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Playwright, sync_playwright

from api.app import create_app
from models import channels
from models.channel import Channel
from models.database import writing
from models.settings import Limits, Rates, Settings
from workers.valkey import Valkey

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 30.0
CODE = "xsl-clinic"
LANGUAGES = ["ug", "zh", "yue", "kk", "ko", "bo", "ii", "en"]


@dataclass(frozen=True)
class Served:
    """The application as a phone reaches it."""

    app: FastAPI
    url: str
    port: int

    @property
    def page(self) -> str:
        return f"{self.url}/c/{CODE}"


def find_chromium() -> str:
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        line = "no Chromium here: on Debian, `apt install chromium` brings it"
        if os.environ.get("XIANGYIN_TEST_BROWSER") == "required":
            pytest.fail(line)
        pytest.skip(line)
    return found


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    find_chromium()
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def launch(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """Start Chromium with a fake microphone; a sound file is what it hears."""
    browsers: list[Browser] = []

    def start(sound: Path | None = None, *, allow: bool = True, mute: bool = False) -> Browser:
        """mute : let no page make a sound before it was touched, as phones do"""
        arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
        needed = "document-user-activation" if mute else "no-user-gesture"
        arguments += [f"--autoplay-policy={needed}-required"]
        if allow:
            arguments.append("--use-fake-ui-for-media-stream")
        if sound is not None:
            arguments.append(f"--use-file-for-fake-audio-capture={sound}")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        browsers.append(browser)
        return browser

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="module")
def serve(
    tmp_path_factory: pytest.TempPathFactory, valkey_server: Valkey
) -> Iterator[Callable[..., Served]]:
    """Serve a fresh installation with one channel, over a real socket."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(
        *, rates: Rates | None = None, limits: Limits | None = None, **channel: object
    ) -> Served:
        settings = Settings(
            data=tmp_path_factory.mktemp("installation") / "data",
            redis_url=valkey_server.url,
            rates=rates or Rates(),
            limits=limits or Limits(),
            log_level="WARNING",
        )
        app = create_app(settings)
        fields = {
            "name": "杏树岭卫生室",
            "jurisdiction": "513425",
            "languages": LANGUAGES,
        } | channel
        with writing(app.state.house.engine) as session:
            channels.add(session, Channel(code=CODE, **fields))
        return _run(app, running)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(START_SECONDS)


def _run(app: FastAPI, running: list[tuple[uvicorn.Server, threading.Thread]]) -> Served:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    running.append((server, thread))
    until = time.monotonic() + START_SECONDS
    while not server.started:
        if time.monotonic() > until:
            pytest.fail("the application did not start")
        time.sleep(0.05)
    return Served(app, f"http://127.0.0.1:{port}", port)
