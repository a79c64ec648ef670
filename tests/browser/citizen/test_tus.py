"""Our side of the tus protocol against the real tus-js-client, as rough as phones are with it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlmodel import select

from models import following
from models.database import reading
from models.medium import Medium
from tests.browser.citizen.conftest import phone_of
from tests.browser.conftest import CODE, Served

pytestmark = pytest.mark.browser
SIZE = 300_000

# window.begin(options) makes an upload of window.sound; its promise settles as the upload does.
CLIENT = """async ([base, code, sound]) => {
  const script = document.createElement("script");
  script.src = `${base}/vendor/tus.min.js`;
  document.head.append(script);
  await new Promise((resolve) => (script.onload = resolve));
  window.bytes = Uint8Array.from(atob(sound), (sign) => sign.charCodeAt(0));
  window.sound = new Blob([window.bytes]);
  const hex = [...crypto.getRandomValues(new Uint8Array(16))];
  window.key = hex.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const post = (path, body) => fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }).then((answer) => answer.json());
  window.token = (await post("/uploads/tickets", { channel: code, key: window.key })).token;
  window.begin = (options = {}) => {
    const given = { ...options };
    let upload;
    const done = new Promise((resolve, reject) => {
      upload = new tus.Upload(given.file ?? window.sound, {
        endpoint: "/uploads",
        headers: { Authorization: `Upload ${window.token}` },
        metadata: { kind: "voice", purpose: "complaint" },
        chunkSize: 32 * 1024,
        retryDelays: [50, 100, 200],
        storeFingerprintForResuming: false,
        onSuccess: () => resolve(upload.url),
        onError: (error) => reject(error),
        ...given,
      });
      upload.start();
    });
    return { upload, done };
  };
  window.report = (...urls) => post("/reports", {
    token: window.token,
    key: window.key,
    channel: code,
    uploads: urls.map((url) => url.split("/").at(-1)),
  });
}"""


@pytest.fixture
def sound() -> bytes:
    return b"ID3" + os.urandom(SIZE - 3)


@pytest.fixture
def client(browser: Browser, served: Served, sound: bytes) -> Iterator[Page]:
    import base64

    context = phone_of(browser)
    page = context.new_page()
    page.goto(f"{served.url}/receipt")
    base = served.app.state.citizen.assets.base
    page.evaluate(CLIENT, [base, CODE, base64.b64encode(sound).decode()])
    yield page
    context.close()


def arrived(served: Served, answer: dict[str, Any]) -> list[bytes]:
    """Give what the files of a report hold now."""
    house = served.app.state.house
    with reading(house.engine) as session:
        found = following.by_receipt(session, house.keys, answer["receipt"])
        assert found is not None, answer
        media = session.exec(select(Medium).where(Medium.complaint_id == found.id)).all()
    return [b"".join(house.blobs.read(medium.original)) for medium in media]


def same(served: Served, answer: dict[str, Any], sound: bytes) -> bool:
    """Tell whether exactly these bytes arrived, once."""
    (content,) = arrived(served, answer)
    return hashlib.sha256(content).digest() == hashlib.sha256(sound).digest()


@pytest.mark.parametrize("piece", ["1000", "32 * 1024", "SIZE - 1", "SIZE", "Infinity"])
def test_pieces_of_any_size_make_the_same_file(
    client: Page, served: Served, sound: bytes, piece: str
) -> None:
    size = piece.replace("SIZE", str(SIZE))
    asked = f"async () => report(await begin({{ chunkSize: {size} }}).done)"
    assert same(served, client.evaluate(asked), sound)


def test_an_upload_that_was_broken_off_goes_on_where_it_stood(
    client: Page, served: Served, sound: bytes
) -> None:
    answer = client.evaluate(
        """async () => {
          const first = begin({ onChunkComplete: () => first.upload.abort() });
          while (!first.upload.url) await new Promise((resolve) => setTimeout(resolve, 5));
          await new Promise((resolve) => setTimeout(resolve, 500));
          const began = [];
          const again = begin({
            uploadUrl: first.upload.url,
            onBeforeRequest: (request) => began.push(request.getMethod()),
          });
          window.methods = began;
          return report(await again.done);
        }"""
    )
    assert same(served, answer, sound)
    methods = client.evaluate("window.methods")
    assert methods[0] == "HEAD" and "POST" not in methods
    assert 0 < methods.count("PATCH") < SIZE // (32 * 1024) + 1


def test_two_that_send_the_same_upload_do_not_spoil_it(
    client: Page, served: Served, sound: bytes
) -> None:
    answer = client.evaluate(
        """async () => {
          const one = begin({ chunkSize: 4096, retryDelays: Array(40).fill(20) });
          while (!one.upload.url) await new Promise((resolve) => setTimeout(resolve, 5));
          const options = { chunkSize: 5000, retryDelays: Array(40).fill(30) };
          const two = begin({ ...options, uploadUrl: one.upload.url });
          await Promise.any([one.done, two.done]);
          await Promise.allSettled([one.done, two.done].map((each) =>
            Promise.race([each, new Promise((resolve) => setTimeout(resolve, 1000))])));
          return report(one.upload.url);
        }"""
    )
    assert same(served, answer, sound)


def test_a_network_that_lets_no_patch_through_is_served_too(
    client: Page, served: Served, sound: bytes
) -> None:
    asked = "async () => report(await begin({ overridePatchMethod: true }).done)"
    assert same(served, client.evaluate(asked), sound)


def test_answers_that_are_lost_on_the_way_lose_and_double_nothing(
    client: Page, served: Served, sound: bytes
) -> None:
    seen: list[str] = []

    def lose(route: Any) -> None:
        seen.append(route.request.method)
        answer = route.fetch()
        if route.request.method == "PATCH" and len(seen) % 3 == 0:
            route.abort()
        else:
            route.fulfill(response=answer)

    client.route("**/uploads/*", lose)
    asked = "async () => report(await begin({ retryDelays: Array(30).fill(10) }).done)"
    assert same(served, client.evaluate(asked), sound)
    assert seen.count("HEAD") >= 2


def test_an_upload_that_is_given_up_is_gone(client: Page) -> None:
    gone = client.evaluate(
        """async () => {
          const mine = begin();
          await mine.done;
          const url = mine.upload.url;
          await tus.Upload.terminate(url, { headers: { Authorization: `Upload ${token}` } });
          const headers = { Authorization: `Upload ${token}`, "Tus-Resumable": "1.0.0" };
          return (await fetch(url, { method: "HEAD", headers })).status;
        }"""
    )
    assert gone == 404


@pytest.mark.parametrize(
    "options",
    [
        "headers: { Authorization: 'Upload stolen' }",
        "headers: {}",
        "metadata: { kind: 'text' }",
        "metadata: { kind: 'voice', purpose: '../key' }",
        "parallelUploads: 2",
        "uploadDataDuringCreation: true",
        "uploadLengthDeferred: true",
        "file: new Blob(['<html>'.repeat(9000)])",
    ],
)
def test_what_is_not_offered_is_refused_aloud_and_stores_nothing(
    client: Page, served: Served, options: str
) -> None:
    shelf = served.app.state.citizen.uploads
    finished = {one.id for one in shelf._all.values() if one.part is not None}
    failed = client.evaluate(
        f"() => begin({{ retryDelays: null, {options} }}).done.then(() => '', (e) => String(e))"
    )
    assert failed
    assert {one.id for one in shelf._all.values() if one.part is not None} == finished
