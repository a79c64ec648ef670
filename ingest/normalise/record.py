"""From everything one report says to the fields of the standard complaint, each with its source."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.matter import Choice, Mask, Matter, Normalised
from ingest.normalise import kind, mentions, place, private, reading, title, unit
from ingest.normalise.amount import Said
from ingest.normalise.dating import Time
from ingest.normalise.kind import NOTHING, Judged
from ingest.normalise.lexicons import Lexicons
from ingest.normalise.mentions import Mentions
from ingest.normalise.person import Person
from ingest.normalise.place import Named
from ingest.normalise.reading import Reading
from ingest.normalise.unit import Candidate
from models.record import Amount, Occurred, Provenance, Subject

LONGEST = 4_000
JOINT = "\n"


@dataclass(frozen=True)
class Findings:
    """What one passage says, before the passages are put together."""

    mentions: Mentions
    person: Person | None = None
    unit: Candidate | None = None
    time: Time | None = None
    amounts: tuple[Said, ...] = ()
    domain: Judged = NOTHING
    conduct: Judged = NOTHING

    @property
    def reading(self) -> Reading:
        """Give the passage as it was read, with everything private hidden."""
        return self.mentions.reading


@dataclass
class Ledger:
    """Provenance as it is gathered."""

    entries: dict[str, tuple[Provenance, ...]] = field(default_factory=dict)

    def add(self, name: str, *sources: Provenance) -> None:
        """Write down where a field comes from."""
        self.entries[name] = self.entries.get(name, ()) + sources


def normalise(matter: Matter, lexicons: Lexicons) -> Normalised:
    """Read the fields of the standard complaint out of a report; what was not said stays empty."""
    found = tuple(_find(reading.read(passage), matter, lexicons) for passage in matter.passages)
    ledger = Ledger()
    description = _description(matter, found, ledger)
    domain, domains = _judged("domain", found, lexicons, ledger)
    conduct, conducts = _judged("conduct", found, lexicons, ledger)
    subject = _subject(found, matter, lexicons, ledger)
    occurred = _occurred(found, lexicons, ledger)
    named, code = _place(found, ledger)
    amounts = _amounts(found, ledger)
    return Normalised(
        subject=subject,
        domain=domain,
        conduct=conduct,
        domains=domains,
        conducts=conducts,
        title=_title(found, ledger),
        description=description,
        occurred=occurred,
        place=named,
        place_code=code,
        amounts=amounts,
        masks=_masks(found),
        provenance=ledger.entries,
        version=lexicons.version,
    )


def _find(read: Reading, matter: Matter, lexicons: Lexicons) -> Findings:
    """Find everything in one passage."""
    seen = mentions.find(read, matter, lexicons.gazetteer, lexicons.register)
    read = seen.reading
    if not read.chinese:
        return _foreign(seen, lexicons)
    trained = lexicons.model
    features = trained.vocabulary.features(read.text)
    conduct = kind.judge(read.text, features, trained, "conduct", lexicons.conduct)
    reproach = conduct.likely
    opinion = lexicons.network.read(read.text, seen.when, seen.who)
    person = lexicons.blame.choose(seen.around, seen.people, reproach, opinion.people)
    candidates = lexicons.bodies.find(
        read.without(seen.dated), seen.named, lexicons.gazetteer, seen.standing, reproach
    )
    return Findings(
        mentions=seen,
        person=person,
        unit=unit.choose(candidates, person, reproach),
        time=lexicons.dating.choose(read, seen.around, seen.times, matter.received, opinion.times),
        amounts=lexicons.counter.find(read, (*seen.dated, *seen.closed)),
        domain=kind.judge(read.text, features, trained, "domain", lexicons.domain),
        conduct=conduct,
    )


def _foreign(seen: Mentions, lexicons: Lexicons) -> Findings:
    """Fill what the language's own pack has terms for; without a pack nothing is guessed."""
    tag = seen.reading.passage.language.split("-")[0].lower()
    terms = lexicons.foreign.get(tag)
    if terms is None:
        return Findings(seen)
    text = seen.reading.text
    return Findings(
        seen,
        domain=kind.by_terms(text, terms.domain),
        conduct=kind.by_terms(text, terms.conduct),
    )


def _description(matter: Matter, found: tuple[Findings, ...], ledger: Ledger) -> str:
    """Join the passages, without control characters, up to the length of the field."""
    texts = [reading.printable(passage.text) for passage in matter.passages]
    description = JOINT.join(text for text in texts if text.strip())[:LONGEST]
    for one in found:
        text = one.reading.passage.text
        if text.strip():
            whole = reading.Span(0, len(text))
            source = one.reading.source(whole, "reporter", 1.0, "passage")
            ledger.add("description", source.model_copy(update={"text": ""}))
    return description


def _title(found: tuple[Findings, ...], ledger: Ledger) -> str:
    """Make the title of the passage that says most, private stretches hidden."""
    told = [one for one in found if one.reading.text.strip()]
    if not told:
        return ""
    best = max(told, key=lambda one: (one.reading.chinese, len(one.reading.text.strip()) > 8))
    evidence = [*best.domain.spans, *best.conduct.spans]
    evidence += [one.span for one in (best.unit, best.person) if one is not None]
    text = private.hide(
        reading.printable(best.reading.passage.text),
        tuple(one.span for one in best.mentions.private),
    )
    made = title.make(text, tuple(evidence))
    if made:
        whole = reading.Span(0, len(best.reading.passage.text))
        source = best.reading.source(whole, "rule", 0.9, "title: the telling clause")
        ledger.add("title", source.model_copy(update={"text": ""}))
    return made


def _judged(
    name: str, found: tuple[Findings, ...], lexicons: Lexicons, ledger: Ledger
) -> tuple[str, tuple[Choice, ...]]:
    """Take the judgement of the passage that is surest."""
    judged = [(one, one.domain if name == "domain" else one.conduct) for one in found]
    judged = [pair for pair in judged if pair[1].choices]
    if not judged:
        return "", ()
    one, best = max(judged, key=lambda pair: pair[1].choices[0].confidence)
    head = lexicons.model.domain if name == "domain" else lexicons.model.conduct
    code = best.best(head.threshold) if one.reading.chinese else best.likely
    if code:
        confidence = best.choices[0].confidence
        sources = (
            one.reading.source(span, best.by, confidence, lexicons.version) for span in best.spans
        )
        ledger.add(name, *sources)
    return code, best.choices


def _subject(
    found: tuple[Findings, ...], matter: Matter, lexicons: Lexicons, ledger: Ledger
) -> Subject:
    """Say whom it is about; the channel's own unit where no body was said."""
    people = [(one, one.person) for one in found if one.person is not None]
    person: Person | None = None
    if people:
        one, person = max(people, key=lambda pair: pair[1].weight)
        confidence = min(0.95, person.weight)
        for name, value, elsewhere in (
            ("name", person.written, person.name_at),
            ("post", person.post, person.post_at),
        ):
            if value:
                span = elsewhere or person.span
                source = one.reading.source(span, "model", confidence, lexicons.version)
                ledger.add(f"subject.{name}", source)
    units = [(one, one.unit) for one in found if one.unit is not None]
    channel = matter.channel
    if units:
        one, candidate = max(units, key=lambda pair: (pair[1].how == "heard", pair[1].score))
        confidence = candidate.confidence
        ledger.add(
            "subject.unit",
            one.reading.source(candidate.span, "rule", confidence, f"unit: {candidate.how}"),
        )
        unit_name, unit_code = candidate.place.name, candidate.place.code
    else:
        unit_name, unit_code = channel.unit_name, channel.unit_code or ""
        if unit_name or unit_code:
            ledger.add("subject.unit", Provenance(by="channel", confidence=0.5, why="channel"))
    chain = lexicons.gazetteer.chain(unit_code)
    return Subject(
        name=person.written if person else "",
        unit=unit_name or (chain[0].name if chain else ""),
        unit_code=unit_code or None,
        post=person.post if person else "",
        rank=chain[0].rank if chain else "",
        region="".join(
            above.name for above in reversed(chain) if above.kind in ("county", "town", "village")
        ),
    )


def _occurred(found: tuple[Findings, ...], lexicons: Lexicons, ledger: Ledger) -> Occurred | None:
    times = [(one, one.time) for one in found if one.time is not None]
    if not times:
        return None
    one, time = max(times, key=lambda pair: pair[1].confidence)
    source = one.reading.source(time.span, "model", time.confidence, lexicons.version)
    ledger.add("occurred", source)
    return time.occurred


def _place(found: tuple[Findings, ...], ledger: Ledger) -> tuple[str, str | None]:
    """Write every division that was named, and the code of the smallest."""
    names: list[str] = []
    named: list[Named] = []
    for one in found:
        for said in place.divisions(one.mentions.named, one.reading):
            written = place.written(said, one.reading)
            if written in names:
                continue
            names.append(written)
            named.append(said)
            confidence = 0.97 - 0.08 * said.changed
            ledger.add("place", one.reading.source(said.span, "rule", confidence, "gazetteer"))
    finest = place.finest(tuple(named))
    return place.JOINT.join(names), finest.code if finest else None


def _amounts(found: tuple[Findings, ...], ledger: Ledger) -> tuple[Amount, ...]:
    """List the amounts of all passages, the same one once."""
    amounts: dict[tuple[float, str], Amount] = {}
    for one in found:
        for said in one.amounts:
            key = (said.amount.value, said.amount.unit)
            if key in amounts:
                continue
            source = one.reading.source(said.span, "rule", 0.95, f"amount: {said.amount.unit}")
            ledger.add(f"amounts.{len(amounts)}", source)
            amounts[key] = said.amount
    return tuple(amounts.values())


def _masks(found: tuple[Findings, ...]) -> tuple[Mask, ...]:
    return tuple(mask for one in found for mask in private.masks(one.reading, one.mentions.private))
