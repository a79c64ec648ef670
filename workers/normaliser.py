"""The normaliser with the lexicons of this installation, renewed when its gazetteer changes."""

from __future__ import annotations

from ingest.matter import Matter, Normalised
from models.record import Subject
from models.transcript import join_text

TITLE_CHARACTERS = 60
DESCRIPTION_CHARACTERS = 4_000


def describe(matter: Matter) -> Normalised:
    """Take what was said as the description, and the unit inspected as its subject."""
    text = "\n".join(passage.text for passage in matter.passages)
    return Normalised(
        subject=Subject(unit=matter.channel.unit_name, unit_code=matter.channel.unit_code),
        domain="",
        conduct="",
        domains=(),
        conducts=(),
        title=join_text(text.split())[:TITLE_CHARACTERS],
        description=text[:DESCRIPTION_CHARACTERS],
        occurred=None,
        place="",
        place_code=None,
        amounts=(),
        masks=(),
        provenance={},
        version="plain",
    )
