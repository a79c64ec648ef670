"""The listening half of the engine: windows encoded, and every witness asked for their language."""

from __future__ import annotations

from collections.abc import Sequence

from transcribe import language, tagger
from transcribe.language import Sounding
from transcribe.speech import Span
from transcribe.tagger import Tagger
from transcribe.turns import Job, Tell, Turn, grouped, parts
from transcribe.whisper import STATES_A_SECOND, Whisper
from transcribe.windows import Window

# Stretches shorter than this say too little to be taken for another language.
SWITCH_SECONDS = 2.0
SWITCH_PROBABILITY = 0.9


class Ear:
    """Listen to windows. batch : windows of one length that are heard together"""

    def __init__(
        self, whisper: Whisper, witness: Tagger | None, batch: int, buckets: Sequence[float]
    ) -> None:
        self._whisper = whisper
        self._tagger = witness
        self._batch = batch
        self._buckets = buckets
        named = witness.tags if witness else ()
        self.tags = tuple(dict.fromkeys((*whisper.pack.tags, *named)))

    def listen(self, jobs: Sequence[Job], windows: Sequence[Window], tell: Tell) -> list[Turn]:
        """Encode windows and ask every witness about their language."""
        whisper = self._whisper
        mels = [
            whisper.features(window.samples(jobs[window.owner].request.samples))
            for window in windows
        ]
        frames = [whisper.window_frames(one.seconds, self._buckets) for one in windows]
        turns: dict[int, Turn] = {}
        for length, places in grouped(range(len(windows)), lambda place: frames[place]):
            for part in parts(places, self._batch):
                tell(sum(windows[place].seconds for place in part))
                encoded = whisper.encode([mels[place] for place in part], length)
                heads = whisper.languages(encoded)
                for place, states, head in zip(part, encoded, heads, strict=True):
                    witness = self._tagger.hear(tagger.sounding(states)) if self._tagger else ()
                    sounding = Sounding(head, witness, windows[place].seconds)
                    turns[place] = Turn(windows[place], length, mels[place], states, sounding)
        return [turns[place] for place in range(len(windows))]

    def part(self, jobs: Sequence[Job], turns: Sequence[Turn], tell: Tell) -> list[Turn]:
        """Part windows in which the speaker clearly switches between languages."""
        parted: list[Turn] = []
        for turn in turns:
            pieces = self._switches(turn)
            parted += self.listen(jobs, pieces, tell) if len(pieces) > 1 else [turn]
        return parted

    def _switches(self, turn: Turn) -> list[Window]:
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
            best = self._tagger.hear(states)[0]
            sure = span.seconds >= SWITCH_SECONDS and best.probability >= SWITCH_PROBABILITY
            tag = best.tag if sure else ""
            if runs and (not tag or not runs[-1][0] or runs[-1][0] == tag):
                runs[-1] = (runs[-1][0] or tag, [*runs[-1][1], span])
            else:
                runs.append((tag, [span]))
        return [Window(window.owner, tuple(spans)) for _, spans in runs]

    def decide(self, jobs: Sequence[Job], turns: Sequence[Turn]) -> None:
        """Weigh all evidence on the languages of windows, with what was heard around them."""
        for owner, own in grouped(turns, lambda turn: turn.window.owner):
            job = jobs[owner]
            soundings = [turn.sounding for turn in (*job.turns, *own)]
            heard = [(language.heard(one, self.tags), one.seconds) for one in soundings]
            for place, turn in enumerate(own, len(job.turns)):
                # A window is no witness for itself: that would make it surer than it was.
                others = language.pool([*heard[:place], *heard[place + 1 :]], self.tags)
                turn.odds = language.decide(heard[place][0], others, job.prior)
                turn.tag = language.best(turn.odds, self._whisper.pack.tags)
