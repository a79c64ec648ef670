"""From samples to language-tagged transcripts: what ties the parts of this room together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.errors import Invalid, Permanent, XiangyinError
from models.packs import Pack
from models.transcript import (
    UNKNOWN_LANGUAGE,
    Evidence,
    Flag,
    Likely,
    ListenerReason,
    Recognition,
    Segment,
    Word,
)
from transcribe import language, speech, tagger, trust
from transcribe.audio import Audio
from transcribe.language import Odds, Prior, Sounding
from transcribe.sound import Sound, measure
from transcribe.speech import Samples, Span
from transcribe.tagger import NO_LANGUAGE, Tagger
from transcribe.tidy import tidy
from transcribe.whisper import (
    BUCKETS_SECONDS,
    FRAMES_A_SECOND,
    LONGEST_WINDOW_SECONDS,
    MOST_TOKENS,
    STATES_A_SECOND,
    Encoded,
    Whisper,
    Written,
)
from transcribe.windows import Window, bounds, lay, restore, sentences

BATCH = {"cpu": 8, "cuda": 32}
# Windows held in memory at a time, in batches: what bounds the memory of a long recording.
BATCHES_A_ROUND = 4
FULL_FRAMES = round(LONGEST_WINDOW_SECONDS * FRAMES_A_SECOND)
CAREFUL_BEAMS = 5
CAREFUL_TEMPERATURES = (0.0, 0.2, 0.4, 0.6)
# How many tokens are written about so much sound before it must be a loop.
TOKENS_AT_LEAST = 24
TOKENS_A_SECOND = 20.0
# So sure that no installed language is spoken that no text is written.
CERTAINLY_UNKNOWN = 0.97
# From here on a recording is said to be in another language, not in an uncertain one.
SURELY_UNKNOWN = 0.8
# A text must be trusted over this share of the speech.
TRUSTED_SHARE = 0.5
# Speech that is hardly louder than what is between it, clipped, or hardly there.
LEAST_ABOVE_NOISE_DB = 3.0
MOST_CLIPPED = 0.05
FAINTEST_DBFS = -55.0
# Stretches shorter than this say too little to be taken for another language.
SWITCH_SECONDS = 2.0
SWITCH_PROBABILITY = 0.9
# A mean log-probability so far under the pack's threshold makes an installed language as likely as
# not, where no tagger has measured it.
KNOWN_SLOPE = 12.0

Item = TypeVar("Item")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Request:
    """One recording to recognise.

    samples : float32, shape = (n_samples,), at 16 kHz
    declared : BCP-47 that the caller gave, "" for none, "und" for "another language"
    likely : what the channel makes likely
    """

    samples: Samples
    declared: str = ""
    likely: tuple[Likely, ...] = ()


class Engine(Protocol):
    """Whatever can turn recordings into transcripts."""

    @property
    def pack(self) -> Pack:
        """Give the language pack in use."""
        ...

    def recognise(self, requests: Sequence[Request]) -> list[Recognition | XiangyinError]:
        """Give one outcome a request, in order; a bad one never spoils its neighbours."""
        ...


@dataclass(frozen=True)
class Options:
    """How the work is cut.

    batch : windows written together; 0 for the device's default
    buckets : lengths in seconds that windows are rounded up to
    again : which windows are decoded a second time with care; all but "poor" are for measurements
    forced_tokens_a_second : write exactly so many tokens, for measurements, or None
    """

    batch: int = 0
    buckets: tuple[float, ...] = BUCKETS_SECONDS
    again: Literal["poor", "never", "tenth"] = "poor"
    forced_tokens_a_second: float | None = None


def load(
    pack: Pack,
    *,
    device: str = "auto",
    compute_type: str = "default",
    threads: int = 0,
    batch: int = 0,
) -> Engine:
    """Load a pack and the tagger beside it; after a fork, never before."""
    whisper = Whisper(pack, device=device, compute_type=compute_type, threads=threads)
    return WhisperEngine(whisper, tagger.load(pack.folder), Options(batch=batch))


@dataclass
class _Turn:
    """One window on its way."""

    window: Window
    frames: int
    mel: NDArray[np.float32]
    encoded: Encoded
    sounding: Sounding
    odds: Odds = field(default_factory=dict)
    tag: str = ""
    written: Written | None = None
    agreement: float | None = None
    words: tuple[Word, ...] = ()

    def forget(self) -> None:
        """Let go of sound and states: they fill the memory, and are nobody's to keep."""
        self.mel = np.empty((0, 0), np.float32)
        self.encoded = Encoded(np.empty((0, 0), np.float32), 0)


@dataclass
class _Job:
    """One request on its way. turns : windows done so far, in the order of their windows"""

    request: Request
    spans: tuple[Span, ...]
    windows: tuple[Window, ...]
    turns: list[_Turn] = field(default_factory=list)
    error: XiangyinError | None = None

    @property
    def prior(self) -> Prior:
        return Prior(self.request.declared, self.request.likely)


class WhisperEngine:
    """Recognise recordings with one pack, many at a time."""

    def __init__(
        self, whisper: Whisper, tagger: Tagger | None = None, options: Options = Options()
    ) -> None:
        self._whisper = whisper
        self._tagger = tagger
        self._options = options
        named = self._tagger.tags if self._tagger else ()
        self.tags = tuple(dict.fromkeys((*whisper.pack.tags, *named)))
        self.batch = options.batch or BATCH[whisper.device]

    @property
    def pack(self) -> Pack:
        """Give the language pack in use."""
        return self._whisper.pack

    def recognise(self, requests: Sequence[Request]) -> list[Recognition | XiangyinError]:
        """Give one outcome a request, in order; a bad one never spoils its neighbours."""
        jobs = [self._open(owner, request) for owner, request in enumerate(requests)]
        windows = [window for job in jobs for window in job.windows]
        for part in _parts(windows, self.batch * BATCHES_A_ROUND):
            try:
                self._round(jobs, part)
            except (RuntimeError, MemoryError, ValueError):
                self._one_by_one(jobs, part)
        return [job.error or self._close(job) for job in jobs]

    def _open(self, owner: int, request: Request) -> _Job:
        """Find the speech of a recording and lay it into windows."""
        samples = request.samples
        if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all():
            refusal = Invalid(
                "录音数据无效：应为一维、有限的 16 kHz 采样。",
                "The samples are not a finite one-dimensional sound at 16 kHz.",
                code="bad_samples",
            )
            return _Job(request, (), (), error=refusal)
        spans = speech.find(samples)
        return _Job(request, spans, lay(owner, spans))

    def _one_by_one(self, jobs: list[_Job], windows: Sequence[Window]) -> None:
        """Do windows singly after a batch failed, so that only the culprit's job fails."""
        for window in windows:
            job = jobs[window.owner]
            job.turns = [turn for turn in job.turns if turn.window != window]
            try:
                self._round(jobs, [window])
            except (RuntimeError, MemoryError, ValueError) as error:
                job.error = Permanent(
                    "识别引擎处理这段录音时失败，请人工收听。",
                    "The recogniser failed on this recording: a person must listen to it.",
                    code="recognition_failed",
                )
                job.error.__cause__ = error

    def _round(self, jobs: list[_Job], windows: Sequence[Window]) -> None:
        """Take windows through encoding, language, writing and timing."""
        turns = self._part_languages(jobs, self._listen(jobs, windows))
        self._decide(jobs, turns)
        self._write([turn for turn in turns if self._worth_writing(turn)])
        turns = self._shorten(jobs, turns)
        self._write_again([turn for turn in turns if self._doubtful(jobs, turn)])
        self._align([turn for turn in turns if turn.written and turn.written.tokens])
        for turn in turns:
            turn.forget()
            jobs[turn.window.owner].turns.append(turn)

    def _listen(self, jobs: list[_Job], windows: Sequence[Window]) -> list[_Turn]:
        """Encode windows and ask every witness about their language."""
        whisper = self._whisper
        mels = [
            whisper.features(window.samples(jobs[window.owner].request.samples))
            for window in windows
        ]
        frames = [whisper.window_frames(one.seconds, self._options.buckets) for one in windows]
        turns: dict[int, _Turn] = {}
        for length, places in _grouped(range(len(windows)), lambda place: frames[place]):
            for part in _parts(places, self.batch):
                encoded = whisper.encode([mels[place] for place in part], length)
                heads = whisper.languages(encoded)
                for place, states, head in zip(part, encoded, heads, strict=True):
                    witness = self._tagger.hear(tagger.embed_window(states)) if self._tagger else ()
                    sounding = Sounding(head, witness, windows[place].seconds)
                    turns[place] = _Turn(windows[place], length, mels[place], states, sounding)
        return [turns[place] for place in range(len(windows))]

    def _part_languages(self, jobs: list[_Job], turns: list[_Turn]) -> list[_Turn]:
        """Part windows in which the speaker clearly switches between languages."""
        parted: list[_Turn] = []
        for turn in turns:
            parts = self._switches(turn)
            parted += self._listen(jobs, parts) if len(parts) > 1 else [turn]
        return parted

    def _switches(self, turn: _Turn) -> list[Window]:
        """Give the runs of stretches in one language each, if the tagger is sure of several."""
        window = turn.window
        if self._tagger is None or len(window.spans) < 2:
            return [window]
        runs: list[tuple[str, list[Span]]] = []
        for span, offset in zip(window.spans, window.offsets(), strict=True):
            first = round(offset * STATES_A_SECOND)
            states = turn.encoded.states[
                first : first + max(1, int(span.seconds * STATES_A_SECOND))
            ]
            best = self._tagger.hear(tagger.embed(states))[0]
            sure = span.seconds >= SWITCH_SECONDS and best.probability >= SWITCH_PROBABILITY
            tag = best.tag if sure else ""
            if runs and (not tag or not runs[-1][0] or runs[-1][0] == tag):
                runs[-1] = (runs[-1][0] or tag, [*runs[-1][1], span])
            else:
                runs.append((tag, [span]))
        return [Window(window.owner, tuple(spans)) for _, spans in runs]

    def _decide(self, jobs: list[_Job], turns: Sequence[_Turn]) -> None:
        """Weigh all evidence on the languages of windows, with what was heard before them."""
        for owner, own in _grouped(turns, lambda turn: turn.window.owner):
            job = jobs[owner]
            soundings = [turn.sounding for turn in (*job.turns, *own)]
            heard = [(language.heard(one, self.tags), one.seconds) for one in soundings]
            pooled = language.pool(heard, self.tags)
            for turn, (odds, _) in zip(own, heard[len(job.turns) :], strict=True):
                turn.odds = language.decide(odds, pooled, job.prior)
                turn.tag = language.best(turn.odds, self.pack.tags)

    def _worth_writing(self, turn: _Turn) -> bool:
        """Tell whether a language that the pack can write may be spoken at all."""
        forced = self._options.forced_tokens_a_second is not None
        return forced or sum(turn.odds[tag] for tag in self.pack.tags) > 1 - CERTAINLY_UNKNOWN

    def _write(self, turns: Sequence[_Turn]) -> None:
        """Write texts greedily, windows of one length together."""
        for part in self._batches(turns):
            written = self._whisper.write(
                [turn.encoded for turn in part],
                [turn.tag for turn in part],
                most_tokens=max(self._most_tokens(turn) for turn in part),
                forced=self._options.forced_tokens_a_second is not None,
            )
            for turn, one in zip(part, written, strict=True):
                turn.written = one

    def _most_tokens(self, turn: _Turn) -> int:
        """Give where writing about a window stops, or exactly ends if forced."""
        forced = self._options.forced_tokens_a_second
        if forced is not None:
            return max(1, min(MOST_TOKENS, round(forced * turn.window.seconds)))
        # By the window and not the sound, so that neighbours in a batch never change it.
        seconds = turn.frames / FRAMES_A_SECOND
        return min(MOST_TOKENS, TOKENS_AT_LEAST + round(TOKENS_A_SECOND * seconds))

    def _batches(self, turns: Sequence[_Turn]) -> Iterable[Sequence[_Turn]]:
        """Group turns by window, and where tokens are forced by their number."""
        forced = self._options.forced_tokens_a_second is not None
        for _, same in _grouped(
            turns, lambda turn: (turn.frames, self._most_tokens(turn) if forced else 0)
        ):
            yield from _parts(same, self.batch)

    def _shorten(self, jobs: list[_Job], turns: list[_Turn]) -> list[_Turn]:
        """Part windows whose text did not fit into what the decoder can write."""
        if self._options.forced_tokens_a_second is not None:
            return turns
        done: list[_Turn] = []
        for turn in turns:
            looping = turn.written and trust.repetition(turn.written.text) >= trust.REPEATED_SHARE
            if turn.written and turn.written.cut_off and turn.window.seconds > 2 and not looping:
                halves = self._listen(jobs, turn.window.halves())
                for half in halves:
                    half.odds, half.tag = turn.odds, turn.tag
                self._write(halves)
                done += halves
            else:
                done.append(turn)
        return done

    def _doubtful(self, jobs: list[_Job], turn: _Turn) -> bool:
        """Tell whether a window is decoded again with care."""
        if turn.written is None or self._options.again == "never":
            return False
        if self._options.again == "tenth":
            return turn.window.owner % 10 == 0
        # Care does not help where the language is likely to be none of ours.
        ours = sum(turn.odds[tag] for tag in self.pack.tags) > 1 / 2
        thresholds = self.pack.thresholds
        return ours and trust.poor(turn.written, turn.window.seconds, thresholds)

    def _write_again(self, turns: Sequence[_Turn]) -> None:
        """Decode with a full window, beams, and then temperatures while the scores are poor."""
        for part in _parts(list(turns), self.batch):
            full = self._whisper.encode([turn.mel for turn in part], FULL_FRAMES)
            forced = self._options.forced_tokens_a_second is not None
            left = list(zip(part, full, strict=True))
            for temperature in (0.0,) if forced else CAREFUL_TEMPERATURES:
                if not left:
                    break
                written = self._whisper.write(
                    [states for _, states in left],
                    [turn.tag for turn, _ in left],
                    beams=CAREFUL_BEAMS,
                    temperature=temperature,
                    most_tokens=max(self._most_tokens(turn) for turn, _ in left)
                    if forced
                    else MOST_TOKENS,
                    forced=forced,
                )
                thresholds = self.pack.thresholds
                still: list[tuple[_Turn, Encoded]] = []
                for (turn, states), one in zip(left, written, strict=True):
                    self._compare(turn, one, states)
                    if trust.poor(one, turn.window.seconds, thresholds):
                        still.append((turn, states))
                left = still

    def _compare(self, turn: _Turn, careful: Written, states: Encoded) -> None:
        """Keep the likelier text of two, and how far they agree."""
        first = turn.written
        if first is None:
            return
        if turn.agreement is None:
            turn.agreement = trust.agreement(first.text, careful.text)
        if _rank(careful) > _rank(first):
            turn.written, turn.encoded = careful, states

    def _align(self, turns: Sequence[_Turn]) -> None:
        """Time the words of texts, windows of one length and one language together."""
        for (_, tag), same in _grouped(turns, lambda turn: (len(turn.encoded.states), turn.tag)):
            for part in _parts(same, self.batch):
                timed = self._whisper.align(
                    [turn.encoded for turn in part],
                    tag,
                    [turn.written.tokens if turn.written else () for turn in part],
                )
                for turn, words in zip(part, timed, strict=True):
                    turn.words = restore(words or _untimed(turn), turn.window)

    def _close(self, job: _Job) -> Recognition:
        """Judge what was written and sum up one recording."""
        turns = sorted(job.turns, key=lambda turn: turn.window.start)
        pieces: list[tuple[str, float, float]] = []
        segments: list[Segment] = []
        for turn in turns:
            odds = language.doubted(turn.odds, self._known(turn), self.pack.tags)
            tag, confidence = language.verdict(odds, self.pack.thresholds.language)
            pieces.append((tag, confidence, turn.window.seconds))
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

    def _known(self, turn: _Turn) -> float:
        """Give how likely an installed language is by how well a window could be written."""
        if turn.written is None:
            return 1 / 2
        logprob = turn.written.average_logprob
        if self._tagger is not None:
            return self._tagger.known(logprob)
        above = logprob - self.pack.thresholds.average_logprob
        return float(1 / (1 + np.exp(-KNOWN_SLOPE * above)))

    def _segments(self, turn: _Turn, tag: str, confidence: float) -> list[Segment]:
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
            if tag != turn.tag:
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
                    trusted=trusted and tag == turn.tag,
                )
            )
        return made

    def _reason(
        self,
        job: _Job,
        turns: Sequence[_Turn],
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

    def _unknown(self, job: _Job, turns: Sequence[_Turn], sound: Sound) -> ListenerReason:
        """Say what is behind a language that is not known."""
        declared = job.request.declared
        if declared == UNKNOWN_LANGUAGE:
            return ListenerReason.ASKED_FOR
        if declared and language.installed(declared, self.pack.tags) == UNKNOWN_LANGUAGE:
            return ListenerReason.UNSUPPORTED_LANGUAGE
        if _sounds_poor(sound):
            return ListenerReason.POOR_AUDIO
        odds = language.pool([(turn.odds, turn.sounding.seconds) for turn in turns], self.tags)
        if odds[UNKNOWN_LANGUAGE] >= SURELY_UNKNOWN:
            return ListenerReason.UNSUPPORTED_LANGUAGE
        return ListenerReason.UNCERTAIN_LANGUAGE

    def _settings(self, turns: Sequence[_Turn]) -> dict[str, str | int | float | bool]:
        """Say what a transcript was made with."""
        return {
            "device": self._whisper.device,
            "compute_type": self._whisper.compute_type,
            "windows": len(turns),
            "decoded_again": sum(turn.agreement is not None for turn in turns),
            "tagger": self._tagger is not None,
        }


def _evidence(turns: Sequence[_Turn]) -> tuple[Evidence, ...]:
    """Keep what was heard: over the whole recording, and per window where there are several."""
    if not turns:
        return ()
    whole = language.keep(language.average([turn.sounding for turn in turns]))
    if len(turns) == 1:
        return whole
    return whole + tuple(
        evidence
        for turn in turns
        for evidence in language.keep(turn.sounding, turn.window.start, turn.window.end)
    )


def _untimed(turn: _Turn) -> tuple[Word, ...]:
    """Give a text without times as one word over its window, so that it is never lost."""
    if turn.written is None or not turn.written.text:
        return ()
    probability = float(np.exp(min(0.0, turn.written.average_logprob)))
    seconds = turn.window.seconds
    return (Word(start=0, end=seconds, text=turn.written.text, probability=probability),)


def _soundless(turn: _Turn) -> bool:
    """Tell whether a window that the speech detector let through holds no speech after all."""
    nothing = next((one.probability for one in turn.sounding.tagger if one.tag == NO_LANGUAGE), 0.0)
    if nothing >= SURELY_UNKNOWN:
        return True
    return turn.written is not None and not turn.written.text


def _trusted_share(turns: Sequence[_Turn], segments: Sequence[Segment]) -> float:
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


def _rank(written: Written) -> tuple[bool, float]:
    """Order texts: those that do not loop first, then the likelier."""
    looping = trust.repetition(written.text) >= trust.REPEATED_SHARE
    return not looping and bool(written.text), written.average_logprob


def _mean_logprob(words: Sequence[Word]) -> float:
    """Give the mean logarithm of the words' probabilities."""
    return float(np.mean([np.log(max(word.probability, 1e-4)) for word in words]))


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> list[tuple[Key, list[Item]]]:
    """Group items by a key, in the order in which the keys first come."""
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return list(groups.items())


def _parts(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Cut into parts of at most a size."""
    return (items[start : start + size] for start in range(0, len(items), size))
