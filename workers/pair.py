"""One worker with all threads beside two with half of them each: which does more an hour."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import packs
from models.packs import Pack
from transcribe import shapes, tagger
from transcribe.babble import babble
from transcribe.engine import Options, Request, WhisperEngine
from transcribe.whisper import Whisper
from workers.contenders import TOKENS_A_SECOND, Message, save
from workers.timing import peak_mb
from workers.transcribe import MOST_JOBS


@dataclass(frozen=True)
class Setup:
    """What the processes load. threads : of the one process; batch : 0 for the device's default"""

    pack: Pack
    threads: int
    device: str
    compute_type: str
    batch: int


@dataclass(frozen=True)
class Pair:
    """What came out.

    two_over_one : messages an hour of two processes over those of one
    peak_rss_mb : the most memory of the one process, with nothing else in it
    """

    two_over_one: float
    peak_rss_mb: float


def compare(setup: Setup, messages: Sequence[Message]) -> Pair:
    """Compare two processes of half the threads each with one process of all."""
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        paths = [save(message, Path(folder), n) for n, message in enumerate(messages)]
        one, peak = _alone([paths], setup, setup.threads)
        two, _ = _alone([paths[::2], paths[1::2]], setup, max(1, setup.threads // 2))
    return Pair(two_over_one=round(one / two, 3), peak_rss_mb=peak)


def _alone(shares: Sequence[Sequence[Path]], setup: Setup, threads: int) -> tuple[float, float]:
    """Time processes that start together and each recognise their share; loading not counted.

    Give the seconds until the last was done, and the most memory of the largest in MB.
    """
    commands = [
        [
            *(sys.executable, "-m", "workers.pair", str(setup.pack.folder), str(threads)),
            *(setup.device, setup.compute_type, str(setup.batch), *map(str, share)),
        ]
        for share in shares
    ]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    start = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    peaks = []
    for process in processes:
        told, _ = process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        peaks.append(float(told))
    return time.perf_counter() - start, max(peaks)


def share(arguments: Sequence[str]) -> None:
    """Be one of the processes of `_alone`: load, say so, wait for the word, recognise."""
    folder, threads, device, compute_type, batch, *paths = arguments
    pack = read(Path(folder))
    whisper = Whisper(pack, device=device, compute_type=compute_type, threads=int(threads))
    options = Options(batch=int(batch), again="never", forced_tokens_a_second=TOKENS_A_SECOND)
    engine = WhisperEngine(whisper, tagger.load(pack.folder), options)
    requests = [Request(np.load(path)) for path in paths]
    engine.recognise([Request(babble(3.0))])
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, len(requests), MOST_JOBS[whisper.device]):
        engine.recognise(requests[start : start + MOST_JOBS[whisper.device]])
    print(peak_mb())


def read(folder: Path) -> Pack:
    """Read a pack, or take a folder without a page for a random Whisper."""
    if (folder / "pack.toml").is_file():
        return packs.read(folder)
    return shapes.random_pack(folder, tags=("zh", "yue", "kk", "ko"))


if __name__ == "__main__":
    share(sys.argv[1:])
