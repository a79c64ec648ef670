"""Clips ready for training: features on disk in shards, and what is said when beside them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from transcribe.train.espeak import Timed

SHARD = 500


@dataclass(frozen=True)
class Part:
    """One sentence of a clip, with its times in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Clip:
    """A recording and what is said in it; no parts means that nobody speaks.

    words, phones : times where the maker of the clip knows them, else empty
    """

    language: str
    speaker: str
    seconds: float
    parts: tuple[Part, ...]
    words: tuple[Timed, ...] = ()
    phones: tuple[Timed, ...] = ()


@dataclass(frozen=True)
class Stored:
    """A clip and where its features lie."""

    clip: Clip
    shard: Path
    first: int
    frames: int

    def features(self) -> npt.NDArray[np.float16]:
        """Return log-mel features, shape = (n_frames, 80)."""
        whole = _opened(self.shard)
        return np.asarray(whole[self.first : self.first + self.frames])


_open: dict[Path, npt.NDArray[np.float16]] = {}


def _opened(shard: Path) -> npt.NDArray[np.float16]:
    if shard not in _open:
        _open[shard] = np.load(shard, mmap_mode="r")
    return _open[shard]


def write_shard(
    folder: Path, number: int, clips: Sequence[tuple[Clip, npt.NDArray[np.float16]]]
) -> None:
    """Write one shard; it counts as there only when its index is, which comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    features = folder / f"{number:05}.npy"
    np.save(features, np.concatenate([mel for _, mel in clips]))
    index = folder / f"{number:05}.json"
    rows = [{"frames": len(mel), **asdict(clip)} for clip, mel in clips]
    temporary = index.with_suffix(".part")
    temporary.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    temporary.replace(index)


def shard_exists(folder: Path, number: int) -> bool:
    """Tell whether a shard is complete."""
    return (folder / f"{number:05}.json").exists()


def read_shard(folder: Path, number: int) -> list[Stored]:
    """Return the clips of a complete shard."""
    rows = json.loads((folder / f"{number:05}.json").read_text(encoding="utf-8"))
    first, found = 0, []
    for row in rows:
        clip = Clip(
            language=row["language"],
            speaker=row["speaker"],
            seconds=row["seconds"],
            parts=tuple(Part(**part) for part in row["parts"]),
            words=tuple(Timed(**word) for word in row["words"]),
            phones=tuple(Timed(**phone) for phone in row["phones"]),
        )
        found.append(Stored(clip, folder / f"{number:05}.npy", first, row["frames"]))
        first += row["frames"]
    return found


def read(folder: Path) -> list[Stored]:
    """Return the clips of every complete shard of a folder, in order."""
    numbers = sorted(int(path.stem) for path in folder.glob("*.json"))
    return [clip for number in numbers for clip in read_shard(folder, number)]
