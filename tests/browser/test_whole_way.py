"""A person's whole way through the wallet in one story, from the first visit until nothing is left to spend and all is paid back.

At each step what the page says is what the API says, what the ledger has and what the chain has. It ends with an exit, for which
the chain's clock is moved an hour on; what others sign by that clock would be too late or too long for the gateway's, so this
module's name puts it after those that share its gateway.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import openai
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.fakes.stripe_account import StripeAccount

from mintery.bootstrap import DEV_ROLES
from mintery.bootstrap.local import fund
from mintery.domain.voucher import AccountKey, Address
from mintery.ledger.reads import AccountBalance
from mintery.units import (
    AssetUnits,
    CreditUnits,
    NanoCredits,
    credit_units,
    format_nanocredits,
    nanocredits_down,
    parse_assets,
    parse_credits,
)

from .conftest import Served
from .test_keys import call, closed, make_key
from .test_sending import fill
from .test_top_up import accept, begin, card_page, note_transfer, open_review, pay_by_card, spendable  # noqa: F401 -- card_page is a fixture
from .wallet_app import account_of

NEWCOMER = account_of(9)
FRIEND = account_of(DEV_ROLES["friend"])
SOON = 30
LONG = 60_000
PAID_BACK = re.compile("^Paid back$")


@dataclass(frozen=True)
class Person:
    """Somebody with ten dollars in a wallet app, who was never here."""

    page: Page
    served: Served

    @property
    def address(self) -> Address:
        return Address(NEWCOMER.address)

    @property
    def account(self) -> AccountBalance:
        [account] = self.served.stack.gateway.ledger.accounts(holder=self.address)
        return account

    def outside(self) -> CreditUnits:
        return self.served.stack.chain.token(self.served.wallet.token).balance_of(self.address)

    def dollars(self) -> AssetUnits:
        return self.served.stack.chain.asset.balance_of(self.address)

    def has(self, spendable_: NanoCredits, outside: str) -> None:
        """To spend, and in the own wallet: on the page, in the API, in the ledger and on chain."""
        chain, gateway = self.served.stack.chain, self.served.stack.gateway
        key = AccountKey(self.served.wallet.token, gateway.address, self.address, self.address)

        def told() -> dict[str, Any]:
            [balance] = self.page.request.get("/v1/wallet").json()["balances"]
            return dict(balance)

        def agree() -> bool:
            there, own, api = nanocredits_down(chain.escrow.account_of(key).balance), self.account, told()
            return (
                there == own.available + own.held + own.captured
                and own.available - own.exiting == spendable_ == int(api["spendable_nanocredits"])
                and parse_credits(api["outside_credits"]) == parse_credits(outside) == self.outside()
            )

        soon(agree)
        credits_ = format_nanocredits(spendable_)
        self.page.goto("/wallet")
        shown = self.page.get_by_role("region", name="Routed balance")
        expect(shown.locator(f"[title='{credits_} PXAI']")).to_be_visible()
        if Decimal(outside):
            expect(shown).to_contain_text(f"In your own wallet, not for apps yet{Decimal(outside):,.2f} PXAI")


def soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.2)


@pytest.fixture
def person(page: Page, context: BrowserContext, served: Served) -> Person:
    fund(served.stack.chain, served.stack.key("admin"), [Address(NEWCOMER.address)], parse_assets("10"))
    served.app_of(NEWCOMER).install(context)
    return Person(page, served)


def arrive(person: Person) -> None:
    page = person.page
    page.goto("/wallet")
    expect(page.get_by_role("heading", level=1, name="One wallet for all your AI")).to_be_visible()
    page.get_by_role("button", name="Sign in with Test App").click()
    expect(page.get_by_role("region", name="Routed balance")).to_contain_text("Nothing here yet.")
    assert page.request.get("/v1/wallet").json()["balances"] == []


def top_up(person: Person) -> None:
    begin(person.page, "1", "Digital dollars")
    person.page.get_by_role("button", name="Go on").click()
    expect(person.page.get_by_text("Your routed balance rose by 100.00 PXAI.")).to_be_visible(timeout=LONG)
    assert person.dollars() == parse_assets("9")


def see_the_receipt(person: Person, label: str) -> NanoCredits:
    """What the one request cost: in the drawer, in the API, in the ledger and on the statement."""
    page, ledger = person.page, person.served.stack.gateway.ledger
    [line] = page.request.get("/v1/wallet/activity?kind=use").json()["data"]
    told = page.request.get(f"/v1/wallet/receipts/{line['request']}").json()
    record = ledger.receipt(line["request"])
    assert record is not None
    assert int(told["charged_nanocredits"]) == record.receipt.cost
    page.goto("/wallet/activity")
    page.get_by_role("button", name="test/chat").first.click()
    drawer = page.get_by_role("dialog", name="Receipt")
    expect(drawer).to_contain_text("After: what it cost")
    expect(drawer).to_contain_text(f"{told['charged_credits']} PXAI")
    expect(drawer).to_contain_text(label)
    page.keyboard.press("Escape")

    [month] = page.request.get("/v1/wallet/statement?time_zone=Europe/Berlin&lines=false").json()["wallets"]
    assert Decimal(month["closing_credits"]) == spendable(page)
    assert month["use_credits"] == told["charged_credits"]
    page.goto("/wallet/statement")
    section = page.get_by_role("region", name="Routed balance PXAI")
    expect(section).to_contain_text(label)
    expect(section.locator(f"tfoot [title='{month['closing_credits']} PXAI']")).to_be_visible()
    return record.receipt.cost


def buy_and_send(person: Person, pay: Callable[[], None]) -> None:
    """By card into the own wallet, and of it to a friend."""
    page, token = person.page, person.served.stack.chain.token(person.served.wallet.token)
    before = token.balance_of(Address(FRIEND.address))
    begin(page, "1", "Card")
    page.get_by_role("radio", name="Keep in my own wallet").check()
    pay()
    expect(page.get_by_text("100.00 PXAI came into your own wallet.")).to_be_visible(timeout=LONG)
    page.goto("/wallet/send")
    fill(page, FRIEND.address, "30")
    page.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_text("Sent 30.00 PXAI")).to_be_visible()
    assert token.balance_of(Address(FRIEND.address)) - before == parse_credits("30")


def take_back(page: Page) -> None:
    """What is left of the top-up that the page shows."""
    page.get_by_role("button", name="Take back what is left").click()
    page.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("button", name="Take back what is left")).to_be_hidden()


def pay_by_card_and_take_it_back(person: Person, stripe: StripeAccount, pay: Callable[[], None]) -> None:
    page = person.page
    begin(page, "2", "Card")
    pay()
    expect(page.get_by_text("Your routed balance rose by 200.00 PXAI.")).to_be_visible(timeout=LONG)
    take_back(page)
    expect(page.locator("dt", has_text=PAID_BACK)).to_be_visible(timeout=LONG)
    expect(page.locator("dd", has_text="$2.00")).to_be_visible()
    [session] = [each for each in stripe.sessions.values() if each["amount_total"] == 200]
    assert stripe.refunded(session["payment_intent"]["id"]) == 200


def pay_by_bank_and_take_it_back(person: Person, operator: Page) -> None:
    page = person.page
    begin(page, "3", "Bank transfer")
    page.get_by_role("button", name="Go on").click()
    reference = page.locator("#bank-reference").inner_text()
    open_review(operator, person.served)
    note_transfer(operator, reference, "3", "wire-of-the-journey")
    accept(operator, reference)
    expect(page.get_by_text("Your routed balance rose by 300.00 PXAI.")).to_be_visible(timeout=LONG)
    take_back(page)
    expect(page.locator("dt", has_text="Being paid back")).to_be_visible(timeout=LONG)
    expect(page.locator("dd", has_text="$3.00")).to_be_visible(timeout=LONG)

    open_review(operator, person.served)
    operator.get_by_role("listitem").filter(has_text="$3.00").get_by_role("button", name="Sent back").click()
    operator.get_by_label("The bank's name of the transfer").fill("wire-back")
    operator.get_by_role("dialog").get_by_role("button", name="It was sent").click()
    expect(operator.get_by_role("listitem").filter(has_text="$3.00")).to_be_hidden()
    expect(page.locator("dt", has_text=PAID_BACK)).to_be_visible(timeout=LONG)


def switch_off(person: Person, label: str) -> None:
    page = person.page
    page.goto("/wallet/keys")
    page.get_by_role("listitem").filter(has_text=label).get_by_role("button", name="Switch off").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(page.get_by_text(f"The key for {label} is switched off.")).to_be_visible()


def begin_to_take_out(person: Person) -> None:
    """Everything that is ready to spend, as the page proposes."""
    person.page.goto("/wallet/take-out")
    person.page.get_by_role("button", name="Begin to take it out").click()
    expect(person.page.get_by_text("Begun. Come back in 1 hour to finish.")).to_be_visible(timeout=LONG)


def finish_and_redeem(person: Person) -> None:
    page, served = person.page, person.served
    served.stack.devchain.rpc("evm_increaseTime", [served.stack.gateway.parts.exit_delay])
    served.stack.devchain.rpc("evm_mine")
    page.goto("/wallet/take-out")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Done: it is in your own wallet now.")).to_be_visible(timeout=LONG)
    before, credits_ = person.dollars(), nanocredits_down(person.outside())
    page.get_by_role("button", name="Change into digital dollars").click()
    page.get_by_role("dialog").get_by_role("button", name="Change").click()
    expect(page.get_by_text("are in your own wallet now.")).to_be_visible(timeout=LONG)
    # A credit is worth a cent, and a redemption rounds down.
    assert person.dollars() - before == credits_ // 100_000
    assert person.outside() == 0


def refused(served: Served, key: str) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as answer:
        call(served, key)
    return answer.value


def test_from_the_first_visit_until_all_is_paid_back(
    person: Person,
    served: Served,
    context: BrowserContext,
    stripe_account: StripeAccount,
    card_page: list[str],  # noqa: F811 -- the fixture
) -> None:
    pay = partial(pay_by_card, person.page, served, stripe_account, card_page)
    arrive(person)
    top_up(person)
    person.has(NanoCredits(100 * 10**9), outside="0")

    key = make_key(person.page, "My first app", budget="0.5")
    closed(person.page)
    assert call(served, key).choices[0].message.content
    left = NanoCredits(100 * 10**9 - see_the_receipt(person, "My first app"))
    person.has(left, outside="0")

    buy_and_send(person, pay)
    person.has(left, outside="70")
    pay_by_card_and_take_it_back(person, stripe_account, pay)
    operator = context.new_page()
    pay_by_bank_and_take_it_back(person, operator)
    operator.close()
    person.has(left, outside="70")

    other = make_key(person.page, "My other app", budget="0.5")
    closed(person.page)
    switch_off(person, "My first app")
    assert refused(served, key).status_code == 401
    assert call(served, other).id
    left = NanoCredits(person.account.available)

    begin_to_take_out(person)
    person.has(NanoCredits(0), outside="70")
    answer = refused(served, other)
    assert answer.status_code == 402
    assert answer.body["wallet"]["symbol"] == "PXAI"  # type: ignore[index]  # the error's own members
    finish_and_redeem(person)
    person.has(NanoCredits(0), outside="0")
    assert refused(served, other).status_code == 402
    assert credit_units(left) > 0, format_nanocredits(left)
