"""What is asked of the recipe, and the clips with which nothing old is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transcribe.train import manifest, recordings
from transcribe.train.clips import Stored
from transcribe.train.progress import Progress

SCRATCH = "scratch"
SEED = 7

Say = Callable[[str], None]
Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Language:
    """How a new language is shown."""

    name: str
    autonym: str


@dataclass(frozen=True)
class Wish:
    """What is asked of the recipe.

    base : "scratch", a pack's folder, or a folder with a Whisper in Hugging Face's form
    rehearse : manifests of the base's own languages, mixed in so that it does not forget them
    rehearsal : clips for the same that are made already
    low_rank : train small added matrices only, where the base is a stock Whisper
    borrow : Whisper's code to use for a language by tag, where it has none
    """

    data: tuple[Path, ...]
    out: Path
    work: Path
    base: str = SCRATCH
    hours: float = 1.0
    device: str = "cpu"
    threads: int = 2
    steps: int = 10**9
    name: str = ""
    version: str = "1"
    licence: str = "not stated"
    low_rank: bool = True
    rehearse: tuple[Path, ...] = ()
    rehearsal: tuple[Stored, ...] = ()
    borrow: tuple[tuple[str, str], ...] = ()
    languages: tuple[tuple[str, Language], ...] = ()
    shape: tuple[
        tuple[str, int], ...
    ] = ()  # sizes other than the network's own, for a scratch pack


def rehearsal(wish: Wish, mels: int = 80) -> list[Stored]:
    """Make clips of the old languages, or find those made before.

    Raise Invalid where a manifest for it has no line that can be used.
    """
    made = list(wish.rehearsal)
    for number, data in enumerate(wish.rehearse):
        read = manifest.read(manifest.of(data))
        if not read.entries:
            raise manifest.bad(
                f"{data} 里没有可用于复习的录音。", f"{data} has no recording to rehearse with."
            )
        making = recordings.Making(wish.work / f"rehearsal-{number}", SEED, mels)
        made += recordings.rehearsed(read.entries, making)
    return made
