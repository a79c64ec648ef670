"""Log-mel features, the very ones that faster-whisper computes."""

from functools import cache

import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor

MELS = 80
FRAMES_A_SECOND = 100
WINDOW_FRAMES = 3000  # faster-whisper pads with zeros to this, after the log and its scaling


@cache
def _extractor(mels: int) -> FeatureExtractor:
    return FeatureExtractor(feature_size=mels)


def log_mel(pcm: npt.NDArray[np.float32], mels: int = MELS) -> npt.NDArray[np.float16]:
    """Return features, shape = (n_frames, mels), of 16 kHz mono PCM; no padding of the window."""
    mel = _extractor(mels)(pcm)
    return np.ascontiguousarray(mel.T, dtype=np.float16)
