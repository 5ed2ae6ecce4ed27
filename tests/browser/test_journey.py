"""A person's whole way through the wallet, from the first visit until nothing is left to spend."""

import openai
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.fakes.stripe_account import StripeAccount

from mintery.bootstrap import DEV_ROLES
from mintery.bootstrap.local import fund
from mintery.crypto.keys import dev_key
from mintery.domain.voucher import AccountKey, Address
from mintery.units import credit_units, parse_assets, parse_credits

from .conftest import Served
from .test_keys import call, closed, make_key
from .test_sending import fill
from .test_top_up import begin, card_page, pay_by_card, spendable  # noqa: F401 -- card_page is a fixture
from .wallet_app import account_of

NEWCOMER = 9
FRIEND = account_of(DEV_ROLES["friend"])


@pytest.fixture
def newcomer(page: Page, context: BrowserContext, served: Served) -> Page:
    """Somebody with ten dollars in a wallet app, who was never here."""
    chain, account = served.stack.chain, account_of(NEWCOMER)
    fund(chain, served.stack.key("admin"), [Address(account.address)], parse_assets("10"))
    served.app_of(account).install(context)
    return page


def sign_in(page: Page) -> None:
    page.goto("/wallet")
    page.get_by_role("button", name="Sign in with Test App").click()
    expect(page.get_by_role("region", name="Routed balance")).to_contain_text("Nothing here yet.")


def top_up(page: Page) -> None:
    begin(page, "1", "Digital dollars")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Your routed balance rose by 100.00 PXAI.")).to_be_visible(timeout=30_000)


def see_the_receipt(page: Page) -> None:
    page.goto("/wallet/activity")
    page.get_by_role("button", name="test/chat").first.click()
    drawer = page.get_by_role("dialog", name="Receipt")
    expect(drawer).to_contain_text("After: what it cost")
    expect(drawer).to_contain_text("My first app")
    page.keyboard.press("Escape")
    page.goto("/wallet/statement")
    expect(page.get_by_role("region", name="Routed balance PXAI")).to_contain_text("My first app")


def send_to_a_friend(page: Page, served: Served) -> None:
    token = served.stack.chain.token(served.wallet.token)
    before = token.balance_of(Address(FRIEND.address))
    page.goto("/wallet/send")
    fill(page, FRIEND.address, "30")
    page.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_text("Sent 30.00 PXAI")).to_be_visible()
    assert token.balance_of(Address(FRIEND.address)) - before == parse_credits("30")


def take_everything_back(page: Page, served: Served) -> None:
    """The credits leave the account; from then on none of them is for new requests."""
    chain, key = served.stack.chain, dev_key(NEWCOMER)
    account = AccountKey(served.wallet.token, served.stack.gateway.address, key.address, key.address)
    held = served.stack.gateway.ledger.accounts(holder=key.address)[0].available
    chain.escrow.start_exit(chain.sender(key), account, credit_units(held))
    served.stack.gateway.sync()
    assert spendable(page) == 0


def switch_off(page: Page, label: str) -> None:
    page.goto("/wallet/keys")
    page.get_by_role("listitem").filter(has_text=label).get_by_role("button", name="Switch off").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(page.get_by_text(f"The key for {label} is switched off.")).to_be_visible()


def test_from_the_first_visit_to_the_last_credit(
    newcomer: Page,
    served: Served,
    stripe_account: StripeAccount,
    card_page: list[str],  # noqa: F811 -- the fixture
) -> None:
    sign_in(newcomer)
    top_up(newcomer)
    key = make_key(newcomer, "My first app", budget="0.5")
    closed(newcomer)
    assert call(served, key).choices[0].message.content
    see_the_receipt(newcomer)

    begin(newcomer, "1", "Card")
    newcomer.get_by_role("radio", name="Keep in my own wallet").check()
    pay_by_card(newcomer, served, stripe_account, card_page)
    expect(newcomer.get_by_text("100.00 PXAI came into your own wallet.")).to_be_visible(timeout=30_000)
    send_to_a_friend(newcomer, served)

    other = make_key(newcomer, "My other app", budget="0.5")
    closed(newcomer)
    switch_off(newcomer, "My first app")
    with pytest.raises(openai.AuthenticationError):
        call(served, key)
    assert call(served, other).id

    take_everything_back(newcomer, served)
    with pytest.raises(openai.APIStatusError) as refused:
        call(served, other)
    assert refused.value.status_code == 402
    assert refused.value.body["wallet"]["symbol"] == "PXAI"  # type: ignore[index]  # the error's own members
