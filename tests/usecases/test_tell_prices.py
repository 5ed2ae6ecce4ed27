"""Old prices and waiting ones are told, and fall silent by themselves."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.gateway.rig import MODELS, market
from tests.gateway.test_market import SKU, aged, priced

from mintery.domain.market import Market
from mintery.domain.price import FreshnessLimits
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.tell_prices import tell_prices

NOW = 1_800_000_000
SOLD = {SKU.model: MODELS[SKU.model]}


def told(alarms: Alarms, reading: Market, models: object = SOLD) -> dict[Alarm, str]:
    tell_prices(reading, models, FreshnessLimits(), alarms, datetime.fromtimestamp(NOW, UTC))  # type: ignore[arg-type]  # models by id
    return {standing.alarm: standing.why for standing in alarms.standing()}


def test_an_old_price_is_told_until_it_is_seen_again():
    alarms, fresh = Alarms(), market(NOW)

    assert told(alarms, fresh) == {}
    assert told(alarms, aged(fresh, 7_200)) == {}
    assert told(alarms, aged(fresh, 7_201)) == {Alarm.PRICES_STALE: f"{SKU} was last seen 7201 s ago (1 in all)"}
    assert told(alarms, fresh) == {}


def test_a_price_that_another_waits_to_replace_is_told():
    alarms, fresh = Alarms(), market(NOW)

    assert list(told(alarms, priced(fresh, queued=True))) == [Alarm.PRICES_QUEUED]
    assert told(alarms, fresh) == {}


def test_what_is_not_sold_here_is_nobodys_alarm():
    assert told(Alarms(), aged(market(NOW), 30_000), {}) == {}


def test_a_chain_that_stands_still_makes_prices_old():
    reading = market(NOW - 30_000)
    assert Alarm.PRICES_STALE in told(Alarms(), replace(reading, block_time=reading.block_time))
