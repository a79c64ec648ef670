"""Grow a pack from recordings: from nothing, from another pack, or from a stock Whisper."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tokenizers

from models import packs
from models.errors import Invalid, Misconfigured
from transcribe import spelling
from transcribe.train import (
    borrow,
    card,
    evaluate,
    exam,
    manifest,
    packfile,
    plots,
    recordings,
    tokens,
)
from transcribe.train.manifest import Entry, LeftOut, Manifest, Split
from transcribe.train.plan import Plan, tuning
from transcribe.train.progress import Progress
from transcribe.train.wish import SCRATCH, SEED, Language, Say, Watch, Wish, rehearsal

_SHORT_FLOOR, _SHORT_MARGIN = 1.0, 0.4
_BEAMS = 5  # which cost a small decoder little


@dataclass(frozen=True)
class Outcome:
    """A pack that was grown, with what it was grown from."""

    pack: packs.Pack
    rows: tuple[card.Row, ...]
    left_out: tuple[LeftOut, ...]
    minutes: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """What is trained on, what it is checked with, and lines left out."""

    split: Split
    left_out: tuple[LeftOut, ...]

    def lines(self) -> list[str]:
        """Say how many minutes there are by language on both sides."""
        text = []
        for title, entries in (("train", self.split.training), ("check", self.split.check)):
            for tag, minutes in sorted(Manifest(entries, ()).minutes().items()):
                count = sum(entry.language == tag for entry in entries)
                speakers = len({e.speaker for e in entries if e.language == tag} - {""})
                text.append(
                    f"{title:5} {tag:5} {minutes:8.1f} min {count:6} clips,"
                    f" {speakers} known speakers"
                )
        return text


def summary(data: Sequence[Path], say: Say) -> Summary:
    """Read and split manifests, or folders with one, and say which lines are left out.

    Raise Invalid where too little can be used.
    """
    paths = [manifest.of(path) for path in data]
    read = [manifest.read(path) for path in paths]
    entries = [entry for one in read for entry in one.entries]
    left_out = tuple(line for one in read for line in one.left_out)
    for line in left_out:
        say(str(line))
    if not entries:
        names = ", ".join(path.name for path in paths)
        raise manifest.bad(
            f"{names} 里没有一行可用：{'请看上面各行的原因。' if left_out else '清单是空的。'}",
            f"No line of {names} can be used: "
            + ("see above why." if left_out else "there is nothing in it."),
        )
    return Summary(manifest.split(entries), left_out)


def train(wish: Wish, say: Say, watch: Watch | None = None) -> Outcome:
    """Grow a pack; go on where a run with the same work folder was stopped."""
    require_base(wish.base)
    exam.require_apart([*wish.data, *wish.rehearse], [exam.heldout()])
    told = summary(wish.data, say)
    for line in told.lines():
        say(line)
    wish.work.mkdir(parents=True, exist_ok=True)
    _same_data(wish, told)
    if wish.base != SCRATCH and _is_stock(Path(wish.base)):
        from transcribe.train import stock

        stock.tune(wish, told.split, say, watch or _silent)
    else:
        _grow(wish, told.split, say, watch or _silent)
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
    plots.keep(wish.work / "log.jsonl", wish.out)
    say(card.table(rows))
    return Outcome(pack, tuple(rows), told.left_out, known)


def require_base(base: str) -> None:
    """Raise Misconfigured where a base is no folder that training can start from."""
    folder = Path(base)
    if base == SCRATCH or _is_stock(folder):
        return
    if not folder.is_dir():
        raise Misconfigured(
            f"没有 {base} 这个文件夹：--base 应是 scratch、语言包，"
            "或 Hugging Face 形式的 Whisper。",
            f"There is no folder {base}: --base takes scratch, a language pack, or a Whisper in "
            "Hugging Face's form.",
            code="no_base",
        )
    packs.read(folder)


def borrowed(written: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Read TAG=CODE; raise Invalid where something is not of the form."""
    pairs = [tuple(one.split("=")) for one in written]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise Invalid(
            "--borrow 应写成 标签=代码，例如 ug=uz。",
            "--borrow is written TAG=CODE, for example ug=uz.",
            code="bad_borrow",
        )
    return tuple((tag, code) for tag, code in pairs)


def named(written: Sequence[str]) -> tuple[tuple[str, Language], ...]:
    """Read TAG=NAME=AUTONYM; raise Invalid where something is not of the form."""
    threes = [tuple(one.split("=")) for one in written]
    if any(len(three) != 3 or not all(three) for three in threes):
        raise Invalid(
            "--called 应写成 标签=名称=自称，例如 ii=Nuosu Yi=ꆈꌠꉙ。",
            "--called is written TAG=NAME=AUTONYM, for example ii=Nuosu Yi=ꆈꌠꉙ.",
            code="bad_name",
        )
    return tuple((tag, Language(name, autonym)) for tag, name, autonym in threes)


def _silent(progress: Progress) -> None:
    """Watch without a word."""


def _same_data(wish: Wish, told: Summary) -> None:
    """Refuse to go on in a work folder that was begun with other data or another base."""
    entries = [*told.split.training, *told.split.check]
    listed = [f"{e.audio}|{e.start}|{e.end}|{e.text}" for e in entries]
    own = hashlib.sha256("\n".join([wish.base, *listed]).encode()).hexdigest()
    mark = wish.work / "data.sha256"
    if mark.exists() and mark.read_text() != own:
        raise Invalid(
            f"{wish.work} 里是用别的数据做的训练：请另给工作文件夹，或先删除它。",
            f"{wish.work} holds a run of other data: give another work folder, or remove it.",
            code="other_work",
        )
    mark.write_text(own)


def _is_stock(folder: Path) -> bool:
    return not (folder / packs.PACK_FILE).exists() and all(
        (folder / name).exists() for name in ("config.json", "tokenizer.json")
    )


def _grow(wish: Wish, split: Split, say: Say, watch: Watch) -> None:
    import torch

    from transcribe.train import batches, blend, export, fit
    from transcribe.train.network import Shape

    tags = sorted({entry.language for entry in split.training})
    texts = {t: [e.text for e in split.training if e.language == t] for t in tags}
    weights: export.Weights | None = None
    if wish.base == SCRATCH:
        by_tag = borrow.codes(tags, dict(wish.borrow), ())
        tokenizer = _kept_tokenizer(wish, lambda: tokens.grow(texts, list(by_tag.values())))
        shape = Shape(tokenizer.get_vocab_size(), 1, **dict(wish.shape))
        plan = Plan(seconds=wish.hours * 3600)
    else:
        base = packs.read(Path(wish.base))
        by_tag = {language.tag: language.token for language in base.languages}
        new = [tag for tag in tags if tag not in by_tag]
        by_tag |= borrow.codes(new, dict(wish.borrow), list(by_tag.values()))
        shape, weights, earlier = export.read(base.folder)
        said = [text for own in texts.values() for text in own]
        tokenizer = tokens.extended(earlier, list(by_tag.values()), said)
        shape, weights = export.grown(shape, weights, earlier, tokenizer)
        plan = tuning(wish.hours * 3600)
    single, joined, checked = recordings.make(
        split.training, split.check, recordings.Making(wish.work, SEED, shape.mels)
    )
    old, old_check = blend.parted(rehearsal(wish, shape.mels))
    sounds = batches.sounds_of([s.clip for s in single])
    shape = replace(shape, sounds=len(sounds) + 1)
    plan = replace(plan, steps=wish.steps, threads=wish.threads, device=wish.device, seed=SEED)
    vocabulary = batches.Vocabulary(tokenizer, tokens.prompt(tokenizer), by_tag, sounds)
    keep = {s.clip.language for s in old} - set(tags)
    trainer = fit.Trainer(wish.work, shape, vocabulary, plan, weights, keep)
    short = recordings.mixed(single, [s for s in old if len(s.clip.parts) == 1])
    long = recordings.mixed(joined, [s for s in old if len(s.clip.parts) != 1])
    trainer.run(lambda: (short, long), checked, watch)
    network = trainer.averaged()
    if weights is not None and old_check:
        torch.set_num_threads(wish.threads)  # nothing else computes now
        before = {name: torch.from_numpy(array) for name, array in weights.items()}
        gone = blend.choose(before, network, vocabulary, old_check)
        say(
            f"{gone.share:.0%} of the way: the old languages' CER is {gone.after:.1%}, and was"
            f" {gone.before:.1%}"
        )
    fit.write(shape, network.state_dict(), vocabulary, wish.out)
    known = spelling.Spelling(runs={}) if wish.base == SCRATCH else spelling.load(Path(wish.base))
    spelling.save(known.with_(spelling.learn(texts)), wish.out)


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
    tags = sorted(
        {entry.language for entry in told.split.training}
        | {stored.clip.language for stored in rehearsal(wish, _mels(wish.out))}
    )
    new = borrow.codes(
        [t for t in tags if t not in kept], dict(wish.borrow), [x.token for x in kept.values()]
    )
    shown = dict(wish.languages)
    for tag, code in new.items():
        borrow.require_token(code, taken)
        named = shown.get(tag, Language(tag, tag))
        kept[tag] = packs.PackLanguage(
            tag=tag, name=named.name, autonym=named.autonym, token=code, borrowed=code != tag
        )
    return packs.Pack(
        name=wish.name or wish.out.name,
        version=wish.version,
        licence=wish.licence,
        notes="Grown by `xiangyin pack train` from confirmed recordings.",
        languages=tuple(kept.values()),
        thresholds=_thresholds(wish.base),
        folder=wish.out,
    )


def _thresholds(base: str) -> packs.Thresholds:
    """Give what the base says, or what fits short windows and small decoders made from nothing."""
    if base == SCRATCH:
        return packs.Thresholds(
            window_floor_seconds=_SHORT_FLOOR, window_margin_seconds=_SHORT_MARGIN, beams=_BEAMS
        )
    if (Path(base) / packs.PACK_FILE).exists():
        return packs.read(Path(base)).thresholds
    return packs.Thresholds()


def _mels(folder: Path) -> int:
    page = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    return int(page["feature_size"])


def _measured(wish: Wish, entries: Sequence[Entry]) -> list[card.Row]:
    recogniser = evaluate.Recogniser(wish.out, wish.threads)
    return card.rows(evaluate.measure(recogniser, evaluate.known(entries)))
