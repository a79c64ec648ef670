"""The tokenizer of a pack: Whisper's special tokens over a small byte-level vocabulary."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers

TIME_STEP_SECONDS = 0.02
TIME_TOKENS = 1501
_TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
# Scripts written without spaces, whose characters stay one token each.
_ONE_BY_ONE = re.compile(r"[⺀-鿿豈-﫿　-〿！-～\U00020000-\U0003ffff]")
# faster-whisper suppresses the first token of each of these, which must not be a bare space.
_GUARDED = ("-", "'", "♩")
_WORD = re.compile(r" ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+(?!\S)|\s+")


@dataclass(frozen=True)
class Prompt:
    """Token ids that frame every transcript."""

    start: int
    end: int
    transcribe: int
    before: int  # opens a previous text
    no_speech: int
    no_times: int
    first_time: int
    languages: dict[str, int]  # by Whisper's code


def _byte_letters() -> list[str]:
    """Return the printable stand-in of each byte, in GPT-2's order of bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = {byte: chr(byte) for byte in printable}, 0
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + extra)
            extra += 1
    return [letters[byte] for byte in range(256)]


_LETTERS = _byte_letters()


def _spelled(text: str) -> tuple[str, ...]:
    return tuple(_LETTERS[byte] for byte in text.encode())


class _Merges:
    """Merges in the order that the tokenizer applies them."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.known: set[str] = set(_LETTERS)

    def add(self, left: str, right: str) -> str:
        """Join two tokens, once."""
        joined = left + right
        if joined not in self.known:
            self.known.add(joined)
            self.pairs.append((left, right))
        return joined

    def spell(self, character: str) -> None:
        """Make one token of a character, from its bytes left to right."""
        letters = _spelled(character)
        token = letters[0]
        for letter in letters[1:]:
            token = self.add(token, letter)


def _learn(words: Counter[tuple[str, ...]], count: int, merges: _Merges, least: int) -> None:
    """Add the `count` most frequent joins of neighbours, one after the other."""
    pieces = dict(words)
    for _ in range(count):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, times in pieces.items():
            for pair in pairwise(word):
                pairs[pair] += times
        if not pairs:
            return
        (left, right), times = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if times < least:
            return
        merges.add(left, right)
        changed: dict[tuple[str, ...], int] = {}
        for word, number in pieces.items():
            joined = _join(word, left, right)
            changed[joined] = changed.get(joined, 0) + number
        pieces = changed


def _join(word: tuple[str, ...], left: str, right: str) -> tuple[str, ...]:
    if left not in word:
        return word
    joined: list[str] = []
    index = 0
    while index < len(word):
        if word[index] == left and word[index + 1 : index + 2] == (right,):
            joined.append(left + right)
            index += 2
        else:
            joined.append(word[index])
            index += 1
    return tuple(joined)


def grow(
    texts: Mapping[str, Sequence[str]],
    codes: Sequence[str],
    reserve: Iterable[str] = (),
    joins: int = 120,
) -> tokenizers.Tokenizer:
    """Make a tokenizer from texts by language.

    codes : Whisper's language codes, in the order of their tokens
    reserve : further characters that get a token each
    joins : learnt joins for each language that writes with spaces
    """
    merges = _Merges()
    for character in _GUARDED:
        merges.add(_LETTERS[ord(" ")], _LETTERS[character.encode()[0]])
    characters = Counter(c for lines in texts.values() for line in lines for c in line)
    for character in [*sorted(characters), *reserve]:
        if character != " ":
            merges.spell(character)
    for language in sorted(texts):
        words = _words(texts[language])
        if words:
            _learn(words, joins, merges, least=20)
    return _assemble(merges, codes)


def _words(lines: Sequence[str]) -> Counter[tuple[str, ...]]:
    """Count words as tuples of their characters' tokens; scripts without spaces give none."""
    counted: Counter[tuple[str, ...]] = Counter()
    for word, times in Counter(w for line in lines for w in _WORD.findall(line)).items():
        if not _ONE_BY_ONE.search(word) and any(c.isalpha() for c in word):
            counted[tuple("".join(_spelled(c)) for c in word)] += times
    return counted


def _assemble(merges: _Merges, codes: Sequence[str]) -> tokenizers.Tokenizer:
    vocabulary = {letter: index for index, letter in enumerate(_LETTERS)}
    for left, right in merges.pairs:
        vocabulary[left + right] = len(vocabulary)
    return _built(vocabulary, merges.pairs, codes)


def _built(
    vocabulary: dict[str, int], merges: Sequence[tuple[str, str]], codes: Sequence[str]
) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special_tokens(codes)]
    )
    return tokenizer


def special_tokens(codes: Sequence[str]) -> list[str]:
    """Return Whisper's special tokens in Whisper's order for these language codes."""
    names = ["endoftext", "startoftranscript", *codes, *_TASKS]
    times = [f"{index * TIME_STEP_SECONDS:.2f}" for index in range(TIME_TOKENS)]
    return [f"<|{name}|>" for name in (*names, *times)]


def extended(
    tokenizer: tokenizers.Tokenizer, codes: Sequence[str], texts: Iterable[str] = ()
) -> tokenizers.Tokenizer:
    """Return a tokenizer with further language codes, and a token for each new character of texts.

    What was one token stays one; a script that was only known by its bytes would take three a sign.
    """
    known = prompt(tokenizer).languages
    every = [*sorted(known, key=lambda code: known[code]), *(c for c in codes if c not in known)]
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = dict(model["vocab"])
    merges = _Merges()
    merges.pairs = [tuple(p if isinstance(p, list) else p.split(" ")) for p in model["merges"]]
    merges.known = set(vocabulary)
    before = len(merges.pairs)
    for character in sorted({c for text in texts for c in text} - {" "}):
        merges.spell(character)
    if len(every) == len(known) and len(merges.pairs) == before:
        return tokenizer
    for left, right in merges.pairs[before:]:
        vocabulary[left + right] = len(vocabulary)
    return _built(vocabulary, merges.pairs, every)


def prompt(tokenizer: tokenizers.Tokenizer) -> Prompt:
    """Return the ids of the special tokens of a tokenizer in Whisper's layout."""

    def one(*names: str) -> int:
        for name in names:
            number = tokenizer.token_to_id(f"<|{name}|>")
            if number is not None:
                return int(number)
        raise ValueError(f"the tokenizer has no <|{names[0]}|>")

    first, last = one("startoftranscript") + 1, one("translate")
    codes = {(tokenizer.id_to_token(i) or "")[2:-2]: i for i in range(first, last)}
    no_times = one("notimestamps")
    return Prompt(
        start=one("startoftranscript"),
        end=one("endoftext"),
        transcribe=one("transcribe"),
        before=one("startofprev"),
        no_speech=one("nospeech", "nocaptions"),  # the latter in stock models
        no_times=no_times,
        first_time=no_times + 1,
        languages=codes,
    )


def vocabulary(tokenizer: tokenizers.Tokenizer, size: int) -> list[str]:
    """Return the tokens by id as CTranslate2 wants them, with fillers up to the model's size.

    CTranslate2 calls a model multilingual only where the empty string is a token, so the one
    that nothing uses, <|startoflm|>, is written as that.
    """
    listed = [tokenizer.id_to_token(i) or f"<|unused{i}|>" for i in range(size)]
    return ["" if token == "<|startoflm|>" else token for token in listed]


def common_characters(count: int) -> list[str]:
    """Return Chinese characters that stand in the most words of pypinyin's list, most first."""
    from pypinyin.phrases_dict import phrases_dict

    used = Counter(c for phrase in phrases_dict for c in set(phrase))
    level_one = [c for c in used if _in_gb2312_level_one(c)]
    return sorted(level_one, key=lambda c: (-used[c], c))[:count]


def _in_gb2312_level_one(character: str) -> bool:
    try:
        return 0xB0 <= character.encode("gb2312")[0] <= 0xD7 and not character.isascii()
    except UnicodeEncodeError:
        return False
