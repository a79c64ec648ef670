"""How the processor is shared out among the transcribe workers of one machine.

A worker of one thread on each core does more than one with all threads (`xiangyin bench` shows
both): the small steps of decoding leave threads waiting for each other.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil
from ctranslate2 import get_cuda_device_count

from models import packs
from models.settings import Settings

# What a worker takes beside its model, and how much of the machine all of them may take.
WORKER_BYTES = 400e6
MODEL_TIMES = 2.0  # of the model's file: its weights, and what is computed from them
MEMORY_SHARE = 0.6


@dataclass(frozen=True)
class Share:
    """How many transcribe workers, and how many threads each."""

    workers: int
    threads: int


def share(settings: Settings) -> Share:
    """Give one worker a core, as many as memory holds; one in all on a GPU."""
    cores = len(os.sched_getaffinity(0))
    if settings.workers:
        workers = settings.workers
    elif on_gpu(settings):
        workers = 1
    else:
        pack = packs.choose(settings.pack_folder, settings.pack)
        size = sum(one.stat().st_size for one in pack.folder.glob("model*.bin"))
        each = WORKER_BYTES + MODEL_TIMES * size
        room = MEMORY_SHARE * psutil.virtual_memory().total
        workers = max(1, min(cores // (settings.threads or 1), int(room / each)))
    return Share(workers, settings.threads or max(1, cores // workers))


def on_gpu(settings: Settings) -> bool:
    """Tell whether the model will run on a GPU."""
    present = settings.device == "auto" and get_cuda_device_count() > 0
    return settings.device == "cuda" or present
