"""Memberships: joined with one signature, seen with what is charged next, and ended."""

import openai
import pytest
from playwright.sync_api import Page, expect

from mintery.bootstrap import DEV_ROLES

from .conftest import Served
from .looks import check_looks
from .test_keys import HELLO, closed, make_key
from .wallet_app import WalletApp, account_of

MODEL = "test/chat-plus"


def open_page(page: Page) -> None:
    page.goto("/wallet/memberships")
    expect(page.get_by_role("heading", level=1, name="Memberships")).to_be_visible()


def ask(served: Served, key: str) -> str:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0) as client:
        answer = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=20)  # type: ignore[arg-type]  # plain messages
    return str(answer.choices[0].message.content)


def spendable(page: Page) -> int:
    [balance] = page.request.get("/v1/wallet").json()["balances"]
    return int(balance["spendable_nanocredits"])


def join(page: Page) -> None:
    page.get_by_role("button", name="Join").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign and join").click()


def test_who_declines_or_shows_another_network_joins_nothing(signed_in: Page, holder_app: WalletApp) -> None:
    before = spendable(signed_in)
    open_page(signed_in)
    holder_app.declines = {"eth_signTypedData_v4"}
    join(signed_in)
    problem = signed_in.get_by_role("dialog").get_by_role("alert")
    expect(problem).to_have_text("You declined in your wallet app. Nothing happened.")

    holder_app.declines.clear()
    holder_app.chain_id, right = 1, holder_app.chain_id
    signed_in.get_by_role("button", name="Sign and join").click()
    expect(problem).to_contain_text("Your wallet app is set to another network.")

    holder_app.chain_id = right
    holder_app.account, own = account_of(DEV_ROLES["friend"]), holder_app.account
    signed_in.get_by_role("button", name="Sign and join").click()
    expect(problem).to_contain_text("you are signed in as")
    holder_app.account = own
    assert signed_in.request.get("/v1/wallet/memberships").json()["data"] == []
    assert spendable(signed_in) == before


def test_a_membership_is_joined_used_and_ended(signed_in: Page, served: Served, holder_app: WalletApp) -> None:
    key = make_key(signed_in, "Member's app")
    closed(signed_in)
    with pytest.raises(openai.APIStatusError):
        ask(served, key)
    before = spendable(signed_in)
    open_page(signed_in)
    offer = signed_in.get_by_role("region", name="Plus, PXAI")
    expect(offer).to_contain_text("$5.50")
    expect(offer).to_contain_text(MODEL)
    signed_in.get_by_role("button", name="Join").click()
    expect(signed_in.get_by_role("dialog")).to_contain_text("$5.50 (550.00 PXAI) are paid now, and the same each month")
    signed_in.get_by_role("button", name="Sign and join").click()
    expect(signed_in.get_by_text("You are a member")).to_be_visible()
    assert before - spendable(signed_in) == 550 * 10**9
    assert holder_app.asked.count("eth_signTypedData_v4") == 2
    assert ask(served, key)

    own = signed_in.get_by_role("listitem", name="Plus")
    [told] = signed_in.request.get("/v1/wallet/memberships").json()["data"]
    expect(own).to_contain_text("Paid each month")
    expect(own.locator(f"time[datetime^='{told['next_charge_at'][:16]}']").first).to_be_visible()
    check_looks(signed_in, "membership-own")
    own.get_by_role("button", name="Receipt").click()
    expect(signed_in.get_by_role("dialog", name="Receipt")).to_contain_text("550 PXAI")
    signed_in.keyboard.press("Escape")

    own.get_by_role("button", name="End it").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(signed_in.get_by_text("Plus: no further month is charged.")).to_be_visible()
    expect(own).to_contain_text("Ends when its month is over")
    [told] = signed_in.request.get("/v1/wallet/memberships").json()["data"]
    assert (told["status"], told["next_charge_at"]) == ("ending", None)
