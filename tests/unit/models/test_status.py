"""Only the moves of the table are allowed."""

from __future__ import annotations

import pytest

from models.errors import Conflict
from models.status import FOLLOWING, Status, require


def test_every_status_has_its_row() -> None:
    assert set(FOLLOWING) == set(Status)


def test_a_withdrawn_report_goes_nowhere() -> None:
    for following in Status:
        with pytest.raises(Conflict):
            require(Status.WITHDRAWN, following)


def test_nothing_is_accepted_without_review() -> None:
    before = {status for status, following in FOLLOWING.items() if Status.ACCEPTED in following}
    assert before == {Status.IN_REVIEW, Status.TRANSFERRED}
