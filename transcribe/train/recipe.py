"""Grow a pack from recordings: from nothing, from another pack, or from a stock Whisper."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tokenizers

from models import packs
from transcribe.train import card, evaluate, manifest, packfile, recordings, tokens
from transcribe.train.clips import Stored
from transcribe.train.manifest import Entry, Manifest, Refused, Split
from transcribe.train.progress import Progress

SCRATCH = "scratch"
# Codes of Whisper's that a language without one may borrow, least spoken around here first.
_LENDERS = ("haw", "mi", "ln", "sn", "mg", "su", "jw", "oc", "fo", "br", "tk", "ba", "tt", "uz")
_SEED = 7
_SHORT_FLOOR, _SHORT_MARGIN = 1.0, 0.4

Say = Callable[[str], None]
Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Language:
    """How a new language is shown."""

    name: str
    autonym: str


@dataclass(frozen=True)
class Wish:
    """What is asked of the recipe.

    base : "scratch", a pack's folder, or a folder with a Whisper in Hugging Face's form
    rehearsal : clips of the base pack's own languages, mixed in so that it does not forget them
    low_rank : train small added matrices only, where the base is a stock Whisper
    borrow : Whisper's code to use for a language by tag, where it has none
    """

    data: tuple[Path, ...]
    out: Path
    work: Path
    base: str = SCRATCH
    hours: float = 1.0
    device: str = "cpu"
    threads: int = 2
    steps: int = 10**9
    name: str = ""
    version: str = "1"
    licence: str = "not stated"
    low_rank: bool = True
    rehearsal: tuple[Stored, ...] = ()
    borrow: tuple[tuple[str, str], ...] = ()
    languages: tuple[tuple[str, Language], ...] = ()
    shape: tuple[
        tuple[str, int], ...
    ] = ()  # sizes other than the network's own, for a scratch pack


@dataclass(frozen=True)
class Outcome:
    """A pack that was grown, with what it was grown from."""

    pack: packs.Pack
    rows: tuple[card.Row, ...]
    refused: tuple[Refused, ...]
    minutes: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """What would be trained on: minutes by language for both sides, and lines left out."""

    split: Split
    refused: tuple[Refused, ...]

    def lines(self) -> list[str]:
        """Say it for people."""
        text = []
        for title, entries in (("train", self.split.training), ("check", self.split.check)):
            for tag, minutes in sorted(Manifest(entries, ()).minutes().items()):
                count = sum(entry.language == tag for entry in entries)
                speakers = len({e.speaker for e in entries if e.language == tag} - {""})
                text.append(
                    f"{title:5} {tag:5} {minutes:8.1f} min {count:6} clips,"
                    f" {speakers} known speakers"
                )
        text += [f"left out: line {refusal.line}: {refusal.reason}" for refusal in self.refused]
        return text


def summary(data: Sequence[Path]) -> Summary:
    """Read and split manifests; raise ManifestError where too little can be used."""
    read = [manifest.read(path) for path in data]
    entries = [entry for one in read for entry in one.entries]
    refused = tuple(refusal for one in read for refusal in one.refused)
    if not entries:
        raise manifest.ManifestError(
            f"no line of {', '.join(p.name for p in data)} can be used:"
            f" {refused[0].reason if refused else 'it is empty'}"
        )
    return Summary(manifest.split(entries), refused)


def train(wish: Wish, say: Say, watch: Watch | None = None) -> Outcome:
    """Grow a pack; go on where a run with the same work folder was stopped."""
    told = summary(wish.data)
    for line in told.lines():
        say(line)
    wish.work.mkdir(parents=True, exist_ok=True)
    _same_data(wish, told)
    if wish.base != SCRATCH and _is_stock(Path(wish.base)):
        from transcribe.train import stock

        stock.tune(wish, told.split, say, watch or _silent)
    else:
        _grow(wish, told.split, watch or _silent)
    pack = _page(wish, told)
    packfile.write(pack)
    rows = _measured(wish, told.split.check)
    known = Manifest(told.split.training, ()).minutes()
    report: dict[str, Any] = {
        "made": {
            "by": "xiangyin pack train",
            "base": Path(wish.base).name,
            "does_not_know": "what its recordings do not have: see the rows and their counts",
        },
        "minutes": {tag: round(minutes, 1) for tag, minutes in known.items()},
        "rows": [row.as_dict() for row in rows],
    }
    pack = pack.model_copy(update={"card": report})
    packfile.write(pack)
    _keep_log(wish)
    say(card.table(rows))
    return Outcome(pack, tuple(rows), told.refused, known)


def rehearsal(data: Path, work: Path, mels: int = 80) -> tuple[Stored, ...]:
    """Make clips of a manifest of old languages, to be mixed into a training of new ones."""
    entries = manifest.read(data).entries
    return tuple(recordings.plain(entries, recordings.Making(work, _SEED, mels)))


def check(folder: Path, data: Path, threads: int = 2) -> tuple[list[card.Row], tuple[Refused, ...]]:
    """Measure a pack on a manifest; lines that cannot be used are left out and told."""
    recogniser = evaluate.Recogniser(folder, threads)
    read = manifest.read(data, recogniser.pack.tags)
    if not read.entries:
        raise manifest.ManifestError(
            f"{data.name} has no clip in a language of the pack {recogniser.pack.name}:"
            f" {', '.join(recogniser.pack.tags)}"
        )
    return card.rows(evaluate.measure(recogniser, evaluate.known(read.entries))), read.refused


def _silent(progress: Progress) -> None:
    """Watch without a word."""


def _same_data(wish: Wish, told: Summary) -> None:
    """Refuse to go on in a work folder that was begun with other data or another base."""
    entries = [*told.split.training, *told.split.check]
    listed = [f"{e.audio}|{e.start}|{e.end}|{e.text}" for e in entries]
    own = hashlib.sha256("\n".join([wish.base, *listed]).encode()).hexdigest()
    mark = wish.work / "data.sha256"
    if mark.exists() and mark.read_text() != own:
        raise manifest.ManifestError(
            f"{wish.work} holds a run of other data: give another work folder, or remove it"
        )
    mark.write_text(own)


def _is_stock(folder: Path) -> bool:
    return not (folder / packs.PACK_FILE).exists() and (folder / "config.json").exists()


def codes(tags: Sequence[str], borrow: dict[str, str], taken: Sequence[str]) -> dict[str, str]:
    """Give each tag a code of Whisper's: its own where it has one, else a borrowed one."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES  # the codes that it accepts

    known = frozenset(_LANGUAGE_CODES)
    found: dict[str, str] = {}
    for tag in tags:
        own = tag.split("-")[0]
        wanted = borrow.get(tag, own if own in known and own != "yi" else "")
        free = (c for c in _LENDERS if c not in taken and c not in found.values())
        found[tag] = wanted or next(free)
        if found[tag] not in known:
            raise ValueError(f"{found[tag]!r} is no language code of Whisper's")
    return found


def _grow(wish: Wish, split: Split, watch: Watch) -> None:
    from transcribe.train import batches, export, fit
    from transcribe.train.network import Shape

    tags = sorted({entry.language for entry in split.training})
    single, joined, checked = recordings.make(
        split.training, split.check, recordings.Making(wish.work, _SEED)
    )
    texts = {t: [e.text for e in split.training if e.language == t] for t in tags}
    sounds = batches.sounds_of([s.clip for s in single])
    if wish.base == SCRATCH:
        by_tag = codes(tags, dict(wish.borrow), ())
        tokenizer = _kept_tokenizer(wish, lambda: tokens.grow(texts, list(by_tag.values())))
        shape = Shape(tokenizer.get_vocab_size(), len(sounds) + 1, **dict(wish.shape))
        weights, plan = None, fit.Plan(seconds=wish.hours * 3600)
    else:
        base = packs.read(Path(wish.base))
        by_tag = {language.tag: language.token for language in base.languages}
        new = [tag for tag in tags if tag not in by_tag]
        by_tag |= codes(new, dict(wish.borrow), list(by_tag.values()))
        shape, arrays, old = export.read(base.folder)
        tokenizer = tokens.with_languages(old, list(by_tag.values()))
        shape, arrays = export.grown(shape, arrays, old, tokenizer)
        shape = replace(shape, sounds=len(sounds) + 1)
        weights, plan = arrays, fit.tuning(wish.hours * 3600)
    plan = replace(plan, steps=wish.steps, threads=wish.threads, device=wish.device, seed=_SEED)
    vocabulary = batches.Vocabulary(tokenizer, tokens.prompt(tokenizer), by_tag, sounds)
    trainer = fit.Trainer(wish.work, shape, vocabulary, plan, weights)
    mixed = _mixed(single, list(wish.rehearsal))
    trainer.run(lambda: (mixed, joined), checked, watch)
    fit.export(wish.work, vocabulary, wish.out)


def _mixed(new: list[Stored], old: list[Stored]) -> list[Stored]:
    """Put old clips among the new ones, half and half: new ones are repeated where they are few."""
    if not old:
        return new
    return [*old, *(new * max(1, len(old) // max(1, len(new))))]


def _kept_tokenizer(wish: Wish, make: Callable[[], tokenizers.Tokenizer]) -> tokenizers.Tokenizer:
    path = wish.work / "tokenizer.json"
    if not path.exists():
        make().save(str(path))
    return tokenizers.Tokenizer.from_file(str(path))


def _page(wish: Wish, told: Summary) -> packs.Pack:
    """Say what the pack is, before it is measured."""
    written = tokenizers.Tokenizer.from_file(str(wish.out / "tokenizer.json"))
    taken = tokens.prompt(written).languages
    kept: dict[str, packs.PackLanguage] = {}
    if wish.base != SCRATCH and (Path(wish.base) / packs.PACK_FILE).exists():
        kept = {language.tag: language for language in packs.read(Path(wish.base)).languages}
    tags = sorted({entry.language for entry in told.split.training})
    new = codes(
        [t for t in tags if t not in kept], dict(wish.borrow), [x.token for x in kept.values()]
    )
    shown = dict(wish.languages)
    for tag, code in new.items():
        if code not in taken:
            raise ValueError(f"the tokenizer has no token for {code}")
        named = shown.get(tag, Language(tag, tag))
        kept[tag] = packs.PackLanguage(
            tag=tag, name=named.name, autonym=named.autonym, token=code, borrowed=code != tag
        )
    stock_base = wish.base != SCRATCH and _is_stock(Path(wish.base))
    thresholds = packs.Thresholds()
    if not stock_base:
        thresholds = packs.Thresholds(
            window_floor_seconds=_SHORT_FLOOR, window_margin_seconds=_SHORT_MARGIN
        )
    return packs.Pack(
        name=wish.name or wish.out.name,
        version=wish.version,
        licence=wish.licence,
        notes="Grown by `xiangyin pack train` from confirmed recordings.",
        languages=tuple(kept.values()),
        thresholds=thresholds,
        folder=wish.out,
    )


def _measured(wish: Wish, entries: Sequence[Entry]) -> list[card.Row]:
    recogniser = evaluate.Recogniser(wish.out, wish.threads)
    return card.rows(evaluate.measure(recogniser, evaluate.known(entries)))


def _keep_log(wish: Wish) -> None:
    """Put the log and its curves beside the pack."""
    from transcribe.train import plots

    log = wish.work / "log.jsonl"
    if log.exists():
        shutil.copy(log, wish.out / "training.jsonl")
        rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        plots.training(rows, wish.out / "training.png")
