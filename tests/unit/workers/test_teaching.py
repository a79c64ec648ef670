"""Teaching the network of the normaliser, and that it says the same without torch."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from ingest.matter import ChannelFacts, Matter, Passage  # noqa: E402
from ingest.normalise import mentions, reading  # noqa: E402
from ingest.normalise.gazetteer import Gazetteer  # noqa: E402
from ingest.normalise.lexicon import people  # noqa: E402
from ingest.normalise.network import Network, Place  # noqa: E402
from ingest.normalise.person import Register  # noqa: E402
from ingest.normalise.reading import Span  # noqa: E402
from ingest.normalise.taught import Taught  # noqa: E402
from models.medium import Kind  # noqa: E402
from workers import teaching  # noqa: E402

pytestmark = pytest.mark.train

ACT = "堰塘遭王主任去年三月拿挖机填了。"
OWN = "去年三月才搬回来的,问过王主任,路没有修。"
RECEIVED = date(2026, 5, 14)


def taught(text: str, right: bool, domain: str = "") -> Taught:
    """Make a lesson of a text with one time and one person, both meant or neither."""
    passage = Passage(medium=None, kind=Kind.TEXT, text=text, language="zh")
    facts = ChannelFacts(code="", unit_code=None, unit_name="", jurisdiction="")
    said = Matter(passages=(passage,), channel=facts, received=RECEIVED)
    register = Register(people())
    seen = mentions.find(reading.read(passage), said, Gazetteer(()), register)
    assert (len(seen.times), len(seen.people)) == (1, 1)
    return Taught(seen, RECEIVED, (right,), (right,), "dereliction" if domain else "", domain)


LESSONS = [taught(ACT, True, "assets"), taught(OWN, False)] * 24


@pytest.fixture(scope="module")
def learnt() -> Network:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "WARM_STEPS", 5)
        patch.setattr(teaching, "BATCH", 8)
        return teaching.fit(LESSONS, "abc", lambda _: None)


def said(network: Network, one: Taught) -> tuple[float, float]:
    opinion = network.read(one.seen.reading.text, one.seen.when, one.seen.who)
    return opinion.times[0], opinion.people[0]


def test_what_is_meant_is_learnt(learnt: Network) -> None:
    assert min(said(learnt, LESSONS[0])) > 0.8
    assert max(said(learnt, LESSONS[1])) < 0.2
    assert learnt.taught == "abc"


def test_the_same_lessons_give_the_same_network(
    learnt: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teaching, "WARM_STEPS", 5)
    monkeypatch.setattr(teaching, "BATCH", 8)
    again = teaching.fit(LESSONS, "abc", lambda _: None)
    assert all(np.allclose(part, learnt.parts[name]) for name, part in again.parts.items())


def test_without_torch_it_says_the_same() -> None:
    rows = [1, 2, 3, 4, 0, 6, 7, 8, 9, 10] * 3
    times = (Place(Span(2, 4), "month"), Place(Span(20, 25), "year"))
    who = (Place(Span(5, 6), "person"),)
    texts = [
        teaching._Text(rows, times, who, (False, True), None, "", ""),
        teaching._Text(rows[:26], times, who, None, (True,), "", ""),
    ]
    torch.manual_seed(3)
    model = teaching._Model(12, texts).eval()
    found = Network("abcdefghijk", model.parts())
    text = "".join("?abcdefghijk"[row] for row in rows)
    for one, meant in zip(texts, ("times", "people"), strict=True):
        opinion = found.read(text[: len(one.rows)], times, who)
        likely = getattr(opinion, meant)[-1]
        assert float(np.exp(-model.loss([one]).item())) == pytest.approx(likely, rel=1e-4)
    both = sum(model.loss([one]).item() for one in texts) / 2
    assert model.loss(texts).item() == pytest.approx(both, rel=1e-4)


def test_a_text_is_varied_and_its_places_go_with_it() -> None:
    one = teaching._Text([1, 2, 3, 4, 5], (Place(Span(1, 3), "day"),), (), (True,), None, "", "")
    draw = random.Random(1)
    seen = [teaching._varied(one, [[9, 9, 9]], draw) for _ in range(200)]
    for varied in seen:
        span = varied.times[0].span
        assert varied.rows[span.start : span.end] in ([2, 3], [0, 0])
        assert [row for row in varied.rows if row != 9][:1] == [1]
    assert {len(varied.rows) for varied in seen} == {5, 8}
    assert {varied.times[0].span.start for varied in seen} == {1, 4}
    assert one.rows == [1, 2, 3, 4, 5]


def test_nothing_that_is_told_teaches_nothing() -> None:
    one = teaching._Text([1, 2], (Place(Span(0, 1), "day"),), (), None, None, "", "")
    assert teaching._Model(4, [one]).loss([one]).item() == 0


def test_clauses_to_put_beside_a_text_name_no_time_and_nobody() -> None:
    assert list(teaching._spare(LESSONS[1])) == ["路没有修。"]
