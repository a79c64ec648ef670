"""What is made of a recording's windows: segments with their doubts, languages, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.packs import Pack
from models.transcript import (
    UNKNOWN_LANGUAGE,
    Evidence,
    Flag,
    ListenerReason,
    Recognition,
    Segment,
    Word,
)
from transcribe import language, spelling, trust
from transcribe.audio import Audio
from transcribe.language import Odds
from transcribe.sound import Sound, measure
from transcribe.tagger import Tagger
from transcribe.tidy import tidy
from transcribe.turns import Job, Turn
from transcribe.windows import bounds, sentences

# From here on a recording is said to be in another language, not in an uncertain one.
SURELY_UNKNOWN = 0.8
# So sure, by the sound and again by the text, that no language of the pack is spoken that none is
# shown.
CERTAINLY_UNKNOWN = 0.97
# A text must be trusted over this share of the speech.
TRUSTED_SHARE = 0.5
# Speech that is hardly louder than what is between it, clipped, or hardly there.
LEAST_ABOVE_NOISE_DB = 3.0
MOST_CLIPPED = 0.05
FAINTEST_DBFS = -55.0
# A mean log-probability so far under the pack's threshold makes an installed language as likely as
# not, where no tagger has measured it.
KNOWN_SLOPE = 12.0


class Judge:
    """Judge recordings whose windows are done. tags : languages that are known by name"""

    def __init__(
        self,
        pack: Pack,
        witness: Tagger | None,
        tags: Sequence[str],
        device: str,
        compute_type: str,
    ) -> None:
        self.pack = pack
        self._tagger = witness
        self._spelling = spelling.load(pack.folder)
        self._tags = tags
        self._device = device
        self._compute_type = compute_type

    def close(self, job: Job) -> Recognition:
        """Judge what was written and sum up one recording."""
        turns = sorted(job.turns, key=lambda turn: turn.window.start)
        pieces: list[tuple[str, float, float]] = []
        segments: list[Segment] = []
        for turn in turns:
            written, weight = self._written(turn)
            odds = language.doubted(turn.odds, written, self.pack.tags, weight)
            tag, confidence = language.verdict(odds, self.pack.thresholds.language)
            pieces.append((tag, confidence, turn.window.seconds))
            if self._perhaps_ours(turn.odds) or self._perhaps_ours(odds):
                segments += self._segments(turn, tag, confidence)
        by = "tagger" if self._tagger else "whisper"
        sound = measure(Audio(job.request.samples), job.spans)
        return Recognition(
            segments=tuple(segments),
            languages=language.shares(pieces, by),
            evidence=(*job.prior.evidence(), *_evidence(turns)),
            reason=self._reason(job, turns, pieces, segments, sound),
            model=self.pack.label,
            settings=self._settings(turns),
            seconds=sound.seconds,
            speech_seconds=sound.speech_seconds,
        )

    def _perhaps_ours(self, odds: Odds) -> bool:
        """Tell whether a language of the pack may be spoken at all."""
        return sum(odds[tag] for tag in self.pack.tags) > 1 - CERTAINLY_UNKNOWN

    def _written(self, turn: Turn) -> tuple[float, float]:
        """Give the log-odds of a pack's language by how a window was written.

        With them the weight of what was heard beside it.
        """
        if turn.written is None or not turn.written.tokens:
            return 0.0, 1.0
        logprob = turn.written.average_logprob
        if self._tagger is not None:
            spelt = self._spelling.usual(turn.tag, turn.written.text)
            return self._tagger.known(turn.tag, logprob, spelt)
        above = logprob - self.pack.thresholds.average_logprob
        return KNOWN_SLOPE * above, 1.0

    def _segments(self, turn: Turn, tag: str, confidence: float) -> list[Segment]:
        """Make the segments of a window, each with its doubts."""
        written = turn.written
        if written is None or not turn.words:
            return []
        made: list[Segment] = []
        for part in sentences(turn.words):
            words = (part[0].model_copy(update={"text": part[0].text.lstrip()}), *part[1:])
            text = "".join(word.text for word in words)
            start, end = bounds(words, turn.window)
            if not text.strip() or start >= end:
                continue
            share = len(text) / max(1, sum(len(word.text) for word in turn.words))
            scores = trust.Scores(
                average_logprob=_mean_logprob(words),
                no_speech=written.no_speech,
                seconds=max(end - start, share * turn.window.seconds),
                agreement=turn.agreement,
                cut_off=written.cut_off,
            )
            flags, trusted = trust.judge(text, turn.tag, scores, self.pack.thresholds)
            sure = tag == turn.tag and confidence >= self.pack.thresholds.sure
            if not sure:
                flags = (*flags, Flag(name="language", value=round(confidence, 3)))
            made.append(
                Segment(
                    start=start,
                    end=end,
                    text=text,
                    tidy=tidy(text, turn.tag),
                    language=tag,
                    confidence=confidence,
                    words=words,
                    average_logprob=scores.average_logprob,
                    no_speech=written.no_speech,
                    compression_ratio=trust.compression(text),
                    flags=flags,
                    trusted=trusted and sure,
                )
            )
        return made

    def _reason(
        self,
        job: Job,
        turns: Sequence[Turn],
        pieces: Sequence[tuple[str, float, float]],
        segments: Sequence[Segment],
        sound: Sound,
    ) -> ListenerReason | None:
        """Say why a person must listen, or None where the text can be trusted."""
        if not turns or all(_soundless(turn) for turn in turns):
            return ListenerReason.NO_SPEECH
        spoken = sum(seconds for _, _, seconds in pieces)
        known = [(tag, seconds) for tag, _, seconds in pieces if tag != UNKNOWN_LANGUAGE]
        if sum(seconds for _, seconds in known) < TRUSTED_SHARE * spoken:
            return self._unknown(job, turns, sound)
        ours = sum(seconds for tag, seconds in known if tag in self.pack.tags)
        if ours < TRUSTED_SHARE * spoken:
            return ListenerReason.UNSUPPORTED_LANGUAGE
        if _trusted_share(turns, segments) < TRUSTED_SHARE:
            poor = _sounds_poor(sound)
            return ListenerReason.POOR_AUDIO if poor else ListenerReason.UNTRUSTED_TEXT
        return None

    def _unknown(self, job: Job, turns: Sequence[Turn], sound: Sound) -> ListenerReason:
        """Say what is behind a language that is not known."""
        declared = job.request.declared
        if declared == UNKNOWN_LANGUAGE:
            return ListenerReason.ASKED_FOR
        if declared and language.installed(declared, self.pack.tags) == UNKNOWN_LANGUAGE:
            return ListenerReason.UNSUPPORTED_LANGUAGE
        if _sounds_poor(sound):
            return ListenerReason.POOR_AUDIO
        odds = language.pool([(turn.odds, turn.sounding.seconds) for turn in turns], self._tags)
        if odds[UNKNOWN_LANGUAGE] >= SURELY_UNKNOWN:
            return ListenerReason.UNSUPPORTED_LANGUAGE
        return ListenerReason.UNCERTAIN_LANGUAGE

    def _settings(self, turns: Sequence[Turn]) -> dict[str, str | int | float | bool]:
        """Say what a transcript was made with."""
        return {
            "device": self._device,
            "compute_type": self._compute_type,
            "windows": len(turns),
            "decoded_again": sum(turn.agreement is not None for turn in turns),
            "tagger": self._tagger is not None,
            "tokens": sum(turn.written.steps for turn in turns if turn.written),
        }


def _evidence(turns: Sequence[Turn]) -> tuple[Evidence, ...]:
    """Keep what was heard: over the whole recording, and per window where there are several.

    And in which languages a window was written, where it was in more than one.
    """
    if not turns:
        return ()
    whole = language.keep(language.average([turn.sounding for turn in turns]))
    if len(turns) == 1:
        return whole + _tried(turns[0], None, None)
    for turn in turns:
        start, end = turn.window.start, turn.window.end
        whole += (*language.keep(turn.sounding, start, end), *_tried(turn, start, end))
    return whole


def _tried(turn: Turn, start: float | None, end: float | None) -> tuple[Evidence, ...]:
    if not turn.tried:
        return ()
    return (Evidence(by="text", candidates=turn.tried, start=start, end=end),)


def _soundless(turn: Turn) -> bool:
    """Tell whether a window that the speech detector let through holds no speech after all."""
    if turn.sounding.silent >= SURELY_UNKNOWN:
        return True
    return turn.written is not None and not turn.written.text


def _trusted_share(turns: Sequence[Turn], segments: Sequence[Segment]) -> float:
    """Give the share of the speech whose text is trusted, by characters within each window."""
    total = sum(turn.window.seconds for turn in turns)
    trusted = 0.0
    for turn in turns:
        low, high = turn.window.start, turn.window.end
        own = [one for one in segments if low <= one.start < high]
        characters = sum(len(one.text) for one in own)
        if characters:
            kept = sum(len(one.text) for one in own if one.trusted)
            trusted += turn.window.seconds * kept / characters
    return trusted / total if total else 0.0


def _sounds_poor(sound: Sound) -> bool:
    """Tell whether a recording is too noisy, clipped or faint to blame the language."""
    if sound.loudness is None or sound.loudness < FAINTEST_DBFS or sound.clipped > MOST_CLIPPED:
        return True
    return sound.noise is not None and sound.loudness - sound.noise < LEAST_ABOVE_NOISE_DB


def _mean_logprob(words: Sequence[Word]) -> float:
    """Give the mean logarithm of the words' probabilities."""
    return float(np.mean([np.log(max(word.probability, 1e-4)) for word in words]))
