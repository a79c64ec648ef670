from __future__ import annotations

from collections.abc import Iterator

import pytest

from api import errors as answers
from models import errors
from models.errors import TooMany, XiangyinError


def family(kind: type[XiangyinError]) -> Iterator[type[XiangyinError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotMedia, 415),
        (errors.TooLarge, 413),
        (errors.Empty, 422),
        (errors.Invalid, 422),
        (errors.Conflict, 409),
        (errors.NotAllowed, 403),
        (errors.Unauthenticated, 401),
        (errors.NotFound, 404),
        (errors.Refused, 400),
        (errors.Unplayable, 422),
        (errors.Unavailable, 503),
        (errors.Misconfigured, 500),
    ],
)
def test_each_error_has_its_status(error: type[XiangyinError], status: int) -> None:
    assert answers.status_of(error("中文", "English")) == status


def test_every_error_of_the_tree_is_in_the_table() -> None:
    for kind in family(XiangyinError):
        assert any(parent in answers.STATUS for parent in kind.__mro__)
        if kind.__module__ == "models.errors":
            assert kind in answers.STATUS or kind.__mro__[1] in answers.STATUS


def test_an_answer_says_when_to_come_back() -> None:
    limited = answers.respond(TooMany("等", "Wait", retry_after=7))
    away = answers.respond(errors.Unavailable("等", "Wait"))
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert int(away.headers["retry-after"]) > 0


def test_an_answer_says_what_to_come_with() -> None:
    token = answers.respond(errors.Unauthenticated("令牌", "token", code="bad_token"))
    receipt = answers.respond(errors.Unauthenticated("回执", "receipt", code="receipt_needed"))
    assert token.headers["www-authenticate"] == "Bearer"
    assert receipt.headers["www-authenticate"] == "Receipt"
    assert token.media_type == answers.MEDIA_TYPE
