"""Transcribe workers: one a core, as many as memory holds."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from models.settings import Settings
from workers import share as sharing
from workers.share import Share, share

CORES = len(os.sched_getaffinity(0))


def settings(data: Path, **more: str | int) -> Settings:
    return Settings.model_validate({"data": data, "device": "cpu", **more})


def test_every_core_has_a_worker(tmp_path: Path) -> None:
    assert share(settings(tmp_path)) == Share(CORES, 1)


def test_what_is_set_is_done(tmp_path: Path) -> None:
    assert share(settings(tmp_path, workers=CORES, threads=3)) == Share(CORES, 3)
    assert share(settings(tmp_path, workers=1)) == Share(1, CORES)
    assert share(settings(tmp_path, threads=CORES)) == Share(1, CORES)


def test_one_worker_keeps_a_gpu_busy(tmp_path: Path) -> None:
    assert share(settings(tmp_path, device="cuda")).workers == 1


def test_models_that_fill_the_memory_have_fewer_workers_with_more_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = psutil.virtual_memory()._replace(total=int(1e9))
    monkeypatch.setattr(sharing.psutil, "virtual_memory", lambda: memory)
    assert share(settings(tmp_path)) == Share(1, CORES)
