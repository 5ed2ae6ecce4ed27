"""A membership is a standing authority: the holder sees it, ends it, and no key or limit of theirs is passed over for it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.gateway.members import members_rig, renew
from tests.gateway.rig import CREDIT, HOLDER, OTHER_TOKEN, TOKEN, Rig, key_text, private_key
from tests.wallet.browser import Browser, signed_in
from tests.wallet.keys import made_key, signed_offer

from mintery.cli.exits import ExitCode
from mintery.cli.run import run
from mintery.crypto.typed_data import digest_of
from mintery.ledger.commands_wallet import RevokeVoucher
from mintery.usecases.renew_memberships import Renewed

PATH = "/v1/wallet/memberships"
YEARS = 4_000_000_000


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Rig]:
    with members_rig(tmp_path) as running:
        yield running


@pytest.fixture
def holder(members: Rig) -> Browser:
    return signed_in(members)


def begun(holder: Browser, **fields: object) -> dict:
    answer = holder.call("POST", PATH, json={"token": TOKEN, "membership": "pro", **fields})
    assert answer.status_code == 200, answer.text
    found: dict = answer.json()
    return found


def test_a_holder_begins_sees_and_ends_it_without_a_key(members: Rig, holder: Browser):
    api_key = made_key(holder, voucher=signed_offer(holder, days=365))["api_key"]

    membership = begun(holder, most_credits_a_month="25.5")
    listed = holder.call("GET", f"{PATH}?token={TOKEN}").json()
    premium = members.chat("test/premium", key=api_key)
    ended = holder.call("DELETE", f"{PATH}/{membership['account']}/pro").json()

    assert membership["most_credits_a_month"] == "25.5"
    assert listed["data"] == [membership]
    assert [each["membership"] for each in listed["offers"]] == ["pro", "priority"]
    assert premium.status_code == 200, "what the account has bought counts for all its keys"
    assert (ended["status"], ended["next_charge_at"]) == ("ending", None)
    assert members.ledger.receipt(membership["receipt"]).receipt.cost == 20 * CREDIT


def test_an_apps_key_begins_and_ends_nothing(members: Rig, holder: Browser):
    api_key = made_key(holder, voucher=signed_offer(holder, days=365))["api_key"]
    refused = members.post("/v1/memberships", key=api_key, json={"membership": "pro"})
    begun(holder)
    ended = members.http.request(
        "DELETE", members.base_url + "/v1/memberships/pro", headers={"Authorization": f"Bearer {api_key}"}
    )

    for answer in (refused, ended):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_may_not")
    [membership] = members.ledger.memberships.of()
    assert membership.ended_at is None


def test_a_stranger_neither_sees_nor_ends_it(members: Rig, holder: Browser):
    made_key(holder, voucher=signed_offer(holder, days=365))
    account = begun(holder)["account"]
    stranger = signed_in(members, private_key(900))

    ended = stranger.call("DELETE", f"{PATH}/{account}/pro")

    assert (ended.status_code, ended.json()["error"]["code"]) == (404, "membership_ended")
    assert stranger.call("GET", PATH).json()["data"] == []
    assert holder.without_csrf().call("DELETE", f"{PATH}/{account}/pro").status_code == 403
    assert holder.call("GET", PATH).json()["data"][0]["status"] == "renewing"


def test_a_revoked_voucher_pays_no_further_month(members: Rig, holder: Browser):
    made = made_key(holder, voucher=signed_offer(holder, days=365))
    end = datetime.fromisoformat(begun(holder)["paid_until"])

    [voucher] = members.ledger.standing_vouchers(HOLDER.address)
    revoked = RevokeVoucher(HOLDER.address, voucher.account, voucher.signed.voucher.key_hash, members.parts.clock())
    members.ledger.commit([revoked])

    assert renew(members, end + timedelta(minutes=1)) == Renewed(0, 1, 0)
    assert members.balance.captured == 20 * CREDIT
    again = holder.call("POST", PATH, json={"token": TOKEN, "membership": "pro"})
    assert again.json()["error"]["code"] == "malformed_request", "nothing stands to pay it by"
    assert members.chat(key=made["api_key"]).status_code == 401


@pytest.mark.parametrize(("credits_", "status"), [("19.99", 402), ("20", 200)])
def test_a_month_fits_under_the_holders_limits_or_is_not_charged(
    members: Rig, holder: Browser, credits_: str, status: int
):
    made_key(holder, voucher=signed_offer(holder, days=365))
    limit = {"token": TOKEN, "period": "month", "credits": credits_}
    assert holder.call("POST", "/v1/wallet/limits", json=limit).status_code == 200

    answer = holder.call("POST", PATH, json={"token": TOKEN, "membership": "pro"})

    assert answer.status_code == status, answer.text
    assert members.balance.captured == (20 * CREDIT if status == 200 else 0)
    if status == 402:
        error = answer.json()["error"]
        assert (error["code"], error["wallet"]["balance"]) == ("limit_reached", "Routed balance")
    [told] = holder.call("GET", "/v1/wallet/limits").json()["data"]
    assert int(told["used_nanocredits"]) == members.balance.captured


def test_what_the_holder_changed_since_does_not_stop_a_renewal(members: Rig, holder: Browser):
    """Each change raises the account's authority: a charge is made by the newest."""
    made_key(holder, voucher=signed_offer(holder, days=365))
    end = datetime.fromisoformat(begun(holder)["paid_until"])
    holder.call("POST", "/v1/wallet/limits", json={"token": TOKEN, "period": "day", "credits": "50"})

    assert renew(members, end + timedelta(minutes=1)) == Renewed(1, 0, 0)


def test_without_a_standing_voucher_there_is_nothing_to_pay_by(members: Rig, holder: Browser):
    for token in (TOKEN, OTHER_TOKEN):
        refused = holder.call("POST", PATH, json={"token": token, "membership": "pro"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "malformed_request")
    assert members.untouched()


def test_the_commands_do_the_same(members: Rig, capsys: pytest.CaptureFixture[str]):
    access = ["--api-key", key_text(deadline=YEARS), "--url", members.base_url + "/v1"]

    def said(*command: str) -> str:
        assert run(["membership", *command, *access]) == ExitCode.OK
        return capsys.readouterr().out

    offered, paid, listed, ended = said("list"), said("begin", "pro", "--most", "25"), said("list"), said("end", "pro")
    assert run(["membership", "begin", "priority", *access]) != ExitCode.OK
    assert run(["membership", "end", "../credits", *access]) == ExitCode.NOT_FOUND

    assert "20 credits" in offered
    assert "test/premium" in offered
    assert "renewing" in paid
    assert "25 credits" in paid
    assert "Membership pro" in listed
    assert "ending" in ended
    assert members.balance.captured == 20 * CREDIT


def test_what_is_signed_pays_so_many_months_and_no_further_one(members: Rig, holder: Browser):
    """Beyond what the keys may spend, which count against the same voucher."""
    made_key(holder, voucher=signed_offer(holder, days=365, credits_="30"))
    offer = holder.call("POST", f"{PATH}/offer", json={"token": TOKEN, "membership": "pro", "months": 2}).json()
    signature = "0x" + HOLDER.sign_digest(digest_of(offer["typed_data"])).long.hex()
    assert (offer["month_credits"], offer["more_credits"]) == ("20", "70")

    end = datetime.fromisoformat(begun(holder, voucher={**offer["voucher"], "signature": signature})["paid_until"])
    assert renew(members, end + timedelta(minutes=1)) == Renewed(1, 0, 0)
    [membership] = members.ledger.memberships.of()
    end = membership.last.paid.ends_at

    assert renew(members, end + timedelta(minutes=1)) == Renewed(0, 1, 0)
    assert members.balance.captured == 40 * CREDIT


def test_a_voucher_for_other_credits_pays_no_membership(members: Rig, holder: Browser):
    voucher = signed_offer(holder, token=OTHER_TOKEN)

    answer = holder.call("POST", PATH, json={"token": TOKEN, "membership": "pro", "voucher": voucher})

    assert answer.json()["error"]["code"] == "malformed_request"
    assert members.balance.captured == 0


def test_nobody_is_asked_to_sign_for_too_many_months(holder: Browser):
    for months in (0, 37):
        body = {"token": TOKEN, "membership": "pro", "months": months}
        assert holder.call("POST", f"{PATH}/offer", json=body).status_code == 422
