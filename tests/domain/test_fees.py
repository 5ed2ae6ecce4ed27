from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.fees import DUST, Fees, bumped_fees, capped_fees, fees_for
from mintery.units import Wei

GWEI = 10**9
prices = st.integers(0, 10**13).map(Wei)
dusts = st.integers(0, DUST - 1)


@given(base=prices, tip=prices, dust=dusts, cap=prices)
def test_a_first_offer_stays_below_its_cap_and_is_worth_sending(base: Wei, tip: Wei, dust: int, cap: Wei):
    fees = capped_fees(base, tip, dust=dust, cap=cap)

    if fees is None:
        assert base + DUST > cap
    else:
        assert base + fees.priority_fee <= fees.max_fee <= cap
        assert fees.priority_fee <= tip
        assert fees == fees_for(base, tip, dust=dust) or fees.max_fee == cap - dust


@given(max_fee=prices, tip=prices, base=prices, now_tip=prices, cap=prices)
def test_a_bump_is_an_eighth_more_of_both_and_never_above_the_cap(
    max_fee: Wei, tip: Wei, base: Wei, now_tip: Wei, cap: Wei
):
    before = Fees(max_fee, min(tip, max_fee))

    after = bumped_fees(before, base, now_tip, cap=cap)

    if after is None:
        assert max_fee * 9 > cap * 8
    else:
        assert after.max_fee * 8 >= before.max_fee * 9
        assert after.priority_fee * 8 >= before.priority_fee * 9
        assert after.priority_fee <= after.max_fee <= cap


def test_a_spike_of_25_is_outbid_at_once():
    first = fees_for(Wei(2 * GWEI), Wei(GWEI), dust=0)

    bumped = bumped_fees(first, Wei(50 * GWEI), Wei(GWEI), cap=Wei(1_000 * GWEI))

    assert bumped is not None
    assert bumped.max_fee >= 100 * GWEI
