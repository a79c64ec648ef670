"""A title made of the complaint's own words."""

from __future__ import annotations

from ingest.normalise.reading import Span
from ingest.normalise.term import clauses

LONGEST = 60
GOOD = 28
POLITE = (
    "你好",
    "您好",
    "领导好",
    "喂",
    "尊敬的",
    "同志",
    "我要反映",
    "我想反映",
    "我反映",
    "反映一下",
    "我想说",
    "我来反映",
    "各位领导",
)


def make(text: str, evidence: tuple[Span, ...]) -> str:
    """Take the clause that says most of what the matter is, and what follows while there is room.

    text : with everything private hidden; evidence : where the fields were read
    """
    parts = [
        part for part in clauses(text) if text[part.start : part.end].strip(" ，。！？,.!?；;\n")
    ]
    if not parts:
        return text.strip()[:LONGEST]
    weights = [sum(part.overlaps(span) for span in evidence) for part in parts]
    polite = [text[part.start : part.end].startswith(POLITE) for part in parts]
    best = max(range(len(parts)), key=lambda at: (weights[at] - 2 * polite[at], -at))
    first = last = best
    while last + 1 < len(parts) and parts[last].end - parts[first].start < GOOD:
        if (
            parts[last + 1].end - parts[first].start > LONGEST
            or text[parts[last].end - 1] in "。！？!?\n"
        ):
            break
        last += 1
    title = " ".join(text[parts[first].start : parts[last].end].split())
    title = title.strip(" ，。！？,.!?；;、")
    return title if len(title) <= LONGEST else title[: LONGEST - 1] + "…"
