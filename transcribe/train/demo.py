"""The demo pack from nothing: `python -m transcribe.train.demo make`.

Texts come from the grammars in samples/, voices from espeak-ng; every seed is fixed. What is made
and where training is lies in the work folder, so the command goes on where it was stopped.
"""

import json
import multiprocessing
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tokenizers
import typer

from models import packs
from transcribe import spelling
from transcribe.train import (
    batches,
    card,
    clips,
    curve,
    evaluate,
    fit,
    grammar,
    heldout,
    invented,
    packfile,
    plots,
    showcase,
    synthetic,
    tokens,
)
from transcribe.train.clips import Stored
from transcribe.train.espeak import HELDOUT_VARIANTS, TRAINING_VARIANTS
from transcribe.train.progress import Progress
from transcribe.train.synthetic import Line, Order
from transcribe.train.wish import Language

SEED = 20261122
ROOT = Path(__file__).resolve().parents[2]
GRAMMARS = ROOT / "samples" / "grammars"
PACK = ROOT / "samples" / "packs" / "demo"
HELDOUT = ROOT / "samples" / "heldout"
VERSION = "2026.11.29.1"
NAMES = {
    "zh": ("Mandarin Chinese", "普通话"),
    "yue": ("Cantonese", "粵語"),
    "ug": ("Uyghur", "ئۇيغۇرچە"),
    "kk": ("Kazakh", "қазақша"),
    "ko": ("Korean", "한국어"),
}
NOTES = (
    "Synthetic voices (espeak-ng) speaking texts from grammars that no native speaker has checked."
    " For demonstration, tests and as a base to fine-tune from; not for human speech."
)
MADE = {
    "by": "python -m transcribe.train.demo make",
    "from": "sentences of samples/grammars, and invented ones, spoken by espeak-ng 1.52; every"
    " recording is synthetic",
    "does_not_know": "human voices, other languages, words outside the grammars",
}
# Uyghur has no token of Whisper's: it borrows that of Uzbek, its nearest relative that has one.
WHISPER_CODES = {"zh": "zh", "yue": "yue", "ug": "uz", "kk": "kk", "ko": "ko"}
SENTENCES = {"zh": 22000, "yue": 16000, "ug": 16000, "kk": 16000, "ko": 16000}
INVENTED = {"zh": 3000, "yue": 3000, "ug": 8000, "kk": 8000, "ko": 8000}  # beside the sentences
# A second helping, spoken after all others: Mandarin has the most syllables and tones to tell.
MORE_SENTENCES = {"zh": 22000}
MORE_INVENTED = {"zh": 6000}
JOINED_SENTENCES = 1600  # a language, drawn again from the sentences of the single clips
FIRST_SHARDS = 10  # of single clips, with which training begins
CHECK_SENTENCES = 40  # a language
CHECKED = 120  # of all of them, each time
RESERVE_CHARACTERS = 2000
# Half of what the pack writes of its own languages scores over -0.14 a token, nine tenths over
# -0.7; what it writes of others scores mostly less.
LEAST_LOGPROB = -0.7
# Of the unknown languages that the tagger is calibrated with, the likeliest text is one of the
# pack's with 0.95 (`transcribe.train.background`): beyond it a text is trusted.
SURE = 0.96
BEAMS = 5  # a decoder of two layers: they cost a tenth of the time, and a quarter of the errors
KYRGYZ_SENTENCES = 2600  # a little over 120 minutes
KYRGYZ_HELDOUT = 300
REHEARSED = {"single": 40, "joined": 6}  # shards of the pack's own clips, while it learns another


@dataclass(frozen=True)
class Texts:
    """What is spoken: training lines in a fixed random order, and lines to check training with."""

    training: tuple[Line, ...]
    joined: tuple[Line, ...]
    check: tuple[Line, ...]


@dataclass(frozen=True)
class Sentences:
    """What training hears of one language: first, and in its second helping."""

    first: list[str]
    more: list[str]

    @property
    def every(self) -> list[str]:
        """Return both helpings."""
        return self.first + self.more


def training_texts() -> dict[str, Sentences]:
    """Return the training sentences by language; the same ones every time."""
    found = {}
    for tag, count in SENTENCES.items():
        own = grammar.load(GRAMMARS / f"{tag}.toml")
        real = grammar.training_sentences(own, count + MORE_SENTENCES.get(tag, 0), SEED)
        made = INVENTED[tag]
        new = invented.sentences(own, real[:count], made + MORE_INVENTED.get(tag, 0), SEED)
        found[tag] = Sentences(real[:count] + new[:made], real[count:] + new[made:])
    return found


def texts(training: dict[str, Sentences]) -> Texts:
    """Put the sentences in the order in which they are spoken."""
    rng = random.Random(SEED)
    single, more, joined, check = [], [], [], []
    for tag, sentences in training.items():
        own = grammar.load(GRAMMARS / f"{tag}.toml")
        single += [Line(tag, own.voice, text) for text in sentences.first]
        more += [Line(tag, own.voice, text) for text in sentences.more]
        joined += [Line(tag, own.voice, t) for t in rng.sample(sentences.first, JOINED_SENTENCES)]
        unseen = grammar.heldout_sentences(own, CHECK_SENTENCES, SEED + 1, sentences.every)
        check += [Line(tag, own.voice, sentence.text) for sentence in unseen]
    for lines in (single, joined, check, more):
        rng.shuffle(lines)
    return Texts((*single, *more), tuple(joined), tuple(check))


def orders(work: Path, spoken: Texts) -> list[Order]:
    """List the shards to be made, in the order in which training wants them."""

    def cut(name: str, lines: Sequence[Line], variants: tuple[str, ...], kind: str) -> list[Order]:
        return [
            Order(work / name, number, SEED, tuple(lines[first : first + clips.SHARD]), variants,
                  kind, damaged=name != "check")
            for number, first in enumerate(range(0, len(lines), clips.SHARD))
        ]  # fmt: skip

    single = cut("single", spoken.training, TRAINING_VARIANTS, "single")
    return [
        *cut("check", spoken.check, HELDOUT_VARIANTS, "single"),
        *single[:FIRST_SHARDS],
        *cut("joined", spoken.joined, TRAINING_VARIANTS, "joined"),
        *single[FIRST_SHARDS:],
    ]


def vocabulary(
    work: Path, training: dict[str, Sentences], base: Path | None = None
) -> batches.Vocabulary:
    """Make the tokenizer and the list of sounds, or read them where they were made.

    base : a pack to go on from, whose tokenizer is kept
    """
    tokenizer_file, sounds_file = work / "tokenizer.json", work / "sounds.json"
    if not tokenizer_file.exists() and base is not None:
        shutil.copy(base / "tokenizer.json", tokenizer_file)
    elif not tokenizer_file.exists():
        reserve = tokens.common_characters(RESERVE_CHARACTERS)
        codes = list(WHISPER_CODES.values())
        heard = {tag: sentences.every for tag, sentences in training.items()}
        tokens.grow(heard, codes, reserve).save(str(tokenizer_file))
    if not sounds_file.exists():
        first = [stored.clip for stored in clips.read_shard(work / "single", 0)]
        sounds_file.write_text(json.dumps(batches.sounds_of(first)), encoding="utf-8")
    tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_file))
    return batches.Vocabulary(
        tokenizer,
        tokens.prompt(tokenizer),
        WHISPER_CODES,
        json.loads(sounds_file.read_text(encoding="utf-8")),
    )


class Shards:
    """The clips that are there so far, while others are still being made."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._seen: dict[str, int] = {"single": 0, "joined": 0}
        self._clips: dict[str, list[Stored]] = {"single": [], "joined": []}

    def __call__(self) -> tuple[Sequence[Stored], Sequence[Stored]]:
        """Return single clips and joined ones, always in the same order."""
        for name, seen in self._seen.items():
            while clips.shard_exists(self.work / name, seen):
                self._clips[name] += clips.read_shard(self.work / name, seen)
                seen += 1
            self._seen[name] = seen
        return self._clips["single"], self._clips["joined"]


def trained_texts(work: Path) -> dict[str, list[str]]:
    """Return the sentences that training heard: those of its shards, and those still to be made."""
    found = {tag: dict.fromkeys(said.every) for tag, said in training_texts().items()}
    for name in ("single", "joined"):
        for stored in clips.read(work / name) if (work / name).is_dir() else ():
            for part in stored.clip.parts:
                found[stored.clip.language][part.text] = None
    return {tag: list(lines) for tag, lines in found.items()}


def heldout_lines(work: Path) -> dict[str, list[Line]]:
    """Return the held-out lines by language; the same ones every time."""
    trained = trained_texts(work)
    return {
        tag: heldout.lines(grammar.load(GRAMMARS / f"{tag}.toml"), trained[tag], SEED + 2)
        for tag in SENTENCES
    }


app = typer.Typer(add_completion=False, help=__doc__)
Work = Annotated[Path, typer.Option(help="Where clips and checkpoints lie.")]
WORK = Path("data/demo-pack")


def _nice() -> None:
    os.nice(6)  # new sentences are worth a quarter of the processors


@app.command()
def make(
    work: Work = WORK,
    out: Annotated[Path, typer.Option(help="Where the pack goes.")] = PACK,
    hours: Annotated[float, typer.Option(help="Training time in all.")] = 4.0,
    threads: Annotated[int, typer.Option(help="Processor threads.")] = 2,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    base: Annotated[
        Path | None, typer.Option(help="Start from this demo pack's weights, not from nothing.")
    ] = None,
) -> None:
    """Make the demo pack from nothing, or go on making it."""
    import torch

    from transcribe.train import export
    from transcribe.train.network import Shape

    work.mkdir(parents=True, exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the makers of clips
    training = training_texts()
    wanted = orders(work, texts(training))
    with multiprocessing.get_context("spawn").Pool(threads, initializer=_nice) as pool:
        making = pool.imap(synthetic.make, wanted)
        for order in wanted[:FIRST_SHARDS]:
            next(making)
            typer.echo(f"made {order.folder.name} {order.number}")
        known = vocabulary(work, training, base)
        plan = fit.Plan(seconds=hours * 3600, seed=SEED, threads=threads, device=device)
        weights, sounds = None, len(known.sounds) + 1
        if base is None:
            shape = Shape(known.tokenizer.get_vocab_size(), sounds)
        else:
            shape, weights, _ = export.read(base)
            shape = replace(shape, sounds=sounds)
            plan = replace(plan, matrix_rate=2e-3, other_rate=1e-3, short_until=0, long_from=0.4)
        trainer = fit.Trainer(work, shape, known, plan, weights)
        size = sum(p.numel() for p in trainer.network.parameters()) / 1e6
        typer.echo(f"{shape} {size:.2f} M parameters, torch {torch.__version__}")
        trainer.run(Shards(work), clips.read(work / "check")[:CHECKED], _echo)
    export_pack(work, out)


@app.command(name="export")
def export_pack(work: Work = WORK, out: Path = PACK) -> None:
    """Write the pack of the last checkpoint, keeping the report card that is there."""
    known = vocabulary(work, {})
    fit.export(work, known, out)
    write_spelling(out)
    report = packs.read(out).card if (out / packs.PACK_FILE).exists() else {}
    packfile.write(page(out, report))
    plots.keep(work / fit.LOG, out)


@app.command(name="spelling")
def write_spelling(out: Path = PACK) -> None:
    """Write beside the pack how its languages are spelt."""
    said = {tag: sentences.every for tag, sentences in training_texts().items()}
    spelling.save(spelling.learn(said), out)


@app.command()
def overlaps(work: Work = WORK) -> None:
    """Print what the held-out clips share with training."""
    trained = trained_texts(work)
    shared = set(HELDOUT_VARIANTS) & set(TRAINING_VARIANTS)
    typer.echo(f"voices in both: {len(shared)}")
    for tag, lines in heldout_lines(work).items():
        report = grammar.compare([line.text for line in lines], trained[tag])
        typer.echo(f"{tag}: {report}")
    rows = (HELDOUT / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [json.loads(row) for row in rows]
    for tag in SENTENCES:
        own = [row["text"] for row in kept if row["language"] == tag]
        typer.echo(f"samples/heldout {tag}: {grammar.compare(own, trained[tag])}")
    heard = {row["speaker"].partition("+")[2] for row in kept}
    typer.echo(f"voices of samples/heldout in training: {len(heard & set(TRAINING_VARIANTS))}")


@app.command()
def measure(
    work: Work = WORK,
    pack: Annotated[Path, typer.Option(help="The pack to measure.")] = PACK,
    count: Annotated[int, typer.Option(help="Clips a language and condition.")] = heldout.MEASURED,
    threads: Annotated[int, typer.Option(help="Processor threads.")] = 2,
) -> None:
    """Measure the pack on held-out clips made for it, and write its report card."""
    recogniser = evaluate.Recogniser(pack, threads)
    scores: list[evaluate.Score] = []
    for tag, lines in heldout_lines(work).items():
        for condition in heldout.CONDITIONS:
            spoken = heldout.each(heldout.measured(lines)[:count], condition, str(SEED))
            scores += evaluate.measure(recogniser, (_known(one) for one in spoken))
            typer.echo(f"{tag} {condition}: {len(scores)} clips measured")
    found = card.rows(scores)
    typer.echo(card.table(found))
    packfile.write(page(pack, {"rows": [row.as_dict() for row in found]}))


def _known(spoken: heldout.Spoken) -> evaluate.Known:
    clip = spoken.sound.clip
    words = tuple((word.label, word.start, word.end) for word in clip.words)
    text = clip.parts[0].text
    return evaluate.Known(spoken.sound.pcm, text, clip.language, spoken.condition, words)


@app.command(name="heldout")
def write_heldout(work: Work = WORK, out: Path = HELDOUT) -> None:
    """Write samples/heldout: clips of held-out voices and sentences with their manifest."""
    chosen = [line for lines in heldout_lines(work).values() for line in heldout.kept(lines)]
    typer.echo(f"{len(chosen)} clips, {heldout.write(out, chosen, str(SEED)) / 1e6:.2f} MB")


@app.command()
def rehearsal(
    out: Annotated[Path, typer.Option(help="Where the recordings go.")] = Path("data/rehearsal"),
    count: Annotated[int, typer.Option(help="Clips a language.")] = 400,
) -> None:
    """Write recordings of the demo pack's own languages, for `pack train --rehearse`."""
    chosen = [
        Line(tag, grammar.load(GRAMMARS / f"{tag}.toml").voice, text)
        for tag, sentences in training_texts().items()
        for text in random.Random(SEED).sample(sentences.every, count)
    ]
    size = heldout.write(out, chosen, str(SEED), TRAINING_VARIANTS)
    typer.echo(f"{len(chosen)} clips, {size / 1e6:.1f} MB in {out}")


@app.command()
def kyrgyz(
    pack: Annotated[Path, typer.Option(help="The pack that learns Kyrgyz.")] = PACK,
    out: Annotated[Path, typer.Option(help="Where recordings, packs and the curve go.")] = Path(
        "data/kyrgyz"
    ),
    points: Annotated[str, typer.Option(help="Minutes of speech, parted by commas.")] = "",
    hours: Annotated[float, typer.Option(help="Training time of each point.")] = 0.22,
    threads: Annotated[int, typer.Option(help="Processor threads.")] = 2,
) -> None:
    """Draw how the pack learns Kyrgyz, which it has never heard, from minutes of recordings."""
    own = grammar.load(GRAMMARS / "ky.toml")
    recordings = out / "recordings"
    if not (out / "heldout" / "manifest.jsonl").exists():
        every = grammar.training_sentences(own, KYRGYZ_SENTENCES, SEED)
        spoken = [Line("ky", own.voice, text) for text in every]
        heldout.write(recordings, spoken, str(SEED), TRAINING_VARIANTS)
        held = grammar.heldout_sentences(own, KYRGYZ_HELDOUT, SEED + 2, every)
        lines = [Line("ky", own.voice, sentence.text) for sentence in held]
        heldout.write(out / "heldout", lines, str(SEED + 2))
    old = _rehearsed(out, threads)
    question = curve.Question(
        tag="ky",
        shown=Language("Kyrgyz", "кыргызча"),
        data=recordings / "manifest.jsonl",
        heldout=out / "heldout" / "manifest.jsonl",
        old=HELDOUT / "manifest.jsonl",
        base=pack,
        work=out / "curve",
        minutes=tuple(float(m) for m in points.split(",")) if points else curve.MINUTES,
        hours=hours,
        threads=threads,
        rehearsal=tuple(old),
    )
    typer.echo(curve.table(curve.draw(question, typer.echo, _echo)))


def _rehearsed(out: Path, threads: int) -> list[Stored]:
    """Make clips of the pack's own languages, or find those made before."""
    os.environ["OMP_NUM_THREADS"] = "1"  # for the makers of clips
    every = orders(out / "rehearsal", texts(training_texts()))
    wanted = [o for o in every if o.number < REHEARSED.get(o.folder.name, 0)]
    with multiprocessing.get_context("spawn").Pool(threads) as pool:
        for _ in pool.imap(synthetic.make, wanted):
            pass
    return [stored for name in REHEARSED for stored in clips.read(out / "rehearsal" / name)]


@app.command(name="showcase")
def write_showcase(
    font: Annotated[Path, typer.Option(help="A font with Chinese characters.")],
    out: Path = ROOT / "samples" / "demo",
) -> None:
    """Write samples/demo: voice messages, a typed text and a photographed letter."""
    showcase.write(out, font, typer.echo)


def page(folder: Path, report: dict[str, Any]) -> packs.Pack:
    """Say what the demo pack is."""
    return packs.Pack(
        name="demo",
        version=VERSION,
        licence="Apache-2.0",
        notes=NOTES,
        languages=tuple(
            packs.PackLanguage(
                tag=tag,
                name=name,
                autonym=autonym,
                token=WHISPER_CODES[tag],
                borrowed=WHISPER_CODES[tag] != tag,
            )
            for tag, (name, autonym) in NAMES.items()
        ),
        thresholds=packs.Thresholds(
            window_floor_seconds=1.0,
            window_margin_seconds=0.4,
            average_logprob=LEAST_LOGPROB,
            sure=SURE,
            beams=BEAMS,
        ),
        card={"made": MADE, **{k: v for k, v in report.items() if k != "made"}},
        folder=folder,
    )


def _echo(progress: Progress) -> None:
    if progress.step % 20 == 0:
        cer = " ".join(f"{tag} {rate:.1%}" for tag, rate in progress.cer.items())
        losses = progress.losses
        typer.echo(
            f"{progress.step} {progress.share:.1%} loss {losses.total:.3f} tokens"
            f" {losses.tokens:.3f} sounds {losses.sounds:.3f} attention {losses.attention:.3f}"
            f" {progress.clips_a_second:.0f} clips/s {cer}"
        )


if __name__ == "__main__":
    app()
