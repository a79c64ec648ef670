"""Who reported: sealed with the report's id, so that one report's name opens in no other."""

from __future__ import annotations

from uuid import UUID

from models.keys import Keys
from models.record import Reporter

PURPOSE = "reporter"


def seal(keys: Keys, complaint_id: UUID, reporter: Reporter) -> bytes:
    """Encrypt name and contact for the row of one report."""
    return keys.seal(PURPOSE, reporter.model_dump_json().encode(), complaint_id.bytes)


def unseal(keys: Keys, complaint_id: UUID, sealed: bytes) -> Reporter:
    """Read name and contact again; who may look, and that it is recorded, is the caller's care."""
    return Reporter.model_validate_json(keys.unseal(PURPOSE, sealed, complaint_id.bytes))
