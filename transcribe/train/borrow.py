"""Which of Whisper's language tokens a language is written with: its own, or a borrowed one."""

from collections.abc import Container, Sequence

from models.errors import Invalid

# Codes of Whisper's that a language without one may borrow, least spoken around here first.
_LENDERS = ("haw", "mi", "ln", "sn", "mg", "su", "jw", "oc", "fo", "br", "tk", "ba", "tt", "uz")


def codes(tags: Sequence[str], borrow: dict[str, str], taken: Sequence[str]) -> dict[str, str]:
    """Give each tag a code of Whisper's: its own where it has one, else a borrowed one."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES  # the codes that it accepts

    known = frozenset(_LANGUAGE_CODES)
    found: dict[str, str] = {}
    for tag in tags:
        own = tag.split("-")[0]
        wanted = borrow.get(tag, own if own in known and own != "yi" else "")
        free = (c for c in _LENDERS if c not in taken and c not in found.values())
        found[tag] = wanted or next(free, "")
        if found[tag] not in known:
            raise Invalid(
                f"{found[tag]!r} 不是 Whisper 的语言代码。",
                f"{found[tag]!r} is no language code of Whisper's.",
                code="no_such_code",
            )
    return found


def require_token(code: str, known: Container[str]) -> None:
    """Raise Invalid where a tokenizer has no token for a language code of Whisper's."""
    if code not in known:
        raise Invalid(
            f"这个 Whisper 的词表里没有 {code}：请用 --borrow 借用另一个代码。",
            f"This Whisper's tokenizer has no token for {code}: borrow another one with --borrow.",
            code="no_token",
        )
