from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from models import listing
from models.columns import now
from models.errors import Invalid
from models.keys import Keys
from models.listing import Cursor, Filters
from models.medium import Kind
from models.status import Status
from tests import cases


class TestListing:
    def test_pages_follow_each_other_without_gaps_or_repeats(
        self, session: Session, keys: Keys
    ) -> None:
        account = cases.account(session)
        at = now()
        # Several arrive at the very same moment: the id decides.
        made = {
            cases.complaint(session, keys, received_at=at - timedelta(seconds=n // 3)).id
            for n in range(11)
        }
        seen: list[UUID] = []
        times = []
        after = None
        while True:
            page = listing.page(session, account, Filters(), after=after, size=4)
            seen += [row.id for row in page.complaints]
            times += [row.received_at for row in page.complaints]
            if page.next is None:
                break
            after = Cursor.parse(page.next)
        assert len(seen) == 11
        assert set(seen) == made
        assert times == sorted(times, reverse=True)

    @pytest.mark.parametrize(
        ("filters", "fields"),
        [
            ({"status": ["accepted"]}, {"status": Status.ACCEPTED}),
            ({"channel": "default"}, {"channel_code": "default"}),
            ({"unit": "u-9"}, {"subject_unit_code": "u-9"}),
            ({"domain": "works"}, {"domain": "works"}),
            ({"conduct": "quality"}, {"conduct": "quality"}),
            ({"language": "zh"}, {"language": "zh-u-sd-cnsc"}),
            ({"medium": "image"}, {"medium": "image"}),
            ({"round": "r1"}, {"round": "r1"}),
            ({"overdue": True}, {"due_at": now() - timedelta(days=1)}),
            ({"received_until": now() - timedelta(days=2)}, {"received_at": now() - timedelta(9)}),
        ],
    )
    def test_a_filter_keeps_what_it_names(
        self, session: Session, keys: Keys, filters: dict[str, Any], fields: dict[str, Any]
    ) -> None:
        account = cases.account(session, rounds=["*"])
        wanted = cases.complaint(session, keys, **fields)
        cases.complaint(session, keys)
        page = listing.page(session, account, Filters.model_validate(filters))
        assert [row.id for row in page.complaints] == [wanted.id]

    def test_what_is_closed_is_never_overdue(self, session: Session, keys: Keys) -> None:
        account = cases.account(session)
        past = now() - timedelta(days=1)
        closed = cases.complaint(session, keys, status=Status.ARCHIVED, due_at=past)
        untold = cases.complaint(session, keys, status=Status.CONCLUDED, due_at=past)
        late = listing.page(session, account, Filters(overdue=True))
        timely = listing.page(session, account, Filters(overdue=False))
        assert [row.id for row in late.complaints] == [untold.id]
        assert [row.id for row in timely.complaints] == [closed.id]

    def test_titles_are_masked(self, session: Session, keys: Keys) -> None:
        account = cases.account(session)
        mask = {"kind": "phone", "from_character": 0, "to_character": 11}
        report = cases.complaint(session, keys, title="打13800138000", masks=[mask])
        typed = cases.medium(session, report, kind=Kind.TEXT, text="13800138000")
        report.masks = [{**mask, "medium": str(typed.id)}]
        session.flush()
        page = listing.page(session, account, Filters())
        assert page.complaints[0].title == "打" + "＊" * 11

    @pytest.mark.parametrize("written", ["", "x", "!!!", "YWJj", "2026-01-01", "Zm9vIGJhcg"])
    def test_a_cursor_of_somebody_elses_making_is_refused(self, written: str) -> None:
        with pytest.raises(Invalid):
            Cursor.parse(written)
