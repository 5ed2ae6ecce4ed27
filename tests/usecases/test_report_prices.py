"""Reporters sign what they saw; the oracle takes the median of a quorum, and leaps wait."""

from collections.abc import Mapping, Sequence

import pytest
from tests.usecases.town import PRICES, QUEUE_DELAY, Town, now, reporters

from mintery.crypto.keys import dev_key
from mintery.domain.observation import Unroutable
from mintery.domain.price import Sku
from mintery.errors import QuorumMissing
from mintery.units import UsdWad
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.refresh_market import MarketBoard
from mintery.usecases.report_prices import NothingToReport, PricesReported, Reporter, report_prices

SKU = "acme/small:input_token"
HEARTBEAT = 3_600


def report(town: Town, who: Sequence[Reporter], alarms: Alarms | None = None) -> PricesReported | NothingToReport:
    town.advance(1)
    return report_prices(town.chain, who, town.admin, alarms or Alarms(), now=now(), heartbeat=HEARTBEAT)


def in_force(town: Town) -> UsdWad:
    return town.chain.oracle.current_price(town.chain.oracle.sku_of(SKU))[1]


def scaled(per_mille: int) -> Mapping[str, UsdWad]:
    return {sku: UsdWad(usd * per_mille // 1_000) for sku, usd in PRICES.items()}


@pytest.fixture(autouse=True)
def _as_before(town: Town) -> None:
    """Each test begins with the usual prices fresh, and days after any other: earlier moves no longer bound the next."""
    town.put_in_force(PRICES)
    town.advance(2 * 86_400)
    town.report(PRICES)


def test_fresh_prices_are_not_reported_again(town: Town):
    assert report(town, reporters(PRICES)) == NothingToReport("all prices are fresh")


def test_an_unchanged_price_is_refreshed_after_the_heartbeat(town: Town):
    index = town.chain.oracle.sku_of(SKU)
    version, _ = town.chain.oracle.current_price(index)
    town.advance(HEARTBEAT)

    result = report(town, reporters(PRICES))

    assert isinstance(result, PricesReported)
    assert (result.in_force, result.queued) == ({}, {})
    assert town.chain.oracle.refreshed_at(index) == town.rpc.block().timestamp
    assert town.chain.oracle.current_price(index)[0] == version


def test_a_small_move_is_in_force_at_once(town: Town):
    result = report(town, reporters(scaled(1_050)))

    assert isinstance(result, PricesReported)
    assert result.in_force == scaled(1_050)
    assert in_force(town) == scaled(1_050)[SKU]


def test_a_leap_waits_for_a_second_report_after_the_delay(town: Town):
    doubled = scaled(2_000)
    first = report(town, reporters(doubled))
    assert isinstance(first, PricesReported)
    assert (first.in_force, first.queued) == ({}, doubled)
    assert in_force(town) == PRICES[SKU]
    early = report(town, reporters(doubled))
    assert early == NothingToReport("all prices are fresh")

    town.advance(QUEUE_DELAY)
    second = report(town, reporters(doubled))

    assert isinstance(second, PricesReported)
    assert second.in_force == doubled


def test_one_liar_of_five_moves_nothing_and_is_named(town: Town):
    honest, liar, alarms = reporters(scaled(1_050)), reporters(scaled(1_050_000)), Alarms()

    result = report(town, (*honest[:4], liar[4]), alarms)

    assert isinstance(result, PricesReported), result
    assert in_force(town) == scaled(1_050)[SKU]
    [standing] = alarms.standing()
    assert (standing.alarm, standing.subject) == (Alarm.REPORTER_DISAGREES, liar[4].key.address)


def test_fewer_than_the_quorum_report_nothing(town: Town):
    with pytest.raises(QuorumMissing) as caught:
        report(town, reporters(scaled(1_050))[:2])

    assert (caught.value.reporters, caught.value.quorum) == (2, 3)


def test_reporters_who_see_nothing_do_not_count(town: Town):
    blind = Reporter(dev_key(10), lambda skus, _now: [Unroutable(sku, "no source") for sku in skus])
    alarms = Alarms()

    result = report(town, (blind, *reporters(scaled(1_050))[1:]), alarms)

    assert isinstance(result, PricesReported)
    assert result.reports == 4
    assert [standing.alarm for standing in alarms.standing()] == [Alarm.PRICES]


def test_only_one_report_in_an_epoch(town: Town):
    town.advance(1)
    who = reporters(scaled(1_050))
    at = town.rpc.block().timestamp
    town.rpc.request("evm_setNextBlockTimestamp", hex(at))
    first = report_prices(town.chain, who, town.admin, Alarms(), now=now(), heartbeat=1)
    assert isinstance(first, PricesReported)
    town.rpc.request("evm_setNextBlockTimestamp", hex(town.rpc.block().timestamp))

    again = report_prices(town.chain, reporters(scaled(1_060)), town.admin, Alarms(), now=now(), heartbeat=1)

    assert isinstance(again, NothingToReport)
    assert "EpochAlreadyReported" in again.why


def test_the_market_shows_what_was_reported_at_one_block(town: Town):
    board = MarketBoard(town.chain, dev_key(1).address, clock=now, longest_age=60)
    before = board.refresh()
    assert before.prices[Sku.parse(SKU)].usd == PRICES[SKU]
    assert town.token in before.projects
    assert board.refresh() is before

    report(town, reporters(scaled(1_050)))
    after = board.refresh()

    assert after.prices[Sku.parse(SKU)].usd == scaled(1_050)[SKU]
    assert board.newest() is after
    assert after.block_number == town.rpc.block().number
