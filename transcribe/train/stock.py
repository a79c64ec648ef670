"""Fine-tune a stock Whisper in Hugging Face's form, wholly or by low-rank matrices (LoRA)."""

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tokenizers
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor

from transcribe.train import batches, export, recordings, tokens
from transcribe.train.batches import Batch, Vocabulary
from transcribe.train.clips import Stored
from transcribe.train.manifest import Split
from transcribe.train.network import Shape
from transcribe.train.progress import Losses, Progress, Watcher

if TYPE_CHECKING:
    from transcribe.train.recipe import Say, Wish

_RANK = 16
_LOW_RANK_RATE, _WHOLE_RATE = 1e-3, 1e-5
_WARM_UP = 0.05
_CHECKPOINT = "checkpoint.pt"
_CHECKPOINT_SECONDS = 120.0
_FRAMES = 12_000
_SEED = 7

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
    """Where tuning is."""

    step: int = 0
    elapsed: float = 0.0


def tune(wish: "Wish", split: Split, say: "Say", watch: Watcher) -> None:
    """Tune a stock Whisper on recordings and export it; goes on where it was stopped."""
    from transformers import WhisperForConditionalGeneration

    torch.manual_seed(_SEED)
    torch.set_num_threads(wish.threads)
    base = Path(wish.base)
    model = WhisperForConditionalGeneration.from_pretrained(base)
    vocabulary = _vocabulary(wish, base, split)
    single, joined, _ = recordings.make(
        split.training,
        split.check,
        recordings.Making(wish.work, _SEED, model.config.num_mel_bins),
    )
    tuned: Any = _low_rank(model) if wish.low_rank else model
    count = sum(p.numel() for p in tuned.parameters() if p.requires_grad)
    say(f"training {count / 1e6:.2f} M of {sum(p.numel() for p in tuned.parameters()) / 1e6:.1f} M")
    _loop(tuned.to(wish.device), vocabulary, [*single, *joined], wish, watch)
    merged = tuned.merge_and_unload() if wish.low_rank else tuned
    _write(merged, vocabulary, base, wish.out)


def _vocabulary(wish: "Wish", base: Path, split: Split) -> Vocabulary:
    from transcribe.train.recipe import codes

    tokenizer = tokenizers.Tokenizer.from_file(str(base / "tokenizer.json"))
    tags = sorted({entry.language for entry in split.training})
    by_tag = codes(tags, dict(wish.borrow), ())
    return Vocabulary(tokenizer, tokens.prompt(tokenizer), by_tag, {})


def _low_rank(model: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    names = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
    return get_peft_model(
        model, LoraConfig(r=_RANK, lora_alpha=2 * _RANK, target_modules=names, lora_dropout=0.05)
    )


def _loop(
    model: Any, vocabulary: Vocabulary, stored: list[Stored], wish: "Wish", watch: Watcher
) -> None:
    rate = _LOW_RANK_RATE if wish.low_rank else _WHOLE_RATE
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, rate, weight_decay=0.01)
    state = _resume(wish.work, trained, optimiser)
    examples = batches.Examples(vocabulary, with_times=0.3, with_previous=0.1)
    saved = time.monotonic()
    budget = wish.hours * 3600
    model.train()

    def share() -> float:
        return min(1.0, max(state.elapsed / budget, state.step / wish.steps))

    while share() < 1:
        rng = random.Random(f"{_SEED}|{state.step}")
        for drawn in batches.rounds(stored, _FRAMES, rng, 256):
            began = time.monotonic()
            made = examples.of(drawn, rng)
            # A stock model was trained on whole windows and is shown nothing else.
            batch = batches.collate(made, vocabulary.prompt.end, rng, whole_window=True)
            loss = _loss(model, batch, wish.device)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            factor = min(1.0, share() / _WARM_UP) * (1 - share())
            for group in optimiser.param_groups:
                group["lr"] = rate * max(factor, 0.01)
            optimiser.step()
            took = time.monotonic() - began
            state.step += 1
            state.elapsed += took
            left = (1 - share()) * state.elapsed / max(share(), 1e-6)
            value = float(loss.detach())
            losses = Losses(value, value, 0.0, 0.0)
            watch(Progress(state.step, share(), left, losses, len(drawn) / took))
            if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                _save(wish.work, trained, optimiser, state)
                saved = time.monotonic()
            if share() >= 1:
                break
    _save(wish.work, trained, optimiser, state)


def _loss(model: Any, batch: Batch, device: str) -> Tensor:
    scores = model(
        input_features=batch.mel.to(device), decoder_input_ids=batch.inputs.to(device)
    ).logits
    return F.cross_entropy(
        scores.flatten(0, 1), batch.targets.to(device).flatten(), ignore_index=batches.IGNORED
    )


def _resume(work: Path, trained: list[Any], optimiser: torch.optim.Optimizer) -> State:
    path = work / _CHECKPOINT
    if not path.exists():
        return State()
    saved = torch.load(path, weights_only=True)
    with torch.no_grad():
        for weight, kept in zip(trained, saved["weights"], strict=True):
            weight.copy_(kept)
    optimiser.load_state_dict(saved["optimiser"])
    return State(**saved["state"])


def _save(work: Path, trained: list[Any], optimiser: torch.optim.Optimizer, state: State) -> None:
    temporary = work / f"{_CHECKPOINT}.part"
    torch.save(
        {
            "weights": [weight.detach() for weight in trained],
            "optimiser": optimiser.state_dict(),
            "state": {"step": state.step, "elapsed": state.elapsed},
        },
        temporary,
    )
    temporary.replace(work / _CHECKPOINT)


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
