"""The project works when it is installed plainly, away from its clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = "models", "ingest", "transcribe", "workers", "api", "samples"
FILES = "pyproject.toml", "README.md", "LICENSE", "xiangyin.py"
LOOK = """
import models, sys, tempfile
from pathlib import Path
from fastapi.testclient import TestClient
from api.app import create_app
from models import packs
from models.settings import Settings
from tests_queue import Quiet

assert str(Path(models.__file__)).startswith(sys.argv[1]), models.__file__
app = create_app(Settings(data=Path(tempfile.mkdtemp())), queue=Quiet())
with TestClient(app) as client:
    for page in ("/", "/receipt", "/staff/login", "/v1/openapi.json"):
        answer = client.get(page)
        assert answer.status_code == 200, (page, answer.status_code)
from importlib.resources import files
assert packs.read(Path(str(files("samples").joinpath("packs/demo")))).tags
print("served")
"""
QUEUE = """
class Quiet:
    def enqueue(self, stage, medium_id): ...
    def depth(self, stage): return 0
    def alive(self): return True
"""


@pytest.mark.processes
def test_a_plain_install_serves_pages_and_finds_its_pack(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "installed"
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", str(target), str(source)], check=True
    )
    (target / "tests_queue.py").write_text(QUEUE)
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOOK, str(target)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "served", done.stderr
