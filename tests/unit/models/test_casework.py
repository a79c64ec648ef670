from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import Session

from models import casework, receipt, reporter
from models.account import Permission, Role
from models.casework import CONFIRMED_FIRST, Move
from models.complaint import Complaint, IdentityMode, Message
from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.keys import Keys
from models.medium import Purpose
from models.record import Reporter
from models.status import Finding, Status
from tests import cases
from tests.cases import CITY, COUNTY, NATION, NEIGHBOUR, PROVINCE

RECEIPT = receipt.draw()


def confirmed(session: Session, keys: Keys, **more: Any) -> Complaint:
    return cases.complaint(
        session,
        keys,
        status=Status.IN_REVIEW,
        subject_unit="unknown",
        domain="works",
        conduct="quality",
        confirmed=list(CONFIRMED_FIRST),
        **more,
    )


class TestLooking:
    def test_a_look_gives_the_record_and_is_recorded(self, session: Session, keys: Keys) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys)
        voice = cases.medium(session, report)
        cases.transcript(session, voice, "路没有修")
        record = casework.look(session, keys, account, report.id)
        assert record.id == report.id
        assert record.transcripts[0].segments[0].text == "路没有修"
        assert record.reporter is None
        assert cases.deeds(session, report) == ["looked"]

    def test_who_reported_needs_the_permission_and_is_recorded_apart(
        self, session: Session, keys: Keys
    ) -> None:
        granted = cases.account(session, Role.INSPECTOR, COUNTY, Permission.IDENTITY)
        plain = cases.account(session)
        report = cases.complaint(session, keys, identity_mode=IdentityMode.REAL_NAME)
        named = Reporter(name="曲木阿呷", contact="13800138000")
        report.reporter_sealed = reporter.seal(keys, report.id, named)
        session.flush()
        assert casework.look(session, keys, granted, report.id).reporter is None
        assert casework.look(session, keys, granted, report.id, identity=True).reporter == named
        assert cases.deeds(session, report) == ["identity_seen", "looked"]
        with pytest.raises(NotAllowed):
            casework.look(session, keys, plain, report.id, identity=True)

    def test_private_spans_are_masked_unless_permitted(self, session: Session, keys: Keys) -> None:
        granted = cases.account(session, Role.INSPECTOR, COUNTY, Permission.IDENTITY)
        report = cases.complaint(
            session,
            keys,
            description="打一三八零零幺三八零零零",
            place="13800138000",
            amounts=[{"value": 1, "unit": "元", "text": "13800138000"}],
            provenance={"place": [{"by": "rule", "confidence": 1, "text": "13800138000"}]},
        )
        voice = cases.medium(session, report)
        cases.transcript(session, voice, "打一三八零零", "幺三八零零零")
        report.masks = [
            {
                "kind": "phone",
                "medium": str(voice.id),
                "from_character": 1,
                "to_character": 12,
                "start": 1.0,
                "end": 12.0,
            }
        ]
        session.add(Message(complaint_id=report.id, by="reporter", text="我是13800138000"))
        session.flush()
        masked = casework.look(session, keys, granted, report.id).model_dump_json()
        assert "13800" not in masked  # what is shorter may stand in an id
        assert "三八" not in masked
        open_ = casework.look(session, keys, granted, report.id, identity=True)
        assert open_.description == "打一三八零零幺三八零零零"
        assert open_.messages[0].text == "我是13800138000"

    def test_a_spoken_name_is_there_only_for_whoever_may_know_it(
        self, session: Session, keys: Keys
    ) -> None:
        plain = cases.account(session, Role.INSPECTOR, COUNTY, Permission.ORIGINALS)
        granted = cases.account(session, Role.INSPECTOR, COUNTY, *Permission)
        report = cases.complaint(session, keys)
        name = cases.medium(
            session, report, purpose=Purpose.IDENTITY, copy_="copy/x", copy_mime="audio/mp4"
        )
        cases.transcript(session, name, "曲木阿呷")
        record = casework.look(session, keys, granted, report.id)
        assert (record.media, record.transcripts) == ((), ())
        assert casework.look(session, keys, granted, report.id, identity=True).media
        for fetch in (casework.original, casework.listening_copy):
            with pytest.raises(NotAllowed):
                fetch(session, keys, plain, report.id, name.id)
            assert fetch(session, keys, granted, report.id, name.id).blob
        with pytest.raises(NotFound):
            casework.transcript(session, keys, granted, report.id, name.id)

    def test_a_neighbour_finds_nothing(self, session: Session, keys: Keys) -> None:
        account = cases.account(session, Role.LEAD, NEIGHBOUR, *Permission)
        report = cases.complaint(session, keys)
        voice = cases.medium(session, report, copy_="copy/x", copy_mime="audio/mp4")
        with pytest.raises(NotFound):
            casework.look(session, keys, account, report.id, identity=True)
        for fetch in (casework.original, casework.listening_copy, casework.transcript):
            with pytest.raises(NotFound):
                fetch(session, keys, account, report.id, voice.id)
        assert cases.deeds(session, report) == []

    def test_a_medium_of_another_report_is_not_found_through_ones_own(
        self, session: Session, keys: Keys
    ) -> None:
        account = cases.account(session, Role.LEAD, COUNTY, *Permission)
        own = cases.complaint(session, keys)
        foreign = cases.medium(session, cases.complaint(session, keys, held_by=NEIGHBOUR))
        cases.transcript(session, foreign, "别人的")
        for fetch in (casework.original, casework.listening_copy, casework.transcript):
            with pytest.raises(NotFound):
                fetch(session, keys, account, own.id, foreign.id)

    def test_a_version_of_a_transcript_is_asked_for(self, session: Session, keys: Keys) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys)
        voice = cases.medium(session, report)
        cases.transcript(session, voice, "旧", version=1)
        cases.transcript(session, voice, "新", version=2)
        newest = casework.transcript(session, keys, account, report.id, voice.id)
        first = casework.transcript(session, keys, account, report.id, voice.id, version=1)
        assert (newest.version, first.segments[0].text) == (2, "旧")
        with pytest.raises(NotFound):
            casework.transcript(session, keys, account, report.id, voice.id, version=3)

    def test_each_fetch_of_an_original_is_recorded_but_a_listening_once(
        self, session: Session, keys: Keys
    ) -> None:
        account = cases.account(session, Role.INSPECTOR, COUNTY, Permission.ORIGINALS)
        report = cases.complaint(session, keys)
        one, two = (
            cases.medium(session, report, copy_=f"copy/{n}", copy_mime="audio/mp4")
            for n in range(2)
        )
        for _ in range(2):
            casework.original(session, keys, account, report.id, one.id)
            casework.listening_copy(session, keys, account, report.id, one.id)
            casework.listening_copy(session, keys, account, report.id, two.id)
        assert (
            sorted(cases.deeds(session, report)) == ["copy_played"] * 2 + ["original_fetched"] * 2
        )


class TestMoving:
    def test_a_move_follows_the_table_and_is_recorded(self, session: Session, keys: Keys) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys)
        moved = casework.move(session, keys, account, report.id, 1, Move(Status.IN_REVIEW))
        assert (moved.status, moved.version) == (Status.IN_REVIEW, 2)
        assert cases.deeds(session, report) == ["status_changed"]
        with pytest.raises(Conflict):
            casework.move(session, keys, account, report.id, 2, Move(Status.CONCLUDED, "x"))

    def test_two_people_never_overwrite_each_other(self, session: Session, keys: Keys) -> None:
        account = cases.account(session, Role.LEAD)
        report = cases.complaint(session, keys)
        casework.move(session, keys, account, report.id, 1, Move(Status.IN_REVIEW))
        with pytest.raises(Conflict) as raised:
            casework.move(session, keys, account, report.id, 1, Move(Status.READY))
        assert raised.value.code == "changed_meanwhile"
        with pytest.raises(Conflict):
            casework.assign(session, keys, account, report.id, 1, None)

    @pytest.mark.parametrize(
        ("role", "following", "allowed"),
        [
            (Role.LISTENER, Status.IN_REVIEW, False),
            (Role.INSPECTOR, Status.IN_REVIEW, True),
            (Role.INSPECTOR, Status.PASSED_UP, False),
            (Role.LEAD, Status.PASSED_UP, True),
            (Role.OVERSEER, Status.IN_REVIEW, False),
            (Role.ADMINISTRATOR, Status.IN_REVIEW, False),
        ],
    )
    def test_the_role_decides_who_may_move(
        self, session: Session, keys: Keys, role: Role, following: Status, allowed: bool
    ) -> None:
        account = cases.account(session, role, languages=["ii"])
        report = cases.complaint(session, keys)
        step = Move(following, "理由")
        if allowed:
            casework.move(session, keys, account, report.id, 1, step)
        else:
            with pytest.raises(NotAllowed):
                casework.move(session, keys, account, report.id, 1, step)

    def test_what_is_passed_up_is_gone_below(self, session: Session, keys: Keys) -> None:
        below, above = (cases.account(session, Role.LEAD, body) for body in (COUNTY, CITY))
        report = cases.complaint(session, keys, assignee_id=below.id)
        step = Move(Status.PASSED_UP, "涉及本级")
        moved = casework.move(session, keys, below, report.id, 1, step)
        assert (moved.held_by, moved.assignee_id) == (CITY, None)
        with pytest.raises(NotFound):
            casework.look(session, keys, below, report.id)
        casework.move(session, keys, above, report.id, 2, Move(Status.IN_REVIEW))

    def test_passing_up_skips_a_body_that_may_not_hold_it(
        self, session: Session, keys: Keys
    ) -> None:
        lead = cases.account(session, Role.LEAD)
        report = cases.complaint(session, keys, subject_rank="city")
        moved = casework.move(session, keys, lead, report.id, 1, Move(Status.PASSED_UP, "市级"))
        assert moved.held_by == PROVINCE

    def test_above_the_nation_there_is_nobody(self, session: Session, keys: Keys) -> None:
        lead = cases.account(session, Role.LEAD, NATION)
        report = cases.complaint(session, keys, held_by=NATION)
        with pytest.raises(Conflict):
            casework.move(session, keys, lead, report.id, 1, Move(Status.PASSED_UP, "x"))

    def test_a_transfer_goes_to_another_body_and_comes_back(
        self, session: Session, keys: Keys
    ) -> None:
        here, there = (cases.account(session, Role.LEAD, body) for body in (COUNTY, NEIGHBOUR))
        report = confirmed(session, keys)
        casework.move(session, keys, here, report.id, 1, Move(Status.ACCEPTED))
        step = Move(Status.TRANSFERRED, "属邻县管辖", to=NEIGHBOUR)
        casework.move(session, keys, here, report.id, 2, step)
        with pytest.raises(NotFound):
            casework.look(session, keys, here, report.id)
        back = casework.move(session, keys, there, report.id, 3, Move(Status.IN_REVIEW))
        assert back.held_by == COUNTY

    @pytest.mark.parametrize("to", ["", "51", "xxxxxx"])
    def test_a_transfer_needs_somewhere_to_go(self, session: Session, keys: Keys, to: str) -> None:
        lead = cases.account(session, Role.LEAD)
        report = cases.complaint(session, keys, status=Status.ACCEPTED)
        with pytest.raises(Invalid):
            casework.move(session, keys, lead, report.id, 1, Move(Status.TRANSFERRED, "x", to=to))

    def test_accepting_needs_unit_domain_and_conduct_confirmed(
        self, session: Session, keys: Keys
    ) -> None:
        account = cases.account(session)
        report = confirmed(session, keys)
        for missing in CONFIRMED_FIRST:
            report.confirmed = [name for name in CONFIRMED_FIRST if name != missing]
            session.flush()
            with pytest.raises(Conflict):
                casework.move(session, keys, account, report.id, 1, Move(Status.ACCEPTED))
        report.confirmed = list(CONFIRMED_FIRST)
        session.flush()
        casework.move(session, keys, account, report.id, 1, Move(Status.ACCEPTED))

    def test_concluding_needs_a_finding_and_a_reason(self, session: Session, keys: Keys) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys, status=Status.VERIFYING)
        for step in (
            Move(Status.CONCLUDED, "核查完毕"),
            Move(Status.CONCLUDED, "  ", Finding.PARTLY),
            Move(Status.CONCLUDED, "x" * 501, Finding.PARTLY),
        ):
            with pytest.raises(Invalid):
                casework.move(session, keys, account, report.id, 1, step)
        step = Move(Status.CONCLUDED, "核查完毕", Finding.PARTLY)
        assert casework.move(session, keys, account, report.id, 1, step).finding == "partly"

    def test_archiving_closes_and_reopening_needs_a_reason(
        self, session: Session, keys: Keys
    ) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys, status=Status.ACCEPTED)
        step = Move(Status.ARCHIVED, "重复")
        assert casework.move(session, keys, account, report.id, 1, step).closed_at is not None
        with pytest.raises(Invalid):
            casework.move(session, keys, account, report.id, 2, Move(Status.IN_REVIEW))
        again = Move(Status.IN_REVIEW, "有新证据")
        assert casework.move(session, keys, account, report.id, 2, again).closed_at is None

    @pytest.mark.parametrize(
        ("status", "following"),
        [
            (Status.READY, Status.WITHDRAWN),
            (Status.READY, Status.NEEDS_LISTENER),
            (Status.RECEIVED, Status.READY),
        ],
    )
    def test_the_steps_of_reporters_and_of_the_machine_are_not_the_staffs(
        self, session: Session, keys: Keys, status: Status, following: Status
    ) -> None:
        account = cases.account(session, Role.LEAD)
        report = cases.complaint(session, keys, status=status)
        with pytest.raises(NotAllowed):
            casework.move(session, keys, account, report.id, 1, Move(following, "x"))


class TestRouting:
    def test_a_report_about_the_body_itself_moves_up_at_once_and_once(
        self, session: Session, keys: Keys
    ) -> None:
        below = cases.account(session)
        report = cases.complaint(session, keys, subject_rank="county", assignee_id=below.id)
        assert casework.route(session, keys, report)
        assert (report.held_by, report.assignee_id) == (CITY, None)
        assert not casework.route(session, keys, report)
        assert cases.deeds(session, report) == ["moved_up"]
        with pytest.raises(NotFound):
            casework.look(session, keys, below, report.id)

    def test_whom_it_concerns_is_shut_out_and_no_longer_assigned(
        self, session: Session, keys: Keys
    ) -> None:
        named = cases.account(session, Role.LEAD, PROVINCE, name="曲木阿呷")
        report = cases.complaint(session, keys, assignee_id=named.id, subject_name="曲木阿呷")
        assert casework.route(session, keys, report)
        assert (report.held_by, report.assignee_id) == (COUNTY, None)
        with pytest.raises(NotFound):
            casework.look(session, keys, named, report.id)

    def test_an_ordinary_report_stays(self, session: Session, keys: Keys) -> None:
        report = cases.complaint(session, keys, subject_rank="village")
        assert not casework.route(session, keys, report)
        assert report.version == 1


class TestAssigning:
    def test_an_inspector_takes_it_and_a_lead_gives_it(self, session: Session, keys: Keys) -> None:
        inspector, lead = cases.account(session), cases.account(session, Role.LEAD)
        report = cases.complaint(session, keys)
        taken = casework.assign(session, keys, inspector, report.id, 1, inspector.id)
        assert taken.assignee_id == inspector.id
        with pytest.raises(NotAllowed):
            casework.assign(session, keys, inspector, report.id, 2, lead.id)
        casework.assign(session, keys, lead, report.id, 2, inspector.id)
        assert casework.assign(session, keys, lead, report.id, 3, None).assignee_id is None

    def test_it_is_given_only_to_whoever_sees_it(self, session: Session, keys: Keys) -> None:
        lead = cases.account(session, Role.LEAD)
        report = cases.complaint(session, keys)
        blind = [
            cases.account(session, Role.INSPECTOR, NEIGHBOUR).id,
            cases.account(session, Role.OVERSEER).id,
            cases.account(session, disabled=True).id,
            uuid4(),
        ]
        for each in blind:
            with pytest.raises(NotAllowed):
                casework.assign(session, keys, lead, report.id, 1, each)


class TestAnswering:
    @pytest.mark.parametrize("text", ["", "  ", "x" * 4_001])
    def test_an_answer_says_something_and_not_too_much(
        self, session: Session, keys: Keys, text: str
    ) -> None:
        account = cases.account(session)
        report = cases.complaint(session, keys)
        with pytest.raises(Invalid):
            casework.answer(session, keys, account, report.id, text)
