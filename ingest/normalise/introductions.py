"""Names that people say as their own in other languages than Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from ingest.normalise.lexicon import any_of, introductions
from ingest.normalise.reading import Span

# A second word is of the name if it begins with a capital, or, in scripts without, ends the clause.
_SECOND = r"[A-ZА-ЯЁӘҒҚҢӨҰҮҺІ][^\W\d_]*|[\u0600-\u06ff]+(?=\s*(?:[،,.؛;!؟?]|$))"
_NAME = rf"(?P<name>[^\W\d_]+(?:\s+(?:{_SECOND}))?)"


def find(text: str) -> Iterator[Span]:
    """Find the names behind what leads to one."""
    for pattern in _patterns():
        for match in pattern.finditer(text):
            yield Span(*match.span("name"))


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    languages = introductions().language
    leads = any_of(lead for language in languages for lead in language.lead)
    whole = (pattern for language in languages for pattern in language.around)
    led = rf"(?<!\w)(?i:{leads})[\s:،,]+{_NAME}"
    return (re.compile(led), *map(re.compile, whole))
