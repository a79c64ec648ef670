"""The states of a complaint and of its media, and which may follow which."""

from __future__ import annotations

from enum import StrEnum

from models.errors import Conflict


class Status(StrEnum):
    """Where a complaint stands."""

    RECEIVED = "received"
    READY = "ready"
    NEEDS_LISTENER = "needs_listener"
    IN_REVIEW = "in_review"
    ACCEPTED = "accepted"
    PASSED_UP = "passed_up"
    TRANSFERRED = "transferred"
    VERIFYING = "verifying"
    CONCLUDED = "concluded"
    RECTIFYING = "rectifying"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"


class MediumState(StrEnum):
    """Where one recording, text or photograph stands. Nothing is ever merely failed."""

    STORED = "stored"
    PREPARED = "prepared"
    DONE = "done"
    NEEDS_LISTENER = "needs_listener"


class Finding(StrEnum):
    """How a verification ended."""

    SUBSTANTIATED = "substantiated"
    PARTLY = "partly"
    UNSUBSTANTIATED = "unsubstantiated"
    SETTLED = "settled"


S = Status
FOLLOWING: dict[Status, frozenset[Status]] = {
    S.RECEIVED: frozenset({S.READY, S.NEEDS_LISTENER, S.WITHDRAWN, S.PASSED_UP}),
    S.READY: frozenset({S.NEEDS_LISTENER, S.IN_REVIEW, S.PASSED_UP, S.WITHDRAWN}),
    S.NEEDS_LISTENER: frozenset({S.READY, S.IN_REVIEW, S.PASSED_UP, S.WITHDRAWN}),
    S.IN_REVIEW: frozenset({S.READY, S.NEEDS_LISTENER, S.ACCEPTED, S.PASSED_UP, S.WITHDRAWN}),
    S.ACCEPTED: frozenset({S.TRANSFERRED, S.VERIFYING, S.ARCHIVED}),
    S.PASSED_UP: frozenset({S.IN_REVIEW}),
    S.TRANSFERRED: frozenset({S.ACCEPTED, S.IN_REVIEW}),
    S.VERIFYING: frozenset({S.CONCLUDED}),
    S.CONCLUDED: frozenset({S.RECTIFYING, S.ARCHIVED}),
    S.RECTIFYING: frozenset({S.ARCHIVED, S.VERIFYING}),
    S.ARCHIVED: frozenset({S.IN_REVIEW}),
    S.WITHDRAWN: frozenset(),
}
# What is in one of these has no clock running; of what is concluded the reporter is yet to be told.
CLOSED = frozenset({S.ARCHIVED, S.WITHDRAWN})
REASON_NEEDED = frozenset({S.ARCHIVED, S.CONCLUDED, S.TRANSFERRED, S.PASSED_UP})
SETTLED = frozenset({MediumState.DONE, MediumState.NEEDS_LISTENER})
# While media settle, the machine itself moves the report between these.
BY_MACHINE = frozenset({S.RECEIVED, S.READY, S.NEEDS_LISTENER})


def require(current: Status, following: Status) -> None:
    """Raise Conflict unless `following` may come after `current`."""
    if following not in FOLLOWING[current]:
        raise Conflict(
            f"当前状态“{current}”不能变为“{following}”，请刷新后再看。",
            f"A complaint that is {current} cannot become {following}: reload it and look again.",
            code="status_not_allowed",
        )
