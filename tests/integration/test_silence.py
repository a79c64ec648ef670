"""Nothing that this house loads tells anybody outside what it is doing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# onnxruntime's reporter lives in a thread that its import starts.
LOOK = """
import json, os, sys
threads = len(os.listdir("/proc/self/task"))
print(json.dumps({"threads": threads, "loaded": "onnxruntime" in sys.modules}))
"""
USES = {
    "hears speech": "import numpy\nfrom transcribe import speech\n"
    "speech.find(numpy.zeros(16_000, numpy.float32))",
    "reads a page": "from PIL import Image\nfrom ingest import photographs\n"
    "photographs.read_page(Image.open('tests/data/letter.png').convert('RGB'))",
}


@pytest.mark.parametrize("use", USES)
def test_no_library_starts_a_thread_that_reports(use: str) -> None:
    bare = {
        name: value
        for name, value in os.environ.items()
        # A CI run is the one place where it keeps silent by itself.
        if name != "CI" and not name.endswith("TELEMETRY") and name != "DO_NOT_TRACK"
    }
    single = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
    )
    done = subprocess.run(
        [sys.executable, "-c", USES[use] + LOOK],
        cwd=ROOT,
        env=bare | single | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {"threads": 1, "loaded": True}
