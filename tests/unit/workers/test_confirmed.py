"""Only what staff accepted and the reporter agreed to is ever learnt from."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from models import accounts
from models.account import Role
from models.complaint import Complaint
from models.database import writing
from models.medium import Medium
from models.transcript import Language, Transcript
from tests.conftest import House
from tests.unit.workers.test_transcribe import prepared
from workers.confirmed import recordings
from workers.house import House as Workshop

CLEAR = [Language(tag="ii", confidence=1, by="person")]
MIXED = [
    Language(tag="ii", confidence=1, by="person", share=0.6),
    Language(tag="zh", confidence=1, by="person", share=0.4),
]


def accept(
    house: House, medium_id: UUID, languages: list[Language], *, agreed: bool, accepted: bool
) -> None:
    """Settle a recording as staff would."""
    with writing(house.engine) as session:
        account = accounts.add(
            session,
            house.keys,
            username=f"li{str(medium_id)[-6:]}",
            password="correct horse battery",
            role=Role.INSPECTOR,
            division_code="513425",
        )
        session.flush()
        medium = session.get_one(Medium, medium_id)
        complaint = session.get_one(Complaint, medium.complaint_id)
        complaint.training_consent = agreed
        session.add(complaint)
        session.add(
            Transcript(
                medium_id=medium_id,
                version=1,
                segments=[],
                languages=[one.model_dump(mode="json") for one in languages],
                evidence=[],
                by=str(account.id),
                accepted_by=account.id if accepted else None,
            )
        )


@pytest.mark.parametrize(
    ("languages", "agreed", "accepted", "count"),
    [
        (CLEAR, True, True, 1),
        (CLEAR, False, True, 0),
        (CLEAR, True, False, 0),
        (MIXED, True, True, 0),
        ([Language(tag="und", confidence=1, by="person")], True, True, 0),
    ],
)
def test_only_clear_accepted_and_agreed_recordings_are_learnt_from(
    languages: list[Language],
    agreed: bool,
    accepted: bool,
    count: int,
    house: House,
    workshop: Workshop,
) -> None:
    medium_id = prepared(house, workshop)
    accept(house, medium_id, languages, agreed=agreed, accepted=accepted)
    found = list(recordings(workshop))
    assert [one.tag for one in found] == ["ii"] * count
    assert all(np.abs(one.samples).max() > 0.1 for one in found)
