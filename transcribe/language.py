"""Which language is spoken: every witness heard and kept, and `und` where they leave doubt.

What is heard decides. What the caller declared and what the channel makes likely shift the odds by
bounded factors, so a declaration is overruled only by strong evidence and a channel never outvotes
clear sound. A witness that knows only the installed languages cannot tell an unknown one, so its
vote counts only among them; that nobody's language is spoken is for the tagger's background class,
the mass outside the pack, and how well the text could be written. Where two of the pack's languages
are near, a text is written in each: language and text that are likeliest together are taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.transcript import NO_LANGUAGE, UNKNOWN_LANGUAGE, Evidence, Language, Likely
from transcribe.whisper import Heard, Written

# How many times more likely a language becomes by being declared, and at most by its channel.
DECLARED_ODDS = 8.0
CHANNEL_ODDS = 3.0
# How much Whisper's own language head counts beside a tagger: it is certain also when wrong.
HEAD_WEIGHT = 0.3
# No witness is ever surer than this.
LEAST_PROBABILITY = 1e-3
# How far the rest of a recording speaks for one of its windows.
NEIGHBOUR_WEIGHT = 0.5
# What share of the likeliest language's probability another must have to be tried in writing too.
LEAST_RIVAL = 0.01
CANDIDATES_KEPT = 4

Odds = dict[str, float]


@dataclass(frozen=True)
class Prior:
    """What is known before listening. declared : BCP-47, "" or `und`"""

    declared: str = ""
    likely: tuple[Likely, ...] = ()

    def odds(self, tags: Sequence[str]) -> Odds:
        """Give the factor by which each tag, and `und`, is more likely than another."""
        odds = dict.fromkeys((*tags, UNKNOWN_LANGUAGE), 1.0)
        for one in self.likely:
            tag = installed(one.tag, tags)
            odds[tag] = max(odds[tag], 1 + (CHANNEL_ODDS - 1) * one.probability)
        if self.declared:
            odds[installed(self.declared, tags)] *= DECLARED_ODDS
        return odds

    def evidence(self) -> tuple[Evidence, ...]:
        """Give what was declared and what the channel makes likely, to be kept."""
        kept: list[Evidence] = []
        if self.declared:
            certain = Likely(tag=self.declared, probability=1.0)
            kept.append(Evidence(by="declared", candidates=(certain,)))
        if self.likely:
            kept.append(Evidence(by="channel", candidates=self.likely))
        return tuple(kept)


@dataclass(frozen=True)
class Sounding:
    """What was heard in one window.

    head : Whisper's language head; tagger : with `und` for its background, or empty without one
    seconds : of speech
    """

    head: Heard
    tagger: tuple[Likely, ...]
    seconds: float

    @property
    def silent(self) -> float:
        """Give how sure the tagger is that nothing is said."""
        return next((one.probability for one in self.tagger if one.tag == NO_LANGUAGE), 0.0)


def installed(tag: str, tags: Sequence[str]) -> str:
    """Find the installed tag that a tag means, by its first part if need be, or `und`."""
    for known in (tag, tag.split("-")[0]):
        if known in tags:
            return known
    return UNKNOWN_LANGUAGE


def heard(sounding: Sounding, tags: Sequence[str]) -> Odds:
    """Put what one window's witnesses hear into probabilities of each tag and `und`."""
    head = sounding.head.odds
    if not sounding.tagger:
        inside = 1 - sounding.head.outside
        odds = {tag: inside * head.get(tag, 0.0) for tag in tags}
        return _normalised(odds | {UNKNOWN_LANGUAGE: sounding.head.outside})
    tagger = {one.tag: one.probability for one in sounding.tagger}
    odds = {tag: tagger.get(tag, 0.0) for tag in tags}
    # The head knows the pack's languages only, and moves mass among these alone.
    shared = {
        tag: _floored(odds[tag]) * _floored(mass) ** HEAD_WEIGHT
        for tag, mass in head.items()
        if tag in odds
    }
    inside = sum(odds[tag] for tag in shared)
    odds |= {tag: inside * mass / sum(shared.values()) for tag, mass in shared.items()}
    outside = max(0.0, 1 - sum(odds.values()))
    return _normalised(odds | {UNKNOWN_LANGUAGE: outside})


def pool(windows: Sequence[tuple[Odds, float]], tags: Sequence[str]) -> Odds:
    """Average what windows say, in the logarithm, each weighing by its seconds of speech."""
    names = (*tags, UNKNOWN_LANGUAGE)
    total = sum(seconds for _, seconds in windows)
    if not total:
        return dict.fromkeys(names, 1 / len(names))
    return _normalised(
        {
            name: math.exp(
                sum(seconds * math.log(_floored(odds[name])) for odds, seconds in windows) / total
            )
            for name in names
        }
    )


def decide(own: Mapping[str, float], others: Mapping[str, float], prior: Prior) -> Odds:
    """Weigh a window's own sound, the rest of its recording and what was known before."""
    tags = [name for name in own if name != UNKNOWN_LANGUAGE]
    odds = prior.odds(tags)
    return _normalised(
        {
            name: _floored(own[name]) * _floored(others[name]) ** NEIGHBOUR_WEIGHT * odds[name]
            for name in own
        }
    )


def rivals(odds: Mapping[str, float], tags: Sequence[str]) -> tuple[str, ...]:
    """Give the languages in which a text is worth writing, the likeliest first. tags : to choose of

    Those far behind the likeliest are not.
    """
    least = LEAST_RIVAL * max(odds[tag] for tag in tags)
    return tuple(sorted((tag for tag in tags if odds[tag] >= least), key=lambda tag: -odds[tag]))


def told(odds: Mapping[str, float], texts: Mapping[str, Written]) -> Odds:
    """Share the mass of languages in which a text was tried by how likely each text is.

    P(language, text | sound) = P(language | sound) P(text | language, sound), and the decoder gives
    the latter. A language in which nothing could be written has the least likely text.
    """
    said = {tag: text for tag, text in texts.items() if text.tokens}
    if len(texts) < 2 or not said:
        return dict(odds)
    likeliest = max(text.logprob for text in said.values())
    masses = {tag: odds[tag] * LEAST_PROBABILITY for tag in texts} | {
        tag: odds[tag] * _floored(math.exp(text.logprob - likeliest)) for tag, text in said.items()
    }
    inside = sum(odds[tag] for tag in texts)
    return {**odds, **{tag: inside * mass / sum(masses.values()) for tag, mass in masses.items()}}


def doubted(
    odds: Mapping[str, float], written: float, tags: Sequence[str], weight: float = 1.0
) -> Odds:
    """Move mass away from the pack's languages where the text could not be written well.

    written : log-odds, by how well the text was written, that the language is the pack's
    weight : of the log-odds that were heard, which speak again of the same sound
    """
    inside = sum(mass for name, mass in odds.items() if name in tags)
    inside = min(max(inside, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    known = 1 / (1 + math.exp(-written - weight * math.log(inside / (1 - inside))))
    known = min(max(known, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    ours, others = known / inside, (1 - known) / (1 - inside)
    return _normalised(
        {name: mass * (ours if name in tags else others) for name, mass in odds.items()}
    )


def best(odds: Mapping[str, float], tags: Sequence[str] = ()) -> str:
    """Give the most likely language, of some or of all, be it ever so unlikely."""
    names = tags or [name for name in odds if name != UNKNOWN_LANGUAGE]
    return max(names, key=lambda name: odds[name])


def likely(odds: Mapping[str, float]) -> tuple[Likely, ...]:
    """Give languages with their probabilities, the best first."""
    ordered = sorted(odds.items(), key=lambda item: -item[1])
    return tuple(Likely(tag=tag, probability=min(1.0, mass)) for tag, mass in ordered)


def verdict(odds: Mapping[str, float], threshold: float) -> tuple[str, float]:
    """Give the tag and its confidence, `und` where none reaches the threshold."""
    tag = best(odds)
    if odds[tag] >= threshold:
        return tag, min(1.0, odds[tag])
    return UNKNOWN_LANGUAGE, min(1.0, odds[tag])


def shares(pieces: Sequence[tuple[str, float, float]], by: str) -> tuple[Language, ...]:
    """Sum up languages over (tag, confidence, seconds) of pieces, the largest share first."""
    total = sum(seconds for _, _, seconds in pieces)
    if not total:
        return ()
    languages = []
    for tag in dict.fromkeys(tag for tag, _, _ in pieces):
        own = [(confidence, seconds) for name, confidence, seconds in pieces if name == tag]
        spoken = sum(seconds for _, seconds in own)
        mean = sum(confidence * seconds for confidence, seconds in own) / spoken
        share = min(1.0, spoken / total)
        languages.append(Language(tag=tag, confidence=min(1.0, mean), by=by, share=share))
    return tuple(sorted(languages, key=lambda language: -language.share))


def average(soundings: Sequence[Sounding]) -> Sounding:
    """Average what several windows' witnesses say, each weighing by its seconds of speech."""
    total = sum(one.seconds for one in soundings)

    def mean(lists: Sequence[Sequence[Likely]]) -> tuple[Likely, ...]:
        summed: Odds = {}
        for sounding, heard in zip(soundings, lists, strict=True):
            for one in heard:
                weight = one.probability * sounding.seconds / total
                summed[one.tag] = summed.get(one.tag, 0.0) + weight
        return likely(summed)

    outside = sum(one.head.outside * one.seconds for one in soundings) / total
    head = Heard(mean([one.head.candidates for one in soundings]), min(1.0, outside))
    return Sounding(head, mean([one.tagger for one in soundings]), total)


def keep(
    sounding: Sounding, start: float | None = None, end: float | None = None
) -> tuple[Evidence, ...]:
    """Turn what was heard into evidence to be kept."""
    kept = [
        Evidence(
            by="whisper",
            candidates=sounding.head.candidates[:CANDIDATES_KEPT],
            outside=sounding.head.outside,
            start=start,
            end=end,
        )
    ]
    if sounding.tagger:
        inside = [one for one in sounding.tagger if one.tag != UNKNOWN_LANGUAGE]
        outside = 1 - sum(one.probability for one in inside)
        kept.append(
            Evidence(
                by="tagger",
                candidates=tuple(inside[:CANDIDATES_KEPT]),
                outside=min(1.0, max(0.0, outside)),
                start=start,
                end=end,
            )
        )
    return tuple(kept)


def _floored(probability: float) -> float:
    return max(probability, LEAST_PROBABILITY)


def _normalised(masses: Mapping[str, float]) -> Odds:
    total = sum(masses.values())
    return {name: mass / total for name, mass in masses.items()}
