"""Memberships by the month: begun, counted at once, renewed, ended, and paid by the credits that asked for them alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.gateway.members import later, members_rig, offers, renew
from tests.gateway.rig import CREDIT, HOLDER, OTHER_TOKEN, SECRET, TOKEN, Rig, key_text, private_key

from mintery.crypto.vouchers import account_id, key_hash
from mintery.domain.limits import LimitPeriod
from mintery.domain.price import Sku
from mintery.domain.rates import Rates
from mintery.domain.receipt import check_arithmetic
from mintery.domain.voucher import AccountId, AccountKey, Address
from mintery.errors import KeyMayNot
from mintery.ledger.commands_wallet import RevokeVoucher
from mintery.units import NanoCredits, UsdWad, format_nanocredits
from mintery.usecases.hold_memberships import begin_membership
from mintery.usecases.keep_limits import Scope, set_limit, set_time_zone
from mintery.usecases.note_months import note_months
from mintery.usecases.parts import GatewayParts
from mintery.usecases.renew_memberships import TRIED_FOR, Renewed, renew_memberships
from mintery.usecases.show_memberships import show_memberships
from mintery.usecases.standings import Standings
from mintery.usecases.verify_credential import verify_credential

PATH = "/v1/memberships"
YEARS = 4_000_000_000
"""A deadline, in unix seconds, that no test lives to see."""
MONTH = Sku("mintery/membership.pro", "month")


@pytest.fixture
def members(tmp_path: Path):
    sold = offers(Rates(requests=5), Rates(requests=50))
    with members_rig(tmp_path, sold) as running:
        yield running


def lasting(**fields: object) -> str:
    return key_text(deadline=YEARS, **fields)


def begin(gateway: Rig, *, key: str | None = None, **fields: object):
    return gateway.post(PATH, key=key or lasting(), json={"membership": "pro", **fields})


def ends(begun: dict) -> datetime:
    return datetime.fromisoformat(begun["paid_until"])


def test_a_month_is_charged_like_a_request_and_counts_at_once(members: Rig):
    answer = begin(members)

    begun = answer.json()
    assert (answer.status_code, begun["status"], begun["membership"]) == (200, "renewing", "pro")
    receipt = members.ledger.receipt(begun["receipt"]).receipt
    check_arithmetic(receipt)
    assert [(str(line.sku), line.quantity, line.provider_id) for line in receipt.lines] == [(str(MONTH), 1, 9)]
    assert receipt.cost == receipt.held == 20 * CREDIT
    assert members.balance.captured == 20 * CREDIT
    assert begun["most_nanocredits_a_month"] == str(20 * CREDIT)
    assert members.chat("test/premium").status_code == 200
    assert members.chat().headers["x-ratelimit-limit-requests"] == "50"
    other = members.chat("test/premium", key=key_text(signer=private_key(9)))
    assert other.json()["error"]["code"] == "membership_needed", "another account has bought nothing"


def test_whoever_asks_twice_or_at_once_pays_one_month(members: Rig):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: begin(members), range(8)))
    again = begin(members, most_nanocredits_a_month=str(30 * CREDIT))

    assert {each.status_code for each in (*answers, again)} == {200}
    assert {each.json()["receipt"] for each in (*answers, again)} == {again.json()["receipt"]}
    assert again.json()["most_nanocredits_a_month"] == str(30 * CREDIT)
    assert members.balance.captured == 20 * CREDIT


def test_what_is_sold_is_told_with_what_it_costs_these_credits(members: Rig):
    for_all = members.http.get(members.base_url + PATH).json()["data"]
    mine = members.get(PATH).json()

    [pro] = [each for each in for_all if each["membership"] == "pro"]
    assert (pro["models"], pro["requests_per_minute"], pro["priority"]) == (["test/premium"], 50, 1)
    assert {each["sku"]: each["usd"] for each in pro["prices"]}["mintery-official/membership.pro:month"] == "30"
    [priced] = [each for each in mine["data"] if each["membership"] == "pro"]
    assert {each["per"]: each["credits"] for each in priced["prices"]} == {"month": "20", "request": "0.01"}
    assert mine["standing"] == {
        "memberships": [], "requests_per_minute": 5, "tokens_per_minute": None, "priority": 0,
    }  # fmt: skip
    assert mine["memberships"] == []


def test_a_membership_renews_at_its_end_once_and_without_a_gap(members: Rig):
    begun = begin(members).json()
    end = ends(begun)

    assert renew(members, end - timedelta(seconds=1)) == Renewed(0, 0, 0)
    assert renew(members, end + timedelta(seconds=30)) == Renewed(1, 0, 0)
    assert renew(members, end + timedelta(seconds=90)) == Renewed(0, 0, 0)

    [membership] = members.ledger.memberships.of(holder=HOLDER.address)
    assert membership.last.paid.starts_at == end
    assert members.balance.captured == 40 * CREDIT
    assert "pro" in members.parts.standings.of(membership.account, end + timedelta(days=20)).opens


def test_two_processes_that_renew_at_once_charge_one_month(members: Rig):
    now = ends(begin(members).json()) + timedelta(seconds=1)
    parts = later(members, now)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: renew_memberships(parts, now), range(6)))

    assert sum(each.charged for each in found) >= 1
    assert members.balance.captured == 40 * CREDIT
    assert len(members.ledger.memberships.months_of(account_id(members.account), "pro")) == 2


def test_who_ends_it_keeps_the_month_that_is_paid_and_pays_no_other(members: Rig):
    begun = begin(members).json()

    ended = members.http.request(
        "DELETE", f"{members.base_url}{PATH}/pro", headers={"Authorization": f"Bearer {lasting()}"}
    ).json()
    again = members.http.request(
        "DELETE", f"{members.base_url}{PATH}/pro", headers={"Authorization": f"Bearer {lasting()}"}
    )

    assert (ended["status"], ended["ended_for"], ended["next_charge_at"]) == ("ending", "cancelled", None)
    assert ended["paid_until"] == begun["paid_until"]
    assert (again.status_code, again.json()["error"]["code"]) == (404, "membership_ended")
    assert members.chat("test/premium").status_code == 200
    assert renew(members, ends(begun) + timedelta(minutes=1)) == Renewed(0, 0, 0)
    assert members.balance.captured < 21 * CREDIT


def test_who_begins_again_before_the_end_pays_nothing_until_then(members: Rig):
    begun = begin(members).json()
    members.http.request("DELETE", f"{members.base_url}{PATH}/pro", headers={"Authorization": f"Bearer {lasting()}"})

    again = begin(members).json()

    assert (again["status"], again["receipt"]) == ("renewing", begun["receipt"])
    assert members.balance.captured == 20 * CREDIT
    assert renew(members, ends(begun) + timedelta(minutes=1)) == Renewed(1, 0, 0)


def test_a_month_that_costs_more_than_was_agreed_is_not_charged(members: Rig):
    refused = begin(members, most_nanocredits_a_month=str(20 * CREDIT - 1))
    begun = begin(members).json()
    now = ends(begun) + timedelta(minutes=1)
    parts = later(members, now)
    dearer = replace(members.market.prices[MONTH], usd=UsdWad(21 * 10**18))
    members.market = replace(members.market, prices={**members.market.prices, MONTH: dearer})

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "month_above_agreed")
    assert renew_memberships(parts, now) == Renewed(0, 1, 0)
    assert members.balance.captured == 20 * CREDIT


def test_a_voucher_that_ends_or_has_no_room_pays_no_further_month(members: Rig):
    """The holder's standing authority is the voucher: no month is charged that it does not allow."""
    friend = private_key(107)
    members.fund(100, signer=friend)
    short = begin(members, key=key_text(deadline=int(datetime.now(UTC).timestamp()) + 20 * 86_400)).json()
    small = begin(members, key=lasting(signer=friend, max_spend=39 * CREDIT)).json()

    found = renew(members, max(ends(short), ends(small)) + timedelta(minutes=1))

    assert found == Renewed(0, 2, 0)
    assert members.balance.captured == 20 * CREDIT


def test_an_account_without_credits_has_a_week_and_pays_from_the_day_it_has_some(members: Rig):
    poor = private_key(108)
    members.fund(25, signer=poor)
    end = ends(begin(members, key=lasting(signer=poor)).json())

    assert renew(members, end + timedelta(hours=1)) == Renewed(0, 1, 0)
    members.fund(20, signer=poor)
    paid_at = end + timedelta(days=3)
    assert renew(members, paid_at) == Renewed(1, 0, 0)

    [membership] = members.ledger.memberships.of(holder=poor.address)
    assert membership.last.paid.starts_at == paid_at
    assert renew(members, membership.last.paid.ends_at + TRIED_FOR) == Renewed(0, 0, 1)
    [membership] = members.ledger.memberships.of(holder=poor.address)
    assert membership.ended_for == "lapsed"


def test_what_one_process_sold_the_others_note(members: Rig):
    begin(members)
    account, now = account_id(members.account), datetime.now(UTC)
    other = replace(members.parts, standings=Standings(members.parts.standings.offers))
    assert other.standings.of(account, now).opens == frozenset()

    note_months(other, now)
    note_months(other, now + timedelta(seconds=2))

    assert other.standings.of(account, now).opens == {"pro"}
    note_months(other, now + timedelta(days=40))
    assert other.standings.of(account, now).opens == frozenset(), "what is over is forgotten"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"membership": "gold"}, "unknown_membership"),
        ({"membership": "priority"}, "membership_not_sold"),
        ({"membership": "pro", "most_nanocredits_a_month": "-1"}, "malformed_request"),
        ({"name": "pro"}, "malformed_request"),
    ],
)
def test_what_is_asked_wrongly_changes_nothing(members: Rig, body: dict, code: str):
    refused = members.post(PATH, key=lasting(), json=body)

    assert refused.json()["error"]["code"] == code
    assert members.untouched()
    assert members.ledger.memberships.of() == []


def test_an_expired_key_buys_nothing_and_ends_what_it_has(members: Rig):
    expired = key_text(deadline=1_700_000_000)

    refused = begin(members, key=expired)
    begin(members)
    ended = members.http.request(
        "DELETE", f"{members.base_url}{PATH}/pro", headers={"Authorization": f"Bearer {expired}"}
    )

    assert refused.json()["error"]["code"] == "voucher_expired"
    assert ended.status_code == 200


def test_another_key_of_the_account_neither_replaces_nor_ends_a_membership(members: Rig):
    other = lasting(secret=bytes(range(1, 33)))
    begun = begin(members).json()

    dearer = begin(members, key=other, most_nanocredits_a_month=str(90 * CREDIT))
    ended = members.http.request(
        "DELETE", f"{members.base_url}{PATH}/pro", headers={"Authorization": f"Bearer {other}"}
    )
    late = later(members, ends(begun) + timedelta(days=1))
    with pytest.raises(KeyMayNot):
        begin_again(late, members, other)

    for refused in (dearer, ended):
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "key_may_not")
    [membership] = members.ledger.memberships.of(holder=HOLDER.address)
    assert (membership.ended_at, membership.most) == (None, 20 * CREDIT)
    assert members.balance.captured == 20 * CREDIT


def begin_again(parts: GatewayParts, gateway: Rig, key: str) -> None:
    credential = verify_credential(parts, gateway.market, key, None)
    begin_membership(parts, gateway.market, credential, "pro", None, only_of=credential.signed.voucher.key_hash)


# ── two wallets of one holder ────────────────────────────────────────────────────────────────────────────────────


def buckets(gateway: Rig, token: str) -> tuple[int, int, int]:
    account = gateway.ledger.account(
        account_id(AccountKey(token, gateway.account.gateway, HOLDER.address, HOLDER.address))
    )
    assert account is not None
    return account.available, account.held, account.captured


@pytest.mark.parametrize(
    ("token", "model", "shown"),
    [
        (TOKEN, "test/echo", ("routed", "PROJECTX_AI_CREDITS", "Routed balance")),
        (OTHER_TOKEN, "test/official", ("official", "OFFICIAL_X", "Official balance")),
    ],
)
def test_the_402_names_the_wallet_that_is_short_and_the_other_never_moves(
    tmp_path: Path, token: str, model: str, shown: tuple[str, str, str]
):
    kind, symbol, balance = shown
    other = OTHER_TOKEN if token == TOKEN else TOKEN
    with members_rig(tmp_path) as gateway:
        gateway.fund(100, token=OTHER_TOKEN)
        gateway.ledger.check()
        everything = buckets(gateway, token)[0]
        price = int(gateway.chat(model, key=key_text(token=token)).headers["x-mintery-quote-nanocredits"])
        drained = key_text(token=token, max_spend=buckets(gateway, token)[2] + price - 1)
        refusals = [
            gateway.chat(model, key=drained),
            gateway.chat(model, key=drained, stream=True),
            gateway.chat(model, key=drained, models=[model, "test/official", "test/echo"]),
            gateway.chat(model, key=drained, headers={"Mintery-Membership": "pro"}),
            begin(gateway, key=drained),
        ]
        before = buckets(gateway, other)
        crossed = gateway.chat("test/official" if token == TOKEN else "test/echo", key=key_text(token=token))
        called = gateway.stub.control.requests
        assert buckets(gateway, other) == before == (100 * CREDIT, 0, 0)
        available, held, captured = buckets(gateway, token)
        assert (available + captured, held) == (everything, 0)

    wallet = account_id(AccountKey(token, gateway.account.gateway, HOLDER.address, HOLDER.address))
    for refused in refusals:
        error = refused.json()["error"]
        assert refused.status_code == 402, error
        assert error["wallet"]["account"] == error["account"] == wallet
        assert (error["wallet"]["kind"], error["wallet"]["symbol"], error["wallet"]["token"]) == (kind, symbol, token)
        assert error["wallet"]["balance"] == balance
        assert error["message"].startswith(f"{balance}: ")
        assert format_nanocredits(int(error["available_nanocredits"])) in error["message"]
        assert refused.headers["x-should-retry"] == "false"
    assert (crossed.status_code, crossed.json()["error"]["code"]) == (404, "model_not_covered")
    assert called == 1


def of_holder(gateway: Rig) -> tuple[Address, AccountId]:
    return HOLDER.address, account_id(gateway.account)


def test_a_holder_who_has_set_anything_still_begins_and_renews(members: Rig):
    holder, _ = of_holder(members)
    set_time_zone(members.parts, holder, "Asia/Tokyo")
    begun = begin(members).json()

    assert begun["status"] == "renewing"
    set_time_zone(members.parts, holder, "Europe/Berlin")
    assert renew(members, ends(begun)) == Renewed(1, 0, 0)


def test_a_limit_of_the_wallet_holds_for_memberships(members: Rig):
    holder, _ = of_holder(members)
    set_limit(members.parts, holder, Scope(TOKEN), LimitPeriod.MONTH, NanoCredits(19 * CREDIT))

    refused = begin(members)

    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "limit_reached")
    assert members.untouched()


def test_a_revoked_voucher_pays_no_further_month(members: Rig):
    holder, account = of_holder(members)
    begun = begin(members).json()
    members.ledger.commit([RevokeVoucher(holder, account, key_hash(SECRET), members.parts.clock())])

    [told] = show_memberships(members.parts, members.ledger.memberships.of())
    assert (told["status"], told["next_charge_at"]) == ("ending", None)
    assert renew(members, ends(begun)) == Renewed(0, 1, 0)
    assert members.balance.captured == 20 * CREDIT


def test_who_agrees_to_pay_nothing_more_is_not_told_that_it_renews(members: Rig):
    begin(members)

    told = begin(members, most_nanocredits_a_month="0").json()

    assert (told["status"], told["next_charge_at"]) == ("ending", None)


def test_a_month_that_cannot_be_paid_is_explained_as_a_month(members: Rig):
    error = begin(members, key=lasting(max_spend=19 * CREDIT)).json()["error"]

    assert "a month costs 20 PROJECTX_AI_CREDITS" in error["message"]
    assert "max_tokens" not in error["message"]
