"""How well a network in training writes clips that it does not learn from."""

import math
import random
from collections.abc import Sequence

import torch
from torch import Tensor

from transcribe.train import batches
from transcribe.train.batches import Examples, Vocabulary
from transcribe.train.clips import Stored
from transcribe.train.grammar import bare
from transcribe.train.network import Whisper

MAX_WRITTEN = 90


@torch.no_grad()
def greedy(
    network: Whisper, vocabulary: Vocabulary, mel: Tensor, languages: Sequence[int] | None
) -> tuple[list[list[int]], list[int]]:
    """Write what is said without times; return token ids and the language token heard, by clip.

    mel : shape = (batch, 80, frames); languages : language tokens, or None to take what is heard
    """
    prompt = vocabulary.prompt
    memory = network.encoder(mel)
    count = len(mel)
    first = torch.full((count, 1), prompt.start, device=mel.device)
    scores = network.logits(network.decoder(first, memory)[0][:, -1])
    codes = torch.tensor(sorted(prompt.languages.values()), device=mel.device)
    heard = codes[scores[:, codes].argmax(-1)]
    chosen = heard if languages is None else torch.tensor(languages, device=mel.device)
    rest = torch.tensor([prompt.transcribe, prompt.no_times], device=mel.device).expand(count, 2)
    ids = torch.cat([first, chosen[:, None], rest], dim=1)
    ended = torch.zeros(count, dtype=torch.bool, device=mel.device)
    for _ in range(min(MAX_WRITTEN, network.shape.decoder_positions - 5)):
        scores = network.logits(network.decoder(ids, memory)[0][:, -1])
        scores[:, prompt.start :] = -math.inf
        following = scores.argmax(-1).masked_fill(ended, prompt.end)
        ids = torch.cat([ids, following[:, None]], dim=1)
        ended |= following == prompt.end
        if bool(ended.all()):
            break
    written = [[i for i in row[4:].tolist() if i < prompt.end] for row in ids]
    return written, heard.tolist()


def character_error_rates(
    network: Whisper, vocabulary: Vocabulary, stored: Sequence[Stored]
) -> dict[str, float]:
    """Return the character error rate by language, in windows of natural length."""
    from rapidfuzz.distance import Levenshtein

    wrong: dict[str, int] = {}
    letters: dict[str, int] = {}
    ordered = sorted((s for s in stored if s.clip.parts), key=lambda s: s.frames)
    device = next(network.parameters()).device
    rng = random.Random(0)
    for first in range(0, len(ordered), 32):
        group = ordered[first : first + 32]
        examples = Examples(vocabulary, 0.0, 0.0)
        batch = batches.collate(
            [examples.make(s, rng) for s in group], vocabulary.prompt.end, rng, False, masked=False
        )
        languages = [vocabulary.language(s.clip.language) for s in group]
        written, _ = greedy(network, vocabulary, batch.mel.to(device), languages)
        for item, ids in zip(group, written, strict=True):
            tag = item.clip.language
            true = bare("".join(part.text for part in item.clip.parts))
            wrong[tag] = wrong.get(tag, 0) + Levenshtein.distance(
                true, bare(vocabulary.tokenizer.decode(ids))
            )
            letters[tag] = letters.get(tag, 0) + len(true)
    return {tag: wrong[tag] / letters[tag] for tag in sorted(wrong)}
