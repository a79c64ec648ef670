"""Engines in processes of their own that share messages out, as the workers of an installation do.

Every one writes a forced number of tokens, so that what it does takes what real texts take.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from models import packs
from models.errors import XiangyinError
from models.packs import Pack
from transcribe import shapes, tagger
from transcribe.babble import babble
from transcribe.engine import Options, Request, WhisperEngine
from transcribe.whisper import Whisper
from workers.contenders import TOKENS_A_SECOND, Message, save
from workers.timing import peak_mb

RANDOM_TAGS = ("zh", "yue", "kk", "ko")


@dataclass(frozen=True)
class Setup:
    """What each process loads.

    folder : of a pack, or of a random Whisper without a page; thresholds : in place of its own
    threads : of one process; batch : 0 for the device's default
    again : whether marked messages are decoded a second time
    """

    folder: str
    thresholds: dict[str, float]
    threads: int
    device: str
    compute_type: str
    batch: int
    again: bool = False


class Crew:
    """Running processes, each with a loaded and warm engine."""

    def __init__(self, setup: Setup, processes: int, scratch: Path) -> None:
        self._scratch = scratch
        told = json.dumps(asdict(setup))
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "workers.crew", told],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        try:
            self._peaks: list[float] = [_answer(process) for process in self._processes]
        except subprocess.CalledProcessError:
            self._end()
            raise

    @property
    def peak_mb(self) -> float:
        """Give the most memory that the processes ever had resident, added up."""
        return round(sum(self._peaks), 1)

    def recognise(
        self, messages: Sequence[Message], marked: Sequence[bool] = ()
    ) -> list[tuple[str, int]]:
        """Give the text and the number of tokens of each message; every process takes its share.

        marked : which are decoded a second time, none by default
        """
        marks = marked or [False] * len(messages)
        paths = [str(save(one, self._scratch, place)) for place, one in enumerate(messages)]
        rows = list(zip(paths, marks, strict=True))
        size = len(self._processes)
        for place, process in enumerate(self._processes):
            assert process.stdin is not None
            process.stdin.write(json.dumps(rows[place::size]) + "\n")
            process.stdin.flush()
        done: list[tuple[str, int]] = [("", 0)] * len(messages)
        for place, process in enumerate(self._processes):
            answer = _answer(process)
            done[place::size] = [(text, tokens) for text, tokens in answer["done"]]
            self._peaks[place] = answer["peak_mb"]
        return done

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


def _answer(process: subprocess.Popen[str]) -> Any:
    """Read what a process says; raise where it ended instead."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise subprocess.CalledProcessError(process.wait(), process.args)
    return json.loads(line)


def recognise(engine: WhisperEngine, samples: Sequence[Request]) -> list[tuple[str, int]]:
    """Give texts and numbers of tokens; raise what went wrong."""
    done = []
    for outcome in engine.recognise(samples):
        if isinstance(outcome, XiangyinError):
            raise outcome
        done.append((outcome.text, int(outcome.settings["tokens"])))
    return done


def work(setup: Setup) -> None:
    """Be one of the processes: load, say so, and answer every line of work with a line."""
    pack = read(Path(setup.folder))
    changed = pack.thresholds.model_copy(update=setup.thresholds)
    pack = pack.model_copy(update={"thresholds": changed})
    whisper = Whisper(
        pack, device=setup.device, compute_type=setup.compute_type, threads=setup.threads
    )
    options = Options(
        batch=setup.batch,
        again="marked" if setup.again else "never",
        forced_tokens_a_second=TOKENS_A_SECOND,
    )
    engine = WhisperEngine(whisper, tagger.load(pack.folder), options)
    recognise(engine, [Request(babble(3.0))])
    print(json.dumps(peak_mb()), flush=True)
    for line in sys.stdin:
        requests = [Request(np.load(path), again=marked) for path, marked in json.loads(line)]
        done = recognise(engine, requests)
        print(json.dumps({"done": done, "peak_mb": peak_mb()}), flush=True)


def read(folder: Path) -> Pack:
    """Read a pack, or take a folder without a page for a random Whisper."""
    if (folder / packs.PACK_FILE).is_file():
        return packs.read(folder)
    return shapes.random_pack(folder, tags=RANDOM_TAGS)


if __name__ == "__main__":
    work(Setup(**json.loads(sys.argv[1])))
