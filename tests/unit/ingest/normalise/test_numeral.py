import pytest

from ingest.normalise.numeral import read


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("十二", 12), ("二十", 20), ("一百二", 120), ("一百零二", 102), ("三千八", 3800),
        ("三万二", 32000), ("三万零二", 30002), ("一万二千五百", 12500), ("两百五", 250),
        ("一亿三千万", 130_000_000), ("1.5万", 15000), ("3万2", 32000), ("3,500", 3500),
        ("1万5千", 15000), ("0.5", 0.5),
    ],
)  # fmt: skip
def test_a_numeral_is_read(said: str, value: float) -> None:
    assert read(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("十几", 10), ("三十几", 30), ("一百几十", 100), ("三千多", 3000), ("二十来", 20),
        ("三十多万", 300_000), ("十几万", 100_000), ("百把", 100), ("上百", 100), ("上万", 10000),
        ("两三百", 200), ("七八", 7), ("四五十", 40), ("十七八", 17), ("三到五", 3),
        ("三到五万", 30000),
        ("3-5", 3),
    ],
)  # fmt: skip
def test_an_approximate_numeral_keeps_what_was_said_or_the_lower(said: str, value: float) -> None:
    assert read(said) == value


@pytest.mark.parametrize("said", ["几千", "几十", "半", "一二三四万"])
def test_a_vague_quantity_is_no_number(said: str) -> None:
    assert read(said) is None
