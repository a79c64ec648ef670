"""`xiangyin channel add`: one command makes a channel and its poster, or says what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from models.channel import Channel
from models.database import connect, reading

ROOT = Path(__file__).parents[2]


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XIANGYIN_")}
    return subprocess.run(
        [sys.executable, "-m", "xiangyin", "channel", "add", *words],
        env=kept | {"XIANGYIN_DATA": str(data), "XIANGYIN_PUBLIC_URL": "https://xiangyin.example"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_channel_with_all_that_it_can_have_and_its_poster(tmp_path: Path) -> None:
    code = tmp_path / "code.svg"
    words = ["qx-clinic", "--name", "青溪县医院", "--jurisdiction", "510729"]
    words += ["--languages", "ug,zh", "--inspection", "r1", "--seconds", "600", "--mask-voice"]
    words += ["--valid-from", "2026-01-01", "--valid-until", "2026-12-31"]
    words += ["--help-name", "李医生", "--help-phone", "0834 555 0100", "--poster", str(code)]
    done = run(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    address = "https://xiangyin.example/c/qx-clinic"
    assert done.stdout.split() == [address, f"{address}/poster"]
    assert code.read_text("utf-8").startswith("<svg")
    engine = connect(f"sqlite:///{tmp_path / 'xiangyin.db'}")
    with reading(engine) as session:
        made = session.get_one(Channel, "qx-clinic")
    engine.dispose()
    assert (made.languages, made.round, made.recording_seconds) == (["ug", "zh"], "r1", 600)
    assert (str(made.valid_from), str(made.valid_until)) == ("2026-01-01", "2026-12-31")
    assert (made.help_name, made.help_phone, made.mask_voice) == ("李医生", "0834 555 0100", True)
    again = run(tmp_path, *words)
    assert again.returncode == 1
    assert "已经有了" in again.stderr and "already" in again.stderr
    unknown = run(tmp_path, "x", "--name", "x", "--jurisdiction", "510729", "--unit", "u-nowhere")
    assert unknown.returncode == 1 and "名录" in unknown.stderr
