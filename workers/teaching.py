"""Teach the network of the normaliser: `xiangyin normalise train --network`.

It learns times and people at once, and domain and conduct beside them where these are told, so that
the few layers that all share learn more (Caruana, 1997). So that it learns the words around a place
and not the place, clauses of other texts are put before or behind a text at times, and single signs
or the whole place are hidden.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ingest.normalise.network import DILATIONS, MARKS, TAPS, Network, Place, marks
from ingest.normalise.reading import Span
from ingest.normalise.taught import Taught
from ingest.normalise.term import CLAUSE, clauses

SEED = 7
LEAST_SEEN = 4  # texts that a sign must be in
SIGNS, MARKED, UNITS = 48, 16, 64
INNER, INNER_NONE = 64, 32
ROUNDS = 10
BATCH = 32  # texts
RATE, WARM_STEPS, DECAY = 3e-3, 100, 0.01
LARGEST_STEP = 1.0
LEFT_OUT = 0.3  # of states
HIDDEN_SIGNS, HIDDEN_PLACES = 0.08, 0.25
LENGTHENED = 0.3  # of texts, by a clause of another
BESIDE = 0.3  # what domain and conduct count
NEVER = -1e9
SPARE_SIGNS = range(5, 26)  # of a clause that another text may be lengthened by

Told = tuple[bool, ...] | None


@dataclass(frozen=True)
class _Text:
    """A text as the network reads it. rows : of its signs"""

    rows: list[int]
    times: tuple[Place, ...]
    people: tuple[Place, ...]
    dated: Told
    blamed: Told
    domain: str
    conduct: str


def fit(taught: Sequence[Taught], digest: str, echo: Callable[[str], None]) -> Network:
    """Teach a network. digest : names what it learns from; echo : is told of each round"""
    signs = _signs(taught)
    rows = Network(signs, {}).rows
    texts = [
        _Text(
            rows(one.seen.reading.text),
            one.seen.when,
            one.seen.who,
            one.dated,
            one.blamed,
            one.domain,
            one.conduct if one.domain else "",
        )
        for one in taught
    ]
    torch.manual_seed(SEED)
    model = _Model(len(signs) + 1, texts)
    draw = random.Random(SEED)
    spare = [rows(clause) for one in taught for clause in _spare(one)]
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
    steps = ROUNDS * math.ceil(len(texts) / BATCH)
    for step, batch in enumerate(_batches(texts, draw)):
        rate = RATE * min(1, (step + 1) / WARM_STEPS) * (1 - step / steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = model.loss([_varied(one, spare, draw) for one in batch])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), LARGEST_STEP)
        optimiser.step()
        if (step + 1) * ROUNDS % steps < ROUNDS:
            echo(f"{(step + 1) / steps:.0%}: {loss.item():.3f}")
    return Network(signs, model.parts(), digest)


def _signs(taught: Sequence[Taught]) -> str:
    within = Counter(
        sign
        for one in taught
        for sign in {"0" if sign.isdigit() else sign for sign in one.seen.reading.text}
    )
    return "".join(sorted(sign for sign, texts in within.items() if texts >= LEAST_SEEN))


def _spare(one: Taught) -> Iterator[str]:
    """Give the clauses of a text in which neither a time nor anybody is."""
    places = [place.span for place in (*one.seen.when, *one.seen.who)]
    text = one.seen.reading.text
    for part in clauses(text):
        ended = CLAUSE.match(text, part.end - 1)
        if ended and part.end - part.start in SPARE_SIGNS and not any(map(part.overlaps, places)):
            yield text[part.start : part.end]


def _batches(texts: Sequence[_Text], draw: random.Random) -> Iterator[list[_Text]]:
    """Give all texts in each round, those of about one length together."""
    for _ in range(ROUNDS):
        ordered = sorted(texts, key=lambda one: len(one.rows) + draw.uniform(0, 20))
        batches = [ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)]
        draw.shuffle(batches)
        yield from batches


def _varied(one: _Text, spare: Sequence[list[int]], draw: random.Random) -> _Text:
    """Lengthen a text by a clause of another, and hide some of its times and people."""
    rows, moved = list(one.rows), 0
    if spare and draw.random() < LENGTHENED:
        clause = draw.choice(spare)
        first = draw.random() < 0.5
        rows = [*clause, *rows] if first else [*rows, *clause]
        moved = len(clause) if first else 0
    times = tuple(_moved(place, moved) for place in one.times)
    people = tuple(_moved(place, moved) for place in one.people)
    for place in (*times, *people):
        if draw.random() < HIDDEN_PLACES:
            rows[place.span.start : place.span.end] = [0] * (place.span.end - place.span.start)
    return replace(one, rows=rows, times=times, people=people)


def _moved(place: Place, signs: int) -> Place:
    return replace(place, span=Span(place.span.start + signs, place.span.end + signs))


class _Head(nn.Module):
    """Scores what is described. given : figures of a description"""

    def __init__(self, given: int, inner: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(given, inner), nn.Linear(inner, 1)

    def forward(self, described: Tensor) -> Tensor:
        """Give a score for each row."""
        hidden = functional.dropout(torch.relu(self.inner(described)), LEFT_OUT, self.training)
        return self.outer(hidden).squeeze(-1)

    def parts(self, name: str) -> dict[str, Tensor]:
        """Give the weights as the network names them."""
        return {
            f"{name}_inner": self.inner.weight.T,
            f"{name}_shift": self.inner.bias,
            f"{name}_outer": self.outer.weight[0],
            f"{name}_end": self.outer.bias,
        }


class _Model(nn.Module):
    """The network, as torch learns it."""

    def __init__(self, signs: int, texts: Sequence[_Text]) -> None:
        super().__init__()
        self.signs, self.marks = nn.Embedding(signs, SIGNS), nn.Embedding(MARKS, MARKED)
        nn.init.normal_(self.signs.weight, 0, 0.3)
        self.into = nn.Linear(SIGNS + MARKED, UNITS)
        self.even = nn.ModuleList(nn.LayerNorm(UNITS) for _ in DILATIONS)
        self.taps = nn.ModuleList(
            nn.Conv1d(UNITS, 2 * UNITS, TAPS, padding=dilation, dilation=dilation)
            for dilation in DILATIONS
        )
        self.heads = nn.ModuleDict(
            {name: _Head(4 * UNITS, INNER) for name in ("time", "person")}
            | {f"no_{name}": _Head(UNITS, INNER_NONE) for name in ("time", "person")}
        )
        self.domains = sorted({one.domain for one in texts if one.domain})
        self.conducts = sorted({one.conduct for one in texts if one.conduct})
        self.matters = nn.Linear(UNITS, max(1, len(self.domains) + len(self.conducts)))

    def loss(self, batch: Sequence[_Text]) -> Tensor:
        """Give how far a batch is from what is right."""
        states, there = self._states(batch)
        whole = states.masked_fill(~there, NEVER).amax(dim=1)
        sums = functional.pad(states.cumsum(dim=1), (0, 0, 1, 0))
        times, people = [one.times for one in batch], [one.people for one in batch]
        found = self._surprise("time", states, sums, whole, times, [one.dated for one in batch])
        found = found + self._surprise(
            "person", states, sums, whole, people, [one.blamed for one in batch]
        )
        return found + BESIDE * self._matter(whole, batch)

    def _states(self, batch: Sequence[_Text]) -> tuple[Tensor, Tensor]:
        """Give the states of signs, and which are there. shape = (n_texts, n_signs, n_units)"""
        longest = max(len(one.rows) for one in batch)
        rows = np.zeros((len(batch), longest), np.int64)
        marked = np.zeros_like(rows)
        there = np.zeros((len(batch), longest, 1), bool)
        for at, one in enumerate(batch):
            rows[at, : len(one.rows)] = one.rows
            marked[at, : len(one.rows)] = marks(len(one.rows), (*one.people, *one.times))
            there[at, : len(one.rows)] = True
        seen, mask = torch.from_numpy(rows), torch.from_numpy(there)
        if self.training:
            seen = torch.where(torch.rand(seen.shape) < HIDDEN_SIGNS, 0, seen)
        found = torch.cat([self.signs(seen), self.marks(torch.from_numpy(marked))], -1)
        states = self.into(self._drop(found)) * mask
        for even, taps in zip(self.even, self.taps, strict=True):
            level = (self._drop(even(states)) * mask).transpose(1, 2)
            states = (states + functional.glu(taps(level), 1).transpose(1, 2)) * mask
        return states, mask

    def _drop(self, states: Tensor) -> Tensor:
        return functional.dropout(states, LEFT_OUT, self.training)

    def _surprise(
        self,
        what: str,
        states: Tensor,
        sums: Tensor,
        whole: Tensor,
        places: Sequence[Sequence[Place]],
        told: Sequence[Told],
    ) -> Tensor:
        """Give the mean surprise at which place is right, or none, over the texts that tell it."""
        texts = torch.tensor([at for at, own in enumerate(places) for _ in own])
        columns = torch.tensor([column for own in places for column in range(len(own))])
        if not len(texts):
            return states.new_zeros(())
        starts = torch.tensor([place.span.start for own in places for place in own])
        ends = torch.tensor([place.span.end for own in places for place in own])
        means = (sums[texts, ends] - sums[texts, starts]) / (ends - starts)[:, None]
        described = torch.cat(
            [states[texts, starts], states[texts, ends - 1], means, whole[texts]], -1
        )
        scores = states.new_full((len(places), int(columns.max()) + 1), NEVER)
        scores = scores.index_put((texts, columns), self.heads[what](described))
        none = self.heads[f"no_{what}"](whole)[:, None]
        likely = functional.log_softmax(torch.cat([scores, none], 1), 1)
        right = torch.zeros(likely.shape, dtype=torch.bool)
        for at, own in enumerate(told):
            if own:
                right[at, : len(own)] = torch.tensor(own)
                right[at, -1] = not any(own)
        taught = right.any(dim=1)
        surprise = -torch.logsumexp(likely.masked_fill(~right, NEVER), 1)
        return surprise[taught].sum() / len(places)

    def _matter(self, whole: Tensor, batch: Sequence[_Text]) -> Tensor:
        told = [at for at, one in enumerate(batch) if one.domain]
        if not told:
            return whole.new_zeros(())
        scores = self.matters(whole[told])
        domains = torch.tensor([self.domains.index(batch[at].domain) for at in told])
        conducts = torch.tensor([self.conducts.index(batch[at].conduct) for at in told])
        first = len(self.domains)
        surprise = functional.cross_entropy(scores[:, :first], domains)
        surprise = surprise + functional.cross_entropy(scores[:, first:], conducts)
        return surprise * len(told) / len(batch)

    def parts(self) -> dict[str, np.ndarray]:
        """Give the weights as the network names them."""
        found = {
            "signs": self.signs.weight,
            "marks": self.marks.weight,
            "into": self.into.weight.T,
            "into_shift": self.into.bias,
        }
        for layer, (even, taps) in enumerate(zip(self.even, self.taps, strict=True)):
            found |= {f"gain{layer}": even.weight, f"lift{layer}": even.bias}
            found |= {
                f"taps{layer}": taps.weight.permute(2, 1, 0).reshape(TAPS * UNITS, 2 * UNITS),
                f"shift{layer}": taps.bias,
            }
        every = chain.from_iterable(h.parts(name).items() for name, h in self.heads.items())
        found |= dict(every)
        return {name: part.detach().numpy().astype(np.float32) for name, part in found.items()}
