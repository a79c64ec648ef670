"""The web process as it is run, and a certificate for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from models.settings import Settings

READY_SECONDS = 90.0


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


def self_signed(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """Make a certificate for a host and its key, as somebody with a machine of their own would."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
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
