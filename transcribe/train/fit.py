"""The training loop: losses, schedule, checkpoints that resume at the same place."""

import copy
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from transcribe.train import batches
from transcribe.train.batches import Batch, Example, Examples, Vocabulary
from transcribe.train.checking import character_error_rates
from transcribe.train.clips import Stored
from transcribe.train.export import Weights
from transcribe.train.export import write as write_model
from transcribe.train.losses import attention_loss, sound_loss, token_loss
from transcribe.train.muon import Muon
from transcribe.train.network import Shape, Whisper
from transcribe.train.plan import Plan
from transcribe.train.processor import keep_memory, precision
from transcribe.train.progress import Losses, Progress, Watcher

LOOKED_HEADS = 2  # of the last decoder layer: attention that says when a word is said
_CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


@dataclass
class State:
    """Where training is; everything here is in the checkpoint."""

    step: int = 0
    elapsed: float = 0.0
    round: int = 0
    place: int = 0  # batches of this round that are done
    available: tuple[int, int] = (0, 0)  # short and long clips there were when the round began
    began: float = 0.0  # share of the plan that was done when the round began
    weights: dict[str, float] = field(default_factory=dict)  # of languages in this round
    next_check: float = 0.0
    best: float = math.inf
    checks_since_best: int = 0
    cer: dict[str, float] = field(default_factory=dict)


Supply = Callable[[], tuple[Sequence[Stored], Sequence[Stored]]]


class Trainer:
    """One network being trained in one folder.

    start_from : a pack's weights; keep : languages that these know, and shall know as before
    """

    def __init__(
        self,
        folder: Path,
        shape: Shape,
        vocabulary: Vocabulary,
        plan: Plan,
        start_from: Weights | None = None,
        keep: Set[str] = frozenset(),
    ) -> None:
        # Each thread works on its own part of a batch: threads inside every operation would wait
        # for each other thousands of times a step, which is slow where other work shares the cores.
        torch.set_num_threads(1)
        keep_memory()
        # Denormal numbers, of which softmax makes many, are slow; the switch is each thread's own.
        self.pool = ThreadPoolExecutor(
            plan.threads, initializer=torch.set_flush_denormal, initargs=(True,)
        )
        torch.manual_seed(plan.seed)
        self.folder, self.vocabulary, self.plan = folder, vocabulary, plan
        folder.mkdir(parents=True, exist_ok=True)
        self.network = Whisper(shape).to(plan.device)
        self.state = State(next_check=plan.check_seconds)
        if start_from is not None:
            self._start(start_from)
            self.state.next_check = 0.0  # what is known tells what to show more of
        # What losses and gradients are computed with: the weights, rounded before every step.
        self.rounded = Whisper(shape).to(plan.device, precision(plan.device))
        self.keep = keep
        # What says how the languages to be kept would have been written.
        self.earlier = copy.deepcopy(self.network).to(precision(plan.device)) if keep else None
        self.average = {n: p.detach().clone() for n, p in self.network.named_parameters()}
        self.optimisers = _optimisers(self.network, plan)
        self.examples = Examples(vocabulary, plan.with_times, plan.with_previous)
        self._resume()

    def _start(self, weights: Weights) -> None:
        """Take a pack's weights, which have none for the sound head."""
        tensors = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
        missing, extra = self.network.load_state_dict(tensors, strict=False)
        wrong = [name for name in (*missing, *extra) if not name.startswith("sounds.")]
        if wrong:
            raise ValueError(f"the weights do not fit the network: {', '.join(wrong)}")

    def _resume(self) -> None:
        if not (self.folder / _CHECKPOINT).exists():
            return
        saved = _saved(self.folder, self.plan.device)
        self.network.load_state_dict(saved["network"])
        self.average = saved["average"]
        if len(saved["optimisers"]) == len(self.optimisers):  # else another number of threads
            for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
                optimiser.load_state_dict(state)
        saved["state"]["available"] = tuple(saved["state"]["available"])
        self.state = State(**saved["state"])
        torch.set_rng_state(saved["random"])

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        temporary = self.folder / (_CHECKPOINT + ".part")
        torch.save(
            {
                "shape": self.network.shape.as_dict(),
                "network": self.network.state_dict(),
                "average": self.average,
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                "state": asdict(self.state),
                "random": torch.get_rng_state(),
            },
            temporary,
        )
        temporary.replace(self.folder / _CHECKPOINT)

    @property
    def share(self) -> float:
        """Return how much of the plan is done, 0 to 1."""
        by_time = self.state.elapsed / self.plan.seconds
        return min(1.0, max(by_time, self.state.step / self.plan.steps))

    def run(self, supply: Supply, check: Sequence[Stored], watch: Watcher) -> State:
        """Train until the plan is done or no check gets better; resume where it was."""
        saved = time.monotonic()
        while self.share < 1 and self.state.checks_since_best < self.plan.patience:
            for drawn, whole_window, rng in self._round(supply):
                began = time.monotonic()
                losses, count = self._step(drawn, whole_window, rng)
                self.state.place += 1
                self.state.step += 1
                took = time.monotonic() - began
                self.state.elapsed += took
                self._report(losses, count / took, watch)
                if self.state.elapsed >= self.state.next_check and check:
                    self._check(check)
                if time.monotonic() - saved > self.plan.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
                if self.share >= 1:
                    break
            else:
                self.state.round += 1
                self.state.place = 0
        if check:
            self._check(check)
        self.save()
        return self.state

    def _round(self, supply: Supply) -> Iterator[tuple[list[Stored], bool, random.Random]]:
        short, long = supply()
        if self.state.place == 0:
            self.state.available = (len(short), len(long))
            self.state.began = self.share
            self.state.weights = self._weights()
        short, long = short[: self.state.available[0]], long[: self.state.available[1]]
        plan, share = self.plan, self.state.began
        if share < plan.short_until:
            short = [clip for clip in short if clip.frames <= plan.short_frames] or short
        rng = random.Random(f"{plan.seed}|{self.state.round}")
        drawn = [
            (batch, False)
            for batch in batches.rounds(
                short, plan.batch_frames, rng, plan.round_clips, self.state.weights
            )
        ]
        if share >= plan.long_from and long:
            size = max(4, int(plan.round_clips * plan.long_share / 4))
            drawn += [(b, True) for b in batches.rounds(long, 9000, rng, size)]
            padded = rng.sample(list(short), min(len(short), size // 2))
            drawn += [(padded[i : i + 6], True) for i in range(0, len(padded), 6)]
        silent = [c for c in long if not c.clip.parts and c.frames <= plan.silent_frames]
        size = int(plan.round_clips * plan.silent_share)
        drawn += [(b, False) for b in batches.rounds(silent, plan.batch_frames, rng, size) if b]
        rng.shuffle(drawn)
        seeds = [rng.getrandbits(64) for _ in drawn]
        for (batch, whole), seed in list(zip(drawn, seeds, strict=True))[self.state.place :]:
            own = random.Random(seed)
            yield batch, whole and own.random() < 0.5, own

    def _weights(self) -> dict[str, float]:
        """Show more of the languages that the last check found worse than others."""
        rates = self.state.cer
        mean = sum(rates.values()) / len(rates) if rates else 0.0
        if not mean:
            return {}
        least, most = self.plan.widest_weights
        return {tag: min(most, max(least, rate / mean)) for tag, rate in rates.items()}

    def _step(
        self, drawn: list[Stored], whole_window: bool, rng: random.Random
    ) -> tuple[Losses, int]:
        made = self.examples.of(drawn, rng)
        count = min(self.plan.threads, len(made))
        parts = [(made[i::count], random.Random(rng.getrandbits(64))) for i in range(count)]
        self._round_weights()
        self.rounded.train()
        results = list(self.pool.map(lambda p: self._gradients(p[0], p[1], whole_window), parts))
        shares = [len(part) / len(made) for part, _ in parts]
        for index, weight in enumerate(self.network.parameters()):
            found = [(g[index], share) for (g, _), share in zip(results, shares, strict=True)]
            weight.grad = _weighted([(g, share) for g, share in found if g is not None])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._set_rates()
        list(self.pool.map(lambda optimiser: optimiser.step(), self.optimisers))
        self._blend()
        means = [
            sum(
                getattr(losses, name) * share
                for (_, losses), share in zip(results, shares, strict=True)
            )
            for name in ("total", "tokens", "sounds", "attention")
        ]
        return Losses(*means), len(drawn)

    def _gradients(
        self, made: Sequence[Example], rng: random.Random, whole_window: bool
    ) -> tuple[tuple[Tensor | None, ...], Losses]:
        batch = batches.collate(made, self.vocabulary.prompt.end, rng, whole_window)
        total, losses = self._losses(batch)
        found = torch.autograd.grad(total, list(self.rounded.parameters()), allow_unused=True)
        return found, losses

    @torch.no_grad()
    def _round_weights(self) -> None:
        rounded: list[Tensor] = list(self.rounded.parameters())
        exact: list[Tensor] = list(self.network.parameters())
        torch._foreach_copy_(rounded, exact)

    def _losses(self, batch: Batch) -> tuple[Tensor, Losses]:
        plan, device = self.plan, self.plan.device
        network = self.rounded
        mel = batch.mel.to(device, network.decoder.positions.dtype)
        with torch.set_grad_enabled(plan.hears):
            memory = network.encoder(mel)
        states, looked = network.decoder(batch.inputs.to(device), memory, look=LOOKED_HEADS)
        targets = batch.targets.to(device)
        asked = targets != batches.IGNORED
        known = torch.tensor([tag in self.keep for tag in batch.languages], device=device)
        written = token_loss(
            network.logits(states[asked]).float(),
            targets[asked],
            plan.smoothing,
            known[:, None].expand_as(asked)[asked],
            self._earlier(mel, memory, batch.inputs.to(device), asked, known),
        )
        attention = attention_loss(looked, batch.spans.to(device))
        share = self.share
        total = written + _between(plan.attention_weights, share) * attention
        sounds = torch.zeros(())
        if weight := _between(plan.sound_weights, share):
            sounds = sound_loss(network.sounds(memory).float(), batch)
            total = total + weight * sounds
        return total, Losses(
            float(total.detach()),
            float(written.detach()),
            float(sounds.detach()),
            float(attention.detach()),
        )

    @torch.no_grad()
    def _earlier(
        self, mel: Tensor, memory: Tensor, inputs: Tensor, asked: Tensor, known: Tensor
    ) -> Tensor:
        """Return what the weights at the start would write of some clips, which are `known`.

        asked : places in them; returns shape = (n_asked, vocabulary)
        """
        if self.earlier is None or not known.any():
            return mel.new_zeros(0)
        heard = self.earlier.encoder(mel[known]) if self.plan.hears else memory[known]
        states, _ = self.earlier.decoder(inputs[known], heard)
        return self.earlier.logits(states[asked[known]]).float().softmax(-1)

    def _set_rates(self) -> None:
        share, plan = self.share, self.plan
        if share < plan.warm_up:
            factor = share / plan.warm_up
        else:
            done = (share - plan.warm_up) / (1 - plan.warm_up)
            factor = plan.least_rate + (1 - plan.least_rate) * (1 - done)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * max(factor, 0.01)

    @torch.no_grad()
    def _blend(self) -> None:
        rate = min(self.plan.ema, (1 + self.state.step) / (10 + self.state.step))
        kept: list[Tensor] = list(self.average.values())
        new: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(kept, new, 1 - rate)

    def averaged(self) -> Whisper:
        """Return a copy of the network with the moving average of its weights."""
        copy = Whisper(self.network.shape).to(self.plan.device)
        copy.load_state_dict(self.average, strict=False)
        return copy.eval()

    def _check(self, check: Sequence[Stored]) -> None:
        cer = character_error_rates(self.averaged(), self.vocabulary, check)
        mean = sum(cer.values()) / len(cer)
        state = self.state
        better = mean < state.best
        state.best = min(state.best, mean)
        state.checks_since_best = 0 if better else state.checks_since_best + 1
        state.cer = cer
        state.next_check = state.elapsed + self.plan.check_seconds
        self._log({"cer": cer})

    def _report(self, losses: Losses, speed: float, watch: Watcher) -> None:
        state = self.state
        left = (1 - self.share) * state.elapsed / max(self.share, 1e-6)
        watch(Progress(state.step, self.share, left, losses, speed, state.cer))
        if state.step % 20 == 0:
            self._log({"clips_a_second": round(speed, 1), **asdict(losses)})

    def _log(self, row: dict[str, Any]) -> None:
        row = {"step": self.state.step, "seconds": round(self.state.elapsed, 1), **row}
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


def _weighted(gradients: Sequence[tuple[Tensor, float]]) -> Tensor | None:
    if not gradients:
        return None
    total = gradients[0][0].float() * gradients[0][1]
    for gradient, share in gradients[1:]:
        total.add_(gradient, alpha=share)
    return total


def _optimisers(network: Whisper, plan: Plan) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices, in a part for each thread, and AdamW for the rest."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, weight in network.named_parameters():
        inner = "layers." in name or "conv2" in name
        (matrices if inner and weight.ndim >= 2 else others).append(weight)
    adam = torch.optim.AdamW(others, plan.other_rate, betas=(0.9, 0.98), weight_decay=0.01)
    products = precision(plan.device)
    parts = [
        Muon(matrices[i :: plan.threads], plan.matrix_rate, dtype=products)
        for i in range(plan.threads)
    ]
    optimisers: list[torch.optim.Optimizer] = [*parts, adam]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def seconds(work: Path) -> float:
    """Return how long a checkpoint was trained."""
    return float(_saved(work)["state"]["elapsed"])


def _saved(work: Path, device: str = "cpu") -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(work / _CHECKPOINT, map_location=device, weights_only=True)
    return saved


def export(work: Path, vocabulary: Vocabulary, folder: Path) -> None:
    """Write a pack's model files from the averaged weights of a checkpoint."""
    saved = _saved(work)
    weights = {**saved["network"], **saved["average"]}
    write(Shape(**saved["shape"]), weights, vocabulary, folder)


def write(
    shape: Shape, weights: Mapping[str, Tensor], vocabulary: Vocabulary, folder: Path
) -> None:
    """Write a pack's model files; the sound head is for training only."""
    write_model(
        folder,
        shape,
        {n: w.float().cpu().numpy() for n, w in weights.items() if not n.startswith("sounds.")},
        vocabulary.tokenizer,
        [(shape.decoder_layers - 1, head) for head in range(LOOKED_HEADS)],
    )
