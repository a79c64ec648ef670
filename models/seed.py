"""Invented complaints by the thousand, for measuring how the console fares with a full archive."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, insert, text
from sqlmodel import Session, SQLModel, col, func, select

from models import clocks, index, indexed
from models.channel import Channel
from models.codes import Codes
from models.columns import now
from models.complaint import Complaint, ReportMedium
from models.database import writing
from models.index import Entry
from models.status import Status

BATCH = 10_000
DAYS = 540
GIN = "ix_search_entry_terms"
PROVINCES = ("51", "53", "65")
CITIES, COUNTIES = 6, 10
VILLAGES = [
    "青禾",
    "柳塘",
    "石桥",
    "杏树岭",
    "红沙湾",
    "云峰",
    "长坪",
    "双河",
    "松林",
    "白鹭",
    "望山",
    "清水",
    "大坝",
    "桃园",
    "竹溪",
    "新庙",
]
POSTS = ["村支书", "村主任", "会计", "院长", "校长", "网格员", "队长", "所长"]
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
OPENINGS = (
    "我是{village}村的村民，想反映一个情况。",
    "你好，我要反映{village}村的问题，{when}的事情了。",
    "{when}，村里开会说要公示，到现在也没有看到。",
    "我家住在{village}村{number}组，家里老人年纪大了，实在没有办法才来反映。",
)
MIDDLES: dict[str, tuple[str, ...]] = {
    "assets": (
        "村集体的{number}亩机动地租出去，租金进了谁的账没有人知道。",
        "集体的林场卖了{money}元，账目不公开。",
    ),
    "land_housing": (
        "我家的宅基地被{person}占了，找了{number}次没有人管。",
        "耕地补偿款每亩少了{money}元。",
    ),
    "assistance": (
        "低保名单里有{number}户是{person}的亲戚，真正困难的没有评上。",
        "低保金{when}就停了，没有人说原因。",
    ),
    "medical": ("卫生院开的药比外面贵{money}元，医保也不给报。", "住院押金{money}元一直不退。"),
    "education": (
        "学校食堂的饭菜变质，{number}个孩子吃了肚子疼。",
        "开学要交{money}元的资料费，不给收据。",
    ),
    "eldercare": (
        "敬老院里{number}个老人挤一间房，冬天没有暖气。",
        "老人的护理补贴{money}元没有发到手。",
    ),
    "water_power": (
        "饮水工程修了{number}年还没有通水，水管里流出来的是黄泥水。",
        "电费每度多收，一年多交{money}元。",
    ),
    "works": (
        "通村公路修好{number}个月就烂了，听说花了{money}元。",
        "桥面裂了{number}道缝，没有人来修。",
    ),
    "environment": (
        "砂石厂晚上偷偷往河里排水，鱼死了{number}斤。",
        "垃圾堆在村口{number}天没有人清。",
    ),
    "labour": (
        "工地上{number}个人的工资一共{money}元，拖到现在没有给。",
        "包工头说{when}结账，人都找不到了。",
    ),
    "subsidies": (
        "种粮补贴说是每亩{money}元，到手只有一半。",
        "产业扶持资金{money}元，被{person}拿去买了车。",
    ),
    "law": ("报了{number}次案没有结果，{person}说管不了。", "罚款{money}元没有开票。"),
    "service": ("去办事大厅跑了{number}趟，每次都说材料不全。", "盖一个章要收{money}元。"),
    "other": ("这件事{when}就说要解决，拖了{number}个月。", "希望有人来看一看，我们说的都是实话。"),
}
ENDINGS = (
    "请领导派人来查一查。",
    "大家都敢怒不敢言，希望能保密。",
    "我说的句句属实，可以来村里问。",
    "希望尽快给一个说法。",
    "{person}还说告到哪里都没有用。",
)
WHENS = ["去年冬天", "上个月", "前年", "今年三月份", "春节前", "这三年来", "国庆以后"]
OTHER_LANGUAGES = {
    "ug": "يېزىمىزدىكى سۇ تۇرۇبىسى بۇزۇلۇپ كەتتى تۆۋەن تەمىنات پۇلى بېرىلمىدى",
    "kk": "ауылдағы су құбыры бұзылды жәрдемақы берілмеді жол жөнделмеді",
}
WEIGHTS = {
    Status.ARCHIVED: 62, Status.ACCEPTED: 8, Status.VERIFYING: 6, Status.CONCLUDED: 6,
    Status.RECTIFYING: 4, Status.READY: 5, Status.NEEDS_LISTENER: 3, Status.IN_REVIEW: 4,
    Status.TRANSFERRED: 1, Status.WITHDRAWN: 1,
}  # fmt: skip
# What came in lately is still being worked on; nothing of it is archived.
RECENT_SHARE = 0.03
FOREIGN_SHARE = 0.03
_RECENT = [Status.READY, Status.NEEDS_LISTENER, Status.IN_REVIEW]
_MEDIA = [ReportMedium.VOICE, ReportMedium.VOICE, ReportMedium.TEXT]


def fill(
    engine: Engine,
    rows: int,
    codes: Codes,
    *,
    seed: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Add invented complaints, oldest first, with their channels and their index; give how many."""
    dice = random.Random(seed)
    channels = list(_channels())
    with writing(engine) as session:
        for channel in channels:
            if session.get(Channel, channel.code) is None:
                session.add(channel)
    made = 0
    complaints = _complaints(dice, rows, [(c.code, c.jurisdiction) for c in channels], codes)
    with _without_index(engine):
        while batch := list(islice(complaints, BATCH)):
            with writing(engine) as session:
                _store(session, batch)
            made += len(batch)
            progress(made)
    settle(engine)
    return made


@contextmanager
def _without_index(engine: Engine) -> Iterator[None]:
    """Build PostgreSQL's index once at the end: that takes a tenth of growing it row by row."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with writing(engine) as session:
        definition = session.connection().execute(
            text("SELECT indexdef FROM pg_indexes WHERE indexname = :name"), {"name": GIN}
        )
        again = definition.scalar_one()
        session.connection().execute(text(f"DROP INDEX {GIN}"))
    yield
    with writing(engine) as session:
        session.connection().execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        session.connection().execute(text(again))


def settle(engine: Engine) -> None:
    """Let the database learn what its tables look like now, as its own upkeep does in time."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence('search_entry', 'seq'), max(seq)) "
                    "FROM search_entry"
                )
            )
            connection.execute(text("VACUUM ANALYZE"))
        return
    with writing(engine) as session:
        session.connection().execute(text("ANALYZE"))


def counties() -> list[str]:
    """Give the division codes that the complaints are held in."""
    return [
        f"{province}{city:02d}{county:02d}"
        for province in PROVINCES
        for city in range(1, CITIES + 1)
        for county in range(1, COUNTIES + 1)
    ]


def _channels() -> Iterator[Channel]:
    for county in counties():
        yield Channel(code=f"seed-{county}", name=f"{county} 扫码", jurisdiction=county)


def _store(session: Session, batch: list[tuple[dict[str, Any], str]]) -> None:
    first = (session.exec(select(func.max(col(Entry.seq)))).one() or 0) + 1
    blocks = index.is_postgresql(session)
    _insert(session, Complaint, [row for row, _ in batch])
    entries = [
        {
            "seq": first + n,
            "complaint_id": row["id"],
            "terms": index.in_blocks(first + n, written) if blocks else written,
        }
        for n, (row, written) in enumerate(batch)
    ]
    _insert(session, Entry, entries)
    index.add_terms(session, [(first + n, written) for n, (_, written) in enumerate(batch)])


def _insert(session: Session, model: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """Write rows of one table; PostgreSQL takes them as a stream, several times faster."""
    connection = session.connection()
    if not index.is_postgresql(session):
        connection.execute(insert(model), rows)
        return
    columns = model.metadata.tables[str(model.__tablename__)].columns
    dialect = connection.dialect
    writers = {
        column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns
    }
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {model.__tablename__} ({', '.join(writers)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(
                [
                    row[name] if write is None else write(row[name])
                    for name, write in writers.items()
                ]
            )


def _complaints(
    dice: random.Random, rows: int, channels: list[tuple[str, str]], codes: Codes
) -> Iterator[tuple[dict[str, Any], str]]:
    """Give the columns of each complaint, and its terms."""
    start = now() - timedelta(days=DAYS)
    holidays = clocks.load()
    due: dict[str, datetime] = {}
    domains, conducts, foreign = list(MIDDLES), list(codes.conduct), list(OTHER_LANGUAGES)
    states, weights = list(WEIGHTS), list(WEIGHTS.values())
    # Making one takes a millisecond, so one is made and filled anew for each row.
    form = _blank(start)
    fixed = form.model_dump()
    for number in range(rows):
        received = start + timedelta(days=DAYS) * (number / max(1, rows))
        day = received.date().isoformat()
        if day not in due:
            due[day] = clocks.due(clocks.Clock.ACCEPT, received, holidays)
        code, county = dice.choice(channels)
        domain = dice.choice(domains)
        said, language = _text(dice, domain), "zh"
        if dice.random() < FOREIGN_SHARE:
            language = dice.choice(foreign)
            words = OTHER_LANGUAGES[language].split()
            said = " ".join(dice.choices(words, k=30))
        recent = number > rows * (1 - RECENT_SHARE)
        confidence = round(dice.betavariate(8, 1), 3)
        unit = f"{dice.choice(VILLAGES)}村"
        filled = {
            "id": _uuid7(received, dice),
            "receipt_hash": f"{dice.getrandbits(256):064x}",
            "medium": dice.choice(_MEDIA),
            "channel_code": code,
            "jurisdiction": county,
            "held_by": county if dice.random() < 0.9 else county[:4] + "00",
            "subject_unit": unit,
            "domain": domain,
            "conduct": dice.choice(conducts),
            "title": said[:28],
            "description": said,
            "language": language,
            "languages": [{"tag": language, "confidence": confidence, "by": "model", "share": 1.0}],
            "status": dice.choice(_RECENT) if recent else dice.choices(states, weights)[0],
            "received_at": received,
            "due_at": due[day],
            "retention_until": received.date() + timedelta(days=3650),
        }
        for name, value in filled.items():
            setattr(form, name, value)
        yield fixed | filled, indexed.written(form, [said, unit])


def _blank(received: datetime) -> Complaint:
    return Complaint(
        receipt_hash="",
        medium=ReportMedium.TEXT,
        channel_code="",
        jurisdiction="",
        held_by="",
        received_at=received,
        due_at=received,
        retention_until=received.date(),
    )


def _text(dice: random.Random, domain: str) -> str:
    """Put 50 to 300 characters together."""
    parts = [dice.choice(OPENINGS)]
    aim = dice.randint(50, 260)
    while sum(map(len, parts)) < aim:
        own = dice.random() < 0.7
        parts.append(dice.choice(MIDDLES[domain if own else dice.choice(list(MIDDLES))]))
    parts.append(dice.choice(ENDINGS))
    return "".join(
        part.format(
            village=dice.choice(VILLAGES),
            when=dice.choice(WHENS),
            number=dice.randint(2, 40),
            money=dice.randint(1, 90) * 50,
            person=dice.choice(SURNAMES) + dice.choice(POSTS),
        )
        for part in parts
    )[:300]


def _uuid7(at: datetime, dice: random.Random) -> UUID:
    """Make an identifier as if it had been drawn at that moment (RFC 9562, version 7)."""
    milliseconds = int(at.timestamp() * 1000)
    value = (milliseconds << 80) | (7 << 76) | (dice.getrandbits(12) << 64)
    return UUID(int=value | (0b10 << 62) | dice.getrandbits(62))
