from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ingest.normalise.accepted import examples
from models.database import reading, writing
from models.keys import Keys
from tests import cases

GIVEN = {
    "description": "卫生院的医生收了三百块红包才给开刀",
    "domain": "medical",
    "conduct": "bribery",
    "confirmed": ["domain", "conduct"],
    "training_consent": True,
}


@pytest.mark.parametrize(
    ("more", "taught"),
    [
        ({}, 1),
        ({"training_consent": False}, 0),
        ({"confirmed": ["domain"]}, 0),
        ({"conduct": "what_a_deployment_added"}, 0),
        ({"description": ""}, 0),
    ],
)
def test_only_what_staff_confirmed_and_the_reporter_agreed_to_is_taught(
    engine: Engine, keys: Keys, more: dict[str, object], taught: int
) -> None:
    with writing(engine) as session:
        cases.complaint(session, keys, **(GIVEN | more))
    with reading(engine) as session:
        found = examples(session)
    assert len(found) == taught
    for one in found:
        assert (one.domain, one.conduct, one.text) == ("medical", "bribery", GIVEN["description"])
