"""What training minimises."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

import torch
from torch import Tensor

from transcribe.train.losses import token_loss

pytestmark = pytest.mark.train


def scores() -> Tensor:
    made = torch.randn(6, 9, generator=torch.Generator().manual_seed(1))
    return made.requires_grad_()


WANTED = torch.tensor([1, 2, 3, 4, 5, 6])


def test_without_an_earlier_network_the_one_token_is_wanted() -> None:
    own = scores()
    nobody = torch.zeros(6, dtype=torch.bool)
    found = token_loss(own, WANTED, 0.1, nobody, torch.zeros(0))
    plain = torch.nn.functional.cross_entropy(own, WANTED, label_smoothing=0.1)
    assert found.item() == pytest.approx(plain.item())


def test_what_the_earlier_network_would_write_as_well_changes_nothing() -> None:
    own = scores()
    taught = torch.tensor([True, True, False, False, True, False])
    token_loss(own, WANTED, 0.0, taught, own.detach()[taught].softmax(-1)).backward()
    assert own.grad is not None
    assert own.grad[taught].abs().max().item() < 1e-6
    assert own.grad[~taught].abs().max().item() > 1e-3


def test_each_token_counts_alike() -> None:
    own = scores()
    taught = torch.tensor([True] * 3 + [False] * 3)
    one_hot = torch.nn.functional.one_hot(WANTED[:3], 9).float()
    found = token_loss(own, WANTED, 0.0, taught, one_hot)
    assert found.item() == pytest.approx(torch.nn.functional.cross_entropy(own, WANTED).item())
