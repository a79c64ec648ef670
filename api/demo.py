"""The demonstration: start everything, report as citizens do, and show what came out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from sqlalchemy import Engine
from sqlmodel import col, select

from api.client import Client
from models import receipt
from models.complaint import Complaint
from models.database import open_database, reading
from models.errors import Misconfigured
from models.keys import Keys
from models.medium import Medium
from models.samples import install_samples
from models.settings import Settings
from models.status import SETTLED, Status

START_SECONDS = 60
PROCESS_SECONDS = 300
STOP_SECONDS = 20
POLL_SECONDS = 0.3
FIRST_CHARACTERS = 18


@dataclass(frozen=True)
class Sample:
    """One report of the demonstration and how it should end.

    files : sent together; declared : the language the reporter touches, or ""
    language, status, reason : as they should come out; language "" : not checked
    """

    name: str
    files: tuple[Path, ...]
    channel: str
    declared: str
    language: str
    status: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """How one report ended. text : first words; confidence : of the language, None if no voice."""

    receipt: str
    medium: str
    language: str
    confidence: float
    text: str
    domain: str
    status: str
    reason: str
    settled: bool


def load_samples(folder: Path) -> tuple[Sample, ...]:
    """Read the folder's `expected.toml`."""
    listed = tomllib.loads((folder / "expected.toml").read_text("utf-8"))["files"]
    return tuple(
        Sample(
            name=entry["file"],
            files=(folder / entry["file"],),
            channel=entry.get("channel", ""),
            declared=entry.get("declared", ""),
            language=entry.get("language", ""),
            status=entry["status"],
            reason=entry.get("reason", ""),
        )
        for entry in listed
    )


def run(settings: Settings, *, once: bool) -> int:
    """Run the demonstration; give the exit code, 0 if every sample ended as expected."""
    # Told to stop, it leaves like any Ctrl-C does: through the end of what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if not once:
        return _demonstrate(settings, once=False)
    # A folder of its own and a free port, so that it can run beside an installation.
    with tempfile.TemporaryDirectory(prefix="xiangyin-demo-") as folder:
        own = settings.model_copy(update={"data": Path(folder), "port": _free_port()})
        return _demonstrate(own, once=True)


def _demonstrate(settings: Settings, *, once: bool) -> int:
    console = Console(width=None if sys.stdout.isatty() else 140)
    _require_free(settings)
    samples = load_samples(Path(str(files("samples").joinpath("demo"))))
    engine, keys = open_database(settings)
    logins = install_samples(engine, keys)
    with _everything(settings) as parts, Client(settings.base_url, verify=False) as client:
        with console.status("Starting the queue, the web process and the workers ..."):
            _wait_ready(client, parts)
        console.print(f"乡音 is up at {settings.base_url}")
        receipts = [
            client.submit(sample.files, channel=sample.channel, language=sample.declared).receipt
            for sample in samples
        ]
        outcomes = _watch(console, engine, keys, samples, receipts)
        console.print(_table(samples, outcomes))
        wrong = [line for s, o in zip(samples, outcomes, strict=True) for line in _compare(s, o)]
        for line in wrong:
            console.print(f"[red]{line}")
        if once:
            console.print("Every sample ended as expected." if not wrong else "Not as expected.")
            return 1 if wrong else 0
        _addresses(console, settings, logins)
        _serve_until_interrupted()
    return 1 if wrong else 0


@contextmanager
def _everything(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run `xiangyin up` as a child, and stop all of it at the end."""
    environment = os.environ | {
        "XIANGYIN_DATA": str(settings.data.resolve()),
        "XIANGYIN_PORT": str(settings.port),
        "XIANGYIN_LOG_LEVEL": "WARNING",
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "xiangyin", "up", "--with-parent"],
        env=environment,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _wait_ready(client: Client, parts: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while not client.ready():
        if parts.poll() is not None:
            raise SystemExit("The parts ended at their start: see the log above.")
        if time.monotonic() > until:
            raise SystemExit("The parts did not come up within a minute: see the log above.")
        time.sleep(POLL_SECONDS)


def _require_free(settings: Settings) -> None:
    """Raise Misconfigured if somebody serves there already, who would get our reports."""
    with socket.socket() as probe:
        if probe.connect_ex((settings.host, settings.port)) == 0:
            raise Misconfigured(
                f"端口 {settings.port} 已被占用，请先停止那个程序，或设置 XIANGYIN_PORT。",
                f"Port {settings.port} is in use: stop whatever serves there, "
                "or set XIANGYIN_PORT.",
                code="port_in_use",
            )


def _watch(
    console: Console,
    engine: Engine,
    keys: Keys,
    samples: Sequence[Sample],
    receipts: Sequence[str],
) -> list[Outcome]:
    """Follow the reports until all are settled, or the time is up."""
    until = time.monotonic() + PROCESS_SECONDS
    told: set[str] = set()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            outcomes = [_outcome(engine, keys, written) for written in receipts]
            if console.is_terminal:
                live.update(_table(samples, outcomes), refresh=True)
            for sample, outcome in zip(samples, outcomes, strict=True):
                if outcome.settled and sample.name not in told and not console.is_terminal:
                    told.add(sample.name)
                    console.print(f"{sample.name}: {outcome.status} {outcome.reason}")
            if all(outcome.settled for outcome in outcomes) or time.monotonic() > until:
                return outcomes
            time.sleep(POLL_SECONDS)


def _outcome(engine: Engine, keys: Keys, written: str) -> Outcome:
    digest = receipt.digest(keys, receipt.parse(written))
    with reading(engine) as session:
        complaint = session.exec(select(Complaint).where(Complaint.receipt_hash == digest)).one()
        media = session.exec(select(Medium).where(col(Medium.complaint_id) == complaint.id)).all()
    known = next((one for one in complaint.languages if one["tag"] == complaint.language), None)
    return Outcome(
        receipt=written,
        medium=complaint.medium,
        language=complaint.language,
        confidence=known["confidence"] if known else 0.0,
        text=complaint.description[:FIRST_CHARACTERS],
        domain=complaint.domain,
        status=complaint.status,
        reason=", ".join(sorted({medium.reason for medium in media if medium.reason})),
        settled=complaint.status is not Status.RECEIVED
        and all(medium.state in SETTLED for medium in media),
    )


def _compare(sample: Sample, outcome: Outcome) -> Iterator[str]:
    """Say what came out otherwise than expected."""
    pairs = (
        ("status", sample.status, outcome.status),
        ("reason", sample.reason, outcome.reason),
        ("language", sample.language or outcome.language, outcome.language),
    )
    for name, wanted, got in pairs:
        if wanted != got:
            yield f"{sample.name}: {name} is {got or 'empty'}, expected {wanted or 'empty'}"


def _table(samples: Sequence[Sample], outcomes: Sequence[Outcome]) -> Table:
    headings = "sample", "receipt", "medium", "language", "first words", "domain", "status"
    table = Table(*headings, title="乡音 demo")
    for sample, outcome in zip(samples, outcomes, strict=True):
        language = f"{outcome.language} {outcome.confidence:.2f}" if outcome.confidence else "und"
        status = outcome.status + (f" ({outcome.reason})" if outcome.reason else "")
        table.add_row(
            sample.name,
            outcome.receipt,
            outcome.medium,
            language if outcome.settled else "...",
            outcome.text,
            outcome.domain,
            status if outcome.settled else "working",
        )
    return table


def _addresses(console: Console, settings: Settings, logins: Sequence[tuple[str, str]]) -> None:
    console.print(f"Citizens' page: {settings.base_url}/")
    console.print(f"Staff console:  {settings.base_url}/staff")
    for username, password in logins:
        console.print(f"  login {username}  password {password}")
    console.print(f"For programs:   {settings.base_url}/v1/openapi.json\nCtrl-C stops everything.")


def _serve_until_interrupted() -> None:
    # signal.pause() would wait for ever for a Ctrl-C that came in the moment before it.
    try:
        while True:
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
