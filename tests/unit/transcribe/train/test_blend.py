"""How far the way from the old weights to the new ones is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

import torch

from transcribe.train import blend
from transcribe.train.clips import Clip, Part, Stored
from transcribe.train.network import Shape, Whisper

pytestmark = pytest.mark.train

SHAPE = Shape(50, 4, width=16, heads=2, encoder_layers=1, decoder_layers=1)


def test_the_ends_of_the_way_are_the_weights_themselves() -> None:
    before, after = {"a": torch.zeros(3)}, {"a": torch.ones(3), "sounds.b": torch.ones(2)}
    assert torch.equal(blend.between(before, after, 0.0)["a"], before["a"])
    assert torch.equal(blend.between(before, after, 1.0)["a"], after["a"])
    halfway = blend.between(before, after, 0.5)
    assert torch.equal(halfway["a"], torch.full((3,), 0.5))
    assert torch.equal(halfway["sounds.b"], after["sounds.b"])


@pytest.mark.parametrize(("forgets_from", "share"), [(2.0, 1.0), (0.75, 0.7), (0.01, 0.4)])
def test_the_way_is_gone_as_far_as_the_old_languages_bear_it(
    monkeypatch: pytest.MonkeyPatch, forgets_from: float, share: float
) -> None:
    network = Whisper(SHAPE)
    name = "encoder.conv1.weight"
    before = {n: t.clone() for n, t in network.state_dict().items()}
    with torch.no_grad():
        network.get_parameter(name).copy_(before[name] + 1)

    def rates(given: Whisper, *_: object) -> dict[str, float]:
        gone = float((given.get_parameter(name).detach() - before[name]).mean())
        return {"kk": 0.1 if gone < forgets_from else 0.2, "zh": 0.1}

    monkeypatch.setattr(blend, "character_error_rates", rates)
    chosen = blend.choose(before, network, None, [])  # type: ignore[arg-type]
    assert chosen.share == share
    assert chosen.before == pytest.approx(0.1)
    gone = network.get_parameter(name).detach() - before[name]
    assert float(gone.mean()) == pytest.approx(share, abs=1e-3)


def test_some_spoken_clips_of_the_old_languages_are_kept_back() -> None:
    def clip(number: int) -> Stored:
        parts = (Part(str(number), 0, 1),) if number % 2 else ()
        return Stored(Clip("kk", "", 1.0, parts), Path("nowhere"), 0, 100)

    every = [clip(number) for number in range(200)]
    rehearsed, check = blend.parted(every)
    assert len(check) == 5
    assert all(len(one.clip.parts) == 1 for one in check)
    assert len(rehearsed) + len(check) == len(every)
    assert blend.parted([]) == ([], [])
