"""Topping up: by signature, by card, by bank; what is shown at each moment, and which balance rose."""

from datetime import UTC, datetime
from decimal import Decimal

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from tests.fakes.stripe_account import StripeAccount, webhook

from .conftest import BANK_DETAILS, Served
from .looks import check_looks
from .wallet_app import WalletApp


def begin(page: Page, usd: str, rail: str) -> None:
    page.goto("/wallet/top-up")
    expect(page.get_by_role("heading", level=1, name="Top up")).to_be_visible()
    page.get_by_label("How many dollars?").fill(usd)
    page.get_by_role("radio", name=rail).check()


def spendable(page: Page) -> Decimal:
    (balance,) = page.request.get("/v1/wallet").json()["balances"]
    return Decimal(balance["spendable_credits"])


def test_digital_dollars_become_credits_by_one_signature(signed_in: Page, holder_app: WalletApp) -> None:
    before = spendable(signed_in)
    begin(signed_in, "5", "Digital dollars")
    check_looks(signed_in, "top-up")
    signed_in.get_by_role("button", name="Go on").click()

    expect(signed_in.get_by_text("Your routed balance rose by 500.00 PXAI.")).to_be_visible(timeout=30_000)
    check_looks(signed_in, "top-up-paid")
    assert holder_app.asked.count("eth_signTypedData_v4") == 1
    signed_in.goto("/wallet")
    expect(signed_in.get_by_role("region", name="Routed balance")).to_be_visible()
    assert spendable(signed_in) - before == 500


def test_what_is_left_of_a_top_up_comes_back(signed_in: Page) -> None:
    begin(signed_in, "3", "Digital dollars")
    signed_in.get_by_role("button", name="Go on").click()
    back = signed_in.get_by_role("button", name="Take back what is left")
    back.click(timeout=30_000)
    signed_in.get_by_role("dialog").get_by_role("button", name="Take it back").click()

    expect(signed_in.get_by_text("0.00 of 300.00 PXAI", exact=True)).to_be_visible(timeout=30_000)
    expect(back).to_be_hidden()


def test_who_declines_places_no_order(signed_in: Page, holder_app: WalletApp) -> None:
    orders = len(signed_in.request.get("/v1/wallet/orders").json()["data"])
    holder_app.declines = {"eth_signTypedData_v4"}
    begin(signed_in, "5", "Digital dollars")
    signed_in.get_by_role("button", name="Go on").click()

    expect(signed_in.get_by_role("alert")).to_have_text("You declined in your wallet app. Nothing happened.")
    assert len(signed_in.request.get("/v1/wallet/orders").json()["data"]) == orders


@pytest.fixture
def card_page(context: BrowserContext) -> list[str]:
    """The card service's page: the names of those that were opened."""
    opened: list[str] = []

    def answer(route: Route) -> None:
        opened.append(route.request.url.rpartition("/")[2])
        route.fulfill(content_type="text/html", body="<title>Pay</title>")

    context.route("https://checkout.stripe.test/**", answer)
    return opened


def pay_by_card(page: Page, served: Served, account: StripeAccount, card_page: list[str]) -> None:
    """Go on, pay on the card service's page, let its news come, and return."""
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("https://checkout.stripe.test/**")
    session = account.sessions[card_page[-1]]
    now = datetime.now(UTC)
    assert account.pay(session["id"], now)
    payload, signature = webhook("checkout.session.completed", session, now.timestamp())
    told = httpx2.post(f"{served.url}/v1/webhooks/stripe", content=payload, headers={"Stripe-Signature": signature})
    assert told.status_code == 200, told.text
    page.goto(f"{served.url}/wallet/top-up?order={session['metadata']['order']}")


def test_a_card_payment_raises_the_balance(
    signed_in: Page, served: Served, stripe_account: StripeAccount, card_page: list[str]
) -> None:
    before = spendable(signed_in)
    begin(signed_in, "20", "Card")
    pay_by_card(signed_in, served, stripe_account, card_page)

    expect(signed_in.get_by_text("Your routed balance rose by 2,000.00 PXAI.")).to_be_visible(timeout=30_000)
    expect(signed_in.get_by_text("Card", exact=True)).to_be_visible()
    assert spendable(signed_in) - before == 2000


def open_review(operator: Page, served: Served) -> None:
    """Signed in, with all that waits."""
    operator.goto(f"{served.url}/wallet/review")
    waits = operator.get_by_role("heading", name="Payments that wait for a decision")
    key = operator.get_by_label("Operator key")
    expect(waits.or_(key)).to_be_visible()
    if key.is_visible():
        key.fill(served.stack.gateway.operator_key)
        operator.get_by_role("button", name="Sign in").click()
    expect(waits).to_be_visible()


def note_transfer(operator: Page, reference: str, usd: str, name: str) -> None:
    operator.get_by_text("From the bank's statement").click()
    operator.get_by_label("What the transfer says").fill(reference)
    operator.get_by_label("The bank's own name of it").fill(name)
    operator.get_by_label("Dollars").fill(usd)
    operator.get_by_label("When the bank had it").fill(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M"))
    operator.get_by_role("button", name="Note it").click()
    expect(operator.get_by_text("The transfer is noted")).to_be_visible()


def accept(operator: Page, reference: str) -> None:
    operator.get_by_role("listitem").filter(has_text=reference).get_by_role("button", name="Accept").click()
    operator.get_by_label("Why").fill("the name fits")
    operator.get_by_role("dialog").get_by_role("button", name="Accept").click()
    expect(operator.get_by_text("is decided.")).to_be_visible()


def test_a_bank_transfer_waits_for_a_person(signed_in: Page, served: Served, context: BrowserContext) -> None:
    before = spendable(signed_in)
    begin(signed_in, "50", "Bank transfer")
    signed_in.get_by_role("button", name="Go on").click()
    reference = signed_in.locator("#bank-reference").inner_text()
    expect(signed_in.get_by_text(BANK_DETAILS)).to_be_visible()
    check_looks(signed_in, "top-up-bank")

    operator = context.new_page()
    open_review(operator, served)
    note_transfer(operator, reference, "50", "wire-1")
    check_looks(operator, "review", technical=True)
    expect(signed_in.get_by_text("A person is looking at it")).to_be_visible()
    assert spendable(signed_in) == before

    accept(operator, reference)
    operator.close()
    expect(signed_in.get_by_text("rose by 5,000.00 PXAI.")).to_be_visible(timeout=30_000)
    assert spendable(signed_in) - before == 5000


def test_an_order_stands_beside_the_balance_until_it_is_over(signed_in: Page) -> None:
    begin(signed_in, "7", "Bank transfer")
    signed_in.get_by_role("button", name="Go on").click()
    expect(signed_in.locator("#bank-reference")).to_be_visible()
    signed_in.goto("/wallet")
    expect(signed_in.get_by_text("Waiting for your payment")).to_be_visible()
    signed_in.get_by_role("link", name="Top-up of $7.00").click()
    signed_in.get_by_role("button", name="Give it up").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Give it up").click()

    expect(signed_in.get_by_text("Failed", exact=True)).to_be_visible()
