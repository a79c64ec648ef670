"""Photographs of an invented letter. tests/data/letter.png is set in Noto Serif CJK (OFL 1.1)."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.matter import Line
from ingest.photographs import in_reading_order, read_page, stand_upright
from models.errors import Unplayable
from tests.files import picture

LETTER = Path(__file__).parents[2] / "data" / "letter.png"
LINES = (
    "尊敬的巡察组：",
    "我是杏树岭镇石桥村的村民。",
    "二〇二五年三月，村里收了每户三百元修路款，",
    "可是路到现在也没有修。",
    "听说钱被挪用了。",
    "请你们来查一查。",
    "2026年5月8日",
)
MOST = 60_000_000


def letter() -> Image.Image:
    return Image.open(LETTER).convert("RGB")


def distance(one: str, other: str) -> int:
    previous = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (a != b)))
        previous = row
    return previous[-1]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_letter_is_read_in_order_whichever_way_it_lies(turn: int) -> None:
    page, image = read_page(letter().rotate(turn, expand=True))
    assert distance(page.text, "\n".join(LINES)) <= 3
    assert page.trusted
    assert image.size == letter().size
    assert np.abs(np.asarray(image, int) - np.asarray(letter(), int)).mean() < 1


def test_boxes_are_shares_of_the_page_and_lie_where_the_line_is() -> None:
    page, _ = read_page(letter())
    for place, line in enumerate(page.lines):
        left, top, right, bottom = line.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert top <= (40 + place * 80 + 20) / 700 <= bottom
        assert 0 < line.score <= 1


def test_a_tilted_noisy_letter_is_read() -> None:
    tilted = np.asarray(letter().rotate(4, expand=True, fillcolor=(244, 240, 230)), float)
    noisy = tilted + np.random.default_rng(1).normal(0, 14, tilted.shape)
    page, _ = read_page(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))
    assert distance(page.text, "\n".join(LINES)) <= 6


def test_a_blank_picture_has_no_lines_and_is_not_trusted() -> None:
    page, _ = read_page(Image.new("RGB", (400, 300), "white"))
    assert page.lines == ()
    assert page.text == ""
    assert not page.trusted


def test_smeared_writing_is_not_trusted() -> None:
    small = letter().resize((250, 175)).resize((1000, 700))
    pixels = np.asarray(small, float)
    noisy = pixels + np.random.default_rng(1).normal(0, 70, pixels.shape)
    page, _ = read_page(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))
    assert not page.trusted


def test_lines_are_ordered_by_rows_and_then_from_the_left() -> None:
    boxes = {
        "four": (0.5, 0.31, 0.9, 0.39),
        "one": (0.1, 0.1, 0.4, 0.18),
        "three": (0.1, 0.3, 0.4, 0.38),
        "two": (0.5, 0.12, 0.9, 0.2),
    }
    lines = [Line(text=text, box=box, score=1) for text, box in boxes.items()]
    assert [line.text for line in in_reading_order(lines)] == ["one", "two", "three", "four"]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "HEIC"])
def test_the_copy_is_upright_and_says_nothing_of_phone_or_place(kind: str) -> None:
    shown = Image.new("RGB", (80, 40), "white")
    shown.paste((0, 0, 200), (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    exif[0x010F] = "PhoneMaker"
    exif[0x0110] = "Model X"
    exif.get_ifd(0x8825).update({1: "N", 2: (27.0, 53.0, 40.0), 3: "E", 4: (102.0, 15.0, 0.0)})
    original = picture(kind, shown, exif=exif.tobytes())
    assert b"PhoneMaker" in original
    upright = stand_upright(io.BytesIO(original), most_pixels=MOST)
    copy = upright.jpeg()
    assert b"PhoneMaker" not in copy and b"Exif" not in copy
    read = Image.open(io.BytesIO(copy))
    assert read.size == (40, 80)
    assert not read.getexif()
    red, _, blue = read.convert("RGB").getpixel((20, 10))
    assert blue > 150 and red < 100


def test_metadata_of_any_name_is_left_behind() -> None:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", "a marked name")
    notes.add_itxt("XML:com.adobe.xmp", "<x>a marked place</x>")
    original = picture("PNG", None, pnginfo=notes)
    copy = stand_upright(io.BytesIO(original), most_pixels=MOST).jpeg()
    assert b"marked" in original and b"marked" not in copy


def test_transparency_becomes_white_paper() -> None:
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    upright = stand_upright(io.BytesIO(picture("PNG", clear)), most_pixels=MOST)
    assert upright.image.getpixel((5, 5)) == (255, 255, 255)


def test_a_truncated_photograph_keeps_what_came() -> None:
    whole = picture("JPEG", letter())
    upright = stand_upright(io.BytesIO(whole[: len(whole) // 2]), most_pixels=MOST)
    assert upright.truncated
    assert upright.image.size == (1000, 700)
    assert not stand_upright(io.BytesIO(whole), most_pixels=MOST).truncated


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(50), b"RIFF\0\0\0\0WEBPVP8 " + bytes(40)],
)
def test_what_cannot_be_opened_is_unplayable(content: bytes) -> None:
    with pytest.raises(Unplayable):
        stand_upright(io.BytesIO(content), most_pixels=MOST)


def test_a_picture_that_would_fill_memory_is_refused_before_it_is_decoded() -> None:
    bomb = picture("PNG", Image.new("1", (9_000, 9_000)))
    assert len(bomb) < 100_000
    with pytest.raises(Unplayable):
        stand_upright(io.BytesIO(bomb), most_pixels=MOST)
