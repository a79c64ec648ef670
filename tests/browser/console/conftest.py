"""The console in the shared Chromium."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page

from api.app import create_app
from ingest.blobs import Blobs
from tests import cases, desk
from tests.conftest import House

START_SECONDS = 60
WAIT = 60_000


@dataclass
class Console:
    """The console in a browser. faults : what scripts and the content policy complained of"""

    page: Page
    address: str
    house: House
    laid: desk.Laid
    faults: list[str]

    def log_in(self, username: str) -> None:
        self.page.goto(f"{self.address}/staff")
        self.page.fill("[name=username]", username)
        self.page.fill("[name=password]", cases.PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/staff/*")

    def open(self, name: str) -> None:
        self.page.goto(f"{self.address}/staff/complaints/{self.laid.complaints[name]}")
        self.page.wait_for_selector("html.scripted .sound, html.scripted .typed")


@pytest.fixture
def console(
    browser: Browser,
    serve_app: Callable[[FastAPI], str],
    house: House,
    blobs: Blobs,
) -> Iterator[Console]:
    laid = desk.lay(house.engine, house.keys, blobs)
    address = serve_app(create_app(house.settings, queue=house.queue))
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type == "error" else None,
    )
    yield Console(page, address, house, laid, faults)
    context.close()


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser]) -> Browser:
    """One Chromium for a module, with a microphone that is not one."""
    return launch()


@pytest.fixture
def serve_app() -> Iterator[Callable[[FastAPI], str]]:
    """Serve an application from a thread and give its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: FastAPI) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        end = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < end:
            time.sleep(0.05)
        running.append((server, thread))
        return f"http://127.0.0.1:{port}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
