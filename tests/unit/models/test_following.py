from __future__ import annotations

from uuid import uuid4

import pytest
from sqlmodel import Session

from models import casework, following, receipt
from models.complaint import Message
from models.errors import Conflict, NotFound
from models.keys import Keys
from models.medium import Purpose
from models.status import Status
from tests import cases

RECEIPT = receipt.draw()


class TestReporters:
    def test_a_receipt_shows_state_and_answers_and_nothing_else(
        self, session: Session, keys: Keys
    ) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys, receipt=RECEIPT)
        session.add(Message(complaint_id=report.id, by="reporter", text="我再说一句"))
        casework.answer(session, keys, account, report.id, " 已派人核对 ")
        view = following.reporter_view(session, keys, RECEIPT)
        assert view is not None
        assert view.status is Status.READY
        assert [one.text for one in view.answers] == ["已派人核对"]
        assert set(type(view).model_fields) == {"status", "received_at", "answers"}
        assert cases.deeds(session, report) == ["answered"]

    def test_an_unknown_receipt_shows_nothing(self, session: Session, keys: Keys) -> None:
        assert following.reporter_view(session, keys, receipt.draw()) is None
        assert following.spoken_answer(session, keys, receipt.draw(), uuid4()) is None

    def test_a_spoken_answer_is_the_offices_own(self, session: Session, keys: Keys) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys, receipt=RECEIPT)
        spoken = cases.medium(
            session, report, purpose=Purpose.MESSAGE, copy_="copy/a", copy_mime="audio/mp4"
        )
        complaint_itself = cases.medium(session, report, copy_="copy/b", copy_mime="audio/mp4")
        with pytest.raises(NotFound):
            following.spoken_answer(session, keys, RECEIPT, spoken.id)
        casework.answer(session, keys, account, report.id, medium_id=spoken.id)
        found = following.spoken_answer(session, keys, RECEIPT, spoken.id)
        assert found is not None
        assert found.blob == "copy/a"
        for other in (complaint_itself.id, uuid4()):
            with pytest.raises(NotFound):
                following.spoken_answer(session, keys, RECEIPT, other)
        with pytest.raises(NotFound):
            casework.answer(session, keys, account, report.id, medium_id=complaint_itself.id)

    def test_a_reporter_withdraws_until_it_is_accepted(self, session: Session, keys: Keys) -> None:
        report = cases.complaint(session, keys, receipt=RECEIPT)
        assert following.withdraw(session, keys, RECEIPT).status is Status.WITHDRAWN
        assert cases.deeds(session, report) == ["withdrawn"]
        accepted = receipt.draw()
        cases.complaint(session, keys, receipt=accepted, status=Status.ACCEPTED)
        with pytest.raises(Conflict):
            following.withdraw(session, keys, accepted)
        with pytest.raises(NotFound):
            following.withdraw(session, keys, receipt.draw())
