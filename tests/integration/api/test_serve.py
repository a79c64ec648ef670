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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis import Redis

from models.settings import Settings
from tests.conftest import House
from tests.files import sound
from tests.integration.traces import AGENT, REPORTER, TRACES, files, form, rows

pytestmark = pytest.mark.processes

READY_SECONDS = 90.0
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Running:
    """A server process. said : the file that its output goes to"""

    process: subprocess.Popen[bytes]
    port: int
    said: Path

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def start(settings: Settings, **more: str) -> Running:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("XIANGYIN_")
    } | {
        "XIANGYIN_DATA": str(settings.data),
        "XIANGYIN_REDIS_URL": settings.redis_url,
        "XIANGYIN_PORT": str(port),
        "XIANGYIN_LOG_LEVEL": "DEBUG",
        **more,
    }
    said = settings.data / "server.log"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from api.serve import serve; serve()"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Running(process, port, said)
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return running
        except OSError:
            assert process.poll() is None, said.read_text()
            time.sleep(0.1)
    running.stop()
    raise AssertionError(said.read_text())


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


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
