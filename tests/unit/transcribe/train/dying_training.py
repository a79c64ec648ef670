"""Train in a folder and die by SIGKILL in the middle of a step's report.

Run as `python -m tests.unit.transcribe.train.dying_training CLIPS TOKENIZER WORK STEP`.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import tokenizers

from tests.unit.transcribe.train.test_fit import PLAN, shape
from transcribe.train import batches, clips, fit, tokens
from transcribe.train.progress import Progress


def main() -> None:
    folder, tokenizer_file, work, step = sys.argv[1:]
    stored = tuple(clips.read(Path(folder) / kind) for kind in ("single", "joined"))
    tokenizer = tokenizers.Tokenizer.from_file(tokenizer_file)
    sounds = batches.sounds_of([one.clip for one in stored[0]])
    codes = {"zh": "zh", "kk": "kk"}
    vocabulary = batches.Vocabulary(tokenizer, tokens.prompt(tokenizer), codes, sounds)
    plan = replace(PLAN, checkpoint_seconds=0.0)
    trainer = fit.Trainer(Path(work), shape(vocabulary), vocabulary, plan)

    def die(progress: Progress) -> None:
        if progress.step == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    trainer.run(lambda: stored, [], die)


if __name__ == "__main__":
    main()
