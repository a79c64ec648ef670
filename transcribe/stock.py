"""Stock Whispers as packs: downloaded where there is a network, and described."""

from __future__ import annotations

from pathlib import Path

import tomli_w
from faster_whisper.tokenizer import _LANGUAGE_CODES
from faster_whisper.utils import available_models, download_model
from tokenizers import Tokenizer

from models.errors import Invalid, Unavailable
from models.packs import PACK_FILE

# Whisper's Chinese token stands for Mandarin; its `yi` is Yiddish and never Nuosu Yi (`ii`).
NOT_OFFERED = frozenset({"yi"})
LICENCE = "MIT"


def download(name: str, folder: Path) -> Path:
    """Fetch a stock Whisper and give its folder, with a `pack.toml` beside the model.

    Raise Invalid for a name that is none, Unavailable without a network.
    """
    if name not in available_models():
        raise Invalid(
            f"没有文件夹 {name}，也没有叫这个名字的 Whisper，例如 small 或 large-v3-turbo。",
            f"There is neither a folder nor a stock Whisper called {name}: give one such as small "
            "or large-v3-turbo.",
            code="no_such_model",
        )
    target = folder / name
    try:
        download_model(name, output_dir=str(target))
    except Exception as error:  # the hub's client raises whatever its transport does
        raise Unavailable(
            f"下载 {name} 失败：请检查网络，或在有网的机器上下载后用文件夹安装。",
            f"Downloading {name} failed: check the network, or fetch the folder on another machine "
            "and install that.",
            code="download_failed",
        ) from error
    describe(name, target)
    return target


def describe(name: str, folder: Path) -> None:
    """Write the `pack.toml` of a stock Whisper, with the languages that its tokenizer has."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    languages = [
        {"tag": code, "name": code, "autonym": code, "token": code}
        for code in _LANGUAGE_CODES
        if code not in NOT_OFFERED and tokenizer.token_to_id(f"<|{code}|>") is not None
    ]
    page = {
        "name": f"whisper-{name}",
        "version": "stock",
        "licence": LICENCE,
        "notes": "A stock Whisper, as published; not measured on this installation's languages.",
        "languages": languages,
    }
    (folder / PACK_FILE).write_text(tomli_w.dumps(page), "utf-8")
