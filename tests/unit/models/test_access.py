from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session, select

from models import access
from models.access import Act
from models.account import Account, Permission, Role
from models.complaint import Complaint
from models.errors import NotAllowed, NotFound
from models.keys import Keys
from tests import cases
from tests.cases import CITY, COUNTY, NATION, NEIGHBOUR, PROVINCE

READERS = (Role.LISTENER, Role.INSPECTOR, Role.LEAD)


def sees(session: Session, account: Account, complaint: Complaint) -> bool:
    query = select(Complaint.id).where(Complaint.id == complaint.id, access.visible(account))
    return session.exec(query).first() is not None


@pytest.mark.parametrize(
    ("division", "held_by", "visible"),
    [
        (COUNTY, COUNTY, True),
        (COUNTY, NEIGHBOUR, False),
        (COUNTY, CITY, False),
        (COUNTY, PROVINCE, False),
        (CITY, COUNTY, True),
        (CITY, NEIGHBOUR, True),
        (CITY, "510104", False),
        (PROVINCE, COUNTY, True),
        (PROVINCE, "610104", False),
        (NATION, COUNTY, True),
        (NATION, NATION, True),
    ],
)
def test_an_account_sees_its_subtree_and_nothing_else(
    session: Session, keys: Keys, division: str, held_by: str, visible: bool
) -> None:
    account = cases.account(session, Role.INSPECTOR, division)
    report = cases.complaint(session, keys, held_by=held_by)
    assert sees(session, account, report) is visible


@pytest.mark.parametrize(
    ("rounds", "visible"), [([], False), (["r1"], True), (["r2"], False), (["*"], True)]
)
def test_of_inspection_rounds_an_account_sees_its_own(
    session: Session, keys: Keys, rounds: list[str], visible: bool
) -> None:
    account = cases.account(session, rounds=rounds)
    assert sees(session, account, cases.complaint(session, keys, round="r1")) is visible
    assert sees(session, account, cases.complaint(session, keys))


@pytest.mark.parametrize(
    ("division", "visible"),
    [(COUNTY, False), (CITY, True), (PROVINCE, True), (NATION, True), (NEIGHBOUR, False)],
)
def test_what_was_sent_upwards_only_is_gone_below(
    session: Session, keys: Keys, division: str, visible: bool
) -> None:
    account = cases.account(session, Role.LEAD, division)
    report = cases.complaint(session, keys, upward_only=True, held_by=CITY)
    assert sees(session, account, report) is visible
    if division == COUNTY:
        report.held_by = COUNTY
        session.flush()
        assert not sees(session, account, report)


def test_somebody_shut_out_never_sees_it(session: Session, keys: Keys) -> None:
    account = cases.account(session, Role.LEAD, PROVINCE)
    other = cases.account(session, Role.LEAD, PROVINCE)
    report = cases.complaint(session, keys, shut_out=["x", str(account.id)])
    assert not sees(session, account, report)
    assert sees(session, other, report)


def test_the_staff_of_a_unit_never_see_what_is_about_it(session: Session, keys: Keys) -> None:
    inside = cases.account(session, unit_code="u-1")
    outside = cases.account(session, unit_code="u-2")
    about = cases.complaint(session, keys, subject_unit_code="u-1")
    unknown = cases.complaint(session, keys)
    assert not sees(session, inside, about)
    assert sees(session, inside, unknown)
    assert sees(session, outside, about)


@pytest.mark.parametrize(
    ("spoken", "fields", "visible"),
    [
        (["ug"], {"language": "ug"}, True),
        (["ug"], {"language": "kk"}, False),
        (["zh"], {"language": "zh-u-sd-cnsc"}, True),
        (["ug"], {"language": "und"}, True),
        ([], {"language": "und"}, True),
        ([], {"language": "zh"}, False),
        (["ug"], {"language": "zh", "declared_language": "ug"}, True),
        (["ug"], {"language": "zh", "languages": [{"tag": "zh"}, {"tag": "ug"}]}, True),
        (["u"], {"language": "zh", "languages": [{"tag": "ug"}]}, False),
        (["%"], {"language": "zh", "languages": [{"tag": "zh"}]}, False),
    ],
)
def test_a_listener_sees_the_languages_they_speak(
    session: Session, keys: Keys, spoken: list[str], fields: dict[str, Any], visible: bool
) -> None:
    listener = cases.account(session, Role.LISTENER, languages=spoken)
    inspector = cases.account(session, Role.INSPECTOR, languages=spoken)
    report = cases.complaint(session, keys, **fields)
    assert sees(session, listener, report) is visible
    assert sees(session, inspector, report)


@pytest.mark.parametrize("role", [Role.OVERSEER, Role.ADMINISTRATOR])
def test_overseers_and_administrators_see_no_complaint(
    session: Session, keys: Keys, role: Role
) -> None:
    account = cases.account(session, role, NATION, *Permission)
    assert not sees(session, account, cases.complaint(session, keys))
    for act in (Act.READ, *access.BY_PERMISSION):
        assert not access.may(account, act)


def test_what_is_not_ones_own_does_not_exist(session: Session, keys: Keys) -> None:
    account = cases.account(session, Role.LEAD, NEIGHBOUR)
    report = cases.complaint(session, keys)
    with pytest.raises(NotFound):
        access.find(session, account, report.id)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("act", "permission"), list(access.BY_PERMISSION.items()))
def test_identity_originals_and_export_need_a_permission_besides_a_role_that_reads(
    session: Session, keys: Keys, role: Role, act: Act, permission: Permission
) -> None:
    without = cases.account(session, role, COUNTY, *(set(Permission) - {permission}))
    granted = cases.account(session, role, COUNTY, permission)
    with pytest.raises(NotAllowed):
        access.require(without, act)
    assert access.may(granted, act) is (role in READERS)


def test_every_act_is_somebodys(session: Session) -> None:
    granted = set().union(*access.BY_ROLE.values()) | set(access.BY_PERMISSION)
    assert granted == set(Act)
    assert set(access.BY_ROLE) == set(Role)
