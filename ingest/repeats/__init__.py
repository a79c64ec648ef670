"""Repeats: reports that may be about the same thing are proposed with reasons, never merged.

Two reports of one jurisdiction are brought together by an index, never by comparing all with all:
by the keyed hash of a recording, by marks of its sound, by runs of three syllables of the text (so
that a typed and a spoken report meet although the recogniser wrote other characters), and by the
body and kind of matter. What the index brings together is then compared.
"""

from ingest.repeats.compare import Proposal, Reason
from ingest.repeats.filed import file
from ingest.repeats.report import look_through, trace_of
from ingest.repeats.trace import Facts, Trace

__all__ = ["Facts", "Proposal", "Reason", "Trace", "file", "look_through", "trace_of"]
