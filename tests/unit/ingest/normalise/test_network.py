"""The network that reads a whole text: what it sees, what it says, and how it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest.normalise import marked, network
from ingest.normalise.model import Floats
from ingest.normalise.network import DILATIONS, KINDS, MARKS, TAPS, Network, Opinion, Place
from ingest.normalise.reading import Span
from ingest.normalise.taught import digest
from tests.unit.ingest.normalise.conftest import SAMPLES

TEXT = "去年修的路,王主任今年三月收了我2元。"
LAST = Place(Span(0, 2), "year")
MARCH = Place(Span(9, 13), "month")
WANG = Place(Span(6, 9), "person")
UNITS, SIGNS, MARKED, INNER = 6, 5, 3, 4


def made(seed: int = 0) -> Network:
    """Make a network of any weights."""
    draw = np.random.default_rng(seed)

    def some(*shape: int) -> Floats:
        return draw.normal(0, 0.5, shape).astype(np.float32)

    signs = "0去年修路王主任收月"
    parts = {"signs": some(len(signs) + 1, SIGNS), "marks": some(MARKS, MARKED)}
    parts |= {"into": some(SIGNS + MARKED, UNITS), "into_shift": some(UNITS)}
    for layer in range(len(DILATIONS)):
        parts |= {f"gain{layer}": some(UNITS), f"lift{layer}": some(UNITS)}
        parts |= {f"taps{layer}": some(TAPS * UNITS, 2 * UNITS), f"shift{layer}": some(2 * UNITS)}
    for head, given in (("time", 4), ("no_time", 1), ("person", 4), ("no_person", 1)):
        parts |= {f"{head}_inner": some(given * UNITS, INNER), f"{head}_shift": some(INNER)}
        parts |= {f"{head}_outer": some(INNER), f"{head}_end": some(1)}
    return Network(signs, parts, "abc")


def test_places_share_what_none_of_them_is_left() -> None:
    said = made().read(TEXT, (LAST, MARCH), (WANG,))
    assert len(said.times) == 2
    assert len(said.people) == 1
    assert all(likely > 0 for likely in (*said.times, *said.people))
    assert sum(said.times) < 1
    assert said.people[0] < 1


@pytest.mark.parametrize("text", ["", "路烂了", "A" * 4000])
def test_where_nothing_is_found_it_says_nothing(text: str) -> None:
    assert made().read(text, (), ()) == Opinion((), ())


def test_gates_far_from_the_middle_are_shut_or_open() -> None:
    wide = made()
    loud = {name: 1e4 * part if "taps" in name else part for name, part in wide.parts.items()}
    said = Network(wide.signs, loud).read(TEXT, (LAST, MARCH), (WANG,))
    assert all(0 <= likely <= 1 for likely in (*said.times, *said.people))


def test_it_reads_the_order_of_signs() -> None:
    ahead = made().read(TEXT, (MARCH,), ())
    turned = TEXT[::-1][:9] + TEXT[9:]
    assert made().read(turned, (MARCH,), ()) != ahead


def test_a_place_is_seen_from_others_near_by_but_not_from_afar() -> None:
    """What lies beyond the layers counts only through the strongest of the whole text."""
    reach = (TAPS - 1) // 2 * sum(DILATIONS)
    states = made()._states("路" * 60, (LAST,))
    changed = made()._states("路" * 59 + "收", (LAST,))
    differs = np.abs(states - changed).max(axis=1) > 0
    assert differs[59 - reach] and not differs[: 59 - reach].any()


def test_digits_are_one_sign_and_unknown_signs_another() -> None:
    assert made().rows("2去９鑫") == [1, 2, 1, 0]


def test_marks_tell_where_each_kind_begins_and_goes_on() -> None:
    found = network.marks(14, (WANG, MARCH))
    person, month = (1 + 2 * KINDS.index(kind) for kind in ("person", "month"))
    assert found == [0] * 6 + [person, person + 1, person + 1] + [month] + [month + 1] * 3 + [0]
    assert max(1 + 2 * KINDS.index(kind) + 1 for kind in KINDS) == MARKS - 1


def test_what_was_learnt_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    network.save(made(), tmp_path / "data" / network.MODEL_FILE)
    monkeypatch.setattr(network, "files", lambda _: tmp_path)
    kept = network.load.__wrapped__()
    assert (kept.signs, kept.taught) == (made().signs, "abc")
    assert kept.version
    wanted, said = (one.read(TEXT, (LAST, MARCH), (WANG,)) for one in (made(), kept))
    assert said.times == pytest.approx(wanted.times, abs=0.03)
    assert said.people == pytest.approx(wanted.people, abs=0.03)


def test_another_text_is_named_otherwise() -> None:
    texts = marked.read_all(SAMPLES)[:2]
    assert digest((), texts) != digest((), (replace(texts[0], time=None), texts[1]))
