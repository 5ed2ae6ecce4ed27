"""What several reports come to: a liar among 2f + 1 moves nothing, and is named."""

from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.reporting import Dissent, Vote, agreed_prices, dissents, is_alike, is_turn_of
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds, UsdWad

NAMES = tuple(Address(f"0x{number:040x}") for number in range(1, 8))
prices = st.integers(1, 2**128 - 1).map(UsdWad)


def votes(*said: int, sku: int = 1) -> list[Vote]:
    return [Vote(name, {sku: UsdWad(usd)}) for name, usd in zip(NAMES, said, strict=False)]


@given(prices, prices, st.integers(0, 4), st.integers(3, 5))
def test_one_liar_never_moves_the_price_and_is_named(honest: UsdWad, lie: UsdWad, liar: int, present: int):
    said = [honest] * present
    said[min(liar, present - 1)] = lie

    agreed = agreed_prices(votes(*said), 3)

    assert agreed == {1: honest}
    named = dissents(votes(*said), agreed)
    assert set(named) == (set() if is_alike(honest, lie) else {NAMES[min(liar, present - 1)]})


@given(st.lists(prices, min_size=3, max_size=5), st.data())
def test_what_is_agreed_lies_between_honest_prices(said: list[UsdWad], data: st.DataObject):
    liar = data.draw(st.integers(0, len(said) - 1))
    honest = [usd for place, usd in enumerate(said) if place != liar]

    for usd in agreed_prices(votes(*said), 3).values():
        assert min(honest) <= usd <= max(honest)


def test_fewer_than_the_quorum_agree_on_nothing():
    assert agreed_prices(votes(7, 7), 3) == {}


def test_without_a_majority_nothing_is_agreed():
    assert agreed_prices(votes(100, 200, 300), 3) == {}
    assert agreed_prices(votes(100, 100, 300, 300), 3) == {}


def test_a_dissenter_is_told_by_its_worst_price():
    said = [Vote(name, {1: UsdWad(100), 2: UsdWad(100)}) for name in NAMES[:4]]
    said.append(Vote(NAMES[4], {1: UsdWad(1), 2: UsdWad(100_000), 9: UsdWad(5)}))

    assert dissents(said, agreed_prices(said, 3)) == {
        NAMES[4]: Dissent(NAMES[4], 2, said=UsdWad(100_000), agreed=UsdWad(100))
    }


@given(st.integers(0, 10**6), st.integers(1, 3_600), st.integers(4, 7))
def test_one_may_send_at_once_and_all_before_the_epoch_is_half_over(epoch: int, length: int, count: int):
    among = NAMES[:count]
    begins, half = UnixSeconds(epoch * length), UnixSeconds(epoch * length + (length + 1) // 2)

    assert sum(is_turn_of(name, among, epoch, length, begins) for name in among) == 1
    assert all(is_turn_of(name, among, epoch, length, half) for name in among)


def test_the_first_changes_with_the_epoch():
    firsts = {
        name
        for epoch in range(5)
        for name in NAMES[:5]
        if is_turn_of(name, NAMES[:5], epoch, 600, UnixSeconds(epoch * 600))
    }
    assert firsts == set(NAMES[:5])
