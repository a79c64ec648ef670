"""The Muon optimiser (Jordan et al., 2024) for matrices, in batches of equal shapes."""

from collections.abc import Iterable

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # the published quintic of the Newton-Schulz iteration
_ITERATIONS = 5


def orthogonal(matrices: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the nearest half-orthogonal matrices, roughly; shape = (n, rows, columns).

    dtype : what the products are computed in; the iteration bears bfloat16
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x: Tensor = matrices.transpose(1, 2) if tall else matrices
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype)
    for _ in range(_ITERATIONS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    x = x.to(matrices.dtype)
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal, scaled to the size of an AdamW step."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.dtype = dtype
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            shapes: dict[tuple[int, int], list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    flat = weight.grad.flatten(1)
                    shapes.setdefault((flat.shape[0], flat.shape[1]), []).append(weight)
            for weights in shapes.values():
                self._move(weights, group["lr"], group["momentum"], group["weight_decay"])

    def _move(self, weights: list[Tensor], lr: float, momentum: float, decay: float) -> None:
        gradients = [weight.grad.flatten(1) for weight in weights if weight.grad is not None]
        buffers = []
        for weight, gradient in zip(weights, gradients, strict=True):
            state = self.state[weight]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(gradient)
            buffers.append(state["momentum"])
        torch._foreach_lerp_(buffers, gradients, 1 - momentum)
        ahead = torch._foreach_lerp(gradients, buffers, momentum)
        steps = orthogonal(torch.stack(list(ahead)), self.dtype)
        scale = 0.2 * max(steps.shape[1:]) ** 0.5
        for weight, move in zip(weights, steps, strict=True):
            weight.mul_(1 - lr * decay)
            weight.add_(move.view_as(weight), alpha=-lr * scale)
