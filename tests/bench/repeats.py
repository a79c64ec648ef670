"""How well and how fast repeats are found: `python -m tests.bench.repeats [ROWS] [--database URL]`.

Reports are put together from clauses of the labelled training texts, over forty counties, a third
of them spoken. Among them repeats are planted: the same file, the same sound in another codec,
cut and noisy, the same words recognised with errors, read from a photograph, told anew, and told
in another language. First all are checked at once, then new ones are filed in a database that
holds all, SQLite by default.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, insert
from sqlmodel import Session, col, func, select

from ingest.fingerprint import RECORD, fingerprint
from ingest.normalise import labelled, train
from ingest.normalise.sound import is_han, syllable
from ingest.repeats import Facts, Trace, bulk, file, filed
from ingest.repeats.trace import entry
from models.channel import Channel
from models.columns import now, uuid7
from models.complaint import Complaint, ReportMedium
from models.database import connect, migrate, writing
from models.medium import Kind, Medium
from models.record import Amount
from models.status import MediumState
from models.trace import TraceKey
from transcribe.babble import babble
from transcribe.train import augment

FOLDER = Path("samples/complaints")
COUNTIES = [f"51{number:02d}{number % 29:02d}" for number in range(40)]
PLANTED = 1_000
NEW = 200
SPOKEN = 0.3
SOUNDS = 160  # recordings that are really made; the rest get marks drawn from theirs
UNITS = 60  # bodies a county
# a few domains have most reports
DOMAINS = [f"domain{number}" for number in range(14) for _ in range(14 - number)]
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑", "华明国强建平秀英德富春兰志军"
SUMS = (100, 200, 300, 500, 600, 800, 1000, 1200, 2000, 3000, 5000, 10000, 20000)
UYGHUR = "سۇ تۇرۇبىسى ئۈچ ئايدىن بېرى بۇزۇق كەنت"
DAY_ONE = date(2024, 1, 1)
SHORTEST_CLAUSE, LONGEST_CLAUSE = 5, 40  # characters
PUT_AT_ONCE = 2_000


@dataclass
class Draw:
    """Everything that reports are made of."""

    dice: random.Random
    clauses: list[str]
    alike: dict[str, list[str]]
    marks: NDArray[np.uint32]

    def report(self, *, typed: bool = False) -> Trace:
        """Make one report of its own, spoken or typed."""
        text = "，".join(self.dice.sample(self.clauses, self.dice.randint(5, 11)))
        recordings: tuple[tuple[str, bytes], ...] = ()
        if not typed and self.dice.random() < SPOKEN:
            recordings = ((self.hash(), self.any_marks()),)
            text = self.heard(text)
        return Trace(
            id=uuid7(),
            jurisdiction=self.dice.choice(COUNTIES),
            text=text,
            facts=self.facts(),
            recordings=recordings,
        )

    def facts(self) -> Facts:
        """Draw what was read: a third has no time, half no body of their own, most no name."""
        dice = self.dice
        start = end = None
        if dice.random() < 0.6:
            start = DAY_ONE + timedelta(days=dice.randint(0, 800))
            end = start + timedelta(days=dice.choice([0, 0, 30, 30, 90, 364]))
        amounts = [
            Amount(
                value=float(self.sum()),
                unit=dice.choice(["元", "元", "元", "户", "亩", "人"]),
                text="",
            )
            for _ in range(dice.choice([0, 0, 1, 1, 2, 3]))
        ]
        return Facts(
            unit=f"unit{dice.randint(1, UNITS)}" if dice.random() < 0.5 else "",
            domain=dice.choice(DOMAINS) if dice.random() < 0.9 else "",
            person=self.name() if dice.random() < 0.3 else "",
            start=start,
            end=end,
            amounts=tuple(amounts),
        )

    def sum(self) -> int:
        """Draw a number as people say them, mostly round."""
        return self.dice.choice(SUMS) if self.dice.random() < 0.6 else self.dice.randint(2, 4_000)

    def name(self) -> str:
        """Draw a name, for a third of them only the surname."""
        surname = self.dice.choice(SURNAMES)
        if self.dice.random() < 0.35:
            return surname + "某"
        return surname + "".join(self.dice.sample(GIVEN, 2))

    def hash(self) -> str:
        """Draw a keyed hash."""
        return f"{self.dice.getrandbits(256):064x}"

    def any_marks(self) -> bytes:
        """Draw a fingerprint of a recording that nobody made, of the marks that real ones have."""
        count = self.dice.randint(300, 1_000)
        places = np.random.default_rng(self.dice.getrandbits(32))
        made = np.zeros(count, dtype=RECORD)
        made["key"] = places.choice(self.marks, count)
        made["frame"] = places.integers(0, 700, count)
        return np.sort(made, order=["key", "frame"]).tobytes()

    def heard(self, text: str, errors: float = 0.2) -> str:
        """Write a text as a recogniser may: other characters, of the same sound or not."""
        made = []
        for sign in text:
            if not is_han(sign) or self.dice.random() > errors:
                made.append(sign)
            elif self.dice.random() < 0.5:
                made.append(self.dice.choice(self.alike[syllable(sign)]))
            elif self.dice.random() < 0.6:
                made.append(self.dice.choice("的了我们在不是有这他"))
        return "".join(sign for sign in made if is_han(sign))


def same_file(draw: Draw, first: Trace) -> tuple[Trace, Trace]:
    """The same bytes sent twice, nothing of it understood."""
    first = first.model_copy(
        update={"text": "", "facts": Facts(), "recordings": ((draw.hash(), b""),)}
    )
    return first, first.model_copy(update={"id": uuid7()})


def same_sound(draw: Draw, first: Trace) -> tuple[Trace, Trace]:
    """The same recording, forwarded: another codec, quieter, cut at an end, some noise."""
    whole = babble(draw.dice.uniform(4, 16), seed=draw.dice.getrandbits(32))
    places = np.random.default_rng(draw.dice.getrandbits(32))
    damage = augment.Damage(
        gain_db=-draw.dice.uniform(3, 18),
        noise=draw.dice.choice(["", *augment.NOISES]),
        snr_db=20.0,
        codec=draw.dice.choice(["amr", "opus"]),
        bitrate=12_200,
    )
    cut = whole[draw.dice.randint(0, 16_000) : len(whole) - draw.dice.randint(0, 16_000)]
    again = augment.apply(cut, damage, places)
    one, other = ((draw.hash(), fingerprint(pcm)) for pcm in (whole, again))
    first = first.model_copy(update={"text": "", "facts": Facts(), "recordings": (one,)})
    return first, first.model_copy(update={"id": uuid7(), "recordings": (other,)})


def same_words_heard(draw: Draw, first: Trace) -> tuple[Trace, Trace]:
    """Typed once and said once; what was read of it is partly lost."""
    facts = first.facts.model_copy(update={draw.dice.choice(["unit", "person", "domain"]): ""})
    again = {"id": uuid7(), "text": draw.heard(first.text), "facts": facts, "recordings": ()}
    return first, first.model_copy(update=again)


def same_words_photographed(draw: Draw, first: Trace) -> tuple[Trace, Trace]:
    """Typed once and written down once, with a salutation and a few signs misread."""
    text = "尊敬的检查组领导，我来反映一个情况，" + draw.heard(first.text, errors=0.03)
    return first, first.model_copy(update={"id": uuid7(), "text": text, "recordings": ()})


def told_anew(draw: Draw, first: Trace) -> tuple[Trace, Trace]:
    """Another person tells it: some clauses the same in another order, the facts the same."""
    clauses = first.text.split("，")
    kept = draw.dice.sample(clauses, max(2, len(clauses) // 2))
    text = "，".join([*kept, *draw.dice.sample(draw.clauses, len(clauses) // 2)])
    facts = _full(draw, first.facts)
    first = first.model_copy(update={"facts": facts})
    return first, first.model_copy(update={"id": uuid7(), "text": text, "recordings": ()})


def in_another_language(draw: Draw, first: Trace) -> tuple[Trace, Trace]:
    """No word in common; body, matter, time, sum and person are the same."""
    text = " ".join(draw.dice.choices(UYGHUR.split(), k=30))
    facts = _full(draw, first.facts)
    first = first.model_copy(update={"facts": facts})
    return first, first.model_copy(update={"id": uuid7(), "text": text, "recordings": ()})


def _full(draw: Draw, facts: Facts) -> Facts:
    """Fill what a report needs to be told from others by its facts."""
    start = facts.start or DAY_ONE + timedelta(days=draw.dice.randint(0, 800))
    return Facts(
        unit=facts.unit or f"unit{draw.dice.randint(1, UNITS)}",
        domain=facts.domain or draw.dice.choice(DOMAINS),
        person=facts.person if len(facts.person) > 2 else draw.name(),
        start=start,
        end=facts.end or start,
        amounts=facts.amounts or (Amount(value=float(draw.sum()), unit="元", text=""),),
    )


SORTS: dict[Callable[[Draw, Trace], tuple[Trace, Trace]], int] = {
    same_file: 150,
    same_sound: 150,
    same_words_heard: 250,
    same_words_photographed: 150,
    told_anew: 200,
    in_another_language: 100,
}


def main() -> None:
    """Make the reports, check them, and print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("rows", nargs="?", type=int, default=100_000)
    asked.add_argument("--database", default="", help="address; SQLite in a temporary folder")
    given = asked.parse_args()
    draw = ready()
    traces, planted = make(draw, given.rows)
    print(f"{len(traces):,} reports, {len(planted):,} of them planted repeats")
    at_once(traces, planted)
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(given.database or f"sqlite:///{folder}/bench.db")
        migrate(engine)
        one_by_one(engine, draw, traces)
        engine.dispose()


def ready() -> Draw:
    """Read the clauses and make the sounds."""
    texts = [one.text for one in labelled.read_training(FOLDER)]
    texts += [one.text for one in train.read_phrases(FOLDER / "phrases.tsv")]
    parts = (part for text in texts for part in re.split(r"[，。！？；]", text))
    # Texts without stops are no clauses: two reports with one in common would be the same.
    clauses = [part for part in parts if SHORTEST_CLAUSE <= len(part) <= LONGEST_CLAUSE]
    alike: dict[str, list[str]] = {}
    for sign in dict.fromkeys("".join(texts)):
        alike.setdefault(syllable(sign), []).append(sign)
    sounds = [babble(4 + number % 12, seed=number) for number in range(SOUNDS)]
    marks = np.concatenate([np.frombuffer(fingerprint(one), dtype=RECORD)["key"] for one in sounds])
    return Draw(random.Random(5), sorted(set(clauses)), alike, marks)


def make(draw: Draw, rows: int) -> tuple[list[Trace], dict[UUID, tuple[str, UUID]]]:
    """Make the reports in the order they come in; give which repeats which, and in what way."""
    share = min(1.0, rows / 10 / PLANTED)
    planted: dict[UUID, tuple[str, UUID]] = {}
    traces: list[Trace] = []
    for plant, count in SORTS.items():
        for _ in range(round(count * share)):
            first, again = plant(draw, draw.report(typed=True))
            planted[again.id] = (plant.__name__, first.id)
            traces += [first, again]
    traces += [draw.report() for _ in range(rows - len(traces))]
    order = list(range(len(traces)))
    draw.dice.shuffle(order)
    return [traces[at] for at in order], planted


def at_once(traces: Sequence[Trace], planted: dict[UUID, tuple[str, UUID]]) -> None:
    """Check all reports, and print what was proposed of each sort and how long it took."""
    began = time.perf_counter()
    proposals = list(bulk.pairs([entry(trace) for trace in traces]))
    seconds = time.perf_counter() - began
    truth = {frozenset((again, first)): sort for again, (sort, first) in planted.items()}
    found = Counter(
        truth[pair] for one in proposals if (pair := frozenset((one.id, one.other))) in truth
    )
    wrong = [one for one in proposals if frozenset((one.id, one.other)) not in truth]
    print(f"checked at once in {seconds:.1f} s (goal: 100,000 under 60 s)")
    for sort, count in Counter(sort for sort, _ in planted.values()).items():
        print(f"  {sort:26}{found[sort]:5} of {count:4} proposed")
    total = found.total()
    share = total / len(planted)
    print(f"  {'all planted':26}{total:5} of {len(planted):4} proposed, {share:.1%} (goal 95 %)")
    share = len(wrong) / max(1, len(proposals))
    print(f"  wrong: {len(wrong)} of {len(proposals)} proposals, {share:.2%} (goal 1 %)")
    for agree, count in Counter(one.reasons[0].agree for one in wrong).most_common(5):
        print(f"    {count:4} {', '.join(agree)}")


def one_by_one(engine: Engine, draw: Draw, traces: Sequence[Trace]) -> None:
    """Fill a database with the reports, then file new ones and print how long each takes."""
    began = time.perf_counter()
    for start in range(0, len(traces), PUT_AT_ONCE):
        part = traces[start : start + PUT_AT_ONCE]
        with writing(engine) as session:
            store(session, part)
            filed.put(session, [entry(trace) for trace in part])
    print(f"filed {len(traces):,} in {time.perf_counter() - began:.0f} s on {engine.dialect.name}")
    taken = []
    for number in range(NEW):
        trace = draw.report()
        if number % 2:
            again = draw.dice.choice(traces)
            trace = again.model_copy(update={"id": uuid7(), "text": draw.heard(again.text)})
        with writing(engine) as session:
            store(session, [trace])
        began = time.perf_counter()
        with writing(engine) as session:
            file(session, trace)
        taken.append((time.perf_counter() - began) * 1_000)
    taken.sort()
    print(
        f"one new report, {NEW} times, ms: p50 {taken[NEW // 2]:.1f}, "
        f"p95 {taken[NEW * 95 // 100]:.1f}, worst {taken[-1]:.1f} (goal 50)"
    )
    with writing(engine) as session:
        keys = session.exec(select(func.count()).select_from(TraceKey)).one()
        print(f"{keys:,} keys in the index")


def store(session: Session, traces: Sequence[Trace]) -> None:
    """Put the reports that traces belong to into the tables."""
    if session.exec(select(Channel).where(col(Channel.code) == "bench")).first() is None:
        session.add(Channel(code="bench", name="bench", jurisdiction=COUNTIES[0]))
        session.flush()
    complaints = [
        Complaint(
            id=trace.id,
            receipt_hash=trace.id.hex,
            medium=ReportMedium.TEXT,
            channel_code="bench",
            jurisdiction=trace.jurisdiction,
            held_by=trace.jurisdiction,
            due_at=now(),
            retention_until=date(2036, 1, 1),
        ).model_dump()
        for trace in traces
    ]
    session.connection().execute(insert(Complaint), complaints)
    media = [
        Medium(
            complaint_id=trace.id,
            kind=Kind.VOICE,
            state=MediumState.DONE,
            content_hash=content,
            mime="audio/webm",
            size=1,
            original="",
            fingerprint=marks,
        ).model_dump()
        for trace in traces
        for content, marks in trace.recordings
    ]
    if media:
        session.connection().execute(insert(Medium), media)


if __name__ == "__main__":
    main()
