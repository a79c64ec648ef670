"""Whisper's network in PyTorch, with a head on the encoder that helps alignment appear."""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor, nn

ENCODER_FRAME_SECONDS = 0.02


@dataclass(frozen=True)
class Shape:
    """Sizes of a network."""

    vocabulary: int
    sounds: int  # classes of the encoder's own head (phones or characters), blank first
    width: int = 256
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2
    mels: int = 80
    encoder_positions: int = 1500
    decoder_positions: int = 448

    def as_dict(self) -> dict[str, int]:
        """Return the sizes as plain numbers for a checkpoint or a log."""
        return asdict(self)


def sinusoids(length: int, width: int) -> Tensor:
    """Return Whisper's fixed position encodings, shape = (length, width)."""
    half = width // 2
    scale = torch.exp(
        -torch.log(torch.tensor(10000.0)) / (half - 1) * torch.arange(half, dtype=torch.float32)
    )
    angle = torch.arange(length, dtype=torch.float32)[:, None] * scale[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Attention(nn.Module):
    """Multi-head attention with Whisper's biases (none on the keys)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, causal: bool = False, look: int = 0
    ) -> tuple[Tensor, Tensor | None]:
        """Attend, and return also the log-weights of the first `look` heads.

        x : shape = (batch, n_queries, width); memory : shape = (batch, n_keys, width)
        returns shape = (batch, n_queries, width) and (batch, look, n_queries, n_keys) or None
        """
        source = x if memory is None else memory
        q, k, v = self._split(self.query(x)), self._split(self.key(source)), self.value(source)
        v = self._split(v)
        looked = None
        if look:
            scores = q[:, :look] @ k[:, :look].transpose(-1, -2) * (q.shape[-1] ** -0.5)
            looked = scores.float().log_softmax(-1)
        mixed = _mixed(q, k, v, causal)
        batch, heads, length, size = mixed.shape
        return self.out(mixed.transpose(1, 2).reshape(batch, length, heads * size)), looked


def _mixed(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
    """Return attention's weighted values, shape as q.

    On a processor the fused operation's way back costs more than all matrix products of a short
    window together, so there it is written out.
    """
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -1e4)
    return scores.softmax(-1) @ v


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward part, normalised first."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.mlp_out = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the next states, shape as x."""
        x = x + self.attention(self.attention_norm(x))[0]
        moved: Tensor = x + self.mlp_out(F.gelu(self.mlp_in(self.mlp_norm(x))))
        return moved


class DecoderLayer(nn.Module):
    """Causal self-attention, attention on the sound, and a feed-forward part."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width)
        self.cross = Attention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.mlp_out = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, memory: Tensor, look: int) -> tuple[Tensor, Tensor | None]:
        """Return the next states and the log-weights of the looked-at heads."""
        x = x + self.attention(self.attention_norm(x), causal=True)[0]
        heard, looked = self.cross(self.cross_norm(x), memory, look=look)
        x = x + heard
        return x + self.mlp_out(F.gelu(self.mlp_in(self.mlp_norm(x)))), looked


class Encoder(nn.Module):
    """Two convolutions, positions, layers."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.positions: Tensor
        self.register_buffer("positions", sinusoids(shape.encoder_positions, shape.width))
        self.layers = nn.ModuleList(
            EncoderLayer(shape.width, shape.heads) for _ in range(shape.encoder_layers)
        )
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor, dropout: float = 0.0) -> Tensor:
        """Return states of mel, shape = (batch, mels, frames).

        returns shape = (batch, frames / 2, width)
        """
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        if dropout:
            x = F.dropout(x, dropout, self.training)
        for layer in self.layers:
            x = layer(x)
        normed: Tensor = self.norm(x)
        return normed


class Decoder(nn.Module):
    """Token and position embeddings, layers; the output shares the token embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Parameter(torch.zeros(shape.decoder_positions, shape.width))
        self.layers = nn.ModuleList(
            DecoderLayer(shape.width, shape.heads) for _ in range(shape.decoder_layers)
        )
        self.norm = nn.LayerNorm(shape.width)

    def forward(
        self, tokens: Tensor, memory: Tensor, look: int = 0, dropout: float = 0.0
    ) -> tuple[Tensor, list[Tensor]]:
        """Return states and the log-weights of each layer's first `look` heads on the sound.

        returns shape = (batch, n_tokens, width), and a (batch, look, n_tokens, n_states) a layer
        """
        x = self.tokens(tokens) + self.positions[: tokens.shape[1]]
        if dropout:
            x = F.dropout(x, dropout, self.training)
        looked: list[Tensor] = []
        for layer in self.layers:
            x, seen = layer(x, memory, look)
            if seen is not None:
                looked.append(seen)
        return self.norm(x), looked


class Whisper(nn.Module):
    """Encoder, decoder and the sound head that only training uses."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape)
        self.sounds = nn.Linear(shape.width, shape.sounds)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.5 / module.in_features**0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        nn.init.normal_(self.decoder.positions, std=0.01)

    def logits(self, states: Tensor) -> Tensor:
        """Return token scores of decoder states; the weights are the token embedding's."""
        return F.linear(states, self.decoder.tokens.weight)
