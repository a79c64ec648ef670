"""Reports whose domain and conduct a person confirmed, as further examples to train from."""

from __future__ import annotations

from sqlmodel import Session, col, select

from ingest.normalise import lexicon
from ingest.normalise.train import Example
from models.complaint import Complaint

CONFIRMED = frozenset({"domain", "conduct"})


def examples(session: Session) -> tuple[Example, ...]:
    """Take the Chinese descriptions of reports whose two codes staff confirmed.

    Only of those whose reporter agreed to it; the model keeps pieces of two characters that at
    least two texts have, never a text.
    """
    known = lexicon.matters()
    found = session.exec(
        select(Complaint)
        .where(
            col(Complaint.training_consent).is_(True),
            col(Complaint.domain) != "",
            col(Complaint.conduct) != "",
            col(Complaint.description) != "",
        )
        .order_by(col(Complaint.received_at), col(Complaint.id))
    )
    return tuple(
        Example(text=one.description, domain=one.domain, conduct=one.conduct)
        for one in found
        if set(one.confirmed) >= CONFIRMED
        and one.domain in known.domain
        and one.conduct in known.conduct
    )
