"""The errors of Xiangyin, as one tree that knows no HTTP.

XiangyinError
├── Refused                 what was asked cannot be taken as it is; the asker can mend it
│   ├── NotMedia            content that is no recording, photograph or text
│   ├── TooLarge            more bytes, seconds or files than the limits allow
│   ├── Empty               nothing was sent
│   ├── Invalid             a field or file that does not follow its rules
│   ├── Conflict            the record moved on, or the same key was used for something else
│   ├── NotAllowed          the account or reporter may not do this
│   ├── Unauthenticated     nobody, or nobody known, is asking
│   ├── NotFound            nothing there that the asker may see
│   └── TooMany             a limit on attempts or submissions
├── Permanent               a job that will fail again however often it is tried
│   └── Unplayable          sound or a picture that cannot be decoded
├── Unavailable             the database, queue or blob store does not answer: try again later
└── Misconfigured           a setting, key, pack or file that an operator must mend

Every error carries one sentence in Chinese and one in English that say what to do.
"""

from __future__ import annotations


class XiangyinError(Exception):
    """Base of every error that a person may meet.

    code : stable identifier for programs, in snake_case
    zh, en : one sentence each, saying what happened and what to do
    """

    code = "error"

    def __init__(self, zh: str, en: str, *, code: str | None = None) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en
        if code is not None:
            self.code = code


class Refused(XiangyinError):
    code = "refused"


class NotMedia(Refused):
    code = "not_media"


class TooLarge(Refused):
    code = "too_large"


class Empty(Refused):
    code = "empty"


class Invalid(Refused):
    code = "invalid"


class Conflict(Refused):
    code = "conflict"


class NotAllowed(Refused):
    code = "not_allowed"


class Unauthenticated(Refused):
    code = "unauthenticated"


class NotFound(Refused):
    code = "not_found"


class TooMany(Refused):
    """Refuse what was asked too often; `retry_after` seconds later it may be tried again."""

    code = "too_many"

    def __init__(self, zh: str, en: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(zh, en, code=code)
        self.retry_after = retry_after


class Permanent(XiangyinError):
    code = "permanent"


class Unplayable(Permanent):
    code = "unplayable"


class Unavailable(XiangyinError):
    code = "unavailable"


class Misconfigured(XiangyinError):
    code = "misconfigured"
