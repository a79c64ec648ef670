from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine

from models import accounts, audit, casework, following, listing, receipt
from models.account import Account, Permission, Role
from models.casework import Move
from models.columns import now
from models.complaint import Complaint
from models.database import reading, writing
from models.errors import Conflict, Unauthenticated
from models.keys import Keys
from models.listing import Cursor, Filters
from models.status import Status
from tests import cases
from tests.cases import CITY, COUNTY, NEIGHBOUR

AT_ONCE = 6


def listed(engine: Engine, account: Account, **filters: object) -> set[UUID]:
    with reading(engine) as session:
        page = listing.page(session, account, Filters.model_validate(filters))
    return {row.id for row in page.complaints}


def test_what_is_seen_is_the_same_on_both(either: Engine, keys: Keys) -> None:
    with writing(either) as session:
        inspector = cases.account(session, unit_code="u-1")
        listener = cases.account(session, Role.LISTENER, languages=["ug"])
        above = cases.account(session, Role.LEAD, CITY)
        plain = cases.complaint(session, keys)
        spoken = cases.complaint(session, keys, languages=[{"tag": "ug-x-1"}, {"tag": "zh"}])
        cases.complaint(session, keys, shut_out=[str(inspector.id), str(above.id)])
        about = cases.complaint(session, keys, subject_unit_code="u-1")
        upward = cases.complaint(session, keys, upward_only=True, held_by=CITY)
        foreign = cases.complaint(session, keys, held_by=NEIGHBOUR)
        cases.complaint(session, keys, round="r1")
    assert listed(either, inspector) == {plain.id, spoken.id}
    assert listed(either, listener) == {spoken.id}
    assert listed(either, above) == {plain.id, spoken.id, about.id, upward.id, foreign.id}


def test_pages_follow_each_other_on_both(either: Engine, keys: Keys) -> None:
    at = now()
    with writing(either) as session:
        account = cases.account(session)
        made = {
            cases.complaint(session, keys, received_at=at - timedelta(microseconds=n // 2)).id
            for n in range(7)
        }
    seen: list[UUID] = []
    after: Cursor | None = None
    while True:
        with reading(either) as session:
            page = listing.page(session, account, Filters(), after=after, size=2)
        seen += [row.id for row in page.complaints]
        if page.next is None:
            break
        after = Cursor.parse(page.next)
    assert len(seen) == len(made)
    assert set(seen) == made


def test_of_two_who_move_a_complaint_at_once_one_is_told(either: Engine, keys: Keys) -> None:
    with writing(either) as session:
        account = cases.account(session)
        report = cases.complaint(session, keys)

    def move(_: int) -> bool:
        try:
            with writing(either) as session:
                step = Move(Status.IN_REVIEW)
                casework.move(session, keys, account, report.id, 1, step)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(move, range(AT_ONCE))) == 1
    with reading(either) as session:
        assert session.get_one(Complaint, report.id).version == 2
        assert audit.verify(session, keys).count == 1


def test_a_report_is_looked_at_answered_and_withdrawn_on_both(either: Engine, keys: Keys) -> None:
    number = receipt.draw()
    with writing(either) as session:
        account = cases.account(session, Role.LEAD, COUNTY, *Permission)
        report = cases.complaint(session, keys, receipt=number)
        voice = cases.medium(session, report, copy_="media/x", copy_mime="audio/mp4")
        cases.transcript(session, voice, "路没有修")
    with writing(either) as session:
        casework.look(session, keys, account, report.id, identity=True)
        casework.original(session, keys, account, report.id, voice.id)
        for _ in range(2):
            casework.listening_copy(session, keys, account, report.id, voice.id)
        casework.answer(session, keys, account, report.id, "已派人核对")
    with writing(either) as session:
        view = following.reporter_view(session, keys, number)
        assert view is not None
        assert len(view.answers) == 1
        following.withdraw(session, keys, number)
    with reading(either) as session:
        assert audit.verify(session, keys).fault is None
        assert [event.deed for event in audit.recent(session, complaint_id=report.id)] == [
            "withdrawn",
            "answered",
            "copy_played",
            "original_fetched",
            "identity_seen",
        ]


def test_attempts_to_log_in_at_once_are_all_counted(either: Engine, keys: Keys) -> None:
    with writing(either) as session:
        account = cases.account(session, username="ayi")

    def attempt(_: int) -> None:
        try:
            accounts.authenticate(either, keys, "ayi", "wrong password")
        except Unauthenticated:
            return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attempt, range(accounts.FAILURES - 1)))
    with reading(either) as session:
        assert session.get_one(Account, account.id).failures == accounts.FAILURES - 1
        assert audit.verify(session, keys).fault is None
