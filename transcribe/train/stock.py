"""Fine-tune a stock Whisper in Hugging Face's form, wholly or by low-rank matrices (LoRA)."""

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tokenizers
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from transcribe.train import batches, borrow, export, recordings, tokens
from transcribe.train.batches import Batch, Vocabulary
from transcribe.train.clips import Clip, Stored
from transcribe.train.grammar import bare
from transcribe.train.manifest import Entry, Split
from transcribe.train.network import Shape
from transcribe.train.progress import Losses, Progress, Watcher
from transcribe.train.wish import Say, Wish, rehearsal

_RANK = 16
_LOW_RANK_RATE, _WHOLE_RATE = 1e-3, 1e-5
_WARM_UP = 0.05
_CHECKPOINT = "checkpoint.pt"
_CHECKPOINT_SECONDS = 120.0
_FRAMES = 12_000
_SEED = 7
LOG = "log.jsonl"
_LOGGED_STEPS = 10
_ROUND = 256  # clips drawn at a time
_CHECKED = 32  # clips heard at each check, which is slow in whole windows
_CHECK_BATCH = 8
_CHECKS = 8
_LEAST_CHECK_SECONDS = 60.0
_PATIENCE = 4  # checks without a better CER after which tuning stops
_MOST_WRITTEN = 160

# Hugging Face's names of a layer's parts, and the network's here.
_PARTS = {
    "self_attn.q_proj": "attention.query",
    "self_attn.k_proj": "attention.key",
    "self_attn.v_proj": "attention.value",
    "self_attn.out_proj": "attention.out",
    "self_attn_layer_norm": "attention_norm",
    "encoder_attn.q_proj": "cross.query",
    "encoder_attn.k_proj": "cross.key",
    "encoder_attn.v_proj": "cross.value",
    "encoder_attn.out_proj": "cross.out",
    "encoder_attn_layer_norm": "cross_norm",
    "fc1": "mlp_in",
    "fc2": "mlp_out",
    "final_layer_norm": "mlp_norm",
}
_WHOLE = {
    "encoder.embed_positions.weight": "encoder.positions",
    "decoder.embed_positions.weight": "decoder.positions",
    "decoder.embed_tokens.weight": "decoder.tokens.weight",
    "encoder.layer_norm.weight": "encoder.norm.weight",
    "encoder.layer_norm.bias": "encoder.norm.bias",
    "decoder.layer_norm.weight": "decoder.norm.weight",
    "decoder.layer_norm.bias": "decoder.norm.bias",
}


@dataclass
class State:
    """Where tuning is; everything here is in the checkpoint."""

    step: int = 0
    elapsed: float = 0.0
    next_check: float = 0.0
    best: float = math.inf
    checks_since_best: int = 0
    cer: dict[str, float] = field(default_factory=dict)


def tune(wish: Wish, split: Split, say: Say, watch: Watcher) -> None:
    """Tune a stock Whisper on recordings and export it; goes on where it was stopped."""
    from transformers import WhisperForConditionalGeneration

    torch.manual_seed(_SEED)
    torch.set_num_threads(wish.threads)
    base = Path(wish.base)
    model = WhisperForConditionalGeneration.from_pretrained(base)
    old = rehearsal(wish, model.config.num_mel_bins)
    vocabulary = _vocabulary(wish, base, [*split.training, *(stored.clip for stored in old)])
    single, joined, checked = recordings.make(
        split.training,
        split.check,
        recordings.Making(wish.work, _SEED, model.config.num_mel_bins),
    )
    tuned: Any = _low_rank(model) if wish.low_rank else model
    count = sum(p.numel() for p in tuned.parameters() if p.requires_grad)
    every = sum(p.numel() for p in tuned.parameters())
    how = "in low-rank matrices" if wish.low_rank else "of the model itself"
    say(f"training {count / 1e6:.2f} of {every / 1e6:.2f} M weights, {how}")
    tuning = Tuning(tuned.to(wish.device), vocabulary, wish)
    tuning.run([*recordings.mixed(single, old), *joined], checked[:_CHECKED], watch)
    merged = tuned.merge_and_unload() if wish.low_rank else tuned
    _write(merged, vocabulary, base, wish.out)


def _vocabulary(wish: Wish, base: Path, known: Sequence[Entry | Clip]) -> Vocabulary:
    tokenizer = tokenizers.Tokenizer.from_file(str(base / "tokenizer.json"))
    tags = sorted({one.language for one in known})
    by_tag = borrow.codes(tags, dict(wish.borrow), ())
    prompt = tokens.prompt(tokenizer)
    for code in by_tag.values():
        borrow.require_token(code, prompt.languages)
    return Vocabulary(tokenizer, prompt, by_tag, {})


def _low_rank(model: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    names = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
    return get_peft_model(
        model, LoraConfig(r=_RANK, lora_alpha=2 * _RANK, target_modules=names, lora_dropout=0.05)
    )


class Tuning:
    """One stock model being tuned in one folder."""

    def __init__(self, model: Any, vocabulary: Vocabulary, wish: Wish) -> None:
        self.model, self.vocabulary, self.wish = model, vocabulary, wish
        self.budget = wish.hours * 3600
        self.rate = _LOW_RANK_RATE if wish.low_rank else _WHOLE_RATE
        self.trained = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, self.rate, weight_decay=0.01)
        self.examples = batches.Examples(vocabulary, with_times=0.3, with_previous=0.1)
        self.state = State(next_check=self._interval)
        self._resume()

    @property
    def _interval(self) -> float:
        return max(_LEAST_CHECK_SECONDS, self.budget / _CHECKS)

    @property
    def share(self) -> float:
        """Return how much of the plan is done, 0 to 1."""
        return min(1.0, max(self.state.elapsed / self.budget, self.state.step / self.wish.steps))

    def run(self, stored: list[Stored], check: list[Stored], watch: Watcher) -> None:
        """Tune until the time is up or no check gets better; what was done is not done again."""
        saved = time.monotonic()
        while self.share < 1 and self.state.checks_since_best < _PATIENCE:
            rng = random.Random(f"{_SEED}|{self.state.step}")
            for drawn in batches.rounds(stored, _FRAMES, rng, _ROUND):
                self._step(drawn, rng, watch)
                if check and self.state.elapsed >= self.state.next_check:
                    self._check(check)
                if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                    self.save()
                    saved = time.monotonic()
                if self.share >= 1 or self.state.checks_since_best >= _PATIENCE:
                    break
        if check:
            self._check(check)
        self.save()

    def _step(self, drawn: list[Stored], rng: random.Random, watch: Watcher) -> None:
        began = time.monotonic()
        self.model.train()
        made = self.examples.of(drawn, rng)
        # A stock model was trained on whole windows and is shown nothing else.
        batch = batches.collate(made, self.vocabulary.prompt.end, rng, whole_window=True)
        loss = _loss(self.model, batch, self.wish.device)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        factor = min(1.0, self.share / _WARM_UP) * (1 - self.share)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * max(factor, 0.01)
        self.optimiser.step()
        took = time.monotonic() - began
        state = self.state
        state.step += 1
        state.elapsed += took
        left = (1 - self.share) * state.elapsed / max(self.share, 1e-6)
        value = float(loss.detach())
        losses = Losses(value, value, 0.0, 0.0)
        speed = len(drawn) / took
        watch(Progress(state.step, self.share, left, losses, speed, state.cer))
        if state.step % _LOGGED_STEPS == 0 or state.step == 1:
            self._log({"clips_a_second": round(speed, 1), **asdict(losses)})

    def _check(self, check: list[Stored]) -> None:
        state = self.state
        state.cer = error_rates(self.model.eval(), self.vocabulary, check, self.wish.device)
        mean = sum(state.cer.values()) / len(state.cer)
        state.checks_since_best = 0 if mean < state.best else state.checks_since_best + 1
        state.best = min(state.best, mean)
        state.next_check = state.elapsed + self._interval
        self._log({"cer": state.cer})

    def _log(self, row: dict[str, Any]) -> None:
        row = {"step": self.state.step, "seconds": round(self.state.elapsed, 1), **row}
        with (self.wish.work / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        temporary = self.wish.work / f"{_CHECKPOINT}.part"
        torch.save(
            {
                "weights": [weight.detach() for weight in self.trained],
                "optimiser": self.optimiser.state_dict(),
                "state": asdict(self.state),
                "random": torch.get_rng_state(),
            },
            temporary,
        )
        temporary.replace(self.wish.work / _CHECKPOINT)

    def _resume(self) -> None:
        path = self.wish.work / _CHECKPOINT
        if not path.exists():
            return
        saved = torch.load(path, map_location=self.wish.device, weights_only=True)
        with torch.no_grad():
            for weight, kept in zip(self.trained, saved["weights"], strict=True):
                weight.copy_(kept)
        self.optimiser.load_state_dict(saved["optimiser"])
        self.state = State(**saved["state"])
        torch.set_rng_state(saved["random"].cpu())


def _loss(model: Any, batch: Batch, device: str) -> Tensor:
    scores = model(
        input_features=batch.mel.to(device), decoder_input_ids=batch.inputs.to(device)
    ).logits
    return F.cross_entropy(
        scores.flatten(0, 1), batch.targets.to(device).flatten(), ignore_index=batches.IGNORED
    )


@torch.no_grad()
def error_rates(
    model: Any, vocabulary: Vocabulary, check: list[Stored], device: str
) -> dict[str, float]:
    """Return the character error rate by language, written greedily in whole windows."""
    wrong: dict[str, int] = {}
    letters: dict[str, int] = {}
    rng = random.Random(0)
    plain = batches.Examples(vocabulary, 0.0, 0.0)
    for first in range(0, len(check), _CHECK_BATCH):
        group = [one for one in check[first : first + _CHECK_BATCH] if one.clip.parts]
        made = [plain.make(one, rng) for one in group]
        batch = batches.collate(made, vocabulary.prompt.end, rng, True, masked=False)
        tags = [one.clip.language for one in group]
        for tag, one, ids in zip(
            tags, group, _written(model, vocabulary, batch.mel.to(device), tags), strict=True
        ):
            true = bare("".join(part.text for part in one.clip.parts))
            heard = bare(vocabulary.tokenizer.decode(ids))
            wrong[tag] = wrong.get(tag, 0) + Levenshtein.distance(true, heard)
            letters[tag] = letters.get(tag, 0) + len(true)
    return {tag: wrong[tag] / letters[tag] for tag in sorted(wrong)}


def _written(
    model: Any, vocabulary: Vocabulary, mel: Tensor, tags: list[str]
) -> Iterator[list[int]]:
    """Yield the token ids that a model writes about each window, without special ones."""
    prompt = vocabulary.prompt
    states = model.get_encoder()(mel)
    starts = [
        [prompt.start, vocabulary.language(tag), prompt.transcribe, prompt.no_times] for tag in tags
    ]
    ids = torch.tensor(starts, device=mel.device)
    following, past = ids, None
    ended = torch.zeros(len(tags), dtype=torch.bool, device=mel.device)
    for _ in range(_MOST_WRITTEN):
        said = model(
            encoder_outputs=states,
            decoder_input_ids=following,
            past_key_values=past,
            use_cache=True,
        )
        past = said.past_key_values
        scores = said.logits[:, -1].clone()
        scores[:, prompt.start :] = -math.inf
        following = scores.argmax(-1).masked_fill(ended, prompt.end)[:, None]
        ids = torch.cat([ids, following], dim=1)
        ended |= following[:, 0] == prompt.end
        if bool(ended.all()):
            break
    for row in ids[:, len(starts[0]) :].tolist():
        yield [number for number in row if number < prompt.end]


def _write(model: Any, vocabulary: Vocabulary, base: Path, out: Path) -> None:
    config = model.config
    shape = Shape(
        vocabulary=config.vocab_size,
        sounds=1,
        width=config.d_model,
        heads=config.encoder_attention_heads,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        mels=config.num_mel_bins,
        encoder_positions=config.max_source_positions,
        decoder_positions=config.max_target_positions,
    )
    weights = {renamed(n): w.float().cpu().numpy() for n, w in model.model.state_dict().items()}
    heads = _alignment_heads(base, shape)
    export.write(out, shape, weights, vocabulary.tokenizer, heads)


def renamed(name: str) -> str:
    """Return the network's name of a weight that Hugging Face calls `name`."""
    if name in _WHOLE:
        return _WHOLE[name]
    for theirs, ours in _PARTS.items():
        if f".{theirs}." in name:
            return name.replace(f".{theirs}.", f".{ours}.")
    return name


def _alignment_heads(base: Path, shape: Shape) -> list[tuple[int, int]]:
    """Return the heads that say when a word is said: the model's own list, or the last half's."""
    path = base / "generation_config.json"
    if path.exists():
        listed = json.loads(path.read_text(encoding="utf-8")).get("alignment_heads")
        if listed:
            return [(int(layer), int(head)) for layer, head in listed]
    late = range(shape.decoder_layers // 2, shape.decoder_layers)
    return [(layer, head) for layer in late for head in range(shape.heads)]
