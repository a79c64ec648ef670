"""The demo pack from nothing: `python -m transcribe.train.demo make`.

Texts come from the grammars in samples/, voices from espeak-ng; every seed is fixed. What is made
and where training is lies in the work folder, so the command goes on where it was stopped.
"""

import json
import multiprocessing
import os
import random
import shutil
from dataclasses import replace
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
    corpus,
    curve,
    evaluate,
    fit,
    grammar,
    heldout,
    packfile,
    plots,
    showcase,
    synthetic,
    tokens,
)
from transcribe.train.clips import Stored
from transcribe.train.espeak import HELDOUT_VARIANTS, TRAINING_VARIANTS
from transcribe.train.plan import Plan
from transcribe.train.progress import Progress
from transcribe.train.synthetic import Line
from transcribe.train.wish import Language

ROOT = Path(__file__).resolve().parents[2]
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


def vocabulary(
    work: Path, training: dict[str, corpus.Sentences], base: Path | None = None
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
    training = corpus.training_texts()
    wanted = corpus.orders(work, corpus.texts(training))
    with multiprocessing.get_context("spawn").Pool(threads, initializer=_nice) as pool:
        making = pool.imap(synthetic.make, wanted)
        for order in wanted[: corpus.FIRST_SHARDS]:
            next(making)
            typer.echo(f"made {order.folder.name} {order.number}")
        known = vocabulary(work, training, base)
        plan = Plan(seconds=hours * 3600, seed=corpus.SEED, threads=threads, device=device)
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
        trainer.run(corpus.Shards(work), clips.read(work / "check")[:CHECKED], _echo)
    export_pack(work, out)


@app.command(name="export")
def export_pack(work: Work = WORK, out: Path = PACK) -> None:
    """Write the pack of the last checkpoint, keeping the report card that is there."""
    known = vocabulary(work, {})
    fit.export(work, known, out)
    write_spelling(out)
    report = packs.read(out).card if (out / packs.PACK_FILE).exists() else {}
    took = f"{fit.seconds(work) / 60:.0f} minutes of training"
    packfile.write(page(out, {**report, "made": {"took": took}}))
    plots.keep(work / fit.LOG, out)


@app.command(name="spelling")
def write_spelling(out: Path = PACK) -> None:
    """Write beside the pack how its languages are spelt."""
    said = {tag: sentences.every for tag, sentences in corpus.training_texts().items()}
    spelling.save(spelling.learn(said), out)


@app.command()
def overlaps(work: Work = WORK) -> None:
    """Print what the held-out clips share with training."""
    trained = corpus.trained_texts(work)
    shared = set(HELDOUT_VARIANTS) & set(TRAINING_VARIANTS)
    typer.echo(f"voices in both: {len(shared)}")
    for tag, lines in corpus.heldout_lines(work).items():
        report = grammar.compare([line.text for line in lines], trained[tag])
        typer.echo(f"{tag}: {report}")
    rows = (HELDOUT / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [json.loads(row) for row in rows]
    for tag in corpus.SENTENCES:
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
    for tag, lines in corpus.heldout_lines(work).items():
        for condition in heldout.CONDITIONS:
            spoken = heldout.each(heldout.measured(lines)[:count], condition, str(corpus.SEED))
            scores += evaluate.measure(recogniser, (_known(one) for one in spoken))
            typer.echo(f"{tag} {condition}: {len(scores)} clips measured")
    found = card.rows(scores)
    typer.echo(card.table(found))
    made = packs.read(pack).card.get("made", {})
    packfile.write(page(pack, {"rows": [row.as_dict() for row in found], "made": made}))


def _known(spoken: heldout.Spoken) -> evaluate.Known:
    clip = spoken.sound.clip
    words = tuple((word.label, word.start, word.end) for word in clip.words)
    text = clip.parts[0].text
    return evaluate.Known(spoken.sound.pcm, text, clip.language, spoken.condition, words)


@app.command(name="heldout")
def write_heldout(work: Work = WORK, out: Path = HELDOUT) -> None:
    """Write samples/heldout: clips of held-out voices and sentences with their manifest."""
    chosen = [line for lines in corpus.heldout_lines(work).values() for line in heldout.kept(lines)]
    typer.echo(f"{len(chosen)} clips, {heldout.write(out, chosen, str(corpus.SEED)) / 1e6:.2f} MB")


@app.command()
def rehearsal(
    out: Annotated[Path, typer.Option(help="Where the recordings go.")] = Path("data/rehearsal"),
    count: Annotated[int, typer.Option(help="Clips a language.")] = 400,
) -> None:
    """Write recordings of the demo pack's own languages, for `pack train --rehearse`."""
    chosen = [
        Line(tag, grammar.load(corpus.GRAMMARS / f"{tag}.toml").voice, text)
        for tag, sentences in corpus.training_texts().items()
        for text in random.Random(corpus.SEED).sample(sentences.every, count)
    ]
    size = heldout.write(out, chosen, str(corpus.SEED), TRAINING_VARIANTS)
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
    own = grammar.load(corpus.GRAMMARS / "ky.toml")
    recordings = out / "recordings"
    if not (out / "heldout" / "manifest.jsonl").exists():
        every = grammar.training_sentences(own, KYRGYZ_SENTENCES, corpus.SEED)
        spoken = [Line("ky", own.voice, text) for text in every]
        heldout.write(recordings, spoken, str(corpus.SEED), TRAINING_VARIANTS)
        held = grammar.heldout_sentences(own, KYRGYZ_HELDOUT, corpus.SEED + 2, every)
        lines = [Line("ky", own.voice, sentence.text) for sentence in held]
        heldout.write(out / "heldout", lines, str(corpus.SEED + 2))
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
    every = corpus.orders(out / "rehearsal", corpus.texts(corpus.training_texts()))
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
        card={**report, "made": {**report.get("made", {}), **MADE}},
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
