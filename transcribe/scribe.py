"""The writing half of the engine: greedily first, again with care where that was poor, then timed.

What is decoded again is heard in a full window: neighbours that are both in doubt share one, which
gives the decoder more of what was said around them, and costs one encoding and not one each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.transcript import Word, join_text
from transcribe import language, trust
from transcribe.ear import Ear
from transcribe.turns import Job, Options, Tell, Turn, grouped, parts
from transcribe.whisper import (
    FRAMES_A_SECOND,
    LONGEST_WINDOW_SECONDS,
    MOST_TOKENS,
    Whisper,
    Written,
)
from transcribe.windows import FULL_SECONDS, Window, restore

FULL_FRAMES = round(LONGEST_WINDOW_SECONDS * FRAMES_A_SECOND)
CAREFUL_BEAMS = 5
CAREFUL_TEMPERATURES = (0.0, 0.2, 0.4, 0.6)
# How many tokens are written about so much sound before it must be a loop.
TOKENS_AT_LEAST = 24
TOKENS_A_SECOND = 20.0
# So sure of a language that the pack cannot write, or of none, that no text is written. That it is
# none of those known by name is less certain than that before a text was tried: see verdict.py.
CERTAINLY_ANOTHER = 0.97
# Shorter windows are not parted any more when their text does not fit.
SHORTEST_PARTED_SECONDS = 2.0


@dataclass(frozen=True)
class _Try:
    """A text to be written. place : of the window among those that are written together"""

    place: int
    turn: Turn
    tag: str


class Scribe:
    """Write and time the texts of windows. batch : windows of one length written together"""

    def __init__(self, whisper: Whisper, ear: Ear, batch: int, options: Options) -> None:
        self._whisper = whisper
        self._ear = ear
        self._batch = batch
        self._options = options
        self._forced = options.forced_tokens_a_second

    def write(self, jobs: Sequence[Job], turns: Sequence[Turn], tell: Tell) -> list[Turn]:
        """Write all texts that are worth it and time their words.

        Give the windows that came of it: some are parted on the way, some joined.
        """
        self._greedily([turn for turn in turns if self._worth_writing(turn)], tell)
        done = self._again(jobs, self._shorten(jobs, turns, tell), tell)
        self._align([turn for turn in done if turn.written and turn.written.tokens], tell)
        return done

    def _worth_writing(self, turn: Turn) -> bool:
        """Tell whether a language that the pack can write may be spoken at all."""
        ours = self._whisper.pack.tags
        others = sum(turn.odds[tag] for tag in self._ear.tags if tag not in ours)
        another = max(others, turn.sounding.silent)
        return self._forced is not None or another < CERTAINLY_ANOTHER

    def _ours(self, turn: Turn) -> float:
        """Give how likely a language of the pack is spoken."""
        return sum(turn.odds[tag] for tag in self._whisper.pack.tags)

    def _greedily(self, turns: Sequence[Turn], tell: Tell) -> None:
        """Write texts with as few beams as the pack allows, windows of one length together.

        Where languages of the pack are near one another, in each of them; the likeliest is kept.
        """
        texts: list[dict[str, Written]] = [{} for _ in turns]
        tries = [
            _Try(place, turn, tag)
            for place, turn in enumerate(turns)
            for tag in self._worth_trying(turn)
        ]
        for part in self._batches(tries):
            tell(_seconds([one.turn for one in part]))
            written = self._whisper.write(
                [one.turn.encoded for one in part],
                [one.tag for one in part],
                beams=self._whisper.pack.thresholds.beams,
                most_tokens=max(self._most_tokens(one.turn) for one in part),
                forced=self._forced is not None,
            )
            for one, text in zip(part, written, strict=True):
                texts[one.place][one.tag] = text
        for turn, own in zip(turns, texts, strict=True):
            _choose(turn, own)

    def _worth_trying(self, turn: Turn) -> tuple[str, ...]:
        """Give the languages in which a window's text is to be written."""
        if self._forced is not None:
            return (turn.tag,)
        return language.rivals(turn.odds, self._whisper.pack.tags)

    def _most_tokens(self, turn: Turn) -> int:
        """Give where writing about a window stops, or at least ends if forced."""
        if self._forced is not None:
            return max(1, min(MOST_TOKENS, round(self._forced * turn.window.seconds)))
        # By the window and not the sound, so that neighbours in a batch never change it.
        seconds = turn.frames / FRAMES_A_SECOND
        return min(MOST_TOKENS, TOKENS_AT_LEAST + round(TOKENS_A_SECOND * seconds))

    def _batches(self, tries: Sequence[_Try]) -> Iterable[Sequence[_Try]]:
        """Group by window; where tokens are forced, those of a batch write its most."""
        for _, same in grouped(tries, lambda one: one.turn.frames):
            ordered = sorted(same, key=lambda one: self._most_tokens(one.turn))
            yield from parts(ordered, self._batch)

    def _shorten(self, jobs: Sequence[Job], turns: Sequence[Turn], tell: Tell) -> list[Turn]:
        """Part windows whose text did not fit into what the decoder can write."""
        if self._forced is not None:
            return list(turns)
        done: list[Turn] = []
        for turn in turns:
            written, window = turn.written, turn.window
            looping = written and trust.repetition(written.text) >= trust.REPEATED_SHARE
            long = window.seconds > SHORTEST_PARTED_SECONDS
            if written and written.cut_off and long and not looping:
                halves = self._ear.listen(jobs, window.halves(), tell)
                for half in halves:
                    half.odds, half.tag = turn.odds, turn.tag
                self._greedily(halves, tell)
                done += halves
            else:
                done.append(turn)
        return done

    def _doubtful(self, jobs: Sequence[Job], turn: Turn) -> bool:
        """Tell whether a window is decoded again with care."""
        if turn.written is None or self._options.again == "never":
            return False
        if self._options.again == "marked":
            return jobs[turn.window.owner].request.again
        # Care does not help where the language is likely to be none of ours.
        thresholds = self._whisper.pack.thresholds
        ours = self._ours(turn) > 1 / 2
        return ours and trust.poor(turn.written, turn.window.seconds, thresholds)

    def _again(self, jobs: Sequence[Job], turns: Sequence[Turn], tell: Tell) -> list[Turn]:
        """Decode doubtful windows with full ones; give all, joined where that was better."""
        runs = self._runs(jobs, turns)
        doubtful = [place for place, run in enumerate(runs) if self._doubtful(jobs, run[0])]
        for part in parts(doubtful, self._batch):
            joined = [self._joined(jobs, runs[place]) for place in part]
            tell(LONGEST_WINDOW_SECONDS * len(part))
            full = self._whisper.encode([turn.mel for turn in joined], FULL_FRAMES)
            for turn, states in zip(joined, full, strict=True):
                turn.encoded, turn.frames = states, FULL_FRAMES
            for place, turn, texts in zip(part, joined, self._carefully(joined, tell), strict=True):
                runs[place] = _better(runs[place], turn, texts)
        return [turn for run in runs for turn in run]

    def _runs(self, jobs: Sequence[Job], turns: Sequence[Turn]) -> list[list[Turn]]:
        """Put doubtful neighbours in one language together, as many as fit into a full window."""
        runs: list[list[Turn]] = []
        for turn in turns:
            last = runs[-1] if runs else []
            if (
                last
                and self._doubtful(jobs, turn)
                and self._doubtful(jobs, last[-1])
                and (last[-1].window.owner, last[-1].tag) == (turn.window.owner, turn.tag)
                and _seconds([*last, turn]) <= FULL_SECONDS
            ):
                last.append(turn)
            else:
                runs.append([turn])
        return runs

    def _joined(self, jobs: Sequence[Job], run: Sequence[Turn]) -> Turn:
        """Make one window of several, not yet encoded."""
        first = run[0]
        window = Window(
            first.window.owner, tuple(span for turn in run for span in turn.window.spans)
        )
        mel = first.mel
        if len(run) > 1:
            mel = self._whisper.features(window.samples(jobs[window.owner].request.samples))
        odds = language.pool([(turn.odds, turn.window.seconds) for turn in run], self._ear.tags)
        sounding = language.average([turn.sounding for turn in run])
        return Turn(window, first.frames, mel, first.encoded, sounding, odds, first.tag)

    def _carefully(self, turns: Sequence[Turn], tell: Tell) -> list[list[Written]]:
        """Write with beams, and then with temperatures while the scores are poor: texts a turn."""
        forced = self._forced is not None
        texts: list[list[Written]] = [[] for _ in turns]
        left = list(range(len(turns)))
        for temperature in (0.0,) if forced else CAREFUL_TEMPERATURES:
            if not left:
                break
            part = [turns[place] for place in left]
            tell(LONGEST_WINDOW_SECONDS * len(part))
            written = self._whisper.write(
                [turn.encoded for turn in part],
                [turn.tag for turn in part],
                beams=CAREFUL_BEAMS,
                temperature=temperature,
                most_tokens=max(map(self._most_tokens, part)) if forced else MOST_TOKENS,
                forced=forced,
            )
            for place, one in zip(left, written, strict=True):
                texts[place].append(one)
            left = [
                place
                for place in left
                if trust.poor(
                    texts[place][-1], turns[place].window.seconds, self._whisper.pack.thresholds
                )
            ]
        return texts

    def _align(self, turns: Sequence[Turn], tell: Tell) -> None:
        """Time the words of texts, windows of one length and one language together."""
        for (_, tag), same in grouped(turns, lambda turn: (len(turn.encoded.states), turn.tag)):
            for part in parts(same, self._batch):
                tell(_seconds(part))
                timed = self._whisper.align(
                    [turn.encoded for turn in part],
                    tag,
                    [turn.written.tokens if turn.written else () for turn in part],
                )
                for turn, words in zip(part, timed, strict=True):
                    turn.words = restore(words or _untimed(turn), turn.window)


def _choose(turn: Turn, texts: Mapping[str, Written]) -> None:
    """Take the likeliest language together with its text."""
    turn.odds = language.told(turn.odds, texts)
    turn.tag = language.best(turn.odds, tuple(texts))
    turn.written = texts[turn.tag]
    if len(texts) > 1:
        turn.tried = language.likely({tag: turn.odds[tag] for tag in texts})


def _better(run: list[Turn], joined: Turn, careful: Sequence[Written]) -> list[Turn]:
    """Keep the likelier of two readings, and how far they agree."""
    greedy = [turn.written for turn in run if turn.written]
    agreement = trust.agreement(join_text(written.text for written in greedy), careful[0].text)
    best = max(careful, key=lambda written: _rank([written]))
    if _rank([best]) > _rank(greedy):
        joined.written, joined.agreement = best, agreement
        return [joined]
    for turn in run:
        turn.agreement = agreement
    return run


def _rank(texts: Sequence[Written]) -> tuple[bool, float]:
    """Order readings: those that say something and do not loop first, then the likelier."""
    sound = any(one.text for one in texts) and not any(
        trust.repetition(one.text) >= trust.REPEATED_SHARE for one in texts
    )
    weights = [one.steps + 1 for one in texts]
    mean = np.average([one.average_logprob for one in texts], weights=weights)
    return sound, float(mean)


def _untimed(turn: Turn) -> tuple[Word, ...]:
    """Give a text without times as one word over its window, so that it is never lost."""
    if turn.written is None or not turn.written.text:
        return ()
    probability = float(np.exp(min(0.0, turn.written.average_logprob)))
    seconds = turn.window.seconds
    return (Word(start=0, end=seconds, text=turn.written.text, probability=probability),)


def _seconds(turns: Sequence[Turn]) -> float:
    """Add up the sound of windows."""
    return sum(turn.window.seconds for turn in turns)
