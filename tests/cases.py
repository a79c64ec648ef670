"""Invented complaints and staff, put straight into the tables."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlmodel import Session

from models import accounts, audit, receipt
from models.account import Account, Permission, Role
from models.columns import now, uuid7
from models.complaint import Complaint, IdentityMode, ReportMedium
from models.keys import Keys
from models.medium import Kind, Medium, Purpose
from models.status import MediumState, Status
from models.transcript import Transcript

NATION, PROVINCE, CITY, COUNTY, NEIGHBOUR = "000000", "510000", "513400", "513425", "513426"
PASSWORD = "correct horse battery"


@lru_cache
def _hashed() -> str:
    return accounts.hash_password(PASSWORD)


def account(
    session: Session,
    role: Role = Role.INSPECTOR,
    division: str = COUNTY,
    *permissions: Permission,
    **more: Any,
) -> Account:
    """Put a member of staff into the table, without the work that a password takes each time."""
    made = Account(
        username=more.pop("username", f"u{uuid4().hex[:10]}"),
        password_hash=_hashed(),
        role=role,
        division=division,
        permissions=[permission.value for permission in permissions],
        **more,
    )
    session.add(made)
    session.flush()
    return made


def complaint(session: Session, keys: Keys, **more: Any) -> Complaint:
    """Add a complaint that a county holds, ready to be looked at."""
    number = more.pop("receipt", receipt.draw())
    fields: dict[str, Any] = {
        "id": uuid7(),
        "receipt_hash": receipt.digest(keys, number),
        "medium": ReportMedium.VOICE,
        "channel_code": "xsl-clinic",
        "jurisdiction": COUNTY,
        "held_by": COUNTY,
        "identity_mode": IdentityMode.ANONYMOUS,
        "status": Status.READY,
        "language": "ii",
        "title": "杏树岭修路款没有公示",
        "description": "杏树岭修路款没有公示",
        "due_at": now() + timedelta(days=7),
        "retention_until": date(2036, 1, 1),
    }
    made = Complaint(**(fields | more))
    session.add(made)
    session.flush()
    return made


def medium(session: Session, of: Complaint, **more: Any) -> Medium:
    """Add a recording that is done to a complaint."""
    fields: dict[str, Any] = {
        "complaint_id": of.id,
        "kind": Kind.VOICE,
        "purpose": Purpose.COMPLAINT,
        "state": MediumState.DONE,
        "content_hash": uuid4().hex * 2,
        "mime": "audio/webm",
        "size": 10,
        "original": f"media/{uuid4()}",
    }
    made = Medium(**(fields | more))
    session.add(made)
    session.flush()
    return made


def transcript(session: Session, of: Medium, *texts: str, version: int = 1) -> Transcript:
    """Add a version of a transcript, one second for each character."""
    segments, at = [], 0.0
    for text in texts:
        words = [
            {"start": at + n, "end": at + n + 1, "text": character, "probability": 0.9}
            for n, character in enumerate(text)
        ]
        segments.append(
            {
                "start": at,
                "end": at + len(text),
                "text": text,
                "tidy": text,
                "language": "zh",
                "confidence": 0.9,
                "words": words,
            }
        )
        at += len(text)
    made = Transcript(
        medium_id=of.id, version=version, segments=segments, languages=[], evidence=[], by="model"
    )
    session.add(made)
    session.flush()
    return made


def deeds(session: Session, complaint: Complaint) -> list[str]:
    """Give what the audit log says was done with a complaint."""
    return [event.deed for event in audit.recent(session, complaint_id=complaint.id)]
