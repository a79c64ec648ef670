"""Keeping the times of words through an edit.

Old and new text are compared character by character without their spaces. A word all of whose
characters are still there, side by side, keeps its time and its probability; what is new shares the
time of what it replaced, or the gap that it was put into, by its number of characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from models.transcript import Word, join_text


@dataclass(frozen=True)
class _Piece:
    """A stretch of the new text: a word that was kept, or characters that a person wrote."""

    line: int
    text: str
    kept: int | None


def align(
    old: Sequence[Word],
    shown: Sequence[Word],
    lines: Sequence[str],
    start: float,
    end: float,
) -> list[tuple[Word, ...]]:
    """Give each line of the new text its words, those that were not touched with their times.

    old : words as they are; shown : the same words as the writer saw them, some of them hidden
    start, end : seconds that the lines lie between
    """
    pieces = _pieces([word.text for word in shown], lines)
    timed = _times(old, pieces, start, end)
    made: list[list[Word]] = [[] for _ in lines]
    for piece, (begin, finish) in zip(pieces, timed, strict=True):
        if piece.kept is None:
            word = Word(start=begin, end=finish, text=piece.text, probability=1.0)
        else:
            source = old[piece.kept]
            spaced = " " if piece.text[:1].isspace() else ""
            word = source.model_copy(update={"text": spaced + source.text.strip()})
        made[piece.line].append(word)
    return [tuple(words) for words in made]


def text_of(words: Sequence[Word]) -> str:
    """Join words into the text that they are."""
    return "".join(word.text for word in words).strip()


def _pieces(shown: Sequence[str], lines: Sequence[str]) -> list[_Piece]:
    """Cut the new lines into words that were kept and pieces that are new."""
    old_characters = [(c, n) for n, word in enumerate(shown) for c in word if not c.isspace()]
    new_characters = [
        (c, line, place)
        for line, text in enumerate(lines)
        for place, c in enumerate(text)
        if not c.isspace()
    ]
    kept = _kept(shown, old_characters, new_characters, lines)
    pieces: list[_Piece] = []
    at = 0
    while at < len(new_characters):
        _, line, place = new_characters[at]
        number = kept.get(at)
        if number is not None:
            length = sum(not c.isspace() for c in shown[number])
            last = new_characters[at + length - 1][2]
            pieces.append(_Piece(line, _with_space(lines[line], place, last + 1), number))
            at += length
            continue
        after = at + 1
        while (
            after < len(new_characters)
            and after not in kept
            and _joins(new_characters[after - 1], new_characters[after], lines)
        ):
            after += 1
        last = new_characters[after - 1][2]
        pieces.append(_Piece(line, _with_space(lines[line], place, last + 1), None))
        at = after
    return pieces


def _kept(
    shown: Sequence[str],
    old: Sequence[tuple[str, int]],
    new: Sequence[tuple[str, int, int]],
    lines: Sequence[str],
) -> dict[int, int]:
    """Find the words that are still whole: from their first new character to their number."""
    matcher = SequenceMatcher(None, [c for c, _ in old], [c for c, _, _ in new], autojunk=False)
    to: dict[int, int] = {}
    for block in matcher.get_matching_blocks():
        to.update({block.a + n: block.b + n for n in range(block.size)})
    found: dict[int, int] = {}
    at = 0
    for number, word in enumerate(shown):
        length = sum(not c.isspace() for c in word)
        places = [to.get(at + n) for n in range(length)]
        at += length
        first = places[0] if places else None
        if first is None or places != list(range(first, first + length)):
            continue
        _, line, begin = new[first]
        _, last_line, finish = new[first + length - 1]
        if line == last_line and lines[line][begin : finish + 1] == word.strip():
            found[first] = number
    return found


def _joins(before: tuple[str, int, int], after: tuple[str, int, int], lines: Sequence[str]) -> bool:
    """Tell whether two neighbouring characters are of one word."""
    if before[1] != after[1] or after[2] != before[2] + 1:
        return False
    # `join_text` puts a space between characters of scripts that have one, and only there.
    return join_text((before[0], after[0])) != before[0] + after[0]


def _with_space(text: str, start: int, end: int) -> str:
    return (" " if start > 0 and text[start - 1].isspace() else "") + text[start:end]


def _times(
    old: Sequence[Word], pieces: Sequence[_Piece], start: float, end: float
) -> list[tuple[float, float]]:
    """Give every piece its seconds."""
    times: list[tuple[float, float]] = []
    at = 0
    while at < len(pieces):
        number = pieces[at].kept
        if number is not None:
            times.append((old[number].start, old[number].end))
            at += 1
            continue
        after = at
        while after < len(pieces) and pieces[after].kept is None:
            after += 1
        before = pieces[at - 1].kept if at else None
        following = pieces[after].kept if after < len(pieces) else None
        low, high = _gap(old, before, following, start, end)
        times += _shared([len(piece.text.strip()) for piece in pieces[at:after]], low, high)
        at = after
    return times


def _gap(
    old: Sequence[Word], before: int | None, following: int | None, start: float, end: float
) -> tuple[float, float]:
    """Give the seconds of what was replaced between two kept words, else those between them."""
    first = 0 if before is None else before + 1
    last = len(old) if following is None else following
    replaced = old[first:last]
    if replaced:
        return replaced[0].start, max(replaced[-1].end, replaced[0].start)
    low = start if before is None else old[before].end
    high = end if following is None else old[following].start
    return low, max(low, high)


def _shared(lengths: Sequence[int], low: float, high: float) -> list[tuple[float, float]]:
    whole = sum(lengths) or 1
    shares: list[tuple[float, float]] = []
    done = 0
    for length in lengths:
        begin = low + (high - low) * done / whole
        done += length
        shares.append((round(begin, 3), round(low + (high - low) * done / whole, 3)))
    return shares
