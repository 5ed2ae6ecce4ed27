"""Taking credits out: the holder's own wallet begins it and keeps it, the waiting time is told, and nothing happens unasked."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from mintery.bootstrap import DEV_ROLES
from mintery.domain.voucher import AccountKey, Address
from mintery.units import UnixSeconds, parse_assets, parse_credits
from mintery.usecases.mint_credits import mint_credits

from .conftest import Served
from .looks import check_looks
from .wallet_app import WalletApp, account_of

HOLDER, FRIEND = account_of(DEV_ROLES["holder"]), account_of(DEV_ROLES["friend"])


@pytest.fixture
def page_open(signed_in: Page, served: Served) -> Iterator[Page]:
    """Whatever a test leaves on its way out stays in afterwards."""
    open_page(signed_in)
    yield signed_in
    chain, key = served.stack.chain, key_of(served)
    if chain.escrow.account_of(key).exit_unlock:
        chain.escrow.cancel_exit(chain.sender(served.stack.key("holder")), key)


def key_of(served: Served) -> AccountKey:
    holder = Address(HOLDER.address)
    return AccountKey(served.wallet.token, served.stack.gateway.address, holder, holder)


def open_page(page: Page) -> None:
    page.goto("/wallet/take-out")
    expect(page.get_by_role("heading", level=1, name="Take out")).to_be_visible()


def pending(served: Served) -> UnixSeconds:
    return served.stack.chain.escrow.account_of(key_of(served)).exit_unlock


def begin(page: Page, amount: str) -> None:
    page.get_by_label("How many PXAI", exact=True).first.fill(amount)
    page.get_by_role("button", name="Begin to take it out").click()


def test_an_amount_is_on_its_way_until_its_holder_keeps_it(page_open: Page, served: Served) -> None:
    check_looks(page_open, "take-out")
    begin(page_open, "12.5")
    expect(page_open.get_by_text("Begun. Come back in 1 hour to finish.")).to_be_visible()
    section = page_open.get_by_role("region", name="Routed balance · PXAI")
    expect(section.get_by_text("12.50 PXAI ($0.12) are on their way out.")).to_be_visible()
    expect(section.get_by_text("Still to wait: 1 hour")).to_be_visible()
    expect(section.get_by_role("button", name="Finish")).to_be_hidden()
    check_looks(page_open, "take-out-waiting")
    account = served.stack.chain.escrow.account_of(key_of(served))
    [told] = page_open.request.get("/v1/wallet/exits").json()["data"]
    assert (account.exit_amount, account.closing) == (parse_credits("12.5"), False)
    assert told["pending"]["most_credits"] == "12.5"

    page_open.get_by_role("button", name="Keep it here after all").click()
    page_open.get_by_role("dialog").get_by_role("button", name="Keep it here").click()
    expect(page_open.get_by_text("It stays here, ready for your keys.")).to_be_visible()
    assert pending(served) == 0


def test_closing_says_that_every_key_ends(page_open: Page, served: Served) -> None:
    page_open.get_by_role("radio", name="Everything, and close this balance").check()
    expect(page_open.get_by_text("Every key of this balance ends with it.")).to_be_visible()
    expect(page_open.get_by_label("How many PXAI", exact=True).first).to_be_hidden()
    page_open.get_by_role("button", name="Begin to take it out").click()

    expect(page_open.get_by_text("Everything is on its way out.")).to_be_visible()
    assert served.stack.chain.escrow.account_of(key_of(served)).closing


def test_slips_and_refusals_are_told_and_nothing_is_sent(
    page_open: Page, served: Served, holder_app: WalletApp
) -> None:
    """What is no amount or too much; a person who declines; another network, another account, no wallet app at all."""
    told, again = page_open.get_by_role("alert"), page_open.get_by_role("button", name="Begin to take it out")
    for amount, text in (("nothing", "Write an amount like 12.5."), ("99999999", "PXAI to take out.")):
        begin(page_open, amount)
        expect(told).to_contain_text(text)
    holder_app.declines = {"eth_sendTransaction"}
    begin(page_open, "1")
    expect(told).to_have_text("You declined in your wallet app. Nothing happened.")

    holder_app.asked.clear()
    right, holder_app.chain_id = holder_app.chain_id, 1
    again.click()
    expect(told).to_contain_text("Your wallet app is set to another network.")
    holder_app.knows, holder_app.account = {right}, FRIEND
    again.click()
    expect(told).to_contain_text("you are signed in as")
    page_open.evaluate("localStorage.setItem('mintery-wallet-app', 'an.app.that.is.gone')")
    again.click()
    expect(told).to_contain_text("Your wallet app does not answer.")
    assert "eth_sendTransaction" not in holder_app.asked
    assert pending(served) == 0


def test_credits_become_dollars_at_the_price_that_was_shown(signed_in: Page, served: Served) -> None:
    chain = served.stack.chain
    issuer = chain.sender(served.stack.key("issuer"))
    mint_credits(chain, issuer, served.wallet.token, parse_credits("100"), to=Address(HOLDER.address))
    served.stack.gateway.board.refresh()
    before = chain.asset.balance_of(Address(HOLDER.address))
    open_page(signed_in)
    section = signed_in.locator("section").filter(has_text="In your own wallet")
    section.get_by_label("How many PXAI").fill("50")
    section.get_by_role("button", name="Change into digital dollars").click()
    expect(signed_in.get_by_role("dialog")).to_contain_text("You get $0.50 for 50.00 PXAI")
    signed_in.get_by_role("dialog").get_by_role("button", name="Change").click()

    expect(signed_in.get_by_text("$0.50 are in your own wallet now.")).to_be_visible()
    assert chain.asset.balance_of(Address(HOLDER.address)) - before == parse_assets("0.5")


def test_the_test_holder_takes_out_without_a_wallet_app(page: Page, served: Served) -> None:
    page.goto("/wallet")
    page.get_by_text("Trying this out on your own machine?").click()
    page.get_by_label("Test key").fill(served.stack.gateway.dev_key or "")
    page.get_by_role("button", name="Sign in as the test holder").click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
    open_page(page)
    begin(page, "1")

    expect(page.get_by_text("Begun.")).to_be_visible()
    page.get_by_role("button", name="Keep it here after all").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it here").click()
    expect(page.get_by_text("It stays here")).to_be_visible()
    assert pending(served) == 0
