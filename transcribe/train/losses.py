"""What training minimises: tokens, the encoder's own sounds, and where attention looks."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor

from transcribe.train import batches
from transcribe.train.batches import Batch


def sound_loss(scores: Tensor, batch: Batch) -> Tensor:
    """Return the loss of the encoder's own head.

    Where times are known, the class of each state (a phone); else CTC over the text's letters.
    scores : shape = (batch, n_states, n_sounds)
    """
    timed = (batch.sounds != batches.IGNORED).any(1)
    loss = scores.new_zeros(())
    if timed.any():
        rows = timed.to(scores.device)
        wanted = batch.sounds[timed].to(scores.device)
        loss = loss + F.cross_entropy(
            scores[rows].flatten(0, 1), wanted.flatten(), ignore_index=-100
        )
    listed = batch.label_lengths > 0
    if listed.any():
        rows = listed.to(scores.device)
        chances = scores[rows].float().log_softmax(-1).transpose(0, 1)
        ctc = F.ctc_loss(
            chances,
            batch.labels.to(scores.device),
            batch.state_lengths[listed],
            batch.label_lengths[listed],
            reduction="none",
            zero_infinity=True,
        )
        loss = loss + (ctc / batch.label_lengths[listed].to(ctc.device)).mean()
    return loss


def attention_loss(looked: Sequence[Tensor], spans: Tensor) -> Tensor:
    """Return how badly the looked-at heads look where a token is said.

    The last layer looks where the next token is said, the first where the one just written was:
    from there the next is found. Times come from the last layer.
    looked : log-weights by layer, shape = (batch, heads, n_tokens, n_states)
    spans : of the next token at each place, shape = (batch, n_tokens, 2)
    """
    loss = _outside(looked[-1], spans)
    if len(looked) > 1:
        written = torch.roll(spans, 1, dims=1)
        written[:, 0] = -1
        loss = loss + 0.5 * _outside(looked[0], written)
    return loss


def _outside(looked: Tensor, spans: Tensor) -> Tensor:
    """Return the mean negative log of the weight inside each known span."""
    known = spans[..., 0] >= 0
    if not known.any():
        return looked.new_zeros(())
    places = torch.arange(looked.shape[-1], device=looked.device)
    inside = (places >= spans[..., :1]) & (places < spans[..., 1:])
    inside = (inside & known[..., None])[:, None]
    weight = looked.masked_fill(~inside, -1e4).logsumexp(-1).clamp(min=-30)
    wanted = (known & inside.any(-1)[:, 0])[:, None].expand_as(weight)
    return -weight[wanted].mean()


def token_loss(
    scores: Tensor, wanted: Tensor, smoothing: float, taught: Tensor, earlier: Tensor
) -> Tensor:
    """Return the mean loss of the tokens asked for.

    Where a network that knew the language before says what it would write, that is what is wanted,
    and not the one token: its likings keep what it knew (Li and Hoiem, "Learning without
    forgetting", 2016).
    scores : shape = (n_tokens, vocabulary); wanted : shape = (n_tokens,)
    taught : which tokens the earlier network speaks of, shape = (n_tokens,); earlier : its
    probabilities for these, shape = (n_taught, vocabulary)
    """
    if not taught.any():
        return F.cross_entropy(scores, wanted, label_smoothing=smoothing)
    new = F.cross_entropy(
        scores[~taught], wanted[~taught], label_smoothing=smoothing, reduction="sum"
    )
    old = F.cross_entropy(scores[taught], earlier, reduction="sum")
    return (new + old) / len(wanted)
