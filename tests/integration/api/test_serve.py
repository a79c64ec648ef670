"""The real server: a process, a socket, and what it writes down."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from api.client import Client, trusting
from models.errors import Misconfigured
from tests.conftest import House
from tests.files import sound
from tests.integration.server import READY_SECONDS, Running, self_signed, start
from tests.integration.traces import AGENT, REPORTER, TRACES, files, form, rows

pytestmark = pytest.mark.processes

MEGABYTE = 1024 * 1024


@pytest.fixture
def server(house: House) -> Iterator[Running]:
    running = start(house.settings)
    yield running
    if running.process.poll() is None:
        running.stop()


def everything_kept(house: House, redis: Redis, server: Running) -> Iterator[tuple[str, bytes]]:
    """Give every file of the installation, every row of every table and every key of the queue."""
    yield "output", server.said.read_bytes()
    yield from files(house.settings.data)
    yield from rows(house.engine)
    for key in redis.scan_iter():
        yield key.decode(), key + (redis.dump(key) or b"")


def test_nothing_of_a_reporter_is_written_down(house: House, redis: Redis, server: Running) -> None:
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.port, source_address=(REPORTER, 0), timeout=60
    )
    body, headers = form(sound("wav"))
    connection.request("POST", "/v1/reports", body, headers)
    answer = connection.getresponse()
    assert answer.status == 202
    assert answer.getheader("server") is None
    answer.read()
    # What fails is logged too: a refusal, a wrong address, a bad header and a broken request.
    for method, path in (("POST", "/v1/reports"), ("GET", f"/{AGENT}"), ("GET", "/v1/report")):
        connection.request(method, path, b"{}" if method == "POST" else None, {"User-Agent": AGENT})
        connection.getresponse().read()
    connection.close()
    with socket.create_connection(
        ("127.0.0.1", server.port), 30, source_address=(REPORTER, 0)
    ) as raw:
        raw.sendall(f"NONSENSE {AGENT}\r\n\r\n".encode())
        raw.recv(1_000)
    with socket.create_connection(
        ("127.0.0.1", server.port), 30, source_address=(REPORTER, 0)
    ) as raw:
        raw.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        raw.recv(1_000)
    # uvicorn ends in good order, then lets the signal do what it does.
    assert server.stop() in (0, -signal.SIGTERM)
    searched = 0
    for where, kept in everything_kept(house, redis, server):
        searched += 1
        for trace in TRACES:
            assert trace.encode() not in kept, f"{trace} in {where}"
    assert searched > 10
    logged = server.said.read_text()
    assert '"route": "/v1/reports"' in logged
    assert '"http_status": 202' in logged


def test_a_huge_upload_over_a_socket_is_answered_long_before_its_end(
    house: House, server: Running
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 60) as raw:
        raw.sendall(
            b"POST /v1/reports HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=f\r\n\r\n"
        )
        opening = b'--f\r\nContent-Disposition: form-data; name="audio"\r\n\r\n' + sound("wav")
        raw.sendall(b"%x\r\n%s\r\n" % (len(opening), opening))
        piece = b"%x\r\n%s\r\n" % (64 * 1024, bytes(64 * 1024))
        sent, answer, pending = 0, b"", piece
        raw.setblocking(False)
        while sent < 500 * MEGABYTE and not answer:
            try:
                answer = raw.recv(65_536)
            except BlockingIOError:
                try:
                    taken = raw.send(pending)
                    sent, pending = sent + taken, pending[taken:] or piece
                except BlockingIOError:
                    time.sleep(0.005)
        raw.settimeout(30)
        while not answer.endswith(b"}"):
            answer += raw.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in answer
    # The limit is 50 MB; the rest is what lay in the buffers of two sockets.
    assert sent < 60 * MEGABYTE
    assert list((house.settings.data / "blobs").rglob("media/*")) == []


def test_a_client_that_asks_first_is_refused_before_it_sends(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
        raw.sendall(
            b"POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n"
            b"Expect: 100-continue\r\nContent-Type: multipart/form-data; boundary=f\r\n\r\n"
        )
        answer = raw.recv(65_536)
        while not answer.endswith(b"}"):
            answer += raw.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_the_server_speaks_https_where_a_certificate_is_set(house: House, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    running = start(
        house.settings,
        XIANGYIN_TLS_CERTIFICATE=str(certificate),
        XIANGYIN_TLS_KEY=str(key),
    )
    try:
        context = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection(
            "localhost", running.port, context=context, timeout=30
        )
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        assert answer.status == 200
        assert "max-age" in (answer.getheader("strict-transport-security") or "")
        answer.read()
        connection.close()
        server = f"https://localhost:{running.port}"
        with Client(server, verify=trusting(certificate)) as client:
            assert client.ready()
        with Client(server, verify=trusting(None)) as stranger, pytest.raises(Misconfigured):
            stranger.state("5724 0163 9485 0717")
    finally:
        running.stop()


def test_half_a_certificate_is_refused_with_what_to_do(house: House, tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path)
    environment = {
        **os.environ,
        "XIANGYIN_DATA": str(house.settings.data),
        "XIANGYIN_REDIS_URL": house.settings.redis_url,
        "XIANGYIN_TLS_CERTIFICATE": str(certificate),
    }
    ended = subprocess.run(
        [sys.executable, "-c", "from api.serve import serve; serve()"],
        env=environment,
        capture_output=True,
        timeout=READY_SECONDS,
    )
    assert ended.returncode != 0
    assert b"XIANGYIN_TLS_KEY" in ended.stderr
