"""What the holder of a receipt learns and decides after a report was sent."""

from __future__ import annotations

from sqlmodel import Session

from models import audit, casework
from models.audit import Deed
from models.casework import Answer
from models.complaint import Complaint
from models.keys import Keys
from models.status import FOLLOWING, Status
from models.transcript import UNKNOWN_LANGUAGE, Frozen


class Following(Frozen):
    """How a report stands.

    channel : whose recorded prompts are heard; language : the one to speak to the reporter in
    open : it still takes additions; may_withdraw : nobody has accepted it yet
    """

    status: Status
    channel: str
    language: str
    open: bool
    may_withdraw: bool
    training_consent: bool
    answers: tuple[Answer, ...]


def follow(session: Session, keys: Keys, digits: str) -> Following | None:
    """Tell the reporter how it stands; None for a receipt nobody was given, in the same time."""
    view = casework.reporter_view(session, keys, digits)
    complaint = casework.by_receipt(session, keys, digits)
    if view is None or complaint is None:
        return None
    return Following(
        status=view.status,
        channel=complaint.channel_code,
        language=_language(complaint),
        open=view.status is not Status.WITHDRAWN,
        may_withdraw=Status.WITHDRAWN in FOLLOWING[view.status],
        training_consent=complaint.training_consent,
        answers=view.answers,
    )


def consent(session: Session, keys: Keys, digits: str, agreed: bool) -> Complaint | None:
    """Note whether the recording may teach the machine its language; it may be changed again."""
    complaint = casework.by_receipt(session, keys, digits)
    if complaint is not None and complaint.training_consent != agreed:
        complaint.training_consent = agreed
        session.add(complaint)
        details: dict[str, audit.Detail] = {"agreed": agreed}
        audit.append(session, keys, casework.REPORTER, Deed.CONSENTED, complaint.id, details)
    return complaint


def _language(complaint: Complaint) -> str:
    declared = complaint.declared_language
    return complaint.language if declared in ("", UNKNOWN_LANGUAGE) else declared
