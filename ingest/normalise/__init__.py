"""From what was said to the standard record: who, which unit, what, when, where and how much."""

from ingest.normalise.lexicons import Lexicons, load_lexicons
from ingest.normalise.record import normalise

__all__ = ["Lexicons", "load_lexicons", "normalise"]
