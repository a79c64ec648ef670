"""Whispers with random weights in any shape: their cost is real, what they write is not.

Tests run the whole engine on a tiny one, and the benchmark times the shapes of the stock models,
with nothing downloaded.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tokenizers
from ctranslate2.specs import WhisperSpec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import AddedToken, decoders, models, pre_tokenizers

from models.packs import Pack, PackLanguage, Thresholds

BYTES = 256
TIME_TOKENS = 1_501
TIME_STEP_SECONDS = 0.02
ENCODER_POSITIONS = 1_500
DECODER_POSITIONS = 448
TASK_TOKENS = (
    "translate",
    "transcribe",
    "startoflm",
    "startofprev",
    "nospeech",
    "notimestamps",
)
# CTranslate2 takes a model for multilingual only if some token is the empty string, and nothing
# ever uses this one.
UNUSED_TOKEN = "<|startoflm|>"
EMPTY_TOKEN = ""


@dataclass(frozen=True)
class Shape:
    """Sizes of a Whisper, as its papers and configurations give them."""

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80
    text_tokens: int = 50_257
    languages: int = 99

    def encoder_operations(self, states: int) -> float:
        """Count multiply-adds times two to encode a window of this many encoder states."""
        linear = 2 * states * 12 * self.width**2
        attention = 4 * states**2 * self.width
        convolutions = 2 * (2 * states * 3 * self.mels + states * 3 * self.width) * self.width
        return float(self.encoder_layers * (linear + attention) + convolutions)

    def decoder_operations(self, states: int, tokens: int) -> float:
        """Count multiply-adds times two to write this many tokens greedily about a window."""
        per_token = 2 * 14 * self.width**2 + 4 * (states + tokens / 2) * self.width
        memory = 2 * states * 2 * self.width**2
        vocabulary = self.text_tokens + self.languages + len(TASK_TOKENS) + TIME_TOKENS + 2
        projection = 2 * tokens * self.width * vocabulary
        return float(self.decoder_layers * (tokens * per_token + memory) + projection)


SHAPES = {
    "tiny": Shape(384, 6, 4, 4),
    "base": Shape(512, 8, 6, 6),
    "small": Shape(768, 12, 12, 12),
    "large-v3-turbo": Shape(1280, 20, 32, 4, mels=128, languages=100),
}


def build(
    shape: Shape,
    folder: Path,
    *,
    codes: Sequence[str] = (),
    seed: int = 0,
    quantization: str = "int8",
    scale: float = 0.02,
) -> Path:
    """Write a random Whisper that CTranslate2 and faster-whisper load as a multilingual one.

    codes : Whisper's language codes that it has tokens for; as many as the shape has if empty
    quantization : of the stored weights, as CTranslate2 names it
    scale : standard deviation of the random weights
    """
    folder.mkdir(parents=True, exist_ok=True)
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    codes = codes or _LANGUAGE_CODES[: shape.languages]
    tokens = special_tokens(codes)
    vocabulary = shape.text_tokens + len(tokens)
    _fill(spec, shape, vocabulary, np.random.default_rng(seed), scale)
    tokenizer = _tokenizer(shape.text_tokens, tokens)
    listed = [tokenizer.id_to_token(index) for index in range(vocabulary)]
    spec.register_vocabulary([EMPTY_TOKEN if one == UNUSED_TOKEN else one for one in listed])
    spec.config.lang_ids = [tokenizer.token_to_id(f"<|{code}|>") for code in codes]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [tokenizer.token_to_id("<|endoftext|>")]
    spec.config.alignment_heads = [[shape.decoder_layers - 1, head] for head in range(shape.heads)]
    spec.validate()
    spec.optimize(quantization)
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    features = {"feature_size": shape.mels, "sampling_rate": 16_000, "hop_length": 160}
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**features, "chunk_length": 30, "n_fft": 400}), "utf-8"
    )
    return folder


def special_tokens(codes: Sequence[str]) -> list[str]:
    """List Whisper's special tokens in its order, from which CTranslate2 counts its languages."""
    times = (f"{step * TIME_STEP_SECONDS:.2f}" for step in range(TIME_TOKENS))
    names = itertools.chain(("endoftext", "startoftranscript"), codes, TASK_TOKENS, times)
    return [f"<|{name}|>" for name in names]


def random_pack(folder: Path, tags: Sequence[str] = ("zh", "yue", "ug", "kk", "ko")) -> Pack:
    """Describe a random Whisper as a pack; languages that Whisper lacks borrow a token."""
    borrowed = iter(("uz", "tg", "tk"))
    languages = tuple(
        PackLanguage(
            tag=tag,
            name=tag,
            autonym=tag,
            token=tag if tag in _LANGUAGE_CODES else next(borrowed),
            borrowed=tag not in _LANGUAGE_CODES,
        )
        for tag in tags
    )
    thresholds = Thresholds(window_floor_seconds=2.0, window_margin_seconds=0.5)
    return Pack(
        name="random",
        version="0",
        licence="Apache-2.0",
        languages=languages,
        thresholds=thresholds,
        folder=folder,
    )


def _fill(
    spec: WhisperSpec, shape: Shape, vocabulary: int, draw: np.random.Generator, scale: float
) -> None:
    """Give every weight of a specification a random value of the right size."""
    width = shape.width

    def weights(*sizes: int) -> NDArray[np.float32]:
        return draw.standard_normal(sizes, dtype=np.float32) * np.float32(scale)

    def linear(layer: object, outputs: int, inputs: int) -> None:
        layer.weight, layer.bias = weights(outputs, inputs), np.zeros(outputs, np.float32)  # type: ignore[attr-defined]

    def norm(layer: object) -> None:
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)  # type: ignore[attr-defined]

    def block(layer: object, *, looks_at_sound: bool) -> None:
        own = layer.self_attention  # type: ignore[attr-defined]
        norm(own.layer_norm)
        linear(own.linear[0], 3 * width, width)
        linear(own.linear[1], width, width)
        if looks_at_sound:
            other = layer.attention  # type: ignore[attr-defined]
            norm(other.layer_norm)
            for part, outputs in zip(other.linear, (width, 2 * width, width), strict=True):
                linear(part, outputs, width)
        ffn = layer.ffn  # type: ignore[attr-defined]
        norm(ffn.layer_norm)
        linear(ffn.linear_0, 4 * width, width)
        linear(ffn.linear_1, width, 4 * width)

    encoder, decoder = spec.encoder, spec.decoder
    for layer, inputs in ((encoder.conv1, shape.mels), (encoder.conv2, width)):
        layer.weight, layer.bias = weights(width, inputs, 3), np.zeros(width, np.float32)
    encoder.position_encodings.encodings = weights(ENCODER_POSITIONS, width)
    decoder.embeddings.weight = weights(vocabulary, width)
    # Times score 0, so that there is always some text that is likelier.
    decoder.embeddings.weight[-TIME_TOKENS:] = 0
    decoder.position_encodings.encodings = weights(DECODER_POSITIONS, width)
    decoder.projection.weight = decoder.embeddings.weight
    for layer in encoder.layer:
        block(layer, looks_at_sound=False)
    for layer in decoder.layer:
        block(layer, looks_at_sound=True)
    norm(encoder.layer_norm)
    norm(decoder.layer_norm)


def _tokenizer(text_tokens: int, special: Sequence[str]) -> tokenizers.Tokenizer:
    """Make a byte-level tokenizer of a size: all bytes, then pairs of bytes until it is full."""
    letters = list(_byte_letters())
    pairs = list(itertools.islice(itertools.product(letters, letters), text_tokens - BYTES))
    vocabulary = {token: index for index, token in enumerate(letters)}
    for left, right in pairs:
        vocabulary[left + right] = len(vocabulary)
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    return tokenizer


def _byte_letters() -> Iterator[str]:
    """Yield a printable stand-in for each byte."""
    yield from sorted(pre_tokenizers.ByteLevel.alphabet())
