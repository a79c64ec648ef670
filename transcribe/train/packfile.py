"""Write `pack.toml`, the page on which a pack says what it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from models.packs import PACK_FILE, Pack, read


def write(pack: Pack) -> None:
    """Write a pack's page into its folder, whole or not at all."""
    page = pack.model_dump(mode="json", exclude={"folder"})
    temporary = pack.folder / f"{PACK_FILE}.part"
    temporary.write_text(tomli_w.dumps(page), encoding="utf-8")
    temporary.replace(pack.folder / PACK_FILE)


def put_card(folder: Path, report: Mapping[str, Any]) -> None:
    """Keep a report card in a pack's page, with what the page says of how the pack was made."""
    pack = read(folder)
    made = {name: value for name, value in pack.card.items() if name not in ("on", "rows")}
    write(pack.model_copy(update={"card": {**made, **report}}))
