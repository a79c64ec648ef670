"""Photographs: an upright copy without a trace of phone or place, and the lines written on it."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile, ImageOps
from pillow_heif import register_heif_opener

from ingest.matter import Line
from models.errors import Unplayable
from models.transcript import Frozen

register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
COPY_MIME = "image/jpeg"
COPY_QUALITY = 88
COPY_SIDE = 4_000
# RapidOCR's own default; longer sides are scaled down before it looks.
READ_SIDE = 2_000
TRUSTED_PAGE = 0.85
# Columns of upright characters are tall as well, and reading them sideways makes them worse.
SIDEWAYS_GAIN = 0.9
TALL = 1.5
# So many of the longest lines are asked which way up they are.
ASKED = 7
# Boxes overlap by this share of the lower one's height where they stand in one row.
ROW_OVERLAP = 0.5


class Page(Frozen):
    """What is written on a photograph, in reading order.

    confidence : mean over the characters that were read; trusted : False if a person must look
    """

    lines: tuple[Line, ...]
    confidence: float
    trusted: bool
    model: str = "rapidocr PP-OCR"

    @property
    def text(self) -> str:
        """Join the lines."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Upright:
    """A photograph the right way up. truncated : the file ended early, what was there is shown"""

    image: Image.Image
    truncated: bool

    def jpeg(self) -> bytes:
        """Write the copy that staff see: pixels only, no metadata of any kind."""
        shown = self.image.copy()
        shown.thumbnail((COPY_SIDE, COPY_SIDE), Image.Resampling.LANCZOS)
        held = io.BytesIO()
        shown.save(held, "JPEG", quality=COPY_QUALITY, optimize=True)
        return held.getvalue()


def stand_upright(file: BinaryIO, *, most_pixels: int) -> Upright:
    """Open a JPEG, PNG, WebP or HEIC and turn it as its camera says; raise Unplayable if it fails.

    most_pixels : a larger picture is refused before it is decoded
    """
    try:
        with warnings.catch_warnings():
            # Our own limit is the one that counts, and broken metadata is thrown away anyway.
            warnings.simplefilter("ignore")
            image, truncated = _load(file, most_pixels)
            return Upright(_flat(ImageOps.exif_transpose(image)), truncated)
    except Unplayable:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
        raise _unreadable() from None


def read_page(image: Image.Image) -> tuple[Page, Image.Image]:
    """Read the lines of a photograph; give them with the picture turned the way they are written.

    The recogniser reads a line whichever way it lies, so a page that was photographed from the
    side or from above comes out as good lines in a wrong order, and only their boxes tell.
    """
    page = _read(image)
    if _sideways(image, page):
        turned = image.rotate(90, expand=True)
        again = _read(turned)
        if _weight(again) >= SIDEWAYS_GAIN * _weight(page):
            image, page = turned, again
    if _upside_down(image, page):
        image, page = image.rotate(180, expand=True), _turned(page)
    return page, image


def _load(file: BinaryIO, most_pixels: int) -> tuple[Image.Image, bool]:
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > most_pixels:
        raise _unreadable()
    try:
        image.load()
    except OSError:
        # The end is missing: whatever was decoded until there is kept.
        file.seek(0)
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image = Image.open(file, formats=FORMATS)
            image.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        return image, True
    return image, False


def _flat(image: Image.Image) -> Image.Image:
    """Put a picture on white paper, without transparency, palette or metadata."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(layer, mask=layer.getchannel("A"))
        return paper
    plain = image.convert("RGB")
    plain.info.clear()
    return plain


def load() -> None:
    """Load the recogniser, which otherwise happens when it is first asked."""
    _reader()


@lru_cache(maxsize=1)
def _reader() -> Any:
    # It writes what it reads to its own log, and takes a second or two to import.
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").disabled = True
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": READ_SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _read(image: Image.Image) -> Page:
    pixels = np.asarray(image)[:, :, ::-1].copy()
    # It remembers what it was last asked to do, so all of it is said each time.
    found = _reader()(pixels, use_det=True, use_cls=True, use_rec=True)
    if found.txts is None:
        return Page(lines=(), confidence=0.0, trusted=False)
    width, height = image.size
    lines = [
        Line(text=text.strip(), box=_box(corners, width, height), score=round(float(score), 4))
        for text, corners, score in zip(found.txts, found.boxes, found.scores, strict=True)
        if text.strip()
    ]
    characters = sum(len(line.text) for line in lines)
    confidence = (
        sum(line.score * len(line.text) for line in lines) / characters if characters else 0.0
    )
    return Page(
        lines=in_reading_order(lines), confidence=confidence, trusted=confidence >= TRUSTED_PAGE
    )


def _box(corners: Any, width: int, height: int) -> tuple[float, float, float, float]:
    """Give the upright rectangle around four corners as shares of the page."""
    xs, ys = corners[:, 0] / width, corners[:, 1] / height
    sides = (xs.min(), ys.min(), xs.max(), ys.max())
    left, top, right, bottom = (round(min(1.0, max(0.0, float(side))), 5) for side in sides)
    return left, top, right, bottom


def in_reading_order(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Order lines by rows from the top, and in a row from the left."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.box[1] + line.box[3]) / 2):
        if rows and _same_row(rows[-1][-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=lambda line: line.box[0]))


def _same_row(one: Line, other: Line) -> bool:
    overlap = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    lower = min(one.box[3] - one.box[1], other.box[3] - other.box[1])
    return overlap > ROW_OVERLAP * lower


def _weight(page: Page) -> float:
    """Weigh a reading by how much it read and how surely."""
    return sum(line.score * len(line.text) for line in page.lines)


def _sideways(image: Image.Image, page: Page) -> bool:
    """Tell whether most of the writing stands in boxes that are taller than wide."""
    shapes = [
        (len(line.text), _height(line) * image.height > TALL * _width(line) * image.width)
        for line in page.lines
        if len(line.text) > 1
    ]
    return 2 * sum(length for length, tall in shapes if tall) > sum(length for length, _ in shapes)


def _upside_down(image: Image.Image, page: Page) -> bool:
    """Ask the recogniser's own classifier of half turns about the longest lines."""
    longest = sorted(page.lines, key=lambda line: -len(line.text))[:ASKED]
    votes = 0
    for line in longest:
        left, top, right, bottom = line.box
        sides = (left * image.width, top * image.height, right * image.width, bottom * image.height)
        crop = np.asarray(image.crop(tuple(round(side) for side in sides)))[:, :, ::-1].copy()  # type: ignore[arg-type]
        asked = _reader()(crop, use_det=False, use_cls=True, use_rec=False)
        votes += sum(label == "180" for label, _ in asked.cls_res or ())
    return 2 * votes > len(longest)


def _turned(page: Page) -> Page:
    """Turn every box by half a turn with its page."""
    lines = [
        line.model_copy(
            update={"box": tuple(round(1 - side, 5) for side in (*line.box[2:], *line.box[:2]))}
        )
        for line in page.lines
    ]
    return page.model_copy(update={"lines": in_reading_order(lines)})


def _width(line: Line) -> float:
    return line.box[2] - line.box[0]


def _height(line: Line) -> float:
    return line.box[3] - line.box[1]


def _unreadable() -> Unplayable:
    return Unplayable(
        "照片打不开，请重新拍照发送。",
        "The photograph cannot be opened: take it again and send it.",
        code="unreadable_image",
    )
