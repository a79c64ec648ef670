from __future__ import annotations

import pytest

from api.limits import ROTATION_SECONDS, AddressHash, Limiter, is_remote
from models.errors import Misconfigured, TooMany
from models.settings import Rates


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_is_counted_under_a_name_that_changes_every_hour() -> None:
    clock = Clock()
    named = AddressHash(clock)
    first = named("203.0.113.7")
    assert named("203.0.113.7") == first
    assert named("203.0.113.8") != first
    clock.now = ROTATION_SECONDS
    assert named("203.0.113.7") != first


def test_two_servers_name_an_address_differently() -> None:
    assert AddressHash()("203.0.113.7") != AddressHash()("203.0.113.7")


def test_a_network_of_ipv6_addresses_is_one_client() -> None:
    named = AddressHash()
    assert named("2001:db8::1") == named("2001:db8::ffff:2")
    assert named("2001:db8::1") != named("2001:db8:0:1::1")
    assert named("::ffff:203.0.113.7") == named("203.0.113.7")


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("203.0.113.7", True),
        ("2001:db8::1", True),
        ("127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::1", False),
        ("testclient", False),
        ("", False),
        (None, False),
    ],
)
def test_this_machine_itself_is_not_limited_by_address(address: str | None, remote: bool) -> None:
    assert is_remote(address) is remote


def test_no_address_is_kept_in_the_counters() -> None:
    limiter = Limiter(Rates())
    limiter.submit_address("203.0.113.7")
    limiter.may_guess("203.0.113.7")
    limiter.guessed_wrong("203.0.113.7")
    assert "203.0.113" not in repr(vars(limiter._counter.storage))


def test_a_limit_is_near_from_half_of_it_on() -> None:
    limiter = Limiter(Rates(submissions_per_channel="4/hour", submissions_per_address="100/hour"))
    seen = []
    for _ in range(4):
        seen.append(limiter.near("c", "203.0.113.7"))
        limiter.submit_channel("c")
    assert seen == [False, False, False, True]
    assert not limiter.near("other", "203.0.113.7")
    with pytest.raises(TooMany):
        limiter.submit_channel("c")


def test_a_rate_that_cannot_be_read_names_its_setting() -> None:
    with pytest.raises(Misconfigured, match="XIANGYIN_RATE_SUBMISSIONS_PER_ADDRESS"):
        Limiter(Rates(submissions_per_address="sixty"))
