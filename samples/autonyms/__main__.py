"""Draw the names of languages whose script a cheap phone may have no font for, as SVG outlines.

Run once by hand, `python -m samples.autonyms FONT_FOLDER > api/citizen/templates/autonyms.svg`,
with the fonts of Debian's fonts-noto-core and with uharfbuzz installed: letters of these scripts
join and stack, so shaping comes before drawing. What is committed are the outlines (see LICENSE
beside this file).
"""

from __future__ import annotations

import sys
from pathlib import Path

import uharfbuzz
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

# tag: (the name in its own script, font file)
NAMES = {
    "ug": ("ئۇيغۇرچە", "NotoNaskhArabic-Bold.ttf"),
    "kk-Arab": ("قازاقشا", "NotoNaskhArabic-Bold.ttf"),
    "bo": ("བོད་སྐད།", "NotoSerifTibetan-Bold.ttf"),
    "ii": ("ꆈꌠꉙ", "NotoSansYi-Regular.ttf"),
}
HEIGHT = 160


def outline(tag: str, text: str, path: Path) -> str:
    """Shape a text and write it as one `<symbol>`, `HEIGHT` units high."""
    font = TTFont(path)
    glyphs = font.getGlyphSet()
    order = font.getGlyphOrder()
    shaper = uharfbuzz.Font(uharfbuzz.Face(path.read_bytes()))
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(shaper, buffer)
    top, bottom = _extent(shaper, buffer)
    scale = HEIGHT / (top - bottom)
    pen = SVGPathPen(glyphs, ntos=lambda value: str(round(value)))
    x = 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        at = ((x + position.x_offset) * scale, (top - position.y_offset) * scale)
        glyphs[order[info.codepoint]].draw(TransformPen(pen, (scale, 0, 0, -scale, *at)))
        x += position.x_advance
    width = round(x * scale)
    return (
        f'<symbol id="autonym-{tag}" viewBox="0 0 {width} {HEIGHT}">'
        f'<path d="{pen.getCommands()}"/></symbol>'
    )


def _extent(font: uharfbuzz.Font, buffer: uharfbuzz.Buffer) -> tuple[float, float]:
    tops, bottoms = [], []
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        extents = font.get_glyph_extents(info.codepoint)
        tops.append(extents.y_bearing + position.y_offset)
        bottoms.append(extents.y_bearing + extents.height + position.y_offset)
    margin = 0.04 * (max(tops) - min(bottoms))
    return max(tops) + margin, min(bottoms) - margin


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print("\n".join(outline(tag, text, folder / file) for tag, (text, file) in NAMES.items()))
