"""How good the normaliser is on labelled complaints: tables with counts, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.matter import ChannelFacts, Normalised
from ingest.normalise.labelled import Heard, Labelled, LabelledPerson, matter
from ingest.normalise.lexicons import Lexicons
from ingest.normalise.place import JOINT
from ingest.normalise.record import normalise
from models.record import GIVEN_NAME_UNSAID
from models.terminal import table

_PARTS = {3: ("start", "end", "precision"), 2: ("value", "unit")}  # of times, and of amounts


@dataclass
class Count:
    """What was filled and what should have been. right : filled and as labelled."""

    right: int = 0
    filled: int = 0
    labelled: int = 0

    def add(self, filled: Iterable[object], labelled: Iterable[object]) -> None:
        """Count the values of one complaint."""
        said, meant = Counter(filled), Counter(labelled)
        self.right += sum((said & meant).values())
        self.filled += sum(said.values())
        self.labelled += sum(meant.values())

    @property
    def precision(self) -> float:
        """Give the share of what was filled that is right."""
        return self.right / self.filled if self.filled else 1.0

    @property
    def recall(self) -> float:
        """Give the share of what is labelled that was filled right."""
        return self.right / self.labelled if self.labelled else 1.0

    @property
    def f1(self) -> float:
        """Give the harmonic mean of the two."""
        both = self.filled + self.labelled
        return 2 * self.right / both if both else 1.0


@dataclass
class Evaluation:
    """Everything that was counted.

    exact : complaints whose whole field is as labelled, by field; codes : by list, then by code;
    first : complaints whose likeliest code is as labelled, filled in or not, by list;
    confused : (list, labelled, filled) and how often; wrong : ids by field
    ways : how a field of one value is wrong, and how often
    """

    complaints: int = 0
    fields: dict[str, Count] = field(default_factory=dict)
    exact: Counter[str] = field(default_factory=Counter)
    codes: dict[str, dict[str, Count]] = field(default_factory=dict)
    first: Counter[str] = field(default_factory=Counter)
    confused: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(
        self, name: str, filled: Sequence[object], labelled: Sequence[object], one: str
    ) -> None:
        """Count one field of one complaint."""
        self.fields.setdefault(name, Count()).add(filled, labelled)
        if Counter(filled) == Counter(labelled):
            self.exact[name] += 1
            return
        self.wrong.setdefault(name, []).append(one)
        if len(filled) <= 1 and len(labelled) <= 1:
            self.ways[name, _way(filled, labelled)] += 1

    def macro_f1(self, name: str) -> float:
        """Give the mean F1 over the codes that are labelled at least once."""
        counts = [count for count in self.codes.get(name, {}).values() if count.labelled]
        return sum(count.f1 for count in counts) / len(counts) if counts else 0.0


def evaluate(
    labelled: Sequence[Labelled],
    channels: Mapping[str, ChannelFacts],
    lexicons: Lexicons,
    heard: Sequence[Heard] | None = None,
) -> Evaluation:
    """Normalise each complaint and count what agrees with its labels.

    heard : transcripts of the complaints spoken; each counts once, and only these are evaluated
    """
    evaluation = Evaluation()
    by_id = {one.id: one for one in labelled}
    pairs: list[tuple[Labelled, Heard | None]] = [(one, None) for one in labelled]
    if heard is not None:
        pairs = [(by_id[one.id], one) for one in heard if one.id in by_id]
    for one, transcript in pairs:
        made = normalise(matter(one, channels[one.channel], transcript), lexicons)
        _compare(evaluation, one, made, transcript.text if transcript else one.text)
    return evaluation


def spoken_goal(typed: Evaluation, spoken: Evaluation, heard: Sequence[Heard]) -> str:
    """Say how well units are read from speech beside the same complaints typed."""
    rate = sum(one.errors for one in heard) / max(1, sum(one.characters for one in heard))
    said, written = (one.fields["unit"].f1 for one in (spoken, typed))
    least = written - 2 * rate
    return (
        f"unit F1 {said:.3f} spoken, {written:.3f} typed, character error rate {rate:.3f} "
        f"({sum(one.errors for one in heard)} of {sum(one.characters for one in heard)}): "
        f"{'not below' if said >= least else 'below'} typed less twice the rate, {least:.3f}\n"
        f"{sum(bool(one.reason) for one in heard)} of {len(heard)} would go to a listener first"
    )


def _compare(evaluation: Evaluation, one: Labelled, made: Normalised, text: str) -> None:
    """Count the fields of one complaint."""
    evaluation.complaints += 1
    for name, choices, filled, meant in (
        ("domain", made.domains, made.domain, one.domain),
        ("conduct", made.conducts, made.conduct, one.conduct),
    ):
        evaluation.first[name] += bool(choices) and choices[0].code == meant
        evaluation.count(name, _some(filled), [meant], one.id)
        codes = evaluation.codes.setdefault(name, {})
        for code in {filled, meant} - {""}:
            count = codes.setdefault(code, Count())
            count.add([code] * (filled == code), [code] * (meant == code))
        if filled != meant:
            evaluation.confused[name, meant, filled] += 1
    unit = made.provenance.get("subject.unit", ())
    said = bool(unit) and unit[0].by != "channel"
    evaluation.count(
        "unit", _some(made.subject.unit_code if said else None), _some(one.unit), one.id
    )
    how = unit[0].why.removeprefix("unit: ") if unit else ""
    if one.unit:
        evaluation.count(
            f"unit ({one.unit_from})",
            _some(made.subject.unit_code if said else None),
            [one.unit],
            one.id,
        )
    evaluation.count(
        "unit_from",
        _some(how if said else None),
        _some(one.unit_from if one.unit else None),
        one.id,
    )
    _compare_person(evaluation, one, made)
    time, meant_time = made.occurred, one.occurred
    evaluation.count(
        "occurred",
        [(time.start, time.end, time.precision)] if time else [],
        [(meant_time.start, meant_time.end, meant_time.precision)] if meant_time else [],
        one.id,
    )
    evaluation.count(
        "occurred_text", _some(time.text if time else None), _some(one.occurred_text), one.id
    )
    evaluation.count(
        "amounts",
        [(amount.value, amount.unit) for amount in made.amounts],
        [(amount.value, amount.unit) for amount in one.amounts],
        one.id,
    )
    evaluation.count(
        "amounts.text",
        [amount.text for amount in made.amounts],
        [amount.text for amount in one.amounts],
        one.id,
    )
    places = made.place.split(JOINT) if made.place else []
    evaluation.count("places", places, list(one.places), one.id)
    masked = [text[mask.from_character : mask.to_character] for mask in made.masks]
    evaluation.count("masked", masked, list(one.masked), one.id)


def _compare_person(evaluation: Evaluation, one: Labelled, made: Normalised) -> None:
    """Count the name of the record, its two forms by themselves, and the post."""
    meant = one.person or LabelledPerson()
    name, surname = made.subject.name, meant.surname or ""
    withheld = f"{surname}{GIVEN_NAME_UNSAID}" if surname else ""
    evaluation.count("name", _some(name), _some(meant.name or withheld), one.id)
    full = "" if name.endswith(GIVEN_NAME_UNSAID) else name
    evaluation.count("name (full)", _some(full), _some(meant.name), one.id)
    evaluation.count("name (surname)", _some(name[: len(surname) or 1]), _some(surname), one.id)
    evaluation.count("post", _some(made.subject.post), _some(meant.post), one.id)


def _way(filled: Sequence[object], labelled: Sequence[object]) -> str:
    """Say how one value is wrong, and of a time or an amount which of its parts."""
    if not filled or not labelled:
        return "left empty" if labelled else "filled, not labelled"
    said, meant = filled[0], labelled[0]
    if not isinstance(said, tuple) or not isinstance(meant, tuple):
        return "another value"
    names = _PARTS[len(meant)]
    parts = zip(names, said, meant, strict=True)
    return "another " + ", ".join(name for name, own, wanted in parts if own != wanted)


def _some(value: str | None) -> list[str]:
    return [value] if value else []


def tables(evaluation: Evaluation) -> str:
    """Write the tables: every field, then every domain and conduct, then what was confused."""
    parts = [f"{evaluation.complaints} complaints", "", _fields(evaluation)]
    for name in ("domain", "conduct"):
        share = evaluation.first[name] / max(1, evaluation.complaints)
        parts += [
            "",
            f"{name}: macro-F1 {evaluation.macro_f1(name):.3f}, likeliest code right "
            f"{evaluation.first[name]}/{evaluation.complaints} ({share:.3f})",
            _codes(evaluation, name),
        ]
    ways = [(name, way, str(count)) for (name, way), count in sorted(evaluation.ways.items())]
    if ways:
        parts += ["", "how fields are wrong", table(("field", "how", "times"), ways)]
    confused = [
        (name, meant, filled or "(empty)", str(number))
        for (name, meant, filled), number in evaluation.confused.most_common()
        if number > 1
    ]
    if confused:
        parts += [
            "",
            "confused more than once",
            table(("list", "labelled", "filled", "times"), confused),
        ]
    return "\n".join(parts) + "\n"


def _fields(evaluation: Evaluation) -> str:
    rows = [
        (
            name,
            str(count.right),
            str(count.filled),
            str(count.labelled),
            f"{count.precision:.3f}",
            f"{count.recall:.3f}",
            f"{count.f1:.3f}",
            f"{evaluation.exact[name]}/{evaluation.complaints}" if "(" not in name else "",
            f"{evaluation.exact[name] / max(1, evaluation.complaints):.3f}"
            if "(" not in name
            else "",
        )
        for name, count in evaluation.fields.items()
    ]
    return table(
        ("field", "right", "filled", "labelled", "precision", "recall", "F1", "exact", "share"),
        rows,
    )


def _codes(evaluation: Evaluation, name: str) -> str:
    rows = [
        (
            code,
            str(count.right),
            str(count.filled),
            str(count.labelled),
            f"{count.precision:.3f}",
            f"{count.recall:.3f}",
            f"{count.f1:.3f}",
        )
        for code, count in sorted(evaluation.codes.get(name, {}).items())
    ]
    return table(("code", "right", "filled", "labelled", "precision", "recall", "F1"), rows)
