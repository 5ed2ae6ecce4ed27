from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.membership import (
    RENEWAL_GRACE,
    Offer,
    Offers,
    PaidMonth,
    Period,
    Standing,
    calendar_month,
    month_after,
    standing_of,
)
from mintery.domain.rates import Rates
from mintery.domain.voucher import AccountId

ALICE = AccountId("0x" + "a" * 64)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTHLY = frozenset({Period.MONTH})
OFFERS = Offers(
    offers={
        "pro": Offer("pro", MONTHLY, Rates(600, 10_000), 1),
        "fast": Offer("fast", MONTHLY, Rates(300, 50_000), 3),
    },
    without=Standing(rates=Rates(60, 1_000)),
)


def month(name: str, began: datetime = NOON) -> PaidMonth:
    return PaidMonth(ALICE, name, began, month_after(began, began.day))


def test_a_standing_is_the_best_of_all_that_was_bought():
    standing = standing_of(OFFERS, [month("pro"), month("fast")], NOON)

    assert standing == Standing(frozenset({"pro", "fast"}), Rates(600, 50_000), 3)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (NOON - timedelta(microseconds=1), set()),
        (NOON, {"pro"}),
        (datetime(2026, 12, 21, 12, tzinfo=UTC) + RENEWAL_GRACE - timedelta(microseconds=1), {"pro"}),
        (datetime(2026, 12, 21, 12, tzinfo=UTC) + RENEWAL_GRACE, set()),
    ],
)
def test_a_month_counts_while_it_lasts_and_a_little_longer(now: datetime, opens: set[str]):
    assert standing_of(OFFERS, [month("pro")], now).opens == opens


def test_what_is_no_longer_offered_counts_for_nothing():
    assert standing_of(OFFERS, [month("gone")], NOON) == OFFERS.without


def test_months_end_on_the_day_they_began_or_the_months_last():
    ends, began = [], datetime(2027, 12, 31, 23, 59, tzinfo=UTC)
    for _ in range(4):
        began = month_after(began, 31)
        ends.append(began.date().isoformat())

    assert ends == ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]


@given(
    began=st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- its zone is given
    late=st.lists(st.integers(0, 40 * 86_400), min_size=1, max_size=30),
)
def test_no_two_months_begin_in_one_calendar_month(began: datetime, late: list[int]):
    """Each begins where the last one ended, or later where it was paid late: then its own day is the anchor from there."""
    seen, anchor = [calendar_month(began)], began.day
    for seconds in late:
        ends = month_after(began, anchor)
        assert timedelta(days=27) < ends - began <= timedelta(days=31)
        began = ends + timedelta(seconds=seconds)
        anchor = began.day if seconds else anchor
        seen.append(calendar_month(began))

    assert len(set(seen)) == len(seen)
