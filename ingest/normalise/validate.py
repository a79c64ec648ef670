"""How sure a choice of time or of who is to blame must be, by complaints that nothing learnt from.

Complaints are held out in turn (Stone, 1974): whatever learns learns anew from the others and from
the marked texts. What the two networks then find likely in the ones held out tells how to join
their opinions and from where on a choice is filled in: TOGETHER and LIKELY of dating.py, blame.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold

from ingest.normalise import blame, dating, train
from ingest.normalise.labelled import Labelled
from ingest.normalise.material import Material
from ingest.normalise.network import Network
from ingest.normalise.taught import Taught, Teacher
from ingest.normalise.weighing import averaged, likeliest, pooled
from models.errors import Invalid
from models.terminal import table

SEED = 7
WAYS = (averaged, pooled)
LEAST = tuple(hundredths / 100 for hundredths in range(50, 100, 5))

Teach = Callable[[Sequence[Taught]], Network]
Opinions = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Held:
    """One kind of places in a text that was held out.

    opinions : of either network, how likely each place is
    right : which of them are meant; None where what is meant was not even found
    """

    opinions: Opinions
    right: Sequence[bool] | None

    @property
    def labelled(self) -> bool:
        """Tell whether anything is meant."""
        return self.right is None or any(self.right)


@dataclass(frozen=True)
class Unseen:
    """A complaint that was held out."""

    times: Held
    people: Held


def hold_out(material: Material, folds: int, teach: Teach) -> Iterator[Unseen]:
    """Hold out every complaint once; raise Invalid where there are fewer than folds.

    teach : a network, from what the others and the marks teach
    """
    every = material.complaints
    if folds > len(every):
        raise Invalid(
            f"只有 {len(every)} 件标注的举报，分不成 {folds} 份：请减小 --folds。",
            f"{len(every)} labelled complaints cannot be held out in {folds} parts: give fewer "
            "--folds.",
            code="too_many_folds",
        )
    split = KFold(folds, shuffle=True, random_state=SEED).split(np.zeros(len(every)))
    for others, own in split:
        yield from _fold(material, [every[n] for n in others], [every[n] for n in own], teach)


def _fold(
    material: Material, others: Sequence[Labelled], own: Sequence[Labelled], teach: Teach
) -> Iterator[Unseen]:
    kinds = train.train(train.examples(others), material.phrases).model
    teacher = Teacher(material.channels, material.gazetteer, kinds)
    lessons = (*teacher.labelled(others), *teacher.marked(material.marks))
    dates, guilt = train.choosers(lessons, "")
    network = teach(lessons)
    for one in teacher.labelled(own):
        seen = one.seen
        read = network.read(seen.reading.text, seen.when, seen.who)
        conduct = teacher.judge(seen.reading.text)
        when = dates.probabilities(dating.described(seen.around, seen.times, one.received))
        who = guilt.probabilities(blame.described(seen.around, seen.people, conduct))
        yield Unseen(Held((when, read.times), one.dated), Held((who, read.people), one.blamed))


def tables(found: Sequence[Unseen]) -> str:
    """Write what comes of each way to join the opinions, from each probability on."""
    parts = [f"{len(found)} complaints, each held out once"]
    for name, chooser, held in (
        ("times", dating, [one.times for one in found]),
        ("people, name and post both right", blame, [one.people for one in found]),
    ):
        used = f"{chooser.TOGETHER.__name__} from {chooser.LIKELY:.2f} on"
        rows = [_row(held, join, least) for join in WAYS for least in LEAST]
        head = ("opinions", "from", "right", "filled", "labelled", "precision", "recall", "exact")
        parts += ["", f"{name} (in use: {used})", table(head, rows)]
    return "\n".join(parts) + "\n"


def _row(
    held: Sequence[Held], join: Callable[[Opinions], list[float]], least: float
) -> tuple[str, ...]:
    """Count what is filled in, and the texts in which just that is right that is meant."""
    filled = right = exact = 0
    for one in held:
        chosen = likeliest(join(one.opinions), least)
        if chosen is None:
            exact += not one.labelled
            continue
        filled += 1
        right += one.right is not None and one.right[chosen[0]]
    labelled = sum(one.labelled for one in held)
    shares = (right / max(1, filled), right / max(1, labelled))
    counts = (str(right), str(filled), str(labelled))
    exactly = f"{right + exact}/{len(held)}"
    return join.__name__, f"{least:.2f}", *counts, *(f"{one:.3f}" for one in shares), exactly
