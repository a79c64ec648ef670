"""From samples to language-tagged transcripts: what ties the parts of this room together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.errors import XiangyinError
from models.packs import Pack
from models.transcript import Likely, Recognition
from transcribe.speech import Samples


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
