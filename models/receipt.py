"""The receipt: sixteen digits that a reporter keeps, the last a Damm check digit.

The check digit catches every single wrong digit and every swap of neighbours
(H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004).
"""

from __future__ import annotations

import secrets

from models.errors import Invalid
from models.keys import Keys

DIGITS = 16
GROUP = 4
# The totally anti-symmetric quasigroup of order 10 from Damm's thesis.
_QUASIGROUP = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(digits: str) -> str:
    """Give the Damm check digit of a string of decimal digits."""
    interim = 0
    for digit in digits:
        interim = _QUASIGROUP[interim][int(digit)]
    return str(interim)


def draw() -> str:
    """Draw a new receipt from the system's secure source: 15 random digits and the check."""
    body = "".join(str(secrets.randbelow(10)) for _ in range(DIGITS - 1))
    return body + check_digit(body)


def digest(keys: Keys, receipt: str) -> str:
    """Give the keyed hash under which a receipt is stored; its key serves nothing else."""
    return keys.digest("receipt", receipt.encode())


def grouped(receipt: str) -> str:
    """Write a receipt in groups of four, as it is shown and read aloud."""
    return " ".join(receipt[i : i + GROUP] for i in range(0, DIGITS, GROUP))


def parse(written: str) -> str:
    """Read a receipt as a person writes it (spaces, dashes, full-width digits) or raise Invalid."""
    kept = (c for c in written if not c.isspace() and c not in "-‐–—_.·")
    digits = "".join(str(int(c)) if c.isdecimal() else c for c in kept)
    if len(digits) != DIGITS or not digits.isdecimal() or check_digit(digits) != "0":
        raise Invalid(
            "回执号不对，请对照再输一次，共 16 位数字。",
            "That receipt number is not right: please check its 16 digits and enter it again.",
            code="receipt_mistyped",
        )
    return digits
