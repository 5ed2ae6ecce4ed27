"""A holder's limits hold however many calls come at once, over the ends of weeks and on days when clocks change."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.gateway.rig import Rig, key_text
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import made_key, pictures, set_clock
from tests.wallet.limits import CALL, DOLLAR, FIT, counted, limited, statuses


@pytest.fixture
def gateway(newcomer: Rig) -> Rig:
    return newcomer


@pytest.mark.parametrize("by_key", [True, False], ids=["gateway key", "voucher key"])
def test_forty_calls_at_once_never_pass_a_dollar_a_week(gateway: Rig, holder: Browser, by_key: bool):
    key = (
        made_key(holder, limits=[{"period": "week", "usd": "1"}])["api_key"]
        if by_key
        else key_text(signer=gateway.newcomer)
    )
    if not by_key:
        limited(holder)

    answers = pictures(gateway, key, 40)

    assert statuses(answers) == [200] * FIT + [402] * (40 - FIT)
    told = next(each.json()["error"] for each in answers if each.status_code == 402)
    assert (told["code"], told["period"]) == ("limit_reached", "week")
    assert int(told["available_nanocredits"]) == DOLLAR - FIT * CALL
    assert f"of the week. To go on, raise the limit, or wait until {told['resets_at']}" in told["message"]
    assert (gateway.balance.held, gateway.balance.captured) == (0, FIT * CALL)
    [state] = holder.call("GET", "/v1/wallet/limits").json()["data"]
    assert (state["used_nanocredits"], state["used_usd"]) == (str(FIT * CALL), "0.968")
    assert {each["percent"] for each in state["alerts"]} == {50, 80, 100}


def test_forty_calls_over_the_end_of_a_week_pass_neither_weeks_dollar(gateway: Rig, holder: Browser):
    holder.call("PUT", "/v1/wallet/time-zone", json={"time_zone": "Europe/Berlin"})
    monday = datetime(2026, 11, 22, 23, tzinfo=UTC)
    set_clock(gateway, monday - timedelta(hours=1))
    holder.sign_in()
    limit = limited(holder)
    assert statuses(pictures(gateway, key_text(signer=gateway.newcomer, deadline=1_900_000_000), 1)) == [200]

    set_clock(gateway, monday - timedelta(milliseconds=150))
    answers = [*pictures(gateway, key_text(signer=gateway.newcomer, deadline=1_900_000_000), 40)]
    set_clock(gateway, monday + timedelta(seconds=1))
    answers += pictures(gateway, key_text(signer=gateway.newcomer, deadline=1_900_000_000), 24)

    before, after = counted(gateway, limit, "2026-11-16", "2026-11-23")
    paid = statuses(answers).count(200) + 1
    assert (before % CALL, after) == (0, FIT * CALL)
    assert 0 < before <= DOLLAR
    assert before + after == paid * CALL == gateway.balance.captured
    assert gateway.balance.held == 0


def test_clocks_that_change_within_a_burst_open_no_second_day(gateway: Rig):
    moment = datetime(2026, 10, 25, 1, tzinfo=UTC)
    set_clock(gateway, moment - timedelta(milliseconds=150))
    holder = signed_in(gateway, gateway.newcomer)
    holder.call("PUT", "/v1/wallet/time-zone", json={"time_zone": "Europe/Berlin"})
    limit = limited(holder, period="day")
    set_clock(gateway, moment - timedelta(milliseconds=150))

    answers = pictures(gateway, key_text(signer=gateway.newcomer, deadline=1_900_000_000), 40)

    assert statuses(answers).count(200) == FIT
    assert counted(gateway, limit, "2026-10-25") == [FIT * CALL]
    assert gateway.balance.held == 0
