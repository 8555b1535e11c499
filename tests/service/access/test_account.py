"""The rate and the quota of a key, by a clock that the test holds."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent.keys import Key
from service.access.account import DAY, Account
from service.errors import QuotaSpent, RateExceeded

DIGEST = "ab" * 32
NOON = 20_000 * DAY + DAY // 2


class Clock:
    def __init__(self) -> None:
        self.now = float(NOON)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def account(clock: Clock, folder: Path | None = None, **limits: float | datetime) -> Account:
    return Account("alice", Key.model_validate({"digest": DIGEST} | limits), folder, clock)


def test_a_key_without_limits_draws_without_end(clock: Clock) -> None:
    unlimited = account(clock)
    unlimited.spend(10**15)
    assert unlimited.left() == []


def test_the_burst_is_there_at_once_and_the_rate_fills_it_again(clock: Clock) -> None:
    alice = account(clock, rate=10, burst=50)
    for _ in range(5):
        alice.spend(10)
    with pytest.raises(RateExceeded, match="in 1 s") as refused:
        alice.spend(10)
    assert refused.value.headers["Retry-After"] == "1"
    clock.now += 1
    alice.spend(10)
    assert alice.left() == [("rate", 0, 5)]


def test_what_is_refused_is_not_spent(clock: Clock) -> None:
    alice = account(clock, rate=10, burst=50, quota=55)
    alice.spend(45)
    for images in (10, 11):  # too many for the bucket, and for the day
        with pytest.raises((RateExceeded, QuotaSpent)):
            alice.spend(images)
    assert alice.left() == [("rate", 5, 5), ("day", 10, DAY // 2)]


def test_more_than_the_burst_is_drawn_once_the_bucket_is_full_and_then_paid(clock: Clock) -> None:
    alice = account(clock, rate=10, burst=50)
    alice.spend(150)
    clock.now += 10
    with pytest.raises(RateExceeded, match="in 1 s"):
        alice.spend(1)
    with pytest.raises(RateExceeded, match="in 5 s"):
        alice.spend(1000)
    clock.now += 5
    alice.spend(1000)


def test_the_quota_begins_again_at_midnight(clock: Clock) -> None:
    alice = account(clock, quota=100)
    alice.spend(100)
    with pytest.raises(QuotaSpent, match="0 images left") as refused:
        alice.spend(1)
    assert refused.value.headers["Retry-After"] == str(DAY // 2)
    clock.now += DAY / 2
    alice.spend(100)


def test_workers_share_what_is_spent_and_a_start_forgets_nothing(clock: Clock, tmp_path: Path) -> None:
    first, second = (account(clock, tmp_path / "accounts", rate=1, burst=10, quota=10) for _ in range(2))
    first.spend(6)
    with pytest.raises(RateExceeded):
        second.spend(6)
    second.spend(4)
    del first, second
    assert account(clock, tmp_path / "accounts", rate=1, burst=10, quota=10).left()[1] == ("day", 0, DAY // 2)


def test_a_clock_that_is_set_back_gives_nothing(clock: Clock) -> None:
    alice = account(clock, rate=10, burst=50)
    alice.spend(50)
    clock.now -= 3600
    with pytest.raises(RateExceeded):
        alice.spend(1)
    clock.now += 1
    alice.spend(10)


def test_a_key_expires(clock: Clock) -> None:
    alice = account(clock, expires=datetime.fromtimestamp(NOON + 1, UTC))
    assert not alice.has_expired
    clock.now += 1
    assert alice.has_expired


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 1000),
    asked=st.lists(st.tuples(st.floats(0, 10), st.integers(1, 500)), max_size=50),
)
def test_no_time_has_more_than_rate_burst_and_one_request(
    rate: float, burst: int, asked: list[tuple[float, int]]
) -> None:
    clock = Clock()
    alice = account(clock, rate=rate, burst=burst)
    drawn = []
    for pause, images in asked:
        clock.now += pause
        with suppress(RateExceeded):
            alice.spend(images)
            drawn.append((clock.now, images))
    for first in range(len(drawn)):
        for last in range(first, len(drawn)):
            images = sum(count for _, count in drawn[first : last + 1])
            largest = max(count for _, count in drawn[first : last + 1])
            assert images <= rate * (drawn[last][0] - drawn[first][0]) + burst + largest + 1e-3
