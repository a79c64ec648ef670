"""From samples to language-tagged transcripts: what ties the parts of this room together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from models.errors import Invalid, Permanent, XiangyinError
from models.packs import Pack
from models.transcript import Recognition
from transcribe import speech, tagger
from transcribe.ear import Ear
from transcribe.scribe import Scribe
from transcribe.tagger import Tagger
from transcribe.turns import Job, Options, Request, Tell, parts
from transcribe.verdict import Judge
from transcribe.whisper import Whisper
from transcribe.windows import Window, fill_seconds, lay

__all__ = ["Engine", "Options", "Request", "WhisperEngine", "load"]

BATCH = {"cpu": 8, "cuda": 32}
# Windows held in memory at a time, in batches: what bounds the memory of a long recording.
BATCHES_A_ROUND = 8
PLAIN = Options()


class Engine(Protocol):
    """Whatever can turn recordings into transcripts."""

    @property
    def pack(self) -> Pack:
        """Give the language pack in use."""
        ...

    def recognise(
        self, requests: Sequence[Request], tell: Tell = ...
    ) -> list[Recognition | XiangyinError]:
        """Give one outcome a request, in order; a bad one never spoils its neighbours.

        tell : told before every call that cannot be interrupted how many seconds of sound it gets;
        what it raises ends the work
        """
        ...


def load(
    pack: Pack,
    *,
    device: str = "auto",
    compute_type: str = "default",
    threads: int = 0,
    batch: int = 0,
) -> WhisperEngine:
    """Load a pack and the tagger beside it; after a fork, never before."""
    whisper = Whisper(pack, device=device, compute_type=compute_type, threads=threads)
    return WhisperEngine(whisper, tagger.load(pack.folder), Options(batch=batch))


def _silent(_: float) -> None:
    """Tell nobody."""


class WhisperEngine:
    """Recognise recordings with one pack, many at a time."""

    def __init__(
        self, whisper: Whisper, witness: Tagger | None = None, options: Options = PLAIN
    ) -> None:
        self.batch = options.batch or BATCH[whisper.device]
        self._pack = whisper.pack
        self._ear = Ear(whisper, witness, self.batch, options.buckets)
        self._scribe = Scribe(whisper, self._ear, self.batch, options)
        self._judge = Judge(
            whisper.pack, witness, self._ear.tags, whisper.device, whisper.compute_type
        )

    @property
    def pack(self) -> Pack:
        """Give the language pack in use."""
        return self._pack

    def recognise(
        self, requests: Sequence[Request], tell: Tell = _silent
    ) -> list[Recognition | XiangyinError]:
        """Give one outcome a request, in order; a bad one never spoils its neighbours.

        tell : told before every call that cannot be interrupted how many seconds of sound it gets;
        what it raises ends the work
        """
        jobs = [self._open(owner, request, tell) for owner, request in enumerate(requests)]
        windows = [window for job in jobs for window in job.windows]
        for part in parts(windows, self.batch * BATCHES_A_ROUND):
            try:
                self._round(jobs, part, tell)
            except (RuntimeError, MemoryError, ValueError):
                self._one_by_one(jobs, part, tell)
        return [job.error or self._judge.close(job) for job in jobs]

    def _open(self, owner: int, request: Request, tell: Tell) -> Job:
        """Find the speech of a recording and lay it into windows."""
        samples = request.samples
        if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all():
            refusal = Invalid(
                "录音数据无效：应为一维、有限的 16 kHz 采样。",
                "The samples are not a finite one-dimensional sound at 16 kHz.",
                code="bad_samples",
            )
            return Job(request, (), (), error=refusal)
        tell(len(samples) / speech.SAMPLE_RATE)
        spans = speech.find(samples)
        return Job(request, spans, lay(owner, spans, fill_seconds(self.pack.thresholds)))

    def _one_by_one(self, jobs: list[Job], windows: Sequence[Window], tell: Tell) -> None:
        """Do windows singly after a batch failed, so that only the culprit's job fails."""
        for window in windows:
            job = jobs[window.owner]
            if job.error:
                continue
            try:
                self._round(jobs, [window], tell)
            except (RuntimeError, MemoryError, ValueError) as error:
                job.error = Permanent(
                    "识别引擎处理这段录音时失败，请人工收听。",
                    "The recogniser failed on this recording: a person must listen to it.",
                    code="recognition_failed",
                )
                job.error.__cause__ = error

    def _round(self, jobs: list[Job], windows: Sequence[Window], tell: Tell) -> None:
        """Take windows through encoding, language, writing and timing."""
        turns = self._ear.part(jobs, self._ear.listen(jobs, windows, tell), tell)
        self._ear.decide(jobs, turns)
        for turn in self._scribe.write(jobs, turns, tell):
            turn.forget()
            jobs[turn.window.owner].turns.append(turn)
