from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ranges import Span, Unsatisfiable, parse


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("bytes=0-9", Span(0, 10)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=90-", Span(90, 10)),
        ("bytes=90-999", Span(90, 10)),
        ("bytes=-5", Span(95, 5)),
        ("bytes=-500", Span(0, 100)),
        (" bytes=1 - 2 ", Span(1, 2)),
        ("bytes=99-99", Span(99, 1)),
    ],
)
def test_one_range_is_taken(written: str, span: Span) -> None:
    assert parse(written, 100) == span


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "bytes",
        "bytes=-",
        "bytes=5-4",
        "bytes=0-1,5-6",
        "items=0-1",
        "bytes=a-b",
        "bytes=１-２",
        "bytes=" + "9" * 30 + "-",
    ],
)
def test_what_is_not_one_range_gets_the_whole_file(written: str | None) -> None:
    assert parse(written, 100) is None


@pytest.mark.parametrize("written", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(written: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse(written, 100)


def test_an_empty_file_has_no_range() -> None:
    for written in ("bytes=0-", "bytes=-1"):
        with pytest.raises(Unsatisfiable):
            parse(written, 0)


@given(st.text(max_size=30), st.integers(0, 10_000))
def test_whatever_is_asked_a_span_lies_in_the_file(written: str, size: int) -> None:
    for header in (written, f"bytes={written}"):
        try:
            span = parse(header, size)
        except Unsatisfiable:
            continue
        if span is not None:
            assert 0 <= span.start < size
            assert 0 < span.length <= size - span.start
