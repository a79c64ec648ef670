"""From trained weights to a CTranslate2 folder that faster-whisper loads, and back again."""

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

from models.errors import Misconfigured
from transcribe.train import tokens
from transcribe.train.network import Shape

Weights = dict[str, npt.NDArray[np.float32]]
# What is not multiplied stays in float32: processors have no float16, and CTranslate2 would warn of
# having to convert it each time a pack is loaded. A graphics card converts once and says nothing.
QUANTIZATION = "int8"
_SUPPORTED_BINARY = 6
_DTYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)


def write(
    folder: Path,
    shape: Shape,
    weights: Mapping[str, Any],
    tokenizer: tokenizers.Tokenizer,
    alignment_heads: Sequence[tuple[int, int]],
    quantization: str = QUANTIZATION,
) -> None:
    """Write model.bin, config.json, tokenizer.json, vocabulary.json and preprocessor_config.json.

    weights : tensors by their names in the network
    alignment_heads : decoder layer and head of the attention that says when a word is said
    """
    from ctranslate2.specs.whisper_spec import WhisperSpec

    folder.mkdir(parents=True, exist_ok=True)
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    # Quantising works in place, so it gets copies.
    arrays = {name: np.array(weight, np.float32) for name, weight in weights.items()}
    _fill(spec, shape, arrays)
    spec.register_vocabulary(tokens.vocabulary(tokenizer, shape.vocabulary))
    prompt = tokens.prompt(tokenizer)
    config = spec.config
    config.suppress_ids = list(range(prompt.start, prompt.no_times))
    config.suppress_ids_begin = []  # nothing may be the right transcript
    config.lang_ids = sorted(prompt.languages.values())
    config.alignment_heads = [list(pair) for pair in alignment_heads]
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "chunk_length": 30,
                "feature_size": shape.mels,
                "hop_length": 160,
                "n_fft": 400,
                "sampling_rate": 16000,
            }
        ),
        encoding="utf-8",
    )


def _fill(spec: Any, shape: Shape, w: Weights) -> None:
    encoder, decoder = spec.encoder, spec.decoder
    for name in ("conv1", "conv2"):
        _linear(getattr(encoder, name), w, f"encoder.{name}")
    encoder.position_encodings.encodings = w["encoder.positions"]
    _norm(encoder.layer_norm, w, "encoder.norm")
    for number, layer in enumerate(encoder.layer):
        _layer(layer, w, f"encoder.layers.{number}", cross=False)
    decoder.embeddings.weight = w["decoder.tokens.weight"]
    decoder.projection.weight = w["decoder.tokens.weight"]
    decoder.position_encodings.encodings = w["decoder.positions"]
    _norm(decoder.layer_norm, w, "decoder.norm")
    for number, layer in enumerate(decoder.layer):
        _layer(layer, w, f"decoder.layers.{number}", cross=True)


def _layer(layer: Any, w: Weights, name: str, cross: bool) -> None:
    own = layer.self_attention
    _norm(own.layer_norm, w, f"{name}.attention_norm")
    _fused(own.linear[0], w, f"{name}.attention", ("query", "key", "value"))
    _linear(own.linear[1], w, f"{name}.attention.out")
    if cross:
        other = layer.attention
        _norm(other.layer_norm, w, f"{name}.cross_norm")
        _fused(other.linear[0], w, f"{name}.cross", ("query",))
        _fused(other.linear[1], w, f"{name}.cross", ("key", "value"))
        _linear(other.linear[2], w, f"{name}.cross.out")
    _norm(layer.ffn.layer_norm, w, f"{name}.mlp_norm")
    _linear(layer.ffn.linear_0, w, f"{name}.mlp_in")
    _linear(layer.ffn.linear_1, w, f"{name}.mlp_out")


def _linear(spec: Any, w: Weights, name: str) -> None:
    spec.weight, spec.bias = w[f"{name}.weight"], w[f"{name}.bias"]


def _norm(spec: Any, w: Weights, name: str) -> None:
    spec.gamma, spec.beta = w[f"{name}.weight"], w[f"{name}.bias"]


def _fused(spec: Any, w: Weights, name: str, parts: tuple[str, ...]) -> None:
    weights = [w[f"{name}.{part}.weight"] for part in parts]
    spec.weight = np.concatenate(weights)
    spec.bias = np.concatenate(
        [
            w.get(f"{name}.{part}.bias", np.zeros(len(weight), np.float32))
            for part, weight in zip(parts, weights, strict=True)
        ]
    )


def read_variables(path: Path) -> Weights:
    """Read a CTranslate2 model.bin; int8 weights are multiplied back by their scales."""
    data = path.read_bytes()
    place = 0

    def take(form: str) -> Any:
        nonlocal place
        values = struct.unpack_from(f"<{form}", data, place)
        place += struct.calcsize(f"<{form}")
        return values[0]

    def text() -> str:
        nonlocal place
        length = take("H")
        place += length
        return data[place - length : place - 1].decode()

    version = take("I")
    if version != _SUPPORTED_BINARY:
        raise _foreign(path, f"format {version}, only {_SUPPORTED_BINARY} is known")
    name, _ = text(), take("I")
    if name != "WhisperSpec":
        raise _foreign(path, f"{name}, no Whisper model")
    found: dict[str, npt.NDArray[Any]] = {}
    for _ in range(take("I")):
        label = text()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = take("B"), take("I")
        if kind >= len(_DTYPES):
            raise _foreign(path, f"{label} is of an unknown type")
        found[label] = np.frombuffer(data, _DTYPES[kind], size // _DTYPES[kind]().nbytes, place)
        found[label] = found[label].reshape(shape)
        place += size
    for _ in range(take("I")):
        alias = text()
        found[alias] = found[text()]
    return {label: _whole(found, label) for label in found if not label.endswith("_scale")}


def _foreign(path: Path, why: str) -> Misconfigured:
    return Misconfigured(
        f"不能从 {path} 开始训练（{why}）：请用本项目做的语言包，或 Hugging Face 形式的 Whisper。",
        f"Training cannot start from {path} ({why}): give a pack that this project made, or a "
        "Whisper in Hugging Face's form.",
        code="bad_base",
    )


def _whole(found: dict[str, npt.NDArray[Any]], label: str) -> npt.NDArray[np.float32]:
    value = found[label].astype(np.float32)
    scale = found.get(f"{label}_scale")
    if scale is None or found[label].dtype != np.int8:
        return value
    flat = value.reshape(len(value), -1) / scale.astype(np.float32).reshape(-1, 1)
    return np.asarray(flat.reshape(value.shape), np.float32)


def read(folder: Path) -> tuple[Shape, Weights, tokenizers.Tokenizer]:
    """Read a pack's sizes, tokenizer, and weights by the network's names (no sound head)."""
    v = read_variables(folder / "model.bin")
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    layers = {
        part: len({n.split("/")[1] for n in v if re.match(rf"{part}/layer_\d", n)})
        for part in ("encoder", "decoder")
    }
    embeddings = v["decoder/embeddings/weight"]
    shape = Shape(
        vocabulary=embeddings.shape[0],
        sounds=1,
        width=embeddings.shape[1],
        heads=int(v["encoder/num_heads"]),
        encoder_layers=layers["encoder"],
        decoder_layers=layers["decoder"],
        mels=v["encoder/conv1/weight"].shape[1],
        encoder_positions=v["encoder/position_encodings/encodings"].shape[0],
        decoder_positions=v["decoder/position_encodings/encodings"].shape[0],
    )
    w: Weights = {
        "encoder.positions": v["encoder/position_encodings/encodings"],
        "decoder.positions": v["decoder/position_encodings/encodings"],
        "decoder.tokens.weight": embeddings,
    }
    for part in ("encoder", "decoder"):
        _unnorm(w, f"{part}.norm", v, f"{part}/layer_norm")
    for conv in ("conv1", "conv2"):
        _unlinear(w, f"encoder.{conv}", v, f"encoder/{conv}")
    for part, count in layers.items():
        for number in range(count):
            _unlayer(w, f"{part}.layers.{number}", v, f"{part}/layer_{number}")
    return shape, w, tokenizer


def _unlayer(w: Weights, name: str, v: Weights, label: str) -> None:
    _unnorm(w, f"{name}.attention_norm", v, f"{label}/self_attention/layer_norm")
    own = f"{label}/self_attention"
    _unfuse(w, f"{name}.attention", v, f"{own}/linear_0", ("query", "key", "value"))
    _unlinear(w, f"{name}.attention.out", v, f"{own}/linear_1")
    cross = f"{label}/attention"
    if f"{cross}/linear_0/weight" in v:
        _unnorm(w, f"{name}.cross_norm", v, f"{cross}/layer_norm")
        _unfuse(w, f"{name}.cross", v, f"{cross}/linear_0", ("query",))
        _unfuse(w, f"{name}.cross", v, f"{cross}/linear_1", ("key", "value"))
        _unlinear(w, f"{name}.cross.out", v, f"{cross}/linear_2")
    _unnorm(w, f"{name}.mlp_norm", v, f"{label}/ffn/layer_norm")
    _unlinear(w, f"{name}.mlp_in", v, f"{label}/ffn/linear_0")
    _unlinear(w, f"{name}.mlp_out", v, f"{label}/ffn/linear_1")


def _unlinear(w: Weights, name: str, v: Weights, label: str) -> None:
    w[f"{name}.weight"], w[f"{name}.bias"] = v[f"{label}/weight"], v[f"{label}/bias"]


def _unnorm(w: Weights, name: str, v: Weights, label: str) -> None:
    w[f"{name}.weight"], w[f"{name}.bias"] = v[f"{label}/gamma"], v[f"{label}/beta"]


def _unfuse(w: Weights, name: str, v: Weights, label: str, parts: tuple[str, ...]) -> None:
    weights = np.split(v[f"{label}/weight"], len(parts))
    biases = np.split(v[f"{label}/bias"], len(parts))
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        w[f"{name}.{part}.weight"] = weight
        if part != "key":
            w[f"{name}.{part}.bias"] = bias


def grown(
    shape: Shape, weights: Weights, old: tokenizers.Tokenizer, new: tokenizers.Tokenizer
) -> tuple[Shape, Weights]:
    """Fit weights to a tokenizer with more tokens: known tokens keep their rows.

    A new token starts as the mean of its kind: language tokens of languages, others of texts.
    """
    rows = weights["decoder.tokens.weight"]
    codes = list(tokens.prompt(old).languages.values())
    first_special = tokens.prompt(old).end
    size = new.get_vocab_size()
    table = np.empty((size, shape.width), np.float32)
    for number in range(size):
        token = new.id_to_token(number) or ""
        known = old.token_to_id(token)
        if known is not None:
            table[number] = rows[known]
        elif token.startswith("<|"):
            table[number] = rows[codes].mean(0)
        else:
            table[number] = rows[:first_special].mean(0)
    return replace(shape, vocabulary=size), {**weights, "decoder.tokens.weight": table}
